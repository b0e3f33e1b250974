//! Landscapes as charts: curves in 1-D, filled contours in 2-D.

use eframe::egui::Ui;

use crate::ui::display::Display;
use crate::ui::shown::Shown;
use crate::ui::widgets::empty_ui;

pub(crate) fn curves_ui(ui: &mut Ui, _: &Shown, _: &Display) {
    empty_ui(ui, "No landscape yet", "Choose 1-D at the right and press Run.", |_| ());
}

pub(crate) fn contours_ui(ui: &mut Ui, _: &Shown, _: &Display) {
    empty_ui(ui, "No landscape yet", "Choose 2-D at the right and press Run.", |_| ());
}
