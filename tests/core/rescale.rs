//! Rescaled, averaged and calibrated networks: what stays and what changes.

use basin_core::checkpoint;
use basin_core::job::{
    Case, DataSelection, Flatness, FlatnessLoss, Hessian, Job, Landscape, LandscapeLoss, Normalization,
    Precision, Scope,
};
use basin_core::model::{
    Evaluator, Mode, Network, averaged, calibrate, last_linear, logits, normalized_layers, norms, rescaled,
};
use basin_core::progress::Silent;
use basin_core::record::Outcome;
use basin_core::run::{RunOptions, run};
use tch::{Device, Kind, Tensor};

use crate::support::reference;

fn open(name: &str) -> Network {
    checkpoint::open(&reference(name)).unwrap().network
}

fn images(network: &Network) -> Tensor {
    let [c, h, w] = network.topology.resolution;
    let flat = Tensor::arange(4 * c * h * w, (Kind::Double, Device::Cpu));
    ((flat * 0.37).sin() * 0.5 + 0.5).view([4, c, h, w])
}

fn outputs(network: &Network) -> Tensor {
    let weights = network.weights.to(Device::Cpu, Kind::Double);
    Evaluator::new(network, &weights, Device::Cpu, Kind::Double, false).logits(&images(network))
}

/// Every layer before a normalization times `factor`.
fn scaled(network: &Network, factor: f64) -> Network {
    let layers = normalized_layers(&network.topology);
    rescaled(network, &layers.into_iter().map(|layer| (layer, factor)).collect::<Vec<_>>(), None)
}

#[test]
fn a_rescaled_network_has_the_same_function() {
    let mut checked = 0;
    for name in [
        "checkpoints/resnet_rebn_trained.pth.tar",
        "checkpoints/resnet_bn_silu.pth.tar",
        "checkpoints/resnet_bottleneck_bn.pth.tar",
        "checkpoints/resnet_gn.pth.tar",
        "checkpoints/lenet_bn_trained.pth.tar",
        "families/checkpoints/f2_preact18_nobn.pt",
        "families/checkpoints/trained_dm_silu.pt",
    ] {
        let network = open(name);
        let before = outputs(&network);
        let size = before.abs().max().double_value(&[]);
        let layers = normalized_layers(&network.topology);
        assert!(!layers.is_empty(), "{name} has layers before normalizations");
        for factor in [0.5, 2.0, 10.0] {
            let scaled = scaled(&network, factor);
            let difference = (outputs(&scaled) - &before).abs().max().double_value(&[]) / size;
            // Normalization over groups has no statistics, into which its constant could be taken.
            let exact = layers.iter().all(|layer| layer.has_statistics);
            assert!(difference < if exact { 1e-5 } else { 1e-3 }, "{name} times {factor}: {difference}");
            let names = || layers.iter().map(|layer| &*layer.layer);
            let (own, its) = (norms(&network, names()), norms(&scaled, names()));
            for (own, its) in [(own.l2, its.l2), (own.l1, its.l1), (own.linf, its.linf)] {
                assert!((its - factor * own).abs() < 1e-5 * its, "{name} times {factor}");
            }
            checked += 1;
        }
    }
    assert_eq!(checked, 21);
}

#[test]
fn layers_can_have_factors_of_their_own_and_the_last_one_scales_the_logits() {
    let network = open("checkpoints/resnet_rebn_trained.pth.tar");
    let before = outputs(&network);
    let layers = normalized_layers(&network.topology);
    let factors: Vec<_> =
        layers.into_iter().enumerate().map(|(at, layer)| (layer, 0.5 + 0.1 * at as f64)).collect();
    let uneven = rescaled(&network, &factors, None);
    assert!((outputs(&uneven) - &before).abs().max().double_value(&[]) < 1e-4);
    assert_eq!(last_linear(&network.topology), Some("logits"));
    let louder = rescaled(&network, &[], Some(3.0));
    assert!((outputs(&louder) - &before * 3.0).abs().max().double_value(&[]) < 1e-4);
}

/// A file with a network, and what is measured of it on a few images.
struct Kept(tempfile::TempDir);

impl Kept {
    fn of(network: &Network) -> Self {
        let folder = tempfile::tempdir().unwrap();
        checkpoint::save(&folder.path().join("net.safetensors"), network, None).unwrap();
        Self(folder)
    }

    fn measured(&self, job: Job) -> Outcome {
        let job = job.on(&self.0.path().join("net.safetensors"));
        run(&job, &RunOptions::default(), &mut Silent).unwrap().outcome
    }
}

fn data() -> DataSelection {
    DataSelection { name: "bundled".into(), examples: "test:0..24".parse().unwrap() }
}

#[test]
fn relative_measures_do_not_see_a_rescaling_and_absolute_ones_do() {
    let network = open("checkpoints/resnet_rebn_trained.pth.tar");
    let (own, half) = (Kept::of(&network), Kept::of(&scaled(&network, 0.5)));
    let flatness = |relative: bool| {
        let mut job = Flatness::new("".into(), FlatnessLoss::Clean, Case::Average);
        (job.data, job.draws, job.levels, job.absolute) = (data(), 4, None, !relative);
        job.radii = vec![if relative { 0.3 } else { 0.8 }];
        job.scope = if relative { Scope::Layer } else { Scope::Global };
        job.compute.seed = 3;
        let of = |kept: &Kept| match kept.measured(Job::Flatness(job.clone())) {
            Outcome::Flatness(outcome) => outcome.radii[0].flatness,
            _ => panic!("flatness"),
        };
        (of(&own), of(&half))
    };
    let (before, after) = flatness(true);
    assert!((before - after).abs() < 0.02 * before.abs().max(0.05), "relative: {before} and {after}");
    let (before, after) = flatness(false);
    assert!(after > 1.5 * before, "absolute: {before} and {after}");

    let curve = |normalize: &str| {
        let job = Landscape {
            data: data(),
            loss: LandscapeLoss::Clean,
            normalize: normalize.parse::<Normalization>().unwrap(),
            radius: if normalize == "none" { 0.02 } else { 0.3 },
            steps: 5,
            ..Landscape::default()
        };
        let of = |kept: &Kept| match kept.measured(Job::Landscape(job.clone())) {
            Outcome::Landscape(outcome) => {
                outcome.clean.unwrap().loss.iter().map(Option::unwrap).collect::<Vec<f64>>()
            }
            _ => panic!("a landscape"),
        };
        let (own, half) = (of(&own), of(&half));
        own.iter().zip(&half).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    };
    for relative in ["filter", "layer", "layer_l2_05", "filter_linf", "weight"] {
        assert!(curve(relative) < 0.02, "{relative}: {}", curve(relative));
    }
    assert!(curve("none") > 0.05, "{}", curve("none"));
}

#[test]
fn a_rescaled_network_has_the_predicted_hessian() {
    let network = open("checkpoints/lenet_bn_trained.pth.tar");
    let layer = normalized_layers(&network.topology).remove(0);
    let tensor = format!("{}.weight", layer.layer);
    let largest = |network: &Network| {
        let mut job = Hessian {
            data: DataSelection {
                name: reference("mnist").to_str().unwrap().into(),
                examples: "test:0..32".parse().unwrap(),
            },
            top: 2,
            bottom: 1,
            tolerance: 1e-5,
            ..Hessian::default()
        };
        // Of the scaled layer alone: its coordinates are all multiplied.
        job.tensors = (&*tensor).into();
        job.compute.precision = Precision::F64;
        match Kept::of(network).measured(Job::Hessian(job)) {
            Outcome::Hessian(outcome) => outcome.largest[0].value,
            _ => panic!("a Hessian"),
        }
    };
    let before = largest(&network);
    for factor in [0.5, 2.0] {
        let scaled = rescaled(&network, &[(layer.clone(), factor)], None);
        let after = largest(&scaled) * factor * factor;
        assert!((after - before).abs() < 1e-3 * before, "times {factor}: {after}, not {before}");
    }
}

#[test]
fn a_mean_lies_between_its_networks_and_has_statistics_of_its_own() {
    let (a, b) =
        (open("checkpoints/resnet_rebn_init.pth.tar"), open("checkpoints/resnet_rebn_trained.pth.tar"));
    let mean = averaged(&[&a, &b], &[1.0, 3.0]);
    let wanted = a.weights.flat() * 0.25 + b.weights.flat() * 0.75;
    assert!((mean.weights.flat() - wanted).abs().max().double_value(&[]) < 1e-6);
    for (((name, mean), (_, a)), (_, b)) in mean.buffers.iter().zip(&a.buffers).zip(&b.buffers) {
        if mean.is_floating_point() {
            let wanted = a * 0.25 + b * 0.75;
            assert!(
                (mean - wanted).abs().max().double_value(&[])
                    < 1e-5 * (1.0 + b.abs().max().double_value(&[])),
                "{name}"
            );
        }
    }
    let alone = averaged(&[&b], &[7.0]);
    assert!((alone.weights.flat() - b.weights.flat()).abs().max().double_value(&[]) < 1e-7);

    // Statistics of the very images: in evaluation the network does what it did in training on them.
    let network = mean.copy();
    let batch = images(&network).to_kind(Kind::Float);
    let params = network.params(&network.weights);
    let run = |mode| tch::no_grad(|| logits(&network.topology, &params, &batch, mode));
    calibrate(&network.buffers, std::iter::once(batch.shallow_clone()), false, |images| {
        let _ = logits(&network.topology, &params, images, Mode::Train { seed: 0 });
    });
    let evaluated = run(Mode::Evaluate);
    let trained = run(Mode::Train { seed: 0 });
    let size = trained.abs().max().double_value(&[]);
    // The running variance is that of a sample: of the few pixels of the last layers it is larger by n / (n - 1).
    assert!((evaluated - trained).abs().max().double_value(&[]) < 0.1 * size);
}
