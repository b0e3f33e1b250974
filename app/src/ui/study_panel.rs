//! The left: open checkpoints with their records below each.

use basin_core::record::Outcome;
use eframe::egui::{Align, Button, Label, Layout, RichText, ScrollArea, TextEdit, Ui};

use crate::jobs::Jobs;
use crate::ui::Action;
use crate::ui::study::{Model, Reading, Stored, Study, Target, flatness_words, job_details, job_title, when};
use crate::ui::table_view::{at_the_checkpoint, model_name};
use crate::ui::tabs::open_buttons_ui;
use crate::ui::widgets::palette;

/// Draws the panel.
pub(crate) fn ui(ui: &mut Ui, study: &Study, jobs: &Jobs, filter: &mut String, actions: &mut Vec<Action>) {
    if study.is_empty() {
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
        let mut any = false;
        for model in study.models() {
            let whole = matches(&wanted, &[&model.file_name(), &short_name(model)]);
            let records: Vec<&Stored> =
                study.records_of(model).filter(|stored| whole || record_matches(&wanted, stored)).collect();
            if whole || !records.is_empty() {
                any = true;
                ui.push_id(&model.path, |ui| {
                    model_ui(ui, study, model, actions);
                    jobs_ui(ui, study, jobs, model, actions);
                    records.iter().for_each(|stored| record_ui(ui, study, stored, actions));
                });
                ui.add_space(8.0);
            }
        }
        let others: Vec<&Stored> =
            study.other_records().filter(|stored| record_matches(&wanted, stored)).collect();
        if !others.is_empty() {
            any = true;
            ui.label(RichText::new("Records without their checkpoint").small().color(palette(ui).weak));
            others.iter().for_each(|stored| record_ui(ui, study, stored, actions));
        }
        if !any {
            ui.label(RichText::new("Nothing matches the filter.").color(palette(ui).weak));
        }
    });
}

fn matches(wanted: &str, texts: &[&str]) -> bool {
    wanted.is_empty() || texts.iter().any(|text| text.to_lowercase().contains(wanted))
}

fn record_matches(wanted: &str, stored: &Stored) -> bool {
    let job = &stored.record.job;
    matches(
        wanted,
        &[&job_title(job), &job_details(job), &model_name(&stored.record), &stored.path.to_string_lossy()],
    )
}

fn short_name(model: &Model) -> String {
    match &model.summary {
        Reading::Pending => "reading…".into(),
        Reading::Failed(_) => "cannot be used".into(),
        Reading::Ready(summary) => summary.model.clone(),
    }
}

fn model_ui(ui: &mut Ui, study: &Study, model: &Model, actions: &mut Vec<Action>) {
    let p = palette(ui);
    let selected = study.selected.as_deref() == Some(&model.path);
    let name = model.file_name();
    let response = line_ui(ui, selected, RichText::new(&name).strong(), 0.0, |ui| {
        if ui
            .add(Button::new("×").frame(false))
            .on_hover_text(format!("Close {name}; the file stays"))
            .clicked()
        {
            actions.push(Action::RemoveModel(model.path.clone()));
        }
    });
    if response.on_hover_text(model.path.display().to_string()).clicked() {
        actions.push(Action::SelectModel(model.path.clone()));
    }
    let color = if matches!(model.summary, Reading::Failed(_)) { p.error } else { p.weak };
    small_ui(ui, &short_name(model), color, 0.0);
    if let Reading::Ready(evaluation) = &model.sanity {
        small_ui(ui, &format!("Clean error {:.1} %", 100.0 * evaluation.clean.error), p.weak, 0.0);
    }
}

fn jobs_ui(ui: &mut Ui, study: &Study, jobs: &Jobs, model: &Model, actions: &mut Vec<Action>) {
    for entry in
        jobs.entries().iter().filter(|entry| entry.is_active() && *entry.job.checkpoint() == model.path)
    {
        ui.push_id(entry.id, |ui| {
            let selected = study.target == Some(Target::Job(entry.id));
            let title = job_title(&entry.job);
            let percent = format!("{:.0} %", 100.0 * entry.live().fraction());
            let accent = palette(ui).accent;
            let response = line_ui(ui, selected, RichText::new(title), 12.0, |ui| {
                ui.label(RichText::new(percent).small().color(accent));
            });
            if response.on_hover_text(job_details(&entry.job)).clicked() {
                actions.push(Action::SelectJob(entry.id));
            }
        });
    }
}

fn record_ui(ui: &mut Ui, study: &Study, stored: &Stored, actions: &mut Vec<Action>) {
    ui.push_id(stored.id, |ui| {
        let p = palette(ui);
        let record = &stored.record;
        let selected = study.is_shown(stored.id);
        let title = job_title(&record.job);
        let response = line_ui(ui, selected, RichText::new(&title), 12.0, |ui| {
            if ui
                .add(Button::new("×").frame(false))
                .on_hover_text(format!("Close {title}; the file stays"))
                .clicked()
            {
                actions.push(Action::RemoveRecord(stored.id));
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
                actions.push(Action::CopyCommandLine(Box::new(record.job.clone())));
                ui.close();
            }
        });
        if response.clicked() {
            let beside = ui.input(|input| input.modifiers.command);
            let action = if beside { Action::ToggleRecord } else { Action::SelectRecord };
            actions.push(action(stored.id));
        }
        let numbers = match (&record.outcome, at_the_checkpoint(record)) {
            (Outcome::Flatness(flatness), _) => flatness_words(flatness),
            (Outcome::Evaluate(_) | Outcome::Attack(_), [_, Some((_, error))]) => {
                format!("robust error {:.1} %", 100.0 * error)
            }
            (Outcome::Evaluate(_), [Some((_, error)), None]) => format!("clean error {:.1} %", 100.0 * error),
            _ => job_details(&record.job),
        };
        let state = if record.provenance.complete { String::new() } else { "partial · ".into() };
        let color = if record.provenance.complete { p.weak } else { p.warning };
        small_ui(ui, &format!("{state}{numbers}"), color, 12.0);
    });
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

fn small_ui(ui: &mut Ui, text: &str, color: eframe::egui::Color32, indent: f32) {
    let size = [ui.available_width(), 13.0].into();
    ui.spacing_mut().item_spacing.y -= 3.0;
    ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
        ui.add_space(indent);
        ui.add(Label::new(RichText::new(text).small().color(color)).truncate().selectable(false));
    });
    ui.spacing_mut().item_spacing.y += 3.0;
}
