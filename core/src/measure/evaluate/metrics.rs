//! The metrics of an evaluation that stand beside its loss and error in the record.

use super::outcome::{Metrics, Rejecting};
use crate::error::Result;
use crate::measure::metrics::{
    AdversarialEvaluation, Attempts, CleanEvaluation, Convention, Scored, test_part,
};
use crate::measure::rows::PerExample;
use crate::measure::statistics::mean;

/// Share of the examples, the last ones, that choose confidence thresholds, as in the paper.
const VALIDATION: f64 = 0.1;
/// Shares of correct examples that thresholds keep.
const TRUE_POSITIVE_RATES: [f64; 3] = [0.99, 0.95, 0.9];

/// Metrics on images as they are.
///
/// # Errors
/// None in practice: rows of one evaluation belong together.
pub fn clean_metrics(rows: &PerExample) -> Result<Metrics> {
    let scores = scored(rows);
    let all = CleanEvaluation::new(scores.clone(), 0.0, Convention::default())?;
    let split = CleanEvaluation::new(scores.clone(), VALIDATION, Convention::default())?;
    let rejecting = TRUE_POSITIVE_RATES.into_iter().filter_map(|true_positive_rate| {
        let confidence = split.confidence_at_tpr(true_positive_rate)?;
        Some(Rejecting {
            true_positive_rate,
            confidence,
            error: split.error_at_confidence(confidence),
            false_positive_rate: split.fpr_at_confidence(confidence),
        })
    });
    Ok(Metrics {
        confidence: all.confidence().unwrap_or(0.0),
        area_under_curve: all.roc().area,
        success_rate: None,
        correct_loss: loss_where(rows, &scores, false),
        wrong_loss: loss_where(rows, &scores, true),
        rejecting: rejecting.collect(),
    })
}

/// Metrics under attack; `attacked` are the same examples as `clean`, in the same order.
///
/// # Errors
/// As [`clean_metrics`].
pub fn robust_metrics(clean: &PerExample, attacked: &PerExample) -> Result<Metrics> {
    let (before, after) = (scored(clean), scored(attacked));
    let evaluation = |attacked: &[Scored], validation| {
        let attempts = [attacked.to_vec()];
        AdversarialEvaluation::new(
            before.clone(),
            &attempts,
            Attempts::Average,
            validation,
            Convention::default(),
        )
    };
    let all = evaluation(&after, 0.0)?;
    let split = evaluation(&after[..test_part(after.len(), VALIDATION)?], VALIDATION)?;
    let rejecting = TRUE_POSITIVE_RATES.into_iter().filter_map(|true_positive_rate| {
        let confidence = split.confidence_at_tpr(true_positive_rate, false)?;
        Some(Rejecting {
            true_positive_rate,
            confidence,
            error: split.robust_error_at_confidence(confidence),
            false_positive_rate: split.fpr_at_confidence(confidence),
        })
    });
    Ok(Metrics {
        confidence: mean(&attacked.confidence.iter().map(|c| f64::from(*c)).collect::<Vec<_>>()),
        area_under_curve: all.roc().area,
        success_rate: all.success_rate(),
        correct_loss: loss_where(attacked, &before, false),
        wrong_loss: loss_where(attacked, &before, true),
        rejecting: rejecting.collect(),
    })
}

/// Mean loss of the rows whose clean prediction is wrong, or is not.
fn loss_where(rows: &PerExample, clean: &[Scored], wrong: bool) -> Option<f64> {
    let losses: Vec<f64> =
        rows.loss.iter().zip(clean).filter(|(_, c)| c.wrong == wrong).map(|(l, _)| f64::from(*l)).collect();
    (!losses.is_empty()).then(|| mean(&losses))
}

fn scored(rows: &PerExample) -> Vec<Scored> {
    (0..rows.label.len())
        .map(|i| {
            let wrong = rows.is_wrong(i);
            let true_probability = (-rows.loss[i]).exp();
            // An attack counts with the highest confidence of its misclassifications.
            let broken = rows.broken_confidence.get(i).filter(|_| wrong);
            Scored {
                wrong,
                confidence: *broken.unwrap_or(&rows.confidence[i]),
                // Of a correct prediction only an upper bound is known; no metric of one attempt asks for it.
                wrong_confidence: if wrong {
                    *broken.unwrap_or(&rows.confidence[i])
                } else {
                    1.0 - true_probability
                },
                true_probability,
            }
        })
        .collect()
}
