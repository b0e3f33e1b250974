//! An opened checkpoint.

use super::alternatives::Alternative;
use super::summary::Summary;
use crate::error::{Error, Result};
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

/// Checks that two networks have the same tensors, so that one can be reached from the other, or both have a mean.
///
/// # Errors
/// They are of different architectures; with the path of the second.
pub fn check_alike(first: &Checkpoint, other: &Checkpoint) -> Result<()> {
    if first.network.layout() == other.network.layout() {
        return Ok(());
    }
    let reason = format!(
        "is a {}, and the first checkpoint is a {}; between different architectures there is no line and no mean, so give networks of one architecture",
        other.summary.model, first.summary.model
    );
    Err(Error::file(&other.summary.path, reason))
}
