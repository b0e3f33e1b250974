//! Exporting what is shown: a figure, the 3-D view, or the data.

use std::path::PathBuf;

use eframe::egui::Ui;
use serde::{Deserialize, Serialize};

use crate::ui::App;

/// What the export dialog says.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ExportSettings {}

impl App {
    pub(crate) fn export_dialog_ui(&mut self, _: &mut Ui) {}

    pub(crate) fn export_suggestion(&self) -> String {
        String::new()
    }

    pub(crate) fn export_to(&mut self, _: PathBuf) {}
}
