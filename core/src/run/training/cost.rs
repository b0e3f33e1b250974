//! What a training will cost on this machine, from a few small steps.

use std::time::Instant;

use super::begin::{TEST_BATCH, TrainerSetup};
use super::images::Images;
use super::test::scores;
use crate::attack::Pgd;
use crate::error::Result;
use crate::measure::cut;
use crate::run::estimate::Estimate;
use crate::train::{Rate, Source, Train};

/// Images of the trial steps: a step takes the longer the more there are, beyond what it takes for any number.
const TRIAL_BATCHES: [usize; 2] = [4, 16];
/// Timed steps of a trial: the fastest counts, as others were held up.
const TRIAL_STEPS: usize = 3;
/// Seconds of one trial after which no further step is tried.
const PATIENCE: f64 = 0.6;
/// A further image takes at least this share of the time per image.
const LEAST_SHARE: f64 = 0.25;

/// Steps of a training, and the seconds for all of them and for the tests after each epoch.
///
/// # Errors
/// As [`super::train`].
pub fn estimate(job: &Train) -> Result<Estimate> {
    let [few, more] = TRIAL_BATCHES.map(|most| job.batch_size.min(most).min(job.data.train.len()));
    let mut trial = Trial::of(job, more)?;
    // No batch has more images than there are, unless others are drawn for it.
    let train = job.data.train.len();
    let size = if job.data.extra.is_some() { job.batch_size } else { job.batch_size.min(train) };
    let step = extrapolated(size, [few, more], |count| trial.step_seconds(count))?;
    let units = job.steps_in_epoch() * job.epochs as u64;
    let size = TEST_BATCH.min(job.data.test.len()).max(1);
    let [few, more] = TRIAL_BATCHES.map(|most| most.min(trial.images.train.len()));
    let test = extrapolated(size, [few, more], |count| trial.test_seconds(count))? / size as f64;
    let tests = test * attacked_images(job) as f64;
    Ok(Estimate { units, seconds: units as f64 * step + tests, tests })
}

/// Images that are attacked in all tests of a training, once for each restart.
fn attacked_images(job: &Train) -> usize {
    let evaluation = &job.evaluation;
    let (test, tests) = (job.data.test.len(), job.epochs + 1);
    let train = job.tested_training_images().map_or(0, |images| images.len());
    let averages = if job.average.is_some() { test } else { 0 };
    let held_out = if job.early_stopping { job.data.held_out.len() } else { 0 };
    evaluation.restarts * tests * (test + train + averages)
        + held_out * evaluation.held_out_restarts * job.epochs.div_ceil(job.snapshot_every)
}

/// The seconds of something for `size` images, from those for a few and for some more.
fn extrapolated(
    size: usize,
    [few, more]: [usize; 2],
    mut seconds: impl FnMut(usize) -> Result<f64>,
) -> Result<f64> {
    let most = seconds(more)?;
    if size <= more || few == more {
        return Ok(most * size as f64 / more as f64);
    }
    // A busy machine may make the smaller trial the slower one.
    let each = ((most - seconds(few)?) / (more - few) as f64).max(LEAST_SHARE * most / more as f64);
    Ok(most + each * (size - more) as f64)
}

/// A training that makes a few small steps.
struct Trial {
    job: Train,
    images: Images,
    beginning: TrainerSetup,
    /// Steps that were made.
    steps: u64,
}

impl Trial {
    /// For batches of up to `most` images.
    fn of(job: &Train, most: usize) -> Result<Self> {
        let images = Images::few(job, most)?;
        let job = super::resolve::with(job, &images.train)?;
        super::begin::check(&job)?;
        let job = Train { batch_size: most, ..job };
        let beginning = TrainerSetup::of(&job, &images)?;
        Ok(Self { job, images, beginning, steps: 0 })
    }

    /// The fastest of a few steps with batches of this size, after one that warms up.
    fn step_seconds(&mut self, batch_size: usize) -> Result<f64> {
        let job = Train { batch_size, ..self.job.clone() };
        let mut source =
            Source::new(&job, &self.images.train, self.images.extra.as_ref(), self.beginning.device)?;
        let trainer = &mut self.beginning.trainer;
        let (trial_begun, mut fastest) = (Instant::now(), f64::INFINITY);
        for number in 0..=TRIAL_STEPS as u64 {
            let begun = Instant::now();
            // The weights stay, so that nothing diverges while time is measured.
            let rate = Rate { learning_rate: 0.0, ..trainer.rate(self.steps, source.steps_per_epoch()) };
            let mut batch = number * job.optimizer.batches_per_step();
            let mut next = || {
                batch += 1;
                Ok(source.batch(batch - 1))
            };
            trainer.step(self.steps, rate, &mut next, &mut || Ok(()))?;
            self.steps += 1;
            // Waits for the device.
            let _ = trainer.learner.trainable().sum(tch::Kind::Float).double_value(&[]);
            if number > 0 {
                fastest = fastest.min(begun.elapsed().as_secs_f64());
                if trial_begun.elapsed().as_secs_f64() > PATIENCE {
                    break;
                }
            }
        }
        Ok(fastest)
    }

    /// The fastest of a few tests of so many training images by one restart of the tests' attack.
    fn test_seconds(&mut self, count: usize) -> Result<f64> {
        let attack = Pgd { restarts: 1, ..self.job.test_attack() };
        let network = self.beginning.trainer.learner.export();
        let batches = cut(&self.images.train.first(count), self.beginning.device, count);
        let place = (self.beginning.device, self.beginning.precision);
        let (trial_begun, mut fastest) = (Instant::now(), f64::INFINITY);
        for number in 0..=TRIAL_STEPS {
            let begun = Instant::now();
            scores(&network, &batches, &attack, place, self.job.seed, &mut || Ok(()))?;
            if number > 0 {
                fastest = fastest.min(begun.elapsed().as_secs_f64());
                if trial_begun.elapsed().as_secs_f64() > PATIENCE {
                    break;
                }
            }
        }
        Ok(fastest)
    }
}
