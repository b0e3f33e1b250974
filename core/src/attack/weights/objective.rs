//! What a weight attack maximizes: the mean cross-entropy of batches under perturbed weights, or a loss of its own, and
//! its gradients.

use tch::{Kind, Tensor};

use crate::loss::{cross_entropy, predictions};
use crate::model::{Evaluator, Network, Weights};

/// Images and labels on the device of the weights: `N x C x H x W` float32 in `[0, 1]`, int64 `N`.
pub type Examples<'a> = (&'a Tensor, &'a Tensor);

/// A loss of one batch that an attack ascends in place of the cross-entropy.
pub trait BatchLoss: std::fmt::Debug {
    /// The loss without dimensions, and the logits of the batch's images. `model` prepares any network of the same
    /// weights for evaluation, at the weights where the loss is wanted.
    fn of(&self, model: &dyn Fn(&Network) -> Evaluator) -> (Tensor, Tensor);
}

/// A network whose weights are attacked. The network itself is never changed.
#[derive(Debug)]
pub struct Problem<'a> {
    /// The network.
    pub network: &'a Network,
    /// Its weights on the device of the attack, in float32 (or float64).
    pub reference: &'a Weights,
    /// The attacked tensors, ascending.
    pub which: &'a [usize],
    /// Batches, in the order of the updates.
    pub batches: &'a [Examples<'a>],
    /// What is maximized in place of the mean cross-entropy; only with a single batch and unchanged images.
    pub own_loss: Option<&'a dyn BatchLoss>,
    /// Precision of the network that is searched with; weights stay in their own.
    pub kind: Kind,
    /// Allow TensorFloat-32 (CUDA).
    pub allow_tf32: bool,
}

/// Loss of a batch and its gradients at one point.
pub(super) struct Slope {
    /// Mean cross-entropy, without dimensions.
    pub loss: Tensor,
    /// Cross-entropy per example, or the batch's own loss.
    pub losses: Tensor,
    /// Share of wrong examples, without dimensions.
    pub error: Tensor,
    /// Gradient of the loss by the attacked weights: flat, 0 elsewhere.
    pub weights: Tensor,
    /// Gradient of the loss by the input perturbation, if there is one.
    pub inputs: Option<Tensor>,
}

impl Problem<'_> {
    /// Mean cross-entropy of one batch (or its own loss), without gradients.
    pub(super) fn loss(&self, perturbation: &Tensor, (images, labels): Examples) -> Tensor {
        let model = |network: &Network| self.evaluator(network, perturbation);
        if let Some(own) = self.own_loss {
            return own.of(&model).0;
        }
        let loss = cross_entropy(&model(self.network).logits(images), labels);
        loss.mean(loss.kind())
    }

    /// Mean cross-entropy of all examples (or the batch's own loss), without gradients. With `per_batch` every batch
    /// counts the same.
    pub(super) fn total_loss(&self, perturbation: &Tensor, per_batch: bool) -> Tensor {
        let model = |network: &Network| self.evaluator(network, perturbation);
        if let Some(own) = self.own_loss {
            return own.of(&model).0.to_kind(Kind::Double);
        }
        let evaluator = model(self.network);
        let mut sum = Tensor::zeros([], (Kind::Double, perturbation.device()));
        let mut count = 0;
        for (images, labels) in self.batches {
            let loss = cross_entropy(&evaluator.logits(images), labels);
            let size = if per_batch { 1 } else { labels.size()[0] };
            sum += loss.mean(Kind::Double) * size;
            count += size;
        }
        sum / count
    }

    /// Loss and gradients of one batch, with `delta` added to its images.
    pub(super) fn slope(
        &self,
        perturbation: &Tensor,
        (images, labels): Examples,
        delta: Option<&Tensor>,
    ) -> Slope {
        let leaf = (self.reference.flat() + perturbation).set_requires_grad(true);
        let delta = delta.map(|delta| delta.detach().set_requires_grad(true));
        let (losses, loss, error) = tch::with_grad(|| {
            let weights = Weights::from_flat(self.reference.layout().clone(), leaf.shallow_clone());
            let model = |network: &Network| {
                Evaluator::differentiable(network, &weights, self.which, self.kind, self.allow_tf32)
            };
            let (losses, logits) = match (self.own_loss, &delta) {
                (Some(own), _) => own.of(&model),
                (None, delta) => {
                    let model = model(self.network);
                    let logits = match delta {
                        Some(delta) => model.logits(&(images + delta)),
                        None => model.logits(images),
                    };
                    (cross_entropy(&logits, labels), logits)
                }
            };
            let wrong = predictions(&logits.detach()).ne_tensor(labels).to_kind(losses.kind());
            (losses.detach(), losses.mean(losses.kind()), wrong.mean(losses.kind()))
        });
        let inputs: Vec<&Tensor> = std::iter::once(&leaf).chain(&delta).collect();
        let mut gradients = Tensor::run_backward(&[&loss], &inputs, false, false).into_iter();
        let weights = gradients.next().expect("one gradient per input");
        Slope { loss: loss.detach(), losses, error, weights, inputs: gradients.next() }
    }

    fn evaluator(&self, network: &Network, perturbation: &Tensor) -> Evaluator {
        let weights =
            Weights::from_flat(self.reference.layout().clone(), self.reference.flat() + perturbation);
        Evaluator::new(network, &weights, perturbation.device(), self.kind, self.allow_tf32)
    }
}
