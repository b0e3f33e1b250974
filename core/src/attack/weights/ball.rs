//! Geometry of weight perturbations: one ball, and its verbs. Perturbations are flat vectors over all
//! parameters, zero outside of the attacked tensors.

use std::num::NonZeroUsize;

use rand::Rng as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::pieces::{Scope, WeightBlocks, WeightNorm, quotient};
use crate::error::{Error, Result};
use crate::model::{Layout, Weights};
use crate::seed::{generator, normal};

/// How a perturbation is drawn: always a Gaussian direction per piece, and this distance in the norm of the ball.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Sampling {
    /// On the sphere: the paper's average case.
    #[default]
    #[schemars(title = "on the sphere")]
    Sphere,
    /// Uniform in the ball (L2): distance `u^(1/n) r` for `n` entries.
    #[schemars(title = "in the ball")]
    Ball,
    /// Distance `u r`, uniform between 0 and the radius: the paper's start of the worst case.
    #[schemars(title = "uniform norm")]
    UniformNorm,
}

/// The perturbations with norm at most `radius` in every piece.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ball {
    /// What one norm is taken over.
    pub scope: Scope,
    /// Which norm.
    pub norm: WeightNorm,
    /// Radius, at least 0.
    pub radius: f64,
    /// Whether it is a multiple of the norm of the weights (of the same piece).
    pub relative: bool,
}

impl Ball {
    /// `||v|| <= radius ||w||` in every tensor: the ball of the paper's flatness measures.
    pub fn layerwise(radius: f64) -> Self {
        Self { scope: Scope::Layer, norm: WeightNorm::L2, radius, relative: true }
    }

    /// Checks the radius.
    ///
    /// # Errors
    /// It is negative, no number, or above 1e6, where float32 ends soon.
    pub fn check(&self) -> Result<()> {
        Err(Error::invalid(match self.radius {
            radius if radius > 1e6 => {
                format!(
                    "radius {radius:e} is beyond the upper limit; use a number from 0 to 1e6, such as 0.5"
                )
            }
            radius if radius >= 0.0 => return Ok(()),
            radius => format!("radius {radius} is not possible; use a number of at least 0, such as 0.5"),
        }))
    }

    /// Radius of every piece, in float64.
    pub(super) fn radii(&self, pieces: &WeightBlocks, weights: &Tensor) -> Tensor {
        let sizes = pieces.sizes(weights, self.norm);
        if self.relative { sizes * self.radius } else { sizes.full_like(self.radius) }
    }

    /// Shrinks (or, in L-inf, clamps) a perturbation of `weights` into the ball. Twice is as once. A perturbation that
    /// is zero stays zero, also in a relative ball around zero weights, where the paper's program divides 0 by 0.
    pub fn project(&self, pieces: &WeightBlocks, weights: &Tensor, perturbation: &Tensor) -> Tensor {
        self.project_within(pieces, &self.radii(pieces, weights), perturbation)
    }

    /// The same, given the radius of every piece.
    pub(super) fn project_within(
        &self,
        pieces: &WeightBlocks,
        radii: &Tensor,
        perturbation: &Tensor,
    ) -> Tensor {
        match self.norm {
            WeightNorm::L2 => {
                let sizes = pieces.sizes(perturbation, self.norm);
                // 0 / 0 is 1 here; a perturbation that lies inside is not touched.
                let factors = quotient(radii, &sizes).where_self(&sizes.gt_tensor(radii), &sizes.ones_like());
                pieces.scaled(perturbation, &factors)
            }
            WeightNorm::Linf => {
                let bound = pieces.spread(radii, perturbation.kind());
                perturbation.minimum(&bound).maximum(&-bound)
            }
        }
    }

    /// A perturbation of `weights`. Its directions depend on `seed`, the names and shapes of the tensors and nothing
    /// else, so that draws are shared by all radii and, tensor by tensor, by all networks. Weights of norm 0 get none.
    pub fn sample(
        &self,
        pieces: &WeightBlocks,
        weights: &Weights,
        which: &[usize],
        sampling: Sampling,
        seed: u64,
    ) -> Tensor {
        let flat = weights.flat();
        let direction =
            directions(weights.layout(), which, seed).to_device(flat.device()).to_kind(flat.kind());
        let mut radii = self.radii(pieces, flat);
        if sampling != Sampling::Sphere {
            let shares = self.shares(pieces, weights.layout(), which, seed).to_device(flat.device());
            radii *= match sampling {
                Sampling::Ball => shares.pow(&pieces.counts().reciprocal()),
                _ => shares,
            };
        }
        let sizes = pieces.sizes(&direction, self.norm);
        pieces.scaled(&direction, &quotient(&radii, &sizes))
    }

    /// Uniform numbers in (0, 1), one per piece; for [`Scope::Global`] one for all.
    fn shares(&self, pieces: &WeightBlocks, layout: &Layout, which: &[usize], seed: u64) -> Tensor {
        if self.scope == Scope::Global {
            let share: f64 = generator(seed, "weight-distance", &[]).random();
            return Tensor::full([pieces.len()], share, (Kind::Double, tch::Device::Cpu));
        }
        let mut shares: Vec<f64> = Vec::new();
        for index in which {
            let entry = &layout.entries[*index];
            let rows = if self.scope == Scope::Filter { entry.filters() } else { 1 };
            let mut rng = generator(seed, &format!("weight-distance {} {:?}", entry.name, entry.shape), &[]);
            shares.extend((0..rows).map(|_| rng.random::<f64>()));
        }
        Tensor::from_slice(&shares)
    }
}

/// Entries that share one generator, so that large tensors are drawn by several threads with the same result.
const CHUNK: usize = 1 << 16;

/// Standard normal numbers in the tensors at `which`, 0 elsewhere, on the CPU.
fn directions(layout: &Layout, which: &[usize], seed: u64) -> Tensor {
    let mut flat = vec![0f32; layout.len as usize];
    let mut work = Vec::new();
    let mut rest = flat.as_mut_slice();
    let mut at = 0;
    for index in which {
        let entry = &layout.entries[*index];
        let purpose = format!("weight-direction {} {:?}", entry.name, entry.shape);
        let (_, tail) = rest.split_at_mut(entry.offset as usize - at);
        let (values, tail) = tail.split_at_mut(entry.len as usize);
        (rest, at) = (tail, (entry.offset + entry.len) as usize);
        work.extend(
            values.chunks_mut(CHUNK).enumerate().map(|(chunk, part)| (purpose.clone(), chunk as u64, part)),
        );
    }
    let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let share = work.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        for part in work.chunks_mut(share) {
            scope.spawn(move || {
                for (purpose, chunk, values) in part {
                    let mut rng = generator(seed, purpose, &[*chunk]);
                    values.copy_from_slice(&normal(&mut rng, values.len()));
                }
            });
        }
    });
    Tensor::from_slice(&flat)
}
