//! Metrics of one network with perturbed weights beside the unperturbed one.

use super::{Convention, Scored, confidence, error, mean, share};
use crate::error::{Error, Result};

/// Loss and error under one weight perturbation; several make a [`super::Statistics`].
///
/// The perturbed rows belong to the first examples, called the reference rows.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightEvaluation {
    clean: Vec<Scored>,
    perturbed: Vec<Scored>,
    convention: Convention,
}

impl WeightEvaluation {
    /// `clean`: the unperturbed network on `N` examples; `perturbed`: the other on the first `n`.
    ///
    /// # Errors
    /// More perturbed rows than clean ones.
    pub fn new(clean: Vec<Scored>, perturbed: Vec<Scored>, convention: Convention) -> Result<Self> {
        if perturbed.len() > clean.len() {
            return Err(Error::invalid(format!(
                "{} perturbed predictions have only {} clean ones beside them",
                perturbed.len(),
                clean.len()
            )));
        }
        Ok(Self { clean, perturbed, convention })
    }

    fn reference(&self) -> &[Scored] {
        &self.clean[..self.perturbed.len()]
    }

    /// Share of wrong examples, unperturbed, of all.
    pub fn error(&self) -> Option<f64> {
        error(&self.clean)
    }

    /// Share of wrong examples, unperturbed, of the reference rows.
    pub fn reference_error(&self) -> Option<f64> {
        error(self.reference())
    }

    /// Share of reference rows that are wrong unperturbed or perturbed.
    pub fn robust_error(&self) -> Option<f64> {
        let wrong = self.reference().iter().zip(&self.perturbed).filter(|(c, p)| c.wrong || p.wrong).count();
        share(wrong, self.perturbed.len())
    }

    /// Mean cross-entropy, unperturbed, of all.
    pub fn loss(&self) -> Option<f64> {
        mean(self.clean.iter().map(|row| row.clean_loss(self.convention)))
    }

    /// Mean cross-entropy, unperturbed, of the reference rows.
    pub fn reference_loss(&self) -> Option<f64> {
        mean(self.reference().iter().map(|row| row.clean_loss(self.convention)))
    }

    /// Mean cross-entropy under the perturbation.
    pub fn robust_loss(&self) -> Option<f64> {
        mean(self.perturbed.iter().map(Scored::loss))
    }

    /// The same over the rows that are correct unperturbed.
    pub fn robust_correct_loss(&self) -> Option<f64> {
        let rows = self.reference().iter().zip(&self.perturbed);
        mean(rows.filter(|(clean, _)| !clean.wrong).map(|(_, perturbed)| perturbed.loss()))
    }

    /// Mean confidence, unperturbed, of all.
    pub fn confidence(&self) -> Option<f64> {
        confidence(&self.clean)
    }

    /// Mean confidence, unperturbed, of the reference rows.
    pub fn reference_confidence(&self) -> Option<f64> {
        confidence(self.reference())
    }

    /// Mean confidence under the perturbation.
    pub fn robust_confidence(&self) -> Option<f64> {
        confidence(&self.perturbed)
    }
}
