//! What every measure works on: a checkpoint and images on a device, and how exactly to search and measure.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tch::{Device, Kind, Tensor};

use super::evaluate::stored::Stored;
use super::evaluation::{Batch, SearchAndMeasure};
use crate::attack::Pgd;
use crate::attack::autoattack::Attack;
use crate::checkpoint::Checkpoint;
use crate::data::Dataset;
use crate::device::Precision;
use crate::error::Result;
use crate::loss::cross_entropy;
use crate::model::{Evaluator, Network, Weights, channels_last};

/// A job's checkpoint and data, on its device.
pub struct Context {
    /// The network and what is known of its file.
    pub checkpoint: Checkpoint,
    /// The network whose losses count: the checkpoint's, unless the measure changes its logits. The weights are shared.
    pub network: Network,
    /// The images that are measured.
    pub dataset: Dataset,
    /// SHA-256 over them, shortened.
    pub fingerprint: String,
    /// They, in batches on the device.
    pub batches: Vec<Batch>,
    /// Other images, that search; none: those that are measured.
    pub searched: Option<Dataset>,
    /// Adversarial examples of an earlier record.
    pub stored: Option<Stored>,
    /// Other networks that the measure looks at, by the paths that it gives: one of a checkpoint, of a training those
    /// that it kept.
    pub fellows: Vec<(PathBuf, Vec<Fellow>)>,
    /// Where it is computed.
    pub device: Device,
    /// Whether it is, or was, computed on a GPU: so large are the blocks of some measures.
    pub gpu: bool,
    /// How exactly is searched.
    pub precision: Precision,
    /// Images at a time.
    pub batch_size: usize,
    /// Where perturbed networks are kept, if they are.
    pub network_store: Option<Box<dyn NetworkStore>>,
}

/// Another network of the same architecture.
pub struct Fellow {
    /// What it is called: the name of its file, or of its epoch.
    pub name: String,
    /// It.
    pub checkpoint: Checkpoint,
}

/// A place for perturbed networks.
pub trait NetworkStore {
    /// How a record names a file there.
    fn file(&self, name: &str) -> String;

    /// Where it is, for people.
    fn place(&self) -> String;

    /// Whether a file, as a record names it, is there.
    fn has(&self, file: &str) -> bool;

    /// Keeps a network in a file, as a record names it.
    ///
    /// # Errors
    /// It cannot be written, e.g. because the disk is full.
    fn keep_network(&self, file: &str, weights: &Weights, context: &Context) -> Result<()>;

    /// Keeps what an attack adds to all images.
    ///
    /// # Errors
    /// As [`NetworkStore::keep_network`].
    fn keep_examples(&self, file: &str, perturbations: Vec<f32>, context: &Context) -> Result<()>;
}

/// Bytes above which the user is told before the work begins.
const LARGE: u64 = 1 << 30;

/// A sentence about the size of `count` files of so many bytes each, if they are large.
pub fn size_of_kept(what: &str, count: usize, bytes: u64, store: &dyn NetworkStore) -> Option<String> {
    let all = count as u64 * bytes;
    (all >= LARGE)
        .then(|| format!("keeps {count} {what}, {:.1} GB in all, in {}", all as f64 / 1e9, store.place()))
}

/// Seconds per example, and per set of weights, on this machine.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// One forward pass of the measuring network.
    pub forward: f64,
    /// One forward pass of the searching network.
    pub search_forward: f64,
    /// One attack step: forward and input gradient.
    pub step: f64,
    /// Folding and rounding one set of weights (seconds, not per example).
    pub preparation: f64,
}

impl Context {
    /// The images that search, in batches of `size`.
    pub fn search_batches(&self, size: usize) -> Vec<Batch> {
        cut(self.searched.as_ref().unwrap_or(&self.dataset), self.device, size)
    }

    /// Number of examples.
    pub fn examples(&self) -> usize {
        self.dataset.indices.len()
    }

    /// All examples as one batch.
    pub fn all(&self) -> Batch {
        let part =
            |of: fn(&Batch) -> &Tensor| Tensor::cat(&self.batches.iter().map(of).collect::<Vec<_>>(), 0);
        Batch {
            images: channels_last(&part(|batch| &batch.images)),
            labels: part(|batch| &batch.labels),
            indices: self.dataset.indices.clone(),
        }
    }

    /// How many examples an attack of AutoAttack works on at once. Square asks for no gradient, so a GPU holds
    /// more; on a CPU, which takes long, smaller blocks lose less to an interruption.
    pub fn block(&self, attack: Attack) -> usize {
        match (attack, self.gpu) {
            (Attack::Square, true) => 4 * self.batch_size,
            (_, true) => self.batch_size,
            (_, false) => self.batch_size.min(64),
        }
    }

    /// How many of `count` examples go through all attacks of AutoAttack before the others begin: so many that those
    /// still robust fill their blocks; of few examples a quarter, down to half a block, so that the bounds of the robust
    /// accuracy move.
    pub fn group(&self, count: usize) -> usize {
        let block = self.block(Attack::ApgdCe);
        let most = (2 * self.block(Attack::Square)).max(4 * block);
        count.div_ceil(4).clamp(block.div_ceil(2).min(most), most)
    }

    /// Other networks, of all paths.
    pub fn all_fellows(&self) -> impl Iterator<Item = &Fellow> {
        self.fellows.iter().flat_map(|(_, there)| there)
    }

    /// The networks at `weights` (on any device).
    pub fn pair(&self, weights: &Weights) -> SearchAndMeasure {
        self.pair_searched_in(weights, self.precision)
    }

    /// Another network of the same kind, evaluated in reduced precision: bf16, or TF32 on a GPU.
    pub fn pair_reduced(&self, network: &Network) -> SearchAndMeasure {
        let kind = if self.gpu { Kind::Float } else { Kind::BFloat16 };
        SearchAndMeasure {
            search: None,
            measure: Evaluator::new(network, &network.weights, self.device, kind, self.gpu),
        }
    }

    /// Another network of the same kind, at its own weights and with its own buffers.
    pub fn pair_of(&self, network: &Network) -> SearchAndMeasure {
        self.searched_in(network, &network.weights, self.precision)
    }

    /// The same for a search in another precision.
    pub fn pair_searched_in(&self, weights: &Weights, precision: Precision) -> SearchAndMeasure {
        self.searched_in(&self.network, weights, precision)
    }

    fn searched_in(&self, network: &Network, weights: &Weights, precision: Precision) -> SearchAndMeasure {
        let (search, measure) = (precision.search_kind(), precision.measure_kind());
        SearchAndMeasure {
            search: precision
                .is_low()
                .then(|| Evaluator::new(network, weights, self.device, search, precision.allows_tf32())),
            measure: Evaluator::new(network, weights, self.device, measure, false),
        }
    }

    /// Whether searches are less exact than the measuring.
    pub fn searches_in_low_precision(&self) -> bool {
        self.precision.is_low()
    }

    /// Precision of the measuring.
    pub fn exact_precision(&self) -> Precision {
        if self.precision == Precision::F64 { Precision::F64 } else { Precision::F32 }
    }

    /// The network at `weights` for measuring alone.
    pub fn measuring(&self, weights: &Weights) -> SearchAndMeasure {
        let (network, kind) = (&self.network, self.precision.measure_kind());
        SearchAndMeasure { search: None, measure: Evaluator::new(network, weights, self.device, kind, false) }
    }

    /// Times one small batch. What else the machine does can only make a trial slower, so the best of several counts.
    pub fn trial(&self) -> Result<Cost> {
        const ROUNDS: usize = 6;
        const LONGEST: Duration = Duration::from_secs(1);
        let batch = &self.batches[0];
        let prepare = || {
            let begun = Instant::now();
            let pair = self.pair(&self.checkpoint.network.weights);
            (begun.elapsed().as_secs_f64(), pair)
        };
        prepare();
        let (preparation, pair) = prepare();
        let search = pair.search.as_ref().unwrap_or(&pair.measure);
        // Ever larger parts, until one takes long enough to be trusted; the first also warms up.
        let mut size = batch.len().min(4);
        loop {
            let part = batch.slice(0, size);
            let timed = |model: &Evaluator, gradient: bool| {
                let begun = Instant::now();
                forward(model, &part, gradient);
                begun.elapsed().as_secs_f64() / size as f64
            };
            let round = || Cost {
                forward: timed(&pair.measure, false),
                search_forward: timed(search, false),
                step: timed(search, true),
                preparation,
            };
            round();
            let mut cost = round().better(&round());
            let seconds = size as f64 * (cost.forward + cost.search_forward + cost.step);
            if seconds > 0.15 || size == batch.len() {
                let begun = Instant::now();
                for _ in 2..ROUNDS {
                    if begun.elapsed() > LONGEST {
                        break;
                    }
                    cost = cost.better(&round());
                    cost.preparation = cost.preparation.min(prepare().0);
                }
                return Ok(cost);
            }
            size = (size * 4).min(batch.len());
        }
    }
}

impl Cost {
    /// An attack on an example.
    pub fn attack(&self, pgd: &Pgd) -> f64 {
        pgd.restarts as f64 * (pgd.steps as f64 * self.step + self.search_forward + self.forward)
    }

    /// The shorter of each time.
    fn better(&self, other: &Self) -> Self {
        Self {
            forward: self.forward.min(other.forward),
            search_forward: self.search_forward.min(other.search_forward),
            step: self.step.min(other.step),
            preparation: self.preparation.min(other.preparation),
        }
    }
}

/// A data set in batches of `size` on a device.
pub fn cut(dataset: &Dataset, device: Device, size: usize) -> Vec<Batch> {
    let all = Batch {
        images: channels_last(&dataset.images.to_device(device)),
        labels: dataset.labels.to_device(device),
        indices: dataset.indices.clone(),
    };
    all.pieces(size)
}

fn forward(model: &Evaluator, batch: &Batch, gradient: bool) {
    if gradient {
        let images = batch.images.detach().set_requires_grad(true);
        let loss = cross_entropy(&model.logits(&images), &batch.labels).mean(Kind::Float);
        Tensor::run_backward(&[loss], &[images], false, false)[0].abs().max().double_value(&[]);
    } else {
        tch::no_grad(|| model.logits(&batch.images)).abs().max().double_value(&[]);
    }
}
