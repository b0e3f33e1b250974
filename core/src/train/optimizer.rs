//! Optimizers on the flat buffer of trainable weights: a step is a handful of operations on one vector.
//!
//! Weight decay is added to the gradient of all trainable weights, biases and normalization included, as in
//! the paper (frozen whitening has no part in training).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::schedule::Rate;
use crate::error::{Error, Result};

/// Which optimizer, with its settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Optimizer {
    /// Stochastic gradient descent: `b = m b + g`, `w = w - lr (g + m b)` with Nesterov's momentum, else
    /// `w - lr b`.
    Sgd {
        /// Learning rate.
        learning_rate: f64,
        /// Momentum `m`, in `[0, 1)`.
        momentum: f64,
        /// Nesterov's momentum.
        nesterov: bool,
        /// Times the weights is added to the gradient.
        weight_decay: f64,
    },
    /// Adam (Kingma & Ba 2015), weight decay in the gradient.
    Adam {
        /// Learning rate.
        learning_rate: f64,
        /// Decay of the mean of gradients.
        #[serde(default = "usual_beta1")]
        beta1: f64,
        /// Decay of the mean of squares.
        #[serde(default = "usual_beta2")]
        beta2: f64,
        /// Added to the root of the mean of squares.
        #[serde(default = "usual_epsilon")]
        epsilon: f64,
        /// Times the weights is added to the gradient.
        weight_decay: f64,
    },
    /// Entropy-SGD (Chaudhari et al. 2017): every step follows the mean of a short Langevin walk.
    EntropySgd(EntropySgd),
}

fn usual_beta1() -> f64 {
    0.9
}

fn usual_beta2() -> f64 {
    0.999
}

fn usual_epsilon() -> f64 {
    1e-8
}

/// Settings of Entropy-SGD.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct EntropySgd {
    /// Learning rate of the outer step.
    pub learning_rate: f64,
    /// Momentum of both loops. 0 in the paper's runs.
    pub momentum: f64,
    /// Nesterov's momentum.
    pub nesterov: bool,
    /// Times the weights is added to the gradient, in both loops.
    pub weight_decay: f64,
    /// Steps of the walk (`L`); each takes a batch of its own.
    pub inner_steps: usize,
    /// Step size of the walk.
    pub inner_learning_rate: f64,
    /// Size of the walk's noise.
    pub noise: f64,
    /// How strongly the walk is pulled back, at first.
    pub scope: f64,
    /// Relative growth of the scope per step. The paper's program never advances it (`as_in_paper`).
    pub scoping: f64,
    /// Weight of the past in the mean of the walk.
    pub averaging: f64,
}

impl Default for EntropySgd {
    fn default() -> Self {
        Self {
            learning_rate: 0.05,
            momentum: 0.0,
            nesterov: true,
            weight_decay: 5e-4,
            inner_steps: 1,
            inner_learning_rate: 0.1,
            noise: 1e-4,
            scope: 1e-4,
            scoping: 1e-3,
            averaging: 0.75,
        }
    }
}

impl Default for Optimizer {
    /// The paper's: learning rate 0.05, Nesterov's momentum 0.9, weight decay 0.0005.
    fn default() -> Self {
        Self::Sgd { learning_rate: 0.05, momentum: 0.9, nesterov: true, weight_decay: 5e-4 }
    }
}

impl Optimizer {
    /// The paper's Adam with a learning rate.
    pub fn adam(learning_rate: f64) -> Self {
        let (beta1, beta2, epsilon) = (usual_beta1(), usual_beta2(), usual_epsilon());
        Self::Adam { learning_rate, beta1, beta2, epsilon, weight_decay: 5e-4 }
    }

    /// The learning rate before any schedule.
    pub fn learning_rate(&self) -> f64 {
        match self {
            Self::Sgd { learning_rate, .. } | Self::Adam { learning_rate, .. } => *learning_rate,
            Self::EntropySgd(entropy) => entropy.learning_rate,
        }
    }

    /// Batches one step takes.
    pub fn batches_per_step(&self) -> u64 {
        match self {
            Self::EntropySgd(entropy) => 1 + entropy.inner_steps as u64,
            _ => 1,
        }
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the setting and what is allowed.
    pub fn check(&self) -> Result<()> {
        let within = |what: &str, value: f64, good: bool, allowed: &str| {
            if good {
                return Ok(());
            }
            Err(Error::invalid(format!("{what} {value} is not possible; use {allowed}")))
        };
        let rate = |value: f64| {
            within(
                "learning rate",
                value,
                value > 0.0 && value.is_finite(),
                "a positive number, such as 0.05",
            )
        };
        let decay = |value: f64| {
            within(
                "weight decay",
                value,
                value >= 0.0 && value.is_finite(),
                "a number of at least 0, such as 0.0005",
            )
        };
        let share = |what: &str, value: f64| {
            within(what, value, (0.0..1.0).contains(&value), "a number from 0 up to, but not including, 1")
        };
        rate(self.learning_rate())?;
        match self {
            Self::Sgd { momentum, weight_decay, .. } => {
                share("momentum", *momentum).and(decay(*weight_decay))
            }
            Self::Adam { beta1, beta2, epsilon, weight_decay, .. } => {
                share("beta1", *beta1).and(share("beta2", *beta2)).and(decay(*weight_decay))?;
                within("epsilon", *epsilon, *epsilon > 0.0, "a small positive number, such as 1e-8")
            }
            Self::EntropySgd(entropy) => {
                share("momentum", entropy.momentum).and(share("averaging", entropy.averaging))?;
                decay(entropy.weight_decay)?;
                rate(entropy.inner_learning_rate)?;
                for (what, value) in
                    [("noise", entropy.noise), ("scope", entropy.scope), ("scoping", entropy.scoping)]
                {
                    within(what, value, value >= 0.0 && value.is_finite(), "a number of at least 0")?;
                }
                Ok(())
            }
        }
    }
}

/// What an optimizer remembers between steps: vectors as long as the trainable weights.
#[derive(Debug, Default)]
pub struct Memory {
    /// Momentum buffer (SGD, Entropy-SGD) or mean of gradients (Adam).
    pub first: Option<Tensor>,
    /// Mean of squared gradients (Adam).
    pub second: Option<Tensor>,
    /// Steps done.
    pub steps: u64,
}

/// Moves `weights` in place by one step along `gradient`, both flat.
///
/// Entropy-SGD's outer step is SGD's; its walk is in `entropy.rs`.
pub fn step(optimizer: &Optimizer, memory: &mut Memory, weights: &Tensor, gradient: &Tensor, rate: Rate) {
    let _guard = tch::no_grad_guard();
    memory.steps += 1;
    match optimizer {
        Optimizer::Sgd { momentum, nesterov, weight_decay, .. } => {
            let momentum = rate.momentum.unwrap_or(*momentum);
            sgd(&mut memory.first, weights, gradient, rate.learning_rate, momentum, *nesterov, *weight_decay);
        }
        Optimizer::EntropySgd(e) => {
            let (momentum, decay) = (e.momentum, e.weight_decay);
            sgd(&mut memory.first, weights, gradient, rate.learning_rate, momentum, e.nesterov, decay);
        }
        Optimizer::Adam { beta1, beta2, epsilon, weight_decay, .. } => {
            let gradient = decayed(gradient, weights, *weight_decay);
            let mut first = memory.first.take().unwrap_or_else(|| weights.zeros_like());
            let mut second = memory.second.take().unwrap_or_else(|| weights.zeros_like());
            let _ = first.g_mul_scalar_(*beta1).g_add_(&(&gradient * (1.0 - beta1)));
            let _ = second.g_mul_scalar_(*beta2).g_add_(&(&gradient * &gradient * (1.0 - beta2)));
            let correction = |beta: f64| 1.0 - beta.powi(memory.steps as i32);
            let root = second.sqrt() / correction(*beta2).sqrt() + *epsilon;
            let _ = weights
                .shallow_clone()
                .g_sub_(&((&first / root) * (rate.learning_rate / correction(*beta1))));
            (memory.first, memory.second) = (Some(first), Some(second));
        }
    }
}

/// The gradient with weight decay.
pub(super) fn decayed(gradient: &Tensor, weights: &Tensor, decay: f64) -> Tensor {
    if decay > 0.0 { gradient + weights * decay } else { gradient.shallow_clone() }
}

/// The direction of SGD: updates the buffer and combines it with the gradient.
pub(super) fn with_momentum(
    buffer: &mut Option<Tensor>,
    gradient: Tensor,
    momentum: f64,
    nesterov: bool,
) -> Tensor {
    if momentum == 0.0 {
        return gradient;
    }
    let mut past = buffer.take().unwrap_or_else(|| gradient.zeros_like());
    let _ = past.g_mul_scalar_(momentum).g_add_(&gradient);
    let direction = if nesterov { gradient + &past * momentum } else { past.copy() };
    *buffer = Some(past);
    direction
}

fn sgd(
    buffer: &mut Option<Tensor>,
    weights: &Tensor,
    gradient: &Tensor,
    learning_rate: f64,
    momentum: f64,
    nesterov: bool,
    decay: f64,
) {
    let direction = with_momentum(buffer, decayed(gradient, weights, decay), momentum, nesterov);
    let _ = weights.shallow_clone().g_sub_(&(direction * learning_rate));
}
