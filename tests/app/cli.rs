//! The command line's contract, on the built program: names of fields, files, exit codes, going on after an
//! interruption.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::program::{Basin, Done, lenet, reference};

/// PGD that is quick, on few images of the MNIST slice.
const QUICK: [&str; 4] = ["--examples", "test:0..16", "--attack-steps", "2"];

/// The same without attack.
const CLEAN: [&str; 4] = ["--examples", "test:0..16", "--loss", "clean"];

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap_or_else(|| panic!("no object: {value}")).keys().map(String::as_str).collect()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn evaluate<'a>(checkpoint: &'a str, mnist: &'a str, options: &[&'a str]) -> Vec<&'a str> {
    [&["evaluate", checkpoint, "--data", mnist, "--attack", "pgd"], &QUICK[..], options].concat()
}

fn landscape<'a>(checkpoint: &'a str, mnist: &'a str, options: &[&'a str]) -> Vec<&'a str> {
    [&["landscape", checkpoint, "--data", mnist], &QUICK[..], options].concat()
}

fn clean_landscape<'a>(checkpoint: &'a str, mnist: &'a str, options: &[&'a str]) -> Vec<&'a str> {
    [&["landscape", checkpoint, "--data", mnist], &CLEAN[..], options].concat()
}

#[test]
fn inspect_says_what_a_checkpoint_is() {
    let basin = Basin::new();
    let lenet = lenet();
    let summary = basin.record(&["inspect", &lenet]);
    assert_eq!(
        keys(&summary),
        [
            "path",
            "hash",
            "bytes",
            "container",
            "family",
            "model",
            "normalization",
            "activation",
            "classes",
            "resolution",
            "epoch",
            "parameters",
            "preprocessing",
            "topology",
            "outline",
            "tensors",
            "notices",
            "networks",
            "set_aside",
            "assumed",
            "ambiguous",
            "probe",
            "stored",
        ]
    );
    assert_eq!(keys(&summary["tensors"][0]), ["name", "shape", "role", "l2_norm"]);
    assert_eq!(summary["path"], lenet.as_str());
    assert_eq!(summary["family"], "LeNet");
    assert_eq!(summary["resolution"], json!([1, 28, 28]));
    assert_eq!(summary["classes"], 10);
    let text = basin.ok(&["inspect", &lenet]).out;
    for part in ["LeNet, 8 channels, bn", "1 x 28 x 28", summary["hash"].as_str().unwrap(), "conv0.weight"] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    assert_eq!(basin.record(&["inspect", "bundled"])["family"], "ResNet");
}

#[test]
fn json_is_all_that_is_printed() {
    let basin = Basin::new();
    let (lenet, mnist) = (lenet(), reference("mnist"));
    let common = ["--data", &mnist, "--examples", "test:0..4", "--json", "--out"];
    for (command, options) in [
        ("evaluate", &["--attack", "pgd", "--attack-steps", "2", "--keep-examples"][..]),
        ("attack", &["--attacks", "apgd-ce,square", "--steps", "2", "--queries", "4", "--keep-examples"]),
        ("flatness", &["--loss", "clean", "--draws", "2", "--per-layer"]),
        ("landscape", &["--loss", "clean", "--steps", "3"]),
        ("benchmark", &["--attacks", "weight_l2_random_nonorm2_e05_at10_test"]),
    ] {
        let file = format!("{command}.json");
        let all = [&[command, &lenet][..], &common, &[&file], options].concat();
        // Computed, and found to be there already.
        for _ in 0..2 {
            let printed = basin.ok(&all).out;
            let record: Value =
                serde_json::from_str(&printed).unwrap_or_else(|e| panic!("{command}: {e}: {printed}"));
            assert_eq!(record, basin.json(&file), "{command}");
        }
    }
}

#[test]
fn evaluate_has_the_fields_of_the_contract() {
    let basin = Basin::new();
    let (lenet, mnist) = (lenet(), reference("mnist"));
    let record = basin.record(&evaluate(&lenet, &mnist, &["--seed", "3", "--out", "x.json"]));
    assert_eq!(basin.json("x.json"), record, "--out and --json differ");
    assert_eq!(keys(&record), ["format", "job", "provenance", "outcome"]);
    let outcome = &record["outcome"];
    assert_eq!(keys(outcome), ["kind", "clean", "robust"]);
    for part in ["clean", "robust"] {
        assert_eq!(keys(&outcome[part]), ["loss", "error", "metrics", "per_example"]);
        let area = outcome[part]["metrics"]["area_under_curve"].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&area));
        let rows = &outcome[part]["per_example"];
        let columns = ["index", "label", "loss", "predicted", "confidence", "broken", "broken_confidence"];
        assert_eq!(keys(rows), if part == "clean" { &columns[..5] } else { &columns });
        assert!(rows.as_object().unwrap().values().all(|column| column.as_array().unwrap().len() == 16));
        let losses = numbers(&rows["loss"]);
        let mean = losses.iter().sum::<f64>() / 16.0;
        assert!((mean - outcome[part]["loss"].as_f64().unwrap()).abs() < 1e-6);
    }
    let error = |part: &str| outcome[part]["error"].as_f64().unwrap();
    assert!(error("robust") >= error("clean"));
    // Wrong clean or attacked.
    let rows = |part: &str, column: &str| numbers(&outcome[part]["per_example"][column]);
    let wrong = (0..16).filter(|i| {
        let label = rows("clean", "label")[*i];
        [rows("clean", "predicted")[*i], rows("robust", "predicted")[*i]].iter().any(|p| *p != label)
    });
    assert!((wrong.count() as f64 / 16.0 - error("robust")).abs() < 1e-12);

    assert_eq!(record["job"]["kind"], "evaluate");
    assert_eq!(record["job"]["checkpoint"], lenet.as_str());
    assert_eq!(record["job"]["attack"]["steps"], 2);
    let provenance = &record["provenance"];
    assert_eq!(provenance["seed"], 3);
    assert_eq!(provenance["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(provenance["complete"], true);
    assert_eq!(provenance["measure_precision"], "f32");
    assert_eq!(provenance["checkpoint_hash"], basin.record(&["inspect", &lenet])["hash"]);
    for field in ["device", "search_precision", "data", "data_fingerprint", "model", "started"] {
        assert!(!provenance[field].as_str().unwrap().is_empty(), "{field}");
    }
    assert!(provenance["duration_s"].as_f64().unwrap() > 0.0 && provenance["batch_size"] == 16);

    let clean = basin.record(&["evaluate", &lenet, "--data", &mnist, "--examples", "test:0..16"]);
    assert_eq!(keys(&clean["outcome"]), ["kind", "clean"]);
    assert_eq!(clean["outcome"]["clean"], *outcome.get("clean").unwrap());
    assert_eq!(clean["provenance"]["data_fingerprint"], provenance["data_fingerprint"]);
}

#[test]
fn every_family_is_evaluated() {
    let basin = Basin::new();
    let mnist = reference("mnist");
    for (name, family) in
        [("lenet_bn_trained", "LeNet"), ("mlp_bn", "MLP"), ("mlp_rebn_softplus_dropout", "MLP")]
    {
        let checkpoint = reference(&format!("checkpoints/{name}.pth.tar"));
        let record = basin.record(&evaluate(&checkpoint, &mnist, &[]));
        assert!(record["provenance"]["model"].as_str().unwrap().starts_with(family), "{name}");
        assert!(record["outcome"]["robust"]["loss"].as_f64().unwrap().is_finite());
    }
    let record = basin.record(&[
        "evaluate",
        "bundled",
        "--attack",
        "pgd",
        "--examples",
        "test:0..4",
        "--attack-steps",
        "2",
    ]);
    assert!(record["provenance"]["model"].as_str().unwrap().starts_with("ResNet-18, 8 channels"));
    assert_eq!(record["job"]["checkpoint"], "bundled", "no path into anyone's home folder");
    // The trained LeNet knows its digits.
    let record = basin.record(&["evaluate", &lenet(), "--data", &mnist, "--examples", "test:0..160"]);
    assert!(record["outcome"]["clean"]["error"].as_f64().unwrap() < 0.1);
}

#[test]
fn landscape_has_the_fields_of_the_contract() {
    let basin = Basin::new();
    let (lenet, mnist) = (lenet(), reference("mnist"));
    let line = basin.record(&landscape(&lenet, &mnist, &["--steps", "5", "--out", "line.json"]));
    assert_eq!(basin.json("line.json"), line);
    assert_eq!(basin.files(), ["line.json".to_owned()].into(), "the journal of a finished job is gone");
    let outcome = &line["outcome"];
    assert_eq!(keys(outcome), ["kind", "x", "clean", "robust", "directions"]);
    assert_eq!(outcome["x"], json!([-1.0, -0.5, 0.0, 0.5, 1.0]));
    for part in ["clean", "robust"] {
        assert_eq!(keys(&outcome[part]), ["loss", "error"]);
        assert_eq!(numbers(&outcome[part]["loss"]).len(), 5);
        assert!(numbers(&outcome[part]["error"]).iter().all(|e| (0.0..=1.0).contains(e)));
    }
    // The middle is the checkpoint itself.
    let middle = basin.record(&evaluate(&lenet, &mnist, &[]));
    for part in ["clean", "robust"] {
        assert_eq!(outcome[part]["loss"][2], middle["outcome"][part]["loss"], "{part}");
    }

    let options = ["--steps", "3", "--second", "random", "--normalize", "filter"];
    let plane = basin.record(&clean_landscape(&lenet, &mnist, &options));
    let outcome = &plane["outcome"];
    assert_eq!(keys(outcome), ["kind", "x", "y", "clean", "directions", "cosine"]);
    assert_eq!(outcome["x"], outcome["y"]);
    let rows = outcome["clean"]["loss"].as_array().unwrap();
    assert!(rows.len() == 3 && rows.iter().all(|row| numbers(row).len() == 3));
    assert_eq!(outcome["directions"].as_array().unwrap().len(), 2);
    // Two draws, not the same one twice.
    assert!(outcome["cosine"].as_f64().unwrap().abs() < 0.5);
}

#[test]
fn a_dry_run_prints_the_job_that_is_then_run_from_a_file() {
    let basin = Basin::new();
    let (lenet, mnist) = (lenet(), reference("mnist"));
    let few = ["--data", &mnist, "--examples", "test:0..6"];
    for command in [
        &["flatness", &lenet, "--loss", "clean", "--draws", "2"][..],
        &["relative-flatness", &lenet, "--attack-steps", "2"],
        &["benchmark", &lenet, "--attacks", "weight_l2_random_nonorm2_e025_at3_test"],
    ] {
        let asked = [command, &few].concat();
        let dry = basin.ok(&[&asked[..], &["--dry-run"]].concat());
        basin.write("job.json", &dry.out);
        let record = basin.record(&["run", "job.json"]);
        assert_eq!(record["outcome"], basin.record(&asked)["outcome"], "{command:?}");
        basin.misused(&[&asked[..], &["--dry-run", "--json"]].concat(), &["cannot be used with"]);
    }
}

#[test]
fn flags_files_and_records_are_the_same_job() {
    let basin = Basin::new();
    let (lenet, mnist) = (lenet(), reference("mnist"));
    let options = ["--steps", "3", "--loss", "robust-fixed", "--epsilon", "8/255", "--seed", "5"];
    let flags = basin.record(&landscape(&lenet, &mnist, &[&options[..], &["--out", "flags.json"]].concat()));
    assert_eq!(flags["job"]["attack"]["epsilon"], json!(8.0 / 255.0));
    basin.write("job.json", flags["job"].to_string());
    let job = basin.record(&["run", "job.json", "--out", "job-record.json"]);
    let record = basin.record(&["run", "flags.json"]);
    for other in [&job, &record] {
        assert_eq!(other["job"], flags["job"]);
        assert_eq!(other["outcome"], flags["outcome"]);
    }
    assert_eq!(basin.json("job-record.json"), job);

    // What a job file leaves out has the same defaults as the flags.
    let short = json!({ "kind": "evaluate", "checkpoint": lenet, "data": { "name": mnist } });
    basin.write("short.json", short.to_string());
    let dry = basin.ok(&["run", "short.json", "--dry-run"]);
    let resolved: Value = serde_json::from_str(&dry.out).unwrap();
    let same = basin.record(&["evaluate", &lenet, "--data", &mnist]);
    assert_eq!(resolved, same["job"]);
    assert!(dry.err.starts_with("about ") || dry.err == "less than a second\n", "{}", dry.err);
    basin.write("bundled.json", json!({ "kind": "evaluate", "checkpoint": "bundled" }).to_string());
    assert!(basin.ok(&["run", "bundled.json", "--dry-run"]).out.contains(r#""checkpoint": "bundled""#));
}

#[test]
fn batches_and_threads_do_not_change_results() {
    let basin = Basin::new();
    let (lenet, mnist) = (lenet(), reference("mnist"));
    let whole = basin.record(&evaluate(&lenet, &mnist, &["--restarts", "2"]));
    for options in [["--batch-size", "3"], ["--threads", "2"]] {
        let other = basin.record(&evaluate(&lenet, &mnist, &[&options[..], &["--restarts", "2"]].concat()));
        for (part, tolerance) in [("clean", 1e-5), ("robust", 1e-3)] {
            let losses = |record: &Value| numbers(&record["outcome"][part]["per_example"]["loss"]);
            for (a, b) in losses(&whole).iter().zip(losses(&other)) {
                assert!((a - b).abs() < tolerance, "{options:?}, {part}: {a} and {b}");
            }
        }
    }
}

#[test]
fn figures_in_every_format() {
    let basin = Basin::new();
    let (lenet, mnist) = (lenet(), reference("mnist"));
    basin.ok(&evaluate(&lenet, &mnist, &["--out", "evaluation.json"]));
    basin.ok(&landscape(&lenet, &mnist, &["--steps", "5", "--out", "line.json"]));
    let plane = ["--steps", "5", "--second", "random", "--out", "plane.json"];
    basin.ok(&clean_landscape(&lenet, &mnist, &plane));
    for record in ["evaluation", "line", "plane"] {
        for (ending, sign) in
            [("svg", "<svg"), ("pdf", "%PDF-1"), ("png", "PNG\r\n"), ("tex", "\\begin{"), ("csv", ",")]
        {
            let (from, to) = (format!("{record}.json"), format!("{record}.{ending}"));
            basin.ok(&["plot", &from, "--out", &to]);
            let bytes = std::fs::read(basin.path(&to)).unwrap();
            assert!(String::from_utf8_lossy(&bytes).contains(sign), "{to} is no {ending}");
        }
    }
    let surface = basin.ok(&["plot", "plane.json", "--figure", "surface", "--out", "surface.png"]);
    assert_eq!(surface.err, "", "graphics drivers have nothing to say either");
    // Several records share a figure.
    basin.ok(&["plot", "line.json", "line.json", "--name", "first", "--name", "again", "--out", "both.svg"]);
    assert!(basin.read("line.csv").lines().count() >= 6);
}

#[test]
fn help_names_every_option() {
    let basin = Basin::new();
    for (command, options) in [
        ("inspect", &["--json"][..]),
        (
            "evaluate",
            &[
                "--attack",
                "--epsilon",
                "--attack-steps",
                "--step-size",
                "--restarts",
                "--norm",
                "--data",
                "--examples",
                "--device",
                "--precision",
                "--seed",
                "--batch-size",
                "--out",
                "--json",
            ],
        ),
        (
            "landscape",
            &[
                "--direction",
                "--second",
                "--normalize",
                "--radius",
                "--range",
                "--steps",
                "--loss",
                "--epsilon",
                "--data",
                "--examples",
                "--device",
                "--precision",
                "--seed",
                "--batch-size",
                "--out",
                "--json",
            ],
        ),
        ("run", &["--dry-run", "--out", "--json"]),
        ("benchmark", &["--attacks", "--list", "--dry-run", "--data", "--examples", "--out", "--json"]),
        ("plot", &["--figure", "--out", "--log", "--clip", "--width", "--dpi"]),
    ] {
        let help = basin.ok(&[command, "--help"]).out;
        for option in options {
            assert!(help.contains(option), "{command} --help does not mention {option}");
        }
        assert!(basin.ok(&["--help"]).out.contains(command));
    }
    assert!(basin.ok(&["--version"]).out.contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let basin = Basin::new();
    let (lenet, mnist) = (lenet(), reference("mnist"));
    let piped = |arguments: &[&str]| {
        let mut child =
            basin.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop((child.stdout.take(), child.stderr.take()));
        child.wait().unwrap().code()
    };
    assert_eq!(piped(&["inspect", &lenet, "--json"]), Some(0));
    assert_eq!(piped(&evaluate(&lenet, &mnist, &["--json", "--out", "x.json"])), Some(0));
    assert_eq!(basin.json("x.json")["provenance"]["complete"], true);
    // Nobody hears the sentence, but the exit code stays.
    assert_eq!(piped(&["inspect", "missing.pt"]), Some(1));
}

#[cfg(unix)]
mod interruptions {
    use super::*;

    /// Units of work in the journal beside `x.json`.
    fn units(basin: &Basin) -> usize {
        let text = std::fs::read_to_string(basin.path("x.json.journal")).unwrap_or_default();
        // The last line may be cut off.
        text.split_inclusive('\n').filter(|line| line.contains("\"unit\"") && line.ends_with('\n')).count()
    }

    fn start(basin: &Basin, arguments: &[&str]) -> Child {
        basin.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Waits until `count` units are done, then sends a signal and waits for the end.
    fn stop(basin: &Basin, mut child: Child, count: usize, signal: &str) -> Done {
        let begun = Instant::now();
        while units(basin) < count {
            assert!(child.try_wait().unwrap().is_none(), "the job ended before it could be stopped");
            assert!(begun.elapsed() < Duration::from_secs(240), "no progress");
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        child.wait_with_output().unwrap().into()
    }

    /// `N` of "resumes: N of M are finished".
    fn kept(done: &Done) -> usize {
        let rest = done.err.split("resumes: ").nth(1).unwrap_or_else(|| panic!("starts anew: {}", done.err));
        rest.split(' ').next().unwrap().parse().unwrap()
    }

    /// Everything but times.
    fn same(a: &Value, b: &Value) {
        assert_eq!(a["job"], b["job"]);
        assert_eq!(a["outcome"], b["outcome"]);
        for field in ["complete", "search_cost", "data_fingerprint", "batch_size"] {
            assert_eq!(a["provenance"][field], b["provenance"][field], "{field}");
        }
    }

    #[test]
    fn control_c_keeps_what_is_there() {
        let basin = Basin::new();
        let (lenet, mnist) = (lenet(), reference("mnist"));
        let options = ["--second", "random", "--steps", "9"];
        let whole = basin.record(&landscape(&lenet, &mnist, &options));
        let job = landscape(&lenet, &mnist, &[&options[..], &["--out", "x.json"]].concat());
        let done = stop(&basin, start(&basin, &job), 5, "-INT");
        assert_eq!(done.code, Some(130), "{}", done.err);
        assert!(done.err.contains("the same command resumes from what is in x.json"), "{}", done.err);
        let partial = basin.json("x.json");
        assert_eq!(partial["provenance"]["complete"], false);
        let cells = |record: &Value| -> Vec<Value> {
            let rows = record["outcome"]["robust"]["loss"].as_array().unwrap();
            rows.iter().flat_map(|row| row.as_array().unwrap().clone()).collect()
        };
        let (some, all) = (cells(&partial), cells(&whole));
        let known = some.iter().filter(|cell| !cell.is_null()).count();
        // The directions are a unit, too.
        assert!((4..81).contains(&known), "{known}");
        assert!(some.iter().zip(&all).all(|(part, whole)| part.is_null() || part == whole));
        // A partial record can be drawn, and completed.
        basin.ok(&["plot", "x.json", "--out", "partial.svg"]);
        let rest = basin.ok(&job);
        assert_eq!(kept(&rest), known + 1);
        same(&basin.json("x.json"), &whole);
        assert!(!basin.path("x.json.journal").exists());
    }

    #[test]
    fn control_c_in_an_evaluation() {
        let basin = Basin::new();
        let (lenet, mnist) = (lenet(), reference("mnist"));
        let options = ["--examples", "test:0..160", "--batch-size", "4"];
        let attack = ["--attack", "pgd", "--attack-steps", "5"];
        let plain = [&["evaluate", &lenet, "--data", &mnist][..], &options, &attack].concat();
        let job = [&plain[..], &["--out", "x.json"]].concat();
        let done = stop(&basin, start(&basin, &job), 3, "-INT");
        assert_eq!(done.code, Some(130), "{}", done.err);
        assert_eq!(done.out, "");
        assert!(done.err.contains("the same command resumes"), "{}", done.err);
        assert_eq!(basin.files(), ["x.json.journal".to_owned()].into());
        let rest = basin.ok(&job);
        assert!(kept(&rest) >= 3);
        same(&basin.json("x.json"), &basin.record(&plain));
    }

    #[test]
    fn control_c_before_anything_is_finished() {
        let basin = Basin::new();
        let (lenet, mnist) = (lenet(), reference("mnist"));
        let endless = ["--attack", "pgd", "--attack-steps", "1000000", "--out", "x.json"];
        let job = [&["evaluate", &lenet, "--data", &mnist][..], &endless].concat();
        let mut child = start(&basin, &job);
        while !basin.path("x.json.journal").exists() {
            assert!(child.try_wait().unwrap().is_none(), "the job ended before it could be stopped");
            std::thread::sleep(Duration::from_millis(1));
        }
        let done = stop(&basin, child, 0, "-INT");
        assert_eq!(done.code, Some(130), "{}", done.err);
        assert!(done.err.contains("cancelled before anything was finished"), "{}", done.err);
        assert!(basin.files().is_empty() && !done.err.contains("resumes"), "{}", done.err);
    }

    #[test]
    fn killed_at_any_moment_at_most_one_unit_is_lost() {
        let basin = Basin::new();
        let (lenet, mnist) = (lenet(), reference("mnist"));
        let options = ["--second", "random", "--steps", "9", "--seed", "1"];
        let whole = basin.record(&landscape(&lenet, &mnist, &options));
        let job = landscape(&lenet, &mnist, &[&options[..], &["--out", "x.json"]].concat());
        let mut before = 0;
        for more in [1, 4, 9] {
            let done = stop(&basin, start(&basin, &job), before + more, "-KILL");
            assert_eq!(done.code, None);
            if before > 0 {
                assert_eq!(kept(&done), before, "finished units were not found again");
            }
            before = units(&basin);
            // No record yet, and nothing half-written beside it.
            assert_eq!(basin.files(), ["x.json.journal".to_owned()].into());
        }
        // As a crash of the machine would leave it: the last line cut off.
        let journal = basin.read("x.json.journal");
        basin.write("x.json.journal", &journal[..journal.trim_end().len() - 7]);
        assert_eq!(kept(&basin.ok(&job)), before - 1);
        same(&basin.json("x.json"), &whole);
    }

    #[test]
    fn two_do_not_write_the_same_record() {
        let basin = Basin::new();
        let (lenet, mnist) = (lenet(), reference("mnist"));
        let options = ["--second", "random", "--steps", "101", "--out", "x.json"];
        let job = landscape(&lenet, &mnist, &options);
        let mut first = start(&basin, &job);
        while units(&basin) < 1 {
            assert!(
                first.try_wait().unwrap().is_none(),
                "the job ended before there was anything to protect"
            );
            std::thread::sleep(Duration::from_millis(1));
        }
        basin.refused(&job, &["x.json", "locked by another basin process", "choose another --out"]);
        first.kill().unwrap();
        first.wait().unwrap();
    }

    #[test]
    fn another_job_does_not_go_on_from_this_one() {
        let basin = Basin::new();
        let (lenet, mnist) = (lenet(), reference("mnist"));
        let job = |seed| landscape(&lenet, &mnist, &["--steps", "31", "--seed", seed, "--out", "x.json"]);
        stop(&basin, start(&basin, &job("1")), 3, "-KILL");
        // Neither unfinished nor finished work is lost by a slip in --out.
        basin.refused(&job("2"), &["x.json.journal", "holds unfinished work of another job", "--force"]);
        basin.ok(&job("1"));
        basin.refused(&job("2"), &["x.json", "holds the record of another job (landscape)", "--force"]);
        let done = basin.ok(&[&job("2")[..], &["--force"]].concat());
        assert!(!done.err.contains("resumes"), "{}", done.err);
        assert_eq!(basin.json("x.json")["provenance"]["seed"], 2);
    }
}

#[test]
fn a_finished_job_is_shown_and_computed_again_by_force() {
    let basin = Basin::new();
    let (lenet, mnist) = (lenet(), reference("mnist"));
    let job = evaluate(&lenet, &mnist, &["--keep-examples", "--out", "x.json"]);
    let first = basin.record(&job);
    // A number that no computation gives shows who computes.
    let error = first["outcome"]["clean"]["error"].to_string();
    let changed = basin.read("x.json").replacen(&format!("\"error\": {error}"), "\"error\": 0.123", 1);
    basin.write("x.json", &changed);
    let shown = basin.ok(&job);
    assert!(shown.out.contains("12.3 %") && shown.err.contains("done already"), "{}{}", shown.out, shown.err);
    assert_eq!((basin.read("x.json"), basin.files().contains("x.json.journal")), (changed.clone(), false));
    let again = basin.record(&[&job[..], &["--force"]].concat());
    assert_eq!(again["outcome"], first["outcome"]);
    // Examples that were lost are computed again; other content of the checkpoint is another result.
    basin.write("x.json", &changed);
    std::fs::remove_file(basin.path("x.json.examples.safetensors")).unwrap();
    assert_eq!(basin.record(&job)["outcome"], first["outcome"]);
    std::fs::copy(&lenet, basin.path("net.pt")).unwrap();
    let moved = evaluate("net.pt", &mnist, &["--out", "moved.json"]);
    let trained = basin.record(&moved);
    std::fs::copy(reference("checkpoints/lenet_bn_init.pth.tar"), basin.path("net.pt")).unwrap();
    assert_ne!(basin.record(&moved)["outcome"], trained["outcome"]);
    // What a replaced record kept goes with it.
    assert!(basin.path("x.json.examples.safetensors").is_file());
    basin.ok(&evaluate(&lenet, &mnist, &["--out", "x.json", "--force"]));
    assert!(!basin.path("x.json.examples.safetensors").exists());
}

#[test]
fn points_past_overflow_are_null_and_told() {
    let basin = Basin::new();
    let (lenet, mnist) = (lenet(), reference("mnist"));
    let far = ["--steps", "5", "--radius", "1e30", "--json"];
    let output = basin.command(&clean_landscape(&lenet, &mnist, &far)).output().unwrap();
    assert!(output.status.success());
    let record: Value = serde_json::from_slice(&output.stdout).unwrap();
    let loss = record["outcome"]["clean"]["loss"].as_array().unwrap();
    assert!(loss[0].is_null() && loss[2].is_f64() && loss[4].is_null(), "{loss:?}");
    assert_eq!(record["provenance"]["complete"], true);
    let notes = String::from_utf8(output.stderr).unwrap();
    assert!(notes.contains("have no finite loss, the first at step"), "{notes}");
}
