//! Networks that the tensors of a file can be of, where it does not say.

use super::reference::Assumptions;
use crate::model::{Network, Topology, Weights};

/// A network that the tensors of a file can be of.
#[derive(Debug, Clone)]
pub struct Alternative {
    /// What is assumed; empty where the file leaves nothing open.
    pub assumed: Assumptions,
    /// The network, with what prepares its images. All alternatives of a file have the same tensors.
    pub topology: Topology,
    /// Whether it is so rare that it is tried only where no other fits.
    pub is_rare: bool,
}

impl Alternative {
    /// This network with the very tensors of another alternative of the same file, for evaluation.
    pub(super) fn sharing(&self, network: &Network) -> Network {
        let flat = network.weights.flat().shallow_clone();
        let buffers = network.buffers.iter().map(|(name, buffer)| (name.clone(), buffer.shallow_clone()));
        Network {
            topology: self.topology.clone(),
            weights: Weights::from_flat(network.layout().clone(), flat),
            buffers: buffers.collect(),
        }
    }

    /// This network with the tensors of another alternative of the same file.
    pub fn of(&self, network: &Network) -> Network {
        Network { topology: self.topology.clone(), ..network.copy() }
    }
}
