//! The numbers of a flatness measure.

use serde::{Deserialize, Serialize};

use super::KeptNetwork;

/// Loss under perturbed weights, for every radius.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FlatnessOutcome {
    /// Mean of `-log(p + 1e-12)` (at most 27.631) without a perturbation of the weights; robust: at the worst restart
    /// per example.
    pub reference_loss: f64,
    /// Share of wrong examples without a perturbation, 0 to 1. Robust: wrong clean or attacked.
    pub reference_error: f64,
    /// All tensors that take part, perturbed together; in the order of the job's radii. A cancelled job lacks radii
    /// without a finished draw.
    pub radii: Vec<AtRadius>,
    /// One tensor perturbed at a time, in the order of the network; empty unless asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<LayerFlatness>,
    /// Resamples behind every interval, drawn with the job's seed.
    #[serde(default)]
    pub resamples: usize,
    /// Perturbed networks kept beside the record; empty unless asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<KeptNetwork>,
}

/// Loss under perturbations of one radius.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AtRadius {
    /// The radius.
    pub radius: f64,
    /// Loss of the perturbed network: in the average case the mean over draws, in the worst case their largest.
    pub loss: f64,
    /// `loss` minus the reference loss.
    pub flatness: f64,
    /// Standard error of the mean over draws; absent for a single draw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standard_error: Option<f64>,
    /// 95 % bootstrap interval of `flatness` over draws and examples together.
    pub interval: [f64; 2],
    /// Mean over draws, whatever the case.
    pub mean: f64,
    /// Largest over draws, whatever the case.
    pub worst: f64,
    /// Every draw.
    pub draws: Vec<Draw>,
}

/// One perturbation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Draw {
    /// Seed of its direction; with names and shapes of the tensors it makes the perturbation again.
    pub seed: u64,
    /// Mean loss.
    pub loss: f64,
    /// Share of examples that are wrong, as the paper counts: under the perturbed weights, or without any perturbation.
    pub error: f64,
}

/// Flatness in one tensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerFlatness {
    /// The tensor's name in the checkpoint.
    pub name: String,
    /// For every radius.
    pub radii: Vec<AtRadius>,
}
