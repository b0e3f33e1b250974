//! Settings as text, for options and forms alike: from what is given to a job, and back.
//!
//! [`basin_core::settings`] says what settings there are. Here is what they mean together: which follow others
//! ([`Sheet`]), which have no effect ([`useless`]), names of the paper, options ([`options`]) and the command line of a
//! job ([`command_line`]).

mod command_line;
pub mod options;
mod paper;
mod sheet;
mod training;
pub mod useless;
mod variants;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use basin_core::settings::{Choice, Kind, Setting};
use serde_json::json;

pub use command_line::{command_line, quoted};
pub use paper::{meaning, named_job};
pub use sheet::{Origin, Sheet, Surface};
pub use training::{training, training_settings, training_text};
pub use variants::{pgd_texts, pgd_variant, variant};

/// What is measured of a checkpoint.
pub use basin_core::job::Kind as Measure;

/// Settings that are given, as text by their place in the job; what is not there is as usual.
pub type Given = BTreeMap<String, String>;

/// What is wrong, and with which setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Its place in the job; none: the settings together.
    pub path: Option<String>,
    /// What, with the remedy.
    pub text: String,
}

/// The settings of a measure, as forms and options have them.
pub trait Settings: Sized {
    /// Its settings, those of the images and of the computing last. The checkpoint is none of them.
    fn settings(self) -> &'static [Setting];

    /// The setting at a place.
    fn setting(self, path: &str) -> Option<&'static Setting>;
}

impl Settings for Measure {
    fn settings(self) -> &'static [Setting] {
        static SETTINGS: LazyLock<Vec<Vec<Setting>>> =
            LazyLock::new(|| Measure::ALL.iter().map(|measure| list(*measure)).collect());
        &SETTINGS[self as usize]
    }

    fn setting(self, path: &str) -> Option<&'static Setting> {
        self.settings().iter().find(|setting| setting.path == path)
    }
}

fn list(measure: Measure) -> Vec<Setting> {
    let mut settings = measure.settings_of(&json!(measure.usual()));
    // An evaluation may have an attack, or stored examples, or neither.
    if let Some(attack) = settings.iter_mut().find(|setting| setting.path == "attack" && setting.optional) {
        attack.kind = Kind::Choice(inputs());
        (attack.optional, attack.segmented, attack.flag) = (false, true, Some("attack".into()));
        attack.help = "Which images an evaluation looks at besides the clean ones.".into();
    }
    settings.retain(|setting| setting.kind != Kind::Group && setting.path != "checkpoint");
    settings
        .sort_by_key(|setting| ["Output", "Images", "Computing"].iter().position(|g| *g == setting.group));
    settings
}

/// Whether a setting may be given beside a name of the paper, which stands for what is measured.
pub fn may_stand_beside_name(setting: &Setting) -> bool {
    ["Images", "Computing", "Output"].contains(&&*setting.group) || setting.path == "descent.bookkeeping"
}

/// What an evaluation looks at besides the clean images.
fn inputs() -> Vec<Choice> {
    [
        ("none", "Clean", "Loss and error on the images as they are."),
        ("pgd", "PGD", "Clean, and under projected gradient descent."),
        ("stored", "Stored", "Clean, and on adversarial examples that an earlier record kept."),
    ]
    .map(|(name, label, help)| Choice { name: name.into(), label: label.into(), help: help.into() })
    .to_vec()
}
