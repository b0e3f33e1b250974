//! `basin rescale`, `average`, `calibrate` and `pick` as a user runs them.

use crate::support::program::{Basin, lenet, reference};

fn resnet(name: &str) -> String {
    reference(&format!("checkpoints/resnet_rebn_{name}.pth.tar"))
}

fn study(name: &str) -> String {
    format!("{}/../resources/study/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// The numbers before and after in the line that begins so.
fn pair(text: &str, begin: &str) -> [f64; 2] {
    let line =
        text.lines().find(|line| line.starts_with(begin)).unwrap_or_else(|| panic!("no {begin}: {text}"));
    let number = |what: &str| {
        let before = line.split(what).next().unwrap();
        before.split_whitespace().rev().find_map(|word| word.parse().ok()).unwrap()
    };
    [number(" before"), number(" after")]
}

#[test]
fn a_rescaled_checkpoint_answers_as_before() {
    let basin = Basin::new();
    let done = basin.ok(&["rescale", &resnet("trained"), "--factor", "0.5", "--out", "half.safetensors"]);
    assert!(done.out.starts_with("20 layers multiplied by 0.5\n"), "{}", done.out);
    let [before, after] = pair(&done.out, "L2 norm");
    assert!((after - 0.5 * before).abs() < 1e-3);
    let [before, after] = pair(&done.out, "on bundled");
    assert_eq!(before, after, "{}", done.out);
    assert!(done.out.contains("half.safetensors: "), "{}", done.out);
    // Back to the size of the first one.
    let again = basin.ok(&[
        "rescale",
        "half.safetensors",
        "--like",
        &resnet("trained"),
        "--out",
        "whole.pt",
        "--norm",
        "l2",
    ]);
    let [_, after] = pair(&again.out, "L2 norm");
    assert!((after - pair(&done.out, "L2 norm")[0]).abs() < 1e-3, "{}", again.out);
    let layers = basin.ok(&[
        "rescale",
        "half.safetensors",
        "--like",
        &resnet("init"),
        "--per-layer",
        "--last-layer",
        "--out",
        "like.pt",
    ]);
    assert!(layers.out.contains(" to ") && layers.out.contains("the last one among them"), "{}", layers.out);
    assert!(basin.ok(&["inspect", "like.pt"]).out.contains("ResNet"));
}

#[test]
fn networks_are_averaged_and_calibrated() {
    let basin = Basin::new();
    let (init, trained) = (resnet("init"), resnet("trained"));
    basin.ok(&["average", &init, &trained, "--shares", "1,3", "--out", "mean.safetensors"]);
    let own = ["average", &init, &trained, "--calibrate", "train:0..100", "--out", "own.safetensors"];
    basin.ok(&own);
    assert_ne!(
        std::fs::read(basin.path("mean.safetensors")).unwrap(),
        std::fs::read(basin.path("own.safetensors")).unwrap()
    );
    basin.refused(&own, &["own.safetensors", "is there already", "--force"]);
    basin.ok(&["calibrate", "mean.safetensors", "--examples", "train:0..50", "--out", "calibrated.pt"]);
    basin.ok(&["evaluate", "own.safetensors", "--examples", "test:0..20"]);
    basin.misused(
        &["average", &init, &trained, "--shares", "1", "--out", "x.pt"],
        &["1 numbers for 2 checkpoints"],
    );
    basin.misused(&["average", &init, &trained, "--shares", "1,-1", "--out", "x.pt"], &["at least 0"]);
    basin.misused(&["average", &init, "--out", "x.pt"], &["2"]);
    basin.refused(
        &["average", &init, &lenet(), "--out", "x.pt"],
        &["lenet", "give networks of one architecture"],
    );
    basin.refused(&["calibrate", &lenet(), "--out", "x.pt"], &["lenet", "1 x 28 x 28", "choose other data"]);
    let plain = reference("checkpoints/resnet_nonorm_mish_rescale.pth.tar");
    basin.refused(&["calibrate", &plain, "--out", "x.pt"], &["has no batch normalization"]);
    basin.refused(
        &["rescale", &plain, "--factor", "2", "--out", "x.pt"],
        &["no layer before a normalization"],
    );
    basin
        .misused(&["rescale", &init, "--factor", "0", "--out", "x.pt"], &["--factor 0", "a positive number"]);
    basin.misused(&["rescale", &init, "--out", "x.pt"], &["--factor"]);
    assert!(!basin.path("x.pt").exists());
}

#[test]
fn a_snapshot_is_picked_afterwards() {
    let basin = Basin::new();
    let at = study("at");
    let images = ["--examples", "test:0..40", "--attack", "pgd", "--attack-steps", "2"];
    let pick =
        |by: &str, out: &str| basin.ok(&[&["pick", &at, "--by", by, "--out", out], &images[..]].concat()).out;
    let text = pick("robust", "best.safetensors");
    assert_eq!(text.lines().filter(|line| line.starts_with("epoch-")).count(), 7, "{text}");
    assert!(text.contains("has the lowest robust error"), "{text}");
    assert!(pick("clean", "clean.pt").contains("has the lowest clean error"));
    let few = basin.ok(&[
        "pick",
        &at,
        "--epoch",
        "0,5",
        "--by",
        "clean",
        "--examples",
        "test:0..20",
        "--out",
        "few.pt",
    ]);
    assert_eq!(few.out.lines().filter(|line| line.starts_with("epoch-")).count(), 2, "{}", few.out);
    basin.misused(&["pick", &at, "--out", "x.pt"], &["needs an attack", "--by clean"]);
    basin
        .misused(&["pick", &lenet(), "--by", "clean", "--out", "x.pt"], &["is not the folder of a training"]);
}
