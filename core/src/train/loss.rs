//! What training minimizes: cross-entropy against clean, smoothed or noisy labels, and the losses of TRADES
//! (Zhang et al. 2019) and MART (Wang et al. 2020). Everything is a mean over the batch.

use rand::Rng as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use crate::error::{Error, Result};
use crate::loss::{cross_entropy, cross_entropy_to, divergence, log_probabilities, smoothed_targets};
use crate::seed::generator;

/// What training takes for the truth. Attacks always use the labels as they are.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Labels {
    /// The labels as they are.
    #[default]
    Exact,
    /// `1 - s` on the label, and `s` spread evenly over all classes.
    Smoothed(f64),
    /// With this probability, drawn anew for every example and step, a label drawn evenly from all classes
    /// (so possibly the true one).
    Noisy(f64),
}

impl Labels {
    /// The cross-entropy per example. `keys` are the indices of the examples, which with `seed` and `step`
    /// decide the noise.
    pub fn loss(self, logits: &Tensor, labels: &Tensor, seed: u64, step: u64, keys: &[u64]) -> Tensor {
        let classes = logits.size()[1].max(2);
        match self {
            Self::Exact => cross_entropy(logits, labels),
            Self::Smoothed(smoothing) => {
                cross_entropy_to(logits, &smoothed_targets(labels, classes, smoothing, logits.kind()))
            }
            Self::Noisy(rate) => {
                let drawn: Vec<i64> = keys
                    .iter()
                    .map(|key| {
                        let mut rng = generator(seed, "label-noise", &[step, *key]);
                        let noisy = rng.random::<f64>() < rate;
                        let other = rng.random_range(0..classes);
                        if noisy { other } else { -1 }
                    })
                    .collect();
                let drawn = Tensor::from_slice(&drawn).to_device(labels.device());
                cross_entropy(logits, &drawn.where_self(&drawn.ge(0), labels))
            }
        }
    }

    /// Checks the setting.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the value and what is allowed.
    pub fn check(self) -> Result<()> {
        match self {
            Self::Smoothed(value) | Self::Noisy(value) if !(0.0..=1.0).contains(&value) => {
                let what = if matches!(self, Self::Smoothed(_)) { "smoothing" } else { "noise" };
                Err(Error::invalid(format!("label {what} {value} is not possible; use a number from 0 to 1")))
            }
            _ => Ok(()),
        }
    }
}

/// A loss with the two terms it is made of.
#[derive(Debug)]
pub struct TwoTerms {
    /// What is minimized: `natural + weight * robust`.
    pub total: Tensor,
    /// TRADES: cross-entropy of the clean images. MART: boosted cross-entropy of the attacked ones.
    pub natural: Tensor,
    /// TRADES: divergence. MART: divergence weighted by the probability of being wrong.
    pub robust: Tensor,
}

/// TRADES: `mean CE(f(x), y) + weight * mean KL(p(x) || p(x_adv))`; gradients flow through both. `natural` is the
/// cross-entropy of each clean image, to whatever is taken for its label.
pub fn trades(clean: &Tensor, adversarial: &Tensor, natural: &Tensor, weight: f64) -> TwoTerms {
    let natural = natural.mean(clean.kind());
    let robust = divergence(&log_probabilities(clean), adversarial).mean(clean.kind());
    TwoTerms { total: &natural + &robust * weight, natural, robust }
}

/// MART, with `p` the clean and `q` the attacked probabilities and `c` the most likely wrong class of `q`:
/// `mean [CE(q, y) - log(1 - q_c)] + weight * mean [(1 - p_y) KL(p || q)]`; small constants keep logarithms
/// finite as in the authors' program.
pub fn mart(clean: &Tensor, adversarial: &Tensor, labels: &Tensor, weight: f64) -> TwoTerms {
    let kind = clean.kind();
    let (log_p, log_q) = (log_probabilities(clean), log_probabilities(adversarial));
    let (p, q) = (log_p.exp(), log_q.exp());
    let truth = labels.unsqueeze(1);
    let (_, top) = q.topk(2, 1, true, true);
    let (first, second) = (top.narrow(1, 0, 1), top.narrow(1, 1, 1));
    let wrong = second.where_self(&first.eq_tensor(&truth), &first);
    let margin = -(1.0001f64 - q.gather(1, &wrong, false) + 1e-12).log().squeeze_dim(1);
    let natural = cross_entropy(adversarial, labels).mean(kind) + margin.mean(kind);
    let terms = &p * (&log_p - (&q + 1e-12).log());
    let terms = terms.where_self(&p.gt(0.0), &terms.zeros_like());
    let divergence = terms.sum_dim_intlist([1i64].as_slice(), false, kind);
    let doubt = 1.000_000_1f64 - p.gather(1, &truth, false).squeeze_dim(1);
    let robust = (doubt * divergence).mean(kind);
    TwoTerms { total: &natural + &robust * weight, natural, robust }
}

/// Mean as a number of the tensor's kind, for reports.
pub(super) fn mean(values: &Tensor) -> Tensor {
    let kind = if values.kind() == Kind::Double { Kind::Double } else { Kind::Float };
    values.to_kind(kind).mean(kind).detach()
}
