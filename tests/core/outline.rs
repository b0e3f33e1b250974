//! Networks as blocks, against numbers computed by hand, and distributions of tensors' values.

use std::collections::BTreeSet;

use basin_core::checkpoint::{self, BINS, Distribution, Summary, distributions};
use basin_core::model::{
    Architecture, Block, BlockKind, Bypass, Family, InputNormalization, Layout, NAMES, PostActResNet, Role,
    Stem, runs,
};

use crate::support::reference;

/// A network for images as they are.
fn architecture(name: &str) -> Architecture {
    let input = InputNormalization::None;
    Architecture { clamp: false, whiten: false, input, ..Architecture::named(name).unwrap() }
}

fn outline(name: &str) -> Vec<Block> {
    architecture(name).topology().unwrap().outline()
}

fn named<'a>(blocks: &'a [Block], name: &str) -> &'a Block {
    blocks.iter().find(|block| block.name == name).unwrap_or_else(|| panic!("no block {name}"))
}

#[test]
fn blocks_of_a_resnet18_are_as_computed_by_hand() {
    let blocks = outline("resnet18");
    // Name, output, parameters, stride, receptive field.
    let expected = [
        ("conv1", [64, 32, 32], 1_856, 1, 3),
        ("layer1.0", [64, 32, 32], 73_984, 1, 7),
        ("layer1.1", [64, 32, 32], 73_984, 1, 11),
        ("layer2.0", [128, 16, 16], 230_144, 2, 17),
        ("layer2.1", [128, 16, 16], 295_424, 1, 25),
        ("layer3.0", [256, 8, 8], 919_040, 2, 37),
        ("layer3.1", [256, 8, 8], 1_180_672, 1, 53),
        ("layer4.0", [512, 4, 4], 3_673_088, 2, 77),
        ("layer4.1", [512, 4, 4], 4_720_640, 1, 109),
        ("", [512, 1, 1], 0, 1, 133),
        ("linear", [10, 1, 1], 5_130, 1, 133),
    ];
    let found: Vec<_> = blocks
        .iter()
        .map(|b| (b.name.as_str(), b.output, b.parameters, b.stride, b.receptive_field))
        .collect();
    assert_eq!(found, expected);
    assert_eq!(blocks[1].bypass, Some(Bypass::Identity));
    assert_eq!(blocks[3].bypass, Some(Bypass::Layers));
    assert_eq!(blocks[1].layers.last().map(String::as_str), Some("relu"), "the activation behind the sum");
    assert_eq!(runs(&blocks), [1, 2, 1, 1, 1, 1, 1, 1, 1, 1]);
}

#[test]
fn the_receptive_field_of_an_imagenet_resnet18_is_435() {
    let family = PostActResNet { stem: Stem::Imagenet, torchvision: true, ..PostActResNet::default() };
    let architecture = Architecture {
        family: Family::PostActResNet(family),
        resolution: [3, 224, 224],
        ..architecture("resnet18")
    };
    let blocks = architecture.topology().unwrap().outline();
    let [stem, pool] =
        [&blocks[0], &blocks[1]].map(|block| (block.output, block.stride, block.receptive_field));
    assert_eq!(stem, ([64, 112, 112], 2, 7));
    assert_eq!(pool, ([64, 56, 56], 2, 11));
    let last = named(&blocks, "layer4.1");
    assert_eq!((last.output, last.receptive_field), ([512, 7, 7], 435));
}

/// Equal blocks of a deep network are one run, what its branches share is in them.
#[test]
fn a_wide_resnet_70_16_is_few_runs() {
    let blocks = outline("wrn-70-16");
    assert_eq!(blocks.iter().filter(|block| block.kind == BlockKind::Residual).count(), 33);
    assert_eq!(runs(&blocks), [1, 1, 10, 1, 10, 1, 10, 1, 1, 1]);
    let first = named(&blocks, "block2.layer.0");
    assert!(first.layers[0].starts_with("block2.layer.0.bn1:"), "{:?}", first.layers);
    assert_eq!((first.output, first.stride, first.bypass), ([512, 16, 16], 2, Some(Bypass::Layers)));
    // Two convolutions, two batch normalizations and the shortcut.
    assert_eq!(first.parameters, 9 * 256 * 512 + 9 * 512 * 512 + 2 * 256 + 2 * 512 + 256 * 512);
    let last = named(&blocks, "bn1");
    assert_eq!((last.kind, last.parameters), (BlockKind::Normalization, 2048));
    assert_eq!(last.receptive_field, 3 + 22 * 2 + (2 + 21 * 4) + (4 + 21 * 8));
}

/// What is done to images first is one block without parameters.
#[test]
fn preprocessing_is_a_block() {
    let architecture = Architecture { clamp: true, whiten: true, ..architecture("lenet") };
    let blocks = architecture.topology().unwrap().outline();
    assert_eq!((blocks[0].kind, blocks[0].parameters), (BlockKind::Preprocessing, 0));
    assert_eq!(blocks[0].layers.len(), 2);
    assert_eq!((blocks[1].kind, blocks[1].receptive_field), (BlockKind::Convolution, 5));
}

#[test]
fn dense_stages_and_transitions_are_blocks() {
    let blocks = outline("densenet121");
    assert_eq!(runs(&blocks), [1, 6, 1, 1, 12, 1, 1, 24, 1, 1, 16, 1, 1, 1]);
    let dense = named(&blocks, "dense1.1");
    assert_eq!((dense.kind, dense.output, dense.receptive_field), (BlockKind::Dense, [128, 32, 32], 7));
    let transition = named(&blocks, "trans1.conv");
    assert_eq!((transition.kind, transition.output), (BlockKind::Convolution, [128, 32, 32]));
    assert_eq!(transition.parameters, 2 * 256 + 256 * 128);
    assert!(transition.layers[0].starts_with("trans1.bn:"));
}

/// Every layer and every parameter of every family is in one block.
#[test]
fn outlines_are_complete() {
    for (name, _) in NAMES {
        let topology = Architecture::named(name).unwrap().topology().unwrap();
        let blocks = topology.outline();
        let layout = Layout::of(&topology);
        let trained = layout.entries.iter().filter(|entry| entry.role != Role::Frozen);
        let parameters: i64 = trained.map(|entry| entry.len).sum();
        assert_eq!(blocks.iter().map(|block| block.parameters as i64).sum::<i64>(), parameters, "{name}");
        let lines: Vec<&String> = blocks.iter().flat_map(|block| &block.layers).collect();
        let all = topology.describe();
        assert_eq!(lines.len(), all.len(), "{name}");
        assert_eq!(lines.into_iter().collect::<BTreeSet<_>>(), all.iter().collect(), "{name}");
        let last = blocks.last().unwrap();
        assert_eq!(
            (last.kind, last.output),
            (BlockKind::Linear, [topology.outputs() as usize, 1, 1]),
            "{name}"
        );
        assert_eq!(runs(&blocks).iter().sum::<usize>(), blocks.len(), "{name}");
    }
}

#[test]
fn distributions_are_as_computed_by_hand() {
    // 0 to 1000 in a mixed order: 37 and 1001 have no common divisor.
    let values: Vec<f32> = (0..1001).map(|i| ((i * 37) % 1001) as f32).collect();
    let found = Distribution::of("w", &values).unwrap();
    assert_eq!((found.min, found.max, found.low, found.high), (0.0, 1000.0, 1.0, 999.0));
    assert!((found.mean - 500.0).abs() < 1e-9);
    assert!((found.std - ((1001.0_f64 * 1001.0 - 1.0) / 12.0).sqrt()).abs() < 1e-9);
    assert_eq!(found.counts.len(), BINS);
    assert_eq!(found.counts.iter().sum::<u64>(), 999, "0 and 1000 are beyond the edges");
    assert!(found.counts.iter().all(|count| (31..=32).contains(count)), "{:?}", found.counts);
    let constant = Distribution::of("c", &[2.0; 5]).unwrap();
    assert!(constant.counts.is_empty());
    assert_eq!((constant.min, constant.max, constant.std), (2.0, 2.0, 0.0));
    assert_eq!(Distribution::of("empty", &[]), None);
}

#[test]
fn distributions_of_a_file_are_those_of_its_tensors() {
    let path = reference("families/checkpoints/trained_resnet18.pt");
    let summary = checkpoint::inspect(&path).unwrap();
    let mut steps = 0;
    let found = distributions(&path, &mut |_| {
        steps += 1;
        Ok(())
    })
    .unwrap();
    assert_eq!(steps, summary.tensors.len());
    for (distribution, tensor) in found.iter().zip(&summary.tensors) {
        assert_eq!(distribution.name, tensor.name);
        let elements = tensor.shape.iter().product::<i64>() as f64;
        let l2 = (elements * (distribution.std.powi(2) + distribution.mean.powi(2))).sqrt();
        assert!((l2 - tensor.l2_norm).abs() <= 1e-6 * (1.0 + tensor.l2_norm), "{}", tensor.name);
    }
}

/// Summaries that were written before outlines existed can still be read.
#[test]
fn an_older_summary_is_read() {
    let path = reference("families/checkpoints/trained_preact_plain.pt");
    let summary = checkpoint::inspect(&path).unwrap();
    let mut value = serde_json::to_value(&summary).unwrap();
    let fields = value.as_object_mut().unwrap();
    assert!(fields.remove("outline").is_some() && fields.remove("open").is_some());
    let older: Summary = serde_json::from_value(value).unwrap();
    assert!(older.outline.is_empty() && older.open.is_empty());
    assert_eq!(older.tensors, summary.tensors);
}

#[test]
fn what_a_file_leaves_open_can_be_assumed() {
    let open = |name: &str| checkpoint::inspect(&reference(name)).unwrap().open;
    let preact = open("families/checkpoints/trained_preact_plain.pt");
    assert_eq!(preact.shortcut.len(), 2);
    assert!(preact.normalization.iter().any(|name| name == "cifar10-2023"));
    assert!(preact.pooling.is_empty());
    // Assuming something closes nothing: another choice stays possible.
    let assumed = "families/checkpoints/trained_preact_plain.pt::normalization=none,shortcut=plain";
    assert_eq!(open(assumed), preact);
    let plain = open("families/checkpoints/trained_resnet18.pt");
    assert!(plain.shortcut.is_empty());
    let inside = open("families/checkpoints/f1_normalizer_inside.pt");
    assert!(inside.normalization.is_empty(), "the file says how images are normalized");
    let bundled = checkpoint::inspect(&checkpoint::bundled_path().unwrap()).unwrap();
    assert!(bundled.open.is_empty());
}
