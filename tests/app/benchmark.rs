//! A benchmark is its entries: the same jobs, the same numbers, going on between and inside of entries.

use basin_core::job::{Benchmark, Job};
use serde_json::Value;

use crate::support::program::{Basin, lenet, reference};

const PGD: &str = "input_linf_gd_normalized_lr0007_mom0_i7_e00314_at1";
const AVERAGE: &str = "weight_l2_random_nonorm2_e025_at3_test";
const WORST: &str = "weight_l2_gd_nonorm2_lwrl2normalized_i7_lr001_mom0_e0003_at1_test_test";

fn entries(record: &Value) -> Vec<(&str, &Value)> {
    let entries = record["outcome"]["entries"].as_array().unwrap();
    entries.iter().map(|entry| (entry["name"].as_str().unwrap(), &entry["outcome"])).collect()
}

#[test]
fn the_papers_benchmark_is_its_29_jobs() {
    let job = Benchmark::new("x.pt".into());
    let all = job.entries().unwrap();
    assert_eq!(all.len(), 29);
    let kinds = |kind: &str| all.iter().filter(|(_, job)| job.kind() == kind).count();
    assert_eq!((kinds("evaluate"), kinds("attack"), kinds("flatness")), (2, 2, 25));
    assert!(all.iter().all(|(_, job)| job.data().examples.len() == 1000));
    // Fewer images: the same range of both splits, and as many of the last ones.
    let mut few = job;
    few.data.examples = "test:0..50".parse().unwrap();
    few.attacks = vec![format!("{PGD}_train"), format!("{PGD}_es"), PGD.into(), PGD.into(), AVERAGE.into()];
    let images: Vec<String> =
        few.entries().unwrap().iter().map(|(_, job)| job.data().examples.to_string()).collect();
    assert_eq!(images, ["train:0..50", "test:9999..9949", "test:0..50", "test:0..50"]);
    for (wrong, part) in [("train:0..10", "cannot stand for"), ("test:9..0", "cannot stand for")] {
        few.data.examples = wrong.parse().unwrap();
        assert!(Job::Benchmark(few.clone()).check().unwrap_err().to_string().contains(part));
    }
}

#[test]
fn entries_have_the_numbers_of_jobs_of_their_own() {
    let basin = Basin::new();
    let (lenet, mnist) = (lenet(), reference("mnist"));
    let names = [PGD, AVERAGE, WORST].join(",");
    let few = ["--data", &mnist, "--examples", "test:0..16"];
    let benchmark = [&["benchmark", &lenet, "--attacks", &names], &few[..]].concat();
    let record = basin.record(&[&benchmark[..], &["--out", "all.json"]].concat());
    let found = entries(&record);
    assert_eq!(found.iter().map(|(name, _)| *name).collect::<Vec<_>>(), [PGD, AVERAGE, WORST]);
    let evaluate = basin.record(&[&["evaluate", &lenet, "--attack", PGD], &few[..]].concat());
    assert_eq!(&evaluate["outcome"], found[0].1);
    for (number, name) in [(1, AVERAGE), (2, WORST)] {
        let alone = basin.record(&[&["flatness", &lenet, "--preset", name], &few[..]].concat());
        assert_eq!(&alone["outcome"], found[number].1, "{name}");
    }
    // A job file, and the job of the record again, are the same.
    assert_eq!(basin.record(&["run", "all.json"])["outcome"], record["outcome"]);
    // For people: every entry with its number.
    let told = basin.ok(&benchmark).out;
    assert!(told.contains(PGD) && told.contains("robust loss") && told.contains("flatness"), "{told}");
    // Its entries make the point of a scatter.
    let robust =
        "sequential2_weight_input_l2_random_nonorm2_e05_linf_gd_normalized_lr0007_e00314_i7_at10_test";
    let pair = format!("{PGD},{robust}");
    let pair = [&["benchmark", &lenet, "--attacks", &pair], &few[..]].concat();
    basin.ok(&[&pair[..], &["--out", "pair.json"]].concat());
    basin.ok(&["plot", "pair.json", "--out", "pair.csv"]);
    assert!(basin.read("pair.csv").contains("lenet_bn_trained,"), "{}", basin.read("pair.csv"));
}

#[test]
fn a_benchmark_goes_on_where_it_was_stopped() {
    let basin = Basin::new();
    let (lenet, mnist) = (lenet(), reference("mnist"));
    let names = [PGD, AVERAGE, WORST].join(",");
    let benchmark = [
        "benchmark",
        &lenet,
        "--data",
        &mnist,
        "--examples",
        "test:0..16",
        "--attacks",
        &names,
        "--batch-size",
        "4",
    ];
    let whole = basin.record(&[&benchmark[..], &["--out", "whole.json"]].concat());
    // A journal cut anywhere: between entries or inside of one.
    let journal = journal_of(&basin, &benchmark);
    let lines: Vec<&str> = journal.split_inclusive('\n').collect();
    assert!(lines.len() > 12, "only {} lines", lines.len());
    for kept in [2, lines.len() / 2, lines.len() - 1] {
        basin.write("cut.json.journal", lines[..kept].concat());
        let done = basin.ok(&[&benchmark[..], &["--out", "cut.json"]].concat());
        assert_eq!(entries(&basin.json("cut.json")), entries(&whole), "{kept} lines: {}", done.err);
        assert!(!basin.path("cut.json.journal").exists());
        std::fs::remove_file(basin.path("cut.json")).unwrap();
    }
}

/// The journal of a run, read while it grows.
fn journal_of(basin: &Basin, benchmark: &[&str]) -> String {
    use std::time::{Duration, Instant};
    let arguments = [benchmark, &["--out", "caught.json"]].concat();
    let mut child = basin.command(&arguments).stdout(std::process::Stdio::null()).spawn().unwrap();
    let path = basin.path("caught.json.journal");
    let patience = Instant::now() + Duration::from_secs(240);
    let mut last = String::new();
    // The file is removed at the end; what was read last has nearly everything.
    while child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < patience, "the benchmark does not end");
        if let Ok(text) = std::fs::read_to_string(&path)
            && text.ends_with('\n')
            && text.len() > last.len()
        {
            last = text;
        }
    }
    last
}

#[test]
fn wrong_names_and_lists() {
    let basin = Basin::new();
    let lenet = lenet();
    basin.misused(
        &["benchmark", &lenet, "--attacks", "weight_l2_random_nonorm2_e05_at11_test"],
        &["no attack of the paper", "the nearest is"],
    );
    for stop in [&[][..], &["--dry-run"]] {
        let wrong = ["benchmark", &lenet, "--attacks", "cifar10_benchmarks"];
        basin.misused(&[&wrong[..], stop].concat(), &["cifar10_benchmarks"]);
    }
    basin.misused(&["benchmark", &lenet, "--examples", "train:0..10"], &["cannot stand for"]);
    basin.misused(&["benchmark"], &["CHECKPOINT"]);
    let list = basin.ok(&["benchmark", "--list"]).out;
    assert!(list.contains("cifar10_epochs_benchmark") && list.contains("  input_linf_aa_standard_e00314"));
}
