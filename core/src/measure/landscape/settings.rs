//! Asking for a landscape.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::axes::Range;
use super::direction::{DirectionKind, Normalization};
use crate::attack::Pgd;
use crate::attack::weights::{Descent, Tensors};
use crate::data::{DataSelection, Examples};
use crate::device::{Compute, Precision};
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
    /// First direction: `random` (`random:N` is another draw), `gradient`, `worst` (a worst-case perturbation of the
    /// weights), `joint` (the same together with adversarial examples), `hessian:K` (eigenvector of the K-th largest
    /// eigenvalue; -1: of the smallest), `toward:FILE` (another checkpoint, which is at step 1), `component:K` (principal
    /// component of a trajectory), `along:FILE` (the tensors of a file). `random-input` and `worst-input` move the images
    /// within the ball of the attack instead.
    #[schemars(extend("x-label" = "Direction (x)", "x-flag" = "direction", "x-group" = "Directions", "x-format" = "direction"))]
    pub direction: DirectionKind,
    /// Second direction, for a surface; `random` is another direction than the first. None: a curve.
    #[serde(default)]
    #[schemars(extend("x-label" = "Direction (y)", "x-flag" = "second", "x-hint" = "none", "x-group" = "Directions", "x-format" = "direction"))]
    pub second: Option<DirectionKind>,
    /// Make the second direction orthogonal to the first, in every piece that is scaled by itself.
    #[serde(default)]
    #[schemars(extend("x-flag" = "orthogonal", "x-group" = "Directions", "x-advanced" = true))]
    pub orthogonal: bool,
    /// Draws of random (or worst-case) directions: the landscape is their mean, and every draw is in the record.
    #[serde(default = "one")]
    #[schemars(range(min = 1), extend("x-flag" = "draws", "x-group" = "Directions", "x-advanced" = true))]
    pub draws: usize,
    /// Folder of a training, of whose snapshots components are principal components; they are drawn as a path in any
    /// landscape.
    #[serde(default, with = "crate::files::as_text::optional", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("x-flag" = "trajectory", "x-hint" = "none", "x-group" = "Directions", "x-advanced" = true))]
    pub trajectory: Option<PathBuf>,
    /// Scale of step 1: `layer`, `filter` or `global` with the radius (relative L2 norm), `weight` (entry by entry),
    /// `none`, or a token of the paper such as `layer_l2_05`, which is the size, too. Directions to networks (toward,
    /// component) keep their length.
    #[serde(default)]
    #[schemars(extend("x-label" = "Normalization", "x-flag" = "normalize", "x-group" = "Directions"))]
    pub normalize: Normalization,
    /// Size of step 1 relative to the weights (L2 norm, per layer, filter or whole model).
    #[serde(default = "default_radius")]
    #[schemars(extend("x-flag" = "radius", "x-group" = "Directions"))]
    pub radius: f64,
    /// Which tensors directions move: `no-normalization` (the paper's choice), `all`, `no-bias`, `weights` (those with
    /// more than one axis), or names separated by commas; `*` stands for anything. Directions to networks move all.
    #[serde(default)]
    #[schemars(extend("x-flag" = "tensors", "x-group" = "Directions", "x-advanced" = true))]
    pub tensors: Tensors,
    /// Steps along the first direction: `1` is from -1 to 1, or FROM..TO such as `-0.5..1.5`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-flag" = "range", "x-group" = "Directions", "x-hint" = "usual", "x-usual" = "1; toward another network -0.5..1.5, components 1.25"))]
    pub range: Option<Range>,
    /// Steps along the second direction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-label" = "Range (y)", "x-flag" = "second-range", "x-group" = "Directions", "x-hint" = "usual", "x-usual" = "as along the first", "x-advanced" = true))]
    pub second_range: Option<Range>,
    /// Grid points per axis. Where the unperturbed network is none of them, it is measured besides.
    #[serde(default = "default_steps")]
    #[schemars(range(min = 3), extend("x-flag" = "steps", "x-group" = "Directions"))]
    pub steps: usize,
    /// Running statistics of batch normalization away from the checkpoint: moved with directions to networks, kept, or
    /// estimated anew at every point on the images.
    #[serde(default)]
    #[schemars(extend("x-label" = "Batch statistics", "x-flag" = "statistics", "x-group" = "Directions", "x-advanced" = true))]
    pub statistics: RunningStatistics,
    /// Images that statistics are estimated on, where they are; none: those that are measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<StatisticsImages>", extend("x-group" = "Directions"))]
    pub statistics_data: Option<DataSelection>,
    /// Compute a point only where the surface bends: points are left to interpolation where coarser grids predict the
    /// loss to this share of its height. None: every point is computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-label" = "Refine to", "x-flag" = "refine", "x-group" = "Saving time", "x-hint" = "every point", "x-advanced" = true))]
    pub refine: Option<f64>,
    /// Robust loss: attack with so many steps from the adversarial examples of the neighbouring point. A tenth of the
    /// points is attacked in full as well, and the record says what the others miss. None: the full attack everywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-label" = "Warm steps", "x-flag" = "warm", "x-group" = "Saving time", "x-hint" = "full attack", "x-advanced" = true))]
    pub warm: Option<usize>,
    /// Evaluate in bf16 (TF32 on GPUs). A tenth of the points is measured in float32 as well; their smooth difference
    /// corrects the others, and the record says what is left of it. Attacks of the robust loss run in that precision, too.
    #[serde(default)]
    #[schemars(extend("x-label" = "Reduced precision", "x-flag" = "reduced", "x-group" = "Saving time", "x-advanced" = true))]
    pub reduced: bool,
    /// So many of the largest and of the smallest eigenvalues of the Hessian of the loss at every computed point, by the
    /// tensors that directions move. 0: none.
    #[serde(default)]
    #[schemars(range(max = 50), extend("x-flag" = "eigenvalues", "x-group" = "Output", "x-hint" = "none", "x-advanced" = true))]
    pub eigenvalues: usize,
    /// Which loss: clean, robust (attacked anew at every grid point), or robust-fixed (adversarial examples of the
    /// unperturbed model).
    #[schemars(extend("x-flag" = "loss"))]
    pub loss: LandscapeLoss,
    /// The attack for the robust losses.
    #[serde(default)]
    #[schemars(extend("x-group" = "Input attack"))]
    pub attack: Pgd,
    /// Worst-case directions: the gradient ascent on the weights.
    #[serde(default = "default_search")]
    #[schemars(extend("x-group" = "Weight attack", "x-advanced" = true))]
    pub search: Descent,
    /// Worst-case directions: the ball that is searched, relative to every tensor.
    #[serde(default = "default_search_radius")]
    #[schemars(extend("x-label" = "Weight radius", "x-flag" = "search-radius", "x-group" = "Weight attack", "x-advanced" = true))]
    pub search_radius: f64,
    /// Device, precision, seed, batch size.
    #[serde(default)]
    #[schemars(extend("x-group" = "Computing"))]
    pub compute: Compute,
}

/// Largest grid: 2001 by 2001. What is finer shows nothing more.
const MOST_CELLS: usize = 2001 * 2001;

/// Most eigenvalues at each end of the spectrum.
const MOST_EIGENVALUES: usize = 50;

fn default_radius() -> f64 {
    0.5
}
fn default_steps() -> usize {
    51
}
fn one() -> usize {
    1
}
/// The paper's.
fn default_search() -> Descent {
    Descent { epochs: 7, ..Descent::default() }
}
fn default_search_radius() -> f64 {
    0.005
}

/// What is declared of [`Landscape::statistics_data`]: its data set is that of the measure, unless a job says otherwise.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only declares settings")]
struct StatisticsImages {
    /// Estimate batch statistics on these examples of the same data set, such as `train:0..2000`; none: on those that
    /// are measured.
    #[schemars(extend(
        "x-label" = "Statistics from",
        "x-flag" = "statistics-examples",
        "x-hint" = "those measured",
        "x-advanced" = true
    ))]
    examples: Option<Examples>,
}

/// Running statistics of batch normalization away from the checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RunningStatistics {
    /// Those of the checkpoint; along directions to other networks they are interpolated as the weights are.
    #[default]
    #[schemars(title = "as the weights")]
    Moved,
    /// Those of the checkpoint everywhere.
    #[schemars(title = "kept")]
    Kept,
    /// Computed anew at every point: the mean of those of batches, as in PyTorch with momentum `None`.
    #[schemars(title = "estimated")]
    Estimated,
}

impl Default for Landscape {
    /// The robust loss along a random direction, of a checkpoint that is still to be chosen.
    fn default() -> Self {
        let usual = serde_json::json!({ "checkpoint": "", "direction": "random", "loss": "robust" });
        serde_json::from_value(usual).expect("what has to be given is given")
    }
}

impl Landscape {
    /// The directions, x first.
    pub fn kinds(&self) -> impl Iterator<Item = &DirectionKind> {
        std::iter::once(&self.direction).chain(&self.second)
    }

    /// Number of grid points.
    pub fn cells(&self) -> usize {
        if self.second.is_some() { self.steps.saturating_mul(self.steps) } else { self.steps }
    }

    /// Steps along the directions, x first.
    pub fn axes(&self) -> Vec<Vec<f64>> {
        self.ranges().into_iter().map(|range| range.steps(self.steps)).collect()
    }

    fn ranges(&self) -> Vec<Range> {
        let usual = |kind: &DirectionKind| {
            let (from, to) = kind.usual_range();
            Range { from, to }
        };
        let first = self.range.unwrap_or_else(|| usual(&self.direction));
        let second = self.second.as_ref().map(|second| {
            // A range that is given for the first holds for both, unless step 1 means something else along the second.
            let both = self.range.filter(|_| !second.has_length() || self.direction.has_length());
            self.second_range.or(both).unwrap_or_else(|| usual(second))
        });
        std::iter::once(first).chain(second).collect()
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the setting, its value and what is allowed.
    pub fn check(&self) -> Result<()> {
        let wrong = |place: &str, text: String| Err(Error::invalid(text).about(place));
        if self.steps < 3 {
            return wrong("steps", format!("steps {} is not possible; use 3 or more", self.steps));
        }
        if self.cells() > MOST_CELLS {
            let side = MOST_CELLS.isqrt();
            return wrong(
                "steps",
                format!(
                    "steps {} make too many grid points; use at most {MOST_CELLS} of them, {side} by {side}",
                    self.steps
                ),
            );
        }
        if !(self.radius.is_finite() && self.radius > 0.0) {
            return wrong("radius", format!("radius {} is not possible; use a positive number", self.radius));
        }
        if !(self.search_radius.is_finite() && self.search_radius > 0.0) {
            return wrong(
                "search_radius",
                format!("weight radius {} is not possible; use a positive number", self.search_radius),
            );
        }
        if self.second.as_ref() == Some(&self.direction) {
            let text = format!(
                "{} is the first direction, too; choose another one, such as random:1",
                self.direction
            );
            return wrong("second", text);
        }
        for (place, kind) in ["direction", "second"].into_iter().zip(self.kinds()) {
            if matches!(kind, DirectionKind::Component(_)) && self.trajectory.is_none() {
                return wrong(
                    place,
                    format!("{kind} is one of a training's snapshots; give its folder with trajectory"),
                );
            }
        }
        self.check_draws()?;
        self.check_savings()?;
        if self.eigenvalues > MOST_EIGENVALUES {
            let text = format!(
                "eigenvalues {} is not possible; use {MOST_EIGENVALUES} or fewer at each end",
                self.eigenvalues
            );
            return wrong("eigenvalues", text);
        }
        if let Some((place, kind)) =
            ["direction", "second"].into_iter().zip(self.kinds()).find(|(_, kind)| kind.moves_images())
        {
            if self.loss != LandscapeLoss::Clean {
                let text = format!(
                    "{kind} moves the images, which an attack would move again; use --loss clean, or another direction"
                );
                return wrong(place, text);
            }
            if self.trajectory.is_some() {
                let text =
                    format!("{kind} moves the images, and a trajectory lies among weights; leave one out");
                return wrong(place, text);
            }
        }
        if self.kinds().any(DirectionKind::is_searched) {
            self.search.check().map_err(|error| error.about("search"))?;
        }
        if self.kinds().any(|kind| matches!(kind, DirectionKind::Joint(_))) {
            self.search.check_joint().map_err(|error| error.about("search"))?;
        }
        if self.attacks() {
            self.attack.check().map_err(|error| error.about("attack"))?;
        }
        Ok(())
    }

    /// Whether there is an attack on inputs.
    pub fn attacks(&self) -> bool {
        self.loss != LandscapeLoss::Clean
            || self.kinds().any(|kind| kind.moves_images() || matches!(kind, DirectionKind::Joint(_)))
    }

    fn check_draws(&self) -> Result<()> {
        match self.draws {
            0 => Err(Error::invalid("draws 0 is not possible; use 1 or more").about("draws")),
            1 => Ok(()),
            2..=1000 if !self.kinds().all(DirectionKind::is_drawn) => {
                let fixed = self.kinds().find(|kind| !kind.is_drawn()).expect("one is");
                let text =
                    format!("draws {} is not possible: {fixed} is always the same direction", self.draws);
                Err(Error::invalid(format!("{text}; leave draws out, or use random")).about("draws"))
            }
            2..=1000 if self.trajectory.is_some() => Err(Error::invalid(
                "a trajectory is drawn into one plane; leave out draws, or the trajectory",
            )
            .about("draws")),
            2..=1000 => Ok(()),
            _ => Err(Error::invalid(format!("draws {} is not possible; use 1000 or fewer", self.draws))
                .about("draws")),
        }
    }

    fn check_savings(&self) -> Result<()> {
        let wrong = |place: &str, text: &str| Err(Error::invalid(text).about(place));
        match (self.refine, self.warm) {
            (Some(share), _) if !(share > 0.0 && share < 1.0) => wrong(
                "refine",
                &format!("refine {share} is not possible; use a share of the height such as 0.01"),
            ),
            (_, Some(0)) => wrong("warm", "warm 0 is not possible; use 1 or more steps, such as 3"),
            (_, Some(_)) if self.loss != LandscapeLoss::Robust => wrong(
                "warm",
                "warm steps are for the robust loss, which is attacked at every point; leave warm out",
            ),
            (_, Some(_)) if self.reduced => wrong(
                "reduced",
                "warm attacks and reduced precision are checked on points of their own; choose one",
            ),
            _ if self.reduced && self.compute.precision == Precision::F64 => wrong(
                "reduced",
                "reduced precision is for float32; leave it out, or leave out the precision f64",
            ),
            (Some(_), Some(_)) => wrong(
                "warm",
                "warm goes from point to neighbouring point, and refine leaves points out; choose one",
            ),
            _ => Ok(()),
        }
    }
}
