//! The numbers of curvature.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::measure::rows::Point;

/// Curvature of a loss in weight space.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct HessianOutcome {
    /// Clean loss and error of the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clean: Option<Point>,
    /// Loss and error on the adversarial examples, of the robust loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub robust: Option<Point>,
    /// Number of weights: the matrix has so many rows.
    pub weights: usize,
    /// The largest eigenvalues, the largest first.
    pub largest: Vec<Eigenvalue>,
    /// The smallest eigenvalues, the smallest first.
    pub smallest: Vec<Eigenvalue>,
    /// Files of their unit eigenvectors beside the record, of the largest ones, then of the smallest; empty: not kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub eigenvectors: Vec<String>,
    /// `|smallest| / largest`: how far the loss is from convex here (Li et al. 2018); 0 where nothing is negative.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub convexity_ratio: Option<f64>,
    /// Sum of all eigenvalues.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Trace>,
    /// How eigenvalues are distributed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub density: Option<Density>,
    /// Eigenvalues of the block of each tensor.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub per_layer: Vec<LayerCurvature>,
    /// Products of the matrix with a vector that were computed.
    pub products: usize,
}

/// An eigenvalue.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Eigenvalue {
    /// Its value, per mean over the examples (the paper's program adds batches instead).
    pub value: f64,
    /// `|H v - value v|` of its unit eigenvector: the value is off by at most this.
    pub residual: f64,
}

/// The trace.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trace {
    /// Its estimate.
    pub value: f64,
    /// Standard error of the estimate over random vectors.
    pub standard_error: f64,
}

/// A spectral density, smoothed by a normal distribution.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Density {
    /// Eigenvalues, ascending.
    pub x: Vec<f64>,
    /// Density there; its integral is 1.
    pub y: Vec<f64>,
    /// One standard error below, over random vectors.
    pub low: Vec<f64>,
    /// One standard error above.
    pub high: Vec<f64>,
    /// Standard deviation of the smoothing.
    pub width: f64,
    /// Nodes and weights of the quadrature of each random vector.
    pub vectors: Vec<Quadrature>,
}

/// A spectrum as one random vector sees it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Quadrature {
    /// Eigenvalues.
    pub nodes: Vec<f64>,
    /// Share of the spectrum at each; they sum to 1.
    pub weights: Vec<f64>,
}

/// Curvature along one tensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LayerCurvature {
    /// Name of the tensor.
    pub name: String,
    /// Its number of elements.
    pub weights: usize,
    /// The largest eigenvalues of its block.
    pub largest: Vec<Eigenvalue>,
    /// The smallest eigenvalues of its block.
    pub smallest: Vec<Eigenvalue>,
}
