//! The spectrum of a Hessian: density and eigenvalues, beside those of other checkpoints.

use basin_core::record::Outcome;
use eframe::egui::Ui;

use crate::ui::App;
use crate::ui::charts::chart_ui;
use crate::ui::widgets::empty_ui;

impl App {
    /// Hessian records.
    pub(crate) fn spectrum_ui(&mut self, ui: &mut Ui) {
        let text = "Choose Hessian at the right and press Run: the largest and smallest eigenvalues of the loss's curvature, and their density.";
        let Some(record) = self.shown.record().cloned() else {
            return self.nothing_ui(ui, "No spectrum yet", text);
        };
        if !matches!(record.outcome, Outcome::Hessian(_)) {
            return empty_ui(ui, "This record has no spectrum", text, |_| ());
        }
        let together = self.shown.together();
        let title = match together.len() {
            0 | 1 => record.job.summary().title,
            several => format!("Spectra of {several} Hessians"),
        };
        self.record_header_ui(ui, &title, &record);
        let display = &self.state.display;
        let make = || display.figure(&together);
        chart_ui(ui, self.charts.spectrum.get(self.shown.version(), display, make), "spectrum");
    }
}
