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
    /// Mean cross-entropy (natural logarithm).
    pub loss: f64,
    /// Share of examples that are wrong, 0 to 1. Robust: wrong clean or attacked.
    pub error: f64,
    /// One entry per example, in the order of the selection.
    pub per_example: PerExample,
}

/// Columns, one entry per example.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PerExample {
    /// Index in the split.
    pub index: Vec<usize>,
    /// True class.
    pub label: Vec<i64>,
    /// Cross-entropy.
    pub loss: Vec<f32>,
    /// Predicted class.
    pub predicted: Vec<i64>,
    /// Probability of the predicted class.
    pub confidence: Vec<f32>,
}
