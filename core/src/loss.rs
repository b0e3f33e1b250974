//! Losses per example, from logits.
//!
//! With two classes networks have one output `u`: probabilities are `(1 - sigmoid(u), sigmoid(u))` and the
//! cross-entropy is the binary one.

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
