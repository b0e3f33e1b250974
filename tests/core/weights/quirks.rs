//! What is done differently from the reference program, each with the case in which it matters.

use basin_core::attack::Pgd;
use basin_core::attack::weights::{
    Ball, Bookkeeping, Descent, Normalizer, Projection, Projector, Sampling, Scope, WeightBlocks,
    WeightGradient, WeightNorm, descent, joint, random,
};
use basin_core::data;
use basin_core::model::{Network, Role};
use basin_core::progress::Cancelled;
use tch::{Device, Kind, Tensor};

use super::{losses, open, paper, problem};
use crate::support::reference;

fn mnist() -> (Tensor, Tensor) {
    let name = reference("mnist").display().to_string();
    let data = data::load(&name, &"test:64..96".parse().unwrap()).unwrap();
    (data.images, data.labels)
}

/// The network with one tensor set to zero.
fn with_zeros(index: usize) -> Network {
    let network = open("lenet_bn_trained");
    let _ = network.weights.view(index).zero_();
    network
}

/// The paper's program knows normalization layers by their names, and misses those of group normalization.
#[test]
fn group_normalization_is_normalization() {
    for name in ["resnet_gn", "lenet_gn_nolinear", "resnet_rebn_trained"] {
        let layout = open(name).layout().clone();
        let of_norms = |index: &usize| layout.entries[*index].role == Role::Normalization;
        assert!((0..layout.entries.len()).any(|index| of_norms(&index)), "{name} has none");
        assert!(!paper(&layout).iter().any(of_norms), "{name}");
        // Convolutions and linear layers are the only ones with more than one axis.
        let vectors = paper(&layout).into_iter().filter(|index| layout.entries[*index].shape.len() < 2);
        assert!(vectors.into_iter().all(|index| layout.entries[index].name.ends_with("bias")), "{name}");
    }
}

#[test]
fn zero_tensors_stay_zero_and_give_no_nan() {
    let network = with_zeros(1);
    let which = paper(network.layout());
    let (images, labels) = mnist();
    let batches = [(&images, &labels)];
    let problem = problem(&network, &network.weights, &which, &batches);
    let projections = [Projection::Ball(Ball::layerwise(0.01))];
    let projector = Projector::new(&projections, &network.weights, &which);
    let settings = Descent { epochs: 2, ..Descent::default() };
    let found = descent::run(&settings, &problem, &projector, None, None, &mut || Ok(())).unwrap();
    let entry = &network.layout().entries[1];
    assert_eq!(found.narrow(0, entry.offset, entry.len).abs().max().double_value(&[]), 0.0);
    assert!(found.norm().double_value(&[]) > 0.0);
    for sampling in [Sampling::Sphere, Sampling::Ball, Sampling::UniformNorm] {
        let drawn = random::draw(&problem, &Ball::layerwise(0.5), sampling, &projector, 0);
        assert!(drawn.isfinite().all().int64_value(&[]) == 1);
    }
    // Nothing moves, nothing is NaN.
    let still = projector.project(&found.zeros_like());
    assert_eq!(still.abs().max().double_value(&[]), 0.0);
}

#[test]
fn zero_gradients_stay_zero_in_every_normalization() {
    let network = open("lenet_bn_trained");
    let which = paper(network.layout());
    let zero = network.weights.flat().zeros_like();
    for kind in [
        WeightGradient::LayerRelativeL2,
        WeightGradient::L2,
        WeightGradient::RelativeL2,
        WeightGradient::Sign,
        WeightGradient::Linf,
        WeightGradient::RelativeLinf,
        WeightGradient::LayerRelativeLinf,
        WeightGradient::Raw,
    ] {
        let normalizer = Normalizer::new(kind, network.layout(), &which, network.weights.flat());
        assert_eq!(normalizer.normalize(&zero), zero, "{kind:?}");
    }
}

#[test]
fn the_start_counts_and_the_last_update_is_looked_at() {
    let network = open("lenet_bn_trained");
    let which = paper(network.layout());
    let (images, labels) = mnist();
    let parts: Vec<(Tensor, Tensor)> =
        [0, 16].iter().map(|from| (images.narrow(0, *from, 16), labels.narrow(0, *from, 16))).collect();
    let batches: Vec<(&Tensor, &Tensor)> = parts.iter().map(|(x, y)| (x, y)).collect();
    let problem = problem(&network, &network.weights, &which, &batches);
    let ball = Ball::layerwise(0.02);
    let projections = [Projection::Ball(ball)];
    let projector = Projector::new(&projections, &network.weights, &which);
    let start = random::draw(&problem, &ball, Sampling::Sphere, &projector, 5);
    let loss = |nu: &Tensor| losses(&problem, nu, &images, &labels).mean(Kind::Double).double_value(&[]);
    let run = |epochs, bookkeeping| {
        let settings = Descent { epochs, bookkeeping, ..Descent::default() };
        descent::run(&settings, &problem, &projector, Some(&start), None, &mut || Ok(())).unwrap()
    };
    assert_eq!(run(0, Bookkeeping::Exact), start, "without updates the start is the answer");
    let mut before = loss(&start);
    for epochs in 1..5 {
        let found = run(epochs, Bookkeeping::Exact);
        let size = projector.project(&found);
        assert!(size.allclose(&found, 1e-5, 1e-9, false), "outside of the ball");
        let now = loss(&found);
        assert!(now >= before - 1e-6, "more epochs, lower loss: {now} after {before}");
        assert!(now >= loss(&run(epochs, Bookkeeping::Paper)) - 1e-6, "the last update is not lost");
        before = now;
    }
}

#[test]
fn whole_model_draws_have_the_norm_that_is_asked_for() {
    let network = open("lenet_bn_trained");
    let which = paper(network.layout());
    let pieces = WeightBlocks::new(network.layout(), &which, Scope::Global, Device::Cpu);
    for (norm, radius, relative) in
        [(WeightNorm::L2, 0.5, true), (WeightNorm::L2, 0.7, false), (WeightNorm::Linf, 0.1, true)]
    {
        let ball = Ball { scope: Scope::Global, norm, radius, relative };
        let drawn = ball.sample(&pieces, &network.weights, &which, Sampling::Sphere, 1);
        let size = |flat: &Tensor| pieces.sizes(flat, norm).double_value(&[0]);
        let wanted = if relative { radius * size(network.weights.flat()) } else { radius };
        assert!((size(&drawn) - wanted).abs() <= 1e-5 * wanted, "{norm:?}");
    }
}

#[test]
fn the_joint_attack_needs_no_start_and_leaves_the_network_alone() {
    let network = open("lenet_bn_trained");
    let before = network.weights.flat().copy();
    let which = paper(network.layout());
    let (images, labels) = mnist();
    let batches = [(&images, &labels)];
    let problem = problem(&network, &network.weights, &which, &batches);
    let projections = [Projection::Ball(Ball::layerwise(0.01))];
    let projector = Projector::new(&projections, &network.weights, &which);
    let inputs = Pgd { epsilon: 0.1, step_size: 0.02, ..Pgd::default() };
    let settings = Descent { epochs: 4, ..Descent::default() };
    let starts = [images.zeros_like()];
    let found = joint::run(
        &settings,
        &inputs,
        &problem,
        &projector,
        joint::From { weights: None, inputs: &starts },
        None,
        &mut || Ok(()),
    )
    .unwrap();
    let moved = losses(&problem, &found.weights, &(&images + &found.inputs[0]), &labels);
    let clean = losses(&problem, &found.weights.zeros_like(), &images, &labels);
    assert!(moved.mean(Kind::Double).double_value(&[]) > clean.mean(Kind::Double).double_value(&[]) + 0.1);
    assert!(found.inputs[0].abs().max().double_value(&[]) <= 0.1 + 1e-6);
    assert_eq!(*network.weights.flat(), before);
}

#[test]
fn the_worst_of_several_draws_is_the_worst() {
    let network = open("lenet_bn_trained");
    let which = paper(network.layout());
    let (images, labels) = mnist();
    let batches = [(&images, &labels)];
    let problem = problem(&network, &network.weights, &which, &batches);
    let projector = Projector::new(&[], &network.weights, &which);
    let ball = Ball::layerwise(0.5);
    let loss = |nu: &Tensor| losses(&problem, nu, &images, &labels).mean(Kind::Double).double_value(&[]);
    let seeds = [1, 2, 3, 4, 5];
    let all: Vec<f64> = seeds
        .iter()
        .map(|s| loss(&random::draw(&problem, &ball, Sampling::Sphere, &projector, *s)))
        .collect();
    let worst = random::worst(&problem, &ball, Sampling::Sphere, &projector, &seeds, &mut || Ok(())).unwrap();
    let highest = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    assert!((loss(&worst) - highest).abs() < 1e-6, "{all:?}");
    assert!(all.iter().any(|loss| *loss < highest - 1e-3), "draws differ: {all:?}");
}

#[test]
fn overflow_and_cancellation_are_told() {
    let network = open("lenet_bn_trained");
    let which = paper(network.layout());
    let (images, labels) = mnist();
    let batches = [(&images, &labels)];
    let problem = problem(&network, &network.weights, &which, &batches);
    let projector = Projector::new(&[], &network.weights, &which);
    let wild = Descent {
        epochs: 3,
        step_size: 1e6,
        gradient: WeightGradient::LayerRelativeL2,
        ..Descent::default()
    };
    let huge = network.weights.flat() * 1e30;
    let message = descent::run(&wild, &problem, &projector, Some(&huge), None, &mut || Ok(())).unwrap_err();
    assert!(message.to_string().contains("epoch 1 of the weight attack"), "{message}");
    let stopped = descent::run(&Descent::default(), &problem, &projector, None, None, &mut || Err(Cancelled));
    assert!(matches!(stopped.unwrap_err(), basin_core::Error::Cancelled));
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    for (settings, word) in [
        (Descent { step_size: 0.0, ..Descent::default() }, "step size"),
        (Descent { step_size: f64::NAN, ..Descent::default() }, "step size"),
        (Descent { momentum: 1.0, ..Descent::default() }, "momentum"),
        (Descent { step_divisor: 0.5, ..Descent::default() }, "divisor"),
        (Descent { search_batch: 0, ..Descent::default() }, "search batch"),
        (Descent { backtrack: true, early_stopping: true, ..Descent::default() }, "early stopping"),
        (Descent { loss_bound: Some(f64::INFINITY), ..Descent::default() }, "bound"),
    ] {
        let message = settings.check().unwrap_err().to_string();
        assert!(message.contains(word), "{message}");
    }
    for radius in [-0.1, f64::NAN, f64::INFINITY] {
        assert!(Ball::layerwise(radius).check().unwrap_err().to_string().contains("radius"));
    }
}
