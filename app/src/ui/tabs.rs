//! The middle: tabs that can be put side by side by dragging.

use eframe::Storage;
use eframe::egui::{Color32, FontId, Id, RichText, Stroke, Style, Ui, Visuals, WidgetText};
use egui_tiles::{
    Behavior, Container, SimplificationOptions, TabState, Tile, TileId, Tiles, Tree, UiResponse,
};

use serde::{Deserialize, Serialize};

use crate::ui::{Action, App, model_view, study, table_view, theme};

/// A view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pane {
    /// The models of a study with their numbers; there while a study is open.
    Study,
    /// What the selected checkpoint is.
    Model,
    /// A 2-D landscape in 3-D.
    Surface,
    /// A 1-D landscape.
    Curves,
    /// A 2-D landscape as filled contours.
    Contours,
    /// Flatness against robustness, a point per checkpoint.
    Scatter,
    /// How a training goes, epoch by epoch.
    History,
    /// Eigenvalues of a Hessian and their density.
    Spectrum,
    /// Images with what an attack made of them.
    Examples,
    /// Every record with its provenance.
    Table,
}

impl Pane {
    /// All views in the order of the first tabs.
    pub const ALL: [Self; 10] = [
        Self::Study,
        Self::Model,
        Self::Surface,
        Self::Curves,
        Self::Contours,
        Self::Scatter,
        Self::History,
        Self::Spectrum,
        Self::Examples,
        Self::Table,
    ];

    /// Name of the tab.
    pub fn title(self) -> &'static str {
        match self {
            Self::Study => "Study",
            Self::Model => "Model",
            Self::Surface => "Surface",
            Self::Curves => "Curves",
            Self::Contours => "Contours",
            Self::Scatter => "Scatter",
            Self::History => "History",
            Self::Spectrum => "Spectrum",
            Self::Examples => "Examples",
            Self::Table => "Table",
        }
    }
}

/// The arrangement of views.
pub(crate) struct Tabs {
    tree: Tree<Pane>,
}

impl Default for Tabs {
    fn default() -> Self {
        let mut tabs = Self { tree: Tree::new_tabs(Id::unique("views"), Pane::ALL.to_vec()) };
        tabs.set_visible(Pane::Study, false);
        tabs
    }
}

/// Under this name the arrangement is remembered between starts.
const KEY: &str = "basin-views";

impl Tabs {
    /// The remembered arrangement, or the first one. A view that it does not know joins the others.
    pub fn load(storage: Option<&dyn Storage>) -> Self {
        let tree = storage.and_then(|storage| eframe::get_value::<Tree<Pane>>(storage, KEY));
        let Some(mut tree) = tree else { return Self::default() };
        let count = |tree: &Tree<Pane>, pane: Pane| {
            tree.tiles.tiles().filter(|tile| matches!(tile, Tile::Pane(other) if *other == pane)).count()
        };
        let tabs = tree.tiles.iter().find(|(_, tile)| matches!(tile, Tile::Container(Container::Tabs(_))));
        let Some((tabs, _)) = tabs.map(|(id, tile)| (*id, tile)) else { return Self::default() };
        for pane in Pane::ALL {
            match count(&tree, pane) {
                0 => {
                    let tile = tree.tiles.insert_pane(pane);
                    if let Some(Tile::Container(container)) = tree.tiles.get_mut(tabs) {
                        container.add_child(tile);
                    }
                }
                1 => {}
                _ => return Self::default(),
            }
        }
        let mut tabs = Self { tree };
        tabs.set_visible(Pane::Study, false);
        tabs
    }

    /// Remembers the arrangement.
    pub fn save(&self, storage: &mut dyn Storage) {
        eframe::set_value(storage, KEY, &self.tree);
    }

    /// Brings a view to the front.
    pub fn show(&mut self, pane: Pane) {
        if let Some(wanted) = self.tree.tiles.find_pane(&pane) {
            self.tree.make_active(|id, _| id == wanted);
        }
    }

    /// Lets a view have a tab, or none.
    pub fn set_visible(&mut self, pane: Pane, visible: bool) {
        if let Some(tile) = self.tree.tiles.find_pane(&pane) {
            self.tree.set_visible(tile, visible);
        }
    }

    /// The views that have a tab.
    fn with_tab(&self) -> impl Iterator<Item = Pane> {
        let has = |pane: &Pane| {
            let tile = self.tree.tiles.find_pane(pane);
            tile.is_some_and(|tile| self.tree.is_visible(tile))
        };
        Pane::ALL.into_iter().filter(has)
    }

    /// Brings the first of these views to the front, unless one of them is there already.
    pub fn show_one_of(&mut self, panes: &[Pane]) {
        if let Some(first) = panes.first()
            && !panes.iter().any(|pane| self.is_visible(*pane))
        {
            self.show(*first);
        }
    }

    /// Whether a view is in front.
    pub fn is_visible(&self, pane: Pane) -> bool {
        let shown = |id: TileId| matches!(self.tree.tiles.get(id), Some(Tile::Pane(p)) if *p == pane);
        self.tree.active_tiles().into_iter().any(shown)
    }
}

impl App {
    pub(crate) fn tabs_ui(&mut self, ui: &mut Ui) {
        let mut tabs = std::mem::take(&mut self.tabs);
        let look = TabLook::fitting(ui, &tabs.with_tab().collect::<Vec<_>>());
        tabs.tree.ui(&mut Views { app: self, look }, ui);
        self.tabs = tabs;
    }

    /// The views that are in front.
    pub fn visible_panes(&self) -> Vec<Pane> {
        Pane::ALL.into_iter().filter(|pane| self.tabs.is_visible(*pane)).collect()
    }

    fn pane_ui(&mut self, ui: &mut Ui, pane: Pane) {
        match pane {
            Pane::Study => {
                let mut place = study::Place::new(&mut self.state.study);
                study::ui(ui, &mut self.study, &mut place);
                self.actions.extend(place.messages.into_iter().map(Action::Study));
            }
            Pane::Model => {
                model_view::ui(ui, &self.session, &mut self.model_state, &mut self.actions);
            }
            Pane::Surface => self.surface_ui(ui),
            Pane::Curves => self.curves_ui(ui),
            Pane::Contours => self.contours_ui(ui),
            Pane::Scatter => self.scatter_ui(ui),
            Pane::History => self.history_ui(ui),
            Pane::Spectrum => self.spectrum_ui(ui),
            Pane::Examples => self.examples_ui(ui),
            Pane::Table => table_view::ui(ui, &self.session, &mut self.actions),
        }
    }
}

struct Views<'a> {
    app: &'a mut App,
    look: TabLook,
}

/// Size and distance of the titles of tabs.
#[derive(Clone, Copy)]
struct TabLook {
    size: f32,
    spacing: f32,
}

impl TabLook {
    /// The largest with which all tabs stand beside each other; the smallest, if none does.
    fn fitting(ui: &Ui, panes: &[Pane]) -> Self {
        let looks = [
            (13.0, 14.0),
            (13.0, 10.0),
            (13.0, 6.0),
            (12.0, 6.0),
            (12.0, 4.0),
            (11.0, 4.0),
            (11.0, 2.0),
            (10.5, 2.0),
        ];
        let looks = looks.map(|(size, spacing)| Self { size, spacing });
        let width = |look: &Self| -> f32 {
            let font = FontId::proportional(look.size);
            let title = |pane: &Pane| {
                let title = pane.title().to_owned();
                ui.painter().layout_no_wrap(title, font.clone(), Color32::WHITE).size().x
            };
            panes.iter().map(|pane| title(pane) + 2.0 * look.spacing).sum()
        };
        // A little is kept free on both sides.
        let room = ui.available_width() - 4.0;
        looks.into_iter().find(|look| width(look) <= room).unwrap_or(looks[looks.len() - 1])
    }
}

impl Behavior<Pane> for Views<'_> {
    fn pane_ui(&mut self, ui: &mut Ui, _: TileId, pane: &mut Pane) -> UiResponse {
        theme::canvas_frame(ui.visuals().dark_mode).show(ui, |ui| {
            ui.set_min_size(ui.available_size());
            self.app.pane_ui(ui, *pane);
        });
        UiResponse::None
    }

    fn tab_title_for_pane(&mut self, pane: &Pane) -> WidgetText {
        RichText::new(pane.title()).size(self.look.size).into()
    }

    fn tab_bar_height(&self, _: &Style) -> f32 {
        30.0
    }

    fn tab_title_spacing(&self, _: &Visuals) -> f32 {
        self.look.spacing
    }

    fn gap_width(&self, _: &Style) -> f32 {
        2.0
    }

    fn tab_bar_color(&self, visuals: &Visuals) -> Color32 {
        theme::palette(visuals.dark_mode).side
    }

    fn tab_bg_color(&self, visuals: &Visuals, _: &Tiles<Pane>, _: TileId, state: &TabState) -> Color32 {
        if state.active { theme::palette(visuals.dark_mode).canvas } else { Color32::TRANSPARENT }
    }

    fn tab_outline_stroke(&self, _: &Visuals, _: &Tiles<Pane>, _: TileId, _: &TabState) -> Stroke {
        Stroke::NONE
    }

    fn tab_text_color(&self, visuals: &Visuals, _: &Tiles<Pane>, _: TileId, state: &TabState) -> Color32 {
        let p = theme::palette(visuals.dark_mode);
        if state.active { p.text } else { p.weak }
    }

    fn simplification_options(&self) -> SimplificationOptions {
        SimplificationOptions { all_panes_must_have_tabs: true, ..SimplificationOptions::default() }
    }
}
