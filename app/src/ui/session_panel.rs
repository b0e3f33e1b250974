//! The left: trainings with their networks, and checkpoints, with their records below each.

use std::collections::BTreeMap;
use std::path::Path;

use basin_core::job::Job;
use basin_core::record::{Outcome, Record};
use eframe::egui::{Align, Button, Color32, Label, Layout, RichText, ScrollArea, TextEdit, Ui};

use crate::headline;
use crate::jobs::{Jobs, Status};
use crate::ui::Action;
use crate::ui::history_facts::network_name;
use crate::ui::open_buttons::open_buttons_ui;
use crate::ui::session::{Model, Reading, Session, Stored, Target, file_name, job_details, when};
use crate::ui::table_view::network_words;
use crate::ui::theme::Palette;
use crate::ui::widgets::palette;
use basin_core::record::names;

/// Draws the panel.
pub(crate) fn ui(
    ui: &mut Ui,
    session: &Session,
    jobs: &Jobs,
    has_study: bool,
    filter: &mut String,
    actions: &mut Vec<Action>,
) {
    if session.is_empty() && has_study {
        let text = "Select models in the Study tab: their checkpoint and records appear here.";
        ui.add(Label::new(RichText::new(text).color(palette(ui).weak)).wrap());
        return;
    }
    if session.is_empty() {
        ui.label(RichText::new("Study").strong());
        ui.add_space(4.0);
        let text = "Open a checkpoint, or drop one here. Its records appear below it.";
        ui.add(Label::new(RichText::new(text).color(palette(ui).weak)).wrap());
        ui.add_space(6.0);
        open_buttons_ui(ui, actions);
        return;
    }
    let edit =
        TextEdit::singleline(filter).hint_text("Filter models and records").desired_width(f32::INFINITY);
    ui.add(edit).on_hover_text("Shows only checkpoints and records whose name contains this");
    ui.add_space(4.0);
    let wanted = filter.trim().to_lowercase();
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        let paths: Vec<&Path> = session.models().iter().map(|model| &*model.path).collect();
        let names = session.models().iter().map(|model| &*model.path).zip(names::of_files(&paths)).collect();
        let mut lines = Lines { session, jobs, names, wanted: &wanted, actions };
        let mut any = false;
        for training in session.trainings() {
            any |= lines.training_ui(ui, training);
        }
        for model in session.models().iter().filter(|model| session.training_of(model).is_none()) {
            any |= lines.branch_ui(ui, model, false, 0.0);
        }
        let others: Vec<&Stored> =
            session.other_records().filter(|stored| record_matches(&wanted, stored)).collect();
        if !others.is_empty() {
            any = true;
            ui.label(RichText::new("Records without their checkpoint").small().color(palette(ui).weak));
            lines.others_ui(ui, &others);
        }
        if !any {
            ui.label(RichText::new("Nothing matches the filter.").color(palette(ui).weak));
        }
    });
}

/// What is below something stands this much to its right.
const INDENT: f32 = 12.0;

/// Draws the lines of the panel.
struct Lines<'a> {
    session: &'a Session,
    jobs: &'a Jobs,
    /// What open checkpoints are called.
    names: BTreeMap<&'a Path, String>,
    wanted: &'a str,
    actions: &'a mut Vec<Action>,
}

fn matches(wanted: &str, texts: &[&str]) -> bool {
    wanted.is_empty() || texts.iter().any(|text| text.to_lowercase().contains(wanted))
}

fn record_matches(wanted: &str, stored: &Stored) -> bool {
    let job = &stored.record.job;
    matches(
        wanted,
        &[
            &job.summary().title,
            &job_details(job),
            &network_words(&stored.record),
            &job.subject().to_string_lossy(),
            &stored.path.to_string_lossy(),
        ],
    )
}

fn short_name(model: &Model) -> String {
    match &model.summary {
        Reading::Pending => "reading…".into(),
        Reading::Failed(_) => "cannot be used".into(),
        Reading::Ready(summary) => summary.model.clone(),
    }
}

impl Lines<'_> {
    /// What a checkpoint is called.
    fn name(&self, model: &Model) -> &str {
        self.names.get(&*model.path).map_or("", String::as_str)
    }

    /// Whether the filter lets a checkpoint through.
    fn matches(&self, model: &Model) -> bool {
        matches(self.wanted, &[self.name(model), &model.file_name(), &short_name(model)])
    }

    /// A training with those of its networks that are open; whether the filter lets any of it through.
    fn training_ui(&mut self, ui: &mut Ui, training: &Stored) -> bool {
        let (session, wanted) = (self.session, self.wanted);
        let whole = record_matches(wanted, training);
        let passes = |model: &Model| {
            self.matches(model) || session.records_of(model).any(|stored| record_matches(wanted, stored))
        };
        if !whole && !session.networks_of(training).any(passes) {
            return false;
        }
        ui.push_id(training.id, |ui| {
            let name = file_name(&training.path);
            let short = RichText::new(names::abbreviated(&name)).strong();
            self.line_of_record_ui(ui, training, short, &name, 0.0);
            let p = palette(ui);
            let (words, color) = match self.jobs.training_in(&training.path) {
                Some(entry) if entry.status == Status::Waiting => ("waiting".to_owned(), p.weak),
                Some(entry) => (format!("training, {:.0} %", 100.0 * entry.live().fraction()), p.accent),
                None => training_words(&training.record, p),
            };
            small_ui(ui, &words, color, 0.0);
            for model in session.networks_of(training) {
                self.branch_ui(ui, model, whole, INDENT);
            }
        });
        ui.add_space(8.0);
        true
    }

    /// A checkpoint with its records; whether the filter lets any of it through.
    fn branch_ui(&mut self, ui: &mut Ui, model: &Model, all: bool, indent: f32) -> bool {
        let whole = all || self.matches(model);
        let records: Vec<&Stored> = self
            .session
            .records_of(model)
            .filter(|stored| whole || record_matches(self.wanted, stored))
            .collect();
        if !whole && records.is_empty() {
            return false;
        }
        ui.push_id(&model.path, |ui| {
            self.model_ui(ui, model, indent);
            self.jobs_ui(ui, model, indent + INDENT);
            records.iter().for_each(|stored| self.record_ui(ui, stored, indent + INDENT));
        });
        ui.add_space(if indent > 0.0 { 2.0 } else { 8.0 });
        true
    }

    fn model_ui(&mut self, ui: &mut Ui, model: &Model, indent: f32) {
        let p = palette(ui);
        let selected = self.session.selected.as_deref() == Some(&model.path);
        let name = match self.session.training_of(model) {
            Some(_) => network_name(&model.path),
            None => self.name(model).to_owned(),
        };
        let response = line_ui(ui, selected, RichText::new(&name).strong(), indent, |ui| {
            if ui
                .add(Button::new("×").frame(false))
                .on_hover_text(format!("Close {name}; the file stays"))
                .clicked()
            {
                self.actions.push(Action::RemoveModel(model.path.clone()));
            }
        });
        if response.on_hover_text(model.path.display().to_string()).clicked() {
            self.actions.push(Action::SelectModel(model.path.clone()));
        }
        let color = if matches!(model.summary, Reading::Failed(_)) { p.error } else { p.weak };
        small_ui(ui, &short_name(model), color, indent);
        if let Reading::Ready(evaluation) = &model.sanity {
            let words = format!("Clean error {:.1} %", 100.0 * evaluation.clean.error);
            small_ui(ui, &words, p.weak, indent);
        }
    }

    /// Records whose checkpoint is not open, under its name.
    fn others_ui(&mut self, ui: &mut Ui, others: &[&Stored]) {
        let records: Vec<&Record> = others.iter().map(|stored| &*stored.record).collect();
        let mut of: Vec<(String, Vec<&Stored>)> = Vec::new();
        for (name, stored) in names::of_records(&records).into_iter().zip(others) {
            match of.iter_mut().find(|(known, _)| *known == name) {
                Some((_, records)) => records.push(stored),
                None => of.push((name, vec![stored])),
            }
        }
        for (name, records) in of {
            ui.horizontal(|ui| {
                ui.add_space(INDENT);
                let label = Label::new(RichText::new(&name).strong()).truncate().selectable(false);
                ui.add(label).on_hover_text(records[0].record.job.subject().display().to_string());
            });
            records.iter().for_each(|stored| self.record_ui(ui, stored, 2.0 * INDENT));
        }
    }

    fn jobs_ui(&mut self, ui: &mut Ui, model: &Model, indent: f32) {
        let of = |job: &Job| job.checkpoint() == Some(&*model.path);
        for entry in self.jobs.entries().iter().filter(|entry| entry.is_active() && of(&entry.job)) {
            ui.push_id(entry.id, |ui| {
                let selected = self.session.target == Some(Target::Job(entry.id));
                let title = entry.job.summary().title;
                let percent = format!("{:.0} %", 100.0 * entry.live().fraction());
                let accent = palette(ui).accent;
                let response = line_ui(ui, selected, RichText::new(title), indent, |ui| {
                    ui.label(RichText::new(percent).small().color(accent));
                });
                if response.on_hover_text(job_details(&entry.job)).clicked() {
                    self.actions.push(Action::SelectJob(entry.id));
                }
            });
        }
    }

    fn record_ui(&mut self, ui: &mut Ui, stored: &Stored, indent: f32) {
        ui.push_id(stored.id, |ui| {
            let p = palette(ui);
            let record = &stored.record;
            let title = record.job.summary().title;
            self.line_of_record_ui(ui, stored, RichText::new(&title), &title, indent);
            let numbers = match headline::short(&record.headline()) {
                none if none.is_empty() => job_details(&record.job),
                numbers => numbers,
            };
            let state = if record.provenance.complete { String::new() } else { "partial · ".into() };
            let color = if record.provenance.complete { p.weak } else { p.warning };
            small_ui(ui, &format!("{state}{numbers}"), color, indent);
        });
    }

    /// The line that selects and closes a record.
    fn line_of_record_ui(&mut self, ui: &mut Ui, stored: &Stored, text: RichText, title: &str, indent: f32) {
        let record = &stored.record;
        let own_job = self.jobs.training_in(&stored.path).map(|entry| Target::Job(entry.id));
        let selected =
            self.session.is_shown(stored.id) || (own_job.is_some() && self.session.target == own_job);
        let response = line_ui(ui, selected, text, indent, |ui| {
            if ui
                .add(Button::new("×").frame(false))
                .on_hover_text(format!("Close {title}; the file stays"))
                .clicked()
            {
                self.actions.push(Action::RemoveRecord(stored.id));
            }
        });
        let response = response.on_hover_text(format!(
            "{}\n{}\n{} and click: beside what is shown",
            stored.path.display(),
            when(&record.provenance.started),
            if cfg!(target_os = "macos") { "Cmd" } else { "Ctrl" },
        ));
        response.context_menu(|ui| {
            if ui.button("Copy command line").clicked() {
                self.actions.push(Action::CopyCommandLine(Box::new(record.job.clone())));
                ui.close();
            }
        });
        if response.clicked() {
            let beside = ui.input(|input| input.modifiers.command);
            let action = if beside { Action::ToggleRecord } else { Action::SelectRecord };
            self.actions.push(action(stored.id));
        }
    }
}

/// How far a training is that this window is not at work on.
fn training_words(record: &Record, p: &Palette) -> (String, Color32) {
    let (Job::Train(job), Outcome::Train(outcome)) = (&record.job, &record.outcome) else {
        return (String::new(), p.weak);
    };
    match (&outcome.result, outcome.epochs.last()) {
        (Some(result), _) => (format!("robust error {:.1} %", 100.0 * result.last.robust_error), p.weak),
        (None, Some(last)) => {
            let words = format!("epoch {} of {}", outcome.epochs.len(), job.epochs);
            (format!("{words} · robust error {:.1} %", 100.0 * last.test.robust_error), p.warning)
        }
        (None, None) => (format!("epoch 0 of {}", job.epochs), p.warning),
    }
}

/// A selectable line that fills the row, with something small at its right end.
fn line_ui(
    ui: &mut Ui,
    selected: bool,
    text: RichText,
    indent: f32,
    right: impl FnOnce(&mut Ui),
) -> eframe::egui::Response {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        ui.add_space(indent);
        let reserved = 30.0;
        let width = (ui.available_width() - reserved).max(40.0);
        let size = [width, 22.0].into();
        let line = Layout::left_to_right(Align::Center);
        let response = ui
            .allocate_ui_with_layout(size, line, |ui| {
                ui.set_max_width(width);
                ui.add(Button::selectable(selected, text).right_text("").truncate().min_size(size))
            })
            .inner;
        ui.with_layout(Layout::right_to_left(Align::Center), right);
        response
    })
    .inner
}

fn small_ui(ui: &mut Ui, text: &str, color: Color32, indent: f32) {
    let size = [ui.available_width(), 13.0].into();
    ui.spacing_mut().item_spacing.y -= 3.0;
    ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
        ui.add_space(indent);
        ui.add(Label::new(RichText::new(text).small().color(color)).truncate().selectable(false));
    });
    ui.spacing_mut().item_spacing.y += 3.0;
}
