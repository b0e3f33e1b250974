//! Flatness: the loss under perturbed weights minus the loss without, `E L(w + nu) - L(w)` or `max L(w + nu) - L(w)`
//! (paper, section 3.2).
//!
//! A draw is a set of weights and the losses of all examples under them; means, differences and intervals come from
//! these alone.

use serde::{Deserialize, Serialize};

use super::multilevel::{self, Numbers};
use super::outcome::{AtRadius, Draw, LevelsOutcome, OnLevels, PlainMean};
use crate::attack::Pgd;
use crate::error::Result;
use crate::measure::evaluation::{Batch, SearchAndMeasure, attack_once, measure, worst_of};
use crate::measure::rows::{PerExample, Point};
use crate::measure::statistics::{Interval, interval_of_table, mean, standard_error};
use crate::progress::CancelCheck;

/// Which of several draws counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// Their mean: the average case.
    Mean,
    /// Their largest: the worst case.
    Worst,
}

/// Losses and mistakes of some examples under one set of weights.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Losses {
    /// Loss per example.
    pub loss: Vec<f32>,
    /// Whether the example is wrong.
    pub wrong: Vec<bool>,
}

impl Losses {
    /// Of measured examples.
    pub fn of(rows: &PerExample) -> Self {
        Self { loss: rows.loss.clone(), wrong: rows.wrong() }
    }

    /// Appends other examples.
    pub fn append(&mut self, other: &Self) {
        self.loss.extend(&other.loss);
        self.wrong.extend(&other.wrong);
    }

    /// Counts examples as wrong that are wrong in `other`, too.
    pub fn or_wrong(mut self, other: &Self) -> Self {
        self.wrong.iter_mut().zip(&other.wrong).for_each(|(wrong, other)| *wrong |= other);
        self
    }

    /// Mean loss and error.
    pub fn point(&self) -> Point {
        let wrong = self.wrong.iter().filter(|wrong| **wrong).count();
        Point { loss: mean(&self.in_double()), error: wrong as f64 / self.wrong.len() as f64 }
    }

    /// Those of a range of examples.
    pub fn part(&self, range: std::ops::Range<usize>) -> Self {
        Self { loss: self.loss[range.clone()].to_vec(), wrong: self.wrong[range].to_vec() }
    }

    /// By how much every loss is above that of the same example in `base`.
    pub fn above(&self, base: &Self) -> Vec<f64> {
        self.loss.iter().zip(&base.loss).map(|(loss, base)| f64::from(*loss) - f64::from(*base)).collect()
    }

    fn in_double(&self) -> Vec<f64> {
        self.loss.iter().map(|loss| f64::from(*loss)).collect()
    }
}

/// A finished unit of a draw.
#[derive(Debug, Serialize, Deserialize)]
pub struct Unit {
    /// None: the network overflows under these weights.
    pub losses: Option<Losses>,
    /// On the cheaper levels, the most expensive first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub below: Vec<Losses>,
    /// The weights are those of the reference, bit for bit, and so are the losses; `losses` is none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub same: bool,
}

impl Unit {
    /// Of weights that did not move.
    pub fn same() -> Self {
        Self { losses: None, below: Vec::new(), same: true }
    }

    /// Of weights under which the network overflows.
    pub fn overflowed() -> Self {
        Self { losses: None, below: Vec::new(), same: false }
    }
}

/// What perturbed networks are compared with: the network as it is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reference {
    /// On clean images.
    pub clean: Losses,
    /// The loss that is measured: the same, or under attack (wrong: clean or attacked).
    pub losses: Losses,
}

/// Losses of a batch at its clean images.
///
/// # Errors
/// A loss is NaN or infinite.
pub fn clean(pair: &SearchAndMeasure, batch: &Batch) -> Result<Losses> {
    Ok(Losses::of(&measure(&pair.measure, batch, None)?))
}

/// Losses of a batch under one restart of an attack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Restart {
    /// Losses at the adversarial examples.
    pub losses: Losses,
    /// What decides between restarts, per example.
    pub badness: Vec<f32>,
}

/// Attacks a batch once.
///
/// # Errors
/// A loss is NaN or infinite; or `cancel_check` wants to stop.
pub fn restart(
    pair: &SearchAndMeasure,
    settings: &Pgd,
    batch: &Batch,
    seed: u64,
    number: usize,
    cancel_check: CancelCheck,
) -> Result<Restart> {
    let attacked = attack_once(pair, settings, batch, seed, number as u64, cancel_check)?;
    Ok(Restart { losses: Losses::of(&attacked.per_example), badness: attacked.badness })
}

/// The loss of the worst restart per example, the first of equals; wrong is what any restart misclassifies.
pub fn worst_restart(restarts: &[Restart]) -> Losses {
    let attempts: Vec<(&[f32], &[bool])> =
        restarts.iter().map(|restart| (&*restart.badness, &*restart.losses.wrong)).collect();
    let chosen = worst_of(&attempts);
    let loss = |(example, (worst, _)): (usize, &(usize, bool))| restarts[*worst].losses.loss[example];
    Losses {
        loss: chosen.iter().enumerate().map(loss).collect(),
        wrong: chosen.iter().map(|(_, wrong)| *wrong).collect(),
    }
}

/// One draw on a level of a multilevel estimate and on the cheaper ones.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Draws {
    /// On its level.
    pub own: Losses,
    /// On the cheaper levels, the most expensive first.
    pub below: Vec<Losses>,
}

impl Draws {
    /// Appends other examples.
    pub fn append(&mut self, own: &Losses, below: &[Losses]) {
        self.own.append(own);
        self.below.resize(below.len(), Losses::default());
        self.below.iter_mut().zip(below).for_each(|(all, part)| all.append(part));
    }
}

/// Draws on the cheap levels of a multilevel estimate; those under the whole attack come first.
#[derive(Debug, Clone)]
pub struct OnCheapLevels<'a> {
    /// Steps of the short attack.
    pub steps: usize,
    /// Losses under the short attack.
    pub short: Vec<&'a Losses>,
    /// Losses on clean images.
    pub clean: Vec<&'a Losses>,
}

/// What the draws of one radius say. Differences are taken example by example, so that draws equal to the reference
/// give exactly 0.
///
/// `draws` are seeds and losses, at least one, of the examples of the reference.
pub fn at_radius(
    radius: f64,
    over: Over,
    reference: &Reference,
    draws: &[(u64, &Losses)],
    cheap: Option<&OnCheapLevels>,
) -> AtRadius {
    let base = reference.losses.in_double();
    let rows: Vec<Vec<f64>> = draws.iter().map(|(_, losses)| losses.above(&reference.losses)).collect();
    let rises: Vec<f64> = rows.iter().map(|row| mean(row)).collect();
    let (average, worst) = (mean(&rises), rises.iter().copied().fold(f64::NEG_INFINITY, f64::max));
    let reference_loss = mean(&base);
    let of_mean = over == Over::Mean;
    let ends = |interval: Interval| [interval.low, interval.high];
    let plain = PlainMean {
        flatness: average,
        standard_error: standard_error(&rises),
        interval: interval_of_table(&rows).map(ends),
    };
    let estimate = cheap.and_then(|cheap| {
        let table =
            |losses: &[&Losses], base| losses.iter().map(|losses| losses.above(base)).collect::<Vec<_>>();
        let (short, clean) = (table(&cheap.short, &reference.losses), table(&cheap.clean, &reference.clean));
        let estimate = multilevel::estimate(&rows, &short, &clean)?;
        let numbers = Numbers { full: rows.len(), short: short.len(), clean: clean.len() };
        let correlations = estimate.short_correlation.zip(estimate.clean_correlation);
        let outcome = LevelsOutcome {
            steps: cheap.steps,
            draws: numbers,
            coefficients: OnLevels { short: estimate.short, clean: estimate.clean },
            correlations: correlations.map(|(short, clean)| OnLevels { short, clean }),
            plain,
        };
        Some((outcome, estimate))
    });
    // Of a maximum neither error nor interval is known: other searches could only find more.
    let (flatness, standard_error, interval) = match (over, &estimate) {
        (Over::Worst, _) => (worst, None, None),
        (Over::Mean, None) => (average, plain.standard_error, plain.interval),
        (Over::Mean, Some((_, estimate))) => {
            (estimate.value, estimate.standard_error(), estimate.interval().map(ends))
        }
    };
    AtRadius {
        radius,
        loss: reference_loss + flatness,
        flatness,
        standard_error,
        interval,
        levels: estimate.map(|(levels, _)| Box::new(levels)),
        spread: (!of_mean && rises.len() > 1)
            .then(|| [rises.iter().copied().fold(f64::INFINITY, f64::min), worst]),
        mean: reference_loss + average,
        worst: reference_loss + worst,
        draws: draws
            .iter()
            .map(|(seed, losses)| {
                let Point { loss, error } = (*losses).clone().or_wrong(&reference.clean).point();
                Draw { seed: *seed, loss, error }
            })
            .collect(),
    }
}
