//! Training against perturbed weights: adversarial weight perturbation (Wu et al. 2020, in the paper's form),
//! random perturbations, and sharpness-aware minimization (Foret et al. 2021; adaptive: Kwon et al. 2021).
//!
//! SAM moves every trainable weight.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::attack::weights::{Ball, Descent, Sampling, Tensors};
use crate::error::{Error, Result};

/// Which weights the gradient is taken at.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Sharpness {
    /// The network's own.
    #[default]
    None,
    /// Perturbed by an attack; the mean of the gradients of several perturbations.
    Awp(Awp),
    /// Moved by `radius` along the gradient, or along the gradient scaled by the weights' sizes.
    Sam {
        /// Euclidean length of the move (adaptive: in units of the weights).
        radius: f64,
        /// Adaptive SAM: nearly invariant to rescaling of the weights.
        adaptive: bool,
    },
}

/// Adversarial (or random) weight perturbation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Awp {
    /// How weights are perturbed.
    pub attack: WeightAttack,
    /// Which tensors; those of an auxiliary head never.
    pub tensors: Tensors,
    /// Perturbations per step.
    pub population: usize,
    /// When they are used.
    pub curriculum: Curriculum,
    /// Every entry of each perturbation's gradient is clamped to plus or minus this.
    pub gradient_clamp: Option<f64>,
}

impl Default for Awp {
    fn default() -> Self {
        Self {
            attack: WeightAttack::default(),
            tensors: Tensors::NoBias,
            population: 1,
            curriculum: Curriculum::Constant,
            gradient_clamp: Some(0.05),
        }
    }
}

/// How many perturbations a step uses.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Curriculum {
    /// The population, from the first step on.
    #[default]
    Constant,
    /// None in the first step, then one, whatever the population: the paper's `simple`.
    Simple,
    /// The population once the adversarial loss of the step before was below this, else none: the paper's
    /// `threshold`, at 2.1.
    Threshold(f64),
}

impl Curriculum {
    /// Perturbations of the next step, after one with this adversarial loss (none: before the first).
    pub fn next(self, population: usize, loss: Option<f64>) -> usize {
        match (self, loss) {
            (Self::Constant, _) => population,
            (Self::Simple, loss) => usize::from(loss.is_some()),
            (Self::Threshold(below), Some(loss)) if loss < below => population,
            (Self::Threshold(_), _) => 0,
        }
    }
}

/// A perturbation of the weights on one batch of adversarial examples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum WeightAttack {
    /// Gradient ascent on the method's own loss (of TRADES and MART the whole of it, and with labels as they are); each of
    /// its epochs is one step, as there is one batch.
    Descent {
        /// The ascent.
        #[serde(default)]
        descent: Descent,
        /// Where it starts and what it is kept in; none: neither.
        #[serde(default)]
        ball: Option<Ball>,
    },
    /// A random draw.
    Random {
        /// The ball it is drawn from.
        ball: Ball,
        /// How.
        #[serde(default)]
        sampling: Sampling,
    },
}

impl Default for WeightAttack {
    /// One step of relative size 0.005 in every layer.
    fn default() -> Self {
        let descent = Descent { epochs: 1, step_size: 0.005, start: None, ..Descent::default() };
        Self::Descent { descent, ball: Some(Ball::layerwise(0.005)) }
    }
}

impl Sharpness {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the setting and what is allowed.
    pub fn check(&self) -> Result<()> {
        let positive = |what: &str, value: f64| {
            if value > 0.0 && value.is_finite() {
                return Ok(());
            }
            Err(Error::invalid(format!("{what} {value} is not possible; use a positive number")))
        };
        match self {
            Self::None => Ok(()),
            Self::Sam { radius, .. } => positive("the radius of SAM", *radius),
            Self::Awp(awp) => {
                if awp.population == 0 {
                    return Err(Error::invalid("population 0 is not possible; use 1 or more"));
                }
                if let Some(clamp) = awp.gradient_clamp {
                    positive("gradient clamp", clamp)?;
                }
                match &awp.attack {
                    WeightAttack::Random { ball, .. } => ball.check(),
                    WeightAttack::Descent { descent, ball } => {
                        if descent.epochs == 0 {
                            return Err(Error::invalid(
                                "0 epochs of the weight attack are not possible; use 1 or more",
                            ));
                        }
                        if descent.start.is_some() && ball.is_none() {
                            return Err(Error::invalid(
                                "a random start of the weight attack needs a ball; give one, or no start",
                            ));
                        }
                        ball.as_ref().map_or(Ok(()), Ball::check).and(descent.check())
                    }
                }
            }
        }
    }
}

/// The same number, but never 0, to divide by.
fn nonzero(norm: &Tensor) -> Tensor {
    norm.clamp_min(f64::from(f32::MIN_POSITIVE))
}

/// Added to the sizes of weights by adaptive SAM, so that those near 0 move, too: `eta` of Kwon et al. 2021, with its value.
const ETA: f64 = 0.01;

/// SAM's move of the trainable weights for a gradient `g`: `radius g / |g|`. Adaptive, `radius T^2 g / |T g|` with `T`
/// the diagonal of `|w| + 0.01` (Kwon et al. 2021). `acting` are the weights as
/// they act in the network, so that the move does not depend on how a scale is stored; biases are weights like others
/// (in the authors' program their `T` is 1).
pub(super) fn sam_step(acting: &Tensor, gradient: &Tensor, radius: f64, adaptive: bool) -> Tensor {
    if adaptive {
        let sizes = acting.abs() + ETA;
        let scaled = &sizes * gradient;
        &sizes * &scaled * (nonzero(&scaled.norm()).reciprocal() * radius)
    } else {
        gradient * (nonzero(&gradient.norm()).reciprocal() * radius)
    }
}
