//! What is remembered between starts: settings only. Results are files, never state.

use std::path::PathBuf;

use eframe::egui::ThemePreference;
use eframe::{Storage, get_value, set_value};
use serde::{Deserialize, Serialize};

pub use crate::settings::Measure;
use crate::ui::ScatterSettings;
use crate::ui::display::Display;
use crate::ui::export_settings::ExportSettings;
use crate::ui::form::Form;
use crate::ui::study::StudySettings;
use crate::ui::train_form::TrainForm;

/// Version of the remembered settings; another version means defaults.
const VERSION: u32 = 3;
const KEY: &str = "basin-settings";

/// Which part of the right panel is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Side {
    /// The forms of measures.
    #[default]
    Measure,
    /// The form of a training.
    Train,
    /// How results are drawn.
    Display,
}

/// Everything that is remembered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// `VERSION` of the program that wrote it.
    pub version: u32,
    /// Light, dark, or as the desktop.
    pub theme: ThemePreference,
    /// Where the last dialog was.
    pub folder: Option<PathBuf>,
    /// Checkpoints and records that were open.
    pub open: Vec<PathBuf>,
    /// The right panel's part.
    pub side: Side,
    /// The form that is open.
    pub measure: Measure,
    /// What the forms say.
    pub form: Form,
    /// What the form of a training says.
    pub train: TrainForm,
    /// How results are drawn.
    pub display: Display,
    /// What of the table of a study is shown.
    pub study: StudySettings,
    /// What the scatter shows.
    pub scatter: ScatterSettings,
    /// What the export dialog says.
    pub export: ExportSettings,
}

impl Default for State {
    fn default() -> Self {
        Self {
            version: VERSION,
            theme: ThemePreference::System,
            folder: None,
            open: Vec::new(),
            side: Side::default(),
            measure: Measure::default(),
            form: Form::default(),
            train: TrainForm::default(),
            display: Display::default(),
            study: StudySettings::default(),
            scatter: ScatterSettings::default(),
            export: ExportSettings::default(),
        }
    }
}

impl State {
    /// The remembered settings, or defaults with one warning if they cannot be used.
    pub fn load(storage: Option<&dyn Storage>) -> (Self, Option<String>) {
        let Some(storage) = storage else { return (Self::default(), None) };
        let defaults = |why: &str| {
            (Self::default(), Some(format!("The remembered settings {why}; starting with the defaults.")))
        };
        match get_value::<Self>(storage, KEY) {
            Some(state) if state.version == VERSION => (state, None),
            Some(_) => defaults("are of another version of Basin"),
            None if storage.get_string(KEY).is_some() => defaults("are damaged"),
            None => (Self::default(), None),
        }
    }

    /// Remembers.
    pub fn save(&self, storage: &mut dyn Storage) {
        let mut kept = self.clone();
        // What is stored has no place for paths that are not Unicode.
        kept.open.retain(|path| path.to_str().is_some());
        kept.folder = kept.folder.filter(|path| path.to_str().is_some());
        set_value(storage, KEY, &kept);
    }
}
