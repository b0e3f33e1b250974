//! The numbers of an evaluation.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::measure::rows::{PerExample, Point};

/// Loss and error on clean images and under attack.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Evaluation {
    /// On the images as they are.
    pub clean: Evaluated,
    /// Under attack: per example the worst attempt, that is the worst restart of the worst attack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub robust: Option<Evaluated>,
    /// Of several, or with a log of iterations, every attempt by itself: the restarts of the first attack, then those of
    /// the next.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// Of several attempts: what one of them finds on average.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average: Option<AttemptAverage>,
    /// Of several attacks: each by itself at its worst restarts, in the order of the job.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub per_attack: Vec<Point>,
    /// Where the adversarial examples come from, if they were not made for this network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<ExampleSource>,
    /// Name of the file beside the record with the probabilities of all classes, see [`super::Probabilities`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probabilities: Option<String>,
}

/// One restart of one attack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// Index of the attack in the job, from 0.
    pub attack: usize,
    /// Number of the restart, from 0.
    pub restart: usize,
    /// Mean loss at its adversarial examples.
    pub loss: f64,
    /// Share of examples that are wrong, clean or at its adversarial examples.
    pub error: f64,
    /// How the attack went, if that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<AttackSteps>,
}

/// Means over the examples at every iteration of an attack, as the searching network sees them.
///
/// The first entry is the projected start, the last the point after the last update. They are of the points that the
/// attack visits, whereas the attack returns the best one per example.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct AttackSteps {
    /// Mean of what the attack maximizes.
    pub objective: Vec<f64>,
    /// Mean of `-log(p + 1e-12)`.
    pub loss: Vec<f64>,
    /// Share of examples that are misclassified.
    pub error: Vec<f64>,
}

/// Mean and spread over attempts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AttemptAverage {
    /// Of the mean loss.
    pub loss: Spread,
    /// Of the error.
    pub error: Spread,
}

/// Mean and spread of a number over attempts.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Spread {
    /// Mean.
    pub mean: f64,
    /// Standard deviation between attempts, divided by their number minus 1.
    pub deviation: f64,
    /// Smallest.
    pub lowest: f64,
    /// Largest.
    pub highest: f64,
}

/// Adversarial examples that an earlier record kept.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ExampleSource {
    /// SHA-256 of the file of examples, hex.
    pub hash: String,
    /// Attempts in it.
    pub attempts: usize,
    /// The checkpoint that was attacked, as far as known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<PathBuf>,
    /// SHA-256 of its file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint_hash: Option<String>,
    /// The attack in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attack: Option<String>,
}

/// Loss and error of one set of inputs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Evaluated {
    /// Mean of `-log(p + 1e-12)` (natural logarithm, `p` the probability of the true class): at most 27.631. Robust: the
    /// mean of the worst attempt per example.
    pub loss: f64,
    /// Share of examples that are wrong, 0 to 1. Robust: wrong clean or in any attempt.
    pub error: f64,
    /// Further metrics; absent in records of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Box<Metrics>>,
    /// One entry per example, in the order of the selection.
    pub per_example: PerExample,
}

/// What loss and error do not tell. A number that nothing is there to compute from is absent.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Metrics {
    /// Mean probability of the predicted class.
    pub confidence: f64,
    /// Area under the receiver operating characteristic of that probability: clean, of right against wrong
    /// predictions; robust, of clean images against successful attacks. 1 with one kind only.
    pub area_under_curve: f64,
    /// Robust: share of the correct examples that the attack makes wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_rate: Option<f64>,
    /// Mean loss of the examples whose clean image is classified correctly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correct_loss: Option<f64>,
    /// Mean loss of the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrong_loss: Option<f64>,
    /// Errors if the network may abstain: predictions below a confidence are rejected.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rejecting: Vec<Rejecting>,
}

/// The error where predictions below a confidence are rejected. The last tenth of the examples chooses the
/// confidence, the others have the error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rejecting {
    /// Share of the correct clean validation examples that are kept: 0.99, 0.95, 0.9.
    pub true_positive_rate: f64,
    /// The confidence they reach.
    pub confidence: f32,
    /// Clean: share of wrong ones among the kept. Robust: among the kept and the successful attacks that are kept.
    pub error: f64,
    /// Clean: share of the wrong predictions that are kept. Robust: share of the examples that are wrong under attack
    /// and kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub false_positive_rate: Option<f64>,
}
