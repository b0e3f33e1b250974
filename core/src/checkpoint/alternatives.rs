//! Networks that the tensors of a file can be of, where it does not say.

use super::reference::Assumptions;
use crate::model::{Network, Topology};

/// A network that the tensors of a file can be of.
#[derive(Debug, Clone)]
pub struct Alternative {
    /// What is assumed; empty where the file leaves nothing open.
    pub assumed: Assumptions,
    /// The network, with what prepares its images. All alternatives of a file have the same tensors.
    pub topology: Topology,
}

impl Alternative {
    /// This network with the tensors of another alternative of the same file.
    pub fn of(&self, network: &Network) -> Network {
        Network { topology: self.topology.clone(), ..network.copy() }
    }
}
