//! Distribution of the values of a checkpoint's tensors.

use std::path::Path;

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::open;
use crate::error::{Error, Result};

/// Bins of a histogram.
pub const BINS: usize = 32;
/// Share of the values below the first and above the last bin.
const TAIL: f64 = 0.001;

/// Distribution of the values of one tensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// Name of the tensor.
    pub name: String,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Mean.
    pub mean: f64,
    /// Standard deviation (divided by the number of values).
    pub std: f64,
    /// Left edge of the first bin: the 0.1 % quantile.
    pub low: f64,
    /// Right edge of the last bin: the 99.9 % quantile.
    pub high: f64,
    /// Number of values in each of the [`BINS`] bins of equal width; empty where both edges are the same. Values beyond
    /// the edges are in none.
    pub counts: Vec<u64>,
}

impl Distribution {
    /// The distribution of these values; none: there are no values.
    pub fn of(name: &str, values: &[f32]) -> Option<Self> {
        let first = f64::from(*values.first()?);
        let count = values.len() as f64;
        let (mut min, mut max, mut sum) = (first, first, 0.0);
        for value in values.iter().map(|value| f64::from(*value)) {
            (min, max, sum) = (min.min(value), max.max(value), sum + value);
        }
        let mean = sum / count;
        let squares: f64 = values.iter().map(|value| (f64::from(*value) - mean).powi(2)).sum();
        let mut sorted = values.to_vec();
        // The order statistic that cuts off a share of the values.
        let mut quantile = |share: f64| {
            let at = ((count - 1.0) * share).round() as usize;
            f64::from(*sorted.select_nth_unstable_by(at, f32::total_cmp).1)
        };
        let (low, high) = (quantile(TAIL), quantile(1.0 - TAIL));
        let mut counts = Vec::new();
        if high > low {
            counts = vec![0; BINS];
            let scale = BINS as f64 / (high - low);
            for value in values.iter().map(|value| f64::from(*value)) {
                if (low..=high).contains(&value) {
                    counts[(((value - low) * scale) as usize).min(BINS - 1)] += 1;
                }
            }
        }
        Some(Self { name: name.to_owned(), min, max, mean, std: (squares / count).sqrt(), low, high, counts })
    }
}

/// Distributions of all tensors of a checkpoint, in the order of its summary. `step` hears how far it is, from 0
/// to 1.
///
/// # Errors
/// As [`open`], or as `step`.
pub fn distributions(path: &Path, step: &mut dyn FnMut(f64) -> Result<()>) -> Result<Vec<Distribution>> {
    let checkpoint = open(path)?;
    let network = &checkpoint.network;
    let params = network.params(&network.weights);
    let mut found = Vec::with_capacity(checkpoint.summary.tensors.len());
    let all = checkpoint.summary.tensors.len().max(1) as f64;
    for (at, tensor) in checkpoint.summary.tensors.iter().enumerate() {
        step(at as f64 / all)?;
        let values = values(params.get(&tensor.name))
            .map_err(|e| Error::file(path, format!("{} cannot be read ({e})", tensor.name)))?;
        found.extend(Distribution::of(&tensor.name, &values));
    }
    Ok(found)
}

fn values(tensor: &Tensor) -> std::result::Result<Vec<f32>, tch::TchError> {
    Vec::try_from(tensor.detach().to_kind(Kind::Float).contiguous().view(-1))
}
