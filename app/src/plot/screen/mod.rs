//! Plot to widget: the same colours, ticks and labels as on paper, with hovering, panning and zooming.
//!
//! Logarithmic axes are drawn in the coordinate in which they are uniform; ticks and hover texts undo that.

mod brush;
mod color_bar;
mod field_item;
mod items;
mod legend;
mod names;
mod symbols;

use std::cell::{Cell, RefCell};
use std::ops::RangeInclusive;

use eframe::egui::{self, RichText, Vec2};
use egui_plot::{AxisHints, GridInput, GridMark, HoverPosition, PlotMemory, PlotPoint, PlotTransform};

use super::ticks::{Scale, readable, ticks};
use super::{Axis, Item, Plot, ScatterPoint, Unit, text};
use field_item::FieldDrawing;

/// Magnification per point of the wheel, as a logarithm.
const WHEEL: f32 = 0.004;

/// A plot ready to be shown: geometry that does not change from frame to frame is computed once.
pub struct ScreenPlot {
    plot: Plot,
    field: Option<FieldDrawing>,
    /// Points of a scatter that are pointed out.
    marked: Vec<[f64; 2]>,
    /// Item and point of a scatter that was clicked in the last frame.
    clicked: Cell<Option<(usize, usize)>>,
    /// The one under the pointer.
    hovered: Cell<Option<(usize, usize)>>,
    /// Whether points can be chosen by a rectangle: with Shift, or always.
    brush: Cell<Option<bool>>,
    /// Those that were chosen so in the last frame.
    brushed: RefCell<Vec<(usize, usize)>>,
    /// Names that are numbered in the plot, as they stand in the key.
    numbered: RefCell<Vec<String>>,
}

impl ScreenPlot {
    /// Prepares a plot. Costs some milliseconds for a map; make a new one only when the data change.
    pub fn new(mut plot: Plot) -> Self {
        let has_bars = |p: &ScatterPoint| p.x_interval.is_some() || p.y_interval.is_some();
        let has_bars = |item: &Item| matches!(item, Item::Scatter(s) if s.points.iter().any(has_bars));
        if plot.items.iter().any(has_bars) {
            plot.notes.push("Bars are 95 % intervals; the pointer shows their ends.".into());
        }
        let field = plot.field().map(FieldDrawing::new);
        Self {
            plot,
            field,
            marked: Vec::new(),
            clicked: Cell::new(None),
            hovered: Cell::new(None),
            brush: Cell::new(None),
            brushed: RefCell::default(),
            numbered: RefCell::default(),
        }
    }

    /// Points out points of a scatter with rings.
    pub fn marking(self, points: Vec<[f64; 2]>) -> Self {
        Self { marked: points, ..self }
    }

    /// Lets points of a scatter be chosen by dragging a rectangle: with Shift, or always.
    pub fn set_brush(&self, always: bool) {
        self.brush.set(Some(always));
    }

    /// The plot that is shown.
    pub fn plot(&self) -> &Plot {
        &self.plot
    }

    /// The point of a scatter that was just clicked; once.
    pub fn take_clicked(&self) -> Option<&ScatterPoint> {
        self.point(self.clicked.take()?)
    }

    /// The point of a scatter under the pointer.
    pub fn hovered(&self) -> Option<&ScatterPoint> {
        self.point(self.hovered.get()?)
    }

    /// The points of a scatter that were just chosen by a rectangle; once.
    pub fn take_brushed(&self) -> Vec<&ScatterPoint> {
        self.brushed.take().into_iter().filter_map(|at| self.point(at)).collect()
    }

    fn point(&self, (item, point): (usize, usize)) -> Option<&ScatterPoint> {
        match self.plot.items.get(item)? {
            Item::Scatter(scatter) => scatter.points.get(point),
            _ => None,
        }
    }

    /// Fills the available space. `id` keeps the zoom: use one per tab. Double click shows everything again.
    pub fn ui(&self, ui: &mut egui::Ui, id: impl egui::AsIdSalt) -> egui::Response {
        let id = ui.make_persistent_id(id);
        ui.vertical(|ui| {
            if let Some(title) = &self.plot.title {
                ui.vertical_centered(|ui| ui.label(RichText::new(text::plain(title)).strong()));
            }
            self.legend_ui(ui, id.with("legend"));
            let notes = notes_height(ui, &self.plot.notes);
            let key = self.key_height(ui, id);
            let gaps = if key > 0.0 { ui.spacing().item_spacing.y } else { 0.0 };
            let space =
                egui::vec2(ui.available_width(), (ui.available_height() - notes - key - gaps).max(60.0));
            let response = self.axes_and_bar(ui, id, id.with("legend"), space);
            self.key_ui(ui, key);
            notes_ui(ui, &self.plot.notes);
            response
        })
        .inner
    }

    /// The axes alone, in the available space: for several plots that share the legend of an id, and their notes.
    pub fn axes_ui(&self, ui: &mut egui::Ui, id: impl egui::AsIdSalt, legend: egui::Id) -> egui::Response {
        let id = ui.make_persistent_id(id);
        self.axes_and_bar(ui, id, legend, ui.available_size())
    }

    /// The legend of an id: what is hidden there is hidden in every plot with this legend.
    pub fn legend_ui(&self, ui: &mut egui::Ui, legend: egui::Id) {
        legend::show(ui, legend, &self.plot);
    }

    /// The axes, square where units are equally long, and the colour bar beside them, in the middle of `space`.
    fn axes_and_bar(&self, ui: &mut egui::Ui, id: egui::Id, legend: egui::Id, space: Vec2) -> egui::Response {
        // What tick labels and titles take is known from the frame before.
        let margins_id = id.with("margins");
        let margins = ui.data(|data| data.get_temp(margins_id)).unwrap_or(egui::vec2(60.0, 40.0));
        let bar = self.plot.field().map(|field| color_bar::ColorBar::new(ui, field));
        let bar_width = bar.as_ref().map_or(0.0, color_bar::ColorBar::width);
        let mut inner = (space - margins - egui::vec2(bar_width, 0.0)).max(egui::vec2(20.0, 20.0));
        if self.plot.equal_aspect {
            let ((left, right), (low, high)) = (self.plot.x.range, self.plot.y.range);
            let aspect = ((right - left) / (high - low)) as f32;
            inner = egui::vec2(inner.x.min(inner.y * aspect), inner.y.min(inner.x / aspect));
        }
        let outer = inner + margins;
        let layout = egui::Layout::left_to_right(egui::Align::Min);
        let response = ui.allocate_ui_with_layout(space, layout, |ui| {
            ui.set_min_size(space);
            ui.spacing_mut().item_spacing.x = 0.0;
            ui.add_space(((space.x - outer.x - bar_width) / 2.0).max(0.0));
            let response = self.axes(ui, id, legend, outer);
            if let Some(bar) = bar {
                bar.show(ui, response.rect);
            }
            response
        });
        let response = response.inner;
        let now = outer - response.rect.size();
        if (now - margins).length() > 0.5 {
            ui.data_mut(|data| data.insert_temp(margins_id, now));
            ui.ctx().request_repaint();
        }
        response
    }

    fn axes(&self, ui: &mut egui::Ui, id: egui::Id, legend: egui::Id, size: Vec2) -> egui::Response {
        let plot = &self.plot;
        let first_time = PlotMemory::load(ui.ctx(), id).is_none();
        let hidden = legend::hidden(ui, legend, plot);
        let (x, y) = (coordinates(&plot.x), self.heights(&hidden));
        let dark = ui.visuals().dark_mode;
        let mut widget = egui_plot::Plot::new(id)
            .id(id)
            .width(size.x)
            .height(size.y)
            .default_x_bounds(x.0, x.1)
            .default_y_bounds(y.0, y.1)
            .show_grid(plot.field().is_none())
            .grid_spacing(8.0..=60.0)
            .grid_color(ui.visuals().text_color().gamma_multiply(0.3))
            .x_grid_spacer(|input| marks(&plot.x, &input))
            .y_grid_spacer(|input| marks(&plot.y, &input))
            .custom_x_axes(vec![hints(AxisHints::new_x(), &plot.x)])
            .custom_y_axes(vec![hints(AxisHints::new_y(), &plot.y)])
            // The wheel zooms, as in the 3-D view; a drag moves.
            .allow_scroll(false)
            .allow_drag(!self.brushes(ui))
            .label_formatter(|at| self.hover(at));
        if plot.equal_aspect {
            // The size sees to it; zooming keeps it.
            widget = widget.allow_boxed_zoom(false).allow_axis_zoom_drag(false);
        }
        let shown = widget.show(ui, |ui| {
            if first_time {
                ui.set_auto_bounds(true);
            }
            let wheel = ui.ctx().input(|input| input.smooth_scroll_delta().y);
            if wheel != 0.0 && ui.response().contains_pointer() {
                ui.zoom_bounds_around_hovered(Vec2::splat((wheel * WHEEL).exp()));
            }
            for (index, item) in plot.items.iter().enumerate().filter(|(index, _)| !hidden.contains(index)) {
                self.item(ui, index, item, dark);
            }
        });
        self.names_ui(ui, &shown.transform, &hidden);
        let response = shown.response;
        if response.clicked()
            && let Some(at) = response.interact_pointer_pos()
        {
            self.clicked.set(self.point_near(at, &shown.transform, &hidden));
        }
        let near = |at| self.point_near(at, &shown.transform, &hidden);
        self.hovered.set(response.hover_pos().and_then(near));
        if self.brush.get().is_some() {
            self.brush_ui(ui, id, &response, &shown.transform, &hidden);
        }
        response
    }

    /// The heights that are shown at first: of curves, what is left of the axis when some are hidden.
    fn heights(&self, hidden: &legend::Hidden) -> (f64, f64) {
        let all = coordinates(&self.plot.y);
        let left = self.plot.items.iter().enumerate().filter_map(|(index, item)| match item {
            Item::Series(series) if !hidden.is_empty() && !hidden.contains(&index) => Some(series),
            _ => None,
        });
        let values = left.flat_map(|s| s.y.iter().flatten().filter_map(|y| self.plot.y.scale.map(*y)));
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), y| (l.min(y), h.max(y)));
        let margin = 0.06 * (high - low);
        if margin > 0.0 { ((low - margin).max(all.0), (high + margin).min(all.1)) } else { all }
    }

    /// Where the points of scatters are on the screen, each by its item and number.
    fn places(
        &self,
        transform: &PlotTransform,
        hidden: &legend::Hidden,
    ) -> impl Iterator<Item = ((usize, usize), egui::Pos2)> {
        let items = self.plot.items.iter().enumerate().filter(|(index, _)| !hidden.contains(index));
        let scatters = items.filter_map(|(index, item)| match item {
            Item::Scatter(scatter) => Some((index, scatter)),
            _ => None,
        });
        scatters.flat_map(move |(index, scatter)| {
            scatter.points.iter().enumerate().filter_map(move |(number, point)| {
                let (x, y) = (self.plot.x.scale.map(point.x)?, self.plot.y.scale.map(point.y)?);
                Some(((index, number), transform.position_from_point(&PlotPoint::new(x, y))))
            })
        })
    }

    /// The point of a scatter nearest to a place on the screen, if the place is on its symbol or just beside it.
    fn point_near(
        &self,
        at: egui::Pos2,
        transform: &PlotTransform,
        hidden: &legend::Hidden,
    ) -> Option<(usize, usize)> {
        const REACH: f32 = 12.0;
        let near = self.places(transform, hidden).map(|(point, place)| (place.distance(at), point));
        let near = near.filter(|(distance, _)| *distance <= REACH);
        near.min_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, point)| point)
    }

    /// What is said at the pointer: the value of a map, or the nearest point of a curve.
    pub fn hover(&self, at: &HoverPosition<'_>) -> Option<String> {
        let plot = &self.plot;
        let line = |axis: &Axis, coordinate: f64| {
            let value = axis.scale.unmap(coordinate);
            if axis.unit == Unit::Names {
                let tick = axis.ticks.iter().find(|tick| (tick.value - value).abs() < 0.5);
                return tick.map_or_else(String::new, |tick| text::plain(&tick.label));
            }
            format!("{}: {}", text::plain(&axis.label), readable(value * axis.unit.factor()))
        };
        match at {
            HoverPosition::NearDataPoint { plot_name, position, index } => {
                // Several groups may have no name; the place tells them apart.
                let there = |p: &&ScatterPoint| {
                    plot.x.scale.map(p.x) == Some(position.x) && plot.y.scale.map(p.y) == Some(position.y)
                };
                let named = plot.items.iter().find_map(|item| match item {
                    Item::Scatter(s)
                        if s.name.as_deref().map(text::plain).unwrap_or_default() == *plot_name =>
                    {
                        s.points.get(*index).filter(there)
                    }
                    _ => None,
                });
                let head = named.map_or_else(|| (*plot_name).to_owned(), |p| text::plain(&p.name));
                let ends = |axis: &Axis, interval: Option<(f64, f64)>| {
                    interval.map_or_else(String::new, |(low, high)| {
                        let [low, high] = [low, high].map(|end| readable(end * axis.unit.factor()));
                        format!(" (95 % interval {low} to {high})")
                    })
                };
                let (of_x, of_y) = named.map_or((None, None), |p| (p.x_interval, p.y_interval));
                let body = format!(
                    "{}{}\n{}{}",
                    line(&plot.x, position.x),
                    ends(&plot.x, of_x),
                    line(&plot.y, position.y),
                    ends(&plot.y, of_y)
                );
                Some(if head.is_empty() { body } else { format!("{head}\n{body}") })
            }
            HoverPosition::Elsewhere { position } => {
                let field = plot.field()?;
                let (x, y, value) = field.nearest(position.x, position.y)?;
                Some(format!(
                    "{}\n{}\n{}: {}",
                    line(&plot.x, x),
                    line(&plot.y, y),
                    text::plain(&field.name),
                    readable(value * field.unit.factor())
                ))
            }
        }
    }
}

/// A symbol of a scatter at a place on the screen, for lists beside it.
pub fn symbol_shapes(
    ui: &egui::Ui,
    shape: super::Shape,
    at: egui::Pos2,
    color: super::Color,
) -> Vec<egui::Shape> {
    let visuals = ui.visuals();
    let fill = items::themed(color, visuals.dark_mode);
    symbols::shapes(shape, at, symbols::radius(shape.fair_size()), fill, visuals.text_color())
}

/// What the reader must know, all of it, in as many lines as that takes.
pub fn notes_ui(ui: &mut egui::Ui, notes: &[String]) {
    for note in notes {
        ui.add(egui::Label::new(RichText::new(text::plain(note)).small().weak()).wrap());
    }
}

/// The height of [`notes_ui`] here.
pub fn notes_height(ui: &egui::Ui, notes: &[String]) -> f32 {
    let font = egui::TextStyle::Small.resolve(ui.style());
    let height = |note: &String| {
        let words = text::plain(note);
        let lines = ui.painter().layout(words, font.clone(), egui::Color32::WHITE, ui.available_width());
        lines.size().y + ui.spacing().item_spacing.y
    };
    notes.iter().map(height).sum()
}

fn coordinates(axis: &Axis) -> (f64, f64) {
    let (low, high) = (axis.scale.map(axis.range.0), axis.scale.map(axis.range.1));
    match (low, high) {
        (Some(low), Some(high)) if low < high => (low, high),
        _ => (0.0, 1.0),
    }
}

/// The plot's own ticks while its own range is shown, and new ones in the same manner when zoomed.
fn marks(axis: &Axis, input: &GridInput) -> Vec<GridMark> {
    let own = coordinates(axis);
    let same = |a: f64, b: f64| (a - b).abs() < 1e-6 * (own.1 - own.0);
    let own_range = same(input.bounds.0, own.0) && same(input.bounds.1, own.1);
    let shown = if own_range || axis.unit == Unit::Names {
        axis.ticks.clone()
    } else {
        ticks((axis.scale.unmap(input.bounds.0), axis.scale.unmap(input.bounds.1)), axis.scale, axis.unit, 8)
    };
    let values: Vec<f64> =
        shown.iter().filter(|t| !t.label.is_empty()).filter_map(|t| axis.scale.map(t.value)).collect();
    let step = values.windows(2).map(|w| w[1] - w[0]).fold(own.1 - own.0, f64::min);
    values.into_iter().map(|value| GridMark { value, step_size: step }).collect()
}

fn hints<'a>(hints: AxisHints<'a>, axis: &'a Axis) -> AxisHints<'a> {
    let formatter = move |mark: GridMark, range: &RangeInclusive<f64>| {
        let shown = (axis.scale.unmap(*range.start()), axis.scale.unmap(*range.end()));
        let value = axis.scale.unmap(mark.value);
        let near = |v: f64| match axis.scale {
            Scale::Linear => (v - value).abs() <= 1e-6 * mark.step_size.abs(),
            Scale::Log => (v / value - 1.0).abs() < 1e-6,
        };
        let zoomed =
            if axis.unit == Unit::Names { Vec::new() } else { ticks(shown, axis.scale, axis.unit, 8) };
        let all = axis.ticks.iter().cloned().chain(zoomed);
        let known = all.filter(|t| !t.label.is_empty()).find(|t| near(t.value));
        known.map_or_else(String::new, |t| text::plain(&t.label))
    };
    hints.label(text::plain(&axis.label)).formatter(formatter).label_spacing(12.0..=24.0)
}

/// Fonts that have all that plots write.
///
/// The proportional font lacks some mathematics, such as the raised minus of 10⁻²; the monospaced one helps out.
pub fn fonts() -> egui::FontDefinitions {
    let mut fonts = egui::FontDefinitions::default();
    if let Some(family) = fonts.families.get_mut(&egui::FontFamily::Proportional) {
        family.push("Hack".into());
    }
    fonts
}
