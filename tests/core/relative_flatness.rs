//! Relative flatness in closed form against finite differences of gradients.

use basin_core::checkpoint;
use basin_core::data::{self, DataSelection};
use basin_core::job::{Compute, Job, Pgd, Precision};
use basin_core::measure::relative_flatness::RelativeFlatness;
use basin_core::model::{Layer, Mode, Topology, logits};
use basin_core::progress::Silent;
use basin_core::record::Outcome;
use basin_core::run::{RunOptions, run};
use tch::{Kind, Tensor};

use crate::support::reference;

fn job(checkpoint: &str, data: &str, examples: &str) -> RelativeFlatness {
    RelativeFlatness {
        checkpoint: if checkpoint == "bundled" { checkpoint.into() } else { reference(checkpoint) },
        data: DataSelection {
            name: if data == "bundled" { data.into() } else { reference(data).display().to_string() },
            examples: examples.parse().unwrap(),
        },
        attack: Pgd { steps: 3, ..Pgd::default() },
        compute: Compute { precision: Precision::F32, batch_size: Some(4), ..Compute::default() },
    }
}

/// `sum_{s,s'} <w_s, w_s'> Tr(H_{s,s'})` of the last layer, with `H` from differences of the gradient.
fn by_differences(job: &RelativeFlatness) -> f64 {
    let network = checkpoint::open(&job.checkpoint).unwrap().network.to(tch::Device::Cpu, Kind::Double);
    let dataset = data::load(&job.data.name, &job.data.examples).unwrap();
    let params = network.params(&network.weights);
    let mut layers = network.topology.layers.clone();
    let Some(Layer::Linear { name, .. }) = layers.pop() else { panic!("not a linear layer") };
    let below = Topology { layers, ..network.topology.clone() };
    let images = dataset.images.to_kind(Kind::Double);
    let features = tch::no_grad(|| logits(&below, &params, &images, Mode::Evaluate)).flatten(1, -1);
    let (weight, bias) = (params.of(&name, "weight").detach(), params.of(&name, "bias").detach());
    let gradient = |weight: &Tensor| {
        let weight = weight.detach().set_requires_grad(true);
        let loss = features.matmul(&weight.tr()) + &bias;
        let loss = loss.log_softmax(1, Kind::Double).nll_loss(&dataset.labels);
        Tensor::run_backward(&[loss], &[&weight], false, false).remove(0)
    };
    let step = 1e-4;
    let [rows, columns] = weight.size().try_into().unwrap();
    let products = weight.matmul(&weight.tr());
    let mut sum = 0.0;
    for other in 0..rows {
        for column in 0..columns {
            let moved = |by: f64| {
                let moved = weight.copy();
                let _ = moved.get(other).get(column).g_add_scalar_(by);
                gradient(&moved)
            };
            let second = (moved(step) - moved(-step)) / (2.0 * step);
            sum += (products.get(other) * second.select(1, column)).sum(Kind::Double).double_value(&[]);
        }
    }
    sum
}

#[test]
fn the_closed_form_agrees_with_finite_differences() {
    for job in [
        job("checkpoints/lenet_bn_trained.pth.tar", "mnist", "test:0..6"),
        job("bundled", "bundled", "test:0..5"),
    ] {
        let record = run(&Job::RelativeFlatness(job.clone()), &RunOptions::default(), &mut Silent).unwrap();
        let headline = record.headline();
        let Outcome::RelativeFlatness(found) = record.outcome else { panic!("not of relative flatness") };
        let wanted = by_differences(&job);
        let value = found.clean.relative_flatness;
        assert!((value - wanted).abs() < 1e-4 * wanted, "{value} and {wanted}");
        assert_eq!(found.clean.per_example.len(), job.data.examples.len());
        // An attack raises the loss, and errors count where an example is wrong clean or attacked.
        assert!(found.robust.loss > found.clean.loss && found.robust.error >= found.clean.error);
        let [low, high] = found.clean.interval.unwrap();
        assert!(0.0 <= low && low <= value && value <= high);
        assert_eq!(headline.numbers.len(), 2);
        assert_eq!(headline.robust.unwrap().loss, found.robust.loss);
    }
}

#[test]
fn without_an_attack_adversarial_examples_are_the_clean_ones() {
    let mut job = job("checkpoints/lenet_bn_trained.pth.tar", "mnist", "test:0..6");
    job.attack.epsilon = 0.0;
    let record = run(&Job::RelativeFlatness(job), &RunOptions::default(), &mut Silent).unwrap();
    let Outcome::RelativeFlatness(found) = record.outcome else { panic!("not of relative flatness") };
    assert_eq!(found.clean.per_example, found.robust.per_example);
}
