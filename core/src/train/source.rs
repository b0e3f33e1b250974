//! From data to batches: picks examples, turns some of them, augments.

use rand::Rng as _;
use tch::{Device, Tensor};

use super::batch::TrainBatch;
use super::order::{Order, Pick};
use super::settings::{Method, Train};
use crate::data::{Augmentation, Dataset};
use crate::error::{Error, Result};
use crate::model::channels_last;
use crate::seed::generator;

/// Share of each batch that is turned by methods with rotations, as in the paper.
const TURNED: f64 = 0.5;

/// The training images on their device, and how batches are made of them.
#[derive(Debug)]
pub struct Source {
    images: Tensor,
    labels: Tensor,
    /// Pseudo-labelled images.
    extra: Option<(Tensor, Tensor)>,
    order: Order,
    augmentation: Augmentation,
    rotations: bool,
    seed: u64,
}

impl Source {
    /// Takes images to `device`.
    ///
    /// # Errors
    /// The data do not fit together, or not to the settings.
    pub fn new(settings: &Train, train: &Dataset, extra: Option<&Dataset>, device: Device) -> Result<Self> {
        let [channels, height, width] = train.image_shape();
        if !settings.data.augmentation.fits(channels) {
            return Err(Error::invalid(format!(
                "AutoAugment is for colour images, but {} is grey; use another augmentation",
                train.name
            )));
        }
        if let Some(extra) = extra
            && (extra.image_shape() != train.image_shape() || extra.classes > train.classes)
        {
            return Err(Error::invalid(format!(
                "the extra images {} do not fit {}: size and classes must be the same",
                extra.name, train.name
            )));
        }
        let rotations = matches!(settings.method, Method::Rotation { .. });
        if rotations && height != width {
            return Err(Error::invalid(format!(
                "images of {height} x {width} pixels cannot be turned; train without rotations"
            )));
        }
        let batch = settings.batch_size;
        let drawn = match (&settings.data.extra, extra) {
            _ if rotations => Some(((TURNED * batch as f64) as usize, train.len())),
            (Some(asked), Some(extra)) => Some(((asked.share * batch as f64) as usize, extra.len())),
            _ => None,
        };
        let on_device = |data: &Dataset| (data.images.to_device(device), data.labels.to_device(device));
        let (images, labels) = on_device(train);
        // As in the paper's program: with rotations there is no AutoAugment.
        let augmentation = match settings.data.augmentation {
            Augmentation::AutoAugment if rotations => Augmentation::None,
            other => other,
        };
        Ok(Self {
            images,
            labels,
            extra: if rotations { None } else { extra.map(on_device) },
            order: Order::new(settings.seed, train.len(), batch, drawn, settings.steps_per_epoch),
            augmentation,
            rotations,
            seed: settings.seed,
        })
    }

    /// Batches per epoch.
    pub fn steps_per_epoch(&self) -> u64 {
        self.order.steps_per_epoch()
    }

    /// Number of labelled training images.
    pub fn images(&self) -> usize {
        self.labels.size()[0] as usize
    }

    /// Batch `number`, counted over all epochs.
    pub fn batch(&mut self, number: u64) -> TrainBatch {
        let _guard = tch::no_grad_guard();
        let picks = self.order.batch(number);
        let epoch = number / self.order.steps_per_epoch();
        let (mut images, mut labels) = self.gather(&picks);
        let keys: Vec<u64> = picks.iter().map(|pick| pick.key).collect();
        let supervised = self.rotations.then(|| {
            let turns: Vec<i64> = picks
                .iter()
                .map(|pick| {
                    if pick.drawn {
                        generator(self.seed, "rotation", &[epoch, pick.key]).random_range(0..4)
                    } else {
                        -1
                    }
                })
                .collect();
            (images, labels) = turned(&images, &labels, &turns);
            turns.iter().map(|turn| *turn < 0).collect()
        });
        let images = self.augmentation.apply(&images, self.seed, epoch, &keys);
        TrainBatch { images: channels_last(&images), labels, keys, supervised }
    }

    fn gather(&self, picks: &[Pick]) -> (Tensor, Tensor) {
        let select = |(images, labels): (&Tensor, &Tensor), indices: &[i64]| {
            let indices = Tensor::from_slice(indices).to_device(images.device());
            (images.index_select(0, &indices), labels.index_select(0, &indices))
        };
        let own = (&self.images, &self.labels);
        let Some((extra_images, extra_labels)) = &self.extra else {
            return select(own, &picks.iter().map(|pick| pick.index).collect::<Vec<_>>());
        };
        let part = |drawn: bool| -> (Vec<i64>, Vec<i64>) {
            let chosen = (0..).zip(picks).filter(|(_, pick)| pick.drawn == drawn);
            chosen.map(|(position, pick): (i64, _)| (position, pick.index)).unzip()
        };
        let ((mut positions, labelled), (drawn_positions, drawn)) = (part(false), part(true));
        positions.extend(drawn_positions);
        let (a, b) = (select(own, &labelled), select((extra_images, extra_labels), &drawn));
        let (images, labels) = (Tensor::cat(&[a.0, b.0], 0), Tensor::cat(&[a.1, b.1], 0));
        let mut places = vec![0i64; positions.len()];
        for (from, to) in positions.iter().enumerate() {
            places[*to as usize] = from as i64;
        }
        select((&images, &labels), &places)
    }
}

/// Turns images counter-clockwise by quarters and makes the quarters their labels; -1 leaves both as they are.
fn turned(images: &Tensor, labels: &Tensor, turns: &[i64]) -> (Tensor, Tensor) {
    let mut images = images.copy();
    for quarters in 1..4 {
        let chosen: Vec<i64> = (0..).zip(turns).filter(|(_, t)| **t == quarters).map(|(i, _)| i).collect();
        if !chosen.is_empty() {
            let chosen = Tensor::from_slice(&chosen).to_device(images.device());
            let rotated = images.index_select(0, &chosen).rot90(quarters, [2, 3]).contiguous();
            let _ = images.index_copy_(0, &chosen, &rotated);
        }
    }
    let turns = Tensor::from_slice(turns).to_device(labels.device());
    let labels = turns.where_self(&turns.ge(0), labels);
    (images, labels)
}
