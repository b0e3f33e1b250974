//! Every checkpoint of the reference program gives the reference program's numbers.

use basin_core::checkpoint;
use basin_core::loss::cross_entropy;
use basin_core::model::{Evaluator, Mode, Network, Role, logits};
use tch::{Device, Kind, Tensor};

use crate::support::{Npz, json, max_abs_difference, reference, relative_difference};

/// Names of all checkpoints with reference logits.
fn names() -> Vec<String> {
    let index = json("checkpoints/index.json");
    let names: Vec<String> = index
        .as_object()
        .unwrap()
        .keys()
        .filter_map(|k| k.strip_suffix(".pth.tar"))
        .map(str::to_owned)
        .collect();
    assert!(names.len() >= 20, "only {} checkpoints", names.len());
    names
}

fn open(name: &str) -> Network {
    checkpoint::open(&reference(&format!("checkpoints/{name}.pth.tar"))).unwrap().network
}

fn inputs(network: &Network) -> (Tensor, Tensor) {
    let all = Npz::open("logits/inputs.npz");
    let set = if network.topology.resolution[0] == 1 { "mnist" } else { "cifar" };
    let labels = all.get(&format!("{set}_labels")).copy();
    let labels = if network.topology.classes == 2 { labels.remainder(2) } else { labels };
    (all.get(&format!("{set}_images")).copy(), labels)
}

/// The same network in float64.
fn double(network: &Network) -> Network {
    Network {
        topology: network.topology.clone(),
        weights: network.weights.to(Device::Cpu, Kind::Double),
        buffers: network
            .buffers
            .iter()
            .map(|(name, t)| {
                (name.clone(), if t.is_floating_point() { t.to_kind(Kind::Double) } else { t.copy() })
            })
            .collect(),
    }
}

#[test]
fn logits_agree_in_both_precisions() {
    for name in names() {
        let expected = Npz::open(&format!("logits/{name}.npz"));
        let network = open(&name);
        let (images, _) = inputs(&network);
        let single = logits(&network.topology, &network.params(&network.weights), &images, Mode::Evaluate);
        // Against the exact values: the reference's own float32 logits are within 2e-5 of them.
        let difference = max_abs_difference(&single, expected.get("logits_f64"));
        assert!(difference <= 2e-5, "{name}: float32 logits differ by {difference:e}");
        let network = double(&network);
        let images = images.to_kind(Kind::Double);
        let exact = logits(&network.topology, &network.params(&network.weights), &images, Mode::Evaluate);
        let difference = relative_difference(&exact, expected.get("logits_f64"));
        assert!(difference <= 1e-9, "{name}: float64 logits differ by {difference:e}");
    }
}

#[test]
fn folded_channels_last_networks_give_the_same_logits() {
    for name in names() {
        let network = open(&name);
        let (images, _) = inputs(&network);
        let expected = Npz::open(&format!("logits/{name}.npz"));
        let evaluator = Evaluator::new(&network, &network.weights, Device::Cpu, Kind::Float, false);
        let difference = max_abs_difference(&evaluator.logits(&images), expected.get("logits_f32"));
        assert!(difference <= 1e-4, "{name}: folded logits differ by {difference:e}");
        let evaluator = Evaluator::new(&network, &network.weights, Device::Cpu, Kind::Double, false);
        let exact = evaluator.logits(&images.to_kind(Kind::Double));
        let difference = relative_difference(&exact, expected.get("logits_f64"));
        assert!(difference <= 1e-6, "{name}: folded float64 logits differ by {difference:e}");
    }
}

#[test]
fn gradients_agree() {
    for name in names() {
        let expected = Npz::open(&format!("logits/{name}.npz"));
        let network = double(&open(&name));
        let (images, labels) = inputs(&network);
        let images = images.to_kind(Kind::Double).set_requires_grad(true);
        let layout = network.layout();
        let trainable: Vec<usize> =
            (0..layout.entries.len()).filter(|i| layout.entries[*i].role != Role::Frozen).collect();
        let (params, leaves) = network.leaves(&network.weights, &trainable);
        let loss = cross_entropy(&logits(&network.topology, &params, &images, Mode::Evaluate), &labels)
            .mean(Kind::Double);
        let difference = max_abs_difference(&loss, expected.get("loss_f64"));
        assert!(difference <= 1e-9, "{name}: loss differs by {difference:e}");
        let mut wanted: Vec<&Tensor> = leaves.iter().collect();
        wanted.push(&images);
        let gradients = Tensor::run_backward(&[&loss], &wanted, false, false);
        // The reference differentiates the sum for inputs and the mean for parameters.
        let input = gradients.last().unwrap();
        let norms = input.flatten(1, -1).norm_scalaropt_dim(2, [1i64].as_slice(), false);
        let reference_norms = expected.get("input_grad_l2_f64");
        let factor = (reference_norms.max() / norms.max()).double_value(&[]).round();
        assert!(
            factor == 1.0 || factor == images.size()[0] as f64,
            "{name}: input gradients are off by {factor}"
        );
        let difference = relative_difference(&(norms * factor), reference_norms);
        assert!(difference <= 1e-8, "{name}: norms of input gradients differ by {difference:e}");
        let first = input.narrow(0, 0, 2) * factor;
        let difference = relative_difference(&first, expected.get("input_grad_f64_first2"));
        assert!(difference <= 1e-8, "{name}: input gradients differ by {difference:e}");
        for (position, index) in trainable.iter().enumerate() {
            let entry = &layout.entries[*index];
            let got = gradients[position].norm().double_value(&[]);
            let wanted = expected.get("param_grad_l2_f64").double_value(&[*index as i64]);
            assert!(
                (got - wanted).abs() <= 1e-8 * wanted.max(1.0),
                "{name}: gradient of {} is {got}, not {wanted}",
                entry.name
            );
            let got = gradients[position].sum(Kind::Double).double_value(&[]);
            let wanted = expected.get("param_grad_sum_f64").double_value(&[*index as i64]);
            assert!(
                (got - wanted).abs() <= 1e-7 * wanted.abs().max(1.0),
                "{name}: gradient sum of {} is {got}, not {wanted}",
                entry.name
            );
        }
    }
}

#[test]
fn training_mode_agrees_in_logits_and_running_statistics() {
    let mut checked = 0;
    for name in names() {
        let expected = Npz::open(&format!("logits/{name}.npz"));
        let Some(train_logits) = expected.find("train_mode_logits_f64") else { continue };
        let network = double(&open(&name));
        let (images, _) = inputs(&network);
        let params = network.params(&network.weights);
        let got = tch::no_grad(|| {
            logits(&network.topology, &params, &images.to_kind(Kind::Double), Mode::Train { seed: 0 })
        });
        let difference = relative_difference(&got, train_logits);
        assert!(difference <= 1e-8, "{name}: training-mode logits differ by {difference:e}");
        checked += 1;
        if let Some(after) = expected.find("buffers_after_train_forward_f64") {
            let buffers: Vec<Tensor> =
                network.buffers.iter().map(|(_, t)| t.to_kind(Kind::Double).flatten(0, -1)).collect();
            let got = Tensor::cat(&buffers, 0);
            // What follows are the buffers of an auxiliary head, which is not part of the network.
            let after = after.narrow(0, 0, got.size()[0]);
            let difference = relative_difference(&got, &after);
            assert!(difference <= 1e-9, "{name}: buffers differ by {difference:e}");
        }
    }
    assert!(checked >= 10, "only {checked} checkpoints have training-mode logits");
}

#[test]
fn every_container_holds_the_same_network() {
    for (name, others) in [
        (
            "lenet_bn_trained",
            ["dataparallel.zip.pth", "state_dict.legacy.pth", "state_dict.zip.pth"].as_slice(),
        ),
        ("resnet_rebn_trained", &["dataparallel.zip.pth", "state_dict.zip.pth"]),
    ] {
        let network = open(name);
        for other in others {
            let opened = checkpoint::open(&reference(&format!("checkpoints/{name}.{other}"))).unwrap();
            assert_eq!(opened.network.layout(), network.layout(), "{name}.{other}");
            assert_eq!(max_abs_difference(opened.network.weights.flat(), network.weights.flat()), 0.0);
            assert!(!opened.summary.notices.is_empty(), "{name}.{other}: assumptions must be said");
        }
    }
}

#[test]
fn saving_and_opening_gives_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    for name in names() {
        let network = open(&name);
        let path = folder.path().join(format!("{name}.safetensors"));
        checkpoint::save(&path, &network, Some(3)).unwrap();
        let again = checkpoint::open(&path).unwrap();
        assert_eq!(again.network.topology, network.topology, "{name}");
        assert_eq!(again.summary.epoch, Some(3));
        assert!(again.network.weights.flat().equal(network.weights.flat()), "{name}: weights differ");
        for ((key, a), (other, b)) in again.network.buffers.iter().zip(&network.buffers) {
            assert_eq!(key, other);
            assert!(a.equal(b), "{name}: {key} differs");
        }
        let (images, _) = inputs(&network);
        let before = logits(&network.topology, &network.params(&network.weights), &images, Mode::Evaluate);
        let after = logits(
            &again.network.topology,
            &again.network.params(&again.network.weights),
            &images,
            Mode::Evaluate,
        );
        assert!(before.equal(&after), "{name}: logits differ after a round trip");
    }
}

#[test]
fn summaries_say_what_a_checkpoint_is() {
    let index = json("checkpoints/index.json");
    for name in names() {
        let summary = checkpoint::inspect(&reference(&format!("checkpoints/{name}.pth.tar"))).unwrap();
        let known = &index[format!("{name}.pth.tar")];
        assert_eq!(summary.family, known["model_class"].as_str().unwrap());
        assert_eq!(summary.epoch, known["epoch"].as_i64(), "{name}");
        let parameters: usize = known["parameters_in_order"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|p| p[2].as_bool().unwrap() && !p[0].as_str().unwrap().starts_with("auxiliary"))
            .map(|p| p[1].as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).product::<usize>())
            .sum();
        assert_eq!(summary.parameters, parameters, "{name}");
        for tensor in &summary.tensors {
            let norm = known["tensors"][&tensor.name]["l2"].as_f64().unwrap();
            assert!((tensor.l2_norm - norm).abs() <= 1e-5 * norm.max(1.0), "{name}: {}", tensor.name);
        }
    }
}
