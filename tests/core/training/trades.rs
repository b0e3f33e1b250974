//! TRADES, written once more in the plainest way: what the oracle's steps can show of it, and what they cannot.
//!
//! The oracle's attack starts at the clean images. There the divergence from the clean prediction is at its minimum,
//! so its gradient is zero and the attack's first step follows the signs of rounding errors. The same formula with
//! the same library gives a robust term of 0.257, 0.399 or 0.445 in the first step with AVX2, AVX512 or neither
//! (0.363 in float64; the oracle has 0.354), so those arrays cannot be reproduced by any other arithmetic. The
//! steps of the plain way here agree with the oracle where its attack is determined (adversarial training), and the
//! trainer agrees with the plain way on TRADES.

use basin_core::attack::Objective;
use basin_core::attack::weights::{Ball, Descent};
use basin_core::checkpoint;
use basin_core::device::Precision;
use basin_core::model::Network;
use basin_core::train::{Awp, Method, Optimizer, Sharpness, Train, WeightAttack};
use tch::{Kind, Tensor};

use super::{adversarial, oracle_batches, settings, steps_per_epoch, train};
use crate::support::{Npz, max_abs_difference, reference};

fn tiny() -> Network {
    checkpoint::open(&reference("checkpoints/lenet_tiny.pth.tar")).unwrap().network
}

/// The network `lenet_tiny`, its weights one by one in the order of the file.
struct Plain {
    names: Vec<String>,
    weights: Vec<Tensor>,
    buffers: Vec<(String, Tensor)>,
    momenta: Vec<Tensor>,
}

impl Plain {
    fn new(network: &Network, kind: Kind) -> Self {
        let names: Vec<String> = network.layout().entries.iter().map(|entry| entry.name.clone()).collect();
        let weight = |i| network.weights.view(i).to_kind(kind).copy();
        let buffers =
            network.buffers.iter().map(|(name, buffer)| (name.clone(), buffer.to_kind(kind).copy()));
        Self {
            weights: (0..names.len()).map(weight).collect(),
            names,
            buffers: buffers.collect(),
            momenta: Vec::new(),
        }
    }

    fn get(&self, name: &str) -> Tensor {
        match self.names.iter().position(|found| found == name) {
            Some(i) => self.weights[i].shallow_clone(),
            None => self.buffers.iter().find(|(found, _)| found == name).unwrap().1.shallow_clone(),
        }
    }

    fn logits(&self, images: &Tensor, training: bool) -> Tensor {
        let block = |x: &Tensor, i: usize| {
            let of = |layer: &str, what: &str| self.get(&format!("{layer}{i}.{what}"));
            let x = x.conv2d(&of("conv", "weight"), Some(of("conv", "bias")), [1, 1], [2, 2], [1, 1], 1);
            let norm = |what: &str| Some(of("bn", what));
            let (scale, shift) = (norm("weight"), norm("bias"));
            let x = x.batch_norm(
                scale,
                shift,
                norm("running_mean"),
                norm("running_var"),
                training,
                0.1,
                1e-5,
                false,
            );
            x.relu().max_pool2d([2, 2], [2, 2], [0, 0], [1, 1], false)
        };
        let x = block(&block(&images.clamp(0.0, 1.0), 0), 1).flatten(1, -1);
        let x = x.linear(&self.get("fc1.weight"), Some(self.get("fc1.bias"))).relu();
        x.linear(&self.get("logits.weight"), Some(self.get("logits.bias")))
    }

    /// PGD on the cross-entropy from the clean images; the worst point seen of each.
    fn attacked(&self, images: &Tensor, labels: &Tensor) -> Tensor {
        let mut delta = images.zeros_like();
        let mut worst =
            (Tensor::full([images.size()[0]], -1.0, (images.kind(), images.device())), delta.copy());
        let attack = settings().attack;
        for step in 0..=attack.steps {
            delta = ((images + &delta).clamp(0.0, 1.0) - images).clamp(-attack.epsilon, attack.epsilon);
            let point = delta.detach().set_requires_grad(true);
            let log = self.logits(&(images + &point), false).log_softmax(1, images.kind());
            let loss = -log.gather(1, &labels.unsqueeze(1), false).squeeze_dim(1);
            let better = loss.detach().gt_tensor(&worst.0);
            worst.0 = loss.detach().where_self(&better, &worst.0);
            worst.1 = delta.where_self(&better.view([-1, 1, 1, 1]), &worst.1);
            if step < attack.steps {
                let sum = loss.sum(images.kind());
                let gradient = Tensor::run_backward(&[&sum], &[&point], false, false).remove(0);
                delta += gradient.sign() * attack.step_size;
            }
        }
        images + worst.1
    }

    /// SGD with Nesterov's momentum and weight decay.
    fn descend(&mut self, loss: &Tensor, rate: f64) {
        let Optimizer::Sgd { momentum: inertia, weight_decay, .. } = settings().optimizer else {
            panic!("the oracle trains by SGD");
        };
        let weights: Vec<&Tensor> = self.weights.iter().collect();
        let gradients = Tensor::run_backward(&[loss], &weights, false, false);
        let _guard = tch::no_grad_guard();
        let decayed: Vec<Tensor> =
            gradients.iter().zip(&self.weights).map(|(g, w)| g + w * weight_decay).collect();
        self.momenta = match self.momenta.is_empty() {
            true => decayed.iter().map(Tensor::copy).collect(),
            false => self.momenta.iter().zip(&decayed).map(|(m, g)| m * inertia + g).collect(),
        };
        for ((weight, gradient), momentum) in self.weights.iter_mut().zip(&decayed).zip(&self.momenta) {
            *weight = (&*weight - (gradient + momentum * inertia) * rate).detach();
        }
    }

    /// The loss of a method on a batch: adversarial training, TRADES, MART.
    fn loss(&self, method: &Method, [images, adversarial, labels]: [&Tensor; 3], training: bool) -> Tensor {
        let kind = images.kind();
        if let Method::Adversarial { .. } = method {
            return self.logits(adversarial, training).cross_entropy_for_logits(labels);
        }
        let (clean, attacked) = (self.logits(images, training), self.logits(adversarial, training));
        let target = clean.softmax(1, kind);
        match method {
            Method::Trades { weight } => {
                let divergence = attacked.log_softmax(1, kind).kl_div(&target, tch::Reduction::Sum, false);
                clean.cross_entropy_for_logits(labels) + divergence * (*weight / images.size()[0] as f64)
            }
            Method::Mart { weight } => {
                let (reached, truth) = (attacked.softmax(1, kind), labels.unsqueeze(1));
                let of_truth = |p: &Tensor| p.gather(1, &truth, false).squeeze_dim(1);
                let wrong = reached.scatter_value(1, &truth, -1.0).amax([1i64].as_slice(), false);
                let boosted = -of_truth(&reached).log() - (1.0001f64 - wrong + 1e-12).log();
                let divergence = (&target * (target.log() - (&reached + 1e-12).log())).sum_dim_intlist(
                    [1i64].as_slice(),
                    false,
                    kind,
                );
                boosted.mean(kind) + (divergence * (1.000_000_1f64 - of_truth(&target))).mean(kind) * *weight
            }
            _ => unreachable!(),
        }
    }

    /// An epoch on the oracle's batches, if asked for against perturbed weights.
    fn train(&mut self, method: &Method, perturbed: bool) {
        let rate = settings().optimizer.learning_rate();
        for batch in oracle_batches().take(steps_per_epoch() as usize) {
            let kind = self.weights[0].kind();
            let (images, labels) = (batch.images.to_kind(kind), batch.labels);
            let adversarial = self.attacked(&images, &labels);
            let on = [&images, &adversarial, &labels];
            if !perturbed {
                self.weights = leaves(&self.weights);
                let loss = self.loss(method, on, true);
                self.descend(&loss, rate);
                continue;
            }
            // A pass at the weights themselves counts for the running statistics.
            let _ = tch::no_grad(|| self.loss(method, on, true));
            let own: Vec<Tensor> = self.weights.iter().map(Tensor::detach).collect();
            let statistics: Vec<Tensor> = self.buffers.iter().map(|(_, buffer)| buffer.copy()).collect();
            self.weights = leaves(&self.worst(method, on, &own));
            let loss = self.loss(method, on, true);
            let weights: Vec<&Tensor> = self.weights.iter().collect();
            let gradients = Tensor::run_backward(&[&loss], &weights, false, false);
            self.weights = leaves(&own);
            self.buffers
                .iter()
                .zip(statistics)
                .for_each(|((_, buffer), old)| buffer.shallow_clone().copy_(&old));
            // A loss with these gradients at the weights themselves.
            let linear = self.weights.iter().zip(gradients).map(|(w, g)| (w * g).sum(kind));
            let linear = linear.reduce(|a, b| a + b).unwrap();
            self.descend(&linear, rate);
        }
    }

    /// Two steps up the loss of the method in evaluation mode, each by 0.01 of the norm of every convolution and linear
    /// layer, kept within 0.015 of it; the worst of the three points.
    fn worst(&mut self, method: &Method, on: [&Tensor; 3], own: &[Tensor]) -> Vec<Tensor> {
        let mut at: Vec<Tensor> = own.iter().map(Tensor::copy).collect();
        let mut worst = (f64::NEG_INFINITY, Vec::new());
        for step in 0..3 {
            self.weights = leaves(&at);
            let loss = self.loss(method, on, false);
            let value = loss.double_value(&[]);
            if value > worst.0 {
                worst = (value, at.iter().map(Tensor::copy).collect());
            }
            if step == 2 {
                break;
            }
            let weights: Vec<&Tensor> = self.weights.iter().collect();
            let gradients = Tensor::run_backward(&[&loss], &weights, false, false);
            for (i, gradient) in gradients.iter().enumerate() {
                if self.names[i].contains("bias") || self.names[i].starts_with("bn") {
                    continue;
                }
                let size = own[i].norm().double_value(&[]);
                let moved = &at[i] - &own[i] + gradient * (0.01 * size / gradient.norm().double_value(&[]));
                let length = moved.norm().double_value(&[]);
                at[i] = &own[i] + moved * (0.015 * size / length).min(1.0);
            }
        }
        worst.1
    }

    fn flat(&self) -> Tensor {
        Tensor::cat(&self.weights.iter().map(|w| w.detach().reshape([-1])).collect::<Vec<_>>(), 0)
    }
}

fn leaves(weights: &[Tensor]) -> Vec<Tensor> {
    weights.iter().map(|weight| weight.detach().copy().set_requires_grad(true)).collect()
}

#[test]
fn the_plain_way_agrees_with_the_oracle_and_the_trainer_with_the_plain_way() {
    let mut plain = Plain::new(&tiny(), Kind::Double);
    plain.train(&adversarial(1.0).method, false);
    let oracle = Npz::open("training/steps.npz").get("adversarial_fraction_1__parameters").copy();
    let difference = max_abs_difference(&plain.flat(), &oracle);
    assert!(difference < 1e-5, "adversarial training differs from the oracle's float32 by {difference:e}");
    let (trainer, _) = train(&adversarial(1.0), "lenet_tiny", 1);
    let difference = max_abs_difference(&plain.flat(), trainer.learner.weights().flat());
    assert!(difference < 1e-6, "adversarial training differs by {difference:e}");

    for weight in [1.0, 6.0] {
        let mut plain = Plain::new(&tiny(), Kind::Double);
        plain.train(&Method::Trades { weight }, false);
        let job = Train { method: Method::Trades { weight }, ..settings() };
        assert_eq!((job.attack.objective, job.precision), (Objective::CrossEntropy, Precision::F64));
        let (trainer, _) = train(&job, "lenet_tiny", 1);
        let difference = max_abs_difference(&plain.flat(), trainer.learner.weights().flat());
        assert!(difference < 1e-6, "TRADES with weight {weight} differs by {difference:e}");
        for (name, buffer) in trainer.learner.buffers() {
            if buffer.kind() != Kind::Int64 {
                let difference = max_abs_difference(&plain.get(name), buffer);
                assert!(difference < 1e-6, "TRADES with weight {weight}: {name} differs by {difference:e}");
            }
        }
    }
}

/// The perturbation of the weights ascends the whole loss of the method: not the cross-entropy of its adversarial images.
#[test]
fn weights_are_perturbed_on_the_loss_of_the_method() {
    let descent = Descent { epochs: 2, step_size: 0.01, start: None, ..Descent::default() };
    let attack = WeightAttack::Descent { descent, ball: Some(Ball::layerwise(0.015)) };
    let awp = Sharpness::Awp(Awp { attack, gradient_clamp: None, ..Awp::default() });
    let methods = [adversarial(1.0).method, Method::Trades { weight: 6.0 }, Method::Mart { weight: 6.0 }];
    for method in methods {
        let flat = |perturbed| {
            let mut plain = Plain::new(&tiny(), Kind::Double);
            plain.train(&method, perturbed);
            plain.flat()
        };
        let job = Train { method: method.clone(), sharpness: awp.clone(), as_in_paper: false, ..settings() };
        let (trainer, _) = train(&job, "lenet_tiny", 1);
        let difference = max_abs_difference(&flat(true), trainer.learner.weights().flat());
        assert!(difference < 1e-6, "{method:?} differs by {difference:e}");
        assert!(max_abs_difference(&flat(true), &flat(false)) > 1e-4, "{method:?}");
    }
}

/// Why the oracle's own TRADES steps cannot be reproduced.
#[test]
fn at_the_clean_image_the_divergence_has_no_gradient() {
    let batch = oracle_batches().next().unwrap();
    for (kind, noise) in [(Kind::Float, 1e-4), (Kind::Double, 1e-12)] {
        let plain = Plain::new(&tiny(), kind);
        let images = batch.images.to_kind(kind);
        let target = tch::no_grad(|| plain.logits(&images, false)).softmax(1, kind);
        let gradient = |at: f64| {
            let point = (images.zeros_like() + at).set_requires_grad(true);
            let log = plain.logits(&(&images + &point), false).log_softmax(1, kind);
            let divergence = log.kl_div(&target, tch::Reduction::Sum, false);
            Tensor::run_backward(&[&divergence], &[&point], false, false)
                .remove(0)
                .abs()
                .max()
                .double_value(&[])
        };
        let (here, beside) = (gradient(0.0), gradient(0.05));
        assert!(here < noise * beside, "{kind:?}: {here:e} at the clean images, {beside:e} beside them");
    }
}
