//! The numbers of relative flatness.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Relative flatness of the last linear layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RelativeFlatnessOutcome {
    /// Name of the layer in the checkpoint.
    pub layer: String,
    /// On the images as they are.
    pub clean: AtInputs,
    /// On adversarial examples.
    pub robust: AtInputs,
}

/// Relative flatness on some inputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AtInputs {
    /// Mean over the examples, at least 0; the larger, the sharper.
    pub relative_flatness: f64,
    /// Its 95 % interval over examples; absent for a single one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<[f64; 2]>,
    /// Mean of `-log(p + 1e-12)`.
    pub loss: f64,
    /// Share of wrong examples, 0 to 1; attacked: wrong clean or attacked.
    pub error: f64,
    /// What each example adds to the mean, in their order.
    pub per_example: Vec<f64>,
}
