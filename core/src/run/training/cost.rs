//! What a training will cost on this machine, from a few small steps.

use std::time::Instant;

use super::begin::Beginning;
use super::images::Images;
use crate::error::Result;
use crate::run::Estimate;
use crate::train::{Rate, Source, Train};

/// Images of the trial steps: a step takes the longer the more there are, beyond what it takes for any number.
const TRIAL_BATCHES: [usize; 2] = [4, 16];
/// Timed steps of a trial: the fastest counts, as others were held up.
const TRIAL_STEPS: usize = 3;
/// Seconds of one trial after which no further step is tried.
const PATIENCE: f64 = 0.6;
/// A further image takes at least this share of the time per image.
const LEAST_SHARE: f64 = 0.25;

/// Steps of a training, and the seconds for all of them and the tests after each epoch.
///
/// # Errors
/// As [`super::train`].
pub fn estimate(job: &Train) -> Result<Estimate> {
    let [few, more] = TRIAL_BATCHES.map(|most| job.batch_size.min(most).min(job.data.train.len()));
    let mut trial = Trial::of(job, more)?;
    let most = trial.step_seconds(more)?;
    let (train, test) = (job.data.train.len(), job.data.test.len());
    // No batch has more images than there are, unless others are drawn for it.
    let size = if job.data.extra.is_some() { job.batch_size } else { job.batch_size.min(train) };
    let step = if size > more {
        let least = trial.step_seconds(few)?;
        // A busy machine may make the smaller step the slower one.
        let each = ((most - least) / (more - few) as f64).max(LEAST_SHARE * most / more as f64);
        most + each * (size - more) as f64
    } else {
        most
    };
    let per_image = step / size as f64;
    let held_out = if job.early_stopping { job.data.held_out.len() } else { 0 };
    let steps = job.steps_per_epoch.unwrap_or_else(|| train.div_ceil(job.batch_size)) as u64;
    let units = steps * job.epochs as u64;
    let tested =
        test * job.epochs + held_out * super::HELD_OUT_RESTARTS * job.epochs.div_ceil(job.snapshot_every);
    let images = units as f64 * size as f64 + tested as f64;
    Ok(Estimate { units, seconds: images * per_image })
}

/// A training that makes a few small steps.
struct Trial {
    job: Train,
    images: Images,
    beginning: Beginning,
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
        let beginning = Beginning::of(&job, &images)?;
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
}
