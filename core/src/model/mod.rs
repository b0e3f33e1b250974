//! Networks as data: a [`Topology`], a [`Weights`] vector, and buffers.
//!
//! Perturbing a network is arithmetic on its weights; nothing is mutated and put back. For speed, an
//! [`Evaluator`] is the folded, channels-last form of a network in one precision on one device.

mod average;
mod calibrate;
mod families;
mod fold;
mod forward;
mod init;
mod input;
mod outline;
mod rescale;
mod topology;
mod weights;

use std::sync::Arc;

use tch::{Device, Kind, Tensor};

pub use average::averaged;
pub use calibrate::{calibrate, calibrated};
pub use families::{
    Architecture, Choices, DeepMindPreActResNet, DeepMindWideResNet, DenseNet, Family, Keys, LeNet, Mlp,
    NAMES, Pooling, PostActResNet, PreActResNet, Recognized, ResNeXt, ResNet, Shortcut, SmallCnn, Stem, Vgg,
    WideResNet, anchors, groups, recognize, special,
};
pub use fold::fold;
pub use forward::{BatchStatistics, Mode, Params, activate, channels_last, logits, place};
pub use init::Initialization;
pub use input::InputNormalization;
pub use outline::{Block, BlockKind, Bypass, runs};
pub use rescale::{Normalized, Norms, last_linear, normalized_layers, norms, rescaled};
pub use topology::{Activation, Layer, Norm, Role, TensorSpec, Topology};
pub use weights::{Entry, Layout, Weights};

/// A network: what it is, its parameters, its buffers.
#[derive(Debug)]
pub struct Network {
    /// What it is.
    pub topology: Topology,
    /// Its parameters.
    pub weights: Weights,
    /// Running statistics and other state, by key, in the order of the state dictionary.
    pub buffers: Vec<(String, Tensor)>,
}

impl Network {
    /// Named tensors with `weights` in place of the network's own. Parameters are views of the flat
    /// buffer; buffers are shared.
    pub fn params(&self, weights: &Weights) -> Params {
        let mut params = Params::default();
        for (index, entry) in weights.layout().entries.iter().enumerate() {
            params.insert(&entry.name, weights.view(index));
        }
        let (device, kind) = (weights.flat().device(), weights.flat().kind());
        for (name, buffer) in &self.buffers {
            let kind = if buffer.is_floating_point() { kind } else { buffer.kind() };
            params.insert(name, buffer.to_device(device).to_kind(kind));
        }
        params
    }

    /// All tensors by name, in the order of the original `state_dict()`. They share memory with the network.
    pub fn state_dict(&self) -> Vec<(String, Tensor)> {
        let params = self.params(&self.weights);
        let specs = self.topology.tensors().into_iter();
        let tensors = specs.map(|spec| {
            let tensor = params.get(&spec.name).shallow_clone();
            (spec.name, tensor)
        });
        tensors.collect()
    }

    /// As [`Network::params`], with gradients flowing to the flat buffer from the tensors at `which` alone. One split
    /// of the buffer, whose backward pass is one concatenation.
    fn params_of(&self, weights: &Weights, which: &[usize]) -> Params {
        let layout = weights.layout();
        let lengths: Vec<i64> = layout.entries.iter().map(|entry| entry.len).collect();
        let mut params = tch::no_grad(|| self.params(weights)).map(Tensor::detach);
        let pieces = weights.flat().split_with_sizes(lengths.as_slice(), 0);
        for index in which {
            let entry = &layout.entries[*index];
            params.insert(&entry.name, pieces[*index].view(entry.shape.as_slice()));
        }
        params
    }

    /// As [`Network::params`], with every trainable tensor of `which` a leaf that collects a gradient.
    /// The leaves come back in the order of `which`.
    pub fn leaves(&self, weights: &Weights, which: &[usize]) -> (Params, Vec<Tensor>) {
        let mut params = self.params(weights);
        let leaves: Vec<Tensor> =
            which.iter().map(|i| weights.view(*i).detach().set_requires_grad(true)).collect();
        for (leaf, index) in leaves.iter().zip(which) {
            params.insert(&weights.layout().entries[*index].name, leaf.shallow_clone());
        }
        (params, leaves)
    }

    /// On another device or in another precision; integer buffers stay integer.
    pub fn to(&self, device: Device, kind: Kind) -> Self {
        let moved = |tensor: &Tensor| {
            let kind = if tensor.is_floating_point() { kind } else { tensor.kind() };
            tensor.to_device(device).to_kind(kind)
        };
        Self {
            topology: self.topology.clone(),
            weights: self.weights.to(device, kind),
            buffers: self.buffers.iter().map(|(name, tensor)| (name.clone(), moved(tensor))).collect(),
        }
    }

    /// A copy of the network in memory of its own, buffers included.
    pub fn copy(&self) -> Self {
        Self {
            topology: self.topology.clone(),
            weights: self.weights.copy(),
            buffers: self.buffers.iter().map(|(name, tensor)| (name.clone(), tensor.copy())).collect(),
        }
    }

    /// The same tensors, which stay shared, in another topology.
    pub fn in_topology(&self, topology: Topology) -> Self {
        let shared = |(name, buffer): &(String, Tensor)| (name.clone(), buffer.shallow_clone());
        Self {
            topology,
            weights: Weights::from_flat(self.layout().clone(), self.weights.flat().shallow_clone()),
            buffers: self.buffers.iter().map(shared).collect(),
        }
    }

    /// Number of trainable parameters.
    pub fn parameters(&self) -> i64 {
        self.weights.layout().entries.iter().filter(|e| e.role != Role::Frozen).map(|e| e.len).sum()
    }

    /// Layout shared by everything in this network's weight space.
    pub fn layout(&self) -> &Arc<Layout> {
        self.weights.layout()
    }
}

/// A network ready to be evaluated many times: folded, channels-last, one precision, one device.
#[derive(Debug)]
pub struct Evaluator {
    topology: Topology,
    params: Params,
    allow_tf32: bool,
}

impl Evaluator {
    /// Prepares `network` with `weights` in place of its own.
    pub fn new(network: &Network, weights: &Weights, device: Device, kind: Kind, allow_tf32: bool) -> Self {
        let _guard = tch::no_grad_guard();
        // Fold in float32 (or float64), then round once.
        let exact = if kind == Kind::Double { Kind::Double } else { Kind::Float };
        let (topology, params) = fold(&network.topology, &network.params(&weights.to(device, exact)));
        let params = params.map(|t| {
            if t.is_floating_point() { channels_last(&t.to_kind(kind).detach()) } else { t.shallow_clone() }
        });
        Self { topology, params: keep_preprocessing(params, network, device, exact), allow_tf32 }
    }

    /// As [`Evaluator::new`] on the device of `weights`, differentiable in the tensors at `which` of their flat buffer
    /// (which must require gradients) and in the images. Folding is part of the graph, so gradients are those of the
    /// raw weights; they arrive as one flat vector, 0 in all other tensors.
    pub fn differentiable(
        network: &Network,
        weights: &Weights,
        which: &[usize],
        kind: Kind,
        allow_tf32: bool,
    ) -> Self {
        let (topology, folded) = fold(&network.topology, &network.params_of(weights, which));
        let params = folded
            .map(|t| if t.is_floating_point() { channels_last(&t.to_kind(kind)) } else { t.shallow_clone() });
        let (device, exact) = (weights.flat().device(), weights.flat().kind());
        Self { topology, params: keep_preprocessing(params, network, device, exact), allow_tf32 }
    }

    /// The network as it is: float32, not folded, not channels-last. What preparing saves is measured against it.
    pub fn plain(network: &Network, weights: &Weights, device: Device) -> Self {
        let _guard = tch::no_grad_guard();
        let params = network.params(&weights.to(device, Kind::Float));
        Self { topology: network.topology.clone(), params: params.map(Tensor::detach), allow_tf32: false }
    }

    /// Logits of `images` (`N x C x H x W`, any float kind) in float32 (float64 for a float64 network).
    pub fn logits(&self, images: &Tensor) -> Tensor {
        let logits = forward::evaluate(&self.topology, &self.params, images, self.allow_tf32);
        if logits.kind() == Kind::BFloat16 { logits.to_kind(Kind::Float) } else { logits }
    }
}

/// Whitening and rescaling stay exact: images are rounded once, at the first convolution.
fn keep_preprocessing(mut params: Params, network: &Network, device: Device, kind: Kind) -> Params {
    network.topology.visit(&mut |layer| {
        let (name, suffixes) = match layer {
            Layer::Standardize { name, .. } => (name, ["weight", "bias"]),
            Layer::Rescale { name } => (name, ["scale_min", "scale_max"]),
            _ => return,
        };
        for suffix in suffixes {
            let key = format!("{name}.{suffix}");
            let exact = network.params(&network.weights).get(&key).to_device(device).to_kind(kind).detach();
            params.insert(key, exact);
        }
    });
    params
}
