//! Learning rate and momentum of every step, as a function of the step alone.
//!
//! `t` counts the steps done so far (0 for the first), `n` is the number of steps per epoch; formulas as in
//! PyTorch, stepped once per batch.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// How the learning rate changes during training.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Schedule {
    /// The optimizer's learning rate throughout.
    #[default]
    Constant,
    /// Times `gamma` after every epoch.
    Exponential {
        /// Factor, above 0.
        gamma: f64,
    },
    /// Times `gamma` every `epochs` epochs.
    Step {
        /// Epochs between two changes.
        epochs: usize,
        /// Factor, above 0.
        gamma: f64,
    },
    /// Times `gamma` at each milestone; a milestone that is listed twice counts twice.
    MultiStep {
        /// Epochs at whose beginning the rate changes.
        milestones: Vec<usize>,
        /// Factor, above 0.
        gamma: f64,
    },
    /// Triangles between two rates (PyTorch's `CyclicLR`): linear from `low` to `high` in `up` epochs and
    /// back in `down` epochs, while the momentum of SGD goes from 0.9 to 0.8 and back. Replaces the
    /// optimizer's own learning rate.
    Cyclic {
        /// Rate at the beginning of a cycle; 0 in the paper, so that its first step changes nothing.
        #[serde(default)]
        low: f64,
        /// Rate at the peak; 0.2 in the paper.
        #[serde(default = "usual_peak")]
        high: f64,
        /// Epochs from low to high; 15 in the paper.
        #[serde(default = "half_a_cycle")]
        up: usize,
        /// Epochs from high to low; 15 in the paper.
        #[serde(default = "half_a_cycle")]
        down: usize,
    },
}

fn usual_peak() -> f64 {
    0.2
}

fn half_a_cycle() -> usize {
    Schedule::CYCLE / 2
}

/// What an optimizer is told for one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Learning rate.
    pub learning_rate: f64,
    /// Momentum that replaces the optimizer's own, if the schedule cycles it.
    pub momentum: Option<f64>,
}

impl Schedule {
    /// Epochs of the paper's cycle.
    pub const CYCLE: usize = 30;

    /// The paper's cycle.
    pub fn cycle() -> Self {
        Self::Cyclic { low: 0.0, high: usual_peak(), up: half_a_cycle(), down: half_a_cycle() }
    }

    /// The paper's default for a number of epochs: a tenth after two, three and four fifths of them.
    pub fn fifths(epochs: usize) -> Self {
        Self::MultiStep { milestones: [2, 3, 4].map(|k| k * epochs / 5).to_vec(), gamma: 0.1 }
    }

    /// The rate of step `t`, for an optimizer whose own learning rate is `base`.
    pub fn rate(&self, base: f64, t: u64, steps_per_epoch: u64) -> Rate {
        let plain = |learning_rate| Rate { learning_rate, momentum: None };
        let epoch = t / steps_per_epoch;
        match self {
            Self::Constant => plain(base),
            Self::Exponential { gamma } => plain(base * gamma.powi(epoch as i32)),
            Self::Step { epochs, gamma } => plain(base * gamma.powi((epoch / *epochs as u64) as i32)),
            Self::MultiStep { milestones, gamma } => {
                let passed = milestones.iter().filter(|milestone| **milestone as u64 <= epoch).count();
                plain(base * gamma.powi(passed as i32))
            }
            Self::Cyclic { low, high, up, down } => {
                let (up, down) =
                    ((*up as u64 * steps_per_epoch) as f64, (*down as u64 * steps_per_epoch) as f64);
                let within = (t as f64 / (up + down)).fract();
                let peak = up / (up + down);
                let height = if within <= peak { within / peak } else { (within - 1.0) / (peak - 1.0) };
                Rate { learning_rate: low + (high - low) * height, momentum: Some(0.9 - 0.1 * height) }
            }
        }
    }

    /// The same course over another number of epochs; what falls between epochs waits for the next.
    pub fn scaled(&self, from: usize, to: usize) -> Self {
        let scale = |epochs: usize| (epochs * to).div_ceil(from.max(1));
        match self {
            Self::MultiStep { milestones, gamma } => {
                Self::MultiStep { milestones: milestones.iter().map(|m| scale(*m)).collect(), gamma: *gamma }
            }
            Self::Step { epochs, gamma } => Self::Step { epochs: scale(*epochs), gamma: *gamma },
            Self::Cyclic { low, high, up, down } => {
                // Whole cycles stay whole: an odd one falls for longer than it rises.
                let cycle = up + down;
                let length = scale(cycle);
                let rise = (up * length / cycle.max(1)).clamp(1, length.max(2) - 1);
                Self::Cyclic { low: *low, high: *high, up: rise, down: length.saturating_sub(rise).max(1) }
            }
            Self::Constant | Self::Exponential { .. } => self.clone(),
        }
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the setting and what is allowed.
    pub fn check(&self) -> Result<()> {
        let factor = |gamma: f64| {
            if gamma > 0.0 && gamma.is_finite() {
                Ok(())
            } else {
                Err(Error::invalid(format!(
                    "a schedule's gamma of {gamma} is not possible; use a positive number, such as 0.1"
                )))
            }
        };
        let whole = |what: &str, epochs: usize| {
            if epochs > 0 {
                Ok(())
            } else {
                Err(Error::invalid(format!("a schedule's {what} of 0 epochs is not possible; use 1 or more")))
            }
        };
        match self {
            Self::Constant => Ok(()),
            Self::Exponential { gamma } | Self::MultiStep { gamma, .. } => factor(*gamma),
            Self::Step { epochs, gamma } => whole("step", *epochs).and(factor(*gamma)),
            Self::Cyclic { low, high, up, down } => {
                whole("rise", *up).and(whole("fall", *down))?;
                if *low >= 0.0 && high > low && high.is_finite() {
                    return Ok(());
                }
                Err(Error::invalid(format!(
                    "a cyclic schedule from {low} to {high} is not possible; use 0 <= low < high"
                )))
            }
        }
    }
}
