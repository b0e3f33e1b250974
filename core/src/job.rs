//! What is asked: plain data, saved as JSON, filled by flags, forms and files alike.
//!
//! The doc comments of the fields are the help texts. Field names are those of the JSON.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use crate::attack::{GradientRule, InputNorm, Objective, Pgd, Start};
pub use crate::data::{Examples, Split};
pub use crate::device::Precision;
use crate::error::{Error, Result};
pub use crate::measure::direction::{DirectionKind, Normalization};

/// Any job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Job {
    /// Clean and robust loss and error of one checkpoint.
    Evaluate(Evaluate),
    /// Loss along one or two directions in weight space.
    Landscape(Landscape),
}

impl Job {
    /// The checkpoint the job is about.
    pub fn checkpoint(&self) -> &PathBuf {
        match self {
            Self::Evaluate(job) => &job.checkpoint,
            Self::Landscape(job) => &job.checkpoint,
        }
    }

    /// The data the job uses.
    pub fn data(&self) -> &DataSelection {
        match self {
            Self::Evaluate(job) => &job.data,
            Self::Landscape(job) => &job.data,
        }
    }

    /// How the job is to be computed.
    pub fn compute(&self) -> &Compute {
        match self {
            Self::Evaluate(job) => &job.compute,
            Self::Landscape(job) => &job.compute,
        }
    }

    /// Short name of the kind of job: `evaluate`, `landscape`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Evaluate(_) => "evaluate",
            Self::Landscape(_) => "landscape",
        }
    }

    /// Checks every setting before any work is done.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the setting, its value and what is allowed.
    pub fn check(&self) -> Result<()> {
        match self {
            Self::Evaluate(job) => {
                if let Some(attack) = &job.attack {
                    attack.check()?;
                }
            }
            Self::Landscape(job) => job.check()?,
        }
        if self.compute().batch_size == Some(0) {
            return Err(Error::invalid("batch size 0 is not possible; use 1 or more, or auto"));
        }
        Ok(())
    }
}

/// Which images of which data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DataSelection {
    /// `bundled`, a name (`cifar10`, `mnist`, `fashion-mnist`), or a folder.
    pub name: String,
    /// Split and index range, e.g. `test:0..1000`.
    pub examples: Examples,
}

impl Default for DataSelection {
    fn default() -> Self {
        Self { name: "bundled".into(), examples: Examples { split: Split::Test, start: 0, end: 100 } }
    }
}

/// How to compute: never changes what is computed beyond rounding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Compute {
    /// `auto` (the GPU if there is one), `cpu`, `cuda:0`, …
    pub device: String,
    /// Precision of the search for perturbations; every reported loss is float32.
    pub precision: Precision,
    /// Seed of every random number of the job.
    pub seed: u64,
    /// Images at a time; none: chosen for the device.
    pub batch_size: Option<usize>,
}

impl Default for Compute {
    fn default() -> Self {
        Self { device: "auto".into(), precision: Precision::Auto, seed: 0, batch_size: None }
    }
}

/// Clean, and with an attack robust, loss and error of one checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluate {
    /// The checkpoint file.
    pub checkpoint: PathBuf,
    /// Images to evaluate on.
    #[serde(default)]
    pub data: DataSelection,
    /// The attack; none: clean only.
    #[serde(default)]
    pub attack: Option<Pgd>,
    /// Device, precision, seed, batch size.
    #[serde(default)]
    pub compute: Compute,
}

/// Which loss a landscape shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LandscapeLoss {
    /// Cross-entropy on clean images.
    Clean,
    /// Cross-entropy on adversarial examples recomputed at every grid point (the paper's 1-D figures).
    Robust,
    /// Cross-entropy on adversarial examples of the unperturbed model (the paper's 2-D mode).
    RobustFixed,
}

/// Loss and error along one or two directions from the checkpoint's weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Landscape {
    /// The checkpoint file.
    pub checkpoint: PathBuf,
    /// Images the loss is averaged over.
    #[serde(default)]
    pub data: DataSelection,
    /// Direction of the x axis.
    pub direction: DirectionKind,
    /// Direction of the y axis; none: 1-D.
    #[serde(default)]
    pub second: Option<DirectionKind>,
    /// How directions are scaled relative to the weights.
    #[serde(default)]
    pub normalize: Normalization,
    /// Relative size of the perturbation at step 1 (for `layer`, `filter`, `global`).
    #[serde(default = "default_radius")]
    pub radius: f64,
    /// Steps run from `-range` to `range`.
    #[serde(default = "default_range")]
    pub range: f64,
    /// Grid points per axis; odd, so that the unperturbed model is one of them.
    #[serde(default = "default_steps")]
    pub steps: usize,
    /// Which loss.
    pub loss: LandscapeLoss,
    /// The attack for the robust losses.
    #[serde(default)]
    pub attack: Pgd,
    /// Device, precision, seed, batch size.
    #[serde(default)]
    pub compute: Compute,
}

/// Largest grid: 2001 by 2001. What is finer shows nothing more.
const MOST_CELLS: usize = 2001 * 2001;

fn default_radius() -> f64 {
    0.5
}
fn default_range() -> f64 {
    1.0
}
fn default_steps() -> usize {
    51
}

impl Landscape {
    /// Number of grid points.
    pub fn cells(&self) -> usize {
        if self.second.is_some() { self.steps.saturating_mul(self.steps) } else { self.steps }
    }

    fn check(&self) -> Result<()> {
        if self.steps < 3 || self.steps.is_multiple_of(2) {
            return Err(Error::invalid(format!(
                "steps {} is not possible; use an odd number of at least 3, so that the unperturbed model is a grid point",
                self.steps
            )));
        }
        if self.cells() > MOST_CELLS {
            return Err(Error::invalid(format!(
                "steps {} make too many grid points; use at most {MOST_CELLS} of them, {} by {}",
                self.steps,
                MOST_CELLS.isqrt(),
                MOST_CELLS.isqrt()
            )));
        }
        for (name, value) in [("range", self.range), ("radius", self.radius)] {
            if !(value.is_finite() && value > 0.0) {
                return Err(Error::invalid(format!("{name} {value} is not possible; use a positive number")));
            }
        }
        if self.loss != LandscapeLoss::Clean {
            self.attack.check()?;
        }
        Ok(())
    }
}
