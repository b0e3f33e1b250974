//! What a training begins with: data, network, device.

use tch::{Device, Kind, Tensor};

use super::images::Images;
use crate::checkpoint;
use crate::data::Dataset;
use crate::device::{self, Precision};
use crate::error::Result;
use crate::measure::cut;
use crate::measure::evaluation::Batch;
use crate::model::{Layer, Network};
use crate::record::Provenance;
use crate::run::clock;
use crate::train::{Source, Train, Trainer};

/// Images per batch when testing.
pub const TEST_BATCH: usize = 250;

/// Everything a training needs, at its very beginning.
pub struct TrainerSetup {
    pub trainer: Trainer,
    pub source: Source,
    pub test: Vec<Batch>,
    /// The training images that are tested like those.
    pub train: Vec<Batch>,
    pub held_out: Vec<Batch>,
    pub device: Device,
    /// Of the search, resolved.
    pub precision: Precision,
}

impl TrainerSetup {
    /// Puts everything together on its device, and checks that it fits. The job is a resolved one.
    pub fn of(job: &Train, images: &Images) -> Result<Self> {
        let device = device::parse(&job.device)?;
        let Images { train, test, held_out, extra } = images;
        let network = network(job, train, extra.as_ref())?;
        let precision = job.precision.resolve(device, &network.topology)?;
        let trainer = Trainer::new(Train { precision, ..job.clone() }, &network, device)?;
        let source = Source::new(job, train, extra.as_ref(), device)?;
        let tested = (job.evaluation.train_images > 0).then(|| train.first(job.evaluation.train_images));
        let batches = |data: &Dataset| cut(data, device, TEST_BATCH.min(data.len()));
        Ok(Self {
            trainer,
            source,
            test: batches(test),
            train: tested.as_ref().map(batches).unwrap_or_default(),
            held_out: held_out.as_ref().map(batches).unwrap_or_default(),
            device,
            precision,
        })
    }

    /// Where the numbers will come from.
    pub fn provenance(&self, job: &Train, images: &Images) -> Provenance {
        let measured = if self.precision == Precision::F64 { "f64" } else { "f32" };
        Provenance {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seed: job.seed,
            device: device::describe(self.device),
            search_precision: self.precision.to_string(),
            measure_precision: measured.to_owned(),
            batch_size: job.batch_size,
            data: images.train.name.clone(),
            data_fingerprint: images.train.fingerprint(),
            model: self.trainer.learner.export().topology.title.clone(),
            started: clock::now(),
            warnings: images.warnings().into_iter().chain(job.average_warning()).collect(),
            ..Provenance::default()
        }
    }
}

/// Checks what can be checked of batches before anything is written: the job is a resolved one.
///
/// # Errors
/// An initial checkpoint that cannot be read; an architecture that cannot be; batches that are too small.
pub fn check(job: &Train) -> Result<()> {
    let topology = match &job.initial {
        Some(initial) => checkpoint::open_probed(initial, &mut |_| Ok(()))?.network.topology,
        None => job.architecture.topology()?,
    };
    job.check_batches(&topology, job.data.train.len())
}

/// The network to begin with: a fresh one for these data, or that of a checkpoint, for a resolved job.
fn network(job: &Train, train: &Dataset, extra: Option<&Dataset>) -> Result<Network> {
    if let Some(initial) = &job.initial {
        return Ok(checkpoint::open_probed(initial, &mut |_| Ok(()))?.network);
    }
    let network = Network::initialized(job.architecture.topology()?, &job.initialization, job.seed);
    whiten(&network, train, extra);
    Ok(network)
}

/// Gives a whitening layer the mean and standard deviation of the training images, per channel.
fn whiten(network: &Network, train: &Dataset, extra: Option<&Dataset>) {
    let mut layers = Vec::new();
    network.topology.visit(&mut |layer| {
        if let Layer::Standardize { name, .. } = layer {
            layers.push(name.clone());
        }
    });
    if layers.is_empty() {
        return;
    }
    let sets: Vec<&Tensor> = std::iter::once(train).chain(extra).map(|data| &data.images).collect();
    let axes = [0i64, 2, 3];
    let per_channel = |f: &dyn Fn(&Tensor) -> Tensor| {
        let sums = sets.iter().map(|images| f(images).sum_dim_intlist(axes.as_slice(), true, Kind::Double));
        let count: i64 =
            sets.iter().map(|images| images.size()[0] * images.size()[2] * images.size()[3]).sum();
        sums.reduce(|a, b| a + b).expect("there are training images") / count as f64
    };
    let mean = per_channel(&Tensor::shallow_clone);
    let variance = per_channel(&|images| (images - &mean.to_kind(Kind::Float)).square());
    let _guard = tch::no_grad_guard();
    for (index, entry) in network.layout().entries.iter().enumerate() {
        if let Some((name, suffix)) = entry.name.rsplit_once('.')
            && layers.iter().any(|layer| layer == name)
        {
            let values = if suffix == "weight" { variance.sqrt() } else { mean.shallow_clone() };
            network.weights.view(index).copy_(&values.view([-1]));
        }
    }
}
