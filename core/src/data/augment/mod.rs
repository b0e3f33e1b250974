//! What is done to training images, anew in every epoch: vectorized over the batch, on the images' device.
//!
//! Every random number of an image comes from `(seed, epoch, key of the image)`, so neither batches nor
//! interruptions change what an image becomes.

mod color;
mod geometry;
mod policy;
mod shapes;

use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

pub use geometry::{Pads, crop_flip, cutout, pad_resize};
pub use policy::{CIFAR10_POLICY, Operation, apply};

use crate::seed::generator;
use shapes::FILL;

/// What is done to training images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Augmentation {
    /// Nothing.
    #[default]
    None,
    /// A random crop after padding with 4 black pixels, and a flip with probability 1/2: the usual one.
    CropFlip,
    /// Every side padded by 0 to 4 black pixels, then resized back, and a flip: the paper's.
    PadResizeFlip,
    /// Crop (padding in the mean colour), flip, the CIFAR-10 policy of AutoAugment (Cubuk et al. 2019), and
    /// a cutout of 16 pixels: the paper's.
    AutoAugment,
}

/// Largest padding, in pixels.
const PADDING: i64 = 4;
/// Side of the cutout, in pixels.
const HOLE: i64 = 16;
/// Mean colour of CIFAR-10, with which AutoAugment's cutout fills.
const MEAN: [f64; 3] = [0.491_399_755_166_628_4, 0.482_158_559_298_937_03, 0.446_530_913_373_161_3];
impl Augmentation {
    /// Whether it can be done to images with this many channels.
    pub fn fits(self, channels: i64) -> bool {
        self != Self::AutoAugment || channels == 3
    }

    /// The augmented batch: `N x C x H x W` float32 in `[0, 1]`, one key per image.
    ///
    /// # Panics
    /// If [`Augmentation::fits`] says no.
    pub fn apply(self, images: &Tensor, seed: u64, epoch: u64, keys: &[u64]) -> Tensor {
        let _guard = tch::no_grad_guard();
        let mut draws: Vec<ChaCha8Rng> =
            keys.iter().map(|key| generator(seed, "augmentation", &[epoch, *key])).collect();
        match self {
            Self::None => images.shallow_clone(),
            Self::CropFlip => {
                let (crops, flips) = crops_and_flips(&mut draws);
                let black = vec![0.0; images.size()[1] as usize];
                crop_flip(images, PADDING, &black, &crops, &flips)
            }
            Self::PadResizeFlip => {
                let pads: Vec<Pads> =
                    draws.iter_mut().map(|rng| [(); 4].map(|()| rng.random_range(0..=PADDING))).collect();
                let flips: Vec<bool> = draws.iter_mut().map(|rng| rng.random()).collect();
                pad_resize(images, &pads, &flips)
            }
            Self::AutoAugment => {
                assert!(self.fits(images.size()[1]), "AutoAugment is for colour images");
                let bytes = (images * 255.0).round();
                let (crops, flips) = crops_and_flips(&mut draws);
                let bytes = crop_flip(&bytes, PADDING, &FILL, &crops, &flips);
                let bytes = policy::apply_policy(bytes, &mut draws);
                let size = images.size();
                let centres: Vec<(i64, i64)> = draws
                    .iter_mut()
                    .map(|rng| (rng.random_range(0..size[2]), rng.random_range(0..size[3])))
                    .collect();
                cutout(&(bytes / 255.0), HOLE, &MEAN, &centres)
            }
        }
    }
}

/// Corners of crops in the padded image, and whether they are flipped.
fn crops_and_flips(draws: &mut [ChaCha8Rng]) -> (Vec<(i64, i64)>, Vec<bool>) {
    let crops =
        draws.iter_mut().map(|rng| (rng.random_range(0..=2 * PADDING), rng.random_range(0..=2 * PADDING)));
    let crops = crops.collect();
    (crops, draws.iter_mut().map(|rng| rng.random()).collect())
}
