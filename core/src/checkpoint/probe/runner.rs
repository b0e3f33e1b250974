//! A reading while it is tried: what it classifies correctly, and what its batch normalizations see.

use rand::Rng as _;
use tch::{Device, Kind, Tensor};

use super::super::alternatives::Alternative;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::model::{BatchStatistics, Evaluator, Network, Params, channels_last};
use crate::seed::generator;

/// Images at a time.
pub const BATCH: usize = 50;
/// Images whose statistics are compared with those of batch normalizations: with fewer, chance is as large as what is
/// to be told.
pub const STATISTICS: usize = 100;
/// Crops are moved by up to this share of the side, 4 pixels of 32.
const SHIFT: i64 = 8;

/// A reading while it is tried.
pub struct Runner<'a> {
    pub alternative: &'a Alternative,
    /// With the tensors of the checkpoint.
    network: Network,
    pub correct: Vec<bool>,
    statistics: BatchStatistics,
    /// How far the batch statistics of the first images are from the stored ones, as they are or cropped; none: there
    /// are none.
    pub mismatch: Option<f64>,
    /// The same of the first batch normalization alone.
    pub first_mismatch: Option<f64>,
}

impl<'a> Runner<'a> {
    pub fn new(alternative: &'a Alternative, network: &Network) -> Self {
        Self {
            alternative,
            network: Alternative::sharing(alternative, network),
            correct: Vec::new(),
            statistics: BatchStatistics::default(),
            mismatch: None,
            first_mismatch: None,
        }
    }

    /// Classifies further images, until so many are seen or there are no more.
    pub fn see(&mut self, dataset: &Dataset, images: usize) -> Result<()> {
        while self.correct.len() < images.min(dataset.len()) {
            let seen = self.correct.len();
            let batch = BATCH.min(dataset.len() - seen) as i64;
            let labels = dataset.labels.narrow(0, seen as i64, batch);
            let predicted = self.logits(&dataset.images.narrow(0, seen as i64, batch)).argmax(1, false);
            let correct: Vec<bool> = predicted.eq_tensor(&labels).try_into().map_err(unreadable)?;
            self.correct.extend(correct);
        }
        Ok(())
    }

    /// The network is prepared anew for every batch, so that one prepared network at a time takes memory. On the first
    /// images it is run as it is, and what batch normalizations see is noted.
    fn logits(&mut self, images: &Tensor) -> Tensor {
        let Network { weights, .. } = &self.network;
        if self.correct.len() >= STATISTICS {
            return Evaluator::new(&self.network, weights, Device::Cpu, Kind::Float, false).logits(images);
        }
        let params = self.network.params(weights).map(channels_last);
        let logits = self.statistics.observe(&self.network.topology, &params, &channels_last(images));
        (self.mismatch, self.first_mismatch) = mismatch(&self.statistics, &params);
        logits
    }

    /// Notes what batch normalizations see of crops of the first images, where that fits better.
    pub fn see_crops(&mut self, dataset: &Dataset) {
        let Network { topology, weights, .. } = &self.network;
        let params = self.network.params(weights).map(channels_last);
        let statistics = BatchStatistics::default();
        let images = crops(&dataset.images.narrow(0, 0, STATISTICS.min(dataset.len()) as i64));
        for batch in images.split(BATCH as i64, 0) {
            let _ = statistics.observe(topology, &params, &channels_last(&batch));
        }
        let (all, first) = mismatch(&statistics, &params);
        let smaller = |own: Option<f64>, other: Option<f64>| Some(own?.min(other?));
        self.mismatch = smaller(self.mismatch, all);
        self.first_mismatch = smaller(self.first_mismatch, first);
    }

    pub fn hits(&self) -> usize {
        self.correct.iter().filter(|correct| **correct).count()
    }

    pub fn accuracy(&self) -> f64 {
        self.hits() as f64 / self.correct.len().max(1) as f64
    }

    /// By how many images it is ahead of another on those that both have seen, and the standard error.
    pub fn ahead(&self, other: &Self) -> (f64, f64) {
        let pairs = self.correct.iter().zip(&other.correct);
        let (mut more, mut fewer) = (0.0_f64, 0.0_f64);
        for pair in pairs {
            match pair {
                (true, false) => more += 1.0,
                (false, true) => fewer += 1.0,
                _ => {}
            }
        }
        (more - fewer, (more + fewer).sqrt())
    }

    /// Whether it is ahead of another by more than so many standard errors.
    pub fn is_ahead(&self, other: &Self, errors: f64) -> bool {
        let (ahead, error) = self.ahead(other);
        ahead > errors * error
    }
}

/// Mismatch of statistics as a mean over layers, and that of the first layer.
fn mismatch(statistics: &BatchStatistics, params: &Params) -> (Option<f64>, Option<f64>) {
    let divergences = statistics.divergences(params);
    let mean = divergences.iter().sum::<f64>() / divergences.len() as f64;
    (Some(mean).filter(|_| !divergences.is_empty()), divergences.first().copied())
}

/// Images as trainings see them: a random crop with black margins, and every second one mirrored.
fn crops(images: &Tensor) -> Tensor {
    let &[_, _, height, width] = images.size().as_slice() else { return images.shallow_clone() };
    let shift = (height.min(width) / SHIFT).max(1);
    let padded = images.zero_pad2d(shift, shift, shift, shift);
    let mut random = generator(0, "crops", &[]);
    let mut offset = || random.random_range(0..=2 * shift);
    let crops: Vec<Tensor> = (0..images.size()[0])
        .map(|at| {
            let crop = padded.get(at).narrow(1, offset(), height).narrow(2, offset(), width);
            if at % 2 == 0 { crop } else { crop.flip([2]) }
        })
        .collect();
    Tensor::stack(&crops, 0)
}

fn unreadable(error: tch::TchError) -> Error {
    Error::invalid(format!("the network's predictions cannot be read ({error})"))
}
