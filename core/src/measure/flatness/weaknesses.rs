//! Flatness below zero, and searches that found less than there is: what the user is told.

use super::outcome::{AtRadius, FlatnessOutcome};
use super::settings::{Case, Flatness, FlatnessLoss};

/// A sentence for every radius whose flatness is too low, and one for the tensors by themselves.
pub fn weaknesses(job: &Flatness, outcome: &FlatnessOutcome) -> Vec<String> {
    let mut sentences: Vec<String> = outcome
        .radii
        .iter()
        .filter_map(|at| sentence(job, at).map(|text| format!("radius {}: {text}", at.radius)))
        .collect();
    let negative = |at: &&AtRadius| job.case == Case::Worst && at.flatness < 0.0;
    let weak = outcome.layers.iter().filter(|layer| layer.radii.iter().any(|at| negative(&at)));
    let names: Vec<&str> = weak.map(|layer| layer.name.as_str()).collect();
    if !names.is_empty() {
        sentences.push(format!(
            "the worst-case flatness of {} by itself is below 0: no search found weights worse than the unperturbed ones",
            names.join(", ")
        ));
    }
    sentences
}

fn sentence(job: &Flatness, at: &AtRadius) -> Option<String> {
    let (reference, restarts) = (job.restarts_of_reference(), job.restarts_of_draws());
    let unequal = job.loss == FlatnessLoss::Robust && reference > restarts;
    let why = if unequal {
        format!(
            "the reference is the worst of {reference} restarts and a draw has {restarts}; attack both equally by leaving the restarts of the reference open"
        )
    } else {
        "the unperturbed weights are in the ball, too, so the search is weak; use more epochs or draws, or another weight step size".to_owned()
    };
    let weak = at.draws.iter().filter(|draw| draw.loss < at.loss - at.flatness).count();
    let all = at.draws.len();
    match job.case {
        Case::Average if unequal && at.flatness < 0.0 => Some(format!("flatness is below 0: {why}")),
        Case::Average => None,
        Case::Worst if at.flatness < 0.0 => Some(format!("the worst-case flatness is below 0: {why}")),
        Case::Worst if weak > 0 => {
            Some(format!("{weak} of {all} searches found less than the unperturbed loss: {why}"))
        }
        Case::Worst => None,
    }
}
