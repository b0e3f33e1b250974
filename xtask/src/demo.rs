//! From a fresh clone to landscapes, figures and the window: what a new user sees first.
//!
//! Sizes are chosen so that everything after the build takes at most three minutes on two cores.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result};

use crate::{cargo, root, setup, succeed, system};

const EVALUATION: &[&str] = &["evaluate", "--attack", "pgd", "--examples", "test:0..500"];
const CURVES: &[&str] = &[
    "landscape",
    "--direction",
    "random",
    "--normalize",
    "layer",
    "--radius",
    "0.5",
    "--range",
    "1",
    "--steps",
    "21",
    "--loss",
    "robust",
    "--attack-steps",
    "10",
    "--examples",
    "test:0..128",
];
const SURFACE: &[&str] = &[
    "landscape",
    "--direction",
    "random",
    "--second",
    "random",
    "--normalize",
    "layer",
    "--radius",
    "0.5",
    "--range",
    "1",
    "--steps",
    "21",
    "--loss",
    "robust-fixed",
    "--attack-steps",
    "10",
    "--examples",
    "test:0..128",
];

/// Sets up, builds, measures, plots, and opens the window if there is a display for it.
pub fn run(window: bool) -> Result<()> {
    setup::run()?;
    eprintln!("building (the first time takes some minutes)");
    succeed(cargo().args(["build", "--package", "basin"]))?;

    let start = Instant::now();
    let checkpoint = bundled_checkpoint()?;
    let folder = root().join("target").join("demo");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    eprintln!("\ncheckpoint: {}", shown(&checkpoint));
    let measure = |title: &str, name: &str, arguments: &[&str]| -> Result<PathBuf> {
        eprintln!("\n{title}");
        let record = folder.join(name).with_extension("json");
        let [command, options @ ..] = arguments else { unreachable!("each has a subcommand") };
        succeed(basin().arg(command).arg(&checkpoint).args(options).arg("--out").arg(&record))?;
        Ok(record)
    };
    let evaluation = measure("Clean and robust error", "evaluation", EVALUATION)?;
    let curves = measure("Robust loss along one direction", "curves", CURVES)?;
    let surface = measure("Robust loss along two directions", "surface", SURFACE)?;

    eprintln!("\nFigures");
    for record in [&curves, &surface] {
        for extension in ["svg", "pdf", "png"] {
            let figure = record.with_extension(extension);
            succeed(basin().arg("plot").arg(record).args(["--figure", "landscape", "--out"]).arg(&figure))?;
        }
    }
    eprintln!("\nRecords and figures are in {} ({:.0} s)", shown(&folder), start.elapsed().as_secs_f64());

    if !window {
        return Ok(());
    }
    if !system::has_display() {
        eprintln!(
            "There is no display (neither DISPLAY nor WAYLAND_DISPLAY is set), so the window stays closed."
        );
        return Ok(());
    }
    eprintln!("Opening the window; close it to end.");
    succeed(basin().arg(&checkpoint).args([&evaluation, &curves, &surface]))
}

/// The program just built, wherever cargo puts it.
fn basin() -> std::process::Command {
    let mut command = cargo();
    command.args(["run", "--quiet", "--package", "basin", "--"]);
    command
}

fn bundled_checkpoint() -> Result<PathBuf> {
    let folder = root().join("resources").join("checkpoints");
    let files = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut files: Vec<_> = files.flatten().map(|file| file.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension != "md" && extension != "json"));
    files.sort();
    files.into_iter().next().with_context(|| format!("there is no checkpoint in {}", folder.display()))
}

/// A path as the user would type it in the top folder.
fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}
