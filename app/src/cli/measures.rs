//! From options to the jobs of measures.

use std::path::{Path, PathBuf};

use anyhow::Result;
use basin_core::attack::names::PaperAttack;
use basin_core::job::{Case, Compute, DataSelection, Job};
use basin_core::record::Record;

use super::attacks::Attacks;
use super::failure::usage;
use crate::settings::options::{Attack, Benchmark, Evaluate, Flatness, Landscape, Options};
use crate::settings::{Given, Measure, Origin, Sheet};

/// The job that settings describe, perhaps besides a name of the paper.
fn job(measure: Measure, checkpoint: PathBuf, given: &Given, named: Option<Job>) -> Result<Job> {
    let mut origin = Origin::terminal(measure, &checkpoint);
    if let Some(data) = given.get("data.name") {
        origin.data.clone_from(data);
    }
    origin.named = named;
    let sheet = Sheet::new(given, &origin);
    match sheet.problems.into_iter().next() {
        None => Ok(sheet.job),
        Some(problem) => Err(usage(problem.text)),
    }
}

/// What a name of the paper stands for.
fn named(name: &str) -> Result<Job> {
    let attack = name.parse::<PaperAttack>().map_err(usage)?;
    Ok(attack.job(PathBuf::new(), "", Compute::default()))
}

/// An evaluation, or AutoAttack by a name of the paper.
pub fn evaluate(options: Options<Evaluate>, attacks: &Attacks, checkpoint: PathBuf) -> Result<Job> {
    let mut given = options.given;
    attacks.check_evaluation(&given).map_err(usage)?;
    if let Some(name) = attacks.autoattack() {
        let only_pgd = [
            ("--keep-attempts", "keep_attempts"),
            ("--keep-probabilities", "keep_probabilities"),
            ("--log-steps", "log_steps"),
        ];
        if let Some((option, _)) = only_pgd.iter().find(|(_, path)| given.contains_key(*path)) {
            return Err(usage(format!("{option} is for PGD, and {name} is AutoAttack; leave it out")));
        }
        return job(Measure::Attack, checkpoint, &given, Some(named(name)?));
    }
    attacks.apply(&mut given).map_err(usage)?;
    if let Some(inputs) = attacks.inputs() {
        given.insert("attack".into(), inputs.into());
    }
    if let Some(stored) = given.get("adversarial").cloned() {
        images_of(Path::new(&stored), &mut given)?;
    }
    job(Measure::Evaluate, checkpoint, &given, None)
}

/// Of stored adversarial examples the images, where none are given.
fn images_of(stored: &Path, given: &mut Given) -> Result<()> {
    let knows = |path: &str| given.contains_key(path);
    let is_file = stored.extension().is_some_and(|ending| ending == "safetensors");
    if is_file || (knows("data.name") && knows("data.examples")) {
        return Ok(());
    }
    let DataSelection { name, examples } = Record::load(stored)?.job.data();
    given.entry("data.name".into()).or_insert(name);
    given.entry("data.examples".into()).or_insert(examples.to_string());
    Ok(())
}

/// AutoAttack.
pub fn attack(options: &Options<Attack>, checkpoint: PathBuf) -> Result<Job> {
    let named = match &options.preset {
        None => None,
        Some(name) => match named(name)? {
            job @ Job::Attack(_) => Some(job),
            _ => {
                return Err(usage(format!(
                    "{name} is not AutoAttack; use basin evaluate --attack or basin flatness --preset"
                )));
            }
        },
    };
    job(Measure::Attack, checkpoint, &options.given, named)
}

/// Flatness.
pub fn flatness(options: Options<Flatness>, attacks: &Attacks, checkpoint: PathBuf) -> Result<Job> {
    let mut given = options.given;
    let named = match &options.preset {
        None => {
            attacks.check(&given).map_err(usage)?;
            attacks.apply(&mut given).map_err(usage)?;
            None
        }
        Some(name) => match named(name)? {
            Job::Flatness(job) if job.case == Case::Average && given.contains_key("descent.bookkeeping") => {
                return Err(usage(format!("{name} searches no weights; leave out --bookkeeping")));
            }
            job @ Job::Flatness(_) => Some(job),
            _ => {
                return Err(usage(format!(
                    "{name} attacks inputs and measures no flatness; use basin evaluate or basin attack"
                )));
            }
        },
    };
    job(Measure::Flatness, checkpoint, &given, named)
}

/// A landscape.
pub fn landscape(options: Options<Landscape>, attacks: &Attacks, checkpoint: PathBuf) -> Result<Job> {
    let mut given = options.given;
    attacks.check(&given).map_err(usage)?;
    attacks.apply(&mut given).map_err(usage)?;
    job(Measure::Landscape, checkpoint, &given, None)
}

/// A measure that is its settings.
pub fn other(
    measure: Measure,
    mut given: Given,
    attacks: Option<&Attacks>,
    checkpoint: PathBuf,
) -> Result<Job> {
    if let Some(attacks) = attacks {
        attacks.check(&given).map_err(usage)?;
        attacks.apply(&mut given).map_err(usage)?;
    }
    job(measure, checkpoint, &given, None)
}

/// Many attacks of the paper.
pub fn benchmark(options: &Options<Benchmark>, checkpoint: PathBuf) -> Result<Job> {
    job(Measure::Benchmark, checkpoint, &options.given, None)
}
