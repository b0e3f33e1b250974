//! The loss of a prepared batch in training mode, and what a step reports.

use tch::Tensor;

use super::learner::{Learner, Place};
use super::loss::{mart, mean, trades};
use super::prepare::{Prepared, index};
use super::settings::{Method, Train};
use crate::loss::{confidences, cross_entropy, predictions};

/// Numbers of one step by name, each a tensor of no dimension (so that nothing waits for the device):
/// `loss` (what is minimized), `clean_loss`, `clean_error`, `confidence` (of clean images), `robust_loss`,
/// `robust_error`, `robust_confidence`, and what a method adds: `natural_term` and `robust_term` (TRADES,
/// MART), `rotation_loss`, `perturbed_loss` (where the gradient is taken at perturbed weights).
pub type Values = Vec<(&'static str, Tensor)>;

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
            let terms = match settings.method {
                Method::Mart { .. } => mart(&clean, &adversarial, &on.labels, weight),
                _ => trades(&clean, &adversarial, &per_example(&clean, 0, size), weight),
            };
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
            let names = match settings.method.attacks() {
                true => ["robust_loss", "robust_error", "robust_confidence"],
                false => ["clean_loss", "clean_error", "confidence"],
            };
            let mut values = part(names, &losses, &classes, &labels);
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
