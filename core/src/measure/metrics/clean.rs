//! Metrics on examples as they are.

use super::roc::roc;
use super::{
    Convention, Curve, Roc, Scored, confidence, confidence_at_tpr, count, error, error_at_confidence,
    error_curve, mean, share, test_part,
};
use crate::error::Result;

/// Errors, confidences and how well confidence tells right from wrong, without an attack.
///
/// The first examples are tested; the last ones (validation) only choose confidence thresholds.
#[derive(Debug, Clone, PartialEq)]
pub struct CleanEvaluation {
    rows: Vec<Scored>,
    test: usize,
    convention: Convention,
}

impl CleanEvaluation {
    /// Keeps the share `validation` (0 up to 1) of the examples, the last ones, for thresholds.
    ///
    /// # Errors
    /// `validation` is not such a share.
    pub fn new(rows: Vec<Scored>, validation: f64, convention: Convention) -> Result<Self> {
        let test = test_part(rows.len(), validation)?;
        Ok(Self { rows, test, convention })
    }

    /// The tested examples.
    pub fn test(&self) -> &[Scored] {
        &self.rows[..self.test]
    }

    fn validation(&self) -> &[Scored] {
        &self.rows[self.test..]
    }

    /// Share of wrong test examples.
    pub fn error(&self) -> Option<f64> {
        error(self.test())
    }

    /// Share of wrong ones among the test examples of at least this confidence.
    pub fn error_at_confidence(&self, threshold: f32) -> f64 {
        error_at_confidence(self.test(), threshold)
    }

    /// That error at the confidence of every test example.
    pub fn error_curve(&self) -> Curve {
        error_curve(self.test())
    }

    /// Mean cross-entropy of the test examples.
    pub fn loss(&self) -> Option<f64> {
        mean(self.test().iter().map(|row| row.clean_loss(self.convention)))
    }

    /// Mean confidence of the test examples.
    pub fn confidence(&self) -> Option<f64> {
        confidence(self.test())
    }

    /// The confidence reached by a share `tpr` of the correct validation examples.
    pub fn confidence_at_tpr(&self, tpr: f64) -> Option<f32> {
        confidence_at_tpr(self.validation().iter().filter(|row| !row.wrong).map(|row| row.confidence), tpr)
    }

    /// Share of the correct test examples with at least this confidence.
    pub fn tpr_at_confidence(&self, threshold: f32) -> Option<f64> {
        reaching(self.test(), false, threshold)
    }

    /// Share of the correct validation examples with at least this confidence.
    pub fn validation_tpr_at_confidence(&self, threshold: f32) -> Option<f64> {
        reaching(self.validation(), false, threshold)
    }

    /// Share of the wrong test examples with at least this confidence.
    pub fn fpr_at_confidence(&self, threshold: f32) -> Option<f64> {
        reaching(self.test(), true, threshold)
    }

    /// How well confidence tells right (positive) from wrong test examples.
    pub fn roc(&self) -> Roc {
        let confidences = |wrong: bool| -> Vec<f32> {
            self.test().iter().filter(|row| row.wrong == wrong).map(|row| row.confidence).collect()
        };
        roc(&confidences(false), &confidences(true))
    }
}

fn reaching(rows: &[Scored], wrong: bool, threshold: f32) -> Option<f64> {
    let reached = count(rows, |row| row.wrong == wrong && row.confidence >= threshold);
    share(reached, count(rows, |row| row.wrong == wrong))
}
