//! The line above a view: what is shown, how far it is, and what can be done with it.

use basin_core::job::Job;
use basin_core::record::Record;
use eframe::egui::{Button, Frame, Label, Margin, RichText, Sides, Ui, vec2};

use crate::command::Command;
use crate::jobs::Status;
use crate::ui::session::{Target, job_details};
use crate::ui::widgets::palette;
use crate::ui::{Action, App};
use basin_core::record::names;

/// Below this width there is room for one button only.
const NARROW: f32 = 480.0;

/// Width of the button that stops a training or goes on with it.
const CONTROL: f32 = 74.0;

impl App {
    /// The button that stops the training that is shown, or goes on with it; one that cannot be pressed has no action.
    fn training_control(&self, record: &Record) -> Option<(&'static str, &'static str, Option<Action>)> {
        if !matches!(record.job, Job::Train(_)) || self.shown.together().len() > 1 {
            return None;
        }
        let folder = self.training_folder()?;
        if let Some(entry) = self.jobs.training_in(&folder) {
            let tip =
                "Stop after the step in hand; everything trained so far is kept, and it goes on from there";
            return Some(match entry.is_stopping() {
                true => ("Stopping…", tip, None),
                false => ("Stop", tip, Some(Action::Cancel(entry.id))),
            });
        }
        if self.follow.is_elsewhere(&folder) {
            return None;
        }
        let action = Action::Train(Box::new(record.job.clone()), folder);
        let tip = "Go on with this training where it was stopped";
        (!record.provenance.complete).then_some(("Continue", tip, Some(action)))
    }

    /// Draws the line.
    pub(crate) fn record_header_ui(&mut self, ui: &mut Ui, title: &str, record: &Record) {
        let p = palette(ui);
        let elsewhere = self.training_folder().is_some_and(|folder| self.follow.is_elsewhere(&folder));
        let state = match self.session.target {
            Some(Target::Job(id)) => self.jobs.get(id).map(|entry| match entry.is_active() {
                true => (format!("computing, {:.0} %", 100.0 * entry.live().fraction()), p.accent),
                false if matches!(entry.status, Status::Failed(_)) => ("failed".to_owned(), p.error),
                false => ("stopped".to_owned(), p.warning),
            }),
            _ if elsewhere => Some(("trained by another basin".to_owned(), p.accent)),
            _ if !record.provenance.complete && matches!(record.job, Job::Train(_)) => {
                Some(("not finished".to_owned(), p.warning))
            }
            _ if !record.provenance.complete => Some(("partial".to_owned(), p.warning)),
            _ => None,
        };
        let details = match self.shown.together().len() {
            0 | 1 => format!("{}, {}", names::of_record(record), job_details(&record.job)),
            _ => String::new(),
        };
        let control = self.training_control(record);
        let actions = &mut self.actions;
        let narrow = ui.available_width() < NARROW;
        Frame::new().inner_margin(Margin { left: 14, right: 10, top: 8, bottom: 2 }).show(ui, |ui| {
            Sides::new().shrink_left().truncate().show(
                ui,
                |ui| {
                    ui.label(RichText::new(title).strong());
                    if let Some((words, color)) = state {
                        ui.label(RichText::new(words).color(color));
                    }
                    ui.add(Label::new(RichText::new(details).color(p.weak)).truncate());
                },
                |ui| {
                    let both =
                        [(Command::Export, "Export…"), (Command::CopyCommandLine, "Copy command line")];
                    for (command, text) in both.into_iter().take(if narrow { 1 } else { 2 }) {
                        let button = Button::new(text).small();
                        if ui.add(button).on_hover_text(command.tooltip()).clicked() {
                            actions.push(Action::Command(command));
                        }
                    }
                    // At the end of the row, so that nothing moves when it goes.
                    if let Some((text, tip, action)) = control {
                        let button = Button::new(text).small().min_size(vec2(CONTROL, 0.0));
                        if ui.add_enabled(action.is_some(), button).on_hover_text(tip).clicked() {
                            actions.extend(action);
                        }
                    }
                },
            );
        });
    }
}
