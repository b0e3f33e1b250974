//! What is told of how two quantities go together over models.

use serde::{Deserialize, Serialize};

use super::Interval;
use super::line::Fit;
use super::partial::Partial;
use super::sign_error::SignErrors;

/// One coefficient and how certain it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Correlation {
    /// Its value.
    pub value: f64,
    /// What other models of the same kind would have given: BCa bootstrap over models; absent for fewer than
    /// [`super::FEWEST`] of them or a perfect correlation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// The same where each number is also measured anew, with its standard error; absent where no error is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_with_errors: Option<Interval>,
    /// Two-sided p-value over permutations; absent for fewer than four models.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<f64>,
}

/// The coefficients without some models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Without {
    /// The group or the model that is left out.
    pub left_out: String,
    /// Models that stay.
    pub n: usize,
    /// Pearson's r; absent where it is not defined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pearson: Option<f64>,
    /// Spearman's rho; absent where it is not defined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spearman: Option<f64>,
    /// Kendall's tau-b; absent where it is not defined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kendall: Option<f64>,
}

/// How two quantities go together over `n` models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Relation {
    /// Models with two finite numbers.
    pub n: usize,
    /// Pearson's r.
    pub pearson: Correlation,
    /// Spearman's rho.
    pub spearman: Correlation,
    /// Kendall's tau-b.
    pub kendall: Correlation,
    /// The least squares line.
    pub fit: Fit,
    /// How often the order of x tells that of y wrongly; absent where no two models differ in y.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_error: Option<SignErrors>,
    /// Within groups: given the group. Absent with fewer than two groups, or where each has one model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within_groups: Option<Partial>,
    /// Given other quantities, one after the other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub given: Vec<Partial>,
    /// Without each group of several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without_group: Vec<Without>,
    /// Without the model whose absence changes Pearson's r or Spearman's rho most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without_model: Option<Without>,
    /// Why the numbers above may mean less than they seem to, in sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}
