//! What a weight attack maximizes: the mean cross-entropy of batches under perturbed weights, and its gradients.

use tch::{Kind, Tensor};

use crate::loss::{cross_entropy, predictions};
use crate::model::{Evaluator, Network, Weights};

/// Images and labels on the device of the weights: `N x C x H x W` float32 in `[0, 1]`, int64 `N`.
pub type Examples<'a> = (&'a Tensor, &'a Tensor);

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
    /// Precision of the network that is searched with; weights stay in their own.
    pub kind: Kind,
    /// Allow TensorFloat-32 (CUDA).
    pub allow_tf32: bool,
}

/// Loss of a batch and its gradients at one point.
pub(super) struct Slope {
    /// Mean cross-entropy, without dimensions.
    pub loss: Tensor,
    /// Cross-entropy per example.
    pub losses: Tensor,
    /// Share of wrong examples, without dimensions.
    pub error: Tensor,
    /// Gradient of the loss by the attacked weights: flat, 0 elsewhere.
    pub weights: Tensor,
    /// Gradient of the loss by the input perturbation, if there is one.
    pub inputs: Option<Tensor>,
}

impl Problem<'_> {
    /// Mean cross-entropy of one batch, without gradients.
    pub(super) fn loss(&self, perturbation: &Tensor, (images, labels): Examples) -> Tensor {
        let logits = self.evaluator(perturbation).logits(images);
        let loss = cross_entropy(&logits, labels);
        loss.mean(loss.kind())
    }

    /// Mean cross-entropy of all examples, without gradients. With `per_batch` every batch counts the same.
    pub(super) fn total_loss(&self, perturbation: &Tensor, per_batch: bool) -> Tensor {
        let evaluator = self.evaluator(perturbation);
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
            let model =
                Evaluator::differentiable(self.network, &weights, self.which, self.kind, self.allow_tf32);
            let logits = match &delta {
                Some(delta) => model.logits(&(images + delta)),
                None => model.logits(images),
            };
            let losses = cross_entropy(&logits, labels);
            let wrong = predictions(&logits.detach()).ne_tensor(labels).to_kind(losses.kind());
            (losses.detach(), losses.mean(losses.kind()), wrong.mean(losses.kind()))
        });
        let inputs: Vec<&Tensor> = std::iter::once(&leaf).chain(&delta).collect();
        let mut gradients = Tensor::run_backward(&[&loss], &inputs, false, false).into_iter();
        let weights = gradients.next().expect("one gradient per input");
        Slope { loss: loss.detach(), losses, error, weights, inputs: gradients.next() }
    }

    fn evaluator(&self, perturbation: &Tensor) -> Evaluator {
        let weights =
            Weights::from_flat(self.reference.layout().clone(), self.reference.flat() + perturbation);
        Evaluator::new(self.network, &weights, perturbation.device(), self.kind, self.allow_tf32)
    }
}
