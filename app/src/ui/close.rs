//! Leaving: at once if nothing runs; otherwise the window asks, and waits without blocking for the jobs
//! to keep what they have finished.

use eframe::egui::{Context, Ui, ViewportCommand};

use crate::ui::widgets::{dialog_ui, primary_button};
use crate::ui::{Action, App, Modal, theme};

/// How far leaving has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Leaving {
    /// Not.
    #[default]
    No,
    /// Jobs were asked to stop; the window closes when they have.
    Stopping,
}

impl App {
    /// Looks whether the user wants to leave, and leaves when jobs have stopped.
    pub(crate) fn closing(&mut self, ctx: &Context) {
        let active = self.jobs.active();
        if ctx.input(|input| input.viewport().close_requested()) && active > 0 {
            ctx.send_viewport_cmd(ViewportCommand::CancelClose);
            self.modal = Some(Modal::Close);
        }
        if self.leaving == Leaving::Stopping && active == 0 {
            ctx.send_viewport_cmd(ViewportCommand::Close);
        }
        if self.modal == Some(Modal::Close) && self.leaving == Leaving::No && active == 0 {
            // The job ended by itself while the question stood.
            self.modal = None;
        }
    }

    pub(crate) fn stop_and_leave(&mut self) {
        self.leaving = Leaving::Stopping;
        self.jobs.cancel_all();
    }
}

/// The question.
pub(crate) fn ui(ui: &mut Ui, leaving: Leaving, actions: &mut Vec<Action>) {
    let stopping = leaving == Leaving::Stopping;
    let title = if stopping { "Finishing…" } else { "A job is still running" };
    let (dismissed, ()) = dialog_ui(ui, title, 400.0, |ui| {
        if stopping {
            ui.label("What is finished is being saved; the window closes by itself.");
            return;
        }
        ui.label("If you close now, the job is cancelled. What it has finished is kept, and the same job goes on from there when it is run again.");
        ui.add_space(theme::GAP);
        ui.horizontal(|ui| {
            if primary_button(ui, "Keep running", true, 120.0).clicked() {
                actions.push(Action::CloseModal);
            }
            if ui
                .add(eframe::egui::Button::new("Cancel the job and close").min_size([0.0, 30.0].into()))
                .clicked()
            {
                actions.push(Action::StopAndLeave);
            }
        });
    });
    if dismissed && !stopping {
        actions.push(Action::CloseModal);
    }
}
