//! What a weight attack does with the gradient before it steps.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use super::pieces::{Scope, WeightBlocks, WeightNorm, quotient};
use crate::model::Layout;

/// Normalization of the gradient `g` of the attacked tensors, with `w` the reference weights. Where a gradient is zero,
/// the paper's program divides 0 by 0; here it stays zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WeightGradient {
    /// Per tensor `g / |g| |w|`: a step of size s moves every tensor by s relative to its norm. The paper's choice.
    #[default]
    #[schemars(title = "relative L2 per layer")]
    LayerRelativeL2,
    /// `g / |g|` over all attacked tensors.
    #[schemars(title = "L2")]
    L2,
    /// `g / |g| |w|` over all attacked tensors.
    #[schemars(title = "relative L2")]
    RelativeL2,
    /// The sign of every entry.
    Sign,
    /// `g / max|g|` over all attacked tensors.
    #[schemars(title = "L-inf")]
    Linf,
    /// `g / max|g| max|w|` over all attacked tensors.
    #[schemars(title = "relative L-inf")]
    RelativeLinf,
    /// Per tensor `g / max|g| max|w|`. (The paper's program divides by the scale of the weights.)
    #[schemars(title = "relative L-inf per layer")]
    LayerRelativeLinf,
    /// As it is.
    Raw,
}

/// A normalization of one run: the pieces are cut and the weights measured once.
#[derive(Debug)]
pub struct Normalizer {
    rule: Option<Rule>,
    sign: bool,
}

#[derive(Debug)]
struct Rule {
    pieces: WeightBlocks,
    norm: WeightNorm,
    /// What the norm of a piece becomes.
    sizes: Option<Tensor>,
}

impl Normalizer {
    /// For the tensors at `which` of `reference`, the flat reference weights.
    pub fn new(kind: WeightGradient, layout: &Layout, which: &[usize], reference: &Tensor) -> Self {
        let device: Device = reference.device();
        let (scope, norm, relative) = match kind {
            WeightGradient::LayerRelativeL2 => (Scope::Layer, WeightNorm::L2, true),
            WeightGradient::L2 => (Scope::Global, WeightNorm::L2, false),
            WeightGradient::RelativeL2 => (Scope::Global, WeightNorm::L2, true),
            WeightGradient::Linf => (Scope::Global, WeightNorm::Linf, false),
            WeightGradient::RelativeLinf => (Scope::Global, WeightNorm::Linf, true),
            WeightGradient::LayerRelativeLinf => (Scope::Layer, WeightNorm::Linf, true),
            WeightGradient::Sign | WeightGradient::Raw => {
                return Self { rule: None, sign: kind == WeightGradient::Sign };
            }
        };
        let pieces = WeightBlocks::new(layout, which, scope, device);
        let sizes = relative.then(|| pieces.sizes(reference, norm));
        Self { rule: Some(Rule { pieces, norm, sizes }), sign: false }
    }

    /// The normalized gradient; `gradient` is flat, and 0 outside of the attacked tensors.
    pub fn normalize(&self, gradient: &Tensor) -> Tensor {
        let Some(Rule { pieces, norm, sizes }) = &self.rule else {
            return if self.sign { gradient.sign() } else { gradient.shallow_clone() };
        };
        let found = pieces.sizes(gradient, *norm);
        let wanted = sizes.as_ref().map_or_else(|| found.ones_like(), Tensor::shallow_clone);
        // In float64: the norm of a vanishing gradient is far below the smallest float32.
        pieces.scaled(gradient, &quotient(&wanted, &found).clamp_max(f64::from(f32::MAX))).to_kind(
            match gradient.kind() {
                Kind::Double => Kind::Double,
                _ => Kind::Float,
            },
        )
    }
}
