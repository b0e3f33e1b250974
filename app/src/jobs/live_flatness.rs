//! A flatness measure while its draws come in.

use basin_core::job::{Case, Flatness};
use basin_core::measure::flatness::draw_seed;
use basin_core::measure::statistics::{mean, standard_error};
use basin_core::record::{AtRadius, Draw, FlatnessOutcome, LayerFlatness, Point};

/// The reference is known, and no draw.
pub fn begin(reference: Point) -> FlatnessOutcome {
    FlatnessOutcome {
        reference_loss: reference.loss,
        reference_error: reference.error,
        radii: Vec::new(),
        layers: Vec::new(),
        resamples: 0,
        networks: Vec::new(),
        losses: None,
    }
}

/// Adds a finished draw.
pub fn add(
    outcome: &mut FlatnessOutcome,
    job: &Flatness,
    layer: Option<String>,
    radius: usize,
    draw: usize,
    point: Point,
) {
    let Some(radius) = job.radii.get(radius).copied() else { return };
    let radii = match layer {
        None => &mut outcome.radii,
        Some(name) => match outcome.layers.iter().position(|known| known.name == name) {
            Some(at) => &mut outcome.layers[at].radii,
            None => {
                outcome.layers.push(LayerFlatness { name, radii: Vec::new() });
                let last = outcome.layers.len() - 1;
                &mut outcome.layers[last].radii
            }
        },
    };
    let at = match radii.iter().position(|known| known.radius == radius) {
        Some(at) => &mut radii[at],
        None => {
            radii.push(empty(radius));
            let last = radii.len() - 1;
            &mut radii[last]
        }
    };
    at.draws.push(Draw { seed: draw_seed(job.compute.seed, draw), loss: point.loss, error: point.error });
    let losses: Vec<f64> = at.draws.iter().map(|draw| draw.loss).collect();
    at.mean = mean(&losses);
    at.worst = losses.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    at.loss = if job.case == Case::Average { at.mean } else { at.worst };
    at.flatness = at.loss - outcome.reference_loss;
    if job.case == Case::Average {
        at.standard_error = standard_error(&losses);
    }
}

/// What is known of a radius, in place of what was known before.
pub fn replace(outcome: &mut FlatnessOutcome, at: AtRadius) {
    match outcome.radii.iter_mut().find(|known| known.radius == at.radius) {
        Some(known) => *known = at,
        None => outcome.radii.push(at),
    }
}

fn empty(radius: f64) -> AtRadius {
    AtRadius {
        radius,
        loss: 0.0,
        flatness: 0.0,
        standard_error: None,
        interval: None,
        spread: None,
        levels: None,
        mean: 0.0,
        worst: 0.0,
        draws: Vec::new(),
    }
}
