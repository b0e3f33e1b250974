//! Checkpoints as people hold them: wrapped, converted, incomplete, damaged. Opened with a notice, or refused with
//! a sentence; never a panic, whatever the bytes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use basin_core::Result;
use basin_core::checkpoint::{self, Checkpoint};
use basin_core::model::{Evaluator, Network};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use tch::{Device, Kind, Tensor};

use crate::support::crafted::{StateDict, harmful_dictionary, zip};
use crate::support::process::passed_in_own_process;
use crate::support::reference;

fn path(name: &str) -> PathBuf {
    reference(&format!("checkpoints/{name}"))
}

/// Opens bytes as a file of that name.
fn open_as(name: &str, bytes: &[u8]) -> Result<Checkpoint> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    std::fs::write(&file, bytes).unwrap();
    checkpoint::open(&file)
}

fn open(dict: &StateDict) -> Result<Checkpoint> {
    open_as("x.safetensors", &dict.bytes())
}

/// The sentence with which a file is refused: one line, with the file's name.
fn refusal(result: Result<Checkpoint>) -> String {
    let text = result.expect_err("should be refused").to_string();
    assert!(!text.contains('\n') && text.contains("x.") && text.contains(": "), "{text}");
    text
}

fn flat(network: &Network) -> Vec<f32> {
    let flat = network.weights.flat();
    let mut values = vec![0f32; flat.numel()];
    flat.copy_data(&mut values, flat.numel());
    values
}

/// A gray image through the network.
fn logits(network: &Network) -> Tensor {
    let [c, h, w] = network.topology.resolution;
    let image = Tensor::full([1, c, h, w], 0.5, (Kind::Float, Device::Cpu));
    tch::no_grad(|| Evaluator::new(network, &network.weights, Device::Cpu, Kind::Float, false).logits(&image))
}

#[test]
fn wrappers_around_the_names_are_removed() {
    let bare = StateDict::bare(path("lenet_tiny.pth.tar"));
    let expected = flat(&open(&bare).unwrap().network);
    for prefix in ["module.", "model.", "state_dict.", "state_dict.module.", "net.model.module."] {
        let opened = open(&bare.clone().renamed(|name| format!("{prefix}{name}"))).unwrap();
        assert_eq!(flat(&opened.network), expected, "{prefix}");
        let told = opened.summary.notices.iter().any(|notice| notice.contains("\"module.\""));
        assert_eq!(told, prefix.contains("module."), "{prefix}: {:?}", opened.summary.notices);
    }
    // Optimizer state and the like beside the network.
    let beside = bare.renamed(|name| format!("model.{name}")).with("optimizer.state.0.momentum_buffer", &[7]);
    assert_eq!(flat(&open(&beside).unwrap().network), expected);
}

#[test]
fn two_networks_in_a_file_are_told() {
    let bare = StateDict::bare(path("lenet_tiny.pth.tar"));
    let mut both = bare.clone().renamed(|name| format!("model.{name}"));
    both.tensors.extend(bare.renamed(|name| format!("average.model.{name}")).tensors);
    let opened = open(&both).unwrap();
    assert!(
        opened
            .summary
            .notices
            .iter()
            .any(|n| n.contains("holds 2 networks; the one under \"model\" is used, not average"))
    );
}

/// A bare network under a prefix, with a mean and a deviation of its one channel.
fn normalized(prefix: &str, names: [&str; 2], shape: &[usize], values: [f32; 2]) -> StateDict {
    let bare = StateDict::bare(path("lenet_tiny.pth.tar")).renamed(|name| format!("{prefix}{name}"));
    let mut dict = bare.with(names[0], shape).with(names[1], shape);
    dict.get(names[0]).set(0, values[0]);
    dict.get(names[1]).set(0, values[1]);
    dict
}

#[test]
fn normalization_tensors_beside_a_network_are_applied() {
    let bare = StateDict::bare(path("lenet_tiny.pth.tar"));
    let plain = open(&bare).unwrap().network;
    // The network gets what it would get of a gray image of (0.5 - 0.3) / 0.8.
    let [c, h, w] = plain.topology.resolution;
    let image = Tensor::full([1, c, h, w], 0.25, (Kind::Float, Device::Cpu));
    let evaluator = Evaluator::new(&plain, &plain.weights, Device::Cpu, Kind::Float, false);
    let right = tch::no_grad(|| evaluator.logits(&image));
    for (prefix, names, shape, values) in [
        ("1.", ["0.mean", "0.std"], &[1usize][..], [0.3, 0.8]),
        ("1.", ["0.mean", "0.std"], &[1, 1, 1, 1], [0.3, 0.8]),
        ("", ["mu", "sigma"], &[1, 1, 1], [0.3, 0.8]),
        ("model.", ["normalize.mean", "normalize.std"], &[1], [0.3, 0.8]),
        ("module.model.", ["module.normalizer.new_mean", "module.normalizer.new_std"], &[1], [0.3, 0.8]),
        (
            "state_dict.module.1.",
            ["state_dict.module.0.pixel_mean", "state_dict.module.0.pixel_std"],
            &[],
            [0.3, 0.8],
        ),
        ("1.", ["0.mean", "0.std"], &[1], [0.3 * 255.0, 0.8 * 255.0]),
    ] {
        let opened = open(&normalized(prefix, names, shape, values)).unwrap();
        let notices = opened.summary.notices.join("; ");
        assert!(
            notices.contains(&format!("standardized by {} (0.3) and {} (0.8)", names[0], names[1])),
            "{notices}"
        );
        assert!(!notices.contains("not used"), "{notices}");
        let difference = (logits(&opened.network) - &right).abs().max().double_value(&[]);
        assert!(difference < 1e-5, "{names:?}: {difference}");
    }
}

#[test]
fn tensors_that_are_not_used_are_named_loudly() {
    let told = |dict: &StateDict| open(dict).unwrap().summary.notices.join("; ");
    // Two that differ, a deviation of 0, one alone, another number of channels, something else.
    let mut two =
        normalized("1.", ["0.mean", "0.std"], &[1], [0.3, 0.8]).with("0.b_mean", &[1]).with("0.b_std", &[1]);
    two.get("0.b_std").set(0, 0.5);
    let bare = StateDict::bare(path("lenet_tiny.pth.tar"));
    for (dict, names) in [
        (two, "0.b_mean, 0.b_std, 0.mean, 0.std"),
        (normalized("1.", ["0.mean", "0.std"], &[1], [0.3, 0.0]), "0.mean, 0.std"),
        (normalized("1.", ["0.mean", "0.gamma"], &[1], [0.3, 0.8]), "0.gamma, 0.mean"),
        (normalized("", ["mean", "std"], &[3], [0.3, 0.8]), "mean, std"),
        (bare.clone().with("temperature", &[]), "temperature"),
    ] {
        let notices = told(&dict);
        assert!(notices.contains(&format!("not used are {names};")), "{notices}");
    }
    // Of an optimizer nobody has to know; inspect lists it.
    let beside = bare.renamed(|name| format!("model.{name}")).with("optimizer.state.0.exp_avg", &[7]);
    let summary = open(&beside).unwrap().summary;
    assert!(!summary.notices.join("").contains("not used"), "{:?}", summary.notices);
    assert_eq!(summary.set_aside, ["optimizer (1 tensor)"]);
}

#[test]
fn tensors_of_other_types_matter_only_where_they_are_needed() {
    let bare = StateDict::bare(path("lenet_tiny.pth.tar"));
    let mut strange = bare.clone().with("codebook", &[4]);
    strange.get("codebook").kind = "F8_E4M3";
    strange.get("codebook").bytes.truncate(4);
    assert!(open(&strange).unwrap().summary.notices.join("").contains("not used are codebook"));
    let mut needed = bare;
    let tensor = needed.get("logits.bias");
    tensor.kind = "F8_E4M3";
    tensor.bytes.truncate(tensor.shape[0]);
    let text = refusal(open(&needed));
    assert!(text.contains("logits.bias has elements of type F8_E4M3"), "{text}");
}

#[test]
fn what_the_names_cannot_tell_is_told_in_a_notice() {
    let notices = open(&StateDict::bare(path("lenet_tiny.pth.tar"))).unwrap().summary.notices;
    assert!(notices.iter().any(|n| n.contains("ReLU is assumed")), "{notices:?}");
    assert!(notices.iter().any(|n| n.contains("clamped to [0, 1]")), "{notices:?}");
    let own = open(&StateDict::of(path("lenet_tiny.pth.tar"))).unwrap().summary;
    assert!(own.notices.is_empty() && own.container == "safetensors", "{own:?}");
}

#[test]
fn other_precisions_are_converted_with_a_notice() {
    let bare = StateDict::bare(path("lenet_tiny.pth.tar"));
    let exact = flat(&open(&bare).unwrap().network);
    for (kind, tolerance) in [("F64", 0.0), ("F16", 1e-3), ("BF16", 1e-2)] {
        let mut other = bare.clone();
        for t in other.tensors.iter_mut().filter(|t| t.kind == "F32") {
            let values = t.values();
            t.kind = kind;
            t.bytes = match kind {
                "F64" => values.iter().flat_map(|v| f64::from(*v).to_le_bytes()).collect(),
                "F16" => values.iter().flat_map(|v| half::f16::from_f32(*v).to_le_bytes()).collect(),
                _ => values.iter().flat_map(|v| half::bf16::from_f32(*v).to_le_bytes()).collect(),
            };
        }
        let opened = open(&other).unwrap();
        for (a, b) in flat(&opened.network).iter().zip(&exact) {
            assert!((a - b).abs() <= tolerance * b.abs().max(0.01), "{kind}: {a} and {b}");
        }
        let notices = &opened.summary.notices;
        assert!(notices.iter().any(|n| n.contains("used as float32")), "{kind}: {notices:?}");
    }
    // A number that float32 does not have.
    let mut large = bare;
    let t = large.get("logits.bias");
    t.bytes = t.values().iter().map(|_| 1e300f64).flat_map(f64::to_le_bytes).collect();
    t.kind = "F64";
    assert!(refusal(open(&large)).contains("logits.bias holds"));
}

#[test]
fn batch_counts_may_be_missing() {
    let bare = StateDict::bare(path("lenet_bn_trained.pth.tar"));
    let old = bare.clone().without(|name| name.ends_with("num_batches_tracked"));
    assert!(old.tensors.len() < bare.tensors.len());
    assert_eq!(logits(&open(&old).unwrap().network), logits(&open(&bare).unwrap().network));
}

#[test]
fn auxiliary_heads_epochs_and_containers_are_told() {
    let summary = checkpoint::inspect(&path("resnet_aux.pth.tar")).unwrap();
    assert!(summary.notices.iter().any(|n| n.contains("auxiliary head (9 tensors) is ignored")));
    assert_eq!(summary.epoch, None);
    let summary = checkpoint::inspect(&path("resnet_rebn_trained_full_state.pth.tar")).unwrap();
    assert_eq!((summary.epoch, summary.container.as_str()), (Some(3), "PyTorch legacy"));
    assert_eq!(
        checkpoint::inspect(&path("lenet_bn_trained.dataparallel.zip.pth")).unwrap().container,
        "PyTorch zip"
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.safetensors");
    let network = checkpoint::open(&path("lenet_tiny.pth.tar")).unwrap().network;
    checkpoint::save(&file, &network, Some(7)).unwrap();
    let summary = checkpoint::inspect(&file).unwrap();
    assert_eq!((summary.epoch, summary.container.as_str()), (Some(7), "safetensors"));
    assert_eq!(summary.hash, checkpoint::hash_file(&file).unwrap());
    assert_eq!(summary.bytes, std::fs::metadata(&file).unwrap().len());
}

#[test]
fn unknown_networks_are_named_by_their_first_tensors() {
    let bare = StateDict::bare(path("lenet_tiny.pth.tar"));
    let stranger = bare.clone().renamed(|name| name.replace("logits", "head"));
    let text = refusal(open(&stranger));
    assert!(text.contains("looks like LeNet") && text.contains("lacks logits.weight, logits.bias"), "{text}");
    let stranger = bare.renamed(|name| name.replace("conv", "convolution"));
    let text = refusal(open(&stranger));
    assert!(text.contains("bn0.") && text.contains("it knows ResNet, PreActResNet"), "{text}");
    let class = refusal(open_as("x.pt", &replaced("resnet_aux.pth.tar", b"ResNet", b"ResNeX")));
    assert!(class.contains("class \"ResNeX\""), "{class}");
    let empty = refusal(open_as("x.pt", &zip(&[("archive/data.pkl", b"\x80\x02}.")])));
    assert!(empty.contains("holds no tensors"), "{empty}");
}

/// A reference checkpoint with every `from` replaced.
fn replaced(name: &str, from: &[u8], to: &[u8]) -> Vec<u8> {
    let bytes = std::fs::read(path(name)).unwrap();
    let mut result = Vec::with_capacity(bytes.len());
    let mut rest = bytes.as_slice();
    while let Some(at) = rest.windows(from.len()).position(|w| w == from) {
        result.extend(&rest[..at]);
        result.extend(to);
        rest = &rest[at + from.len()..];
    }
    assert_ne!(result.len(), 0, "{name} has no such bytes");
    result.extend(rest);
    result
}

#[test]
fn containers_that_cannot_be_used_say_why() {
    let big = zip(&[("archive/data.pkl", b"\x80\x02}."), ("archive/byteorder", b"big")]);
    assert!(refusal(open_as("x.pt", &big)).contains("big-endian machine; load and save it again"));
    let other = zip(&[("photo.jpg", b"...")]);
    assert!(refusal(open_as("x.zip", &other)).contains("save model.state_dict()"));
    let harmless = zip(&[("archive/data.pkl", &harmful_dictionary("exit 1"))]);
    assert!(refusal(open_as("x.pt", &harmless)).contains("save model.state_dict()"));
    assert!(refusal(open_as("x.json", b"{\"format\": 1}")).contains("is JSON, not a checkpoint"));
    assert!(refusal(open_as("x.h5", b"\x89HDF\r\n")).contains("is an HDF5 file"));
}

#[test]
fn damaged_safetensors_headers() {
    let whole = StateDict::of(path("lenet_tiny.pth.tar"));
    let bytes = whole.bytes();
    let header = |length: u64| [&length.to_le_bytes()[..], &bytes[8..]].concat();
    for damaged in
        [header(9), header(bytes.len() as u64), header(99_999_999), bytes[..bytes.len() - 4].to_vec()]
    {
        assert!(refusal(open_as("x.safetensors", &damaged)).contains("fetch or save it again"));
    }
    let longer = [&bytes[..], &[0; 4]].concat();
    refusal(open_as("x.safetensors", &longer));
    let mut strange = whole.clone();
    strange.get("logits.bias").kind = "F8_E4M3";
    refusal(open(&strange));
    let mut twice = whole;
    twice.get("logits.bias").shape = vec![1 << 40, 1 << 40];
    refusal(open(&twice));
}

/// Basin's own metadata, changed.
fn with_metadata(change: impl Fn(&mut Value)) -> Result<Checkpoint> {
    let mut dict = StateDict::of(path("lenet_tiny.pth.tar"));
    let mut metadata: Value = serde_json::from_str(dict.metadata["basin"].as_str().unwrap()).unwrap();
    change(&mut metadata);
    dict.metadata.insert("basin".into(), metadata.to_string().into());
    open(&dict)
}

#[test]
fn a_topology_whose_layers_do_not_fit_is_refused() {
    assert!(with_metadata(|_| ()).is_ok());
    assert!(refusal(with_metadata(|m| m["format"] = json!(2))).contains("newer Basin"));
    assert!(refusal(with_metadata(|m| m["topology"] = json!("deep"))).contains("another version of Basin"));
    let layer = |name: &'static str| {
        move |m: &Value| {
            let layers = m["topology"]["layers"].as_array().unwrap();
            layers.iter().position(|l| l["layer"] == name).unwrap_or_else(|| panic!("no {name} in {m}"))
        }
    };
    let set = |name: &'static str, field: &'static str, value: Value| {
        with_metadata(move |m| {
            let at = layer(name)(m);
            m["topology"]["layers"][at][field] = value.clone();
        })
    };
    for result in [
        set("conv", "stride", json!(0)),
        set("conv", "stride", json!(3)),
        set("conv", "padding", json!(-3)),
        set("conv", "padding", json!(i64::MAX)),
        set("conv", "input", json!(2)),
        set("normalize", "channels", json!(3)),
        set("normalize", "norm", json!("group")),
        set("linear", "output", json!(-1)),
        with_metadata(|m| m["topology"]["resolution"] = json!([1, 27, 28])),
        with_metadata(|m| m["topology"]["resolution"] = json!([1, 0, i64::MAX])),
        with_metadata(|m| m["topology"]["classes"] = json!(11)),
        with_metadata(|m| m["topology"]["layers"] = json!([])),
        with_metadata(|m| {
            let at = layer("flatten")(m);
            m["topology"]["layers"].as_array_mut().unwrap().remove(at);
        }),
    ] {
        let text = refusal(result);
        let reasons = ["do not fit together", "lacks", "also has", "has shape"];
        assert!(reasons.iter().any(|reason| text.contains(reason)), "{text}");
    }
}

#[test]
fn impossible_sizes_are_refused_before_anything_is_built() {
    // Numbers among the pickled arguments (blocks, channels), replaced by the largest 32-bit one.
    let large = b"J\xff\xff\xff\x7f";
    for (from, to) in [
        (&b"(K\x01K\x01e"[..], [b"(", &large[..], b"K\x01e"].concat()),
        (b"K\x08X\x07\0\0\0dropout", [&large[..], b"X\x07\0\0\0dropout"].concat()),
    ] {
        let text = refusal(open_as("x.pt", &replaced("resnet_aux.pth.tar", from, &to)));
        assert!(text.contains("2147483647") && text.contains("it is damaged"), "{text}");
    }
}

/// Random damage: bytes changed, cut out, doubled, or the end cut off; half of it where the structure is.
fn damage(bytes: &[u8], rng: &mut ChaCha8Rng) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..rng.random_range(1..4) {
        let len = bytes.len();
        let at = match rng.random_range(0..4) {
            0 => rng.random_range(0..len.min(200)),
            1 => len - 1 - rng.random_range(0..len.min(1500)),
            _ => rng.random_range(0..len),
        };
        let end = (at + rng.random_range(1..40)).min(len);
        match rng.random_range(0..6) {
            0 => bytes[at] ^= 1 << rng.random_range(0..8),
            1 => bytes[at] = rng.random(),
            2 => bytes[at..end].fill(0xff),
            3 => drop(bytes.drain(at..end)),
            4 => {
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
            _ => bytes.truncate(at.max(1)),
        }
    }
    bytes
}

#[test]
fn random_damage_never_panics() {
    if passed_in_own_process("checkpoints::random_damage_never_panics") {
        return;
    }
    let legacy = std::fs::read(path("lenet_tiny.pth.tar")).unwrap();
    let zipped = std::fs::read(path("lenet_bn_trained.state_dict.zip.pth")).unwrap();
    let own = StateDict::of(path("lenet_tiny.pth.tar")).bytes();
    let report = |name: &str| std::fs::read(reference(&format!("../field-reports/{name}"))).unwrap();
    let (objects, averaged) =
        (report("05-optimizer-object/sched.pt"), report("06-two-networks/ema_model.pt"));
    let tar = std::fs::read(reference("torch/tar_storage_view.tar")).unwrap();
    let mut opened = 0;
    for (name, whole) in [
        ("x.legacy", legacy),
        ("x.zip", zipped),
        ("x.safetensors", own),
        ("x.objects", objects),
        ("x.averaged", averaged),
        ("x.tar", tar),
    ] {
        for seed in 0..200 {
            let bytes = damage(&whole, &mut ChaCha8Rng::seed_from_u64(seed));
            let result = catch_unwind(AssertUnwindSafe(|| match open_as(name, &bytes) {
                // What is opened can be used.
                Ok(checkpoint) => {
                    opened += 1;
                    assert_eq!(
                        logits(&checkpoint.network).size(),
                        [1, checkpoint.network.topology.outputs()]
                    );
                }
                Err(error) => drop(refusal(Err(error))),
            }));
            assert!(result.is_ok(), "{name}, seed {seed}");
        }
    }
    assert!(
        (20..500).contains(&opened),
        "{opened} of 1200 could be opened: the damage is too weak or too strong"
    );
    #[cfg(target_os = "linux")]
    {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let kilobytes: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
        assert!(kilobytes < 2_000_000, "reading small files took {kilobytes} kB at its peak");
    }
}
