//! An opened checkpoint.

use super::alternatives::Alternative;
use super::summary::Summary;
use crate::model::Network;

/// An opened checkpoint.
#[derive(Debug)]
pub struct Checkpoint {
    /// The network, on the CPU in float32.
    pub network: Network,
    /// What it is.
    pub summary: Summary,
    /// What its tensors can be of, where the file does not say and nothing is assumed: this network first.
    pub alternatives: Vec<Alternative>,
}
