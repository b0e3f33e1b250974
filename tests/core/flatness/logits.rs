//! Flatness of normalized logits (Andriushchenko et al. 2023).

use basin_core::checkpoint;
use basin_core::job::{Case, Flatness, FlatnessLoss, Job, Logits};
use basin_core::measure::Headline;
use basin_core::model::{Layer, Mode, Network, Topology, logits, rescaled};
use tch::{Device, Kind, Tensor};

use super::{ALL, checkpoint_path, linear_classifier, measured, record, refusal, small};
fn close(found: f64, expected: f64, allowed: f64, what: &str) {
    assert!((found - expected).abs() <= allowed, "{what}: {found} and {expected} within {allowed:e}");
}

fn normalized(loss: FlatnessLoss, case: Case) -> Flatness {
    Flatness { logits: Logits::Normalized, ..small(loss, case) }
}

#[test]
fn logits_are_normalized_by_their_standard_deviation_over_classes() {
    let topology = |layers| Topology {
        family: "MLP".into(),
        title: "none".into(),
        classes: 4,
        resolution: [1, 2, 2],
        layers,
    };
    let plain = Network::fresh(topology(vec![Layer::Flatten]), 1);
    let network =
        plain.in_topology(small(FlatnessLoss::Clean, Case::Average).measured(plain.topology.clone()));
    assert_eq!(network.topology, plain.topology, "raw logits stay as they are");
    let job = normalized(FlatnessLoss::Clean, Case::Average);
    let network = plain.in_topology(job.measured(plain.topology.clone()));
    let of = |images: &Tensor| {
        logits(&network.topology, &network.params(&network.weights), images, Mode::Evaluate)
    };
    // Mean 3, deviations -2, -1, 0, 3, mean of their squares 14 / 4; and logits that are all alike.
    let images = Tensor::from_slice(&[1.0, 2.0, 3.0, 6.0, 5.0, 5.0, 5.0, 5.0f64]).view([2, 1, 2, 2]);
    let found: Vec<f64> = Vec::try_from(of(&images).view([-1])).unwrap();
    let size = 3.5f64.sqrt();
    let expected = [-2.0 / size, -1.0 / size, 0.0, 3.0 / size, 0.0, 0.0, 0.0, 0.0];
    for (found, expected) in found.iter().zip(expected) {
        close(*found, expected, 1e-15, "normalized logits");
    }
    // Gradients are those of finite differences; of logits that are all alike they are finite.
    let weights = Tensor::from_slice(&[0.3, -1.2, 0.7, 2.0, 1.0, 0.0, -1.0, 0.5f64]).view([2, 4]);
    let sum = |images: &Tensor| (of(images) * &weights).narrow(0, 0, 1).sum(Kind::Double);
    let leaf = images.copy().set_requires_grad(true);
    let gradient = Tensor::run_backward(&[sum(&leaf)], &[&leaf], false, false).remove(0);
    let gradient: Vec<f64> = Vec::try_from(gradient.view([-1])).unwrap();
    let (step, count) = (1e-6, 4);
    for at in 0..count {
        let moved = |by: f64| {
            let mut values: Vec<f64> = Vec::try_from(images.view([-1])).unwrap();
            values[at] += by;
            sum(&Tensor::from_slice(&values).view_as(&images)).double_value(&[])
        };
        close(gradient[at], (moved(step) - moved(-step)) / (2.0 * step), 1e-8, "gradient");
    }
    assert!(gradient[count..].iter().all(|value| *value == 0.0));
}

#[test]
fn the_loss_is_that_of_normalized_logits() {
    let folder = tempfile::tempdir().unwrap();
    let (network, images, labels) = linear_classifier(folder.path());
    let _guard = tch::no_grad_guard();
    let outputs = logits(&network.topology, &network.params(&network.weights), &images, Mode::Evaluate);
    let rows: Vec<f64> = Vec::try_from(outputs.to_kind(Kind::Double).view([-1])).unwrap();
    let labels: Vec<i64> = Vec::try_from(&labels).unwrap();
    let losses = rows.chunks(10).zip(&labels).map(|(row, label)| {
        let mean = row.iter().sum::<f64>() / 10.0;
        let size = (row.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / 10.0).sqrt();
        row.iter().map(|z| (z / size).exp()).sum::<f64>().ln() - row[*label as usize] / size
    });
    let expected = losses.sum::<f64>() / 60.0;
    let job = Flatness {
        checkpoint: folder.path().join("linear.safetensors"),
        data: super::images_in(folder.path(), 60),
        ..normalized(FlatnessLoss::Clean, Case::Average)
    };
    let record = record(&job);
    close(super::outcome(&record).reference_loss, expected, 1e-6, "reference loss");
    let Headline { clean, robust, .. } = record.headline();
    assert_eq!((clean, robust), (None, None), "another loss than that of an evaluation");
}

#[test]
fn the_scale_of_logits_does_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let network = checkpoint::open(&checkpoint_path("resnet_rebn_trained")).unwrap().network;
    let file = folder.path().join("scaled.safetensors");
    checkpoint::save(&file, &rescaled(&network.to(Device::Cpu, Kind::Float), &[], Some(8.0)), None).unwrap();
    for (loss, case) in ALL {
        let job = normalized(loss, case);
        let scaled = Flatness { checkpoint: file.clone(), ..job.clone() };
        let (one, other) = (measured(&job), measured(&scaled));
        close(one.reference_loss, other.reference_loss, 1e-5, "reference loss");
        for (one, other) in one.radii.iter().zip(&other.radii) {
            close(one.flatness, other.flatness, 1e-4, "flatness");
        }
        let raw = |job: &Flatness| measured(&Flatness { logits: Logits::Raw, ..job.clone() }).reference_loss;
        assert!((raw(&job) - raw(&scaled)).abs() > 0.1, "raw logits are scaled");
    }
}

#[test]
fn what_is_measured_says_so() {
    let job = normalized(FlatnessLoss::Robust, Case::Worst);
    assert_eq!(job.label(), "worst-case robust flatness of normalized logits");
    assert_eq!(Job::Flatness(job).summary().title, "Worst robust flatness of normalized logits");
    let two = Flatness {
        checkpoint: checkpoint_path("mlp_binary"),
        ..normalized(FlatnessLoss::Clean, Case::Average)
    };
    let message = refusal(&two);
    assert!(
        message.contains("normalized logits of 2 classes") && message.contains("--logits raw"),
        "{message}"
    );
}
