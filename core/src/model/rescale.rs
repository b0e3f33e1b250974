//! Scaling the layers of a network without changing its function: what absolute measures of flatness do not survive.
//!
//! A convolution or linear layer before a batch normalization may be multiplied by any factor: in evaluation the
//! normalization divides by it again once its running mean and deviation are multiplied, too (Dinh et al. 2017; Stutz et
//! al. 2021, section 5). The variance takes the constant that is added to it into account, so that the function stays
//! exactly, as long as `f^2 (variance + 1e-5) >= 1e-5`.

use tch::{Kind, Tensor};

use super::Network;
use super::forward::NORM_EPSILON;
use super::topology::{Layer, Topology};

/// A layer whose output goes into a normalization and nowhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Normalized {
    /// Prefix of the convolution or linear layer.
    pub layer: String,
    /// Prefix of the normalization.
    pub norm: String,
    /// Whether the normalization keeps running statistics; else it is that of groups, which needs no change.
    pub has_statistics: bool,
}

/// The layers of a network that can be scaled without changing its function, in the order of the network.
pub fn normalized_layers(topology: &Topology) -> Vec<Normalized> {
    fn walk(layers: &[Layer], found: &mut Vec<Normalized>) {
        for pair in layers.windows(2) {
            let (Layer::Conv { name: layer, .. } | Layer::Linear { name: layer, .. }) = &pair[0] else {
                continue;
            };
            if let Layer::Normalize { name, norm, .. } = &pair[1] {
                let has_statistics = norm.has_statistics();
                found.push(Normalized { layer: layer.clone(), norm: name.clone(), has_statistics });
            }
        }
        for layer in layers {
            match layer {
                Layer::Residual { body, shortcut, .. } => {
                    walk(body, found);
                    walk(shortcut, found);
                }
                Layer::Concatenate { body, .. } => walk(body, found),
                _ => {}
            }
        }
    }
    let mut found = Vec::new();
    walk(&topology.layers, &mut found);
    found
}

/// Prefix of the last linear layer: its factor is that of the logits.
pub fn last_linear(topology: &Topology) -> Option<&str> {
    topology.layers.iter().rev().find_map(|layer| match layer {
        Layer::Linear { name, .. } => Some(name.as_str()),
        _ => None,
    })
}

/// The network with every layer multiplied by its factor: weights and bias, and the running statistics behind it.
pub fn rescaled(network: &Network, factors: &[(Normalized, f64)], of_last: Option<f64>) -> Network {
    let _guard = tch::no_grad_guard();
    let copy = network.copy();
    let multiply = |prefix: &str, factor: f64| {
        for (index, entry) in copy.layout().entries.iter().enumerate() {
            if is_of(&entry.name, prefix) {
                let _ = copy.weights.view(index).g_mul_scalar_(factor);
            }
        }
    };
    for (layer, factor) in factors {
        multiply(&layer.layer, *factor);
        if layer.has_statistics {
            for (name, buffer) in &copy.buffers {
                statistics(name.strip_prefix(&layer.norm), buffer, *factor);
            }
        }
    }
    if let (Some(prefix), Some(factor)) = (last_linear(&copy.topology), of_last) {
        multiply(prefix, factor);
    }
    copy
}

/// Multiplies the running mean or variance with this suffix.
fn statistics(suffix: Option<&str>, buffer: &Tensor, factor: f64) {
    let scaled = match suffix {
        Some(".running_mean") => buffer.to_kind(Kind::Double) * factor,
        Some(".running_var") => {
            let variance = (buffer.to_kind(Kind::Double) + NORM_EPSILON) * (factor * factor) - NORM_EPSILON;
            variance.clamp_min(0.0)
        }
        _ => return,
    };
    buffer.shallow_clone().copy_(&scaled);
}

fn is_of(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix).is_some_and(|rest| rest == ".weight" || rest == ".bias")
}

/// How large some tensors of a network are, together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Norms {
    /// Largest absolute value.
    pub linf: f64,
    /// Euclidean norm.
    pub l2: f64,
    /// Sum of absolute values.
    pub l1: f64,
}

/// Norms of the weights and biases of layers, all together.
pub fn norms<'a>(network: &Network, prefixes: impl IntoIterator<Item = &'a str>) -> Norms {
    let prefixes: Vec<&str> = prefixes.into_iter().collect();
    let mut norms = Norms { linf: 0.0, l2: 0.0, l1: 0.0 };
    for (index, entry) in network.layout().entries.iter().enumerate() {
        if prefixes.iter().any(|prefix| is_of(&entry.name, prefix)) {
            let values = network.weights.view(index).to_kind(Kind::Double).abs();
            let number = |tensor: Tensor| tensor.double_value(&[]);
            norms.linf = norms.linf.max(number(values.max()));
            norms.l2 = norms.l2.hypot(number(values.norm()));
            norms.l1 += number(values.sum(Kind::Double));
        }
    }
    norms
}
