//! Losses and errors, per example and on average.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Loss (mean of `-log(p + 1e-12)`, at most 27.631) and error (0 to 1) at one point.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Point {
    /// Mean loss.
    pub loss: f64,
    /// Share of wrong examples.
    pub error: f64,
}

/// Columns, one entry per example.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
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
    /// Under attack: whether any attempt misclassifies the example, not only the worst one of the other columns. Empty:
    /// clean, or a record of an earlier version.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub broken: Vec<bool>,
    /// Under attack: the highest confidence with which an attempt misclassifies the example; 0 where none does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub broken_confidence: Vec<f32>,
}

impl PerExample {
    /// Whether an example is wrong: under attack in any attempt.
    pub fn is_wrong(&self, example: usize) -> bool {
        let broken = self.broken.get(example).copied().unwrap_or(false);
        broken || self.predicted[example] != self.label[example]
    }

    /// [`PerExample::is_wrong`] of every example.
    pub fn wrong(&self) -> Vec<bool> {
        (0..self.label.len()).map(|example| self.is_wrong(example)).collect()
    }
}
