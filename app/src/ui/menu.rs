//! The menu bar, and the keys of its commands.

use eframe::egui::{Button, Context, MenuBar, ThemePreference, Ui};

use crate::command::{CameraPreset, Command};
use crate::ui::{Action, App};

/// What the menu shows as chosen or possible.
#[derive(Debug, Clone, Copy)]
pub struct MenuState {
    /// The chosen theme.
    pub theme: ThemePreference,
    /// There is something to export and a job to copy.
    pub has_result: bool,
    /// A 2-D landscape is shown.
    pub has_surface: bool,
}

/// Draws the menu bar.
pub fn ui(ui: &mut Ui, state: &MenuState, actions: &mut Vec<Action>) {
    MenuBar::new().ui(ui, |ui| {
        ui.menu_button("File", |ui| {
            ui.set_min_width(220.0);
            item_ui(ui, Command::OpenCheckpoint, true, actions);
            item_ui(ui, Command::OpenRecord, true, actions);
            item_ui(ui, Command::OpenFolder, true, actions);
            item_ui(ui, Command::OpenExample, true, actions);
            ui.separator();
            item_ui(ui, Command::Export, state.has_result, actions);
            ui.separator();
            item_ui(ui, Command::Quit, true, actions);
        });
        ui.menu_button("View", |ui| {
            ui.set_min_width(200.0);
            ui.menu_button("Theme", |ui| {
                let themes = [
                    (ThemePreference::Light, Command::ThemeLight),
                    (ThemePreference::Dark, Command::ThemeDark),
                    (ThemePreference::System, Command::ThemeSystem),
                ];
                for (theme, command) in themes {
                    if ui
                        .radio(state.theme == theme, command.text())
                        .on_hover_text(command.tooltip())
                        .clicked()
                    {
                        actions.push(Action::Command(command));
                        ui.close();
                    }
                }
            });
            ui.menu_button("Camera", |ui| {
                ui.set_min_width(180.0);
                for preset in
                    [CameraPreset::Standard, CameraPreset::Top, CameraPreset::Front, CameraPreset::Side]
                {
                    item_ui(ui, Command::Camera(preset), state.has_surface, actions);
                }
            });
            ui.separator();
            item_ui(ui, Command::ResetLayout, true, actions);
        });
        ui.menu_button("Help", |ui| {
            ui.set_min_width(220.0);
            item_ui(ui, Command::CopyCommandLine, state.has_result, actions);
            item_ui(ui, Command::Shortcuts, true, actions);
            ui.separator();
            item_ui(ui, Command::About, true, actions);
        });
    });
}

fn item_ui(ui: &mut Ui, command: Command, enabled: bool, actions: &mut Vec<Action>) {
    let keys = command.shortcut().map(|keys| ui.ctx().format_shortcut(&keys)).unwrap_or_default();
    let button = Button::new(command.text()).shortcut_text(keys);
    if ui.add_enabled(enabled, button).on_hover_text(command.tooltip()).clicked() {
        actions.push(Action::Command(command));
        ui.close();
    }
}

impl App {
    pub(crate) fn menu_state(&self) -> MenuState {
        MenuState {
            theme: self.state.theme,
            has_result: self.shown.record().is_some(),
            has_surface: self.shown.landscape().is_some_and(|landscape| landscape.y.is_some()),
        }
    }

    /// Turns shortcuts into commands. A dialog inside the window keeps the keys to itself.
    pub(crate) fn keyboard(&mut self, ctx: &Context) {
        if self.modal.is_some() {
            return;
        }
        for command in Command::ALL {
            if let Some(shortcut) = command.shortcut()
                && ctx.input_mut(|input| input.consume_shortcut(&shortcut))
            {
                self.actions.push(Action::Command(command));
            }
        }
    }
}
