//! What commands that make a network of another one ask of images: statistics, and whether the function stayed.

use tch::{Device, Kind, Tensor};

use super::open::check_fit;
use crate::checkpoint::Checkpoint;
use crate::data::{Dataset, Examples, load};
use crate::error::Result;
use crate::loss::predictions;
use crate::model::{Evaluator, Network, calibrated};

/// Images at a time.
const BATCH: i64 = 100;

/// Images of a data set that fit a network.
///
/// # Errors
/// There are none of that name, or they do not fit.
pub fn images_for(opened: &Checkpoint, data: &str, examples: &Examples) -> Result<Dataset> {
    let dataset = load(data, examples)?;
    check_fit(opened, &dataset)?;
    Ok(dataset)
}

/// The network with running statistics of these images, in batches of `size`; `as_in_paper`: running ones with momentum
/// 0.1. None: it has no batch normalization.
pub fn with_statistics_of(
    network: &Network,
    dataset: &Dataset,
    size: usize,
    as_in_paper: bool,
) -> Option<Network> {
    let has_statistics = network.buffers.iter().any(|(name, _)| name.ends_with(".running_mean"));
    let batches = dataset.images.split(size.max(1) as i64, 0);
    has_statistics.then(|| calibrated(network, batches.into_iter(), as_in_paper))
}

/// How alike the functions of two networks are on some images.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agreement {
    /// Share of wrong images of both, 0 to 1.
    pub errors: [f64; 2],
    /// Largest difference of their logits.
    pub difference: f64,
    /// Largest logit of the first.
    pub largest: f64,
}

/// Compares two networks on images, in float32.
pub fn agreement(networks: [&Network; 2], dataset: &Dataset) -> Agreement {
    let of = |network: &Network| {
        let model = Evaluator::new(network, &network.weights, Device::Cpu, Kind::Float, false);
        let batches = dataset.images.split(BATCH, 0);
        let logits: Vec<Tensor> = batches.iter().map(|batch| tch::no_grad(|| model.logits(batch))).collect();
        Tensor::cat(&logits, 0)
    };
    let [first, second] = networks.map(of);
    let error = |logits: &Tensor| {
        let wrong = predictions(logits).ne_tensor(&dataset.labels);
        wrong.to_kind(Kind::Double).mean(Kind::Double).double_value(&[])
    };
    Agreement {
        errors: [error(&first), error(&second)],
        difference: (&first - &second).abs().max().double_value(&[]),
        largest: first.abs().max().double_value(&[]),
    }
}
