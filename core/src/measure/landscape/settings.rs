//! Asking for a landscape.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::direction::{DirectionKind, Normalization};
use super::points::steps;
use crate::attack::Pgd;
use crate::data::DataSelection;
use crate::device::Compute;
use crate::error::{Error, Result};

/// Which loss a landscape shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LandscapeLoss {
    /// Cross-entropy on clean images.
    #[schemars(title = "Clean")]
    Clean,
    /// Cross-entropy on adversarial examples recomputed at every grid point (the paper's 1-D figures).
    #[schemars(title = "Robust")]
    Robust,
    /// Cross-entropy on adversarial examples of the unperturbed model (the paper's 2-D mode).
    #[schemars(title = "Fixed adversarial examples")]
    RobustFixed,
}

/// Loss and error along one or two directions from the checkpoint's weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Landscape {
    /// The checkpoint file.
    #[serde(with = "crate::files::as_text")]
    #[schemars(with = "String")]
    pub checkpoint: PathBuf,
    /// Images the loss is averaged over.
    #[serde(default)]
    #[schemars(extend("x-group" = "Images"))]
    pub data: DataSelection,
    /// First direction: `random`, or `random:N`. Each seed N gives a different random direction.
    #[schemars(extend("x-label" = "Direction seed (x)", "x-flag" = "direction", "x-group" = "Directions", "x-format" = "direction"))]
    pub direction: DirectionKind,
    /// Second direction, for a surface; `random` is another direction than the first. None: a curve.
    #[serde(default)]
    #[schemars(extend("x-label" = "Direction seed (y)", "x-flag" = "second", "x-hint" = "none", "x-group" = "Directions", "x-format" = "direction"))]
    pub second: Option<DirectionKind>,
    /// Scale of step 1: `layer`, `filter` or `global` with the radius (relative L2 norm), or a token of the paper such
    /// as `layer_l2_05`, which is the size, too.
    #[serde(default)]
    #[schemars(extend("x-label" = "Normalization", "x-flag" = "normalize", "x-group" = "Directions"))]
    pub normalize: Normalization,
    /// Size of step 1 relative to the weights (L2 norm, per layer, filter or whole model).
    #[serde(default = "default_radius")]
    #[schemars(extend("x-flag" = "radius", "x-group" = "Directions"))]
    pub radius: f64,
    /// Steps run from `-range` to `range`.
    #[serde(default = "default_range")]
    #[schemars(extend("x-flag" = "range", "x-group" = "Directions"))]
    pub range: f64,
    /// Grid points per axis; odd, so that the unperturbed model is one of them.
    #[serde(default = "default_steps")]
    #[schemars(range(min = 3), extend("x-flag" = "steps", "x-group" = "Directions"))]
    pub steps: usize,
    /// Which loss: clean, robust (attacked anew at every grid point), or robust-fixed (adversarial examples of the
    /// unperturbed model).
    #[schemars(extend("x-flag" = "loss"))]
    pub loss: LandscapeLoss,
    /// The attack for the robust losses.
    #[serde(default)]
    #[schemars(extend("x-group" = "Input attack"))]
    pub attack: Pgd,
    /// Device, precision, seed, batch size.
    #[serde(default)]
    #[schemars(extend("x-group" = "Computing"))]
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

    /// Steps along an axis.
    pub fn axis(&self) -> Vec<f64> {
        steps(self.steps, self.range)
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the setting, its value and what is allowed.
    pub fn check(&self) -> Result<()> {
        if self.steps < 3 || self.steps.is_multiple_of(2) {
            return Err(Error::invalid(format!(
                "steps {} is not possible; use an odd number of at least 3, so that the unperturbed model is a grid point",
                self.steps
            ))
            .about("steps"));
        }
        if self.cells() > MOST_CELLS {
            return Err(Error::invalid(format!(
                "steps {} make too many grid points; use at most {MOST_CELLS} of them, {} by {}",
                self.steps,
                MOST_CELLS.isqrt(),
                MOST_CELLS.isqrt()
            ))
            .about("steps"));
        }
        for (name, value) in [("range", self.range), ("radius", self.radius)] {
            if !(value.is_finite() && value > 0.0) {
                let error = Error::invalid(format!("{name} {value} is not possible; use a positive number"));
                return Err(error.about(name));
            }
        }
        if self.loss != LandscapeLoss::Clean {
            self.attack.check().map_err(|error| error.about("attack"))?;
        }
        Ok(())
    }
}
