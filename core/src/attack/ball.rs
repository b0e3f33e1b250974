//! Geometry of input perturbations: one ball, and its verbs. Perturbations are float32 `N x ...`; every
//! verb treats the examples of the first axis separately.

use rand::Rng as _;
use rand::seq::index;
use rand_chacha::ChaCha8Rng;
use tch::{Kind, Tensor};

use super::{InputNorm, Projection, Start, l1};
use crate::seed::normal;

/// Added to L2 norms of gradients before dividing, as in the paper's program.
const TINY: f64 = 1e-10;
/// Share of the entries that a normalized L1 step moves (Tramèr and Boneh, 2019: the steepest hundredth).
const L1_SHARE: f64 = 0.01;

/// How far rounding may lead: beyond epsilon, absolutely and relative to it, or away from the end of the box.
const ROUNDING: f64 = 1e-6;

/// All perturbations of norm at most `epsilon` that keep images in `[0, 1]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ball {
    /// Which norm.
    pub norm: InputNorm,
    /// Radius.
    pub epsilon: f64,
}

impl Ball {
    /// Moves perturbations into the ball, with `images + delta` in `[0, 1]`.
    ///
    /// L1: to the nearest point of both, as one after the other leads to weaker points. Other norms: into the
    /// box, then into the norm ball (by clamping, shrinking or dropping entries, none of which leaves the box again).
    pub fn project(&self, images: &Tensor, delta: &Tensor) -> Tensor {
        match self.norm {
            InputNorm::L1 => l1::onto_ball_and_box(images, delta, self.epsilon),
            _ => self.project_to_norm(&project_to_box(images, delta)),
        }
    }

    /// Whether each perturbation is inside, up to rounding of its float32 entries.
    pub fn contains(&self, delta: &Tensor) -> Tensor {
        let most = match self.norm {
            InputNorm::L0 => self.entries() as f64,
            _ => self.epsilon * (1.0 + ROUNDING) + ROUNDING,
        };
        self.size(&delta.to_kind(Kind::Double)).le(most)
    }

    /// As [`Ball::project`], with the parts and their order chosen.
    pub fn project_as(&self, projection: Projection, images: &Tensor, delta: &Tensor) -> Tensor {
        match projection {
            Projection::BoxThenBall => self.project(images, delta),
            Projection::BallThenBox => project_to_box(images, &self.project_to_norm(delta)),
            Projection::Ball => self.project_to_norm(delta),
            Projection::Box => project_to_box(images, delta),
            Projection::None => delta.shallow_clone(),
        }
    }

    /// The nearest perturbation of norm at most `epsilon`, wherever the image then is.
    pub fn project_to_norm(&self, delta: &Tensor) -> Tensor {
        match self.norm {
            InputNorm::Linf => delta.clamp(-self.epsilon, self.epsilon),
            InputNorm::L2 => {
                let norm = per_example(&self.size(delta), delta);
                // epsilon / 0 is infinite, so a zero perturbation stays; with epsilon 0 everything becomes 0.
                let factor =
                    (norm.clamp_min(f64::from(f32::MIN_POSITIVE)).reciprocal() * self.epsilon).clamp_max(1.0);
                delta * factor
            }
            InputNorm::L1 => l1::onto_ball(delta, self.epsilon),
            InputNorm::L0 => keep_largest(delta, self.entries(), Rank::Magnitude),
        }
    }

    /// How many entries an L0 ball lets change.
    fn entries(&self) -> i64 {
        self.epsilon.ceil() as i64
    }

    /// Norm of each perturbation; for L0 the number of entries that are not 0.
    pub fn size(&self, delta: &Tensor) -> Tensor {
        let flat = delta.flatten(1, -1);
        match self.norm {
            InputNorm::Linf => flat.abs().amax([1i64].as_slice(), false),
            InputNorm::L2 => flat.norm_scalaropt_dim(2, [1i64].as_slice(), false),
            InputNorm::L1 => flat.abs().sum_dim_intlist([1i64].as_slice(), false, flat.kind()),
            InputNorm::L0 => flat.not_equal(0.0).sum_dim_intlist([1i64].as_slice(), false, flat.kind()),
        }
    }

    /// A subgradient of [`Ball::size`], 0 at 0: `delta / |delta|` (L2), the sign at one largest entry (L-inf),
    /// the sign of every entry (L1); 0 for L0, which is flat.
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
            InputNorm::L1 => flat.sign(),
            InputNorm::L0 => flat.zeros_like(),
        };
        gradient.view_as(delta)
    }

    /// The gradient without entries that a step of descent cannot move, as they are at their end of `[0, 1]`.
    ///
    /// For L1, whose steps move few entries: those would be the same ones again, and PGD would stand still.
    /// (As in the sparse L1 descent of Tramèr and Boneh, 2019.) Other norms, and projections without box: as it is.
    pub fn movable(&self, projection: Projection, points: &Tensor, gradient: &Tensor) -> Tensor {
        if self.norm != InputNorm::L1 || matches!(projection, Projection::Ball | Projection::None) {
            return gradient.shallow_clone();
        }
        let low = points.le(ROUNDING).logical_and(&gradient.gt(0.0));
        let stuck = points.ge(1.0 - ROUNDING).logical_and(&gradient.lt(0.0)).logical_or(&low);
        gradient.zeros_like().where_self(&stuck, gradient)
    }

    /// Steepest direction: the sign (L-inf); unit length (L2); the signs of the steepest hundredth of the
    /// entries, together of L1 length 1 (L1); the steepest entry at 1 (L0). A zero gradient stays zero.
    pub fn normalize(&self, gradient: &Tensor) -> Tensor {
        match self.norm {
            InputNorm::Linf => gradient.sign(),
            InputNorm::L2 => gradient / per_example(&(self.size(gradient) + TINY), gradient),
            InputNorm::L1 => {
                let entries = gradient.numel() as f64 / gradient.size()[0].max(1) as f64;
                let count = ((entries * L1_SHARE) as i64).max(1);
                keep_largest(gradient, count, Rank::Magnitude).sign() / count as f64
            }
            InputNorm::L0 => divide_by_largest(gradient),
        }
    }

    /// Divided by the largest entry (L-inf, L0) or by the norm (L2, L1); a zero gradient stays zero.
    pub fn scale(&self, gradient: &Tensor) -> Tensor {
        match self.norm {
            InputNorm::Linf | InputNorm::L0 => divide_by_largest(gradient),
            InputNorm::L2 | InputNorm::L1 => gradient / per_example(&(self.size(gradient) + TINY), gradient),
        }
    }

    /// A start for one example of `dimensions` numbers; not yet projected.
    ///
    /// An L0 start changes exactly `epsilon` entries (on the sphere) or fewer, a number drawn uniformly, each
    /// to a value uniform in (-1, 1).
    pub fn sample(&self, start: Start, rng: &mut ChaCha8Rng, dimensions: usize) -> Vec<f32> {
        let epsilon = self.epsilon;
        match start {
            Start::Zero => vec![0.0; dimensions],
            Start::Uniform => {
                (0..dimensions).map(|_| (epsilon * rng.random_range(-1.0..1.0)) as f32).collect()
            }
            Start::UniformIn(min, max) => {
                (0..dimensions).map(|_| (min + (max - min) * rng.random::<f64>()) as f32).collect()
            }
            Start::UniformNorm | Start::UniformSphere | Start::UniformBall if self.norm == InputNorm::L0 => {
                let most = (self.entries().max(0) as usize).min(dimensions);
                let count = match start {
                    Start::UniformSphere => most,
                    Start::UniformBall => rng.random_range(0..=most),
                    _ => rng.random_range(0..most.max(1)),
                };
                let mut values = vec![0.0; dimensions];
                for entry in index::sample(rng, dimensions, count) {
                    values[entry] = rng.random_range(-1.0..1.0);
                }
                values
            }
            Start::UniformNorm | Start::UniformSphere | Start::UniformBall => {
                let direction = normal(rng, dimensions);
                let absolute = direction.iter().map(|v| f64::from(v.abs()));
                let size = match self.norm {
                    InputNorm::Linf => absolute.fold(0.0f64, f64::max),
                    InputNorm::L2 => absolute.map(|v| v * v).sum::<f64>().sqrt(),
                    InputNorm::L1 | InputNorm::L0 => absolute.sum(),
                };
                let radius = match start {
                    Start::UniformNorm => epsilon * rng.random::<f64>(),
                    Start::UniformBall => epsilon * rng.random::<f64>().powf(1.0 / dimensions as f64),
                    _ => epsilon,
                };
                let factor = if size > 0.0 { radius / size } else { 0.0 };
                direction.iter().map(|v| (f64::from(*v) * factor) as f32).collect()
            }
        }
    }
}

/// The nearest perturbation that keeps `images + delta` in `[0, 1]`.
pub fn project_to_box(images: &Tensor, delta: &Tensor) -> Tensor {
    delta.minimum(&(1.0f64 - images)).maximum(&-images)
}

/// What makes an entry large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rank {
    /// Its absolute value.
    Magnitude,
    /// Its value: the paper's program, where the L0 ball drops large negative entries.
    Value,
}

/// Per example the `count` largest entries; the others become 0. The first of equals is kept.
pub fn keep_largest(delta: &Tensor, count: i64, rank: Rank) -> Tensor {
    let flat = delta.flatten(1, -1);
    let count = count.clamp(0, flat.size()[1]);
    let key = if rank == Rank::Magnitude { flat.abs() } else { flat.shallow_clone() };
    let (_, index) = key.sort_stable(true, 1, true);
    let index = index.narrow(1, 0, count);
    flat.zeros_like().scatter(1, &index, &flat.gather(1, &index, false)).view(delta.size().as_slice())
}

fn divide_by_largest(gradient: &Tensor) -> Tensor {
    let largest = gradient.flatten(1, -1).abs().amax([1i64].as_slice(), false);
    gradient / per_example(&largest.clamp_min(f64::from(f32::MIN_POSITIVE)), gradient)
}

/// One value per example, shaped to combine with `like`.
pub fn per_example(values: &Tensor, like: &Tensor) -> Tensor {
    let mut shape = vec![1; like.dim()];
    shape[0] = -1;
    values
        .to_kind(if like.kind() == Kind::Double { Kind::Double } else { values.kind() })
        .view(shape.as_slice())
}
