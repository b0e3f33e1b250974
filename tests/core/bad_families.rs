//! Damaged and mixed checkpoints of every family: one sentence that names the tensor, what was expected, and the nearest
//! network.

use std::collections::HashSet;

use basin_core::checkpoint;
use basin_core::model::{Architecture, DenseNet, Family, Network};

use crate::support::crafted::{Entry, StateDict};
use crate::support::reference;

/// A network of a family, with names for the changes.
struct Case {
    name: &'static str,
    title: &'static str,
    /// A tensor by which the width is told.
    stem: &'static str,
    /// A block in the middle, and where one more would stand.
    block: &'static str,
    more: &'static str,
    /// A tensor in the middle.
    tensor: &'static str,
}

const CASES: [Case; 13] = [
    Case {
        name: "f1_resnet18",
        title: "ResNet-18, 4 channels",
        stem: "conv1.weight",
        block: "layer3.0.",
        more: "layer3.2.",
        tensor: "layer3.1.conv2.weight",
    },
    Case {
        name: "f1_resnet50_kuangliu",
        title: "ResNet-50, 4 channels",
        stem: "conv1.weight",
        block: "layer2.0.",
        more: "layer2.4.",
        tensor: "layer2.1.conv2.weight",
    },
    Case {
        name: "f1_torchvision_resnet18",
        title: "ResNet-18, 4 channels",
        stem: "conv1.weight",
        block: "layer3.0.",
        more: "layer3.2.",
        tensor: "layer3.1.conv2.weight",
    },
    Case {
        name: "f2_preact18_awp",
        title: "PreActResNet-18, 4 channels",
        stem: "conv1.weight",
        block: "layer3.0.",
        more: "layer3.2.",
        tensor: "layer3.1.conv2.weight",
    },
    Case {
        name: "f3_wrn16_2_trades",
        title: "WideResNet-16-1",
        stem: "block1.layer.0.conv1.weight",
        block: "block2.layer.0.",
        more: "block2.layer.2.",
        tensor: "block2.layer.1.conv1.weight",
    },
    Case {
        name: "f4_dm_wrn16_1",
        title: "WideResNet-16-1 (DeepMind)",
        stem: "layer.0.block.0.conv_0.weight",
        block: "layer.1.block.0.",
        more: "layer.1.block.2.",
        tensor: "layer.1.block.1.conv_0.weight",
    },
    Case {
        name: "f5_dm_preact18",
        title: "PreActResNet-18 (DeepMind)",
        stem: "conv_2d.weight",
        block: "layer_2.0.",
        more: "layer_2.2.",
        tensor: "layer_2.1.conv_2d_1.weight",
    },
    Case {
        name: "f7_gll_resnet20",
        title: "ResNet-20, 4 channels",
        stem: "conv1.weight",
        block: "layer2.0.",
        more: "layer2.3.",
        tensor: "layer2.1.conv1.weight",
    },
    Case {
        name: "f7_gll_vgg9",
        title: "VGG-9",
        stem: "features.0.weight",
        block: "features.7.",
        more: "features.99.",
        tensor: "features.10.weight",
    },
    Case {
        name: "densenet",
        title: "DenseNet-21",
        stem: "conv1.weight",
        block: "dense2.0.",
        more: "dense2.2.",
        tensor: "dense2.1.conv1.weight",
    },
    Case {
        name: "f8_trades_smallcnn",
        title: "SmallCNN",
        stem: "feature_extractor.conv1.weight",
        block: "feature_extractor.conv3.",
        more: "feature_extractor.conv5.",
        tensor: "feature_extractor.conv3.weight",
    },
    Case {
        name: "f9_resnext29",
        title: "ResNeXt-29",
        stem: "conv_1_3x3.weight",
        block: "stage_2.0.",
        more: "stage_2.3.",
        tensor: "stage_2.1.conv_conv.weight",
    },
    Case {
        name: "paper",
        title: "ResNet-18, 8 channels",
        stem: "conv1.weight",
        block: "block1.0.",
        more: "block1.2.",
        tensor: "block1.1.conv1.weight",
    },
];

fn state_dict(case: &Case) -> StateDict {
    match case.name {
        "densenet" => {
            let family = Family::DenseNet(DenseNet { blocks: vec![2, 2, 2, 2], growth: 4 });
            let named = Architecture::named("densenet121").unwrap();
            let architecture = Architecture { family, whiten: false, clamp: false, ..named };
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("x.safetensors");
            checkpoint::save(&file, &Network::fresh(architecture.topology().unwrap(), 1), None).unwrap();
            StateDict::bare(file)
        }
        "paper" => StateDict::bare(reference("checkpoints/resnet_rebn_trained.pth.tar")),
        name => StateDict::bare(reference(&format!("families/checkpoints/{name}.pt"))),
    }
}

/// The sentence by which a file is refused, without its path.
#[track_caller]
fn refusal(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.safetensors");
    std::fs::write(&path, bytes).unwrap();
    match checkpoint::open(&path) {
        Err(error) => {
            let text = error.to_string().replace(&format!("{}: ", path.display()), "");
            assert!(!text.contains('\n') && text.contains("; "), "no sentence with a remedy: {text}");
            text
        }
        Ok(opened) => panic!("opens as {}: {:?}", opened.summary.model, opened.summary.notices),
    }
}

#[track_caller]
fn assert_refused(dict: &StateDict, parts: &[&str]) {
    let text = refusal(&dict.bytes());
    for part in parts {
        assert!(text.contains(part), "no {part:?} in: {text}");
    }
}

#[test]
fn blocks_and_tensors_that_are_missing_or_too_many() {
    for case in &CASES {
        let Case { title, block, more, tensor, .. } = case;
        let dict = state_dict(case);
        let looks = format!("looks like {title}");
        let whole = dict.tensors.len().to_string();
        let lacks = format!("but lacks {block}");
        let without = dict.clone().without(|name| name.starts_with(block));
        assert_refused(&without, &[&looks, &lacks, "of its "]);
        let lacks = format!("but lacks {tensor} (1 of its ");
        assert_refused(
            &dict.clone().without(|name| name == *tensor),
            &[&looks, &lacks, "save the whole state dictionary"],
        );
        // One more block, as the one in the middle.
        let mut larger = dict.clone();
        let copies = dict.tensors.iter().filter(|t| t.name.starts_with(block)).cloned();
        larger.tensors.extend(copies.map(|t| Entry { name: t.name.replacen(block, more, 1), ..t }));
        assert_refused(&larger, &[more, "check which program wrote it"]);
        // So many of them that none can be right, within the network and beside it.
        let junk = |prefix: &str| {
            let mut junk = dict.clone();
            let entries = (0..10_000).map(|number| Entry {
                name: format!("{prefix}{number}.weight"),
                kind: "F32",
                shape: vec![1],
                bytes: vec![0; 4],
            });
            junk.tensors.extend(entries);
            junk
        };
        assert_refused(&junk(block), &[&looks, "also has", &format!("{block}0.weight")]);
        let told = "but also has 10000 tensors that it does not use, more.0.weight among them";
        assert_refused(&junk("more."), &[&looks, told, &whole]);
    }
}

#[test]
fn a_missing_first_or_last_layer_is_named() {
    for case in &CASES {
        let dict = state_dict(case);
        let head = ["linear", "fc", "logits", "classifier.fc3", "classifier"];
        let weight = |name: &&str| dict.tensors.iter().any(|tensor| tensor.name == format!("{name}.weight"));
        let head = head.into_iter().find(weight).unwrap();
        let looks = format!("looks like {}", case.title);
        // As of an encoder, or with a head in a list of layers.
        let without = dict.clone().without(|name| name.starts_with(&format!("{head}.")));
        assert_refused(&without, &[&looks, &format!("but lacks {head}.")]);
        let mut listed = dict.clone();
        for tensor in &mut listed.tensors {
            if let Some(suffix) = tensor.name.strip_prefix(&format!("{head}.")) {
                tensor.name = format!("{head}.1.{suffix}");
            }
        }
        assert_refused(&listed, &[&looks, &format!("but lacks {head}."), &format!("and has {head}.1.")]);
        if case.title != "VGG-9" {
            let without = dict.without(|name| name == case.stem);
            assert_refused(&without, &[&looks, &format!("but lacks {}", case.stem)]);
        }
    }
}

#[test]
fn one_shape_that_is_off_is_named_wherever_it_is() {
    for case in &CASES {
        let dict = state_dict(case);
        for name in [case.tensor, case.stem] {
            let mut off = dict.clone();
            let entry = off.get(name);
            entry.shape[0] *= 2;
            entry.bytes = entry.bytes.repeat(2);
            let told = format!("{name} has shape {:?}, but {}", entry.shape, case.title);
            assert_refused(&off, &[&told, "needs ["]);
        }
    }
}

#[test]
fn a_prefix_on_half_of_the_names_is_told() {
    for case in &CASES {
        let dict = state_dict(case);
        let half = dict.tensors.len() / 2;
        for first in [true, false] {
            let mut mixed = dict.clone();
            for (at, tensor) in mixed.tensors.iter_mut().enumerate() {
                if (at < half) == first {
                    tensor.name = format!("module.{}", tensor.name);
                }
            }
            let looks = format!("looks like {}", case.title);
            assert_refused(
                &mixed,
                &[&looks, "of its ", "the prefix \"module.\"", "no prefix", "give all of them one prefix"],
            );
        }
    }
}

#[test]
fn elements_that_are_no_numbers_or_quantized() {
    for case in &CASES {
        let dict = state_dict(case);
        let mut quantized = dict.clone();
        for tensor in quantized.tensors.iter_mut().filter(|tensor| tensor.kind == "F32") {
            tensor.kind = "I8";
            tensor.bytes.truncate(tensor.bytes.len() / 4);
        }
        assert_refused(&quantized, &["has elements of type int8, where float32", "before it is quantized"]);
        let mut diverged = dict.clone();
        diverged.get(case.tensor).set(0, f32::NAN);
        assert_refused(&diverged, &[&format!("{} holds 1 of ", case.tensor), "NaN"]);
    }
}

#[test]
fn weights_of_two_families_under_the_same_names() {
    let dicts: Vec<StateDict> = CASES.iter().map(state_dict).collect();
    // These have the same names.
    let is_resnet = |name: &str| name.starts_with("f1_") || name.contains("resnet20");
    for (case, dict) in CASES.iter().zip(&dicts) {
        for (other, more) in CASES.iter().zip(&dicts) {
            if case.name == other.name || (is_resnet(case.name) && is_resnet(other.name)) {
                continue;
            }
            let known: HashSet<&str> = dict.tensors.iter().map(|tensor| tensor.name.as_str()).collect();
            let mut both = dict.clone();
            both.tensors
                .extend(more.tensors.iter().filter(|tensor| !known.contains(tensor.name.as_str())).cloned());
            let text = refusal(&both.bytes());
            let told = ["two networks under the same names, ", "also has ", "instead", "has shape "];
            assert!(told.iter().any(|part| text.contains(part)), "{} and {}: {text}", case.name, other.name);
        }
    }
}

#[test]
fn numbers_of_blocks_that_no_published_network_has_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.safetensors");
    let dict = state_dict(&CASES[0]).without(|name| name.starts_with("layer2.1."));
    std::fs::write(&path, dict.bytes()).unwrap();
    let notices = checkpoint::open(&path).unwrap().summary.notices.join("; ");
    assert!(notices.contains("no published PostActResNet has 2, 1, 2, 2 blocks in its stages"), "{notices}");
}

#[test]
fn headers_that_lie_about_sizes() {
    for case in &CASES {
        let dict = state_dict(case);
        let mut bytes = dict.bytes();
        bytes[..8].copy_from_slice(&(1u64 << 32).to_le_bytes());
        let text = refusal(&bytes);
        assert!(text.contains("its header claims 4294967296 bytes, where at most "), "{text}");
        let mut large = dict.clone();
        large.get(case.tensor).shape[0] = 1 << 30;
        assert_refused(
            &large,
            &[&format!("({} claims the shape [1073741824, ", case.tensor), "are stored for it"],
        );
    }
}

#[test]
fn a_header_may_have_any_length() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.safetensors");
    // Lengths whose first byte begins JSON, a web page, white space, or a gzip.
    for first in [b'{', b'<', b' ', b'\n', 0x1f] {
        let mut dict = state_dict(&CASES[10]);
        let mut padding = String::new();
        while dict.bytes()[0] != first {
            padding.push('x');
            dict.metadata.insert("padding".into(), padding.clone().into());
        }
        std::fs::write(&path, dict.bytes()).unwrap();
        let opened = checkpoint::open(&path).unwrap_or_else(|error| panic!("{first}: {error}"));
        assert_eq!(opened.summary.family, "SmallCNN");
    }
}
