//! Projections of perturbed weights: balls around the reference weights, and boxes for the weights themselves.

use tch::Tensor;

use super::ball::Ball;
use super::pieces::{Pieces, Scope};
use crate::model::Layout;

/// What perturbed weights are kept in.
#[derive(Debug, Clone, PartialEq)]
pub enum Projection {
    /// A ball around the reference weights.
    Ball(Ball),
    /// Every weight itself between these bounds, either of which may be absent: clipping.
    Box {
        /// Lower bound.
        min: Option<f64>,
        /// Upper bound.
        max: Option<f64>,
    },
    /// The weights of the k-th attacked tensor between the k-th bounds.
    LayerBox(Vec<(f64, f64)>),
    /// Every weight between the smallest and the largest reference weight of its piece. (For the whole model the
    /// paper's program takes the larger of 0 and the smallest weight as lower bound; this takes the smallest.)
    ReferenceBox(Scope),
}

impl Projection {
    /// Boxes that are fractions of one: the k-th tensor between `min` and `max` times the k-th fraction.
    pub fn relative_boxes(min: f64, max: f64, fractions: &[f64]) -> Self {
        Self::LayerBox(fractions.iter().map(|fraction| (min * fraction, max * fraction)).collect())
    }
}

/// Projections of one run: the pieces are cut once.
#[derive(Debug)]
pub struct Projector<'a> {
    steps: Vec<(&'a Projection, Pieces)>,
    mask: Tensor,
}

impl<'a> Projector<'a> {
    /// Projections to be applied in order to the tensors at `which`.
    ///
    /// # Panics
    /// If there are not as many layer boxes as tensors.
    pub fn new(projections: &'a [Projection], layout: &Layout, which: &[usize], device: tch::Device) -> Self {
        let cut = |scope| Pieces::new(layout, which, scope, device);
        let steps = projections.iter().map(|projection| {
            let scope = match projection {
                Projection::Ball(ball) => ball.scope,
                Projection::ReferenceBox(scope) => *scope,
                Projection::Box { .. } => Scope::Layer,
                Projection::LayerBox(bounds) => {
                    assert_eq!(bounds.len(), which.len(), "one box per attacked tensor");
                    Scope::Layer
                }
            };
            (projection, cut(scope))
        });
        let layers = cut(Scope::Layer);
        let ones = Tensor::ones([layers.len()], (tch::Kind::Double, device));
        Self { mask: layers.spread(&ones, tch::Kind::Bool), steps: steps.collect() }
    }

    /// The weights `reference + perturbation` projected; flat vectors, as is the perturbation that comes back.
    pub fn project(&self, reference: &Tensor, perturbation: &Tensor) -> Tensor {
        let mut perturbation = perturbation.shallow_clone();
        for (projection, pieces) in &self.steps {
            perturbation = match projection {
                Projection::Ball(ball) => ball.project(pieces, reference, &perturbation),
                Projection::Box { min, max } => {
                    let mut weights = reference + &perturbation;
                    if let Some(max) = max {
                        weights = weights.clamp_max(*max);
                    }
                    if let Some(min) = min {
                        weights = weights.clamp_min(*min);
                    }
                    self.moved(reference, &weights)
                }
                Projection::LayerBox(bounds) => {
                    let side = |values: Vec<f64>| {
                        pieces.spread(
                            &Tensor::from_slice(&values).to_device(reference.device()),
                            reference.kind(),
                        )
                    };
                    let low = side(bounds.iter().map(|(low, _)| *low).collect());
                    let high = side(bounds.iter().map(|(_, high)| *high).collect());
                    self.moved(reference, &(reference + &perturbation).minimum(&high).maximum(&low))
                }
                Projection::ReferenceBox(_) => {
                    let (low, high) = pieces.ranges(reference);
                    let (low, high) =
                        (pieces.spread(&low, reference.kind()), pieces.spread(&high, reference.kind()));
                    self.moved(reference, &(reference + &perturbation).minimum(&high).maximum(&low))
                }
            };
        }
        perturbation
    }

    /// From the reference to `weights` in the attacked tensors, 0 elsewhere.
    fn moved(&self, reference: &Tensor, weights: &Tensor) -> Tensor {
        let difference = weights - reference;
        difference.where_self(&self.mask, &difference.zeros_like())
    }
}
