//! Buttons that open a checkpoint, for views that are empty.

use eframe::egui::Ui;

use crate::command::Command;
use crate::ui::Action;

/// Buttons of an empty view: what would fill it.
pub(crate) fn open_buttons_ui(ui: &mut Ui, actions: &mut Vec<Action>) {
    for command in [Command::OpenCheckpoint, Command::OpenExample] {
        if ui.button(command.text()).on_hover_text(command.tooltip()).clicked() {
            actions.push(Action::Command(command));
        }
    }
}
