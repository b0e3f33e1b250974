//! A batch of training images, and the attack on its inputs.

use tch::{Kind, Tensor};

use crate::attack::ball::Ball;
use crate::attack::{Pgd, pgd};
use crate::error::Result;
use crate::model::{Evaluator, channels_last};
use crate::progress::CancelCheck;
use crate::seed::generator;

/// A batch on the training device, augmented.
#[derive(Debug)]
pub struct TrainBatch {
    /// `N x C x H x W` float32 in `[0, 1]`.
    pub images: Tensor,
    /// int64 `N`: classes, or rotations (0 to 3) where not supervised.
    pub labels: Tensor,
    /// What tells the examples of an epoch apart; with the seed it decides their random numbers.
    pub keys: Vec<u64>,
    /// Which examples have classes, where a batch also has rotations.
    pub supervised: Option<Vec<bool>>,
}

impl TrainBatch {
    /// Number of examples.
    pub fn len(&self) -> i64 {
        self.images.size()[0]
    }

    /// Whether it has no example.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The images at the worst points that an attack finds.
///
/// # Errors
/// The loss or its gradient is NaN; or `cancel_check` wants to stop.
pub(super) fn attacked(
    settings: &Pgd,
    model: &Evaluator,
    images: &Tensor,
    labels: &Tensor,
    keys: &[u64],
    (seed, step): (u64, u64),
    cancel_check: CancelCheck,
) -> Result<Tensor> {
    let images = channels_last(images);
    let mut best: Option<pgd::Found> = None;
    for restart in 0..settings.restarts as u64 {
        let start = starts(settings, &images, keys, (seed, step, restart));
        let found = pgd::run(settings, model, &images, labels, &start, None, cancel_check)?;
        best = Some(match best {
            None => found,
            Some(best) => {
                let lower = found.error.lt_tensor(&best.error);
                let mask = lower.view([-1, 1, 1, 1]);
                pgd::Found {
                    perturbation: found.perturbation.where_self(&mask, &best.perturbation),
                    error: found.error.minimum(&best.error),
                    early: None,
                }
            }
        });
    }
    let perturbation = best.map(|found| found.perturbation);
    Ok(perturbation.map_or_else(|| images.shallow_clone(), |delta| &images + delta))
}

fn starts(settings: &Pgd, images: &Tensor, keys: &[u64], (seed, step, restart): (u64, u64, u64)) -> Tensor {
    let ball = Ball { norm: settings.norm, epsilon: settings.epsilon };
    let shape = images.size();
    let dimensions = shape[1..].iter().product::<i64>() as usize;
    let mut values = Vec::with_capacity(dimensions * keys.len());
    for key in keys {
        let mut rng = generator(seed, "training-attack", &[step, *key, restart]);
        values.extend(ball.sample(settings.start, &mut rng, dimensions));
    }
    let start = Tensor::from_slice(&values).view(shape.as_slice());
    channels_last(&start.to_device(images.device()).to_kind(Kind::Float))
}
