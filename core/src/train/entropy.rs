//! The walk of Entropy-SGD (Chaudhari et al. 2017): the outer step goes from the weights towards the mean of
//! a short Langevin walk around them.

use tch::Tensor;

use super::optimizer::{EntropySgd, decayed, with_momentum};
use crate::error::{Error, Result};
use crate::seed::{generator, normal};

/// The gradient of the outer step: that at the weights without a walk, else the way from the walk's mean.
///
/// `weights` (flat, trainable) are moved by the walk and put back. `gradient` takes the next batch and gives
/// its gradient at the weights as they are. `scope` is the pull towards the outer weights.
///
/// # Errors
/// Those of `gradient`.
pub(super) fn walk<R>(
    settings: &EntropySgd,
    weights: &Tensor,
    scope: f64,
    seed: u64,
    step: u64,
    mut gradient: impl FnMut() -> Result<(Tensor, R)>,
) -> Result<(Tensor, R)> {
    let (first, report) = gradient()?;
    if settings.inner_steps == 0 {
        return Ok((first, report));
    }
    let centre = weights.copy();
    let mut mean = weights.copy();
    let mut momentum = None;
    for inner in 0..settings.inner_steps as u64 {
        // The weights must be back in place whatever happens.
        let (slope, _) = gradient().map_err(|error| {
            weights.shallow_clone().copy_(&centre);
            match error {
                Error::NotFinite(_) => Error::NotFinite(
                    "in its walk (Entropy-SGD): the network overflows at the weights it reached".into(),
                ),
                other => other,
            }
        })?;
        let slope = decayed(&slope, weights, settings.weight_decay);
        let direction = with_momentum(&mut momentum, slope, settings.momentum, settings.nesterov);
        let mut direction = direction - (&centre - weights) * scope;
        if settings.noise > 0.0 {
            let mut rng = generator(seed, "entropy-walk", &[step, inner]);
            let noise = Tensor::from_slice(&normal(&mut rng, weights.numel()));
            let size = settings.noise / (0.5 * settings.inner_learning_rate).sqrt();
            direction += noise.to_device(weights.device()).to_kind(weights.kind()) * size;
        }
        let _ = weights.shallow_clone().g_sub_(&(direction * settings.inner_learning_rate));
        mean = mean * settings.averaging + weights * (1.0 - settings.averaging);
    }
    weights.shallow_clone().copy_(&centre);
    Ok((centre - mean, report))
}
