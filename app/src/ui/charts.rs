//! Landscapes and evaluations as charts: curves, filled contours, confidences.

use basin_core::record::{LandscapeOutcome, Outcome, Record};
use eframe::egui::{Frame, Margin, Ui};

use crate::plot::Plot;
use crate::plot::screen::ScreenPlot;
use crate::ui::App;
use crate::ui::display::Display;
use crate::ui::fill::filled;
use crate::ui::study::{Target, file_name, job_details, job_title};
use crate::ui::tabs::header_ui;
use crate::ui::widgets::{empty_ui, palette, sentence};

/// The charts of the tabs, made anew only when something has changed.
#[derive(Default)]
pub(crate) struct Charts {
    curves: Cached,
    contours: Cached,
}

/// One chart and what it was made of.
#[derive(Default)]
struct Cached {
    of: Option<(u64, Display)>,
    chart: Option<Result<ScreenPlot, String>>,
}

impl Cached {
    fn get(
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
            let text =
                "Choose 1-D at the right and press Run: the loss along one direction, clean and robust.";
            return empty_ui(ui, "No curves yet", text, |_| ());
        };
        let plane = self.shown.landscape().is_some_and(|landscape| landscape.y.is_some());
        let title = if plane {
            format!("Sections of the {}", job_title(&record.job))
        } else {
            job_title(&record.job)
        };
        self.record_header_ui(ui, &title, &record);
        let display = &self.state.display;
        let make = || if plane { display.sections(&record) } else { display.figure(&record) };
        chart_ui(ui, self.charts.curves.get(self.shown.version(), display, make), "curves");
    }

    /// 2-D landscapes as filled contours.
    pub(crate) fn contours_ui(&mut self, ui: &mut Ui) {
        let text = "Choose 2-D at the right and press Run: the loss over two directions, as a map with contour lines.";
        let Some(record) = self.shown.record().cloned() else {
            return empty_ui(ui, "No map yet", text, |_| ());
        };
        let plane = self.shown.landscape().filter(|landscape| landscape.y.is_some());
        let Some(landscape) = plane else {
            return empty_ui(ui, "This record has one direction only", text, |_| ());
        };
        self.record_header_ui(ui, &job_title(&record.job), &record);
        let live = self.shown.is_live();
        let display = &self.state.display;
        let make = || {
            if !live {
                return display.figure(&record);
            }
            let outcome = Outcome::Landscape(without_holes(landscape));
            display.figure(&Record { outcome, ..Record::clone(&record) })
        };
        chart_ui(ui, self.charts.contours.get(self.shown.version(), display, make), "contours");
    }
}

/// While it fills in, a landscape is drawn from what is known around each point.
fn without_holes(landscape: &LandscapeOutcome) -> LandscapeOutcome {
    let mut landscape = landscape.clone();
    for grid in [&mut landscape.clean, &mut landscape.robust].into_iter().flatten() {
        for values in [&mut grid.loss, &mut grid.error] {
            if let Some(full) = filled(values) {
                *values = full;
            }
        }
    }
    landscape
}

impl App {
    /// What is shown, in a line above it.
    pub(crate) fn record_header_ui(&self, ui: &mut Ui, title: &str, record: &Record) {
        let p = palette(ui);
        let state = match self.study.target {
            Some(Target::Job(id)) => self.jobs.get(id).map(|entry| match entry.is_active() {
                true => (format!("computing, {:.0} %", 100.0 * entry.live().fraction()), p.accent),
                false => ("stopped".to_owned(), p.warning),
            }),
            _ if !record.provenance.complete => Some(("partial".to_owned(), p.warning)),
            _ => None,
        };
        let details = format!("{}, {}", file_name(record.job.checkpoint()), job_details(&record.job));
        header_ui(ui, title, state, &details);
    }
}

fn chart_ui(ui: &mut Ui, chart: &Result<ScreenPlot, String>, id: &str) {
    match chart {
        Ok(chart) => {
            Frame::new()
                .inner_margin(Margin { left: 10, right: 12, top: 4, bottom: 8 })
                .show(ui, |ui| chart.ui(ui, id));
        }
        Err(why) => empty_ui(ui, "Nothing to draw yet", &sentence(why), |_| ()),
    }
}
