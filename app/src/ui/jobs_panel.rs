//! Status area at the bottom: jobs with progress, rate and remaining time, and messages.

use basin_core::job::Job;
use eframe::egui::{Align, Button, Layout, ProgressBar, RichText, ScrollArea, Sides, Ui, vec2};

use crate::jobs::{Entry, Jobs, Status};
use crate::ui::Action;
use crate::ui::notes::{Level, Notes};
use crate::ui::session::job_details;
use crate::ui::widgets::{duration_words, palette, sentence};
use basin_core::record::names;

/// Height of the list below the running job.
const TALLEST: f32 = 108.0;
/// Width of the button that stops a job or runs it again.
const BUTTON: f32 = 96.0;

/// Draws the running job, which stays on top, and below it what went wrong, queued jobs, warnings, confirmations and
/// ended jobs, newest first.
///
/// `idle`: what stands there while there is nothing.
pub(crate) fn ui(ui: &mut Ui, jobs: &Jobs, idle: &str, notes: &Notes, actions: &mut Vec<Action>) {
    if jobs.entries().is_empty() && notes.is_empty() {
        // As high as one job, so that the first one moves nothing.
        ui.horizontal(|ui| {
            ui.set_min_height(ui.spacing().interact_size.y);
            ui.label(RichText::new(idle).small().color(palette(ui).weak));
        });
        return;
    }
    let of = |state: fn(&Status) -> bool| jobs.entries().iter().filter(move |entry| state(&entry.status));
    for entry in of(|status| *status == Status::Running) {
        entry_ui(ui, entry, actions);
    }
    ScrollArea::vertical().max_height(TALLEST).auto_shrink([false, true]).show(ui, |ui| {
        notes_ui(ui, notes, Level::Error, actions);
        for entry in of(|status| matches!(status, Status::Failed(_))).rev() {
            entry_ui(ui, entry, actions);
        }
        for entry in of(|status| *status == Status::Waiting) {
            entry_ui(ui, entry, actions);
        }
        notes_ui(ui, notes, Level::Warning, actions);
        notes_ui(ui, notes, Level::Success, actions);
        for entry in of(|status| matches!(status, Status::Done | Status::Cancelled { .. })).rev() {
            entry_ui(ui, entry, actions);
        }
    });
}

fn notes_ui(ui: &mut Ui, notes: &Notes, level: Level, actions: &mut Vec<Action>) {
    let p = palette(ui);
    let color = match level {
        Level::Error => p.error,
        Level::Warning => p.warning,
        Level::Success => p.good,
    };
    let now = ui.input(|input| input.time);
    for (at, note) in notes.of(level) {
        ui.push_id(("note", at), |ui| {
            ui.set_opacity(note.opacity(now));
            Sides::new().shrink_left().truncate().show(
                ui,
                |ui| {
                    dot_ui(ui, color);
                    ui.label(&note.text);
                },
                |ui| {
                    if ui.small_button("Dismiss").clicked() {
                        actions.push(Action::DismissNote(at));
                    }
                },
            );
        });
    }
}

fn entry_ui(ui: &mut Ui, entry: &Entry, actions: &mut Vec<Action>) {
    ui.push_id(entry.id, |ui| row_ui(ui, entry, actions));
}

fn row_ui(ui: &mut Ui, entry: &Entry, actions: &mut Vec<Action>) {
    let p = palette(ui);
    let (color, words) = match &entry.status {
        Status::Waiting => (p.weak, "waiting for the job before it".to_owned()),
        Status::Running => (p.accent, String::new()),
        Status::Done if entry.live().known => {
            (p.good, "was finished before, on these very files: shown as it is".to_owned())
        }
        Status::Done => {
            (p.good, format!("done in {}", duration_words(entry.took.unwrap_or_default().as_secs_f64())))
        }
        Status::Cancelled { kept: true } if matches!(entry.job, Job::Train(_)) => {
            (p.warning, "stopped; everything trained so far is kept, and it goes on from there".into())
        }
        Status::Cancelled { kept: true } => (p.warning, "cancelled; what was finished is kept".into()),
        Status::Cancelled { kept: false } => (p.weak, "cancelled".into()),
        Status::Failed(error) => (p.error, sentence(error)),
    };
    let failed = matches!(entry.status, Status::Failed(_));
    Sides::new().shrink_left().truncate().show(
        ui,
        |ui| {
            dot_ui(ui, color);
            let place = entry.out.as_deref().unwrap_or(entry.job.subject());
            let hover = format!("{}\n{}", place.display(), job_details(&entry.job));
            ui.label(RichText::new(entry.job.summary().title).strong()).on_hover_text(hover);
            ui.label(RichText::new(names::of_file(entry.job.subject())).color(p.weak));
            if !words.is_empty() {
                let text = RichText::new(&words).color(if failed { p.error } else { p.weak });
                // Where it is cut off, the pointer shows all of it.
                ui.label(text);
            }
        },
        |ui| {
            buttons_ui(ui, entry, actions);
            if entry.status == Status::Running {
                progress_ui(ui, entry);
            }
        },
    );
}

/// Two places that stay where they are: at the end, Dismiss; before it, what can be done with the job.
fn buttons_ui(ui: &mut Ui, entry: &Entry, actions: &mut Vec<Action>) {
    let dismiss = Button::new("Dismiss").small();
    if ui.add_enabled_ui(!entry.is_active(), |ui| ui.add_visible(!entry.is_active(), dismiss)).inner.clicked()
    {
        actions.push(Action::Dismiss(entry.id));
    }
    let known = entry.status == Status::Done && entry.live().known;
    let stop = "Stop; what is finished is kept";
    let (text, tip, action) = match &entry.status {
        Status::Waiting | Status::Running if entry.is_stopping() => ("Stopping…", stop, None),
        Status::Waiting | Status::Running => ("Cancel", stop, Some(Action::Cancel(entry.id))),
        Status::Cancelled { .. } => ("Continue", "Go on where it stopped", Some(Action::Continue(entry.id))),
        Status::Failed(_) => ("Try again", "Run it once more", Some(Action::Continue(entry.id))),
        Status::Done if known => {
            ("Compute again", "Compute it once more, in place of the record", Some(Action::Anew(entry.id)))
        }
        Status::Done => return,
    };
    let button = Button::new(text).small().min_size(vec2(BUTTON, 0.0));
    if ui.add_enabled(action.is_some(), button).on_hover_text(tip).clicked() {
        actions.extend(action);
    }
}

fn progress_ui(ui: &mut Ui, entry: &Entry) {
    let (fraction, done, total, rate, remaining, bounds) = {
        let live = entry.live();
        (live.fraction(), live.done, live.total, live.rate(), live.remaining_s(), live.bounds)
    };
    let words = match (total, rate, remaining) {
        (0, ..) => "starting…".to_owned(),
        // What AutoAttack counts says nothing to anybody.
        (_, _, remaining) if bounds.is_some() => {
            let (lower, upper) = bounds.map_or((0.0, 1.0), |(lower, upper)| (100.0 * lower, 100.0 * upper));
            let left = remaining.map_or_else(String::new, |s| format!(", {} left", duration_words(s)));
            format!("robust accuracy between {lower:.1} and {upper:.1} %{left}")
        }
        (_, Some(rate), Some(remaining)) => {
            format!("{done} of {total}, {} per second, {} left", rate_words(rate), duration_words(remaining))
        }
        _ => format!("{done} of {total}"),
    };
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        let name = format!("Progress of {}", entry.job.summary().title);
        let bar = ui.add(
            ProgressBar::new(fraction).fill(palette(ui).accent).desired_width(180.0).desired_height(8.0),
        );
        bar.on_hover_text(name);
        ui.label(RichText::new(words).color(palette(ui).weak));
    });
}

fn rate_words(rate: f64) -> String {
    if rate >= 10.0 { format!("{rate:.0}") } else { format!("{rate:.1}") }
}

/// A coloured dot: the state at a glance.
fn dot_ui(ui: &mut Ui, color: eframe::egui::Color32) {
    let (rect, _) = ui.allocate_exact_size([10.0, 16.0].into(), eframe::egui::Sense::hover());
    ui.painter().circle_filled(rect.center(), 3.5, color);
}
