//! Geometry of input perturbations: one ball, and its verbs. Perturbations are float32 `N x ...`; every
//! verb treats the examples of the first axis separately.

use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use tch::{Kind, Tensor};

use super::{InputNorm, Start};
use crate::seed::normal;

/// Added to L2 norms of gradients before dividing, as in the paper's program.
const TINY: f64 = 1e-10;

/// All perturbations of norm at most `epsilon` that keep images in `[0, 1]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ball {
    /// Which norm.
    pub norm: InputNorm,
    /// Radius.
    pub epsilon: f64,
}

impl Ball {
    /// Moves perturbations into the ball: first so that `images + delta` lies in `[0, 1]`, then into the
    /// norm ball (by clamping or by shrinking, neither of which leaves the box again).
    pub fn project(&self, images: &Tensor, delta: &Tensor) -> Tensor {
        let boxed = delta.minimum(&(1.0f64 - images)).maximum(&-images);
        match self.norm {
            InputNorm::Linf => boxed.clamp(-self.epsilon, self.epsilon),
            InputNorm::L2 => {
                let norm = per_example(&self.size(&boxed), &boxed);
                // epsilon / 0 is infinite, so a zero perturbation stays; with epsilon 0 everything becomes 0.
                let factor =
                    (norm.clamp_min(f64::from(f32::MIN_POSITIVE)).reciprocal() * self.epsilon).clamp_max(1.0);
                boxed * factor
            }
        }
    }

    /// Norm of each perturbation.
    pub fn size(&self, delta: &Tensor) -> Tensor {
        let flat = delta.flatten(1, -1);
        match self.norm {
            InputNorm::Linf => flat.abs().amax([1i64].as_slice(), false),
            InputNorm::L2 => flat.norm_scalaropt_dim(2, [1i64].as_slice(), false),
        }
    }

    /// A subgradient of [`Ball::size`]: `delta / |delta|`, or the sign at one largest entry; 0 at 0.
    pub fn size_gradient(&self, delta: &Tensor) -> Tensor {
        let flat = delta.flatten(1, -1);
        let gradient = match self.norm {
            InputNorm::L2 => {
                let norm = self.size(delta).unsqueeze(1);
                &flat / norm.clamp_min(f64::from(f32::MIN_POSITIVE))
            }
            InputNorm::Linf => {
                let (_, index) = flat.abs().max_dim(1, true);
                let values = flat.gather(1, &index, false).sign();
                flat.zeros_like().scatter(1, &index, &values)
            }
        };
        gradient.view_as(delta)
    }

    /// Steepest direction: the sign (L-inf) or unit length (L2).
    pub fn normalize(&self, gradient: &Tensor) -> Tensor {
        match self.norm {
            InputNorm::Linf => gradient.sign(),
            InputNorm::L2 => gradient / per_example(&(self.size(gradient) + TINY), gradient),
        }
    }

    /// Divided by the largest entry (L-inf) or the length (L2); a zero gradient stays zero.
    pub fn scale(&self, gradient: &Tensor) -> Tensor {
        match self.norm {
            InputNorm::Linf => {
                let largest = self.size(gradient).clamp_min(f64::from(f32::MIN_POSITIVE));
                gradient / per_example(&largest, gradient)
            }
            InputNorm::L2 => self.normalize(gradient),
        }
    }

    /// A start for one example of `dimensions` numbers; not yet projected.
    pub fn sample(&self, start: Start, rng: &mut ChaCha8Rng, dimensions: usize) -> Vec<f32> {
        let epsilon = self.epsilon;
        match start {
            Start::Zero => vec![0.0; dimensions],
            Start::Uniform => {
                (0..dimensions).map(|_| (epsilon * rng.random_range(-1.0..1.0)) as f32).collect()
            }
            Start::UniformNorm | Start::UniformSphere => {
                let direction = normal(rng, dimensions);
                let size = match self.norm {
                    InputNorm::Linf => direction.iter().fold(0.0f64, |m, v| m.max(f64::from(v.abs()))),
                    InputNorm::L2 => direction.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt(),
                };
                let radius =
                    if start == Start::UniformNorm { epsilon * rng.random::<f64>() } else { epsilon };
                let factor = if size > 0.0 { radius / size } else { 0.0 };
                direction.iter().map(|v| (f64::from(*v) * factor) as f32).collect()
            }
        }
    }
}

/// One value per example, shaped to combine with `like`.
pub fn per_example(values: &Tensor, like: &Tensor) -> Tensor {
    let mut shape = vec![1; like.dim()];
    shape[0] = -1;
    values
        .to_kind(if like.kind() == Kind::Double { Kind::Double } else { values.kind() })
        .view(shape.as_slice())
}
