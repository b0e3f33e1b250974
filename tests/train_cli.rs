//! `basin train` as a user runs it.

#[path = "support/program.rs"]
mod program;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use program::Basin;

const PLAIN: &str = "at_linf_gd_normalized_lr0007_mom0_i7_e00314_f100";

/// Settings that make any training take seconds.
const SMALL: [&str; 14] = [
    "--data",
    "bundled",
    "--channels",
    "4",
    "--set",
    "data.train=train:0..100",
    "--set",
    "data.test=test:0..20",
    "--set",
    "data.held_out=test:59..39",
    "--set",
    "attack.steps=2",
    "--set",
    "batch_size=20",
];

fn arguments<'a>(name: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["train", "--preset", name][..], &SMALL, &["--device", "cpu", "--threads", "1"], more].concat()
}

#[test]
fn a_name_becomes_a_folder_of_networks_that_every_command_opens() {
    let basin = Basin::new();
    let name = format!("{PLAIN}_ls01_wa_es");
    let done = basin.run(&arguments(&name, &["--epochs", "2", "--out", "run", "--json"]));
    assert_eq!(done.code, Some(0), "{}", done.err);
    let record: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    let scores = &record["outcome"];
    assert!(done.err.contains("epoch 1: training loss") && done.err.contains("epoch 2: "), "{}", done.err);
    let job = basin.json("run/job.json");
    assert_eq!((&job["kind"], &job["name"]), (&"train".into(), &name.into()));
    assert_eq!((&job["attack"]["steps"], &job["attack"]["epsilon"]), (&2.into(), &0.0314.into()));
    assert_eq!(job["schedule"]["milestones"], serde_json::json!([1, 2, 2]));
    // The scores are those that `basin evaluate` finds.
    let evaluate = [
        "evaluate",
        "run/final.safetensors",
        "--examples",
        "test:0..20",
        "--attack",
        "pgd",
        "--epsilon",
        "0.0314",
    ];
    let record = basin.record(&[&evaluate[..], &["--attack-steps", "2"]].concat());
    for (ours, theirs) in [("error", "clean"), ("robust_error", "robust")] {
        assert_eq!(scores["final"][ours], record["outcome"][theirs]["error"], "{ours}");
    }
    for file in ["average", "average-calibrated", "best", "snapshots/epoch-0000", "snapshots/epoch-0001"] {
        assert_eq!(basin.run(&["inspect", &format!("run/{file}.safetensors")]).code, Some(0), "{file}");
    }
    // Once more changes nothing; with other settings it is refused.
    assert_eq!(basin.run(&["train", "run", "--json"]).code, Some(0));
    let again = basin.run(&arguments(PLAIN, &["--epochs", "2", "--out", "run"]));
    assert!(again.code == Some(1) && again.err.contains("holds another training"), "{}", again.err);
}

#[test]
fn killed_it_goes_on_to_the_same_network() {
    let basin = Basin::new();
    let train = |out| arguments(PLAIN, &["--epochs", "6", "--out", out]);
    assert_eq!(basin.run(&train("whole")).code, Some(0));
    let mut kills = 0;
    for wait_ms in [300, 700, 1100] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_basin"))
            .args(train("killed"))
            .current_dir(basin.path(""))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Some time after its first epoch, or at once where it goes on from one.
        let begun = Instant::now();
        while !basin.path("killed/state.safetensors").is_file() && child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < Duration::from_secs(120), "no epoch is ever finished");
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(wait_ms / 3));
        kills += usize::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(kills > 0, "training was over before it could be killed");
    assert_eq!(basin.run(&["train", "killed"]).code, Some(0));
    let read = |folder: &str| std::fs::read(basin.path(folder).join("final.safetensors")).unwrap();
    assert!(read("killed") == read("whole"));
    let leftovers = |folder: &Path| -> Vec<_> {
        std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .filter(|n| n.to_string_lossy().starts_with(".basin-"))
            .collect()
    };
    // A file that was being written is left under its temporary name at most; none of them is ever read.
    assert!(leftovers(&basin.path("killed")).len() <= kills);
}

#[test]
fn job_files_say_what_presets_say() {
    let basin = Basin::new();
    let dry = basin.run(&arguments(PLAIN, &["--epochs", "1", "--dry-run"]));
    assert!(dry.code == Some(0) && dry.err.contains("5 steps, "), "{}", dry.err);
    basin.write("job.json", &dry.out);
    assert_eq!(basin.run(&["train", "job.json", "--dry-run"]).out, dry.out);
    assert_eq!(basin.run(&["run", "job.json", "--dry-run"]).out, dry.out);
    assert!(!basin.path(PLAIN).exists(), "a dry run leaves nothing behind");
    let listed = basin.run(&["train", "--list"]);
    assert!(listed.code == Some(0) && listed.out.contains(PLAIN));
    let paper = basin.run(&arguments(&PLAIN.replace("at_", "trades6_"), &["--as-in-paper", "--dry-run"]));
    let paper: serde_json::Value = serde_json::from_str(&paper.out).unwrap();
    assert_eq!((&paper["as_in_paper"], &paper["attack"]["objective"]), (&true.into(), &"batch-kl".into()));
}

#[test]
fn divergence_names_the_step_and_the_rate() {
    let basin = Basin::new();
    let done = basin.run(&arguments(PLAIN, &["--epochs", "2", "--set", "optimizer.learning_rate=1e6"]));
    assert_eq!(done.code, Some(1));
    for part in
        ["training diverged in step 1 (epoch 1 of 2, learning rate 1000000.0)", "there is no snapshot yet"]
    {
        assert!(done.err.contains(part), "{part:?} is not in: {}", done.err);
    }
}

#[test]
fn pseudo_labelled_images_join_a_training() {
    let basin = Basin::new();
    let job = basin.run(&arguments(PLAIN, &["--extra", "bundled", "--epochs", "1", "--dry-run"]));
    assert_eq!(job.code, Some(0), "{}", job.err);
    let job: serde_json::Value = serde_json::from_str(&job.out).unwrap();
    assert_eq!(
        job["data"]["extra"],
        serde_json::json!({ "name": "bundled", "examples": "train:0..2000", "share": 0.7 })
    );
    let missing = basin.run(&arguments(PLAIN, &["--extra", "tinyimages500k"]));
    assert_eq!(missing.code, Some(1));
    for part in [
        "500k set of pseudo-labelled tiny images was not found",
        "basin data convert 500k_pseudolabeled.pickle",
    ] {
        assert!(missing.err.contains(part), "{}", missing.err);
    }
    assert!(!basin.path(PLAIN).exists());
}

#[test]
fn slips_are_told() {
    let basin = Basin::new();
    basin
        .write("typo.json", r#"{"kind": "train", "attack": {"step": 3}}"#)
        .write("other.json", r#"{"kind": "evaluate", "checkpoint": "bundled"}"#);
    let wrong_value = arguments(PLAIN, &["--set", "epochs=many"]);
    let wrong_place = arguments(PLAIN, &["--set", "attack.step=3"]);
    let cases: [(&[&str], i32, &str); 7] = [
        (&["train", "--preset", "madry"], 2, "is no name of a model"),
        (&["train"], 2, "required"),
        (&wrong_value, 2, "--set epochs=many"),
        (&wrong_place, 2, "there is no setting \"attack.step\""),
        (&["train", "typo.json"], 1, "has a setting \"attack.step\" that no such job has"),
        (&["train", "other.json"], 1, "is no training but a job of `basin evaluate`"),
        (&["train", "nothing.json"], 1, "does not exist"),
    ];
    for (arguments, code, text) in cases {
        let done = basin.run(arguments);
        assert!(
            done.code == Some(code) && done.err.contains(text),
            "{arguments:?}: {:?} {}",
            done.code,
            done.err
        );
    }
    let wd = basin.run(&arguments(&format!("{PLAIN}_wd005"), &["--dry-run"]));
    assert!(wd.err.contains("note: the paper's program uses a weight decay of 0.001"), "{}", wd.err);
}
