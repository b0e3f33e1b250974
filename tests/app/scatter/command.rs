//! `basin plot --figure scatter`.

use super::records::{evaluation, flatness, on_training_images, three};
use basin_core::job::{Case, Job, Objective, TargetClass};
use basin_core::record::Record;
use serde_json::json;

use crate::support::program::Basin;

#[test]
fn records_become_a_scatter_in_every_format() {
    let basin = Basin::new();
    let names: Vec<String> = three()
        .iter()
        .enumerate()
        .map(|(i, record)| {
            let name = format!("{i}.json");
            basin.write(&name, record.to_json());
            name
        })
        .collect();
    let names: Vec<&str> = names.iter().map(|name| &**name).collect();
    let plot = [&["plot", "--figure", "scatter"], &names[..]].concat();
    for file in ["f.svg", "f.pdf", "f.png", "f.tex", "f.csv"] {
        basin.ok(&[&plot[..], &["--out", file, "--y", "gap"]].concat());
        assert!(basin.path(file).metadata().unwrap().len() > 300, "{file}");
    }
    let csv = basin.read("f.csv");
    assert!(csv.contains(",c,0.6,"), "{csv}");
    assert!(csv.contains("Spearman 1.000"), "{csv}");
    // Names and groups are those of models, in the order of their first record.
    let named = ["--name", "first", "--group", "AT", "--group", "TRADES", "--group", "AT", "--out", "g.csv"];
    basin.ok(&[&plot[..], &named].concat());
    assert!(basin.read("g.csv").contains("AT,first,0.2,") && basin.read("g.csv").contains("TRADES,b,0.4,"));
    basin.refused(
        &[&plot[..], &["--case", "worst", "--out", "h.svg"]].concat(),
        &["no model has both numbers", "a, b, c have no worst-case robust flatness"],
    );
}

#[test]
fn the_correlation_is_part_of_the_json() {
    let basin = Basin::new();
    for (i, record) in three().iter().enumerate() {
        basin.write(&format!("{i}.json"), record.to_json());
    }
    let names: Vec<String> = (0..three().len()).map(|i| format!("{i}.json")).collect();
    let files: Vec<&str> = names.iter().map(String::as_str).collect();
    let drawn = basin.record(&[&["plot", "--figure", "scatter"], &files[..], &["--out", "f.svg"]].concat());
    let correlation = &drawn["correlation"];
    assert_eq!((&correlation["n"], &correlation["spearman"]), (&json!(3), &json!(1.0)), "{drawn}");
    assert!((correlation["pearson"].as_f64().unwrap() - 1.0).abs() < 1e-12, "{drawn}");
    assert_eq!(correlation["y"], "RLoss (PGD)");
    assert!(correlation["x"].as_str().unwrap().starts_with("Average-Case Flatness in RLoss"), "{drawn}");
    // Too few models for a correlation, but which they are and how many is said.
    let drawn = basin.record(&["plot", "--figure", "scatter", "0.json", "3.json", "--out", "g.svg"]);
    assert_eq!(drawn["correlation"]["n"], 1, "{drawn}");
    assert!(drawn["correlation"].get("pearson").is_none());
    let published =
        basin.record(&["plot", "--example", "paper", "--figure", "scatter", "--y", "gap", "--out", "h.svg"]);
    assert_eq!(published["correlation"]["n"], 28, "{published}");
    assert!((published["correlation"]["pearson"].as_f64().unwrap() - 0.962).abs() < 0.002, "{published}");
}

#[test]
fn networks_called_final_are_told_apart_by_their_folders() {
    let basin = Basin::new();
    let of = |mut record: Record, path: &str| {
        match &mut record.job {
            Job::Flatness(job) => job.checkpoint = path.into(),
            Job::Evaluate(job) => job.checkpoint = path.into(),
            _ => panic!("another job"),
        }
        record
    };
    let mut files: Vec<String> = Vec::new();
    for (folder, hash) in [("at", "a"), ("trades", "b")] {
        std::fs::create_dir(basin.path(folder)).unwrap();
        let path = format!("study/{folder}/final.safetensors");
        let flat = flatness(hash, Case::Average, &[(0.5, 0.2)]);
        for (name, record) in [("flat", flat), ("pgd", evaluation(hash, "test:0..4", &[1.0; 4]))] {
            let file = format!("{folder}/{name}.json");
            basin.write(&file, of(record, &path).to_json());
            files.push(file);
        }
    }
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let plot = [&["plot", "--figure", "scatter"], &files[..], &["--out", "f.csv"]].concat();
    basin.ok(&plot);
    assert!(basin.read("f.csv").contains("\n,at,0.2,") && basin.read("f.csv").contains("\n,trades,0.2,"));
    assert!(!basin.read("f.csv").contains("final"), "{}", basin.read("f.csv"));
    basin.ok(&[&plot[..], &["--name", "AT", "--name", "TRADES"]].concat());
    assert!(basin.read("f.csv").contains("\n,TRADES,0.2,"));
    // So are curves over each other; those of one checkpoint are called by their files, and by the folders of these
    // where files are called alike.
    basin.ok(&["plot", files[0], files[2], "--out", "g.csv"]);
    assert!(basin.read("g.csv").contains("\nx,at,trades\n"), "{}", basin.read("g.csv"));
    std::fs::create_dir(basin.path("again")).unwrap();
    basin.write("again/flat.json", basin.read(files[0]));
    basin.ok(&["plot", files[0], "again/flat.json", "--out", "g.csv"]);
    assert!(basin.read("g.csv").contains("\nx,at/flat,again/flat\n"), "{}", basin.read("g.csv"));
}

#[test]
fn a_targeted_evaluation_is_refused() {
    let basin = Basin::new();
    let mut targeted = evaluation("a", "test:0..4", &[3.0; 4]);
    if let Job::Evaluate(job) = &mut targeted.job {
        job.attack.as_mut().unwrap().objective = Objective::Targeted(TargetClass::Class(3));
    }
    basin.write("flat.json", flatness("a", Case::Average, &[(0.5, 0.2)]).to_json());
    basin.write("targeted.json", targeted.to_json());
    basin.refused(
        &["plot", "--figure", "scatter", "flat.json", "targeted.json", "--out", "f.svg"],
        &[
            "a has no robust loss",
            "towards class 3 is targeted",
            "reference of the flatness record would be taken",
        ],
    );
    basin.ok(&["plot", "--figure", "scatter", "flat.json", "--out", "f.svg"]);
}

#[test]
fn the_example_needs_no_records() {
    let basin = Basin::new();
    basin.ok(&["plot", "--example", "paper", "--figure", "scatter", "--case", "worst", "--out", "f.csv"]);
    let csv = basin.read("f.csv");
    assert!(csv.contains("Pearson 0.887") && csv.contains("n = 29"), "{csv}");
    basin.refused(
        &["plot", "--example", "paper", "--flatness", "clean", "--out", "f.svg"],
        &["published models", "robust"],
    );
    let alone = on_training_images(flatness("x", Case::Average, &[(0.5, 0.1)]));
    basin.write("x.json", alone.to_json());
    basin.misused(&["plot", "--out", "f.svg"], &["RECORD"]);
    basin.misused(&["plot", "x.json", "--example", "paper", "--out", "f.svg"], &["--example"]);
    basin.refused(
        &["plot", "x.json", "--figure", "scatter", "--out", "f.svg"],
        &["x has no evaluation under attack", "give its record"],
    );
}
