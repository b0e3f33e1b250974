//! One step of adversarial training (ResNet-18, 64 channels, PGD-7, batch 128): the naive way against ours, in
//! float32 and in mixed precision, and what augmentation costs beside it.

use basin_core::attack::Pgd;
use basin_core::data::Augmentation;
use basin_core::device::Precision;
use basin_core::loss::cross_entropy;
use basin_core::model::{Architecture, Mode, Network, Role, channels_last, logits};
use basin_core::seed::{generator, normal};
use basin_core::train::{Train, TrainBatch, Trainer};
use tch::{Device, Kind, Tensor};

use super::Results;
use super::naive;
use super::pairs::{compare, interleave, median};

const BATCH: i64 = 128;
const ROUNDS: usize = 3;

pub fn run(results: &mut Results) -> anyhow::Result<()> {
    let network = Network::fresh(Architecture::default().topology()?, 1);
    let mut rng = generator(2, "bench", &[]);
    let noise = normal(&mut rng, (BATCH * 3072) as usize);
    let images = Tensor::from_slice(&noise).view([BATCH, 3, 32, 32]).sigmoid();
    let labels = Tensor::arange(BATCH, (Kind::Int64, Device::Cpu)).remainder(10);
    let attack = Pgd { epsilon: 0.0314, steps: 7, ..Pgd::default() };
    let keys: Vec<u64> = (0..BATCH as u64).collect();

    let trainer = |precision, step_precision| {
        let settings = Train { attack: attack.clone(), precision, step_precision, ..Train::default() };
        Trainer::new(settings, &network, Device::Cpu)
    };
    let mut exact = trainer(Precision::F32, Precision::F32)?;
    let search = Precision::Auto.resolve(Device::Cpu, &network.topology)?;
    let mixed_step = if search == Precision::Bf16 { Precision::Bf16 } else { Precision::F32 };
    let mut mixed = trainer(search, mixed_step)?;
    let ours = |trainer: &mut Trainer, step: &mut u64| {
        let rate = trainer.rate(*step, 391);
        let mut next = || {
            let images = channels_last(&images);
            Ok(TrainBatch { images, labels: labels.copy(), keys: keys.clone(), supervised: None })
        };
        trainer.step(*step, rate, &mut next, &mut || Ok(())).expect("a step on noise");
        *step += 1;
    };
    let (mut exact_step, mut mixed_step) = (0, 0);
    let mut in_f32 = || ours(&mut exact, &mut exact_step);
    let mut in_mixed = || ours(&mut mixed, &mut mixed_step);
    let mut plain = Plain::new(&network);
    let mut naive = || plain.step(&images, &labels, &attack);
    let bytes = (&images * 255.0).round() / 255.0;
    let mut paper = || drop(Augmentation::PadResizeFlip.apply(&bytes, 0, 0, &keys));
    let mut auto = || drop(Augmentation::AutoAugment.apply(&bytes, 0, 0, &keys));
    let times = interleave(ROUNDS, &mut [&mut naive, &mut in_f32, &mut in_mixed, &mut paper, &mut auto]);
    results.compare("training step, ResNet-18, float32", &compare(&times[1], &times[0]));
    results.compare("training step, ResNet-18, mixed precision", &compare(&times[2], &times[0]));
    for (name, augmenting) in [("pad, resize and flip", &times[3]), ("AutoAugment and cutout", &times[4])] {
        let shares = augmenting.iter().zip(&times[2]).map(|(augmenting, step)| augmenting / step).collect();
        results.figure(&format!("{name}, share of a mixed step"), median(shares), "");
    }
    Ok(())
}

/// A plain program's training: weights, gradients and momenta tensor by tensor, float32, NCHW.
struct Plain<'a> {
    network: &'a Network,
    momenta: Vec<Tensor>,
}

impl<'a> Plain<'a> {
    fn new(network: &'a Network) -> Self {
        let trainable = network.layout().entries.iter().filter(|entry| entry.role != Role::Frozen);
        let momenta =
            trainable.map(|e| Tensor::zeros(e.shape.as_slice(), (Kind::Float, Device::Cpu))).collect();
        Self { network, momenta }
    }

    fn step(&mut self, images: &Tensor, labels: &Tensor, attack: &Pgd) {
        let network = self.network;
        let perturbed = images + naive::perturbation(network, &network.weights, images, labels, attack);
        let entries = &network.layout().entries;
        let trainable: Vec<usize> = (0..entries.len()).filter(|i| entries[*i].role != Role::Frozen).collect();
        let weights = network.weights.copy();
        let (params, leaves) = network.leaves(&weights, &trainable);
        let output = logits(&network.topology, &params, &perturbed, Mode::Train { seed: 0 });
        let loss = cross_entropy(&output, labels).mean(Kind::Float);
        let leaves: Vec<&Tensor> = leaves.iter().collect();
        let gradients = Tensor::run_backward(&[&loss], &leaves, false, false);
        assert!(loss.double_value(&[]).is_finite());
        for ((leaf, gradient), momentum) in leaves.iter().zip(&gradients).zip(&mut self.momenta) {
            let gradient = gradient + leaf.detach() * 5e-4;
            *momentum = &*momentum * 0.9 + &gradient;
            let _ = leaf.detach().g_sub_(&((gradient + &*momentum * 0.9) * 1e-3));
        }
    }
}
