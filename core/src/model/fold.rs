//! Folding batch normalization into the convolution or linear layer before it.
//!
//! At evaluation a batch normalization is the affine map `y = x s + t` with
//! `s = gamma / sqrt(var + eps)`, `t = beta - mean s`, so conv followed by norm is a convolution with
//! weights `W s` and bias `b s + t`. Exact up to rounding; the normalization's share of the arithmetic
//! and memory traffic is gone.

use tch::{Kind, Tensor};

use super::forward::{NORM_EPSILON, Params};
use super::topology::{Layer, Norm, Topology};

/// The folded network: no batch normalization and no dropout is left.
///
/// The given tensors are not changed. Differentiable in the parameters.
pub fn fold(topology: &Topology, params: &Params) -> (Topology, Params) {
    let mut folded = Params::default();
    let layers = fold_layers(&topology.layers, params, &mut folded);
    (Topology { layers, ..topology.clone() }, folded)
}

fn fold_layers(layers: &[Layer], params: &Params, folded: &mut Params) -> Vec<Layer> {
    let mut result: Vec<Layer> = Vec::with_capacity(layers.len());
    for layer in layers {
        match layer {
            Layer::Dropout { .. } => {}
            Layer::Normalize { name, norm, channels } if norm.has_statistics() => {
                let (scale, shift) = affine(params, name, *norm);
                match result.last_mut() {
                    Some(
                        Layer::Conv { name: target, bias, .. } | Layer::Linear { name: target, bias, .. },
                    ) => {
                        absorb(folded, target, *bias, &scale, &shift);
                        *bias = true;
                    }
                    _ => {
                        folded.insert(format!("{name}.weight"), scale);
                        folded.insert(format!("{name}.bias"), shift);
                        result.push(Layer::Affine { name: name.clone(), channels: *channels });
                    }
                }
            }
            Layer::Residual { name, body, shortcut } => result.push(Layer::Residual {
                name: name.clone(),
                body: fold_layers(body, params, folded),
                shortcut: fold_layers(shortcut, params, folded),
            }),
            Layer::Concatenate { name, body } => result
                .push(Layer::Concatenate { name: name.clone(), body: fold_layers(body, params, folded) }),
            other => {
                for suffix in own_tensors(other) {
                    let (name, suffix) = suffix;
                    folded.insert(format!("{name}.{suffix}"), params.of(name, suffix).shallow_clone());
                }
                result.push(other.clone());
            }
        }
    }
    result
}

fn own_tensors(layer: &Layer) -> Vec<(&str, &'static str)> {
    match layer {
        Layer::Conv { name, bias, .. } | Layer::Linear { name, bias, .. } => {
            let mut tensors = vec![(name.as_str(), "weight")];
            if *bias {
                tensors.push((name, "bias"));
            }
            tensors
        }
        Layer::Standardize { name, .. } | Layer::Affine { name, .. } => {
            vec![(name, "weight"), (name, "bias")]
        }
        Layer::Normalize { name, norm, .. } if norm.is_affine() => vec![(name, "weight"), (name, "bias")],
        Layer::Rescale { name } => vec![(name, "scale_min"), (name, "scale_max")],
        _ => vec![],
    }
}

/// Scale and shift of a batch normalization at evaluation, computed in float64.
fn affine(params: &Params, name: &str, norm: Norm) -> (Tensor, Tensor) {
    let double = |suffix| params.of(name, suffix).to_kind(Kind::Double);
    let mean = params.of(name, "running_mean");
    let inverse = (double("running_var") + NORM_EPSILON).rsqrt();
    let (scale, shift) = match norm {
        Norm::Reparameterized => ((double("weight") + 1.0) * inverse, Some(double("bias"))),
        Norm::Batch => (double("weight") * inverse, Some(double("bias"))),
        _ => (inverse, None),
    };
    let shift = match shift {
        Some(beta) => beta - double("running_mean") * &scale,
        None => -(double("running_mean") * &scale),
    };
    (scale.to_kind(mean.kind()), shift.to_kind(mean.kind()))
}

fn absorb(folded: &mut Params, target: &str, bias: bool, scale: &Tensor, shift: &Tensor) {
    let weight = folded.of(target, "weight");
    let mut shape = vec![1; weight.dim()];
    shape[0] = -1;
    let weight = weight * scale.view(shape.as_slice());
    let bias = if bias { folded.of(target, "bias") * scale + shift } else { shift.shallow_clone() };
    folded.insert(format!("{target}.weight"), weight);
    folded.insert(format!("{target}.bias"), bias);
}
