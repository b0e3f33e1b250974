//! The right: the form that describes a job, its cost, and Run.

use basin_core::checkpoint::TensorSummary;
use basin_core::job::{Job, Tensors};
use eframe::egui::{Label, Panel, RichText, ScrollArea, TextStyle, Ui};

use crate::command::Command;
use crate::settings::Settings as _;
use crate::settings::{Measure, Problem};
use crate::ui::estimates::Known;
use crate::ui::form::{NAME, NAME_LABEL};
use crate::ui::form_measures::Editor;
use crate::ui::session::{Reading, Session};
use crate::ui::widgets::{
    count, duration_words, lines_ui, palette, primary_button, problems_words, sentence,
};
use crate::ui::{Action, App, theme};

impl App {
    /// The job that the form describes for the selected checkpoint; none if there is no usable one.
    pub(crate) fn form_job(&self) -> Option<Result<Job, Vec<Problem>>> {
        let model = self.session.selected_model().filter(|_| !self.session.shows_another())?;
        Some(self.state.form.job(self.state.measure, &model.path, model.summary.ready()?))
    }

    /// Draws the form.
    pub(crate) fn form_ui(&mut self, ui: &mut Ui) {
        let job = self.form_job();
        let problems = match &job {
            Some(Err(problems)) => problems.clone(),
            _ => Vec::new(),
        };
        let frame = theme::panel_frame(ui.visuals().dark_mode)
            .inner_margin(eframe::egui::Margin { top: 8, ..Default::default() });
        Panel::bottom("run").frame(frame).show(ui, |ui| self.run_ui(ui, job, &problems));
        let model = self.session.selected_model();
        let resolution = model.and_then(|model| model.summary.ready()).map(|summary| summary.resolution);
        let checkpoint = model.map(|model| model.path.clone()).unwrap_or_default();
        let measure = self.state.measure;
        let form = &mut self.state.form;
        let (origin, sheet) = {
            let resolution = resolution.unwrap_or([3, 32, 32]);
            (form.origin(measure, &checkpoint, resolution), form.sheet(measure, &checkpoint, resolution))
        };
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            ui.push_id(measure, |ui| {
                let (sheet, origin, actions) = (&sheet, &origin, &mut self.actions);
                Editor { form, sheet, origin, resolution, actions }.ui(ui);
            });
            ui.add_space(theme::GAP);
        });
    }

    /// Cost and Run, always in sight.
    fn run_ui(&mut self, ui: &mut Ui, job: Option<Result<Job, Vec<Problem>>>, problems: &[Problem]) {
        let p = palette(ui);
        let named: Vec<(Option<&str>, &str)> = (problems.iter())
            .map(|problem| {
                (problem.path.as_deref().and_then(|path| label(self.state.measure, path)), &*problem.text)
            })
            .collect();
        let (words, color, job) = match job {
            None => (why_not(&self.session, self.study.open().is_some()).to_owned(), p.weak, None),
            Some(Err(_)) => (problems_words(&named), p.error, None),
            Some(Ok(job)) => (self.cost_words(ui, &job), p.weak, Some(job)),
        };
        if let (Some(name), true) = (self.session.selected_name(), job.is_some()) {
            let path =
                self.session.selected.as_deref().map_or_else(String::new, |path| path.display().to_string());
            ui.add(Label::new(RichText::new(format!("Network: {name}")).color(p.weak)).truncate())
                .on_hover_text(path);
        }
        lines_ui(ui, &[(&words, color)], TextStyle::Body, 2);
        let text = if self.jobs.active() > 0 { "Run next" } else { "Run" };
        let width = ui.available_width();
        let run = primary_button(ui, text, job.is_some(), width).on_hover_text(Command::Run.tooltip());
        if let Some(job) = job.filter(|_| run.clicked()) {
            self.actions.push(Action::Run(Box::new(job)));
        }
    }

    fn cost_words(&mut self, ui: &Ui, job: &Job) -> String {
        let size = match job {
            Job::Landscape(landscape) => count(landscape.cells(), "grid point"),
            Job::Flatness(flatness) => {
                let all = flatness.radii.len() * flatness.draws;
                let layers = if flatness.per_layer { self.layers(&flatness.tensors) } else { 0 };
                match layers {
                    0 => count(all, "draw"),
                    _ => format!(
                        "{}, {all} for each of {}",
                        count(all * (1 + layers), "draw"),
                        count(layers, "layer")
                    ),
                }
            }
            Job::Benchmark(benchmark) => {
                let attacks = benchmark.entries().map_or(0, |entries| entries.len());
                format!("{}, {}", count(attacks, "attack"), count(job.data().examples.len(), "image"))
            }
            Job::Train(train) => count(train.epochs, "epoch"),
            _ => count(job.data().examples.len(), "image"),
        };
        let time = match self.estimate(ui.ctx(), job) {
            Known::Ready(estimate) if estimate.seconds < 1.0 => "less than 1 s".into(),
            Known::Ready(estimate) => format!("about {}", duration_words(estimate.seconds)),
            Known::Failed(error) => return sentence(&error),
            Known::Pending if self.jobs.active() > 0 => "time unknown while a job runs".into(),
            Known::Pending => "estimating the time…".into(),
        };
        format!("{size}, {time}")
    }

    /// How many tensors of the selected checkpoint take part.
    fn layers(&self, which: &Tensors) -> usize {
        let summary = self.session.selected_model().and_then(|model| model.summary.ready());
        let takes = |tensor: &&TensorSummary| which.takes(&tensor.name, tensor.role, tensor.shape.len());
        summary.map_or(0, |summary| summary.tensors.iter().filter(takes).count())
    }
}

/// What a setting with a problem is called.
fn label(measure: Measure, path: &str) -> Option<&'static str> {
    if path == NAME { Some(NAME_LABEL) } else { measure.setting(path).map(|setting| &*setting.label) }
}

/// Why nothing can be run; `study`: whether one is open.
fn why_not(session: &Session, study: bool) -> &'static str {
    match session.selected_model().map(|model| &model.summary) {
        Some(_) if session.shows_another() => {
            "The record shown is of another network. Select the network to measure at the left."
        }
        None if study => "Select a model in the Study tab first.",
        None => "Open a checkpoint first.",
        Some(Reading::Pending) => "Reading the checkpoint…",
        Some(Reading::Failed(_)) => "The selected file cannot be used.",
        Some(Reading::Ready(_)) => "",
    }
}
