//! The mean of several networks, as in stochastic weight averaging (Izmailov et al. 2018).

use tch::{Kind, Tensor};

use super::{Network, Weights};

/// The mean of the weights of networks of one architecture, each with its share, and of their running statistics
/// ([`super::calibrate`] computes those of the mean itself).
///
/// # Panics
/// If the networks differ in architecture, or there are none.
pub fn averaged(networks: &[&Network], shares: &[f64]) -> Network {
    let _guard = tch::no_grad_guard();
    let total: f64 = shares.iter().sum();
    let mean = |tensors: Vec<&Tensor>| {
        let kind = tensors[0].kind();
        if !tensors[0].is_floating_point() {
            return tensors[0].copy();
        }
        let zero = tensors[0].to_kind(Kind::Double).zeros_like();
        let sum = tensors
            .iter()
            .zip(shares)
            .fold(zero, |sum, (tensor, share)| sum + tensor.to_kind(Kind::Double) * (share / total));
        sum.to_kind(kind)
    };
    let first = networks[0];
    let flat = mean(networks.iter().map(|network| network.weights.flat()).collect());
    let buffers = first.buffers.iter().enumerate().map(|(at, (name, _))| {
        (name.clone(), mean(networks.iter().map(|network| &network.buffers[at].1).collect()))
    });
    Network {
        topology: first.topology.clone(),
        weights: Weights::from_flat(first.layout().clone(), flat),
        buffers: buffers.collect(),
    }
}
