//! Attacks on inputs: the settings of PGD here, its ascent in [`pgd`], geometry in [`ball`] and [`l1`], what is
//! maximized in [`objective`], and the ensemble of parameter-free attacks in [`autoattack`]. Attacks on weights
//! in [`weights`].

pub mod autoattack;
pub mod ball;
pub mod l1;
pub mod names;
pub mod objective;
pub mod pgd;
mod spelling;
pub mod weights;
mod words;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::limits;
pub use crate::settings::fraction;
pub use objective::{Goal, Objective};

/// Geometry of the allowed input perturbations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum InputNorm {
    /// Every pixel value changes by at most epsilon.
    #[default]
    #[schemars(title = "L-inf")]
    Linf,
    /// The Euclidean norm of the change is at most epsilon.
    #[schemars(title = "L2")]
    L2,
    /// The absolute changes add up to at most epsilon.
    #[schemars(title = "L1")]
    L1,
    /// At most epsilon pixel values change (each channel counts).
    #[schemars(title = "L0")]
    L0,
}

impl InputNorm {
    /// A radius that is usual for CIFAR-10; for L0 a number of pixel values.
    pub fn usual_epsilon(self) -> f64 {
        match self {
            Self::Linf => 8.0 / 255.0,
            Self::L2 => 0.5,
            Self::L1 => 12.0,
            Self::L0 => 20.0,
        }
    }

    /// Checks the radius of a ball.
    ///
    /// # Errors
    /// It is no number or negative, so large that something else was meant, or no whole number in L0.
    pub fn check_epsilon(self, epsilon: f64) -> Result<()> {
        // Pixels are from 0 to 1; what is far beyond is a slip, and further still no float32 number.
        let reason = match epsilon {
            e if e > 1e6 => {
                let reason = "is beyond the upper limit; use a number from 0 to 1e6, such as 8/255";
                return Err(Error::invalid(format!("epsilon {e:e} {reason}")));
            }
            e if self == Self::Linf && e > 1.0 && e <= 255.0 => {
                format!(" in L-inf, as pixels are from 0 to 1; did you mean {e}/255?")
            }
            e if self == Self::Linf && e > 1.0 => {
                " in L-inf, as pixels are from 0 to 1; use a number such as 8/255".to_owned()
            }
            e if self == Self::L0 && e >= 0.0 && e.fract() != 0.0 => {
                " in L0, where it is how many pixel values may change, each channel of a pixel by itself; use a whole number, such as 20".to_owned()
            }
            e if e >= 0.0 => return Ok(()),
            _ => "; use a number of at least 0, such as 8/255".to_owned(),
        };
        Err(Error::invalid(format!("epsilon {epsilon} is not possible{reason}")))
    }
}

impl std::fmt::Display for InputNorm {
    /// As papers write it: `L-inf`, `L2`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Linf => "L-inf",
            Self::L2 => "L2",
            Self::L1 => "L1",
            Self::L0 => "L0",
        })
    }
}

/// Where PGD projects to before each evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Projection {
    /// Images into `[0, 1]`, then the perturbation into the ball: both hold. The paper's order.
    ///
    /// For L1 the nearest point of ball and box together (Croce and Hein, 2021): one after the other, in
    /// either order, wastes part of epsilon on entries at their end of the box, and the attack is weak.
    #[default]
    BoxThenBall,
    /// The perturbation into the ball, then images into `[0, 1]`: both hold, for L2 and L1 at another point.
    BallThenBox,
    /// The perturbation into the ball only.
    Ball,
    /// Images into `[0, 1]` only.
    Box,
    /// Nowhere: the attack is not bounded.
    None,
}

/// What a PGD step does with the gradient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum GradientRule {
    /// Steepest ascent in the norm: sign (L-inf), unit length (L2), signs of the steepest hundredth of the
    /// entries with unit L1 length (L1), the steepest entry at 1 (L0).
    #[default]
    Normalized,
    /// Divided by the largest entry (L-inf, L0) or the norm (L2, L1).
    Scaled,
    /// As it is.
    Raw,
}

/// Where PGD starts.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Start {
    /// At the image itself.
    Zero,
    /// Gaussian direction, norm uniform in (0, epsilon): the paper's choice.
    #[default]
    UniformNorm,
    /// Gaussian direction on the sphere of radius epsilon.
    UniformSphere,
    /// Gaussian direction, norm `epsilon u^(1/D)`: for L2 uniform in the ball.
    UniformBall,
    /// Every pixel uniform in (-epsilon, epsilon) (L-inf only; Madry et al.).
    Uniform,
    /// Every pixel's change uniform between two numbers.
    UniformIn(f64, f64),
}

/// Which restart is the worst for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Selection {
    /// The one of highest loss.
    #[default]
    Loss,
    /// The one of highest probability of a wrong class: the published evaluation of the paper.
    WrongClassConfidence,
}

impl Selection {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Projected gradient descent (ascent on the loss): the attack and its settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Pgd {
    /// Geometry of the ball.
    #[schemars(extend("x-flag" = "norm"))]
    pub norm: InputNorm,
    /// Radius of the ball, in pixel values from 0 to 1; fractions such as 8/255 are accepted.
    #[schemars(extend("x-usual" = "8/255 for linf, 0.5 for l2, 12 for l1, 20 values for l0", "x-flag" = "epsilon", "x-unit" = "pixel value"))]
    pub epsilon: f64,
    /// Number of updates; one more point than this is evaluated.
    #[schemars(extend("x-label" = "Iterations", "x-flag" = "attack-steps"))]
    pub steps: usize,
    /// Step size; fractions are accepted.
    #[schemars(extend("x-usual" = "0.007 for linf, 0.25 for l0, else 2.5 epsilon / steps, for l1 at least epsilon / 8", "x-flag" = "step-size", "x-unit" = "pixel value"))]
    pub step_size: f64,
    /// Independent starts; the worst per example counts.
    #[schemars(range(min = 1), extend("x-flag" = "restarts"))]
    pub restarts: usize,
    /// Which restart is the worst for an example.
    #[serde(skip_serializing_if = "Selection::is_default")]
    #[schemars(extend("default" = "loss", "x-label" = "Worst restart by", "x-flag" = "select", "x-advanced" = true))]
    pub selection: Selection,
    /// Where it starts: `zero`, `uniform-norm` (Gaussian direction, norm uniform up to epsilon: the paper's),
    /// `uniform-sphere` (norm epsilon), `uniform-ball`, `uniform` (every pixel within epsilon, linf), or
    /// `uniform:-0.1..0.1`.
    #[schemars(extend("x-flag" = "start", "x-advanced" = true))]
    pub start: Start,
    /// Where each point is projected to before it is evaluated.
    #[schemars(extend("x-flag" = "projection", "x-advanced" = true))]
    pub projection: Projection,
    /// What is maximized: `ce` (cross-entropy), `kl` or `batch-kl` (from the clean prediction, per example or summed),
    /// `dlr` (logits ratio), `smooth:0.1` (smoothed labels), or nearness to another class: `target:3`,
    /// `target:least-likely`, `target:rank-1` (the most likely wrong one).
    #[schemars(extend("x-flag" = "objective", "x-advanced" = true))]
    pub objective: Objective,
    /// What a step does with the gradient.
    #[schemars(extend("x-flag" = "gradient", "x-advanced" = true))]
    pub gradient: GradientRule,
    /// Weight of past gradients, from 0 up to 1, in `m = momentum * m + (1 - momentum) * g`.
    #[schemars(extend("x-flag" = "momentum", "x-advanced" = true))]
    pub momentum: f64,
    /// Accept a step only where it does not lower the loss; else divide that example's step size.
    #[schemars(extend("x-label" = "Backtracking", "x-flag" = "backtrack", "x-advanced" = true))]
    pub backtrack: bool,
    /// Divisor of the step size after a rejected step (backtracking only).
    #[schemars(range(min = 1), extend("x-label" = "Step size divisor", "x-flag" = "step-divisor", "x-advanced" = true))]
    pub step_divisor: f64,
    /// Weight of the norm of the perturbation in the minimized error.
    #[schemars(extend("x-flag" = "norm-penalty", "x-advanced" = true))]
    pub norm_penalty: f64,
    /// PGD-K-tau: record at most N + 1 misclassified points per example, each better than the last; none: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-flag" = "tau", "x-hint" = "none", "x-advanced" = true))]
    pub tau: Option<u32>,
}

impl Default for Pgd {
    /// PGD-20 of the paper: L-inf, epsilon 8/255, sign steps of 0.007, one restart.
    fn default() -> Self {
        Self {
            norm: InputNorm::Linf,
            epsilon: 8.0 / 255.0,
            steps: 20,
            step_size: 0.007,
            restarts: 1,
            selection: Selection::Loss,
            start: Start::UniformNorm,
            projection: Projection::BoxThenBall,
            objective: Objective::CrossEntropy,
            gradient: GradientRule::Normalized,
            momentum: 0.0,
            backtrack: false,
            step_divisor: 1.5,
            norm_penalty: 0.0,
            tau: None,
        }
    }
}

impl Pgd {
    /// A step size that is usual: the paper's for L-inf; else so that `steps` steps could cross the ball, in L1 at
    /// least epsilon / 8, as a step moves few entries and the projection takes back as much from the others.
    pub fn usual_step_size(norm: InputNorm, epsilon: f64, steps: usize) -> f64 {
        match norm {
            InputNorm::Linf => 0.007,
            // A step moves the steepest entry by this much.
            InputNorm::L0 => 0.25,
            InputNorm::L1 if epsilon > 0.0 => (2.5 * epsilon / steps.max(1) as f64).max(epsilon / 8.0),
            InputNorm::L2 if epsilon > 0.0 => 2.5 * epsilon / steps.max(1) as f64,
            InputNorm::L2 | InputNorm::L1 => 0.007,
        }
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the setting and what is allowed.
    pub fn check(&self) -> Result<()> {
        let not = |what: &str, value: f64, allowed: &str| {
            let error = Error::invalid(format!("{what} {value} is not possible; use {allowed}"));
            Err(error.about(&what.replace(' ', "_")))
        };
        self.norm.check_epsilon(self.epsilon).map_err(|error| error.about("epsilon"))?;
        if !(self.step_size > 0.0 && self.step_size <= 1e6) {
            return not("step size", self.step_size, "a positive number, such as 0.007");
        }
        if !(0.0..1.0).contains(&self.momentum) {
            return not("momentum", self.momentum, "a number from 0 up to, but not including, 1");
        }
        if !(1.0..=1e6).contains(&self.step_divisor) {
            return not("step divisor", self.step_divisor, "a number of at least 1, such as 1.5");
        }
        if !(0.0..=1e6).contains(&self.norm_penalty) {
            return not("norm penalty", self.norm_penalty, "a number of at least 0");
        }
        self.objective.check().map_err(|error| error.about("objective"))?;
        limits::at_most("steps", self.steps).map_err(|error| error.about("steps"))?;
        limits::count("restarts", self.restarts).map_err(|error| error.about("restarts"))?;
        if self.norm != InputNorm::Linf && self.start == Start::Uniform {
            return Err(Error::invalid(format!(
                "the start `uniform` is for L-inf; use uniform-norm or uniform-sphere with {}",
                self.norm
            ))
            .about("start"));
        }
        if let Start::UniformIn(min, max) = self.start
            && !(-1e6..=1e6).contains(&min) | !(-1e6..=1e6).contains(&max) | (min > max)
        {
            return Err(Error::invalid(format!(
                "the start uniform:{min}..{max} is not possible; use two numbers in order, such as uniform:-0.1..0.1"
            ))
            .about("start"));
        }
        Ok(())
    }
}
