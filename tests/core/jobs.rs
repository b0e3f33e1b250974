//! Jobs of every kind with the records, and half of the journals, that an earlier version wrote
//! (`tests/reference/jobs`): computed again, resumed and shared between processes, they have the same numbers.

use std::path::{Path, PathBuf};

use basin_core::Error;
use basin_core::job::Job;
use basin_core::progress::{Cancelled, Event, Progress, Silent};
use basin_core::record::Record;
use basin_core::run::{Merge, Observer, RunOptions, ShardState, Share, merge, run, run_share, status};
use serde_json::Value;

use crate::support::reference;

/// Numbers on another processor differ by rounding, which attacks amplify. Where records were made, they are the same
/// bit for bit: `BASIN_EXACT=1` asks for that.
const ROUNDING: f64 = 2e-3;

/// A file with the places of this machine.
fn text(name: &str) -> String {
    let path = |name: &str| reference(name).canonicalize().unwrap().display().to_string();
    std::fs::read_to_string(reference(&format!("jobs/{name}")))
        .unwrap()
        .replace("LENET", &path("checkpoints/lenet_bn_trained.pth.tar"))
        .replace("MNIST", &path("mnist"))
}

fn known(name: &str) -> Record {
    Record::parse(&text(&format!("{name}.json"))).unwrap_or_else(|reason| panic!("{name} {reason}"))
}

fn names() -> Vec<String> {
    let entries = std::fs::read_dir(reference("jobs")).unwrap();
    let files = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> =
        files.filter_map(|name| name.strip_suffix(".json").map(str::to_owned)).collect();
    names.sort();
    assert!(names.len() >= 20, "{names:?}");
    names
}

/// Everything in a record that is a result; not when, where and by whom it was computed.
fn results(record: &Record) -> Value {
    fn without_times(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.remove("seconds");
                fields.values_mut().for_each(without_times);
            }
            Value::Array(items) => items.iter_mut().for_each(without_times),
            _ => {}
        }
    }
    let p = &record.provenance;
    let mut value = serde_json::json!({
        "job": record.job,
        "outcome": record.outcome,
        "complete": p.complete,
        "search_cost": p.search_cost,
        "warnings": p.warnings,
        "examples": record.examples.is_some(),
        "manner": serde_json::json!([p.seed, p.search_precision, p.measure_precision, p.batch_size]),
        "files": [p.data_fingerprint.clone(), p.checkpoint_hash.clone(), p.model.clone()],
    });
    without_times(&mut value);
    // Named after the record.
    let outcome = value["outcome"].as_object_mut().unwrap();
    ["losses", "probabilities", "networks"].iter().for_each(|name| drop(outcome.remove(*name)));
    value
}

/// Whether two results agree; else the first place where they do not.
fn disagreement(one: &Value, other: &Value, rounding: f64, place: &str) -> Option<String> {
    let differ = || Some(format!("{place}: {one} and {other}"));
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            if a == b || (a - b).abs() <= rounding * a.abs().max(1.0) { None } else { differ() }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => a
            .iter()
            .zip(b)
            .enumerate()
            .find_map(|(at, (a, b))| disagreement(a, b, rounding, &format!("{place}[{at}]"))),
        (Value::Object(a), Value::Object(b))
            if a.keys().all(|key| b.contains_key(key)) && a.len() == b.len() =>
        {
            a.iter().find_map(|(key, a)| disagreement(a, &b[key], rounding, &format!("{place}.{key}")))
        }
        _ if one == other => None,
        // Sentences with numbers.
        (Value::String(_), Value::String(_)) if rounding > 0.0 => None,
        _ => differ(),
    }
}

fn assert_known(name: &str, record: &Record) {
    let rounding = match std::env::var_os("BASIN_EXACT") {
        Some(_) => 0.0,
        // Processors without instructions for bf16 round at other places, so that searches end elsewhere.
        None if name.ends_with("-bf16") => 10.0 * ROUNDING,
        None => ROUNDING,
    };
    let found = disagreement(&results(&known(name)), &results(record), rounding, name);
    assert_eq!(found, None);
}

fn options(out: &Path) -> RunOptions {
    RunOptions { out: Some(out.to_owned()), threads: Some(1), ..RunOptions::default() }
}

/// What lies beside two records, by the part of the name behind the record's.
fn assert_same_files(one: &Path, other: &Path) {
    let beside = |record: &Path| -> Vec<(String, Vec<u8>)> {
        let stem = record.file_name().unwrap().to_string_lossy().into_owned();
        let mut files = Vec::new();
        for entry in std::fs::read_dir(record.parent().unwrap()).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let Some(ending) = name.strip_prefix(&format!("{stem}.")) else { continue };
            if path.is_dir() {
                for file in std::fs::read_dir(&path).unwrap() {
                    let file = file.unwrap().path();
                    let name = file.file_name().unwrap().to_string_lossy().into_owned();
                    files.push((format!("{ending}/{name}"), std::fs::read(&file).unwrap()));
                }
            } else {
                files.push((ending.to_owned(), std::fs::read(&path).unwrap()));
            }
        }
        files.sort();
        files
    };
    let (one_files, other_files) = (beside(one), beside(other));
    let names = |files: &[(String, Vec<u8>)]| files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&one_files), names(&other_files), "{} and {}", one.display(), other.display());
    for ((name, a), (_, b)) in one_files.iter().zip(&other_files) {
        assert!(a == b, "{name} beside {} and {} differs", one.display(), other.display());
    }
}

/// Computes a job in shares, in this order, and merges them.
fn shared(job: &Job, of: usize, order: &[usize], folder: &Path, out: &Path) -> Record {
    for number in order {
        run_share(job, Share::new(*number, of).unwrap(), folder, Some(1), &mut Silent).unwrap();
    }
    let options = Merge { out: out.to_owned(), finish: true, threads: Some(1), ..Merge::default() };
    let merged = merge(folder, &options, &mut Silent).unwrap();
    assert_eq!(merged.notes, [""; 0]);
    assert_eq!(merged.record.provenance.shards.len(), of);
    merged.record
}

/// Numbers from 1, out of order.
fn mixed(of: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (1..=of).rev().collect();
    order.rotate_left(of / 2);
    order
}

/// Of every kind of job, in turn: as a whole, from a journal of an earlier version, and in shares.
fn same_numbers(is_mine: impl Fn(usize) -> bool) {
    for (number, name) in names().into_iter().enumerate().filter(|(number, _)| is_mine(*number)) {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let job = known(&name).job;
        let whole = run(&job, &options(&at("whole.json")), &mut Silent).unwrap();
        assert_known(&name, &whole);
        // What an earlier version left is not computed again.
        let journal = format!("{name}.json.journal");
        if reference(&format!("jobs/{journal}")).is_file() {
            std::fs::write(at("resumed.json.journal"), text(&journal)).unwrap();
            let resumed = run(&job, &options(&at("resumed.json")), &mut Silent).unwrap();
            assert_known(&name, &resumed);
        }
        let all = ["attack-l1-individual", "evaluate-clean", "flatness-levels-off", "landscape-2d"];
        let counts = if all.contains(&&*name) { vec![1, 2, 3, 7] } else { vec![[1, 2, 3, 7][number % 4]] };
        for of in &counts {
            let record = shared(&job, *of, &mixed(*of), &at(&format!("{of}")), &at(&format!("{of}.json")));
            let found = disagreement(&results(&whole), &results(&record), 0.0, &format!("{name} in {of}"));
            assert_eq!(found, None);
            assert_same_files(&at("whole.json"), &at(&format!("{of}.json")));
        }
    }
}

#[test]
fn jobs_have_the_numbers_that_they_had_however_they_are_shared_1() {
    same_numbers(|number| number.is_multiple_of(2));
}

#[test]
fn jobs_have_the_numbers_that_they_had_however_they_are_shared_2() {
    same_numbers(|number| !number.is_multiple_of(2));
}

/// Cancels after a number of finished units.
struct StopAfter(usize);

impl Progress for StopAfter {
    fn report(&mut self, event: Event) -> Result<(), Cancelled> {
        if matches!(event, Event::Step { .. }) {
            self.0 = self.0.checked_sub(1).ok_or(Cancelled)?;
        }
        Ok(())
    }
}

impl Observer for StopAfter {}

#[test]
fn shares_resume_tell_how_far_they_are_and_are_merged_when_all_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let (shards, out) = (folder.path().join("shards"), folder.path().join("x.json"));
    let job = known("flatness-levels-off").job;
    let share = |number| Share::new(number, 3).unwrap();
    let options = Merge { out: out.clone(), ..Merge::default() };
    let told = |options: &Merge| merge(&shards, options, &mut Silent).unwrap_err().to_string();
    assert!(status(&shards).is_err());
    run_share(&job, share(1), &shards, Some(1), &mut Silent).unwrap();
    let stopped = run_share(&job, share(2), &shards, Some(1), &mut StopAfter(2));
    assert!(matches!(stopped, Err(Error::Cancelled)));
    let states = || status(&shards).unwrap().shards.iter().map(|shard| shard.state).collect::<Vec<_>>();
    assert_eq!(states(), [ShardState::Finished, ShardState::Stopped, ShardState::Missing]);
    let words = told(&options);
    assert!(words.contains("2/3, 3/3") && words.contains("--finish"), "{words}");
    assert!(!out.exists());
    // A crash cuts the last line.
    let journal = shards.join("shard-0002-of-0003.journal");
    let bytes = std::fs::read(&journal).unwrap();
    std::fs::write(&journal, &bytes[..bytes.len() - 7]).unwrap();
    run_share(&job, share(2), &shards, Some(1), &mut Silent).unwrap();
    // What there is, and what there is with the rest.
    let partial = Merge { partial: true, ..options.clone() };
    let partial = merge(&shards, &partial, &mut Silent).unwrap().record;
    assert!(!partial.provenance.complete);
    let finish = Merge { finish: true, replace: true, threads: Some(1), ..options.clone() };
    let finished = merge(&shards, &finish, &mut Silent).unwrap().record;
    assert_known("flatness-levels-off", &finished);
    std::fs::remove_file(&out).unwrap();
    // Others may take what is missing, in other shares; what is there is not computed twice.
    for number in 1..=2 {
        run_share(&job, Share::new(number, 2).unwrap(), &shards, Some(1), &mut Silent).unwrap();
    }
    let merged = merge(&shards, &options, &mut Silent).unwrap();
    assert_known("flatness-levels-off", &merged.record);
    assert_eq!(merged.notes, [""; 0]);
    assert_eq!(merged.record.provenance.shards.len(), 4);
    // The record is there: it is not replaced without a word.
    let mut other = job.clone();
    let Job::Flatness(flatness) = &mut other else { panic!("not of flatness") };
    flatness.draws += 1;
    let refused = run_share(&other, share(3), &shards, Some(1), &mut Silent).unwrap_err().to_string();
    assert!(refused.contains("shards of another job"), "{refused}");
}

#[test]
fn checkpoint_and_data_may_be_mounted_elsewhere_but_must_be_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let copy = |name: &str| -> PathBuf {
        let to = at(name);
        std::fs::copy(reference("checkpoints/lenet_bn_trained.pth.tar"), &to).unwrap();
        to
    };
    let job = known("landscape-2d").job.on(&copy("here.pth.tar"));
    run_share(&job, Share::new(1, 2).unwrap(), &at("shards"), Some(1), &mut Silent).unwrap();
    // Another machine has it elsewhere.
    let there = copy("there.pth.tar");
    std::fs::remove_file(at("here.pth.tar")).unwrap();
    let elsewhere = job.clone().on(&there);
    run_share(&elsewhere, Share::new(2, 2).unwrap(), &at("shards"), Some(1), &mut Silent).unwrap();
    let mut options = Merge { out: at("x.json"), ..Merge::default() };
    assert!(merge(&at("shards"), &options, &mut Silent).unwrap_err().to_string().contains("here.pth.tar"));
    options.checkpoint = Some(reference("checkpoints/lenet_bn_init.pth.tar"));
    let told = merge(&at("shards"), &options, &mut Silent).unwrap_err().to_string();
    assert!(told.contains("is not the checkpoint of the shards"), "{told}");
    options.checkpoint = Some(there.clone());
    let merged = merge(&at("shards"), &options, &mut Silent).unwrap().record;
    let whole = run(&elsewhere, &RunOptions::default(), &mut Silent).unwrap();
    assert_eq!(disagreement(&results(&whole), &results(&merged), 0.0, "moved"), None);
    // A checkpoint of other content is not the same job.
    std::fs::copy(reference("checkpoints/lenet_bn_init.pth.tar"), &there).unwrap();
    let refused = run_share(&elsewhere, Share::new(2, 2).unwrap(), &at("shards"), Some(1), &mut Silent);
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("on a checkpoint with other content"), "{refused}");
}

#[test]
fn images_that_search_move_with_those_that_are_measured() {
    let mut job = known("flatness-worst-clean").job;
    let Job::Flatness(flatness) = &mut job else { panic!("not of flatness") };
    flatness.search_data = Some(flatness.data.clone());
    let Job::Flatness(moved) = job.clone().with_data("elsewhere") else { panic!("not of flatness") };
    assert_eq!((&*moved.data.name, &*moved.search_data.unwrap().name), ("elsewhere", "elsewhere"));
    let Job::Flatness(flatness) = &mut job else { panic!("not of flatness") };
    flatness.search_data.as_mut().unwrap().name = "cifar10".into();
    let Job::Flatness(moved) = job.with_data("elsewhere") else { panic!("not of flatness") };
    assert_eq!(moved.search_data.unwrap().name, "cifar10");
}

#[test]
fn trainings_are_not_shared() {
    let job = Job::Train(Box::default());
    let folder = tempfile::tempdir().unwrap();
    let told = run_share(&job, Share::new(1, 2).unwrap(), folder.path(), None, &mut Silent).unwrap_err();
    assert!(told.to_string().contains("a training cannot be shared"), "{told}");
}
