//! From a batch to what is trained on: attacks in evaluation mode, clipping, pseudo labels.

use tch::Tensor;

use super::batch::{TrainBatch, attacked};
use super::learner::{Head, Learner};
use super::settings::{Method, Train};
use crate::device::Precision;
use crate::error::Result;
use crate::loss::predictions;
use crate::model::Evaluator;
use crate::progress::CancelCheck;

/// A batch with its adversarial examples.
#[derive(Debug)]
pub(super) struct Prepared {
    /// Clean images.
    pub clean: Tensor,
    /// What stands in their place: from `split` on attacked.
    pub input: Tensor,
    pub labels: Tensor,
    pub keys: Vec<u64>,
    /// First attacked example.
    pub split: i64,
    /// Positions of examples with classes and with rotations.
    pub tasks: Option<[Vec<i64>; 2]>,
}

/// Attacks a batch as the method wants it, clips the weights, and puts the training input together.
///
/// `evaluating`: the network was last used in evaluation mode, which decides how the paper's program makes
/// pseudo labels.
pub(super) fn prepare(
    settings: &Train,
    learner: &Learner,
    batch: TrainBatch,
    (step, evaluating): (u64, bool),
    cancel_check: CancelCheck,
) -> Result<Prepared> {
    let _guard = tch::no_grad_guard();
    let clip = || settings.clipping.map_or((), |bound| learner.clip(bound));
    let split = ((1.0 - attacked_share(&settings.method)) * batch.len() as f64).floor() as i64;
    // As in the paper, attacks of adversarial training see the weights before they are clipped.
    if !matches!(settings.method, Method::Adversarial { .. }) {
        clip();
    }
    let tasks = batch.supervised.as_ref().map(|flags| [true, false].map(|wanted| positions(flags, wanted)));
    let mut input = batch.images.copy();
    let mut attacker = Attacker { settings, learner, batch: &batch, step, cancel_check };
    if let Some(tasks) = &tasks {
        for (head, task) in [Head::Classes, Head::Rotations].into_iter().zip(tasks) {
            let part: Vec<i64> = task.iter().copied().filter(|position| *position >= split).collect();
            attacker.attack(&attacker.model(head), &part, &batch.labels, &mut input)?;
        }
    } else if split < batch.len() {
        let part: Vec<i64> = (split..batch.len()).collect();
        // In the paper's program this updates the running statistics before the attack sees them.
        let guessed_training = (guesses(settings) && settings.as_in_paper && !evaluating)
            .then(|| attacker.guesses(&part, |images| learner.forward(learner.own(), images)));
        let model = attacker.model(Head::Classes);
        let targets = match guessed_training {
            Some(targets) => targets,
            None if guesses(settings) => attacker.guesses(&part, |images| model.logits(images)),
            None => batch.labels.shallow_clone(),
        };
        attacker.attack(&model, &part, &targets, &mut input)?;
    }
    clip();
    let TrainBatch { images, labels, keys, .. } = batch;
    if let Method::Adversarial { ignore_incorrect: true, .. } = settings.method {
        let wrong = predictions(&learner.forward(learner.own(), &images)).ne_tensor(&labels);
        input = images.where_self(&wrong.view([-1, 1, 1, 1]), &input);
    }
    Ok(Prepared { clean: images, input, labels, keys, split, tasks })
}

/// Share of a batch that is attacked.
fn attacked_share(method: &Method) -> f64 {
    match method {
        Method::Normal => 0.0,
        Method::Adversarial { fraction, .. } | Method::Rotation { fraction, .. } => *fraction,
        Method::Trades { .. } | Method::Mart { .. } => 1.0,
    }
}

fn guesses(settings: &Train) -> bool {
    matches!(settings.method, Method::Adversarial { prevent_label_leaking: true, .. })
}

/// What attacks of one batch share.
struct Attacker<'a> {
    settings: &'a Train,
    learner: &'a Learner,
    batch: &'a TrainBatch,
    step: u64,
    cancel_check: CancelCheck<'a>,
}

impl Attacker<'_> {
    /// The network as attacks see it.
    fn model(&self, head: Head) -> Evaluator {
        let precision = self.settings.precision;
        self.learner.evaluator(head, precision.search_kind(), precision == Precision::Tf32)
    }

    /// Replaces the images at `part` by the worst that is found for them.
    fn attack(
        &mut self,
        model: &Evaluator,
        part: &[i64],
        targets: &Tensor,
        input: &mut Tensor,
    ) -> Result<()> {
        if part.is_empty() {
            return Ok(());
        }
        let keys: Vec<u64> = part.iter().map(|position| self.batch.keys[*position as usize]).collect();
        let part = index(part, input);
        let (images, targets) = (self.batch.images.index_select(0, &part), targets.index_select(0, &part));
        let place = (self.settings.seed, self.step);
        let found =
            attacked(&self.settings.attack, model, &images, &targets, &keys, place, self.cancel_check)?;
        let _ = input.index_copy_(0, &part, &found);
        Ok(())
    }

    /// The labels, with predictions in place of those at `part`.
    fn guesses(&self, part: &[i64], logits: impl Fn(&Tensor) -> Tensor) -> Tensor {
        let part = index(part, &self.batch.labels);
        let predicted = predictions(&logits(&self.batch.images.index_select(0, &part)));
        self.batch.labels.index_copy(0, &part, &predicted)
    }
}

/// Where a flag has a value.
fn positions(flags: &[bool], value: bool) -> Vec<i64> {
    (0..flags.len()).filter(|i| flags[*i] == value).map(|i| i as i64).collect()
}

/// Positions as a tensor on the device of `like`.
pub(super) fn index(positions: &[i64], like: &Tensor) -> Tensor {
    Tensor::from_slice(positions).to_device(like.device())
}
