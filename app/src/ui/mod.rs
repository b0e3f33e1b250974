//! The window. It never computes: panels send [`Action`]s, worker threads send [`Answer`]s, and [`App`]
//! carries both out between frames.

mod about;
mod actions;
mod answers;
mod charts;
mod close;
mod compare_view;
mod dialogs;
pub mod display;
mod display_panel;
mod estimates;
pub mod example_set;
mod examples_detail;
mod examples_view;
mod export_dialog;
mod export_order;
pub mod export_settings;
mod follow;
pub mod form;
mod form_measures;
mod form_panel;
mod form_rows;
mod header;
mod history_charts;
mod history_facts;
mod history_view;
mod jobs_panel;
mod menu;
mod model_view;
mod names;
mod notes;
mod nothing;
mod open;
mod open_buttons;
mod opening;
mod path_dialog;
mod probing;
mod scatter_settings;
mod scatter_view;
mod session;
mod session_panel;
mod shape_panel;
mod shown;
mod spectrum_view;
mod standing;
pub mod study;
mod surface_section;
pub mod surface_texture;
mod surface_view;
mod table_view;
mod tabs;
pub mod theme;
pub mod train_form;
mod train_names;
mod train_panel;
mod widgets;

use std::path::PathBuf;
use std::sync::Arc;

use eframe::egui::{
    Align, Align2, CentralPanel, Context, Id, LayerId, Layout, Margin, Order, Panel, ScrollArea, StrokeKind,
    TextStyle, Ui, ViewportCommand,
};
use eframe::{CreationContext, Frame, Storage};

pub use crate::settings::command_line;
pub use actions::Action;
pub use answers::{Answer, Purpose};
pub use open::{FIRST_FRAME, open};
pub use scatter_settings::{ScatterSettings, Source};
pub use session::{Session, Target};
pub use tabs::Pane;

use crate::background::Background;
use crate::command::Command;
use crate::jobs::{Engine, Jobs, Wake};
use crate::state::State;
use crate::ui::notes::Level;

/// A dialog inside the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Modal {
    /// Choose what to export.
    Export,
    /// Type a path.
    Path,
    /// A job runs: leave?
    Close,
    /// Version and licence.
    About,
    /// Keys and mouse.
    Shortcuts,
    /// What a study lacks, and what it costs.
    MeasureStudy,
}

/// The window and all that lives while it is open.
pub struct App {
    state: State,
    session: Session,
    study: study::StudyView,
    wake: Wake,
    jobs: Jobs,
    background: Background<Answer>,
    engine: Arc<dyn Engine>,
    actions: Vec<Action>,
    notes: notes::Notes,
    modal: Option<Modal>,
    path_entry: path_dialog::PathEntry,
    tabs: tabs::Tabs,
    estimates: estimates::Estimates,
    standings: standing::Standings,
    follow: follow::Follow,
    history: history_view::HistoryView,
    shown: shown::Shown,
    surface: surface_view::SurfaceView,
    charts: charts::Charts,
    shape: shape_panel::ShapeFacts,
    scatter: scatter_view::ScatterView,
    comparison: compare_view::CompareView,
    examples: examples_view::ExamplesView,
    export: export_dialog::ExportDialog,
    model_state: model_view::ModelState,
    filter: String,
    title: String,
    leaving: close::Leaving,
}

impl App {
    /// A window that computes with `engine` and opens `paths`.
    pub fn new(cc: &CreationContext<'_>, engine: Arc<dyn Engine>, paths: Vec<PathBuf>) -> Self {
        theme::install(&cc.egui_ctx);
        let (state, warning) = State::load(cc.storage);
        cc.egui_ctx.set_theme(state.theme);
        let ctx = cc.egui_ctx.clone();
        let wake: Wake = Arc::new(move |within| ctx.request_repaint_after(within));
        let mut app = Self {
            session: Session::default(),
            study: study::StudyView::default(),
            wake: wake.clone(),
            jobs: Jobs::new(engine.clone(), wake.clone()),
            background: Background::new(wake, Answer::Failed),
            engine,
            actions: Vec::new(),
            notes: notes::Notes::default(),
            modal: None,
            path_entry: path_dialog::PathEntry::default(),
            tabs: tabs::Tabs::load(cc.storage),
            estimates: estimates::Estimates::default(),
            standings: standing::Standings::default(),
            follow: follow::Follow::default(),
            history: history_view::HistoryView::default(),
            shown: shown::Shown::default(),
            surface: surface_view::SurfaceView::new(cc),
            charts: charts::Charts::default(),
            shape: shape_panel::ShapeFacts::default(),
            scatter: scatter_view::ScatterView::default(),
            comparison: compare_view::CompareView::default(),
            examples: examples_view::ExamplesView::default(),
            export: export_dialog::ExportDialog::default(),
            model_state: model_view::ModelState::default(),
            filter: String::new(),
            title: String::new(),
            leaving: close::Leaving::default(),
            state,
        };
        if let Some(warning) = warning {
            app.note_error(warning);
        }
        if paths.is_empty() {
            app.open_again(app.state.open.clone());
        } else {
            app.open_paths(paths);
        }
        app
    }

    /// Open checkpoints and records.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The jobs of this session.
    pub fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// Whether a worker thread has not answered yet.
    pub fn is_busy(&self) -> bool {
        self.background.is_busy() || self.jobs.active() > 0 || self.study.is_busy()
    }

    /// Asks for a command, as a menu would.
    pub fn command(&mut self, command: Command) {
        self.actions.push(Action::Command(command));
    }

    /// Tells that something went well.
    fn note(&mut self, text: impl AsRef<str>) {
        self.notes.add(Level::Success, text.as_ref());
    }

    /// Tells what the user should know about a result.
    fn note_warning(&mut self, text: impl AsRef<str>) {
        self.notes.add(Level::Warning, text.as_ref());
    }

    /// Tells what went wrong.
    fn note_error(&mut self, text: impl AsRef<str>) {
        self.notes.add(Level::Error, text.as_ref());
    }

    /// Puts what is open into the window's title.
    fn name_window(&mut self, ctx: &Context) {
        let model = self.session.selected_model().map(session::Model::file_name);
        let title = model.map_or_else(|| "Basin".to_owned(), |name| format!("{name} – Basin"));
        if title != self.title {
            ctx.send_viewport_cmd(ViewportCommand::Title(title.clone()));
            self.title = title;
        }
    }

    /// The panels; in a window that is too small for them, to be scrolled.
    fn window_ui(&mut self, ui: &mut Ui) {
        let room = ui.available_size();
        if room.x >= theme::LEAST_ROOM.x && room.y >= theme::LEAST_ROOM.y {
            return self.panels_ui(ui);
        }
        ScrollArea::both().auto_shrink(false).show(ui, |ui| {
            let size = room.max(theme::LEAST_ROOM);
            ui.allocate_ui_with_layout(size, Layout::top_down(Align::Min), |ui| {
                ui.set_min_size(size);
                self.panels_ui(ui);
            });
        });
    }

    fn panels_ui(&mut self, ui: &mut Ui) {
        let dark = ui.visuals().dark_mode;
        let frame = theme::panel_frame(dark);
        Panel::top("menu").frame(frame.inner_margin(Margin::symmetric(8, 3))).show(ui, |ui| {
            menu::ui(ui, &self.menu_state(), &mut self.actions);
        });
        Panel::bottom("activity").frame(frame.inner_margin(Margin::symmetric(12, 5))).show(ui, |ui| {
            self.notes.fade(ui.ctx());
            let idle = match (self.session.is_empty(), self.study.open()) {
                (true, None) => "Ready. Open a checkpoint to begin.",
                (true, Some(_)) => "Ready. Select a model in the Study tab to begin.",
                _ => "Ready.",
            };
            jobs_panel::ui(ui, &self.jobs, idle, &self.notes, &mut self.actions);
        });
        Panel::left("session").frame(frame).default_size(250.0).size_range(190.0..=420.0).show(ui, |ui| {
            let has_study = self.study.open().is_some();
            session_panel::ui(ui, &self.session, &self.jobs, has_study, &mut self.filter, &mut self.actions);
        });
        // Names of settings and what they say both have room where the window has it.
        let width = (0.265 * ui.ctx().content_rect().width()).clamp(300.0, 360.0);
        Panel::right("settings").frame(frame).default_size(width).size_range(270.0..=420.0).show(ui, |ui| {
            self.side_ui(ui);
        });
        CentralPanel::default().frame(theme::canvas_frame(dark)).show(ui, |ui| {
            self.tabs_ui(ui);
        });
        self.modals_ui(ui);
        drop_hint_ui(ui);
    }

    fn modals_ui(&mut self, ui: &mut Ui) {
        match self.modal {
            None => {}
            Some(Modal::Export) => self.export_dialog_ui(ui),
            Some(Modal::Path) => self.path_dialog_ui(ui),
            Some(Modal::Close) => close::ui(ui, self.leaving, &mut self.actions),
            Some(Modal::About) => about::about_ui(ui, &mut self.actions),
            Some(Modal::MeasureStudy) => {
                let mut place = study::Place::new(&mut self.state.study);
                study::dialog(ui, &self.study, &mut place);
                self.actions.extend(place.messages.into_iter().map(Action::Study));
            }
            Some(Modal::Shortcuts) => about::shortcuts_ui(ui, &mut self.actions),
        }
    }

    fn side_ui(&mut self, ui: &mut Ui) {
        use crate::settings::Measure;
        use crate::state::Side;
        let sides = [
            (Side::Measure, "Measure", "Describe a measure of a checkpoint, see its cost, run it"),
            (Side::Train, "Train", "Describe a training, see its cost, run it"),
            (Side::Display, "Display", "How results are drawn"),
        ];
        widgets::segmented_ui(ui, &mut self.state.side, &sides);
        if self.state.side == Side::Measure {
            let name = |measure: &Measure| widgets::sentence(&measure.name().replace('-', " "));
            let names: Vec<String> = Measure::ALL.iter().map(name).collect();
            let options = Measure::ALL.iter().zip(&names);
            let options: Vec<_> = options.map(|(of, name)| (*of, name.as_str(), of.about())).collect();
            widgets::segmented_rows_ui(ui, &mut self.state.measure, &options);
        }
        ui.add_space(4.0);
        match self.state.side {
            Side::Measure => self.form_ui(ui),
            Side::Train => self.train_ui(ui),
            Side::Display => self.display_ui(ui),
        }
    }

    fn display_ui(&mut self, ui: &mut Ui) {
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            self.shape.ui(ui, &mut self.state.display, &self.shown, &self.background);
            let several = self.shown.together().len() > 1;
            display_panel::ui(ui, &mut self.state.display, self.shown.record(), several);
        });
    }
}

/// While files hover over the window: what dropping them does.
fn drop_hint_ui(ui: &Ui) {
    if ui.input(|input| input.raw.hovered_files.is_empty()) {
        return;
    }
    let p = widgets::palette(ui);
    let layer = LayerId::new(Order::Foreground, Id::unique("drop hint"));
    let painter = ui.ctx().layer_painter(layer);
    let rect = ui.ctx().content_rect();
    painter.rect_filled(rect, 0.0, p.canvas.gamma_multiply(0.85));
    painter.rect_stroke(rect.shrink(10.0), 8.0, (2.0, p.accent), StrokeKind::Inside);
    let words = "Drop to open checkpoints, records and folders";
    painter.text(rect.center(), Align2::CENTER_CENTER, words, TextStyle::Heading.resolve(ui.style()), p.text);
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &Context, _: &mut Frame) {
        self.keyboard(ctx);
        for answer in self.background.drain() {
            self.handle(answer);
        }
        while let Some(ended) = self.jobs.drain() {
            self.standings.forget();
            if !self.study_job_ended(&ended) {
                self.ended(ended);
            }
        }
        self.take_dropped_files(ctx);
        self.take_pasted_paths(ctx);
        self.closing(ctx);
        for action in std::mem::take(&mut self.actions) {
            self.carry_out(ctx, action);
        }
        self.update_study(ctx);
        self.follow(ctx);
        self.shown.update(&self.session, &self.jobs);
        self.name_window(ctx);
    }

    fn ui(&mut self, ui: &mut Ui, _: &mut Frame) {
        self.window_ui(ui);
        if !self.actions.is_empty() {
            ui.ctx().request_repaint();
        }
    }

    fn save(&mut self, storage: &mut dyn Storage) {
        let session = &self.session;
        let models = session.models().iter().map(|model| model.path.clone());
        let records = session.records().iter().filter(|stored| session.stays(stored.id));
        let records = records.map(|stored| stored.path.clone());
        let study = self.study.open().map(|open| open.folder().to_owned());
        let models = models.filter(|path| session.model_stays(path));
        self.state.open = study.into_iter().chain(models).chain(records).collect();
        self.state.save(storage);
        self.tabs.save(storage);
    }
}
