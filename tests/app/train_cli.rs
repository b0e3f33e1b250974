//! `basin train` as a user runs it.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::program::{self, Basin};

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
    every_network_is_measured(&basin);
    // Once more changes nothing; with other settings it is refused.
    assert_eq!(basin.run(&["train", "run", "--json"]).code, Some(0));
    let again = basin.run(&arguments(PLAIN, &["--epochs", "2", "--out", "run"]));
    assert!(again.code == Some(1) && again.err.contains("holds another training"), "{}", again.err);
}

/// One command measures the networks that the folder `run` kept: epochs 0 and 1, and their averages.
fn every_network_is_measured(basin: &Basin) {
    let evaluate = ["evaluate", "run", "--examples", "test:0..10", "--attack", "pgd", "--attack-steps", "1"];
    let all = [&evaluate[..], &["--snapshots", "--out", "all"]].concat();
    let first = basin.ok(&all);
    let names = ["epoch-0000", "epoch-0000-average", "epoch-0001", "epoch-0001-average"];
    let words: Vec<&str> = first.out.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(words, names, "{}", first.out);
    for name in names {
        let record = basin.json(&format!("all/evaluate-{name}.json"));
        assert_eq!(record["job"]["checkpoint"], format!("run/snapshots/{name}.safetensors"));
    }
    let again = basin.ok(&all);
    assert!(again.err.contains("4 of 4, epoch-0001-average: done already"), "{}", again.err);
    assert_eq!(first.out, again.out);
    let numbers = |epochs: &str| -> Vec<serde_json::Value> {
        let records = basin.record(&[&evaluate[..], &["--epoch", epochs]].concat());
        records.as_array().unwrap().iter().map(|record| record["outcome"].clone()).collect()
    };
    let both = numbers("0..9");
    assert_eq!((both.len(), numbers("1..2:1"), numbers("1")), (2, both[1..].to_vec(), both[1..].to_vec()));
    assert_eq!(both[1], basin.json("all/evaluate-epoch-0001.json")["outcome"]);
    // A folder stands for its final network.
    let [last, folder] = ["run/final.safetensors", "run"].map(|checkpoint| {
        basin.record(&["evaluate", checkpoint, "--examples", "test:0..10"])["outcome"].clone()
    });
    assert_eq!(last, folder);
    basin.refused(&[&evaluate[..], &["--epoch", "0,7"]].concat(), &["no network of epoch 7", "0, 1"]);
    basin.refused(&[&evaluate[..], &["--epoch", "7..9"]].concat(), &["no network of these epochs"]);
    basin.misused(&["evaluate", "bundled", "--epoch", "3"], &["bundled is not the folder of a training"]);
    basin.misused(&[&evaluate[..], &["--epoch", "3..1"]].concat(), &["selects no epochs"]);
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
            assert!(begun.elapsed() < Duration::from_secs(240), "no epoch is ever finished");
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
    for part in [
        "training diverged in step 1 (epoch 1 of 2, learning rate 1000000.0), in its weight step",
        "there is no snapshot yet",
    ] {
        assert!(done.err.contains(part), "{part:?} is not in: {}", done.err);
    }
}

#[test]
fn fractions_are_numbers() {
    let basin = Basin::new();
    let settings = ["--set", "attack.epsilon=8/255", "--set", "attack.step_size=2/255", "--dry-run"];
    let dry = basin.ok(&arguments(PLAIN, &settings));
    let mut job: serde_json::Value = serde_json::from_str(&dry.out).unwrap();
    assert_eq!(
        (&job["attack"]["epsilon"], &job["attack"]["step_size"]),
        (&(8.0 / 255.0).into(), &(2.0 / 255.0).into())
    );
    // In a file they are texts.
    (job["attack"]["epsilon"], job["attack"]["step_size"]) = ("8/255".into(), "2/255".into());
    basin.write("job.json", job.to_string());
    assert_eq!(basin.ok(&["train", "job.json", "--dry-run"]).out, dry.out);
}

#[test]
fn another_kind_of_optimizer_brings_its_usual_settings() {
    let basin = Basin::new();
    let settings = ["--set", "optimizer.kind=adam", "--set", "optimizer.learning_rate=0.001", "--dry-run"];
    let dry = basin.ok(&arguments(PLAIN, &settings));
    let job: serde_json::Value = serde_json::from_str(&dry.out).unwrap();
    let adam = serde_json::json!({
        "kind": "adam", "learning_rate": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 5e-4
    });
    assert_eq!(job["optimizer"], adam);
    let nesterov = ["--set", "optimizer.kind=adam", "--set", "optimizer.nesterov=true", "--dry-run"];
    basin.misused(&arguments(PLAIN, &nesterov), &["optimizer.nesterov", "no setting"]);
}

#[test]
fn a_dry_run_says_which_images() {
    let basin = Basin::new();
    let dry = basin.ok(&arguments(&format!("{PLAIN}_es"), &["--epochs", "1", "--dry-run"]));
    for words in [
        "trains on train:0..100 of bundled\n",
        "tests after each epoch on test:0..20 and train:0..100 under PGD-7, L-inf 0.0314, stops early by test:59..39 (counting down from 59 to 40) under 5 restarts by wrong-class confidence\n",
        " % of it for tests\n",
    ] {
        assert!(dry.err.contains(words), "{words}: {}", dry.err);
    }
    // Whatever the training's attack is: small steps on another objective.
    let trades = PLAIN.replace("at_", "trades6_").replace("00314", "00392");
    let settings = ["--set", "evaluation.train_images=0", "--dry-run"];
    let dry = basin.ok(&arguments(&trades, &settings));
    assert!(
        dry.err.contains("tests after each epoch on test:0..20 under PGD-7, L-inf 0.0314\n"),
        "{}",
        dry.err
    );
    let job: serde_json::Value = serde_json::from_str(&dry.out).unwrap();
    assert_eq!((&job["attack"]["objective"], &job["attack"]["epsilon"]), (&"kl".into(), &0.0392.into()));
    assert_eq!(
        job["evaluation"],
        serde_json::json!({
            "norm": "linf", "epsilon": 0.0314, "steps": 7, "step_size": 0.007, "restarts": 1,
            "train_images": 0, "held_out_restarts": 5
        })
    );
    let refused = |more: &[&str], parts: &[&str]| basin.misused(&arguments(PLAIN, more), parts);
    refused(
        &["--set", "data.train=test:0..100"],
        &[
            "the training images (test:0..100) and the test images (test:0..20) of bundled share test:0..20",
            "choose ranges apart",
        ],
    );
    let done = basin.run(&arguments(PLAIN, &["--set", "data.test=test:1200..900"]));
    done.is_refusal(&[
        "has 1000 test images, so test:1200..900 (counting down from 1200 to 901) is not possible",
        "select within test:0..1000",
    ]);
}

#[test]
fn a_training_goes_on_with_its_threads() {
    let basin = Basin::new();
    let begin = |out, threads| {
        let all =
            [&["train", "--preset", PLAIN][..], &SMALL, &["--device", "cpu", "--epochs", "4", "--out", out]];
        let all = [&all.concat()[..], &["--threads", threads]].concat();
        let mut child = basin.command(&all).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let begun = Instant::now();
        // Once the second epoch is logged, the state of the first is there.
        let log = basin.path(out).join("log.jsonl");
        while !std::fs::read_to_string(&log).is_ok_and(|log| log.contains("\"epoch\":1,")) {
            assert!(begun.elapsed() < Duration::from_secs(240), "no epoch is ever finished");
            std::thread::sleep(Duration::from_millis(5));
        }
        child.kill().unwrap();
        child.wait().unwrap();
    };
    begin("same", "2");
    let done = basin.ok(&["train", "same"]);
    assert!(done.err.contains("resumes: ") && !done.err.contains("instead of"), "{}", done.err);
    let provenance = basin.json("same/provenance.json");
    assert_eq!((&provenance["device"], provenance.get("warnings")), (&"cpu (2 threads)".into(), None));
    begin("other", "2");
    let done = basin.ok(&["run", "other", "--threads", "1"]);
    assert!(
        done.err.contains("continues with 1 thread instead of 2, so not to the very bits"),
        "{}",
        done.err
    );
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
fn a_dry_run_shows_every_setting_and_what_will_be_warned_of() {
    let basin = Basin::new();
    basin.ok(&["data", "convert", "bundled", "copy"]);
    let extra = r#"data.extra={"name": "copy", "examples": "test:15..65", "share": 0.5}"#;
    let all = arguments(PLAIN, &["--epochs", "1", "--out", "run", "--set", extra]);
    let dry = basin.ok(&[&all[..], &["--dry-run"]].concat());
    let job: serde_json::Value = serde_json::from_str(&dry.out).unwrap();
    for unset in ["initial", "average", "clipping", "steps_per_epoch"] {
        assert_eq!(job.get(unset), Some(&serde_json::Value::Null), "{unset} can be seen");
    }
    let sentence = "5 of the 20 test images are also among those trained on";
    assert!(dry.err.contains(sentence) && !basin.path("run").exists(), "{}", dry.err);
    let done = basin.ok(&all);
    assert_eq!(done.err.matches(sentence).count(), 1, "{}", done.err);
    assert_eq!(basin.json("run/job.json"), job, "what is shown is what is trained");
}

#[test]
fn slips_are_told() {
    let basin = Basin::new();
    basin
        .write("typo.json", r#"{"kind": "train", "attack": {"step": 3}}"#)
        .write("other.json", r#"{"kind": "evaluate", "checkpoint": "bundled"}"#);
    let set = |setting| arguments(PLAIN, &["--set", setting]);
    let (value, fraction, place) = (set("epochs=many"), set("epochs=8/2"), set("attack.step=3"));
    let (top, form, range) = (set("epoch=3"), set("batch_size"), set("data.held_out=999"));
    let cases: [(&[&str], i32, &str); 13] = [
        (&["train", "--preset", "madry"], 2, "is no name of a model"),
        (&["train"], 2, "there is nothing to train; give --preset NAME"),
        (&value, 2, "--set epochs=many: epochs should be a whole number of at least 0, not \"many\""),
        (&fraction, 2, "epochs should be a whole number of at least 0, not \"8/2\""),
        (&place, 2, "there is no setting \"attack.step\" (did you mean steps?)"),
        (&top, 2, "there is no setting \"epoch\" (did you mean epochs?)"),
        (&form, 2, "\"batch_size\" sets nothing; write e.g. attack.steps=3"),
        (&range, 2, "data.held_out should be a selection of examples such as test:0..1000, not 999"),
        (&["train", "--preset", PLAIN, "--channels", "wide"], 2, "\"wide\" is not a whole number"),
        (&["train", "--preset", PLAIN, "--threads", "0"], 2, "use a whole number from 1"),
        (
            &["train", "typo.json"],
            1,
            "has a setting \"attack.step\" that no such job has (did you mean steps?)",
        ),
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
    assert!(wd.err.contains("note: the paper's program uses a weight decay of 0.001 whatever the name says; --as-in-paper does"), "{}", wd.err);
}

#[test]
fn folders_and_files_are_told_apart() {
    let basin = Basin::new();
    let dry = basin.ok(&arguments(PLAIN, &["--epochs", "1", "--dry-run"]));
    basin.write("train.json", &dry.out);
    for out in ["x.json", "runs/x.safetensors", "x.PT"] {
        let folder = out.rsplit_once('.').unwrap().0;
        let remedy = format!("use --out {folder}");
        let parts = ["a training writes a folder", out, &remedy];
        basin.misused(&["run", "train.json", "--out", out], &parts);
        basin.misused(&arguments(PLAIN, &["--out", out]), &parts);
    }
    // A dot alone makes no file.
    let done = basin.ok(&["run", "train.json", "--out", "lr0.05"]);
    assert!(done.out.contains("final.safetensors") && basin.path("lr0.05/final.safetensors").is_file());
    std::fs::create_dir(basin.path("empty")).unwrap();
    std::fs::create_dir(basin.path("other")).unwrap();
    basin.write("other/notes.txt", "");
    // Only an empty one can become one.
    for (folder, what, remedy) in [
        ("empty", "is an empty folder, not that of a training", "basin train --preset NAME --out empty"),
        ("other", "is a folder, but not that of a training", "give the folder of a training, or a job file"),
    ] {
        let holds = "that of a training, which holds job.json, log.jsonl and snapshots; ";
        basin.refused(&["train", folder], &[folder, what, holds, remedy]);
        basin.refused(&["run", folder], &[folder, what, holds, remedy]);
        basin
            .refused(&["plot", folder, "--out", "x.svg"], &[folder, what, holds, "that `basin train` wrote"]);
    }
}

/// Folders that are shared without their provenance are told of without blanks.
#[test]
fn what_is_not_known_is_left_out() {
    let basin = Basin::new();
    basin.ok(&arguments(PLAIN, &["--epochs", "1", "--out", "run"]));
    let whole = basin.ok(&["train", "run"]);
    assert!(
        whole.out.contains("bundled, train:0..100; cpu (1 thread), search in f32, seed 0"),
        "{}",
        whole.out
    );
    std::fs::remove_file(basin.path("run/provenance.json")).unwrap();
    let done = basin.ok(&["train", "run"]);
    assert_eq!(done.out, whole.out.replace("cpu (1 thread), search in f32, ", ""));
    basin.write("run/provenance.json", "{");
    basin
        .run(&["plot", "run", "--out", "x.svg"])
        .is_refusal(&["run/provenance.json", "is damaged; remove it"]);
    basin.write("run/job.json", "{");
    basin.run(&["plot", "run", "--out", "x.svg"]).is_refusal(&["run/job.json", "restore it from a copy"]);
}

/// What follows from the images or the initial checkpoint stands in the job; what contradicts them is refused.
#[test]
fn the_job_states_the_network_that_is_trained() {
    let basin = Basin::new();
    let data = "10 classes, images of 3x32x32); leave it out";
    basin.refused(
        &arguments(PLAIN, &["--set", "architecture.classes=5", "--dry-run"]),
        &["a network of 5 classes cannot be trained on", "leave architecture.classes out"],
    );
    let grey = ["--set", "architecture.resolution=[1,28,28]", "--out", "run"];
    basin.refused(&arguments(PLAIN, &grey), &["images of [1, 28, 28]", "leave architecture.resolution out"]);
    // Grey images make a grey network, and the same command finds its own folder again.
    let mnist = program::reference("mnist");
    let small =
        ["--set", "data.train=test:0..20", "--set", "data.test=test:20..30", "--set", "attack.steps=1"];
    let on_mnist = ["--data", &mnist, "--channels", "4", "--epochs", "1", "--threads", "1"];
    let train = [&["train", "--preset", PLAIN][..], &on_mnist, &small, &["--device", "cpu"]].concat();
    basin.misused(
        &[&train[..], &["--set", "architecture.resolution=[3,32,32]"]].concat(),
        &["contradicts a network for", "images of 1x28x28); leave it out"],
    );
    basin.ok(&[&train[..], &["--out", "grey"]].concat());
    let job = basin.json("grey/job.json");
    assert_eq!(job["architecture"]["resolution"], serde_json::json!([1, 28, 28]));
    let provenance = basin.json("grey/provenance.json");
    assert_eq!(provenance["complete"], true);
    assert!(provenance["duration_s"].as_f64().unwrap() > 0.0);
    let before = basin.read("grey/log.jsonl");
    basin.ok(&[&train[..], &["--out", "grey"]].concat());
    assert_eq!(basin.read("grey/log.jsonl"), before);
    // Fine-tuning has the network that it begins with.
    basin.ok(&arguments(PLAIN, &["--epochs", "1", "--out", "first"]));
    let tune = ["--set", "initial=first/final.safetensors", "--epochs", "1", "--out", "tuned"];
    let wide = [&tune[..], &["--channels", "8"]].concat();
    let narrow = arguments(PLAIN, &tune);
    let without: Vec<&str> =
        narrow.iter().copied().filter(|part| !["--channels", "4"].contains(part)).collect();
    basin.misused(
        &[&without[..], &wide[wide.len() - 2..]].concat(),
        &["--channels contradicts the network of first/final.safetensors (ResNet-18, 4 channels", data],
    );
    basin.ok(&without);
    assert_eq!(basin.json("tuned/job.json")["architecture"], basin.json("first/job.json")["architecture"]);
    basin.ok(&narrow);
}

/// In the log after every epoch, as curves of their norms, and all of them as a table.
#[test]
fn statistics_of_weights_and_gradients_are_logged_drawn_and_exported() {
    let basin = Basin::new();
    let train = |out, more: &[&str]| {
        let quick = ["--epochs", "2", "--set", "data.train=train:0..40", "--out", out];
        basin.ok(&arguments("normal_training", &[&quick[..], more].concat()));
    };
    train("with", &["--set", "tensor_statistics=true"]);
    train("without", &[]);
    let network = |folder: &str| std::fs::read(basin.path(folder).join("final.safetensors")).unwrap();
    assert!(network("with") == network("without"), "looking on changes nothing");
    let epochs = |folder: &str| -> Vec<serde_json::Value> {
        let log = basin.read(&format!("{folder}/log.jsonl"));
        let lines = log.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        lines.filter(|line| line["kind"] == "epoch").collect()
    };
    assert!(epochs("without").iter().all(|epoch| epoch["tensors"].is_null()));
    basin.ok(&["plot", "with", "--figure", "norms", "--out", "norms.csv"]);
    let table = basin.read("norms.csv");
    let mut rows = table.lines().filter(|line| !line.starts_with('#'));
    let columns: Vec<&str> = rows.next().unwrap().split(',').collect();
    assert_eq!(columns[..5], ["training", "epoch", "tensor", "of", "norm"]);
    let mut squares = [0.0, 0.0];
    for (number, epoch) in epochs("with").iter().enumerate() {
        let tensors = epoch["tensors"].as_array().unwrap();
        assert_eq!(tensors.len(), 66, "all that are trained");
        for tensor in tensors {
            for (of, name) in ["weight", "gradient"].into_iter().enumerate() {
                let row: Vec<&str> = rows.next().unwrap().split(',').collect();
                let head = ["with", &(number + 1).to_string(), tensor["name"].as_str().unwrap(), name];
                assert_eq!(row[..4], head);
                for (column, value) in columns.iter().zip(&row).skip(4) {
                    assert_eq!(tensor[name][column].as_f64(), value.parse().ok(), "{column} of {head:?}");
                }
                squares[of] += if number == 1 { row[4].parse::<f64>().unwrap().powi(2) } else { 0.0 };
            }
        }
    }
    assert_eq!(rows.next(), None);
    assert!(squares[0] > 1.0 && squares[1] > 0.0);
    basin.ok(&["plot", "with", "--figure", "norms", "--out", "norms.svg"]);
    let figure = basin.read("norms.svg");
    assert!(["weights", "gradient", "L2 norm"].iter().all(|word| figure.contains(word)));
    basin.refused(
        &["plot", "without", "--figure", "norms", "--out", "x.pdf"],
        &["without has no statistics of weights and gradients", "tensor_statistics=true"],
    );
}
