//! Two small dialogs: what this is, and what keys and mouse do.

use eframe::egui::{Grid, RichText, Ui};

use crate::command::Command;
use crate::ui::widgets::{dialog_ui, palette};
use crate::ui::{Action, theme};

/// Version and licence.
pub fn about_ui(ui: &mut Ui, actions: &mut Vec<Action>) {
    let (dismissed, closed) = dialog_ui(ui, "Basin", 380.0, |ui| {
        ui.label(RichText::new(concat!("Version ", env!("CARGO_PKG_VERSION"))).color(palette(ui).weak));
        ui.add_space(theme::GAP);
        ui.label("How flat is the robust loss around a network, and does that flatness explain how well its robustness generalizes?");
        ui.add_space(theme::GAP * 0.5);
        ui.label("The measures follow Stutz, Hein, Schiele: Relating Adversarially Robust Generalization to Flat Minima (ICCV 2021).");
        ui.add_space(theme::GAP * 0.5);
        ui.label(RichText::new("Licensed under MIT or Apache-2.0.").color(palette(ui).weak));
        close_ui(ui)
    });
    if dismissed || closed {
        actions.push(Action::CloseModal);
    }
}

/// What keys and mouse do.
pub fn shortcuts_ui(ui: &mut Ui, actions: &mut Vec<Action>) {
    let (dismissed, closed) = dialog_ui(ui, "Keys and mouse", 380.0, |ui| {
        Grid::new("keys").num_columns(2).spacing([24.0, 5.0]).show(ui, |ui| {
            for command in Command::ALL {
                if let Some(keys) = command.shortcut() {
                    ui.label(RichText::new(ui.ctx().format_shortcut(&keys)).strong());
                    ui.label(command.text().trim_end_matches('…'));
                    ui.end_row();
                }
            }
            let several = if cfg!(target_os = "macos") { "Cmd click" } else { "Ctrl click" };
            let mouse = [
                ("Drag", "Turn the surface; move a chart"),
                ("Right or Shift drag", "Move the surface"),
                ("Wheel", "Zoom"),
                ("Double click", "Reset the view"),
                ("← and →", "The example before, the next one"),
                ("Drag a tab", "Put views side by side"),
                (several, "Lay curves over each other"),
                ("Drop a file", "Open a checkpoint, a record or a folder"),
            ];
            for (gesture, effect) in mouse {
                ui.label(RichText::new(gesture).strong());
                ui.label(effect);
                ui.end_row();
            }
        });
        close_ui(ui)
    });
    if dismissed || closed {
        actions.push(Action::CloseModal);
    }
}

/// A row with the button that closes the dialog.
fn close_ui(ui: &mut Ui) -> bool {
    ui.add_space(theme::GAP);
    ui.vertical_centered(|ui| ui.button("Close").clicked()).inner
}
