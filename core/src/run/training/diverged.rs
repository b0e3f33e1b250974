//! Where a training broke, in words: the part of the step that failed first, not the one that noticed.

use super::Run;
use crate::error::Error;
use crate::train::{Head, IN_PERTURBATION, StepReport};

impl Run<'_> {
    /// The error of step `step`, which stopped for `reason`. The reports of the steps before it that nobody has looked
    /// at yet may tell of an earlier failure, and an attack may only have noticed what a weight step did.
    pub(super) fn broken(&mut self, step: u64, pending: &[StepReport], reason: &str) -> Error {
        if !pending.is_empty()
            && let Err(earlier) = self.grouped(step / self.per_epoch(), step, pending)
        {
            return earlier;
        }
        let largest = self.largest_weight();
        if largest.is_finite() && !self.overflows(step) {
            return self.diverged(step, reason);
        }
        let left = self.weights_in_words();
        match step {
            0 => self.diverged(0, &format!("before its weight step: the network it begins with has {left}")),
            _ => self.diverged(step - 1, &format!("in its weight step: it left {left}")),
        }
    }

    /// The state of the weights after a step that went wrong.
    pub(super) fn weights_in_words(&self) -> String {
        match self.largest_weight() {
            largest if largest.is_finite() => {
                format!("weights of up to {largest:.1e}, at which the network overflows")
            }
            _ => "weights that are NaN or infinite".to_owned(),
        }
    }

    /// The largest absolute weight; NaN where one is.
    pub(super) fn largest_weight(&self) -> f64 {
        self.beginning.trainer.learner.weights().flat().abs().max().double_value(&[])
    }

    /// Whether the network has no finite answer to the images of a step as they are.
    fn overflows(&mut self, step: u64) -> bool {
        let kind = self.job.step_precision.measure_kind();
        let number = step * self.job.optimizer.batches_per_step();
        let images = self.beginning.source.batch(number).images.to_kind(kind);
        let model = self.beginning.trainer.learner.evaluator(Head::Classes, kind, false);
        tch::no_grad(|| model.logits(&images)).isfinite().all().int64_value(&[]) == 0
    }

    /// The error of step `step`, for a reason that names the part of the step. Steps count from 1 for people.
    pub(super) fn diverged(&self, step: u64, reason: &str) -> Error {
        let kept = match self.folder.last_snapshot() {
            Some(snapshot) => format!("the last good snapshot is {}", snapshot.display()),
            None => "there is no snapshot yet".to_owned(),
        };
        let per_epoch = self.per_epoch();
        let rate = self.beginning.trainer.rate(step, per_epoch).learning_rate;
        let remedy = match reason.starts_with(IN_PERTURBATION) {
            true => "use smaller perturbations of the weights, or a smaller learning rate",
            false => "use a smaller learning rate",
        };
        Error::NotFinite(format!(
            "training diverged in step {} (epoch {} of {}, learning rate {rate:?}), {reason}; {kept}; {remedy}",
            step + 1,
            step / per_epoch + 1,
            self.job.epochs,
        ))
    }
}
