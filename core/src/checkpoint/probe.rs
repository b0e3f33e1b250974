//! Trying on labelled images what a file does not say of its network.
//!
//! Every possible reading (input normalization, shortcut, activation, pooling) classifies the same images; readings that
//! are clearly worse drop out early. Among those that are left, accuracies are often too close to tell (a standard
//! deviation that is 20 % off costs a percent of accuracy), but the running statistics of batch normalization are not:
//! with the right reading, inputs of these layers have the stored mean and variance. Nothing is told of a network that
//! is hardly better than chance.

use std::path::PathBuf;

use sha2::{Digest as _, Sha256};
use tch::{Device, Kind, Tensor};

use super::alternatives::Alternative;
use super::opened::Checkpoint;
use super::summary::{Probe, Tried};
use crate::data::{self, Dataset, Examples, Split};
use crate::error::{Error, Result};
use crate::model::{BatchStatistics, Evaluator, Network};

/// Images at a time.
const BATCH: usize = 50;
/// Images that are tried in any case.
const USUAL: usize = 300;
/// A reading drops out where the best is ahead by so many standard errors.
const DROP: f64 = 4.0;
/// More images are tried while the best is ahead by fewer standard errors.
const CLEAR: f64 = 3.0;
/// Images whose statistics are compared with those of batch normalizations: with fewer, chance is as large as what is
/// to be told.
const STATISTICS: usize = 100;
/// Statistics decide where they fit the next reading so many times worse.
const DECISIVE: f64 = 4.0;

/// A reading while it is tried.
struct Runner<'a> {
    alternative: &'a Alternative,
    /// With the tensors of the checkpoint.
    network: Network,
    correct: Vec<bool>,
    statistics: BatchStatistics,
    /// How far the batch statistics of the first images are from the stored ones; none: there are none.
    mismatch: Option<f64>,
}

impl Runner<'_> {
    /// The network is prepared anew for every batch, so that one prepared network at a time takes memory. On the first
    /// images it is run as it is, and what batch normalizations see is noted.
    fn logits(&mut self, images: &Tensor) -> Tensor {
        let Network { topology, weights, .. } = &self.network;
        if self.correct.len() >= STATISTICS {
            return Evaluator::new(&self.network, weights, Device::Cpu, Kind::Float, false).logits(images);
        }
        let params = self.network.params(weights);
        let logits = self.statistics.observe(topology, &params, images);
        self.mismatch = self.statistics.mismatch(&params);
        logits
    }

    fn hits(&self) -> usize {
        self.correct.iter().filter(|correct| **correct).count()
    }

    fn accuracy(&self) -> f64 {
        self.hits() as f64 / self.correct.len().max(1) as f64
    }

    /// By how many images it is ahead of another on those that both have seen, and the standard error.
    fn ahead(&self, other: &Self) -> (f64, f64) {
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
    fn is_ahead(&self, other: &Self, errors: f64) -> bool {
        let (ahead, error) = self.ahead(other);
        ahead > errors * error
    }
}

/// Labelled images that fit a network: those that come with the program, or MNIST where it is found. Which they are
/// depends on the network alone, so that every machine tries the same.
fn images(network: &Network) -> Option<(Dataset, &'static str)> {
    let topology = &network.topology;
    let (name, words) = match (topology.resolution, topology.classes) {
        ([3, 32, 32], 10) => ("bundled", "CIFAR-10 test images"),
        ([1, 28, 28], 10) => ("mnist", "MNIST test images"),
        _ => return None,
    };
    let examples = Examples { split: Split::Test, start: 0, end: 1000 };
    data::load(name, &examples).ok().map(|dataset| (dataset, words))
}

/// Tries all readings of a checkpoint. `step` hears how far it is, from 0 to 1.
///
/// # Errors
/// [`Error::Cancelled`].
pub fn probe(checkpoint: &Checkpoint, step: &mut dyn FnMut(f64) -> Result<()>) -> Result<Probe> {
    let Some((dataset, words)) = images(&checkpoint.network) else { return Ok(Probe::without_images()) };
    let _guard = tch::no_grad_guard();
    let runner = |alternative| {
        let network = Alternative::sharing(alternative, &checkpoint.network);
        Runner {
            alternative,
            network,
            correct: Vec::new(),
            statistics: BatchStatistics::default(),
            mismatch: None,
        }
    };
    let mut running: Vec<Runner> = checkpoint.alternatives.iter().map(runner).collect();
    let chance = (checkpoint.network.topology.classes as f64).recip();
    let mut dropped: Vec<Runner> = Vec::new();
    let all = dataset.len();
    let mut seen = 0;
    while seen < all {
        let batch = BATCH.min(all - seen);
        let images = dataset.images.narrow(0, seen as i64, batch as i64);
        let labels = dataset.labels.narrow(0, seen as i64, batch as i64);
        let count = running.len();
        for (at, runner) in running.iter_mut().enumerate() {
            let predicted = runner.logits(&images).argmax(1, false);
            let correct: Vec<bool> = predicted.eq_tensor(&labels).try_into().map_err(unreadable)?;
            runner.correct.extend(correct);
            let done = seen as f64 + batch as f64 * (at + 1) as f64 / count as f64;
            step((done / USUAL as f64).min(1.0))?;
        }
        seen += batch;
        running.sort_by_key(|runner| std::cmp::Reverse(runner.hits()));
        let mut stay: Vec<Runner> = Vec::with_capacity(running.len());
        for runner in running.drain(..) {
            let is_far_behind = stay.first().is_some_and(|best| best.is_ahead(&runner, DROP));
            if is_far_behind { dropped.push(runner) } else { stay.push(runner) }
        }
        running = stay;
        if running.len() == 1 || (seen >= USUAL && is_enough(&running)) || is_hopeless(&running[0], chance) {
            break;
        }
    }
    Ok(outcome(running, dropped, words, checkpoint.network.topology.classes))
}

fn unreadable(error: tch::TchError) -> Error {
    Error::invalid(format!("the network's predictions cannot be read ({error})"))
}

/// The reading that batch statistics decide for, if they do: they fit it far better than any other, and its accuracy is
/// not clearly below that of another.
fn by_statistics(running: &[Runner]) -> Option<usize> {
    let mut fits: Vec<(usize, f64)> =
        running.iter().enumerate().filter_map(|(at, runner)| Some((at, runner.mismatch?))).collect();
    fits.sort_by(|a, b| a.1.total_cmp(&b.1));
    let &[(best, mismatch), (_, next), ..] = fits.as_slice() else { return None };
    let is_worse = running.iter().any(|other| other.is_ahead(&running[best], CLEAR));
    (mismatch * DECISIVE <= next && !is_worse).then_some(best)
}

/// Whether even the best reading is too close to chance for anything to be told: a network with random weights.
fn is_hopeless(best: &Runner, chance: f64) -> bool {
    let images = best.correct.len() as f64;
    let likely = best.accuracy() + CLEAR * (2.0 * chance * (1.0 - 2.0 * chance) / images).sqrt();
    likely < 2.0 * chance
}

/// Whether more images would not tell more: accuracies tell, or statistics may.
fn is_enough(running: &[Runner]) -> bool {
    running[0].is_ahead(&running[1], CLEAR)
        || running.iter().all(|runner| runner.alternative.topology.least_normalized_values().is_some())
}

/// What the readings, those that ran to the end with the best first, have told.
fn outcome(mut running: Vec<Runner>, mut dropped: Vec<Runner>, data: &str, classes: i64) -> Probe {
    let chance = (classes as f64).recip();
    let images = running[0].correct.len() as f64;
    let error_of_chance = (chance * (1.0 - chance) / images).sqrt();
    let is_trained = running[0].accuracy() > (2.0 * chance).max(chance + CLEAR * error_of_chance);
    let decided = by_statistics(&running);
    if let Some(at) = decided.filter(|_| is_trained) {
        running[..=at].rotate_right(1);
    }
    dropped.sort_by(|a, b| b.accuracy().total_cmp(&a.accuracy()));
    let all: Vec<&Runner> = running.iter().chain(&dropped).collect();
    let best = all[0];
    // The closest of the others: one that dropped out is compared on the images it has seen.
    let margins = all[1..].iter().map(|other| {
        let (ahead, error) = best.ahead(other);
        let seen = other.correct.len() as f64;
        (ahead / seen, error / seen)
    });
    let (margin, standard_error) =
        margins.min_by(|a, b| (a.0 - a.1).total_cmp(&(b.0 - b.1))).unwrap_or((1.0, 0.0));
    let tried = all.iter().map(|runner| Tried {
        assumed: runner.alternative.assumed.text(),
        accuracy: runner.accuracy(),
        images: runner.correct.len(),
        mismatch: runner.mismatch,
    });
    Probe {
        data: data.to_owned(),
        tried: tried.collect(),
        told: is_trained && (decided.is_some() || margin > standard_error),
        by_statistics: is_trained && decided.is_some() && margin <= standard_error,
        margin,
        standard_error,
    }
}

/// The checkpoint as trying its readings tells; as it is, with the doubt in its notices, where they tell nothing or
/// there is no choice. What was told of a file once is kept in the user's cache.
///
/// # Errors
/// As [`probe`].
pub fn settle(mut checkpoint: Checkpoint, step: &mut dyn FnMut(f64) -> Result<()>) -> Result<Checkpoint> {
    if checkpoint.alternatives.len() < 2 || checkpoint.summary.probe.is_some() {
        return Ok(checkpoint);
    }
    let kept = Kept::of(&checkpoint);
    let probe = match kept.read() {
        Some(probe) => probe,
        None => {
            let probe = probe(&checkpoint, step)?;
            kept.write(&probe);
            probe
        }
    };
    let position = |assumed: &str| checkpoint.alternatives.iter().position(|it| it.assumed.text() == assumed);
    if let Some(at) = probe.tried.first().filter(|_| probe.told).and_then(|best| position(&best.assumed)) {
        checkpoint.alternatives.swap(0, at);
        checkpoint.network = checkpoint.alternatives[0].of(&checkpoint.network);
    }
    let chosen = &checkpoint.alternatives[0];
    checkpoint.summary.read_as(&checkpoint.network, chosen);
    checkpoint.summary.notices.push(probe.notice(&chosen.assumed.text()));
    checkpoint.summary.probe = Some(probe);
    Ok(checkpoint)
}

/// Version of how readings are tried: what was kept by another is tried again.
const VERSION: u32 = 2;

/// What was told of a file, in the user's cache.
struct Kept(Option<PathBuf>);

impl Kept {
    fn of(checkpoint: &Checkpoint) -> Self {
        let readings: Vec<String> = checkpoint.alternatives.iter().map(|it| it.assumed.text()).collect();
        let key = format!("{VERSION} {} {}", checkpoint.summary.hash, readings.join(" "));
        let name = Sha256::digest(key.as_bytes())
            .iter()
            .take(16)
            .fold(String::new(), |name, byte| name + &format!("{byte:02x}"));
        let folder = data::search_folders().pop();
        Self(folder.map(|folder| folder.join("probes").join(name + ".json")))
    }

    fn read(&self) -> Option<Probe> {
        serde_json::from_slice(&std::fs::read(self.0.as_ref()?).ok()?).ok()
    }

    /// Keeps what was told. Where that is not possible it is tried again the next time.
    fn write(&self, probe: &Probe) {
        let (Some(path), false) = (&self.0, probe.data.is_empty()) else { return };
        let _ = path.parent().map(std::fs::create_dir_all);
        if let Ok(bytes) = serde_json::to_vec(probe) {
            let _ = crate::files::write_atomically(path, &bytes);
        }
    }
}
