//! `basin convert` as a user runs it.

use crate::support::program::{Basin, lenet, reference};

#[test]
fn a_state_dictionary_is_written_and_what_it_cannot_say_is_told() {
    let basin = Basin::new();
    let fixture = reference("families/checkpoints/trained_dm_silu.pt");
    let done = basin.ok(&["convert", &fixture, "--out", "x.pt"]);
    assert!(done.out.starts_with("x.pt: ") && done.out.contains("WideResNet-10-1"), "{}", done.out);
    assert_eq!(done.out.lines().count(), 1, "{}", done.out);
    // The reading was found by trying, and is told, as no tensor has it.
    for part in [
        "found by trying",
        "note: images in [0, 1] are normalized by mean 0.4914",
        "--assume normalization=cifar10,activation=silu",
    ] {
        assert!(done.err.contains(part), "no {part:?} in: {}", done.err);
    }
    let native = basin.ok(&["convert", &fixture, "--out", "x.safetensors", "--dtype", "bfloat16"]);
    assert!(native.out.contains("bfloat16"), "{}", native.out);
    let shown = basin.ok(&["inspect", "x.safetensors"]).out;
    assert!(shown.contains("standardize channels"), "{shown}");
    // What is there is kept, unless it is to be replaced.
    let before = std::fs::read(basin.path("x.pt")).unwrap();
    basin.refused(&["convert", &lenet(), "--out", "x.pt"], &["x.pt", "is there already", "--force"]);
    assert!(std::fs::read(basin.path("x.pt")).unwrap() == before);
    basin.ok(&["convert", &lenet(), "--out", "x.pt", "--force"]);
    assert!(basin.ok(&["inspect", "x.pt"]).out.contains("LeNet"));
    // A file can be converted in its own place.
    basin.ok(&["convert", "x.pt", "--out", "x.pt", "--force"]);
    assert_eq!(basin.files().len(), 2, "{:?}", basin.files());
}

#[test]
fn assumptions_decide_what_is_written() {
    let basin = Basin::new();
    let fixture = reference("families/checkpoints/f2_preact18_nobn.pt");
    let convert = |assume: &str, out: &str| {
        basin.ok(&["convert", &fixture, "--assume", assume, "--out", out]);
        std::fs::read(basin.path(out)).unwrap()
    };
    let last = convert("weights=last,normalization=none,shortcut=plain", "last.pt");
    let best = convert("weights=best,normalization=none,shortcut=plain", "best.pt");
    assert_eq!(last.len(), best.len());
    assert!(last != best);
}

#[test]
fn slips_are_told() {
    let basin = Basin::new();
    let lenet = lenet();
    basin.misused(&["convert", &lenet], &["--out"]);
    basin.misused(&["convert", &lenet, "--out", "x.onnx"], &["x.onnx", ".safetensors, .pt or .pth"]);
    basin.misused(&["convert", &lenet, "--out", "x.pt", "--dtype", "int8"], &["float32", "bfloat16"]);
    basin.refused(&["convert", "missing.pt", "--out", "x.pt"], &["missing.pt", "does not exist"]);
    basin.refused(&["convert", &lenet, "--out", "no/such/x.pt"], &["no/such/x.pt", "create it first"]);
}
