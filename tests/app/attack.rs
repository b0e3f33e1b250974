//! `basin attack` on the built program: fields, kept examples, being killed, wrong usage.

use serde_json::{Value, json};

use crate::support::program::{Basin, lenet, reference};

fn attack<'a>(checkpoint: &'a str, mnist: &'a str, options: &[&'a str]) -> Vec<&'a str> {
    let quick = [
        "--examples",
        "test:0..24",
        "--epsilon",
        "0.15",
        "--steps",
        "10",
        "--targets",
        "2",
        "--queries",
        "30",
    ];
    [&["attack", checkpoint, "--data", mnist], &quick[..], options].concat()
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap_or_else(|| panic!("no object: {value}")).keys().map(String::as_str).collect()
}

/// The outcome without seconds.
fn timeless(record: &Value) -> Value {
    let mut outcome = record["outcome"].clone();
    for row in outcome["per_attack"].as_array_mut().unwrap() {
        row["seconds"] = Value::Null;
    }
    outcome
}

#[test]
fn the_record_has_the_fields_of_the_contract() {
    let basin = Basin::new();
    let (lenet, mnist) = (lenet(), reference("mnist"));
    let record = basin.record(&attack(&lenet, &mnist, &["--out", "x.json", "--keep-examples"]));
    assert_eq!(basin.json("x.json"), record);
    assert_eq!(record["examples"], "x.json.examples.safetensors");
    assert_eq!(
        basin.files(),
        ["x.json".to_owned(), "x.json.examples.safetensors".to_owned()].into(),
        "record and examples, no journal"
    );
    assert_eq!(record["job"]["kind"], "attack");
    assert_eq!(record["job"]["attack"]["version"], "standard");
    let outcome = &record["outcome"];
    for field in ["robust_error", "clean_error", "robust_loss", "clean_loss"] {
        assert!(outcome[field].is_number(), "{field}");
    }
    let rows = outcome["per_attack"].as_array().unwrap();
    let names: Vec<&Value> = rows.iter().map(|row| &row["name"]).collect();
    assert_eq!(names, ["apgd-ce", "apgd-t", "fab-t", "square"]);
    for row in rows {
        for field in ["robust_error", "attacked", "broken", "seconds"] {
            assert!(row[field].is_number(), "{field}");
        }
        assert_eq!(row["finished"], true);
    }
    let examples = &outcome["per_example"];
    for field in ["index", "label", "robust", "broken_by", "loss", "predicted", "confidence"] {
        assert_eq!(examples[field].as_array().unwrap().len(), 24, "{field}");
    }
    let robust = examples["robust"].as_array().unwrap();
    assert_eq!(robust.len(), 24);
    let broken = robust.iter().filter(|robust| **robust == json!(false)).count();
    assert_eq!(outcome["robust_error"].as_f64().unwrap(), broken as f64 / 24.0);
    for (robust, by) in robust.iter().zip(examples["broken_by"].as_array().unwrap()) {
        assert_eq!(*robust == json!(true), by.is_null());
    }
    assert_eq!(keys(&outcome["flags"]), ["zero_gradients", "probabilities", "random", "square_stronger"]);

    let text = basin.ok(&attack(&lenet, &mnist, &[])).out;
    for part in ["AutoAttack standard, L-inf 0.15", "robust error", "apgd-ce", "fab-t", "square"] {
        assert!(text.contains(part), "no {part:?} in: {text}");
    }
    // The same job from its record, and what it would take.
    let again = basin.record(&["run", "x.json", "--out", "y.json"]);
    assert_eq!(timeless(&again), timeless(&record));
    // What is not as the version says is told.
    let text = basin.ok(&attack(&lenet, &mnist, &["--restarts", "2"])).out;
    assert!(text.contains("AutoAttack standard, L-inf") && text.contains(", 2 restarts"), "{text}");
    let cost = basin.ok(&["run", "x.json", "--dry-run"]).err;
    assert!(["about ", " s\n", "less than a second"].iter().any(|word| cost.contains(word)), "{cost:?}");
}

#[test]
fn a_list_is_a_version_and_a_name_of_the_paper_is_all_settings() {
    let basin = Basin::new();
    let (lenet, mnist) = (lenet(), reference("mnist"));
    let list = basin.record(&attack(&lenet, &mnist, &["--attacks", "square,apgd-t", "--norm", "l2"]));
    assert_eq!(list["job"]["attack"]["version"], "square,apgd-t");
    assert_eq!(list["job"]["attack"]["norm"], "l2");
    let preset = ["attack", &lenet, "--data", &mnist, "--examples", "test:0..2", "--preset"];
    basin.misused(
        &[&preset[..], &["input_linf_aa_standard_e00314", "--epsilon", "0.1"]].concat(),
        &["--preset"],
    );
    let named = basin.record(&[&preset[..], &["input_linf_aa_standard_e00314"]].concat());
    assert_eq!(named["job"]["attack"]["version"], "paper");
    assert_eq!(named["job"]["attack"]["epsilon"], 0.0314);
    // An evaluation by that name is the same job, and a clean loss has none of it.
    let few = ["--data", &mnist, "--examples", "test:0..2", "--attack", "input_linf_aa_standard_e00314"];
    let evaluated = basin.record(&[&["evaluate", &lenet], &few[..]].concat());
    assert_eq!(timeless(&evaluated), timeless(&named));
    assert_eq!(evaluated["job"], named["job"]);
    basin.misused(&[&["flatness", &lenet], &few[..]].concat(), &["is AutoAttack", "use PGD here"]);
    basin.misused(
        &[&preset[..], &["weight_l2_random_nonorm2_e05_at50_test"]].concat(),
        &["is not AutoAttack"],
    );
}

#[test]
fn wrong_usage() {
    let basin = Basin::new();
    let (lenet, mnist) = (lenet(), reference("mnist"));
    for (options, parts) in [
        (&["--attacks", "apgd"][..], &["unknown version or attack \"apgd\"", "standard, paper"][..]),
        (&["--attacks", "square,square"], &["twice"]),
        (&["--norm", "l0"], &["linf, l2 and l1", "pgd"]),
        (&["--restarts", "0"], &["0 restarts", "1 or more"]),
        (&["--epsilon", "-1"], &["epsilon -1"]),
        (&["--epsilon", "nan"], &["--epsilon"]),
        (&["--epsilon", "8"], &["epsilon 8 is not possible in L-inf", "did you mean 8/255?"]),
        (&["--attacks", "apgd-ce,square", "--targets", "3"], &["--targets is for apgd-t and fab-t"]),
        (&["--version", "paper", "--queries", "9"], &["--queries is for square", "--version paper lacks"]),
        (&["--attacks", "square", "--steps", "9"], &["--steps is for apgd and fab", "--queries"]),
        (&["--attacks", "square", "--rho", "0.5"], &["--rho is for apgd", "--version square lacks"]),
        (&["--version", "paper", "--rescale-schedule"], &["--rescale-schedule is for square"]),
        (&["--norm", "l1", "--rho", "0.5"], &["rho has no effect in L1"]),
        (&["--single-radius"], &["single-radius is for L1"]),
        (&["--preset", "input_linf_aa_standard_e00314", "--individual"], &["--preset", "--individual"]),
    ] {
        let mut arguments = vec!["attack", &*lenet, "--data", &*mnist, "--examples", "test:0..4"];
        arguments.extend(options);
        basin.misused(&arguments, parts);
    }
    basin.misused(&attack(&lenet, &mnist, &["--keep-examples"]), &["--out RECORD.json", "--keep-examples"]);
    let targets = ["attack", &lenet, "--data", &mnist, "--examples", "test:0..4", "--targets", "10"];
    basin.refused(&targets, &["targets 10", "10 classes", "use 1 to 9"]);
    let evaluate = ["evaluate", &lenet, "--data", &mnist, "--examples", "test:0..4", "--keep-examples"];
    basin.misused(&evaluate, &["--attack pgd"]);
}

#[cfg(unix)]
#[test]
fn killed_at_any_moment_at_most_one_unit_is_lost() {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};
    let basin = Basin::new();
    let (lenet, mnist) = (lenet(), reference("mnist"));
    let options = ["--batch-size", "8", "--seed", "1", "--version", "plus"];
    let whole = basin.record(&attack(&lenet, &mnist, &options));
    let job = attack(&lenet, &mnist, &[&options[..], &["--out", "x.json"]].concat());
    let units = || {
        let text = std::fs::read_to_string(basin.path("x.json.journal")).unwrap_or_default();
        text.split_inclusive('\n').filter(|line| line.contains("\"unit\"") && line.ends_with('\n')).count()
    };
    let mut before = 0;
    for more in [1, 3, 8] {
        let mut child = basin.command(&job).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let begun = Instant::now();
        while units() < before + more {
            assert!(child.try_wait().unwrap().is_none(), "the job ended before it could be killed");
            assert!(begun.elapsed() < Duration::from_secs(240), "no progress");
            std::thread::sleep(Duration::from_millis(1));
        }
        let id = child.id().to_string();
        assert!(Command::new("kill").args(["-KILL", &id]).status().unwrap().success());
        let told = String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap();
        assert_eq!(before > 0, told.contains("resumes: "), "{told}");
        before = units();
    }
    let finished = basin.ok(&job);
    assert!(finished.err.contains("resumes: "), "{}", finished.err);
    let record = basin.json("x.json");
    assert_eq!(timeless(&record), timeless(&whole));
    assert_eq!(basin.files(), ["x.json".to_owned()].into());
}
