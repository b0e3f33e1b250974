//! Losses per example, from logits.
//!
//! With two classes networks have one output `u`: probabilities are `(1 - sigmoid(u), sigmoid(u))` and the
//! cross-entropy is the binary one.
//!
//! Attacks and searches follow the cross-entropy; every loss that is reported is [`reported`].

use tch::{Kind, Tensor};

/// Logarithms of the class probabilities, `N x K` (`N x 2` for one output).
pub fn log_probabilities(logits: &Tensor) -> Tensor {
    if logits.size()[1] == 1 {
        Tensor::cat(&[(-logits).log_sigmoid(), logits.log_sigmoid()], 1)
    } else {
        logits.log_softmax(-1, logits.kind())
    }
}

/// Cross-entropy `-log p_y` (natural logarithm) per example; labels are int64 `N`.
pub fn cross_entropy(logits: &Tensor, labels: &Tensor) -> Tensor {
    -log_probabilities(logits).gather(1, &labels.unsqueeze(1), false).squeeze_dim(1)
}

/// Added to a probability inside the logarithm of a reported loss.
const PROBABILITY_TINY: f64 = 1e-12;

/// The loss that is reported of an example whose true class has this probability: `-log(p + 1e-12)`, as the paper
/// measures robust losses, so that a few saturated examples do not decide a mean. From 0 (which only rounding would fall
/// below) to 27.631. (The paper's clean losses lack the 1e-12; here all have it, so that differences compare like with
/// like.)
pub fn reported(probability: f64) -> f64 {
    (-(probability + PROBABILITY_TINY).ln()).max(0.0)
}

/// Cross-entropy per example against distributions `N x K`.
pub fn cross_entropy_to(logits: &Tensor, targets: &Tensor) -> Tensor {
    -(log_probabilities(logits) * targets).sum_dim_intlist([1i64].as_slice(), false, logits.kind())
}

/// Labels smoothed by `smoothing`: `1 - smoothing` on the true class plus `smoothing / K` on every class.
pub fn smoothed_targets(labels: &Tensor, classes: i64, smoothing: f64, kind: Kind) -> Tensor {
    labels.one_hot(classes).to_kind(kind) * (1.0 - smoothing) + smoothing / classes as f64
}

/// Kullback-Leibler divergence `sum_k q_k (log q_k - log p_k)` per example, of the prediction `p` of `logits`
/// from the distribution `q` given by its logarithms. Terms with `q = 0` count 0.
pub fn divergence(log_q: &Tensor, logits: &Tensor) -> Tensor {
    let q = log_q.exp();
    let terms = &q * (log_q - log_probabilities(logits));
    terms.where_self(&q.gt(0.0), &terms.zeros_like()).sum_dim_intlist([1i64].as_slice(), false, logits.kind())
}

/// Predicted class (the first of equals) per example.
pub fn predictions(logits: &Tensor) -> Tensor {
    if logits.size()[1] == 1 {
        logits.squeeze_dim(1).gt(0.0).to_kind(Kind::Int64)
    } else {
        logits.argmax(1, false)
    }
}

/// Probability of the predicted class per example.
pub fn confidences(logits: &Tensor) -> Tensor {
    log_probabilities(logits).amax([1i64].as_slice(), false).exp()
}

/// Largest probability of a class that is not the label, float32, per example.
pub fn wrong_confidences(logits: &Tensor, labels: &Tensor) -> Tensor {
    let log = log_probabilities(logits).to_kind(Kind::Float);
    let others = log.scatter_value(1, &labels.unsqueeze(1), f64::NEG_INFINITY);
    others.amax([1i64].as_slice(), false).exp()
}

/// Logits of every class: `N x K` as they are, and for one output `u` the pair `(0, u)`.
pub fn class_logits(logits: &Tensor) -> Tensor {
    if logits.size()[1] == 1 {
        Tensor::cat(&[&logits.zeros_like(), logits], 1)
    } else {
        logits.shallow_clone()
    }
}

/// Logit of the true class minus the largest other one, per example: above 0 where classified correctly.
pub fn margin(logits: &Tensor, labels: &Tensor) -> Tensor {
    let logits = class_logits(logits);
    let label = labels.unsqueeze(1);
    let truth = logits.gather(1, &label, false).squeeze_dim(1);
    truth - logits.scatter_value(1, &label, f64::NEG_INFINITY).amax([1i64].as_slice(), false)
}

/// Guards the denominators of the ratio losses, as in AutoAttack.
const RATIO_TINY: f64 = 1e-12;

/// Difference of logits ratio, `-(z_y - max_{k != y} z_k) / (z_(1) - z_(3))`, per example; at least 3 classes
/// (Croce and Hein, 2020, equation 6).
pub fn dlr(logits: &Tensor, labels: &Tensor) -> Tensor {
    let (sorted, _) = logits.topk(3, 1, true, true);
    -margin(logits, labels) / (sorted.select(1, 0) - sorted.select(1, 2) + RATIO_TINY)
}

/// Targeted difference of logits ratio, `-(z_y - z_t) / (z_(1) - (z_(3) + z_(4)) / 2)`, per example; at least 4
/// classes (Croce and Hein, 2020, equation 7).
pub fn dlr_targeted(logits: &Tensor, labels: &Tensor, targets: &Tensor) -> Tensor {
    let (sorted, _) = logits.topk(4, 1, true, true);
    let pick = |classes: &Tensor| logits.gather(1, &classes.unsqueeze(1), false).squeeze_dim(1);
    let scale = sorted.select(1, 0) - (sorted.select(1, 2) + sorted.select(1, 3)) * 0.5 + RATIO_TINY;
    -(pick(labels) - pick(targets)) / scale
}
