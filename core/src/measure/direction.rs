//! Directions in weight space and how they are scaled relative to the weights.

use serde::{Deserialize, Serialize};

/// Where a direction comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DirectionKind {
    /// Gaussian numbers in every moved tensor; the number tells draws of one job apart.
    Random(u64),
}

impl std::fmt::Display for DirectionKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Random(0) => f.write_str("random"),
            Self::Random(draw) => write!(f, "random:{draw}"),
        }
    }
}

/// How a direction is scaled relative to the weights. `radius` comes from the job.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normalization {
    /// Relative L2 norm `radius` in every tensor: the ball of the flatness measures.
    #[default]
    Layer,
    /// Relative L2 norm `radius` in every output filter (Li et al.).
    Filter,
    /// Relative L2 norm `radius` over all moved tensors together.
    Global,
    /// A token of the paper's program, e.g. `layer_l2_05`, with the paper's meaning.
    Paper(String),
}
