//! What a training will cost on this machine, from two small steps.

use std::time::Instant;

use super::begin::Beginning;
use super::images::Images;
use crate::error::Result;
use crate::run::Estimate;
use crate::train::Train;

/// Images of the trial steps: enough that the time per image is about that of a large batch.
const TRIAL_BATCH: usize = 16;

/// Steps of a training, and the seconds for all of them and the tests after each epoch.
///
/// # Errors
/// As [`super::train`].
pub fn estimate(job: &Train) -> Result<Estimate> {
    let mut trial = job.clone();
    trial.batch_size = job.batch_size.min(TRIAL_BATCH);
    let mut beginning = Beginning::of(&trial, &Images::few(&trial, trial.batch_size)?)?;
    let mut seconds = 0.0;
    // The first step also warms up. Later rates than the first are as good, and a first rate may be 0.
    for step in 0..2 {
        let begun = Instant::now();
        let trainer = &mut beginning.trainer;
        let source = &mut beginning.source;
        let rate = trainer.rate(step, source.steps_per_epoch());
        let mut number = step * job.optimizer.batches_per_step();
        let mut next = || {
            number += 1;
            Ok(source.batch(number - 1))
        };
        trainer.step(step, rate, &mut next, &mut || Ok(()))?;
        // Waits for the device.
        let _ = trainer.learner.trainable().sum(tch::Kind::Float).double_value(&[]);
        seconds = begun.elapsed().as_secs_f64();
    }
    let per_image = seconds / trial.batch_size as f64;
    let (train, test) = (job.data.train.len(), job.data.test.len());
    let held_out = if job.early_stopping { job.data.held_out.len() } else { 0 };
    let steps = job.steps_per_epoch.unwrap_or_else(|| train.div_ceil(job.batch_size)) as u64;
    let units = steps * job.epochs as u64;
    let tested =
        test * job.epochs + held_out * super::HELD_OUT_RESTARTS * job.epochs.div_ceil(job.snapshot_every);
    let images = units as f64 * job.batch_size as f64 + tested as f64;
    Ok(Estimate { units, seconds: images * per_image })
}
