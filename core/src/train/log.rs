//! What training says about itself: lines of the log, and events for whoever watches.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::statistics::{TensorStatistics, number};

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[expect(clippy::large_enum_variant, reason = "lines are written and read one by one")]
pub enum LogLine {
    /// Some steps.
    Steps(Steps),
    /// The end of an epoch.
    Epoch(Epoch),
}

/// Means over a group of steps. Epochs and steps count from 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Steps {
    /// Epoch of the steps.
    pub epoch: u64,
    /// Number of the step after the last of them: so many steps are done.
    pub step: u64,
    /// How many steps.
    pub count: u64,
    /// Learning rate of the last of them.
    pub learning_rate: f64,
    /// Its momentum, where the schedule sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub momentum: Option<f64>,
    /// Mean number of weight perturbations, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub population: Option<f64>,
    /// Means of what the steps report, e.g. `loss`, `robust_loss`, `robust_error`, `clean_error`.
    #[serde(deserialize_with = "numbers")]
    #[schemars(with = "BTreeMap<String, Option<f64>>")]
    pub values: BTreeMap<String, f64>,
}

/// An epoch. Epochs count from 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Epoch {
    /// Which.
    pub epoch: u64,
    /// Steps done since the beginning.
    pub step: u64,
    /// Learning rate of its last step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
    /// Means over the epoch's steps, of the losses that training looks at: on augmented images, under its own attack, to
    /// its own labels.
    #[serde(deserialize_with = "numbers")]
    #[schemars(with = "BTreeMap<String, Option<f64>>")]
    pub train: BTreeMap<String, f64>,
    /// On the test images.
    pub test: Scores,
    /// On a fixed part of the training images, measured like `test`; none: not asked for, or written before there was such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train_scores: Option<Scores>,
    /// The running average on the test images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average: Option<Scores>,
    /// On the held-out images, under their attack with several restarts, when a snapshot was taken and early stopping asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out: Option<Scores>,
    /// Statistics of weights and gradients in its last step, where they are asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tensors: Vec<TensorStatistics>,
    /// Seconds of training and testing since the beginning.
    pub seconds: f64,
}

/// Loss and error, clean and under attack. The loss is the mean of `-log(p + 1e-12)`, at most 27.631.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Scores {
    /// Number of images.
    pub examples: usize,
    /// Clean loss.
    #[serde(deserialize_with = "number")]
    #[schemars(with = "Option<f64>", required)]
    pub loss: f64,
    /// Clean error.
    #[serde(deserialize_with = "number")]
    #[schemars(with = "Option<f64>", required)]
    pub error: f64,
    /// Mean probability of the predicted class.
    #[serde(deserialize_with = "number")]
    #[schemars(with = "Option<f64>", required)]
    pub confidence: f64,
    /// Loss under attack.
    #[serde(deserialize_with = "number")]
    #[schemars(with = "Option<f64>", required)]
    pub robust_loss: f64,
    /// Share of images that are wrong clean or under attack.
    #[serde(deserialize_with = "number")]
    #[schemars(with = "Option<f64>", required)]
    pub robust_error: f64,
}

impl Epoch {
    /// The robust generalization gap: robust loss on test images minus that on training images, measured alike.
    pub fn robust_gap(&self) -> Option<f64> {
        let gap = self.test.robust_loss - self.train_scores?.robust_loss;
        gap.is_finite().then_some(gap)
    }
}

/// Means of groups, weighted by their steps.
pub fn means<'a>(groups: impl IntoIterator<Item = &'a Steps>) -> BTreeMap<String, f64> {
    let mut sums: BTreeMap<String, (f64, u64)> = BTreeMap::new();
    for group in groups {
        for (name, value) in &group.values {
            let sum = sums.entry(name.clone()).or_default();
            sum.0 += value * group.count as f64;
            sum.1 += group.count;
        }
    }
    sums.into_iter().map(|(name, (sum, count))| (name, sum / count as f64)).collect()
}

fn numbers<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, f64>, D::Error> {
    let numbers = BTreeMap::<String, Option<f64>>::deserialize(from)?;
    Ok(numbers.into_iter().map(|(name, value)| (name, value.unwrap_or(f64::NAN))).collect())
}
