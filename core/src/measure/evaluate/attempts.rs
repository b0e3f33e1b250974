//! Several attempts on the same examples: restarts of an attack, or several attacks.

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::outcome::{AttackSteps, Attempt, AttemptAverage, Spread};
use crate::attack::pgd::Trace;
use crate::error::Result;
use crate::loss::reported;
use crate::measure::evaluation::{Attacked, mean, worst_of};
use crate::measure::metrics::{Reduction, Statistics};
use crate::measure::rows::{PerExample, Point};

/// What attempts are compared by, one entry per example.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AttemptRows {
    /// Loss.
    pub loss: Vec<f32>,
    /// Whether the example is misclassified.
    pub wrong: Vec<bool>,
    /// What decides between attempts: the loss, or the confidence in a wrong class.
    pub badness: Vec<f32>,
}

impl AttemptRows {
    /// Of an attacked batch.
    pub fn of(attacked: &Attacked) -> Self {
        let rows = &attacked.per_example;
        Self { loss: rows.loss.clone(), wrong: rows.broken.clone(), badness: attacked.badness.clone() }
    }

    /// Appends other examples.
    pub fn append(&mut self, other: Self) {
        self.loss.extend(other.loss);
        self.wrong.extend(other.wrong);
        self.badness.extend(other.badness);
    }

    /// Mean loss, and the share of examples that are wrong clean or attacked.
    pub fn point(&self, clean: &PerExample) -> Point {
        let wrong = (0..self.wrong.len()).filter(|i| self.wrong[*i] || clean.is_wrong(*i)).count();
        Point { loss: mean(&self.loss), error: wrong as f64 / self.wrong.len() as f64 }
    }
}

/// Several attempts together: the loss of the worst per example, broken by any.
pub fn pooled(attempts: &[&AttemptRows]) -> AttemptRows {
    let rows: Vec<(&[f32], &[bool])> = attempts.iter().map(|rows| (&*rows.badness, &*rows.wrong)).collect();
    let mut pooled = AttemptRows::default();
    for (example, (worst, broken)) in worst_of(&rows).into_iter().enumerate() {
        pooled.loss.push(attempts[worst].loss[example]);
        pooled.badness.push(attempts[worst].badness[example]);
        pooled.wrong.push(broken);
    }
    pooled
}

/// Each of several attacks by itself, at its worst restarts; nothing of a single one.
///
/// `plan` has the attack and restart of every attempt.
pub fn per_attack(clean: &PerExample, plan: &[(usize, usize)], attempts: &[&AttemptRows]) -> Vec<Point> {
    let attacks = plan.iter().map(|(attack, _)| attack + 1).max().unwrap_or_default();
    if attacks < 2 {
        return Vec::new();
    }
    let of = |attack: usize| -> Vec<&AttemptRows> {
        plan.iter().zip(attempts).filter(|((of, _), _)| *of == attack).map(|(_, rows)| *rows).collect()
    };
    (0..attacks).map(|attack| pooled(&of(attack)).point(clean)).collect()
}

/// What one attempt finds on average, and how attempts differ; none for a single one.
pub fn average(attempts: &[Attempt]) -> Option<AttemptAverage> {
    if attempts.len() < 2 {
        return None;
    }
    let all = Statistics(attempts.iter().map(Some).collect());
    let spread = |of: fn(&Attempt) -> f64| {
        let number = |reduction| all.of(|attempt| Some(of(attempt)), reduction).map(|(value, _)| value);
        Some(Spread {
            mean: number(Reduction::Mean)?,
            deviation: number(Reduction::Deviation(1))?,
            lowest: number(Reduction::Smallest)?,
            highest: number(Reduction::Largest)?,
        })
    };
    Some(AttemptAverage { loss: spread(|attempt| attempt.loss)?, error: spread(|attempt| attempt.error)? })
}

/// Sums over the examples of a batch at every iteration.
///
/// # Errors
/// libtorch refuses to hand the numbers over.
pub fn summed(trace: &Trace) -> Result<AttackSteps> {
    let sum = |values: &Tensor| values.to_kind(Kind::Double).sum(Kind::Double).double_value(&[]);
    let mut steps = AttackSteps::default();
    for (iteration, error) in trace.error.iter().enumerate() {
        let truth: Vec<f64> = Vec::try_from(trace.true_confidence[iteration].to_kind(Kind::Double))?;
        steps.objective.push(-sum(error));
        steps.loss.push(truth.into_iter().map(reported).sum());
        steps.error.push(sum(&trace.success[iteration]));
    }
    Ok(steps)
}

impl AttackSteps {
    /// Adds sums of other examples. Where a batch stopped early, its last iteration counts for the others.
    pub fn add(&mut self, other: &Self) {
        let length = self.loss.len().max(other.loss.len());
        let columns = [
            (&mut self.objective, &other.objective),
            (&mut self.loss, &other.loss),
            (&mut self.error, &other.error),
        ];
        for (all, part) in columns {
            let (last, last_part) = (all.last().copied(), part.last().copied());
            all.resize(length, last.unwrap_or_default());
            for (at, sum) in all.iter_mut().enumerate() {
                *sum += part.get(at).copied().or(last_part).unwrap_or_default();
            }
        }
    }
}

/// Means from sums over this many examples.
pub fn means(sums: &AttackSteps, examples: f64) -> AttackSteps {
    let of = |sums: &[f64]| sums.iter().map(|sum| sum / examples).collect();
    AttackSteps { objective: of(&sums.objective), loss: of(&sums.loss), error: of(&sums.error) }
}
