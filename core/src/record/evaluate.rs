//! The numbers of an evaluation.

use serde::{Deserialize, Serialize};

/// Loss and error on clean images and under attack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// On the images as they are.
    pub clean: Evaluated,
    /// Under attack: the worst restart per example.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub robust: Option<Evaluated>,
}

/// Loss and error of one set of inputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluated {
    /// Mean of `-log(p + 1e-12)` (natural logarithm, `p` the probability of the true class): at most 27.631.
    pub loss: f64,
    /// Share of examples that are wrong, 0 to 1. Robust: wrong clean or attacked.
    pub error: f64,
    /// Further metrics; absent in records of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Box<Metrics>>,
    /// One entry per example, in the order of the selection.
    pub per_example: PerExample,
}

/// What loss and error do not tell. A number that nothing is there to compute from is absent.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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

/// Columns, one entry per example.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PerExample {
    /// Index in the split.
    pub index: Vec<usize>,
    /// True class.
    pub label: Vec<i64>,
    /// `-log(p + 1e-12)` of the true class: at most 27.631.
    pub loss: Vec<f32>,
    /// Predicted class.
    pub predicted: Vec<i64>,
    /// Probability of the predicted class.
    pub confidence: Vec<f32>,
}
