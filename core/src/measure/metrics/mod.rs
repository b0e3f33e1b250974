//! Evaluation metrics from plain arrays of probabilities (the paper's program, section 6 of its evaluation).
//!
//! Every metric needs of an example only what [`Scored`] holds; [`scored`] makes that from class probabilities,
//! and the rows of a record hold it too. Four evaluations share the formulas: [`CleanEvaluation`],
//! [`AdversarialEvaluation`], [`WeightEvaluation`] (perturbed weights) and [`Statistics`] over several of them.
//! A metric whose denominator is empty is `None`, except where the paper's program has a convention of its own:
//! an error at a threshold nobody reaches is 0, and an area under the curve with one class only is 1.

mod adversarial;
mod clean;
mod roc;
mod statistics;
mod weights;

pub use adversarial::{AdversarialEvaluation, Attempts};
pub use clean::CleanEvaluation;
pub use roc::Roc;
pub use statistics::{Reduction, Statistics};
pub use weights::WeightEvaluation;

use crate::error::{Error, Result};
use crate::loss::reported;

/// Where the paper's program differs from itself, whom to follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Convention {
    /// One rule everywhere: `N - floor(v N)` test examples, `-log(p + 1e-12)` as loss.
    #[default]
    Consistent,
    /// As the paper's program: under attack the clean metrics have `floor(N (1 - v))` test examples, and clean
    /// losses are `-log p`, which is infinite for a probability of zero.
    Paper,
}

/// What the metrics need to know of one example.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// Whether the prediction (the first of the most probable classes) is not the label.
    pub wrong: bool,
    /// Score of the detector: the probability of the predicted class, unless another detector was asked for.
    pub confidence: f32,
    /// Largest probability of a class that is not the label.
    pub wrong_confidence: f32,
    /// Probability of the label.
    pub true_probability: f32,
}

impl Scored {
    /// The [`reported`] loss of the label.
    pub fn loss(&self) -> f64 {
        reported(f64::from(self.true_probability))
    }

    fn clean_loss(&self, convention: Convention) -> f64 {
        match convention {
            Convention::Consistent => self.loss(),
            Convention::Paper => -f64::from(self.true_probability).ln(),
        }
    }
}

/// Scores `probabilities` (`N x classes`, row by row) against `labels` (`N`), with the largest probability as
/// confidence.
///
/// # Errors
/// Lengths that do not fit, a label outside the classes, or a row that is not a distribution (NaN included).
pub fn scored(probabilities: &[f32], classes: usize, labels: &[i64]) -> Result<Vec<Scored>> {
    scored_by(probabilities, classes, labels, |row| row.iter().copied().fold(f32::NEG_INFINITY, f32::max))
}

/// As [`scored`], with another `detector`: from the probabilities of one example to its confidence.
///
/// # Errors
/// As [`scored`].
pub fn scored_by(
    probabilities: &[f32],
    classes: usize,
    labels: &[i64],
    detector: impl Fn(&[f32]) -> f32,
) -> Result<Vec<Scored>> {
    if classes == 0 || probabilities.len() != classes * labels.len() {
        return Err(Error::invalid(format!(
            "{} probabilities are not {} examples of {classes} classes",
            probabilities.len(),
            labels.len()
        )));
    }
    let rows = probabilities.chunks_exact(classes).zip(labels).enumerate();
    rows.map(|(position, (row, label))| {
        let Some(truth) = usize::try_from(*label).ok().filter(|label| *label < classes) else {
            return Err(Error::invalid(format!(
                "label {label} of row {position} is not one of {classes} classes"
            )));
        };
        let sum: f64 = row.iter().map(|p| f64::from(*p)).sum();
        if row.iter().any(|p| !(-1e-6..=1.0 + 1e-5).contains(p)) || (sum - 1.0).abs() > 1.001e-5 {
            return Err(Error::invalid(format!("row {position} of the probabilities is not a distribution")));
        }
        let largest = (1..classes).fold(0, |best, class| if row[class] > row[best] { class } else { best });
        let others = row.iter().enumerate().filter(|(class, _)| *class != truth).map(|(_, p)| *p);
        Ok(Scored {
            wrong: largest != truth,
            confidence: detector(row),
            wrong_confidence: others.fold(0.0, f32::max),
            true_probability: row[truth],
        })
    })
    .collect()
}

/// Values at every threshold, which ascend.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Curve {
    /// The values.
    pub values: Vec<f64>,
    /// The confidence thresholds.
    pub thresholds: Vec<f32>,
}

/// `part / whole`, none if there is no whole.
fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn count(rows: &[Scored], condition: impl Fn(&Scored) -> bool) -> usize {
    rows.iter().filter(|row| condition(row)).count()
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0usize), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / count as f64)
}

fn confidence(rows: &[Scored]) -> Option<f64> {
    mean(rows.iter().map(|row| f64::from(row.confidence)))
}

/// Share of wrong examples.
fn error(rows: &[Scored]) -> Option<f64> {
    share(count(rows, |row| row.wrong), rows.len())
}

/// Share of wrong ones among the examples of at least this confidence; 0 if there are none.
fn error_at_confidence(rows: &[Scored], threshold: f32) -> f64 {
    let kept = count(rows, |row| row.confidence >= threshold);
    share(count(rows, |row| row.wrong && row.confidence >= threshold), kept).unwrap_or(0.0)
}

/// [`error_at_confidence`] at the confidence of every example.
fn error_curve(rows: &[Scored]) -> Curve {
    let thresholds = ascending(rows.iter().map(|row| row.confidence));
    Curve { values: thresholds.iter().map(|t| error_at_confidence(rows, *t)).collect(), thresholds }
}

fn ascending(values: impl Iterator<Item = f32>) -> Vec<f32> {
    let mut values: Vec<f32> = values.collect();
    values.sort_by(f32::total_cmp);
    values
}

/// The confidence that a share `tpr` (above 0, at most 1) of the `accepted` confidences reaches.
fn confidence_at_tpr(accepted: impl Iterator<Item = f32>, tpr: f64) -> Option<f32> {
    let accepted = ascending(accepted);
    // 5 (1 - 0.8) is 0.9999999999999998 in floating point and means 1.
    let below = (accepted.len() as f64 * (1.0 - tpr) + 1e-9).floor();
    (tpr > 0.0 && tpr <= 1.0).then(|| accepted.get(below as usize).copied())?
}

/// Number of the `count` examples that are not kept for validation.
///
/// # Errors
/// `validation` is not a share below 1.
pub(super) fn test_part(count: usize, validation: f64) -> Result<usize> {
    if !(0.0..1.0).contains(&validation) {
        return Err(Error::invalid(format!(
            "validation share {validation} is not possible; use 0 up to, but not including, 1"
        )));
    }
    // 29 * 0.01 * 100 is 28.999999999999996 in floating point and means 29.
    Ok(count - (count as f64 * validation + 1e-9).floor() as usize)
}
