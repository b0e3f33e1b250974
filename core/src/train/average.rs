//! A running average of the weights.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::learner::Learner;
use super::settings::Train;
use crate::error::{Error, Result};

/// A running average of the weights: `a = d a + (1 - d) w` after every step, with the decay `d` of [`Average::decay`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "Written")]
#[schemars(!from)]
pub struct Average {
    /// Weight of the past, in `[0, 1)`.
    pub tau: f64,
    /// Where its batch normalization statistics come from.
    pub statistics: Statistics,
    /// Forget the first weights: the decay of update `t`, counted from 0, is `min(tau, (1 + t) / (10 + t))`. Where it is
    /// not given, an average with averaged statistics has it, and the paper's, with the newest ones, does not.
    pub warm_up: bool,
}

/// As it stands in JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default = "usual_tau")]
    tau: f64,
    #[serde(default)]
    statistics: Statistics,
    warm_up: Option<bool>,
}

fn usual_tau() -> f64 {
    0.9975
}

impl From<Written> for Average {
    fn from(written: Written) -> Self {
        let Written { tau, statistics, warm_up } = written;
        Self { tau, statistics, warm_up: warm_up.unwrap_or(statistics == Statistics::Averaged) }
    }
}

/// Batch normalization statistics of averaged weights. At the end of training they are also calibrated:
/// computed anew from one pass over the training images, as the mean over its batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Statistics {
    /// The network's own, newest ones: the paper's way.
    #[default]
    Newest,
    /// Averaged like the weights, as in current robust training.
    Averaged,
}

impl Default for Average {
    /// The paper's, without warm-up.
    fn default() -> Self {
        Self { tau: usual_tau(), statistics: Statistics::Newest, warm_up: false }
    }
}

impl Average {
    /// The exponential moving average of current robust training (Rebuffi et al. 2021): weights and statistics, with
    /// warm-up.
    pub fn ema(tau: f64) -> Self {
        Self { tau, statistics: Statistics::Averaged, warm_up: true }
    }

    /// The decay of update `update`, counted from 0.
    pub fn decay(&self, update: u64) -> f64 {
        let update = update as f64;
        if self.warm_up { self.tau.min((1.0 + update) / (10.0 + update)) } else { self.tau }
    }

    /// The weight that the network before the first step has in the average after so many updates: the product of their
    /// decays.
    pub fn share_of_start(&self, updates: u64) -> f64 {
        // With warm-up, the decays are below tau up to this update.
        let warm =
            if self.warm_up { ((10.0 * self.tau - 1.0) / (1.0 - self.tau)).max(0.0) as u64 + 1 } else { 0 };
        let warm = warm.min(updates);
        let logarithm: f64 = (0..warm).map(|update| self.decay(update).ln()).sum();
        (logarithm + (updates - warm) as f64 * self.tau.ln()).exp()
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming tau, its value and what is allowed.
    pub fn check(&self) -> Result<()> {
        if (0.0..1.0).contains(&self.tau) {
            return Ok(());
        }
        let tau = self.tau;
        Err(Error::invalid(format!(
            "tau {tau} is not possible; use a number from 0 up to, but not including, 1"
        )))
    }
}

/// More of the start than this in the average at the end is worth a warning.
const MUCH_OF_START: f64 = 0.05;

impl Train {
    /// What is wrong with an average that ends before it has forgotten the network it began with; none: nothing.
    pub fn average_warning(&self) -> Option<String> {
        let average = self.average.as_ref()?;
        let steps = self.steps_in_epoch() * self.epochs as u64;
        let share = average.share_of_start(steps);
        (share > MUCH_OF_START).then(|| {
            let remedy = match average.warm_up {
                true => "use a smaller average.tau, or more epochs",
                false => "use average.warm_up=true, a smaller average.tau, or more epochs",
            };
            format!(
                "after all {steps} steps {:.0} % of the running average is still the network before the first one; {remedy}",
                100.0 * share
            )
        })
    }
}

/// Averaged weights and the statistics that go with them.
#[derive(Debug)]
pub struct RunningAverage {
    /// As long as all weights.
    pub flat: Tensor,
    /// In the order of the learner's.
    pub buffers: Vec<(String, Tensor)>,
}

impl RunningAverage {
    /// Begins with the network as it is.
    pub fn new(learner: &Learner) -> Self {
        Self {
            flat: learner.weights().flat().copy(),
            buffers: learner.buffers().iter().map(|(name, buffer)| (name.clone(), buffer.copy())).collect(),
        }
    }

    /// Takes in the network as it is now, with this weight of the past. Counts go up by one.
    pub fn update(&mut self, learner: &Learner, statistics: Statistics, decay: f64) {
        let _guard = tch::no_grad_guard();
        let mix = |average: &Tensor, new: &Tensor| {
            let _ = average.shallow_clone().g_mul_scalar_(decay).g_add_(&(new * (1.0 - decay)));
        };
        mix(&learner.trainable_part(&self.flat), &learner.trainable());
        for ((_, average), (_, new)) in self.buffers.iter_mut().zip(learner.buffers()) {
            if !average.is_floating_point() {
                let _ = average.g_add_scalar_(1);
            } else if statistics == Statistics::Newest {
                average.copy_(new);
            } else {
                mix(average, new);
            }
        }
    }
}
