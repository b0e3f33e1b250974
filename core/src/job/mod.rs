//! What is asked: plain data, saved as JSON, filled by flags, forms and files alike.
//!
//! The doc comments of the fields are the help texts. Field names are those of the JSON.

mod attack;
mod benchmark;
mod evaluate;
mod flatness;
mod landscape;
mod paper;

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::attack::autoattack::{AutoAttack, Tuning, Version};
pub use crate::attack::objective::TargetClass;
pub use crate::attack::weights::{
    Bookkeeping, Descent, Sampling, Scope, Tensors, WeightBox, WeightGradient, WeightNorm,
};
pub use crate::attack::{GradientRule, InputNorm, Objective, Pgd, Projection, Selection, Start};
pub use crate::data::{Examples, Split};
use crate::device;
pub use crate::device::Precision;
use crate::error::{Error, Result};
pub use crate::measure::direction::{DirectionKind, Normalization, PaperToken};
pub use crate::train::Train;
pub use attack::Attack;
pub use benchmark::Benchmark;
pub use evaluate::Evaluate;
pub use flatness::{Case, Flatness, FlatnessLoss, JointSearch, Levels};
pub use landscape::{Landscape, LandscapeLoss};

/// Any job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Job {
    /// Clean and robust loss and error of one checkpoint.
    Evaluate(Evaluate),
    /// How much the loss rises when weights are perturbed.
    Flatness(Flatness),
    /// Every example's verdict under an ensemble of attacks.
    Attack(Attack),
    /// Loss along one or two directions in weight space.
    Landscape(Landscape),
    /// Many attacks of the paper on one checkpoint.
    Benchmark(Benchmark),
    /// A network is trained; what comes out is a folder.
    Train(Box<Train>),
}

impl Job {
    /// The checkpoint that is measured; a training has none.
    pub fn checkpoint(&self) -> Option<&Path> {
        match self {
            Self::Evaluate(job) => Some(&job.checkpoint),
            Self::Flatness(job) => Some(&job.checkpoint),
            Self::Attack(job) => Some(&job.checkpoint),
            Self::Landscape(job) => Some(&job.checkpoint),
            Self::Benchmark(job) => Some(&job.checkpoint),
            Self::Train(_) => None,
        }
    }

    /// The same job for another checkpoint; a training stays as it is.
    pub fn on(mut self, checkpoint: &Path) -> Self {
        let place = match &mut self {
            Self::Evaluate(job) => &mut job.checkpoint,
            Self::Flatness(job) => &mut job.checkpoint,
            Self::Attack(job) => &mut job.checkpoint,
            Self::Landscape(job) => &mut job.checkpoint,
            Self::Benchmark(job) => &mut job.checkpoint,
            Self::Train(_) => return self,
        };
        checkpoint.clone_into(place);
        self
    }

    /// What the job is about, as something to be called by: its checkpoint, or the name of the network to be trained.
    pub fn subject(&self) -> &Path {
        match self {
            Self::Train(job) => Path::new(&job.name),
            job => job.checkpoint().unwrap_or(Path::new("")),
        }
    }

    /// The images that are looked at; of a training those that it learns from.
    pub fn data(&self) -> DataSelection {
        match self {
            Self::Evaluate(job) => job.data.clone(),
            Self::Flatness(job) => job.data.clone(),
            Self::Attack(job) => job.data.clone(),
            Self::Landscape(job) => job.data.clone(),
            Self::Benchmark(job) => job.data.clone(),
            Self::Train(job) => DataSelection { name: job.data.name.clone(), examples: job.data.train },
        }
    }

    /// How the job is to be computed.
    pub fn compute(&self) -> Compute {
        match self {
            Self::Evaluate(job) => job.compute.clone(),
            Self::Flatness(job) => job.compute.clone(),
            Self::Attack(job) => job.compute.clone(),
            Self::Landscape(job) => job.compute.clone(),
            Self::Benchmark(job) => job.compute.clone(),
            Self::Train(job) => Compute {
                device: job.device.clone(),
                precision: job.precision,
                seed: job.seed,
                batch_size: Some(job.batch_size),
            },
        }
    }

    /// Short name of the kind of job: `evaluate`, `attack`, `flatness`, `landscape`, `benchmark`, `train`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Evaluate(_) => "evaluate",
            Self::Attack(_) => "attack",
            Self::Flatness(_) => "flatness",
            Self::Landscape(_) => "landscape",
            Self::Benchmark(_) => "benchmark",
            Self::Train(_) => "train",
        }
    }

    /// Whether adversarial examples are to be kept in a file beside the record.
    pub fn keeps_examples(&self) -> bool {
        match self {
            Self::Evaluate(job) => (job.keep_examples && job.is_attacked()) || job.keep_attempts,
            Self::Attack(job) => job.keep_examples,
            Self::Flatness(_) | Self::Landscape(_) | Self::Benchmark(_) | Self::Train(_) => false,
        }
    }

    /// Whether perturbed networks are to be kept beside the record.
    pub fn keeps_networks(&self) -> bool {
        matches!(self, Self::Flatness(job) if job.keep_networks)
    }

    /// Checks that its attack exists for networks with this many classes.
    ///
    /// # Errors
    /// [`Error::Invalid`] with what to use instead.
    pub fn check_classes(&self, classes: usize) -> Result<()> {
        match self {
            Self::Evaluate(job) => {
                job.attacks().try_for_each(|attack| attack.objective.check_classes(classes))
            }
            Self::Attack(job) => job.attack.plans(classes).map(drop),
            Self::Flatness(job) if job.loss == FlatnessLoss::Clean => Ok(()),
            Self::Flatness(job) => job.attack.objective.check_classes(classes),
            Self::Landscape(job) if job.loss == LandscapeLoss::Clean => Ok(()),
            Self::Landscape(job) => job.attack.objective.check_classes(classes),
            Self::Benchmark(job) => job.entries()?.iter().try_for_each(|(_, job)| job.check_classes(classes)),
            Self::Train(job) => job.attack.objective.check_classes(classes),
        }
    }

    /// The job as the text of a file.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a job is plain data") + "\n"
    }

    /// Whether gradients of weights are needed.
    pub fn searches_weights(&self) -> bool {
        matches!(self, Self::Flatness(job) if job.case == Case::Worst)
    }

    /// Checks every setting before any work is done.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the setting, its value and what is allowed.
    pub fn check(&self) -> Result<()> {
        match self {
            Self::Evaluate(job) => job.check()?,
            Self::Flatness(job) => job.check()?,
            Self::Attack(job) => job.attack.check().map_err(|error| error.about("attack"))?,
            Self::Landscape(job) => job.check()?,
            Self::Benchmark(job) => job.check()?,
            Self::Train(job) => job.check()?,
        }
        let compute = self.compute();
        let place = |name: &str| match self {
            Self::Train(_) => name.to_owned(),
            _ => format!("compute.{name}"),
        };
        device::check_name(&compute.device).map_err(|error| error.about(&place("device")))?;
        if compute.batch_size == Some(0) {
            let error = Error::invalid("batch size 0 is not possible; use 1 or more, or auto");
            return Err(error.about(&place("batch_size")));
        }
        Ok(())
    }
}

/// Which images of which data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DataSelection {
    /// Data set: `bundled`, `cifar10`, `mnist`, `fashion-mnist`, or a folder.
    #[schemars(extend("x-label" = "Data set", "x-flag" = "data"))]
    pub name: String,
    /// Split and range of indices, e.g. `test:0..1000` (0 to 999) or `train:0..500`; `test:9999..9899` counts down (to
    /// 9900), and `..=` includes the end (`test:99..=0`).
    #[schemars(extend("x-flag" = "examples", "x-hint" = "test:0..1000"))]
    pub examples: Examples,
}

impl Default for DataSelection {
    fn default() -> Self {
        Self { name: "bundled".into(), examples: Examples { split: Split::Test, start: 0, end: 100 } }
    }
}

/// Where, how exactly and with which seed to compute.
///
/// Reported losses are those of float32 (or float64) networks on every device, and device and batch size change them by
/// rounding only; but gradient ascent on weights amplifies rounding, to about 1e-4 of a worst-case loss. The precision of
/// the search is more than rounding: it may find other perturbations. Of inputs they are about equally strong
/// (`search_cost` in the provenance says how much is missed); of weights they may be much weaker: at relative radius 0.05
/// the worst weights of a LeNet have loss 10.95 searched in float32, 9.89 in bf16. So `auto` searches worst-case weights
/// in float32 on every device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Compute {
    /// Where to compute: `auto` (the GPU if there is one), `cpu` or `cuda:0`.
    #[schemars(extend(
        "x-flag" = "device",
        "x-suggestions" = [["auto", "The GPU if there is one."], ["cpu", "The CPU."], ["cuda:0", "The first GPU."], ["cuda:1", "The second GPU."]]
    ))]
    pub device: String,
    /// Precision in which attacks search; losses are measured in float32. `auto`: bf16 where the hardware is faster at
    /// it, but float32 for worst-case weights, of which bf16 finds much less.
    #[schemars(extend("x-label" = "Search precision", "x-flag" = "precision"))]
    pub precision: Precision,
    /// Seed of every random number of the job.
    #[schemars(extend("x-flag" = "seed"))]
    pub seed: u64,
    /// Images at a time; auto: chosen for the device. It changes results by rounding only, like the number of threads:
    /// losses, average-case flatness and the verdicts of AutoAttack agree to about 1e-7, worst-case flatness to about
    /// 1e-4 of its value.
    #[schemars(range(min = 1), extend("x-flag" = "batch-size", "x-hint" = "automatic"))]
    pub batch_size: Option<usize>,
}

impl Default for Compute {
    fn default() -> Self {
        Self { device: "auto".into(), precision: Precision::Auto, seed: 0, batch_size: None }
    }
}
