//! Metrics under attack, with one or more attempts per example.

use super::roc::roc;
use super::{
    CleanEvaluation, Convention, Curve, Roc, Scored, ascending, confidence, confidence_at_tpr, mean, share,
    test_part,
};
use crate::error::{Error, Result};

/// What several attempts (restarts, attacks) count for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Attempts<'a> {
    /// Every attempt is a row of its own: metrics are averages over attempts.
    Average,
    /// Per example the attempt of lowest error, given as `[attempt][example]`; the first of equals.
    WorstByError(&'a [Vec<f64>]),
    /// Per example the attempt of highest probability of a wrong class; the first of equals. The published
    /// evaluation of the paper.
    WorstByWrongConfidence,
}

/// Robust error and loss, success of the attack, and detection by confidence.
#[derive(Debug, Clone, PartialEq)]
pub struct AdversarialEvaluation {
    clean: CleanEvaluation,
    /// Clean row and attacked row.
    rows: Vec<(Scored, Scored)>,
    validation: Vec<Scored>,
}

impl AdversarialEvaluation {
    /// `clean` are `N` examples, of which the share `validation`, the last ones, chooses confidence thresholds;
    /// `attempts` are `[attempt][example]` for the first examples.
    ///
    /// # Errors
    /// No attempt, attempts or errors of unequal length, or more attacked examples than there are test examples.
    pub fn new(
        clean: Vec<Scored>,
        attempts: &[Vec<Scored>],
        counting: Attempts,
        validation: f64,
        convention: Convention,
    ) -> Result<Self> {
        let examples = attempts.first().map_or(0, Vec::len);
        if examples == 0 || attempts.iter().any(|attempt| attempt.len() != examples) {
            return Err(Error::invalid(
                "every attempt needs a prediction for each of the same examples, at least one",
            ));
        }
        let most = test_part(clean.len(), validation)?;
        if examples > most {
            return Err(Error::invalid(format!(
                "{examples} attacked examples are more than the {most} clean test examples beside them"
            )));
        }
        let test = match convention {
            Convention::Consistent => most,
            Convention::Paper => (clean.len() as f64 * (1.0 - validation) + 1e-9).floor() as usize,
        };
        let chosen: Vec<Vec<Scored>> = match counting {
            Attempts::Average => attempts.to_vec(),
            Attempts::WorstByError(errors) => {
                if errors.len() != attempts.len() || errors.iter().any(|attempt| attempt.len() != examples) {
                    return Err(Error::invalid("there must be one error per attempt and example"));
                }
                vec![worst(attempts, |attempt, example| -errors[attempt][example])]
            }
            Attempts::WorstByWrongConfidence => {
                vec![worst(attempts, |attempt, example| {
                    f64::from(attempts[attempt][example].wrong_confidence)
                })]
            }
        };
        let rows =
            chosen.iter().flat_map(|attempt| clean.iter().copied().zip(attempt.iter().copied())).collect();
        let validation = clean[test..].to_vec();
        let clean = CleanEvaluation::new(clean[..test].to_vec(), 0.0, convention)?;
        Ok(Self { clean, rows, validation })
    }

    /// The clean metrics of the test examples (those that need no validation examples).
    pub fn clean(&self) -> &CleanEvaluation {
        &self.clean
    }

    /// Number of rows that count: examples, times attempts where these are averaged.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// RErr: share of rows that are wrong clean or attacked.
    pub fn robust_error(&self) -> Option<f64> {
        share(self.count(|clean, attacked| clean.wrong || attacked.wrong), self.rows.len())
    }

    /// The same when examples below a confidence are rejected: errors among what is accepted, where an attack counts
    /// if its own confidence is high enough. 0 if nothing is accepted.
    pub fn robust_error_at_confidence(&self, threshold: f32) -> f64 {
        let success = |clean: &Scored, attacked: &Scored| {
            !clean.wrong && attacked.wrong && attacked.confidence >= threshold
        };
        let wrong = self.count(|clean, attacked| {
            (clean.wrong && clean.confidence >= threshold) || success(clean, attacked)
        });
        let accepted =
            self.count(|clean, attacked| clean.confidence >= threshold || success(clean, attacked));
        share(wrong, accepted).unwrap_or(0.0)
    }

    /// That error at the confidence of every clean row and every attacked row of a correct example.
    pub fn robust_error_curve(&self) -> Curve {
        let clean = self.rows.iter().map(|row| row.0.confidence);
        let attacked = self.rows.iter().filter(|row| !row.0.wrong).map(|row| row.1.confidence);
        let thresholds = ascending(clean.chain(attacked));
        Curve { values: thresholds.iter().map(|t| self.robust_error_at_confidence(*t)).collect(), thresholds }
    }

    /// RLoss: mean cross-entropy of the attacked rows.
    pub fn robust_loss(&self) -> Option<f64> {
        mean(self.rows.iter().map(|row| row.1.loss()))
    }

    /// The same over the rows that are correct clean.
    pub fn robust_correct_loss(&self) -> Option<f64> {
        mean(self.rows.iter().filter(|row| !row.0.wrong).map(|row| row.1.loss()))
    }

    /// Mean confidence of the attacked rows.
    pub fn robust_confidence(&self) -> Option<f64> {
        let attacked: Vec<Scored> = self.rows.iter().map(|row| row.1).collect();
        confidence(&attacked)
    }

    /// Share of the correct rows that the attack makes wrong.
    pub fn success_rate(&self) -> Option<f64> {
        share(
            self.count(|clean, attacked| !clean.wrong && attacked.wrong),
            self.count(|clean, _| !clean.wrong),
        )
    }

    /// The confidence reached by a share `tpr` of the validation examples: of the correct ones, or of all.
    pub fn confidence_at_tpr(&self, tpr: f64, include_wrong: bool) -> Option<f32> {
        let accepted = self.validation.iter().filter(|row| include_wrong || !row.wrong);
        confidence_at_tpr(accepted.map(|row| row.confidence), tpr)
    }

    /// Share of all clean test examples with at least this confidence.
    pub fn tpr_at_confidence(&self, threshold: f32) -> Option<f64> {
        let test = self.clean.test();
        share(test.iter().filter(|row| row.confidence >= threshold).count(), test.len())
    }

    /// Share of the validation examples, of the correct ones or of all, with at least this confidence.
    pub fn validation_tpr_at_confidence(&self, threshold: f32, include_wrong: bool) -> Option<f64> {
        let accepted = |row: &&Scored| include_wrong || !row.wrong;
        let reached = self.validation.iter().filter(accepted).filter(|row| row.confidence >= threshold);
        share(reached.count(), self.validation.iter().filter(accepted).count())
    }

    /// Share of the rows that are wrong under attack with at least this confidence.
    pub fn fpr_at_confidence(&self, threshold: f32) -> Option<f64> {
        share(self.count(|_, attacked| attacked.wrong && attacked.confidence >= threshold), self.rows.len())
    }

    /// How well confidence tells clean examples (positive) from successful attacks.
    pub fn roc(&self) -> Roc {
        let clean: Vec<f32> = self.rows.iter().map(|row| row.0.confidence).collect();
        let attacked: Vec<f32> =
            self.rows.iter().filter(|row| row.1.wrong && !row.0.wrong).map(|row| row.1.confidence).collect();
        roc(&clean, &attacked)
    }

    fn count(&self, condition: impl Fn(&Scored, &Scored) -> bool) -> usize {
        self.rows.iter().filter(|(clean, attacked)| condition(clean, attacked)).count()
    }
}

/// Per example the attempt of highest `badness`, the first of equals.
fn worst(attempts: &[Vec<Scored>], badness: impl Fn(usize, usize) -> f64) -> Vec<Scored> {
    let examples = 0..attempts[0].len();
    let chosen = |example| {
        (1..attempts.len()).fold(0, |best, attempt| {
            if badness(attempt, example) > badness(best, example) { attempt } else { best }
        })
    };
    examples.map(|example| attempts[chosen(example)][example]).collect()
}
