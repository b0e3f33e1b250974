//! The paper's attack names on the command line.

use crate::support::program::{Basin, lenet, reference};

const PGD: &str = "input_linf_gd_normalized_lr0007_mom0_i7_e00314_at1";

#[test]
fn an_attack_by_its_name_has_its_settings_and_images() {
    let basin = Basin::new();
    let (lenet, mnist) = (lenet(), reference("mnist"));
    let evaluate = ["evaluate", &lenet, "--data", &mnist, "--attack", PGD];
    let record = basin.record(&[&evaluate[..], &["--examples", "test:0..8"]].concat());
    let attack = &record["job"]["attack"];
    assert_eq!((attack["epsilon"].as_f64(), attack["steps"].as_u64()), (Some(0.0314), Some(7)));
    assert_eq!(attack["selection"], "wrong-class-confidence");
    assert_eq!(record["job"]["data"]["examples"], "test:0..8", "--examples goes before the name's images");
    // Without it the name's thousand images are wanted, which this small set does not have.
    basin.refused(&evaluate, &["test", "1000"]);
    // As part of a landscape or flatness it is the same attack.
    let quick = ["--data", &mnist, "--examples", "test:0..8", "--attack", PGD];
    let landscape = basin.record(&[&["landscape", &lenet, "--steps", "3"], &quick[..]].concat());
    assert_eq!(&landscape["job"]["attack"], attack);
    let flatness = basin
        .record(&[&["flatness", &lenet, "--draws", "1", "--reference-restarts", "1"], &quick[..]].concat());
    assert_eq!(&flatness["job"]["attack"], attack);
}

#[test]
fn a_flatness_measure_by_its_name() {
    let basin = Basin::new();
    let (lenet, mnist) = (lenet(), reference("mnist"));
    let name = "weight_l2_random_nonorm2_e025_at3_test";
    let flatness = ["flatness", &lenet, "--data", &mnist, "--preset", name, "--examples", "test:0..8"];
    let record = basin.record(&flatness);
    assert_eq!(record["job"]["case"], "average");
    assert_eq!(record["outcome"]["radii"][0]["radius"], 0.25);
    assert_eq!(record["outcome"]["radii"][0]["draws"].as_array().unwrap().len(), 3);
    basin.misused(&[&flatness[..], &["--radius", "0.1"]].concat(), &["--preset", "--radius"]);
    basin.misused(&[&flatness[..], &["--attack", "pgd"]].concat(), &["--preset", "--attack"]);
    basin.misused(&["flatness", &lenet, "--preset", PGD], &[PGD, "basin evaluate"]);
}

#[test]
fn unknown_names_and_lost_settings_are_refused() {
    let basin = Basin::new();
    let lenet = lenet();
    basin.misused(
        &["evaluate", &lenet, "--attack", "input_linf_gd_normalized_lr0007_mom0_i7_e0314_at1"],
        &["the nearest is", PGD],
    );
    basin.misused(
        &["evaluate", &lenet, "--attack", "fgsm"],
        &["fgsm", "none, pgd, pgd:restarts=5, or a name of the paper"],
    );
    basin.misused(
        &["evaluate", &lenet, "--attack", "weight_l2_random_nonorm2_e05_at10"],
        &["attacks weights", "--preset"],
    );
    basin.misused(
        &["evaluate", &lenet, "--attack", PGD, "--epsilon", "0.1"],
        &["stands for all settings", "--attack pgd"],
    );
    basin.misused(
        &["flatness", &lenet, "--preset", "weight_l2_random_nonorm2_e05_at11_test"],
        &["the nearest is weight_l2_random_nonorm2_e05_at1"],
    );
}
