//! One PGD step: the naive way against ours. Of ResNet-18 (64 channels, batch 64) also how near ours comes to what
//! libtorch's convolutions of these shapes can do; then PreActResNet-18 and WideResNet-28-10.

use basin_core::attack::{Pgd, Start, pgd};
use basin_core::loss::cross_entropy;
use basin_core::model::{Architecture, Evaluator, Network, channels_last};
use basin_core::seed::{generator, normal};
use tch::{Device, Kind, Tensor};

use super::Results;
use super::convolutions::{Rate, rate};
use super::naive;
use super::pairs::{compare, interleave, median};

const BATCH: i64 = 64;
const ROUNDS: usize = 9;

/// Networks that are compared alone: name, title, images at a time, rounds.
const OTHERS: [(&str, &str, i64, usize); 2] =
    [("preact-resnet18", "PreActResNet-18", 64, 5), ("wrn-28-10", "WideResNet-28-10", 16, 3)];

/// Images of noise with labels.
fn noise(count: i64) -> (Tensor, Tensor) {
    let mut rng = generator(2, "bench", &[]);
    let images =
        Tensor::from_slice(&normal(&mut rng, (count * 3072) as usize)).view([count, 3, 32, 32]).sigmoid();
    (images, Tensor::arange(count, (Kind::Int64, Device::Cpu)).remainder(10))
}

/// A network prepared in float32 and in the precision that auto chooses, and this precision.
fn prepared(network: &Network) -> anyhow::Result<(Evaluator, Evaluator, Kind)> {
    let evaluator = |kind| Evaluator::new(network, &network.weights, Device::Cpu, kind, false);
    let auto = basin_core::device::Precision::Auto.resolve(Device::Cpu, &network.topology)?.search_kind();
    Ok((evaluator(Kind::Float), evaluator(auto), auto))
}

/// As a plain program takes a step.
fn naive_step(network: &Network, images: &Tensor, labels: &Tensor) {
    let delta = images.zeros_like();
    let (_, gradient) = naive::gradient(network, &network.weights, images, labels, &delta);
    let _ = delta + gradient.sign() * 0.007;
}

/// Steps of networks of other families.
pub fn families(results: &mut Results) -> anyhow::Result<()> {
    for (name, title, batch, rounds) in OTHERS {
        let network = Network::fresh(Architecture::named(name)?.topology()?, 1);
        let (images, labels) = noise(batch);
        let fast_images = channels_last(&images);
        let (f32_model, auto_model, _) = prepared(&network)?;
        let mut naive = || naive_step(&network, &images, &labels);
        let mut ours = || our_step(&f32_model, &fast_images, &labels);
        let mut auto = || our_step(&auto_model, &fast_images, &labels);
        let times = interleave(rounds, &mut [&mut naive, &mut ours, &mut auto]);
        results.compare(&format!("PGD step, {title}, float32"), &compare(&times[1], &times[0]));
        results.compare(&format!("PGD step, {title}, auto"), &compare(&times[2], &times[0]));
    }
    Ok(())
}

pub fn run(results: &mut Results) -> anyhow::Result<()> {
    let network = Network::fresh(Architecture::default().topology()?, 1);
    let (images, labels) = noise(BATCH);
    let fast_images = channels_last(&images);
    let (f32_model, auto_model, auto_kind) = prepared(&network)?;
    results.note("precision that auto chooses", &format!("{auto_kind:?}"));

    // The attack itself, two updates, against two more forward and backward passes than updates.
    let attack = Pgd { steps: 2, start: Start::Zero, ..Pgd::default() };
    let start = fast_images.zeros_like();
    let mut naive = || naive_step(&network, &images, &labels);
    let mut ours = || our_step(&f32_model, &fast_images, &labels);
    let mut auto = || our_step(&auto_model, &fast_images, &labels);
    let mut whole = || {
        let found = pgd::run(&attack, &auto_model, &fast_images, &labels, &start, None, &mut || Ok(()));
        assert!(found.is_ok());
    };
    let (mut f32_rate, mut auto_rate) = (Vec::new(), Vec::new());
    let mut f32_convolutions = || f32_rate.push(rate(&network.topology, BATCH, Kind::Float));
    let mut auto_convolutions = || auto_rate.push(rate(&network.topology, BATCH, auto_kind));
    let times = interleave(
        ROUNDS,
        &mut [&mut naive, &mut ours, &mut auto, &mut f32_convolutions, &mut auto_convolutions, &mut whole],
    );
    results.compare("PGD step, ResNet-18, float32", &compare(&times[1], &times[0]));
    results.compare("PGD step, ResNet-18, auto", &compare(&times[2], &times[0]));
    for (name, times, rates) in [("float32", &times[1], &f32_rate[1..]), ("auto", &times[2], &auto_rate[1..])]
    {
        let shares: Vec<f64> = times.iter().zip(rates).map(|(step, rate)| rate.seconds / step).collect();
        let gflops = rates.iter().map(Rate::gflops).collect();
        results.figure(&format!("rate of the convolutions alone, {name}"), median(gflops), "GFLOP/s");
        results.figure(&format!("share of that rate in a step, {name}"), median(shares), "");
    }
    results.figure("PGD with 2 updates (3 forward, 2 backward)", median(times[5].clone()), "s");
    Ok(())
}

/// Folded, channels-last, gradient of the input alone.
fn our_step(model: &Evaluator, images: &Tensor, labels: &Tensor) {
    let delta = images.zeros_like().set_requires_grad(true);
    let loss = cross_entropy(&model.logits(&(images + &delta)), labels);
    let gradients = Tensor::run_backward(&[loss.sum(Kind::Float)], &[&delta], false, false);
    let _ = images + gradients[0].sign() * 0.007;
}
