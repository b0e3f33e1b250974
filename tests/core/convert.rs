//! Converting checkpoints: names, order and values of the original state dictionaries.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use basin_core::checkpoint::{self, Checkpoint, ElementType, Format, convert};
use basin_core::model::{Architecture, Network, Norm};
use tch::{Kind, Tensor};

use crate::support::{json, reference};

/// Fixtures of other programs, and of the paper's.
fn files() -> Vec<PathBuf> {
    let families = json("families/index.json");
    let families = families.as_object().unwrap().keys();
    let mut files: Vec<PathBuf> =
        families.map(|name| reference(&format!("families/checkpoints/{name}.pt"))).collect();
    files.extend(
        ["lenet_bn_trained", "resnet_rebn_trained"]
            .map(|name| reference(&format!("checkpoints/{name}.pth.tar"))),
    );
    files.push(checkpoint::bundled_path().unwrap());
    files
}

fn written(checkpoint: &Checkpoint, out: &Path, element: ElementType) -> Vec<String> {
    convert(checkpoint, out, Format::of(out).unwrap(), element).unwrap().notes
}

#[track_caller]
fn assert_same(a: &Network, b: &Network, name: &str) {
    let (a, b) = (a.state_dict(), b.state_dict());
    assert_eq!(a.len(), b.len(), "{name}");
    for ((name, a), (other, b)) in a.iter().zip(&b) {
        assert!(name == other && a.size() == b.size() && a.kind() == b.kind(), "{name}, {other}");
        assert!(bits(a) == bits(b), "{name} has other values");
    }
}

fn bits(tensor: &Tensor) -> Vec<u8> {
    let tensor = tensor.contiguous();
    let mut bytes = vec![0; tensor.numel() * tensor.kind().elt_size_in_bytes()];
    tensor.copy_data_u8(&mut bytes, tensor.numel());
    bytes
}

/// Places of all texts in the pickles of a file, each where it first stands.
fn texts(bytes: &[u8]) -> HashMap<&[u8], usize> {
    let mut found = HashMap::new();
    for at in (0..bytes.len().saturating_sub(5)).filter(|&at| bytes[at] == b'X') {
        let length = u32::from_le_bytes(bytes[at + 1..at + 5].try_into().unwrap()) as usize;
        if let Some(text) = bytes.get(at + 5..at + 5 + length).filter(|text| text.len() < 200) {
            found.entry(text).or_insert(at);
        }
    }
    found
}

/// Where names stand in a file, with the prefix that its program put before all of them.
fn places(bytes: &[u8], names: &[String]) -> Option<Vec<usize>> {
    let texts = texts(bytes);
    ["", "module.", "module.0.", "model.", "_orig_mod."].iter().find_map(|prefix| {
        names.iter().map(|name| texts.get(format!("{prefix}{name}").as_bytes()).copied()).collect()
    })
}

#[test]
fn state_dictionaries_have_the_names_the_order_and_the_values_of_the_originals() {
    let folder = tempfile::tempdir().unwrap();
    for file in files() {
        let name = file.display().to_string();
        let opened = checkpoint::open(&file).unwrap();
        let (pt, native) = (folder.path().join("x.pt"), folder.path().join("x.safetensors"));
        let notes = written(&opened, &pt, ElementType::Float32);
        // What the notes say makes the same network of the bare state dictionary.
        let assumed = notes.iter().find_map(|note| note.split_once("--assume ").map(|(_, assumed)| assumed));
        let bare = checkpoint::open(&pt).unwrap();
        assert_same(&bare.network, &opened.network, &name);
        assert!(bare.summary.set_aside.is_empty() && bare.summary.container == "PyTorch zip", "{name}");
        if let Some(assumed) = assumed {
            let read = checkpoint::open(Path::new(&format!("{}::{assumed}", pt.display()))).unwrap();
            assert!(!read.summary.ambiguous, "{name}: {assumed} leaves {:?}", read.summary.notices);
            // Numbers that a file has as float32 tensors are read by their names as float64.
            let (read, whole) = (&read.network.topology, &opened.network.topology);
            assert_eq!((read.describe(), read.resolution), (whole.describe(), whole.resolution), "{name}");
        }
        let (ours, theirs) = (std::fs::read(&pt).unwrap(), std::fs::read(&file).unwrap());
        let names: Vec<String> = opened.network.state_dict().into_iter().map(|(name, _)| name).collect();
        for bytes in [&ours, &theirs] {
            let places = places(bytes, &names).unwrap_or_else(|| panic!("{name} lacks names"));
            assert!(places.is_sorted(), "{name}: another order");
        }
        written(&opened, &native, ElementType::Float32);
        let back = checkpoint::open(&native).unwrap();
        assert!(!back.summary.ambiguous && back.summary.epoch == opened.summary.epoch, "{name}");
        assert_same(&back.network, &opened.network, &name);
        assert_eq!(back.network.topology, opened.network.topology, "{name}");
    }
}

#[test]
fn storages_are_aligned_as_in_files_of_pytorch() {
    let folder = tempfile::tempdir().unwrap();
    let opened = checkpoint::open(&reference("families/checkpoints/f2_preact18_awp.pt")).unwrap();
    let out = folder.path().join("x.pth");
    written(&opened, &out, ElementType::Float32);
    let mut archive = zip::ZipArchive::new(std::fs::File::open(&out).unwrap()).unwrap();
    let count = opened.network.state_dict().len();
    for number in 0..count {
        let entry = archive.by_name(&format!("archive/data/{number}")).unwrap();
        assert_eq!(entry.data_start().unwrap() % 64, 0, "{number}");
        assert_eq!(entry.size(), entry.compressed_size());
    }
    assert_eq!(archive.len(), count + 3, "data.pkl, byteorder, version");
}

#[test]
fn other_element_types_round_and_refuse_what_they_cannot_hold() {
    let folder = tempfile::tempdir().unwrap();
    let file = reference("families/checkpoints/f5_dm_preact18.pt");
    let opened = checkpoint::open(&file).unwrap();
    for (element, kind) in [(ElementType::Float16, Kind::Half), (ElementType::Bfloat16, Kind::BFloat16)] {
        for out in ["x.pt", "x.safetensors"].map(|name| folder.path().join(name)) {
            written(&opened, &out, element);
            let back = checkpoint::open(&out).unwrap();
            for ((name, read), (_, whole)) in
                back.network.state_dict().iter().zip(opened.network.state_dict())
            {
                let rounded =
                    if whole.is_floating_point() { whole.to_kind(kind).to_kind(Kind::Float) } else { whole };
                assert!(bits(read) == bits(&rounded), "{name}");
            }
        }
    }
    let _ = opened.network.weights.view(0).fill_(1e6);
    let out = folder.path().join("large.pt");
    let refused = convert(&opened, &out, Format::Pytorch, ElementType::Float16).unwrap_err().to_string();
    assert!(refused.contains("conv_2d.weight holds values that are too large for float16"), "{refused}");
    assert!(!out.exists());
}

#[test]
fn what_trainings_of_basin_add_is_told_and_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("x.pt");
    let network = |norm| {
        let named = Architecture::named("wrn-10-1").unwrap();
        Network::fresh(
            Architecture { normalization: Some(norm), whiten: true, ..named }.topology().unwrap(),
            3,
        )
    };
    let file = folder.path().join("own.safetensors");
    let own = network(Norm::Batch);
    let names =
        |network: &Network| network.state_dict().into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names(&own)[..2], ["whiten.weight", "whiten.bias"]);
    let at = own.layout().entries.iter().position(|entry| entry.name == "whiten.bias").unwrap();
    own.weights.view(at).copy_(&Tensor::from_slice(&[0.4914f32, 0.4822, 0.4465]));
    checkpoint::save(&file, &own, Some(4)).unwrap();
    let opened = checkpoint::open(&file).unwrap();
    let notes = written(&opened, &out, ElementType::Float32).join("; ");
    assert!(notes.contains("normalized by mean 0.4914, 0.4822, 0.4465"), "{notes}");
    let bare = checkpoint::open(&out).unwrap();
    assert_eq!(names(&bare.network), names(&own)[2..]);
    let (_, assumed) = notes.split_once("--assume ").unwrap();
    let read = checkpoint::open(Path::new(&format!("{}::{assumed}", out.display()))).unwrap();
    let images = Tensor::rand([2, 3, 32, 32], (Kind::Float, tch::Device::Cpu));
    let logits = |network: &Network| {
        let params = network.params(&network.weights);
        basin_core::model::logits(&network.topology, &params, &images, basin_core::model::Mode::Evaluate)
    };
    assert_eq!(bits(&logits(&read.network)), bits(&logits(&opened.network)));
    // A class without such layers cannot load it.
    checkpoint::save(&file, &network(Norm::Reparameterized), None).unwrap();
    let opened = checkpoint::open(&file).unwrap();
    let refused = convert(&opened, &out, Format::Pytorch, ElementType::Float32).unwrap_err().to_string();
    assert!(refused.contains("is a WideResNet with rebn") && refused.contains(".safetensors"), "{refused}");
}
