//! One batch: from images to what is trained on (attack, eval mode), and from there to a loss (train mode).

use tch::Tensor;

use super::batch::{TrainBatch, attacked};
use super::learner::{Head, Learner, Place};
use super::loss::{mart, mean, trades};
use super::settings::{Method, Train};
use crate::device::Precision;
use crate::error::{Error, Result};
use crate::loss::{confidences, cross_entropy, predictions};
use crate::progress::Pulse;

/// Numbers of one step by name, each a tensor of no dimension (so that nothing waits for the device):
/// `loss` (what is minimized), `clean_loss`, `clean_error`, `confidence` (of clean images), `robust_loss`,
/// `robust_error`, `robust_confidence`, and what a method adds: `natural_term` and `robust_term` (TRADES,
/// MART), `rotation_loss`.
pub type Values = Vec<(&'static str, Tensor)>;

/// A batch with its adversarial examples.
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
    pulse: Pulse,
) -> Result<Prepared> {
    let _guard = tch::no_grad_guard();
    let clip = || settings.clipping.map_or((), |bound| learner.clip(bound));
    let size = batch.len();
    let fraction = match settings.method {
        Method::Normal => 0.0,
        Method::Adversarial { fraction, .. } | Method::Rotation { fraction, .. } => fraction,
        Method::Trades { .. } | Method::Mart { .. } => 1.0,
    };
    let guesses = matches!(settings.method, Method::Adversarial { prevent_label_leaking: true, .. });
    let split = ((1.0 - fraction) * size as f64).floor() as i64;
    // As in the paper, attacks of adversarial training see the weights before they are clipped.
    if !matches!(settings.method, Method::Adversarial { .. }) {
        clip();
    }
    let TrainBatch { images, labels, keys, supervised } = batch;
    let tasks = supervised.map(|flags| [true, false].map(|wanted| positions(&flags, wanted)));
    let mut input = images.shallow_clone();
    if split < size {
        let kind = settings.precision.search_kind();
        let tf32 = settings.precision == Precision::Tf32;
        // In the paper's program this pass updates the running statistics before the attack sees them.
        let guessed = (guesses && settings.as_in_paper && !evaluating)
            .then(|| predictions(&learner.forward(learner.own(), &images.narrow(0, split, size - split))));
        let classes = learner.evaluator(Head::Classes, kind, tf32);
        let mut attack = |model, part: &[i64], targets: &Tensor| {
            let keys: Vec<u64> = part.iter().map(|i| keys[*i as usize]).collect();
            let part = index(part, &images);
            let (images, targets) = (images.index_select(0, &part), targets.index_select(0, &part));
            let to = (settings.seed, step);
            let found = attacked(&settings.attack, model, &images, &targets, &keys, to, pulse)?;
            Ok::<_, Error>((part, found))
        };
        if let Some(tasks) = &tasks {
            input = input.copy();
            let rotations = learner.evaluator(Head::Rotations, kind, tf32);
            for (model, part) in [&classes, &rotations].into_iter().zip(tasks) {
                let part: Vec<i64> = part.iter().copied().filter(|i| *i >= split).collect();
                if !part.is_empty() {
                    let (part, found) = attack(model, &part, &labels)?;
                    let _ = input.index_copy_(0, &part, &found);
                }
            }
        } else {
            let targets = if guesses {
                let guessed = guessed
                    .unwrap_or_else(|| predictions(&classes.logits(&images.narrow(0, split, size - split))));
                Tensor::cat(&[labels.narrow(0, 0, split), guessed], 0)
            } else {
                labels.shallow_clone()
            };
            let part: Vec<i64> = (split..size).collect();
            let (_, found) = attack(&classes, &part, &targets)?;
            input = Tensor::cat(&[images.narrow(0, 0, split), found], 0);
        }
    }
    clip();
    if let Method::Adversarial { ignore_incorrect: true, .. } = settings.method {
        let wrong = predictions(&learner.forward(learner.own(), &images)).ne_tensor(&labels);
        input = images.where_self(&wrong.view([-1, 1, 1, 1]), &input);
    }
    Ok(Prepared { clean: images, input, labels, keys, split, tasks })
}

/// The loss of a prepared batch at some weights, and the numbers to report.
pub(super) fn loss(
    settings: &Train,
    learner: &Learner,
    on: &Prepared,
    place: &Place,
    step: u64,
) -> (Tensor, Values) {
    let size = on.labels.size()[0];
    let per_example = |logits: &Tensor, from: i64, to: i64| {
        let labels = on.labels.narrow(0, from, to - from);
        let keys = &on.keys[from as usize..to as usize];
        settings.labels.loss(&logits.narrow(0, from, to - from), &labels, settings.seed, step, keys)
    };
    let two_passes = || {
        let clean = learner.forward(place, &on.clean);
        (clean, learner.forward(place, &on.input))
    };
    let (total, mut values) = match settings.method {
        Method::Normal => {
            let logits = learner.forward(place, &on.clean);
            let losses = per_example(&logits, 0, size);
            (
                losses.mean(losses.kind()),
                part(["clean_loss", "clean_error", "confidence"], &losses, &logits, &on.labels),
            )
        }
        Method::Adversarial { fraction, .. } => {
            let logits = learner.forward(place, &on.input);
            let attacked_logits = logits.narrow(0, on.split, size - on.split);
            let robust = per_example(&logits, on.split, size);
            let labels = on.labels.narrow(0, on.split, size - on.split);
            let mut values = part(
                ["robust_loss", "robust_error", "robust_confidence"],
                &robust,
                &attacked_logits,
                &labels,
            );
            let mut total = robust.mean(robust.kind());
            if on.split > 0 {
                let clean = per_example(&logits, 0, on.split);
                let (part_of, labels) = (logits.narrow(0, 0, on.split), on.labels.narrow(0, 0, on.split));
                values.extend(part(["clean_loss", "clean_error", "confidence"], &clean, &part_of, &labels));
                if fraction < 1.0 {
                    let share = on.split as f64 / size as f64;
                    let share = if settings.as_in_paper { 1.0 - share } else { share };
                    total = clean.mean(clean.kind()) * share + total * (1.0 - share);
                }
            }
            (total, values)
        }
        Method::Trades { weight } | Method::Mart { weight } => {
            let (clean, adversarial) = two_passes();
            let is_mart = matches!(settings.method, Method::Mart { .. });
            let terms = if is_mart { mart } else { trades }(&clean, &adversarial, &on.labels, weight);
            let (natural, attacked) =
                (cross_entropy(&clean, &on.labels), cross_entropy(&adversarial, &on.labels));
            let mut values = part(["clean_loss", "clean_error", "confidence"], &natural, &clean, &on.labels);
            let names = ["robust_loss", "robust_error", "robust_confidence"];
            values.extend(part(names, &attacked, &adversarial, &on.labels));
            values.push(("natural_term", terms.natural.detach()));
            values.push(("robust_term", terms.robust.detach()));
            (terms.total, values)
        }
        Method::Rotation { weight, .. } => {
            let [supervised, rotated] = on.tasks.as_ref().expect("such a method's batches have both tasks");
            let keys: Vec<u64> = supervised.iter().map(|i| on.keys[*i as usize]).collect();
            let (supervised, rotated) = (index(supervised, &on.labels), index(rotated, &on.labels));
            let (classes, rotations) = learner.forward_both(place, &on.input);
            let (classes, labels) =
                (classes.index_select(0, &supervised), on.labels.index_select(0, &supervised));
            let losses = settings.labels.loss(&classes, &labels, settings.seed, step, &keys);
            let turned =
                cross_entropy(&rotations.index_select(0, &rotated), &on.labels.index_select(0, &rotated));
            let turned = turned.mean(turned.kind());
            let mut values =
                part(["robust_loss", "robust_error", "robust_confidence"], &losses, &classes, &labels);
            values.push(("rotation_loss", turned.detach()));
            (losses.mean(losses.kind()) + turned * weight, values)
        }
    };
    values.insert(0, ("loss", total.detach()));
    (total, values)
}

fn part(names: [&'static str; 3], losses: &Tensor, logits: &Tensor, labels: &Tensor) -> Values {
    let logits = logits.detach();
    let wrong = predictions(&logits).ne_tensor(labels);
    let [loss, error, confidence] = names;
    vec![(loss, mean(losses)), (error, mean(&wrong)), (confidence, mean(&confidences(&logits)))]
}

/// Where a flag has a value.
fn positions(flags: &[bool], value: bool) -> Vec<i64> {
    (0..flags.len()).filter(|i| flags[*i] == value).map(|i| i as i64).collect()
}

/// Positions as a tensor on the device of `like`.
fn index(positions: &[i64], like: &Tensor) -> Tensor {
    Tensor::from_slice(positions).to_device(like.device())
}
