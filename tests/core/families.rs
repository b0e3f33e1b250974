//! Checkpoints of other programs: RobustBench, TRADES, AWP, loss-landscape, torchvision.

mod parts;
mod tried;
mod used;

use std::path::PathBuf;

use basin_core::checkpoint::{self, probe, settle};
use basin_core::model::{Architecture, Evaluator, Keys, Mode, Network, Role, Weights, logits, recognize};
use serde_json::Value;
use tch::{Device, Kind, Tensor};

use crate::support::{Npz, json, max_abs_difference, reference, relative_difference};

/// All fixtures, by name.
fn index() -> Vec<(String, Value)> {
    let index = json("families/index.json");
    let fixtures: Vec<_> = index.as_object().unwrap().clone().into_iter().collect();
    assert_eq!(fixtures.len(), 21);
    fixtures
}

fn file(name: &str) -> PathBuf {
    reference(&format!("families/checkpoints/{name}.pt"))
}

/// The first test images of the data set that a fixture is for.
fn images(fixture: &Value) -> Tensor {
    let set = if fixture["inputs"] == "mnist" { "mnist" } else { "cifar" };
    Npz::open("logits/inputs.npz").get(&format!("{set}_images")).copy()
}

fn expected(name: &str) -> Npz {
    Npz::open(&format!("families/logits/{name}.npz"))
}

/// As its index says that it is read.
fn read(name: &str, fixture: &Value) -> Network {
    let mut assumed = Vec::new();
    let family = fixture["family"].as_str().unwrap();
    if family.contains("shortcut of x") {
        assumed.push("shortcut=plain");
    }
    if family.contains("shortcut of the activated") {
        assumed.push("shortcut=activated");
    }
    if family.contains("ReLU") {
        assumed.push("activation=relu");
    }
    match fixture["normalization"].as_str() {
        Some("2x - 1") => assumed.push("normalization=half"),
        Some(text) if text.contains("0.2471") => assumed.push("normalization=cifar10"),
        Some(text) if text.contains("0.2023") => assumed.push("normalization=cifar10-2023"),
        _ => {}
    }
    let path = file(name);
    let path = match assumed.is_empty() {
        true => path,
        false => format!("{}::{}", path.display(), assumed.join(",")).into(),
    };
    checkpoint::open(&path).unwrap().network
}

#[test]
fn logits_are_those_of_the_original_classes() {
    for (name, fixture) in index() {
        let network = read(&name, &fixture);
        let wanted = expected(&name);
        let wanted = wanted.get("logits_f64");
        let parameters = fixture["parameters"].as_i64().unwrap();
        // The index counts the dead weights of `sub_block1`, too.
        let dead = if name == "f3_wrn16_2_trades" { 9344 } else { 0 };
        assert_eq!(network.parameters() + dead, parameters, "{name}");
        let images = images(&fixture);
        let double = network.to(Device::Cpu, Kind::Double);
        let run = |network: &Network, images: &Tensor| {
            logits(&network.topology, &network.params(&network.weights), images, Mode::Evaluate)
        };
        // The originals of the trained networks saw images that were normalized in float32.
        let outside =
            fixture["normalization"].as_str().is_some_and(|text| text != "inside" && text != "none");
        let exact = run(&double, &images.to_kind(Kind::Double));
        let difference = relative_difference(&exact, wanted);
        assert!(
            difference <= if outside { 1e-7 } else { 1e-8 },
            "{name}: float64 logits differ by {difference:e}"
        );
        let difference = relative_difference(&run(&network, &images), wanted);
        assert!(difference <= 2e-5, "{name}: float32 logits differ by {difference:e}");
        let folded = Evaluator::new(&network, &network.weights, Device::Cpu, Kind::Float, false);
        let difference = max_abs_difference(&folded.logits(&images), wanted);
        assert!(difference <= 1e-4, "{name}: folded logits differ by {difference:e}");
    }
}

/// What the index says of a trained network, as readings are written.
fn reading(fixture: &Value) -> Vec<String> {
    let family = fixture["family"].as_str().unwrap();
    let mut parts = Vec::new();
    parts.push(match fixture["normalization"].as_str().unwrap() {
        "none" => "normalization=none",
        "2x - 1" => "normalization=half",
        "inside" => "normalization=cifar10",
        text if text.contains("0.2471") => "normalization=cifar10",
        text if text.contains("0.2023") => "normalization=cifar10-2023",
        other => panic!("{other}"),
    });
    match () {
        () if family.contains("shortcut of x") => parts.push("shortcut=plain"),
        () if family.contains("shortcut of the activated") => parts.push("shortcut=activated"),
        () if family.contains("ReLU") => parts.push("activation=relu"),
        () if family.contains("SiLU") => parts.push("activation=silu"),
        () => {}
    }
    parts.into_iter().map(str::to_owned).collect()
}

#[test]
fn trained_networks_are_read_rightly_without_being_told_anything() {
    let trained: Vec<_> = index().into_iter().filter(|(name, _)| name.starts_with("trained_")).collect();
    assert_eq!(trained.len(), 6);
    for (name, fixture) in trained {
        let opened = checkpoint::open(&file(&name)).unwrap();
        assert!(opened.summary.ambiguous && opened.summary.probe.is_none(), "{name}");
        let probe = probe(&opened, &mut |_| Ok(())).unwrap();
        assert!(probe.told, "{name}: {probe:?}");
        assert_eq!(probe.tried[0].assumed, reading(&fixture).join(","), "{name}: {probe:?}");
        let usual = opened.alternatives.iter().filter(|alternative| !alternative.is_rare).count();
        assert_eq!(probe.tried.len(), usual, "{name}: ReLU fits, so that nothing rarer is tried");
        let settled = settle(opened, &mut |_| Ok(())).unwrap();
        assert_eq!(settled.summary.assumed, probe.tried[0].assumed, "{name}");
        assert!(settled.summary.hash.ends_with(&format!("::{}", probe.tried[0].assumed)), "{name}");
        let told = settled.summary.notices.join(" ");
        assert!(told.contains("found by trying") && told.contains(&probe.tried[0].assumed), "{name}: {told}");
        // The numbers are those of the original class: its logits.
        let network = &settled.network;
        let run =
            logits(&network.topology, &network.params(&network.weights), &images(&fixture), Mode::Evaluate);
        let difference = relative_difference(&run, expected(&name).get("logits_f64"));
        assert!(difference <= 2e-5, "{name}: {difference:e}");
    }
}

#[test]
fn nothing_is_told_of_networks_with_random_weights() {
    let few = ["f1_resnet18", "f2_preact18_awp", "f3_wrn10_2_nobias", "f5_dm_preact18", "f7_gll_vgg9"];
    for name in few {
        let opened = checkpoint::open(&file(name)).unwrap();
        let (assumed, hash) = (opened.summary.assumed.clone(), opened.summary.hash.clone());
        let settled = settle(opened, &mut |_| Ok(())).unwrap();
        let probe = settled.summary.probe.clone().unwrap();
        assert!(!probe.told, "{name}: {probe:?}");
        assert_eq!((settled.summary.assumed, settled.summary.hash), (assumed, hash), "{name}");
        let doubt = settled.summary.notices.last().unwrap().clone();
        assert!(doubt.contains("could not tell") && doubt.contains("--assume decides"), "{name}: {doubt}");
    }
}

#[test]
fn what_is_assumed_is_not_tried() {
    let path =
        |assumed: &str| PathBuf::from(format!("{}::{assumed}", file("trained_preact_activated").display()));
    let open = |assumed: &str| checkpoint::open(&path(assumed)).unwrap();
    let half = open("shortcut=activated");
    let usual = half.alternatives.iter().filter(|alternative| !alternative.is_rare).count();
    assert_eq!(usual, 6, "the normalization is open still");
    let whole = open("normalization=cifar10,shortcut=activated");
    assert!(!whole.summary.ambiguous);
    assert_eq!(whole.summary.assumed, "normalization=cifar10,shortcut=activated");
    let by_numbers = open("shortcut=activated,normalization=0.4914,0.4822,0.4465/0.2471,0.2435,0.2616");
    assert_eq!(flat(&by_numbers.network), flat(&whole.network));
    assert_eq!(by_numbers.summary.hash, whole.summary.hash, "the same by another spelling");
    let signed = open("normalization=signed,shortcut=plain");
    assert!(signed.summary.assumed.starts_with("normalization=half"));
    for (wrong, told) in [
        ("pooling=max", "leaves no choice of its pooling"),
        ("normalization=1,2/1,2", "which has 2 channels"),
        ("normalization=sometimes", "is not known; use none"),
        ("shortcut=none", "use shortcut=plain or activated"),
        ("shortcut=some", "cannot be assumed; use weights=NAME"),
        ("normalization=1,2,3/1,0,1", "are not positive"),
    ] {
        let refused =
            checkpoint::open(&path(wrong)).err().unwrap_or_else(|| panic!("{wrong} is taken")).to_string();
        assert!(refused.contains(told), "{refused}");
    }
}

fn flat(network: &Network) -> Vec<f32> {
    Vec::try_from(network.weights.flat()).unwrap()
}

/// Number of parameters of an architecture by its name.
fn parameters(name: &str, classes: i64) -> i64 {
    let architecture = Architecture { classes, whiten: false, ..Architecture::named(name).unwrap() };
    let topology = architecture.topology().unwrap();
    topology
        .tensors()
        .iter()
        .filter(|spec| spec.role != Role::Buffer)
        .map(|spec| spec.shape.iter().product::<i64>())
        .sum()
}

#[test]
fn numbers_of_parameters_are_the_published_ones() {
    for (name, published) in [
        ("resnet18", 11_173_962),
        ("resnet34", 21_282_122),
        ("resnet50", 23_520_842),
        ("resnet101", 42_512_970),
        ("resnet152", 58_156_618),
        ("preact-resnet18", 11_172_170),
        ("resnet20", 272_474),
        ("resnet56", 855_770),
        ("resnet110", 1_730_714),
        ("wrn-28-10", 36_479_194),
        ("wrn-34-10", 46_160_474),
        ("dm-wrn-28-10", 36_479_194),
        ("dm-wrn-70-16", 266_796_506),
        ("densenet121", 6_956_298),
        ("vgg19", 20_040_522),
        ("vgg16", 14_728_266),
    ] {
        assert_eq!(parameters(name, 10), published, "{name}");
    }
}

#[test]
fn networks_of_any_depth_and_width_are_recognized_by_their_keys() {
    let names = [
        "resnet18",
        "resnet34",
        "resnet50",
        "resnet101",
        "resnet152",
        "resnet20",
        "resnet32",
        "resnet44",
        "resnet56",
        "resnet110",
        "preact-resnet18",
        "preact-resnet34",
        "preact-resnet50",
        "wrn-28-10",
        "wrn-34-20",
        "wrn-34-15",
        "wrn-70-16",
        "wrn-28-4",
        "dm-wrn-28-10",
        "dm-wrn-70-16",
        "dm-wrn-94-16",
        "dm-preact-resnet18",
        "dm-preact-resnet34",
        "vgg9",
        "vgg11",
        "vgg13",
        "vgg16",
        "vgg19",
        "densenet121",
        "densenet161",
        "densenet201",
        "resnext29",
        "small-cnn",
        "paper-resnet18",
        "paper-resnet50",
        "lenet",
    ];
    for name in names {
        for classes in [10, 100] {
            let named =
                Architecture { classes, whiten: false, clamp: false, ..Architecture::named(name).unwrap() };
            let topology = named.topology().unwrap();
            let found = Architecture::of(&topology).unwrap_or_else(|| panic!("{name} is not recognized"));
            assert_eq!(found.topology().unwrap(), topology, "{name}");
            let shapes = topology.tensors().into_iter().map(|spec| (spec.name, spec.shape)).collect();
            let best = recognize(&Keys::new(shapes)).remove(0);
            assert_eq!(best.usual().family, named.family, "{name}");
            assert_eq!(
                (best.usual().classes, best.usual().resolution),
                (classes, named.resolution),
                "{name}"
            );
        }
    }
}

#[test]
fn gradients_are_those_of_finite_differences() {
    for name in [
        "f1_resnet18",
        "f2_preact18_awp",
        "f3_wrn16_2_trades",
        "f4_dm_wrn16_1",
        "f5_dm_preact18",
        "f7_gll_vgg9",
        "f8_trades_smallcnn",
        "f9_resnext29",
        "f1_torchvision_resnet18",
    ] {
        let fixture = &json("families/index.json")[name];
        let network = read(name, fixture).to(Device::Cpu, Kind::Double);
        let images = images(fixture).narrow(0, 0, 2).to_kind(Kind::Double);
        // Neighbours of the same value tie in max pooling.
        let images = &images
            + (Tensor::arange(images.numel() as i64, (Kind::Double, Device::Cpu)) * 1.3)
                .sin()
                .view_as(&images)
                * 1e-2;
        let loss = |weights: &Weights, images: &Tensor| {
            let logits = logits(&network.topology, &network.params(weights), images, Mode::Evaluate);
            (&logits
                * &Tensor::arange(logits.numel() as i64, (Kind::Double, Device::Cpu)).sin().view_as(&logits))
                .sum(Kind::Double)
        };
        // A step so small that hardly any ReLU changes its side.
        let step = 1e-8;
        let direction = |like: &Tensor| {
            (Tensor::arange(like.numel() as i64, (Kind::Double, Device::Cpu)) * 0.7).sin().view_as(like)
        };
        let leaf = images.copy().set_requires_grad(true);
        let gradient =
            Tensor::run_backward(&[loss(&network.weights, &leaf)], &[&leaf], false, false).remove(0);
        let along = direction(&images);
        let expected = (&gradient * &along).sum(Kind::Double).double_value(&[]);
        let at = |factor: f64| loss(&network.weights, &(&images + &along * factor)).double_value(&[]);
        let difference = (at(step) - at(-step)) / (2.0 * step);
        assert!(
            (difference - expected).abs() <= 1e-5 * expected.abs().max(1.0),
            "{name}: {difference} for {expected}"
        );
        let flat = network.weights.flat().copy().set_requires_grad(true);
        let movable = network.layout().movable();
        let weights = Weights::from_flat(network.layout().clone(), flat.shallow_clone());
        let gradient = Tensor::run_backward(&[loss(&weights, &images)], &[&flat], false, false).remove(0);
        let along = direction(&flat.detach());
        let expected = (&gradient * &along).sum(Kind::Double).double_value(&[]);
        let at = |factor: f64| {
            let flat = network.weights.flat() + &along * factor;
            loss(&Weights::from_flat(network.layout().clone(), flat), &images).double_value(&[])
        };
        let difference = (at(step) - at(-step)) / (2.0 * step);
        assert!(!movable.is_empty());
        assert!(
            (difference - expected).abs() <= 1e-5 * expected.abs().max(1.0),
            "{name}: {difference} for {expected}"
        );
    }
}

#[test]
fn networks_of_every_family_are_saved_and_read_back_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    for (name, fixture) in index() {
        let network = read(&name, &fixture);
        let path = folder.path().join(format!("{name}.safetensors"));
        checkpoint::save(&path, &network, Some(3)).unwrap();
        let back = checkpoint::open(&path).unwrap();
        assert!(!back.summary.ambiguous && back.summary.epoch == Some(3), "{name}");
        assert_eq!(back.network.topology, network.topology, "{name}");
        assert_eq!(flat(&back.network), flat(&network), "{name}");
        for ((name, a), (other, b)) in back.network.buffers.iter().zip(&network.buffers) {
            assert!(name == other && a == b, "{name}");
        }
    }
}

#[test]
fn weights_and_normalizations_have_their_roles_in_every_family() {
    for (name, fixture) in index() {
        let network = read(&name, &fixture);
        for entry in &network.layout().entries {
            let is_norm = match network.topology.family.as_str() {
                "VGG" => {
                    entry.shape.len() == 1 && {
                        // `features.1` is the normalization behind the convolution `features.0`.
                        let module = entry.name.rsplit_once('.').unwrap().0;
                        network
                            .layout()
                            .entries
                            .iter()
                            .all(|e| e.name != format!("{module}.weight") || e.shape.len() == 1)
                    }
                }
                _ => ["bn", "batchnorm", "shortcut.1", "downsample.1"]
                    .iter()
                    .any(|part| entry.name.contains(part)),
            };
            let expected = match () {
                () if entry.name.starts_with("whiten") || entry.name.starts_with("normalize") => Role::Frozen,
                () if is_norm => Role::Normalization,
                () => Role::Weight,
            };
            assert_eq!(entry.role, expected, "{name}: {}", entry.name);
        }
    }
}

#[test]
fn what_a_file_says_of_its_network_is_shown() {
    let stored = |name: &str| checkpoint::open(&file(name)).unwrap().summary.stored;
    let awp = stored("f2_preact18_awp");
    assert!(awp.contains(&("test_robust_acc".into(), "0.5291".into())), "{awp:?}");
    assert!(awp.contains(&("test_loss".into(), "0.7".into())), "{awp:?}");
    let kuangliu = checkpoint::open(&file("f1_resnet50_kuangliu")).unwrap().summary;
    assert_eq!(kuangliu.stored, [("acc".to_owned(), "93.1".to_owned())]);
    assert_eq!(kuangliu.epoch, Some(199));
}
