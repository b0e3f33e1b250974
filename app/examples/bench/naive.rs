//! The naive way: as a plain program does it, step by step.
//!
//! float32, NCHW, batch norm apart, gradients of the weights computed and thrown away, per-example
//! bookkeeping on the host, the backward pass of the last point that nobody needs, NaN checks at every step.

use basin_core::attack::Pgd;
use basin_core::loss::{cross_entropy, log_probabilities, predictions};
use basin_core::model::{Mode, Network, Role, Weights, logits};
use tch::{Kind, Tensor};

/// Loss per example and gradient of its sum with respect to the perturbation.
pub fn gradient(
    network: &Network,
    weights: &Weights,
    images: &Tensor,
    labels: &Tensor,
    delta: &Tensor,
) -> (Tensor, Tensor) {
    let layout = network.layout();
    let trainable: Vec<usize> =
        (0..layout.entries.len()).filter(|i| layout.entries[*i].role != Role::Frozen).collect();
    let (params, leaves) = network.leaves(weights, &trainable);
    let delta = delta.detach().set_requires_grad(true);
    let logits = logits(&network.topology, &params, &(images + &delta), Mode::Evaluate);
    let loss = cross_entropy(&logits, labels);
    let mut wanted: Vec<&Tensor> = leaves.iter().collect();
    wanted.push(&delta);
    let mut gradients = Tensor::run_backward(&[loss.sum(Kind::Float)], &wanted, false, false);
    (loss.detach(), gradients.pop().expect("one gradient for each tensor asked for"))
}

/// One run of PGD (L-inf, sign steps); the loss of the best point per example.
pub fn pgd(network: &Network, weights: &Weights, images: &Tensor, labels: &Tensor, attack: &Pgd) -> Vec<f64> {
    let count = images.size()[0];
    let best_delta = perturbation(network, weights, images, labels, attack);
    let network_output = tch::no_grad(|| {
        logits(&network.topology, &network.params(weights), &(images + best_delta), Mode::Evaluate)
    });
    let _ = (predictions(&network_output), log_probabilities(&network_output).exp());
    let loss = cross_entropy(&network_output, labels);
    (0..count).map(|example| loss.double_value(&[example])).collect()
}

/// The perturbations that a run of PGD finds.
pub fn perturbation(
    network: &Network,
    weights: &Weights,
    images: &Tensor,
    labels: &Tensor,
    attack: &Pgd,
) -> Tensor {
    let count = images.size()[0];
    let mut delta = images.zeros_like().uniform(-attack.epsilon, attack.epsilon);
    let (mut best, best_delta) = (vec![f64::NEG_INFINITY; count as usize], images.zeros_like());
    for _ in 0..=attack.steps {
        delta = delta.minimum(&(1.0f64 - images)).maximum(&-images).clamp(-attack.epsilon, attack.epsilon);
        let (loss, gradient) = gradient(network, weights, images, labels, &delta);
        assert_eq!(gradient.isnan().any().int64_value(&[]), 0);
        for example in 0..count {
            let value = loss.double_value(&[example]);
            if value > best[example as usize] {
                best[example as usize] = value;
                best_delta.get(example).copy_(&delta.get(example));
            }
        }
        delta += gradient.sign() * attack.step_size;
    }
    best_delta
}
