//! What every job begins with: checkpoint, data, device, precision.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tch::{Device, Tensor};

use crate::attack::autoattack::Attack;
use crate::checkpoint::{self, Checkpoint};
use crate::data::{self, Dataset, Known};
use crate::device::{self, Precision};
use crate::error::{Error, Result};
use crate::job::{DataSelection, Job};
use crate::loss::cross_entropy;
use crate::measure::evaluation::{Batch, Pair};
use crate::model::{Evaluator, Weights, channels_last};
use crate::record::Provenance;

/// A job's checkpoint and data, on its device.
pub struct Setup {
    pub checkpoint: Checkpoint,
    pub dataset: Dataset,
    pub fingerprint: String,
    pub batches: Vec<Batch>,
    pub device: Device,
    pub precision: Precision,
    pub batch_size: usize,
    started: SystemTime,
}

/// Seconds per example, and per set of weights, on this machine.
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

impl Setup {
    /// Opens everything a job names and checks that it fits together.
    pub fn new(job: &Job) -> Result<Self> {
        let compute = job.compute();
        let device = device::parse(&compute.device)?;
        let checkpoint = checkpoint::open(job.checkpoint().ok_or_else(super::no_measure)?)?;
        job.check_classes(checkpoint.summary.classes)?;
        let selection = job.data();
        let dataset = data::load(&selection.name, &selection.examples)?;
        check_fit(&checkpoint, &dataset)?;
        let topology = &checkpoint.network.topology;
        let precision = compute.precision.resolve_search(job.searches_weights(), device, topology)?;
        let examples = dataset.indices.len();
        let batch_size = compute.batch_size.unwrap_or(if device.is_cuda() { 500 } else { 100 }).min(examples);
        let batches = cut(&dataset, device, batch_size);
        let fingerprint = dataset.fingerprint();
        let started = SystemTime::now();
        Ok(Self { checkpoint, dataset, fingerprint, batches, device, precision, batch_size, started })
    }

    /// The examples of the job, or of another selection, in batches of `size`.
    pub fn batches_of(&self, other: Option<&DataSelection>, size: usize) -> Result<Vec<Batch>> {
        let Some(selection) = other else { return Ok(cut(&self.dataset, self.device, size)) };
        let dataset = data::load(&selection.name, &selection.examples)?;
        check_fit(&self.checkpoint, &dataset)?;
        Ok(cut(&dataset, self.device, size))
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
        match (attack, self.device.is_cuda()) {
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

    /// The networks at `weights` (on any device).
    pub fn pair(&self, weights: &Weights) -> Pair {
        self.pair_searched_in(weights, self.precision)
    }

    /// The same for a search in another precision.
    pub fn pair_searched_in(&self, weights: &Weights, precision: Precision) -> Pair {
        let network = &self.checkpoint.network;
        let (search, measure) = (precision.search_kind(), precision.measure_kind());
        Pair {
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
    pub fn measuring(&self, weights: &Weights) -> Pair {
        let (network, kind) = (&self.checkpoint.network, self.precision.measure_kind());
        Pair { search: None, measure: Evaluator::new(network, weights, self.device, kind, false) }
    }

    /// Everything about where the numbers come from, except what the measure itself knows.
    pub fn provenance(&self, job: &Job, duration_s: f64) -> Provenance {
        Provenance {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seed: job.compute().seed,
            device: device::describe(self.device),
            search_precision: self.precision.to_string(),
            measure_precision: if self.precision == Precision::F64 { "f64" } else { "f32" }.to_owned(),
            batch_size: self.batch_size,
            data: self.dataset.name.clone(),
            data_fingerprint: self.fingerprint.clone(),
            checkpoint_hash: self.checkpoint.summary.hash.clone(),
            model: self.checkpoint.summary.model.clone(),
            started: rfc3339(self.started),
            duration_s,
            complete: true,
            search_cost: None,
            warnings: self.checkpoint.summary.notices.clone(),
        }
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
    let examples = all.len();
    (0..examples).step_by(size).map(|from| all.slice(from, (from + size).min(examples))).collect()
}

fn forward(model: &Evaluator, batch: &Batch, gradient: bool) {
    if gradient {
        let images = batch.images.detach().set_requires_grad(true);
        let loss = cross_entropy(&model.logits(&images), &batch.labels).mean(tch::Kind::Float);
        Tensor::run_backward(&[loss], &[images], false, false)[0].abs().max().double_value(&[]);
    } else {
        tch::no_grad(|| model.logits(&batch.images)).abs().max().double_value(&[]);
    }
}

fn check_fit(checkpoint: &Checkpoint, dataset: &Dataset) -> Result<()> {
    let summary = &checkpoint.summary;
    let [c, h, w] = dataset.image_shape();
    let wanted = checkpoint.network.topology.resolution;
    if [c, h, w] != wanted {
        return Err(Error::file(
            &summary.path,
            format!(
                "expects images of {} x {} x {}, but {} has {c} x {h} x {w}; choose other data",
                wanted[0], wanted[1], wanted[2], dataset.name
            ),
        ));
    }
    // A folder shows only the classes that its images are of; a set known by name has all of them.
    let known = dataset.name == "bundled" || Known::from_name(&dataset.name).is_some();
    if dataset.classes > summary.classes || (known && dataset.classes != summary.classes) {
        return Err(Error::file(
            &summary.path,
            format!(
                "tells {} classes apart, but {} has {}; choose other data",
                summary.classes, dataset.name, dataset.classes
            ),
        ));
    }
    Ok(())
}

/// A time as RFC 3339 in UTC, to the second.
pub fn rfc3339(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let (days, rest) = ((seconds / 86400) as i64, seconds % 86400);
    // Civil date from days since 1970-01-01 (Hinnant's algorithm, years from March).
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_right() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_827_696, "2000-02-29T12:34:56Z"),
            (1_794_960_000, "2026-11-18T00:00:00Z"),
        ] {
            assert_eq!(rfc3339(UNIX_EPOCH + Duration::from_secs(seconds)), text);
        }
    }
}
