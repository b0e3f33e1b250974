//! What a search in low precision misses: on a sample of the images it is repeated in float32.

use super::journal::Journal;
use super::setup::{Cost, Setup};
use crate::attack::Pgd;
use crate::error::Result;
use crate::measure::evaluation::{Batch, attack};
use crate::measure::statistics::{mean, standard_error};
use crate::progress::Pulse;
use crate::record::SearchCost;

/// Name of the unit in journals.
pub const UNIT: &str = "search cost";

/// Fewest and most images of the sample, and the share of all that it is between them.
const FEWEST: usize = 16;
const MOST: usize = 64;
const SHARE: usize = 8;

/// Images spread evenly over those of the job; none where the search is as exact as the measuring.
pub fn sample(setup: &Setup) -> Option<Batch> {
    let examples = setup.examples();
    size(setup).map(|size| {
        let positions: Vec<usize> = (0..size).map(|number| number * examples / size).collect();
        setup.all().select(&positions)
    })
}

fn size(setup: &Setup) -> Option<usize> {
    let examples = setup.examples();
    setup.searches_in_low_precision().then(|| (examples / SHARE).clamp(FEWEST, MOST).min(examples))
}

/// Seconds for it, given what a step costs and how many steps the search has.
pub fn seconds(setup: &Setup, cost: &Cost, steps: usize) -> f64 {
    let Some(size) = size(setup) else { return 0.0 };
    // A gradient costs about two forward passes more.
    size as f64 * steps as f64 * (cost.step + 3.0 * cost.forward)
}

/// Of an attack on the checkpoint as it is; none as in [`sample`].
///
/// # Errors
/// As [`attack`].
pub fn of_attack(setup: &Setup, settings: &Pgd, seed: u64, pulse: Pulse) -> Result<Option<SearchCost>> {
    let Some(sample) = sample(setup) else { return Ok(None) };
    let mut losses = Vec::new();
    for precision in [setup.exact_precision(), setup.precision] {
        let pair = setup.pair_searched_in(&setup.checkpoint.network.weights, precision);
        losses.push(attack(&pair, settings, &sample, seed, pulse)?.per_example.loss);
    }
    Ok(Some(between(&losses[0], &losses[1])))
}

/// Of an attack on the checkpoint as it is, kept in the journal; none as in [`sample`].
///
/// # Errors
/// As [`attack`]; or the journal cannot be written.
pub fn of_checkpoint(
    setup: &Setup,
    settings: &Pgd,
    seed: u64,
    journal: &mut Journal,
    pulse: Pulse,
) -> Result<Option<SearchCost>> {
    if !setup.searches_in_low_precision() {
        return Ok(None);
    }
    if let Some(cost) = journal.get(UNIT) {
        return Ok(Some(cost));
    }
    let cost = of_attack(setup, settings, seed, pulse)?;
    journal.put(UNIT, &cost)?;
    Ok(cost)
}

/// From losses per example, searched exactly and in low precision.
pub fn between(exact: &[f32], low: &[f32]) -> SearchCost {
    let differences: Vec<f64> = exact.iter().zip(low).map(|(e, l)| f64::from(*e) - f64::from(*l)).collect();
    SearchCost {
        value: mean(&differences),
        standard_error: standard_error(&differences),
        examples: differences.len(),
    }
}
