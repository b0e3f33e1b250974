//! The charts of the History tab: loss and error beside each other, the learning rate below, under one legend.

use std::sync::Arc;

use basin_core::record::{Outcome, Record};
use eframe::egui::{Id, Ui, Vec2, vec2};

use crate::plot::screen::{ScreenPlot, notes_height, notes_ui};
use crate::plot::training::Quantity;
use crate::ui::widgets::{empty_ui, sentence};
use crate::ui::{App, theme};

/// Two charts stand side by side from this width.
const WIDE: f32 = 640.0;
/// Below this height there is no room for the learning rate.
const TALL: f32 = 400.0;

type Chart = Result<ScreenPlot, String>;

impl App {
    /// Draws them; a click on a kept network picks it.
    pub(crate) fn history_charts_ui(&mut self, ui: &mut Ui, together: &[Arc<Record>]) {
        let (version, display) = (self.shown.version(), &self.state.display);
        let mut quantities = [Quantity::Loss, Quantity::Error, Quantity::LearningRate].into_iter();
        let [loss, error, rate] = self.history.charts.each_mut().map(|chart| {
            let quantity = quantities.next().unwrap_or_default();
            chart.get(version, display, || display.history(together, quantity, true))
        });
        let ready: Vec<&ScreenPlot> = [loss, error, rate].into_iter().flatten().collect();
        let legend = Id::unique("legend of the history");
        if let Some(first) = ready.first() {
            first.legend_ui(ui, legend);
        }
        let mut notes: Vec<String> = Vec::new();
        for note in ready.iter().flat_map(|chart| &chart.plot().notes) {
            if !notes.contains(note) {
                notes.push(note.clone());
            }
        }
        let all = ui.available_size() - vec2(0.0, notes_height(ui, &notes));
        let gap = theme::GAP;
        let low = if all.y >= TALL { (0.27 * all.y).max(130.0) } else { 0.0 };
        let high = all.y - if low > 0.0 { low + gap } else { 0.0 };
        if all.x >= WIDE {
            let size = vec2((all.x - gap) / 2.0, high);
            ui.horizontal_top(|ui| {
                ui.spacing_mut().item_spacing.x = gap;
                draw(ui, loss, "loss", legend, size);
                draw(ui, error, "error", legend, size);
            });
        } else {
            let size = vec2(all.x, (high - gap) / 2.0);
            draw(ui, loss, "loss", legend, size);
            draw(ui, error, "error", legend, size);
        }
        if low > 0.0 {
            draw(ui, rate, "rate", legend, vec2(all.x, low));
        }
        let clicked = ready.iter().find_map(|chart| chart.take_clicked()).map(|point| point.x as u64 - 1);
        notes_ui(ui, &notes);
        let (Some(epoch), Some(folder)) = (clicked, self.training_folder()) else { return };
        if let Some(Outcome::Train(outcome)) = self.shown.record().map(|record| &record.outcome)
            && let Some(snapshot) = outcome.snapshots.iter().find(|s| !s.average && s.epoch == epoch)
        {
            self.history.picked = Some((folder, snapshot.file.clone()));
        }
    }
}

fn draw(ui: &mut Ui, chart: &Chart, id: &str, legend: Id, size: Vec2) {
    ui.allocate_ui(size, |ui| {
        ui.set_min_size(size);
        match chart {
            Ok(plot) => _ = plot.axes_ui(ui, ("history", id), legend),
            Err(why) => empty_ui(ui, "Nothing to draw yet", &sentence(why), |_| ()),
        }
    });
}
