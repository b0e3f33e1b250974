//! The numbers of a flatness measure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::multilevel::Numbers;
use super::settings::Case;

/// Loss under perturbed weights, for every radius.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    /// Resamples behind every interval in records of earlier versions, which bootstrapped; 0: intervals are t intervals.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub resamples: usize,
    /// Perturbed networks kept beside the record; empty unless asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<KeptNetwork>,
    /// Name of the file beside the record with the losses of every draw and example, see [`super::KeptLosses`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub losses: Option<String>,
}

fn is_zero(resamples: &usize) -> bool {
    *resamples == 0
}

/// Draws below which an interval is wide because of their number.
const FEW: usize = 5;

impl FlatnessOutcome {
    /// What limits the certainty of the numbers, in a few words; none for means over enough draws.
    pub fn caveat(&self, case: Case) -> Option<String> {
        match (case, self.fewest_draws()) {
            (_, 0) => None,
            (Case::Worst, 1) => Some("a lower bound, from one search".to_owned()),
            (Case::Worst, n) => Some(format!("the largest of {n} searches, a lower bound")),
            (Case::Average, 1) => Some("no interval, as there is one draw".to_owned()),
            (Case::Average, n) => (n < FEW).then(|| format!("wide intervals, from {n} draws")),
        }
    }

    fn fewest_draws(&self) -> usize {
        self.radii.iter().map(|at| at.draws.len()).min().unwrap_or(0)
    }

    /// What is known about how certain the numbers are, in words: what an interval is over, or why there is none.
    pub fn certainty(&self, case: Case) -> String {
        let fewest = self.fewest_draws();
        let bootstrapped = self.resamples > 0 && fewest > 1;
        match (case, fewest) {
            (Case::Worst, 1) => "one restart of the search: a lower bound of the worst case".to_owned(),
            (Case::Worst, n) => format!(
                "the largest of {n} restarts of the search: a lower bound of the worst case, without standard error or interval"
            ),
            (Case::Average, 0 | 1) => {
                "no interval: a single draw does not tell how draws differ; use 5 or more".to_owned()
            }
            (Case::Average, _) if bootstrapped => {
                "interval: 95 % bootstrap over draws and examples".to_owned()
            }
            (Case::Average, n) if n < FEW => format!(
                "interval: 95 %, over draws and examples together; wide because {n} draws hardly tell how draws differ: use {FEW} or more"
            ),
            (Case::Average, _) => "interval: 95 %, over draws and examples together".to_owned(),
        }
    }
}

/// Loss under perturbations of one radius.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AtRadius {
    /// The radius.
    pub radius: f64,
    /// Loss of the perturbed network: in the average case the mean over draws, in the worst case their largest.
    pub loss: f64,
    /// `loss` minus the reference loss.
    pub flatness: f64,
    /// Average case: standard error of `flatness` over draws; absent for a single draw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standard_error: Option<f64>,
    /// Average case: 95 % interval of `flatness` over draws and examples together; absent for a single draw or example.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<[f64; 2]>,
    /// Worst case: smallest and largest flatness over draws, which are restarts of the search; absent for a single one. The
    /// largest is `flatness`, a lower bound: other restarts could only find more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread: Option<[f64; 2]>,
    /// Multilevel estimate: its levels. `loss`, `flatness`, `standard_error` and `interval` are then those of the estimate;
    /// absent: those of the plain mean over `draws`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub levels: Option<Box<LevelsOutcome>>,
    /// Plain mean over draws, whatever the case.
    pub mean: f64,
    /// Largest over draws, whatever the case.
    pub worst: f64,
    /// Every draw.
    pub draws: Vec<Draw>,
}

/// A multilevel estimate beside the plain mean over its draws under the whole attack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LevelsOutcome {
    /// Steps of the short attack: the first ones of the whole attack.
    pub steps: usize,
    /// Draws on each level: the first ones of those of the next cheaper level.
    pub draws: Numbers,
    /// What the losses of the cheap levels are multiplied with.
    pub coefficients: OnLevels,
    /// Pearson correlation over draws of the loss under the whole attack with that on a cheap level; absent for one draw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlations: Option<OnLevels>,
    /// The plain mean over the draws under the whole attack.
    pub plain: PlainMean,
}

/// A number for each cheap level.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OnLevels {
    /// Of the short attack.
    pub short: f64,
    /// Of clean images.
    pub clean: f64,
}

/// Flatness as the plain mean over draws.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlainMean {
    /// Mean loss minus the reference loss.
    pub flatness: f64,
    /// Its standard error over draws; absent for a single draw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standard_error: Option<f64>,
    /// Its 95 % interval over draws and examples; absent for a single draw or example.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<[f64; 2]>,
}

/// One perturbation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Draw {
    /// Seed of its direction; with names and shapes of the tensors it makes the perturbation again.
    pub seed: u64,
    /// Mean loss.
    pub loss: f64,
    /// Share of examples that are wrong, as the paper counts: under the perturbed weights, or without any perturbation.
    pub error: f64,
}

/// Flatness in one tensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LayerFlatness {
    /// The tensor's name in the checkpoint.
    pub name: String,
    /// For every radius.
    pub radii: Vec<AtRadius>,
}

/// One perturbed network of a flatness measure, in files named relative to the record's folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KeptNetwork {
    /// The tensor that alone is perturbed; none: all that take part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<String>,
    /// The radius.
    pub radius: f64,
    /// Number of the draw.
    pub draw: usize,
    /// The network, a checkpoint.
    pub network: String,
    /// The images and what the attack adds to them there, as [`crate::measure::KeptExamples`]; in the worst case of the robust
    /// loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub examples: Option<String>,
}
