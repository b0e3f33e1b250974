//! Directions in weight space: where they come from, how they are scaled relative to the weights, and the angle between
//! two of them.
//!
//! A direction moves the tensors that the job chooses and is zero elsewhere. Its scale is what makes steps comparable
//! between models: by default step 1 has relative L2 norm `radius` in every tensor, the ball of the flatness measures
//! (`||d|| = radius ||w||`). Directions whose step 1 is a network keep their length, and move everything.

mod component;
mod kind;
mod normalization;
mod source;

use tch::{Kind, Tensor};

use super::outcome::{DirectionSummary, LayerNorm};
use crate::attack::weights::{Scope, WeightBlocks, quotient};
use crate::model::Weights;
pub use component::{Components, components};
pub use kind::DirectionKind;
use normalization::ratio;
pub use normalization::{Normalization, PaperToken, scale};
pub use source::{Sources, check_fellow, random};

/// A step of 1: what it adds to weights, to the running statistics of batch normalizations where these move, too, or to
/// images.
#[derive(Debug)]
pub struct Direction {
    /// Added to the weights.
    pub weights: Weights,
    /// Added to the floating-point buffers, by name; empty: they stay.
    pub buffers: Vec<(String, Tensor)>,
    /// Added to the images, one tensor per batch, which then stay within their range; empty: they stay as they are.
    pub images: Vec<Tensor>,
}

impl Direction {
    /// One that moves weights alone.
    pub fn of(weights: Weights) -> Self {
        Self { weights, buffers: Vec::new(), images: Vec::new() }
    }

    /// Cosine of the angle to another; none between one of weights and one of images, which have nothing in common.
    pub fn cosine(&self, other: &Self) -> Option<f64> {
        if self.images.is_empty() != other.images.is_empty() {
            return None;
        }
        if self.images.is_empty() {
            return Some(cosine(&self.weights, &other.weights));
        }
        let dot = |a: &Self, b: &Self| -> f64 {
            let products = a.images.iter().zip(&b.images);
            products.map(|(a, b)| (a * b).sum(Kind::Double).double_value(&[])).sum()
        };
        Some(dot(self, other) / (dot(self, self) * dot(other, other)).sqrt())
    }

    /// The direction times `factor`.
    pub fn stretched(&self, factor: f64) -> Self {
        let weights = Weights::from_flat(self.weights.layout().clone(), self.weights.flat() * factor);
        let buffers = self.buffers.iter().map(|(name, buffer)| (name.clone(), buffer * factor));
        let images = self.images.iter().map(|image| image * factor);
        Self { weights, buffers: buffers.collect(), images: images.collect() }
    }
}

/// What of `direction` is orthogonal to `first`, piece by piece, so that scaling piece by piece keeps it so.
pub fn orthogonal(direction: &Weights, first: &Weights, which: &[usize], scope: Scope) -> Weights {
    let pieces = WeightBlocks::new(first.layout(), which, scope, first.flat().device());
    let along =
        quotient(&pieces.dots(direction.flat(), first.flat()), &pieces.dots(first.flat(), first.flat()));
    let flat = direction.flat() - pieces.scaled(first.flat(), &along);
    Weights::from_flat(first.layout().clone(), flat)
}

/// A direction in numbers.
pub fn summarize(name: String, direction: &Weights, weights: &Weights) -> DirectionSummary {
    let layout = weights.layout();
    let mut moved = 0.0;
    let mut layers = Vec::new();
    let l2 = |t: &Tensor| t.to_kind(Kind::Double).norm().double_value(&[]);
    for (index, entry) in layout.entries.iter().enumerate() {
        let step = l2(&direction.view(index));
        if step == 0.0 {
            continue;
        }
        let size = l2(&weights.view(index));
        moved += size * size;
        layers.push(LayerNorm { name: entry.name.clone(), relative_l2: ratio(step, size, 1.0) });
    }
    let norm = direction.norm();
    DirectionSummary {
        name,
        norm,
        relative_norm: ratio(norm, moved.sqrt(), 1.0),
        layers,
        ..DirectionSummary::default()
    }
}

/// Cosine of the angle between two directions.
pub fn cosine(a: &Weights, b: &Weights) -> f64 {
    a.dot(b) / (a.norm() * b.norm())
}

/// A direction of images in numbers: its norm is the mean over them.
pub fn summarize_images(direction: &[Tensor], images: &[&Tensor]) -> DirectionSummary {
    let norms = |batches: &mut dyn Iterator<Item = &Tensor>| -> f64 {
        let of = |batch: &Tensor| {
            let rows = batch.flatten(1, -1).to_kind(Kind::Double);
            rows.norm_scalaropt_dim(2.0, [1i64].as_slice(), false).sum(Kind::Double).double_value(&[])
        };
        batches.map(of).sum()
    };
    let count: i64 = images.iter().map(|batch| batch.size()[0]).sum();
    let moved = norms(&mut direction.iter());
    let whole = norms(&mut images.iter().copied());
    DirectionSummary {
        norm: moved / count.max(1) as f64,
        relative_norm: ratio(moved, whole, 1.0),
        ..DirectionSummary::default()
    }
}
