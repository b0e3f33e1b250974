//! From a fresh clone to landscapes, figures and the window: what a new user sees first.
//!
//! Sizes are chosen so that everything after the build takes at most three minutes on two cores.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result};

use crate::{cargo, root, setup, succeed, system};

const EVALUATION: &str = "evaluate bundled --attack pgd --examples test:0..500";
const CURVES: &str = "landscape bundled --direction random --normalize layer --radius 0.5 --range 1 --steps 21 \
                      --loss robust --attack-steps 10 --examples test:0..128";
const SURFACE: &str = "landscape bundled --direction random --second random --normalize layer --radius 0.5 --range 1 \
                       --steps 17 --loss robust --attack-steps 7 --examples test:0..64";

/// Sets up, builds, measures, plots, and opens the window if there is a display for it.
pub fn run(window: bool) -> Result<()> {
    setup::run()?;
    eprintln!("building (the first time takes some minutes)");
    succeed(cargo().args(["build", "--package", "basin"]))?;

    let start = Instant::now();
    let folder = root().join("target").join("demo");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let measure = |title: &str, name: &str, arguments: &str| -> Result<PathBuf> {
        eprintln!("\n{title}");
        let record = folder.join(name);
        // What an earlier version of the demo measured may be replaced.
        succeed(basin().args(arguments.split_whitespace()).arg("--force").arg("--out").arg(&record))?;
        Ok(record)
    };
    let evaluation = measure("Clean and robust error", "evaluation.json", EVALUATION)?;
    let curves = measure("Robust loss along one direction", "curves.json", CURVES)?;
    let surface = measure("Robust loss along two directions", "surface.json", SURFACE)?;

    eprintln!("\nFigures");
    for record in [&evaluation, &curves, &surface] {
        for extension in ["svg", "pdf", "png"] {
            succeed(basin().arg("plot").arg(record).arg("--out").arg(record.with_extension(extension)))?;
        }
    }
    let picture = folder.join("surface-3d.png");
    if succeed(basin().arg("plot").arg(&surface).args(["--figure", "surface", "--out"]).arg(&picture))
        .is_err()
    {
        eprintln!("note: no picture in 3-D, which needs a graphics driver; everything else is there");
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
    // A copy, so that what is measured there does not become part of the sources.
    let study = folder.join("study");
    if !study.exists() {
        copy(&root().join("resources").join("study"), &study)?;
    }
    eprintln!("Opening the window on the bundled study; close it to end.");
    succeed(basin().arg(&study))
}

/// A folder with all that is in it.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot create {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let (old, new) = (entry.path(), to.join(entry.file_name()));
        if old.is_dir() {
            copy(&old, &new)?;
        } else {
            fs::copy(&old, &new).with_context(|| format!("cannot write {}", new.display()))?;
        }
    }
    Ok(())
}

/// The program just built, wherever cargo puts it.
fn basin() -> std::process::Command {
    let mut command = cargo();
    command.args(["run", "--quiet", "--package", "basin", "--"]);
    command
}

/// A path as the user would type it in the top folder.
fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}
