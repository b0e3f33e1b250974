//! Readings that names and shapes of tensors do not tell: activations that a family rarely has, shortcuts without
//! tensors. The networks were trained for this with PyTorch (`tests/reference/networks`); `index.json` says how.

use std::path::PathBuf;

use basin_core::checkpoint::{self, Tried, probe, settle};
use basin_core::model::{Mode, logits};
use tch::{Device, Kind};

use crate::support::{Npz, json, reference, relative_difference};

fn file(name: &str) -> PathBuf {
    reference(&format!("networks/{name}.pt"))
}

#[test]
fn networks_are_read_rightly_without_being_told_anything() {
    let index = json("networks/index.json");
    for (name, network) in index.as_object().unwrap() {
        let opened = checkpoint::open(&file(name)).unwrap();
        assert_eq!(opened.network.parameters(), network["parameters"].as_i64().unwrap(), "{name}");
        let settled = settle(opened, &mut |_| Ok(())).unwrap();
        let probe = settled.summary.probe.clone().unwrap();
        assert!(probe.told || probe.likely, "{name}: {probe:?}");
        assert_eq!(settled.summary.assumed, network["reading"].as_str().unwrap(), "{name}: {probe:?}");
        let double = settled.network.to(Device::Cpu, Kind::Double);
        let images = Npz::open("logits/inputs.npz").get("cifar_images").to_kind(Kind::Double);
        let run = logits(&double.topology, &double.params(&double.weights), &images, Mode::Evaluate);
        let wanted = Npz::open(&format!("networks/{name}.npz"));
        let difference = relative_difference(&run, wanted.get("logits_f64"));
        assert!(difference <= 1e-7, "{name}: {difference:e}");
        // Given, it is the same checkpoint.
        let given = format!("{}::{}", file(name).display(), settled.summary.assumed);
        let given = checkpoint::open(&PathBuf::from(given)).unwrap();
        assert_eq!(given.network.topology, settled.network.topology, "{name}");
        assert_eq!(given.summary.hash, settled.summary.hash, "{name}");
    }
}

#[test]
fn other_activations_are_tried_only_where_relu_does_not_fit() {
    let activations = |path: PathBuf| {
        let opened = checkpoint::open(&path).unwrap();
        let tried: Vec<Tried> = probe(&opened, &mut |_| Ok(())).unwrap().tried;
        tried.iter().filter(|tried| tried.assumed.contains("activation=")).count()
    };
    assert_eq!(
        activations(file("trained_resnet18_silu")),
        7,
        "SiLU with every normalization, and GELU with one"
    );
    assert_eq!(activations(reference("families/checkpoints/trained_resnet18.pt")), 0);
    assert_eq!(activations(file("trained_resnet8_padded")), 0);
}

#[test]
fn what_a_file_keeps_as_tensors_of_one_number_is_shown() {
    let summary = checkpoint::open(&file("trained_resnet8_padded")).unwrap().summary;
    let stored = summary.stored.iter().find(|(name, _)| name == "best_prec1").unwrap();
    assert!(stored.1.parse::<f64>().is_ok_and(|accuracy| (40.0..70.0).contains(&accuracy)), "{stored:?}");
    assert!(summary.set_aside.is_empty(), "{:?}", summary.set_aside);
}
