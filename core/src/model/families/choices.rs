//! What names and shapes of tensors leave open.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::topology::Activation;

/// What is added in residual blocks that change the size: what a convolution in the shortcut of a pre-activation block
/// sees (kuangliu/pytorch-cifar issue 9), or what a shortcut without tensors is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shortcut {
    /// The input of the block (RobustBench's `PreActBlock`).
    Plain,
    /// The normalized and activated input (AWP, robust_overfitting, `PreActBlockV2`).
    Activated,
    /// There is none, although names and shapes would allow one (`_noshort` of loss-landscape).
    None,
    /// Every second pixel with channels of zeros around its own, which has no tensors (option A of He et al. 2016, as in
    /// akamaster's networks).
    Padded,
}

/// What follows the first convolution of an ImageNet-style network with a 3x3 stem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// Nothing.
    None,
    /// Max pooling.
    Max,
}

/// What keys and shapes leave open of a network; none: nothing is said of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Choices {
    /// What is added in residual blocks.
    pub shortcut: Option<Shortcut>,
    /// The activation.
    pub activation: Option<Activation>,
    /// What follows the stem.
    pub pooling: Option<Pooling>,
}

impl Choices {
    /// Refuses to decide about shortcut and pooling.
    pub(super) fn refuse_structure(&self, family: &str) -> Result<(), String> {
        let refused =
            |what: &str| Err(format!("a {family} leaves no choice of its {what}; leave {what} out"));
        match (self.shortcut, self.pooling) {
            (Some(_), _) => refused("shortcut"),
            (_, Some(_)) => refused("pooling"),
            _ => Ok(()),
        }
    }
}
