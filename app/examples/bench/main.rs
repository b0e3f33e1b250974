//! `cargo xtask bench`: how fast Basin is against the naive way, measured in the same run.
//!
//! A busy machine makes single timings meaningless, so every comparison interleaves the two ways and
//! reports medians, and the median of the ratios pair by pair.

mod autoattack;
mod checkpoints;
mod convolutions;
mod curvature;
#[path = "../../src/environment.rs"]
#[allow(dead_code, reason = "a figure needs more of it")]
mod environment;
mod flatness;
mod landscape;
mod naive;
mod pairs;
#[path = "../../../tests/support/sample_study.rs"]
mod sample_study;
mod steps;
mod study;
mod training;
mod widened;
mod window;

use serde_json::{Map, Value, json};

/// What is printed: comparisons `name: {ours_s, naive_s, ratio}` and plain figures.
#[derive(Default)]
struct Results(Map<String, Value>);

impl Results {
    fn compare(&mut self, name: &str, outcome: &pairs::Outcome) {
        eprintln!(
            "{name:<44} {:>9.4} s against {:>9.4} s   {:>5.2} times",
            outcome.ours, outcome.naive, outcome.ratio
        );
        let value = json!({ "ours_s": outcome.ours, "naive_s": outcome.naive, "ratio": outcome.ratio });
        self.0.insert(name.into(), value);
    }

    fn figure(&mut self, name: &str, value: f64, unit: &str) {
        eprintln!("{name:<44} {value:>9.4} {unit}");
        self.0.insert(name.into(), json!(value));
    }

    fn note(&mut self, name: &str, value: &str) {
        eprintln!("{name:<44} {value}");
        self.0.insert(name.into(), json!(value));
    }
}

fn main() -> anyhow::Result<()> {
    environment::for_computing();
    let as_json = std::env::args().any(|a| a == "--json");
    let only: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let wanted = |part: &str| only.is_empty() || only.iter().any(|o| o == part);
    let mut results = Results::default();
    results.note("device", &basin_core::device::describe(tch::Device::Cpu));
    if wanted("steps") {
        steps::run(&mut results)?;
    }
    if wanted("families") {
        steps::families(&mut results)?;
    }
    if wanted("training") {
        training::run(&mut results)?;
    }
    if wanted("flatness") {
        flatness::run(&mut results)?;
    }
    if wanted("levels") {
        flatness::levels(&mut results)?;
    }
    if wanted("autoattack") {
        autoattack::run(&mut results)?;
    }
    if wanted("checkpoints") {
        checkpoints::run(&mut results)?;
    }
    if wanted("curvature") {
        curvature::run(&mut results)?;
    }
    if wanted("landscape") {
        landscape::run(&mut results)?;
    }
    if wanted("window") {
        window::run(&mut results)?;
    }
    if wanted("study") {
        study::run(&mut results)?;
    }
    if as_json {
        println!("{}", serde_json::to_string_pretty(&Value::Object(results.0))?);
    }
    Ok(())
}
