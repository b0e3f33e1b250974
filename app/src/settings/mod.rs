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

use basin_core::job::{
    Attack, Benchmark, Case, DataSelection, Evaluate, Flatness, FlatnessLoss, Job, Landscape,
};
use basin_core::settings::{Choice, Kind, Setting, settings_of};
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use command_line::command_line;
pub use paper::{meaning, named_job};
pub use sheet::{Origin, Sheet, Surface};
pub use training::{training, training_settings, training_text};
pub use variants::{pgd_texts, pgd_variant, variant};

/// What is measured of a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Measure {
    /// The loss along directions in weight space.
    #[default]
    Landscape,
    /// How much the loss rises when weights are perturbed.
    Flatness,
    /// Clean and robust loss and error.
    Evaluate,
    /// AutoAttack.
    Attack,
    /// Many attacks of the paper in one job.
    Benchmark,
}

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

impl Measure {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Landscape, Self::Flatness, Self::Evaluate, Self::Attack, Self::Benchmark];

    /// That of a job; none of a training.
    pub fn of(job: &Job) -> Option<Self> {
        match job {
            Job::Landscape(_) => Some(Self::Landscape),
            Job::Flatness(_) => Some(Self::Flatness),
            Job::Evaluate(_) => Some(Self::Evaluate),
            Job::Attack(_) => Some(Self::Attack),
            Job::Benchmark(_) => Some(Self::Benchmark),
            Job::Train(_) => None,
        }
    }

    /// The heading of its own settings.
    pub fn title(self) -> &'static str {
        match self {
            Self::Landscape => "Landscape",
            Self::Flatness => "Flatness",
            Self::Evaluate => "Evaluation",
            Self::Attack => "AutoAttack",
            Self::Benchmark => "Benchmark",
        }
    }

    /// Its settings, those of the images and of the computing last. The checkpoint is none of them.
    pub fn settings(self) -> &'static [Setting] {
        static SETTINGS: LazyLock<Vec<Vec<Setting>>> =
            LazyLock::new(|| Measure::ALL.iter().map(|measure| measure.list()).collect());
        &SETTINGS[self as usize]
    }

    /// The setting at a place.
    pub fn setting(self, path: &str) -> Option<&'static Setting> {
        self.settings().iter().find(|setting| setting.path == path)
    }

    fn list(self) -> Vec<Setting> {
        let job = json!(self.job());
        let mut settings = match self {
            Self::Landscape => settings_of::<Landscape>(&job),
            Self::Flatness => settings_of::<Flatness>(&job),
            Self::Evaluate => settings_of::<Evaluate>(&job),
            Self::Attack => settings_of::<Attack>(&job),
            Self::Benchmark => settings_of::<Benchmark>(&job),
        };
        if let Some(attack) = settings.iter_mut().find(|setting| setting.path == "attack") {
            attack.kind = Kind::Choice(inputs());
            (attack.optional, attack.segmented, attack.flag) = (false, true, Some("attack".into()));
            attack.help = "Which images an evaluation looks at besides the clean ones.".into();
        }
        settings.retain(|setting| setting.kind != Kind::Group && setting.path != "checkpoint");
        settings.sort_by_key(|setting| {
            ["Output", "Images", "Computing"].iter().position(|g| *g == setting.group)
        });
        settings
    }

    /// A job of this kind with what is usual.
    fn job(self) -> Job {
        match self {
            Self::Landscape => Job::Landscape(Landscape {
                checkpoint: "".into(),
                data: DataSelection::default(),
                direction: "random".parse().expect("a direction"),
                second: None,
                normalize: Default::default(),
                radius: 0.5,
                range: 1.0,
                steps: 51,
                loss: basin_core::job::LandscapeLoss::Robust,
                attack: Default::default(),
                compute: Default::default(),
            }),
            Self::Flatness => Job::Flatness(Flatness::new("".into(), FlatnessLoss::Robust, Case::Average)),
            Self::Evaluate => {
                Job::Evaluate(Evaluate { attack: Some(Default::default()), ..Evaluate::default() })
            }
            Self::Attack => Job::Attack(Attack {
                checkpoint: "".into(),
                data: DataSelection::default(),
                attack: Default::default(),
                keep_examples: false,
                compute: Default::default(),
            }),
            Self::Benchmark => Job::Benchmark(Benchmark::new("".into())),
        }
    }
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
