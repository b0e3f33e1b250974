//! Statistics of every trainable tensor and of its gradient, for the log: those of the paper's program
//! (`summary_weights`), and the Euclidean norm.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use tch::{Kind, Tensor};

use crate::model::{Role, Weights};

/// JSON has no word for what is not finite: `null` is NaN.
pub(super) fn number<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or(f64::NAN))
}

/// A trainable tensor and its gradient.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TensorStatistics {
    /// Name in the state dictionary.
    pub name: String,
    /// Its weights, after the step.
    pub weight: Summary,
    /// Its gradient in the step, as the optimizer was given it: without weight decay.
    pub gradient: Summary,
}

/// The values of one tensor. Quantiles are values of the tensor: of `n` values in order, counted from 0, the one at
/// `q (n - 1)`, rounded half to even.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Euclidean norm.
    #[serde(deserialize_with = "number")]
    #[schemars(with = "Option<f64>", required)]
    pub norm: f64,
    /// Mean.
    #[serde(deserialize_with = "number")]
    #[schemars(with = "Option<f64>", required)]
    pub mean: f64,
    /// Mean absolute value.
    #[serde(deserialize_with = "number")]
    #[schemars(with = "Option<f64>", required)]
    pub mean_abs: f64,
    /// Sum of absolute values.
    #[serde(deserialize_with = "number")]
    #[schemars(with = "Option<f64>", required)]
    pub sum_abs: f64,
    /// Smallest value.
    #[serde(deserialize_with = "number")]
    #[schemars(with = "Option<f64>", required)]
    pub min: f64,
    /// First quartile.
    #[serde(deserialize_with = "number")]
    #[schemars(with = "Option<f64>", required)]
    pub q25: f64,
    /// Median.
    #[serde(deserialize_with = "number")]
    #[schemars(with = "Option<f64>", required)]
    pub median: f64,
    /// Third quartile.
    #[serde(deserialize_with = "number")]
    #[schemars(with = "Option<f64>", required)]
    pub q75: f64,
    /// Largest value.
    #[serde(deserialize_with = "number")]
    #[schemars(with = "Option<f64>", required)]
    pub max: f64,
    /// Share of relevant values: mean absolute value over the largest; 1 if all are of one size, 0 for a zero tensor.
    #[serde(deserialize_with = "number")]
    #[schemars(with = "Option<f64>", required)]
    pub relevant: f64,
}

impl Summary {
    /// Its numbers by name, in the order of a table.
    pub fn named(&self) -> [(&'static str, f64); 10] {
        [
            ("norm", self.norm),
            ("mean", self.mean),
            ("mean_abs", self.mean_abs),
            ("sum_abs", self.sum_abs),
            ("min", self.min),
            ("q25", self.q25),
            ("median", self.median),
            ("q75", self.q75),
            ("max", self.max),
            ("relevant", self.relevant),
        ]
    }
}

/// Statistics of all trainable tensors of `weights`, and of `gradient`, a vector as long. One copy to the host.
pub(super) fn statistics(weights: &Weights, gradient: &Tensor) -> Vec<TensorStatistics> {
    let _guard = tch::no_grad_guard();
    let entries = &weights.layout().entries;
    let trainable = || entries.iter().filter(|entry| entry.role != Role::Frozen);
    let found: Vec<Tensor> = trainable()
        .flat_map(|entry| {
            [weights.flat(), gradient].map(|flat| numbers(&flat.narrow(0, entry.offset, entry.len)))
        })
        .collect();
    if found.is_empty() {
        return Vec::new();
    }
    let found = Vec::<f64>::try_from(Tensor::stack(&found, 0).reshape([-1])).expect("float64 on the host");
    trainable()
        .zip(found.chunks_exact(2 * NUMBERS))
        .map(|(entry, numbers)| {
            let (weight, gradient) = numbers.split_at(NUMBERS);
            TensorStatistics {
                name: entry.name.clone(),
                weight: summary(weight),
                gradient: summary(gradient),
            }
        })
        .collect()
}

/// Numbers that are computed on the device per vector.
const NUMBERS: usize = 9;

/// Norm, mean, mean and sum of absolute values, and the quantiles 0, 1/4, 1/2, 3/4, 1 of a vector, in float64.
fn numbers(values: &Tensor) -> Tensor {
    let exact = values.to_kind(Kind::Double);
    let sizes = exact.abs();
    let sums = [exact.norm(), exact.mean(Kind::Double), sizes.mean(Kind::Double), sizes.sum(Kind::Double)];
    let (sorted, _) = values.sort(0, false);
    let last = (values.numel() - 1) as f64;
    let positions = [0.0, 0.25, 0.5, 0.75, 1.0].map(|share: f64| (share * last).round_ties_even() as i64);
    let positions = Tensor::from_slice(&positions).to_device(values.device());
    let quantiles = sorted.index_select(0, &positions).to_kind(Kind::Double);
    Tensor::cat(&[Tensor::stack(&sums, 0), quantiles], 0)
}

fn summary(numbers: &[f64]) -> Summary {
    let &[norm, mean, mean_abs, sum_abs, min, q25, median, q75, max] = numbers else {
        unreachable!("so many are computed")
    };
    let largest = max.abs().max(min.abs());
    let relevant = if largest == 0.0 { 0.0 } else { mean_abs / largest };
    Summary { norm, mean, mean_abs, sum_abs, min, q25, median, q75, max, relevant }
}
