//! Projections of perturbed weights: balls around the reference weights, and boxes for the weights themselves.

use tch::{Kind, Tensor};

use super::ball::Ball;
use super::pieces::{Scope, WeightBlocks};
use crate::model::Weights;

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

/// Projections of one run: the pieces are cut, and the reference weights measured, once.
#[derive(Debug)]
pub struct Projector {
    reference: Tensor,
    steps: Vec<Step>,
    mask: Tensor,
}

#[derive(Debug)]
enum Step {
    Ball {
        ball: Ball,
        pieces: WeightBlocks,
        radii: Tensor,
    },
    /// Bounds of the weights themselves, one for all or one per weight.
    Box {
        low: Option<Tensor>,
        high: Option<Tensor>,
    },
}

impl Projector {
    /// Projections to be applied in order to the tensors at `which` of the reference weights.
    ///
    /// # Panics
    /// If there are not as many layer boxes as tensors.
    pub fn new(projections: &[Projection], reference: &Weights, which: &[usize]) -> Self {
        let flat = reference.flat();
        let (kind, device) = (flat.kind(), flat.device());
        let cut = |scope| WeightBlocks::new(reference.layout(), which, scope, device);
        let bounds =
            |values: &[f64]| cut(Scope::Layer).spread(&Tensor::from_slice(values).to_device(device), kind);
        let steps = projections.iter().map(|projection| match projection {
            Projection::Ball(ball) => {
                let pieces = cut(ball.scope);
                let radii = ball.radii(&pieces, flat);
                Step::Ball { ball: *ball, pieces, radii }
            }
            Projection::Box { min, max } => {
                let bound = |value: f64| Tensor::full([1], value, (kind, device));
                Step::Box { low: min.map(bound), high: max.map(bound) }
            }
            Projection::LayerBox(boxes) => {
                assert_eq!(boxes.len(), which.len(), "one box per attacked tensor");
                let (low, high): (Vec<f64>, Vec<f64>) = boxes.iter().copied().unzip();
                Step::Box { low: Some(bounds(&low)), high: Some(bounds(&high)) }
            }
            Projection::ReferenceBox(scope) => {
                let pieces = cut(*scope);
                let (low, high) = pieces.ranges(flat);
                Step::Box { low: Some(pieces.spread(&low, kind)), high: Some(pieces.spread(&high, kind)) }
            }
        });
        let layers = cut(Scope::Layer);
        let ones = Tensor::ones([layers.len()], (Kind::Double, device));
        Self {
            steps: steps.collect(),
            mask: layers.spread(&ones, Kind::Bool),
            reference: flat.shallow_clone(),
        }
    }

    /// A flat perturbation of the reference weights, projected.
    pub fn project(&self, perturbation: &Tensor) -> Tensor {
        let mut perturbation = perturbation.shallow_clone();
        for step in &self.steps {
            perturbation = match step {
                Step::Ball { ball, pieces, radii } => ball.project_within(pieces, radii, &perturbation),
                Step::Box { low, high } => {
                    let mut weights = &self.reference + &perturbation;
                    if let Some(high) = high {
                        weights = weights.minimum(high);
                    }
                    if let Some(low) = low {
                        weights = weights.maximum(low);
                    }
                    let moved = weights - &self.reference;
                    moved.where_self(&self.mask, &moved.zeros_like())
                }
            };
        }
        perturbation
    }
}
