//! Flatness: the loss under perturbed weights minus the loss without, `E L(w + nu) - L(w)` or `max L(w + nu) - L(w)`
//! (paper, section 3.2).
//!
//! A draw is a set of weights and the losses of all examples under them; means, differences and intervals come from
//! these alone.

use serde::{Deserialize, Serialize};

use super::evaluation::{Batch, Pair, attack_once, measure};
use super::statistics::{Over, bootstrap_table, mean, standard_error};
use crate::attack::Pgd;
use crate::error::Result;
use crate::progress::Pulse;
use crate::record::{AtRadius, Draw, PerExample, Point};
use crate::seed::generator;

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
        let wrong = rows.predicted.iter().zip(&rows.label).map(|(p, l)| p != l).collect();
        Self { loss: rows.loss.clone(), wrong }
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

    fn in_double(&self) -> Vec<f64> {
        self.loss.iter().map(|loss| f64::from(*loss)).collect()
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
pub fn clean(pair: &Pair, batch: &Batch) -> Result<Losses> {
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
/// A loss is NaN or infinite; or `pulse` wants to stop.
pub fn restart(
    pair: &Pair,
    settings: &Pgd,
    batch: &Batch,
    seed: u64,
    number: usize,
    pulse: Pulse,
) -> Result<Restart> {
    let attacked = attack_once(pair, settings, batch, seed, number as u64, pulse)?;
    Ok(Restart { losses: Losses::of(&attacked.per_example), badness: attacked.badness })
}

/// The worst restart per example, the first of equals.
pub fn worst_restart(restarts: &[Restart]) -> Losses {
    let mut worst = Losses::default();
    for i in 0..restarts.first().map_or(0, |restart| restart.badness.len()) {
        let chosen = restarts[1..].iter().fold(&restarts[0], |worst, other| {
            if other.badness[i] > worst.badness[i] { other } else { worst }
        });
        worst.loss.push(chosen.losses.loss[i]);
        worst.wrong.push(chosen.losses.wrong[i]);
    }
    worst
}

/// Seed of a draw: what its direction depends on besides names and shapes of tensors. Below 2^53, so that every reader
/// of JSON gets it right.
pub fn draw_seed(seed: u64, draw: usize) -> u64 {
    use rand::Rng as _;
    generator(seed, "weight-draw", &[draw as u64]).random::<u64>() >> 11
}

/// What the draws of one radius say. Differences are taken example by example, so that draws equal to the reference
/// give exactly 0.
///
/// `draws` are seeds and losses, at least one, of the examples of the reference.
pub fn at_radius(
    radius: f64,
    over: Over,
    reference: &Reference,
    draws: &[(u64, Losses)],
    seed: u64,
) -> AtRadius {
    let base = reference.losses.in_double();
    let rows: Vec<Vec<f64>> = draws
        .iter()
        .map(|(_, losses)| losses.in_double().iter().zip(&base).map(|(loss, base)| loss - base).collect())
        .collect();
    let rises: Vec<f64> = rows.iter().map(|row| mean(row)).collect();
    let (average, worst) = (mean(&rises), rises.iter().copied().fold(f64::NEG_INFINITY, f64::max));
    let flatness = match over {
        Over::Mean => average,
        Over::Worst => worst,
    };
    let reference_loss = mean(&base);
    let mut rng = generator(seed, "flatness-interval", &[]);
    let interval = bootstrap_table(&rows, over, &mut rng);
    AtRadius {
        radius,
        loss: reference_loss + flatness,
        flatness,
        standard_error: standard_error(&rises),
        interval: interval.map_or([flatness, flatness], |interval| [interval.low, interval.high]),
        mean: reference_loss + average,
        worst: reference_loss + worst,
        draws: draws
            .iter()
            .map(|(seed, losses)| {
                let Point { loss, error } = losses.clone().or_wrong(&reference.clean).point();
                Draw { seed: *seed, loss, error }
            })
            .collect(),
    }
}
