//! Asking for a landscape.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Compute, DataSelection};
use crate::attack::Pgd;
use crate::error::{Error, Result};
use crate::measure::direction::{DirectionKind, Normalization};

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
    #[serde(with = "crate::files::as_text")]
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

    pub(super) fn check(&self) -> Result<()> {
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
