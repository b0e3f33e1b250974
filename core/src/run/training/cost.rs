//! What a training will cost on this machine, from a few small steps.

use std::time::Instant;

use super::begin::Beginning;
use super::images::Images;
use crate::error::Result;
use crate::run::Estimate;
use crate::train::Train;

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
    let [few, more] = TRIAL_BATCHES.map(|most| job.batch_size.min(most));
    let most = step_seconds(job, more)?;
    let step = if job.batch_size > more {
        let least = step_seconds(job, few)?;
        // A busy machine may make the smaller step the slower one.
        let each = ((most - least) / (more - few) as f64).max(LEAST_SHARE * most / more as f64);
        most + each * (job.batch_size - more) as f64
    } else {
        most
    };
    let per_image = step / job.batch_size as f64;
    let (train, test) = (job.data.train.len(), job.data.test.len());
    let held_out = if job.early_stopping { job.data.held_out.len() } else { 0 };
    let steps = job.steps_per_epoch.unwrap_or_else(|| train.div_ceil(job.batch_size)) as u64;
    let units = steps * job.epochs as u64;
    let tested =
        test * job.epochs + held_out * super::HELD_OUT_RESTARTS * job.epochs.div_ceil(job.snapshot_every);
    let images = units as f64 * job.batch_size as f64 + tested as f64;
    Ok(Estimate { units, seconds: images * per_image })
}

/// The fastest of a few steps with batches of this size, after one that warms up.
fn step_seconds(job: &Train, batch_size: usize) -> Result<f64> {
    let images = Images::few(job, batch_size)?;
    let trial = Train { batch_size, ..super::resolve::with(job, &images.train)? };
    let mut beginning = Beginning::of(&trial, &images)?;
    let (trial_begun, mut fastest) = (Instant::now(), f64::INFINITY);
    for step in 0..=TRIAL_STEPS as u64 {
        let begun = Instant::now();
        let trainer = &mut beginning.trainer;
        let source = &mut beginning.source;
        // Later rates than the first are as good, and a first rate may be 0.
        let rate = trainer.rate(step, source.steps_per_epoch());
        let mut number = step * job.optimizer.batches_per_step();
        let mut next = || {
            number += 1;
            Ok(source.batch(number - 1))
        };
        trainer.step(step, rate, &mut next, &mut || Ok(()))?;
        // Waits for the device.
        let _ = trainer.learner.trainable().sum(tch::Kind::Float).double_value(&[]);
        if step > 0 {
            fastest = fastest.min(begun.elapsed().as_secs_f64());
            if trial_begun.elapsed().as_secs_f64() > PATIENCE {
                break;
            }
        }
    }
    Ok(fastest)
}
