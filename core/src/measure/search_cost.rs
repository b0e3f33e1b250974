//! What a search in low precision misses: on a sample of the images it is repeated in float32.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::context::{Context, Cost};
use super::evaluation::{Batch, attack};
use super::statistics::{mean, standard_error};
use super::units::{UnitRunner, cancel_check, unit};
use crate::attack::Pgd;
use crate::error::Result;
use crate::progress::CancelCheck;

/// What searching in low precision misses, measured on a sample of the examples.
///
/// There the search is repeated in float32. Of an evaluation and a landscape it is the attack on the checkpoint as it
/// is; of flatness that on the reference, and in the worst case the search of the first draw at the largest radius.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SearchCost {
    /// Mean loss found by the search in float32 minus that of the search in low precision, both measured in float32:
    /// above 0 where reported losses are too low.
    pub value: f64,
    /// Its standard error over the examples; absent for a single one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standard_error: Option<f64>,
    /// Size of the sample.
    pub examples: usize,
}

/// Name of the unit in journals.
pub const UNIT: &str = "search cost";

/// Fewest and most images of the sample, and the share of all that it is between them.
const FEWEST: usize = 16;
const MOST: usize = 64;
const SHARE: usize = 8;

/// Images spread evenly over those of the job; none where the search is as exact as the measuring.
pub fn sample(context: &Context) -> Option<Batch> {
    let examples = context.examples();
    size(context).map(|size| {
        let positions: Vec<usize> = (0..size).map(|number| number * examples / size).collect();
        context.all().select(&positions)
    })
}

fn size(context: &Context) -> Option<usize> {
    let examples = context.examples();
    context.searches_in_low_precision().then(|| (examples / SHARE).clamp(FEWEST, MOST).min(examples))
}

/// Seconds for it, given what a step costs and how many steps the search has.
pub fn seconds(context: &Context, cost: &Cost, steps: usize) -> f64 {
    let Some(size) = size(context) else { return 0.0 };
    // A gradient costs about two forward passes more.
    size as f64 * steps as f64 * (cost.step + 3.0 * cost.forward)
}

/// Of an attack on the checkpoint as it is; none as in [`sample`].
///
/// # Errors
/// As [`attack`].
pub fn of_attack(
    context: &Context,
    settings: &Pgd,
    seed: u64,
    cancel_check: CancelCheck,
) -> Result<Option<SearchCost>> {
    let Some(sample) = sample(context) else { return Ok(None) };
    let mut losses = Vec::new();
    for precision in [context.exact_precision(), context.precision] {
        let pair = context.pair_searched_in(&context.checkpoint.network.weights, precision);
        losses.push(attack(&pair, settings, &sample, seed, cancel_check)?.per_example.loss);
    }
    Ok(Some(between(&losses[0], &losses[1])))
}

/// Of an attack on the checkpoint as it is, as a unit of work; none as in [`sample`].
///
/// # Errors
/// As [`attack`]; or the unit cannot be kept.
pub fn of_checkpoint(
    context: &Context,
    settings: &Pgd,
    seed: u64,
    runner: &mut dyn UnitRunner,
) -> Result<Option<SearchCost>> {
    unit(runner, UNIT, 1, |runner| of_attack(context, settings, seed, &mut cancel_check(runner)))
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
