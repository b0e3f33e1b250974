//! How good a network is, clean and under attack: the test after each epoch.

use tch::Device;

use crate::attack::Pgd;
use crate::device::Precision;
use crate::error::Result;
use crate::measure::evaluation::{
    Batch, SearchAndMeasure, append, attack, error_rate, mean, measure, robust_error_rate,
};
use crate::model::{Evaluator, Network};
use crate::progress::CancelCheck;
use crate::record::PerExample;
use crate::train::Scores;

/// Measures a network on batches. Losses are measured in float32, with float64 weights in float64.
pub fn scores(
    network: &Network,
    batches: &[Batch],
    attack_settings: &Pgd,
    (device, precision): (Device, Precision),
    seed: u64,
    cancel_check: CancelCheck,
) -> Result<Scores> {
    let (search, exact) = (precision.search_kind(), precision.measure_kind());
    let tf32 = precision == Precision::Tf32;
    let evaluator = |kind, tf32| Evaluator::new(network, &network.weights, device, kind, tf32);
    let pair = SearchAndMeasure {
        search: (search != exact || tf32).then(|| evaluator(search, tf32)),
        measure: evaluator(exact, false),
    };
    let (mut clean, mut robust) = (PerExample::default(), PerExample::default());
    for batch in batches {
        append(&mut clean, measure(&pair.measure, batch, None)?);
        append(&mut robust, attack(&pair, attack_settings, batch, seed, cancel_check)?.per_example);
    }
    Ok(Scores {
        examples: clean.label.len(),
        loss: mean(&clean.loss),
        error: error_rate(&clean),
        confidence: mean(&clean.confidence),
        robust_loss: mean(&robust.loss),
        robust_error: robust_error_rate(&clean, &robust),
    })
}
