//! The right: the shape of the landscape that is shown, in numbers.

use basin_core::record::{LandscapeOutcome, Outcome, Record};
use basin_core::shape::{Level, ShapeOptions};
use eframe::egui::{DragValue, Grid, Label, RichText, Ui};

use crate::background::Background;
use crate::plot::landscape::{self, Named, Quantity, Which, quantity_label};
use crate::shape::{self, Fact, ShapeOf};
use crate::ui::answers::Answer;
use crate::ui::display::Display;
use crate::ui::shown::Shown;
use crate::ui::widgets::{heading_ui, palette, row_ui};

/// The numbers that are shown, and what they were computed of.
#[derive(Default)]
pub(crate) struct ShapeFacts {
    of: Option<ShapeOf>,
    /// A worker thread computes others.
    waiting: bool,
    title: String,
    facts: Vec<Fact>,
}

impl ShapeFacts {
    /// Takes the answer of a worker thread.
    pub fn answered(&mut self, of: ShapeOf, title: String, facts: Vec<Fact>) {
        (self.of, self.title, self.facts, self.waiting) = (Some(of), title, facts, false);
    }

    /// Draws the numbers of the landscape that is shown, if one is.
    pub fn ui(&mut self, ui: &mut Ui, display: &mut Display, shown: &Shown, background: &Background<Answer>) {
        let (Some(record), Some(landscape)) = (shown.record(), shown.landscape()) else { return };
        let plot = display.plot_options();
        let of = (shown.version(), plot.quantity, options(display, plot.quantity, landscape));
        if self.of.as_ref() != Some(&of) && !self.waiting {
            self.waiting = true;
            let record = record.clone();
            background.spawn("shape", move || {
                let (title, facts) = compute(&record, of);
                Answer::Shape { of, title, facts }
            });
        }
        if self.facts.is_empty() {
            return;
        }
        heading_ui(ui, &self.title);
        let weak = palette(ui).weak;
        Grid::new("shape").num_columns(2).min_row_height(20.0).spacing([12.0, 2.0]).show(ui, |ui| {
            for Fact { name, value, meaning } in &self.facts {
                ui.label(RichText::new(*name).color(weak)).on_hover_text(*meaning);
                ui.add(Label::new(value).extend()).on_hover_text(*meaning);
                ui.end_row();
            }
        });
        ui.add_space(2.0);
        row_ui(ui, "Radius", "Of the circle on which the mean rise is taken, in steps", |ui| {
            let most = reach(landscape);
            let mut radius = display.rise_radius.min(most);
            let response = ui.add(DragValue::new(&mut radius).speed(0.01).range(1e-6..=most));
            if response.changed() {
                display.rise_radius = radius;
            }
            (response, ())
        });
        row_ui(ui, "Level", "Of the level set: so much above the value at the origin", |ui| {
            let value = match plot.quantity {
                Quantity::Loss => DragValue::new(&mut display.level_rise).speed(0.01).range(0.0..=1e6),
                Quantity::Error => {
                    DragValue::new(&mut display.level_rise_error).speed(0.5).range(0.0..=100.0).suffix(" %")
                }
            };
            (ui.add(value.prefix("+ ")), ())
        });
    }
}

/// The numbers with their title; none where there is no value.
fn compute(record: &Record, (_, quantity, options): ShapeOf) -> (String, Vec<Fact>) {
    let Outcome::Landscape(landscape) = &record.outcome else { return Default::default() };
    let grid = landscape::main_grid(Named { name: "", record }, Which::Auto).ok();
    let found = grid.and_then(|grid| Some((grid.robust, shape::of(&grid, quantity, &options)?)));
    let title = found.as_ref().map_or_else(String::new, |(robust, _)| {
        format!("Shape of the {}", quantity_label(quantity, *robust).to_lowercase())
    });
    (title, found.map_or_else(Vec::new, |(_, found)| shape::facts(&found, landscape, quantity)))
}

fn options(display: &Display, quantity: Quantity, landscape: &LandscapeOutcome) -> ShapeOptions {
    let rise = match quantity {
        Quantity::Loss => display.level_rise,
        Quantity::Error => 0.01 * display.level_rise_error,
    };
    let radius = display.rise_radius.min(reach(landscape));
    ShapeOptions { radius: Some(radius), level: Level::AboveOrigin(rise) }
}

/// Radius of the largest circle around the origin in the grid.
fn reach(landscape: &LandscapeOutcome) -> f64 {
    let ends = |steps: &[f64]| match (steps.first(), steps.last()) {
        (Some(first), Some(last)) => (-first).min(*last),
        _ => 0.0,
    };
    let reach = ends(&landscape.x).min(landscape.y.as_deref().map_or(f64::INFINITY, ends));
    reach.max(1e-6)
}
