//! Landscapes and evaluations as charts: curves, filled contours, confidences.

use basin_core::record::Outcome;
use eframe::egui::{Frame, Margin, Ui};

use crate::plot::Plot;
use crate::plot::screen::ScreenPlot;
use crate::ui::App;
use crate::ui::display::Display;
use crate::ui::widgets::{empty_ui, sentence};

/// The charts of the tabs, made anew only when something has changed.
#[derive(Default)]
pub(crate) struct Charts {
    curves: Cached,
    contours: Cached,
    pub(crate) spectrum: Cached,
}

/// One chart and what it was made of.
#[derive(Default)]
pub(crate) struct Cached {
    of: Option<(u64, Display)>,
    chart: Option<Result<ScreenPlot, String>>,
}

impl Cached {
    /// The chart, made anew if what it is made of has changed.
    pub fn get(
        &mut self,
        version: u64,
        display: &Display,
        make: impl FnOnce() -> Result<Plot, String>,
    ) -> &Result<ScreenPlot, String> {
        let fresh = self.of.as_ref().is_some_and(|(v, d)| *v == version && d == display);
        if !fresh {
            self.of = Some((version, display.clone()));
            self.chart = None;
        }
        self.chart.get_or_insert_with(|| make().map(ScreenPlot::new))
    }
}

impl App {
    /// 1-D landscapes; sections of 2-D ones; confidences of evaluations.
    pub(crate) fn curves_ui(&mut self, ui: &mut Ui) {
        let Some(record) = self.shown.record().cloned() else {
            let text = "Choose Landscape and 1-D, or Flatness, at the right and press Run: the loss along one direction, or how much it rises over the size of the perturbation.";
            return self.nothing_ui(ui, "No curves yet", text);
        };
        let plane = self.shown.landscape().is_some_and(|landscape| landscape.y.is_some());
        let together = self.shown.together();
        let title = match together.len() {
            _ if plane => format!("Sections of the {}", record.job.summary().title),
            0 | 1 => record.job.summary().title,
            several if matches!(record.outcome, Outcome::Flatness(_)) => format!("{several} times flatness"),
            several => format!("{several} landscapes"),
        };
        self.record_header_ui(ui, &title, &record);
        if matches!(record.outcome, Outcome::Benchmark(_)) {
            let text =
                "Its numbers are in the Table, a row for each attack; the Scatter takes its point from them.";
            return empty_ui(ui, "A benchmark has no curves", text, |_| ());
        }
        self.compare_ui(ui, &together);
        let display = &self.state.display;
        let make = || if plane { display.sections(&record) } else { display.figure(&together) };
        chart_ui(ui, self.charts.curves.get(self.shown.version(), display, make), "curves");
    }

    /// 2-D landscapes as filled contours.
    pub(crate) fn contours_ui(&mut self, ui: &mut Ui) {
        let text = "Choose 2-D at the right and press Run: the loss over two directions, as a map with contour lines.";
        let Some(record) = self.shown.record().cloned() else {
            return self.nothing_ui(ui, "No map yet", text);
        };
        if self.shown.landscape().is_none_or(|landscape| landscape.y.is_none()) {
            return empty_ui(ui, "This record has no map", text, |_| ());
        }
        self.record_header_ui(ui, &record.job.summary().title, &record);
        let display = &self.state.display;
        let make = || display.figure(&self.shown.together());
        chart_ui(ui, self.charts.contours.get(self.shown.version(), display, make), "contours");
    }
}

/// Draws a chart, or says why there is none.
pub(crate) fn chart_ui(ui: &mut Ui, chart: &Result<ScreenPlot, String>, id: &str) {
    match chart {
        Ok(chart) => {
            Frame::new()
                .inner_margin(Margin { left: 10, right: 12, top: 4, bottom: 8 })
                .show(ui, |ui| chart.ui(ui, id));
        }
        Err(why) => empty_ui(ui, "Nothing to draw yet", &sentence(why), |_| ()),
    }
}
