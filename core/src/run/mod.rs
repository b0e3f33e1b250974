//! `run(&Job)`: the only place that knows checkpoints, data, attacks and measures together.

mod attack;
mod benchmark;
mod compare;
mod earlier;
mod evaluate;
mod flatness;
mod job_file;
mod journal;
mod kept;
mod landscape;
mod search_cost;
mod setup;
mod stored;
mod training;

use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::attack::autoattack::{self, Plan};
use crate::device::Threads;
use crate::error::{Error, Result};
use crate::files::is_special;
use crate::job::{DataSelection, Evaluate, Job, LandscapeLoss};
use crate::progress::{Event, Progress};
use crate::record::{FORMAT, KeptExamples, KeptLosses, Outcome, Probabilities, Record, SearchCost};
pub use compare::{Comparison, Difference, compare, compare_files};
pub use job_file::read_job;
use journal::Journal;
pub use journal::has_unfinished;
use setup::{Cost, Setup};
pub use training::{is_being_trained, resolved, train, warnings};

/// Where a run keeps its results, if anywhere.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// The record is written there; finished units are kept in a journal beside it meanwhile, so that the
    /// same job goes on where it was cancelled or killed. None: nothing is written. For a training: its folder,
    /// which it must have.
    pub out: Option<PathBuf>,
    /// What is at `out` may be replaced even if it is a finished record, or of another job.
    pub replace: bool,
    /// CPU threads; none: as many as usual, but a training that goes on has as many as it had.
    pub threads: Option<u16>,
}

/// What a job will cost on this machine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Units of work.
    pub units: u64,
    /// Seconds for all of them, from a short trial on this machine.
    pub seconds: f64,
    /// Of these, the seconds of a training's tests after its epochs; 0 for other jobs.
    pub tests: f64,
}

/// What a measure gives back: the numbers so far, and whether they are all.
struct Measured {
    outcome: Outcome,
    complete: bool,
    search_cost: Option<SearchCost>,
    /// What the user should know about the numbers.
    warnings: Vec<String>,
    /// Adversarial examples, where they are to be kept.
    examples: Option<KeptExamples>,
    /// Of flatness, the losses of every draw and example.
    losses: Option<KeptLosses>,
    /// Probabilities of all classes, where they are to be kept.
    probabilities: Option<Probabilities>,
}

/// Runs a job, and writes its record if `options.out` says where.
///
/// A job that is cancelled gives the record of what is there (an evaluation keeps its journal alone), with
/// `provenance.complete` false; run again with the same `out`, it goes on from there and ends with the same numbers as
/// an uninterrupted run. A job whose finished record is there already is not computed again.
///
/// # Errors
/// Settings that make no sense, files that cannot be used, numbers that are not finite;
/// [`crate::Error::Cancelled`] if there is nothing worth keeping.
pub fn run(job: &Job, options: &RunOptions, progress: &mut dyn Progress) -> Result<Record> {
    job.check()?;
    if let Job::Train(job) = job {
        let folder = options.out.as_deref();
        let folder =
            folder.ok_or_else(|| Error::invalid("a training needs a folder; give one with --out"))?;
        return training::run(job, folder, options.threads, progress);
    }
    let _threads = Threads::of(options.threads);
    check_out(job, options.out.as_deref())?;
    let there = match &options.out {
        Some(out) => earlier::at(out, job, options.replace)?,
        None => None,
    };
    let started = Instant::now();
    let setup = Setup::new(job)?;
    if let (Some(out), Some(record), false) = (&options.out, &there, options.replace)
        && earlier::is_done(record, out, job, &setup)
    {
        progress.report(Event::AlreadyDone)?;
        return Ok(record.clone());
    }
    let mut journal = Journal::open(options, job, &setup)?;
    let earlier = journal.seconds();
    let measured = measure(job, &setup, &mut journal, options.out.as_deref(), progress);
    let duration_s = earlier + started.elapsed().as_secs_f64();
    let measured = match measured {
        // Nothing to go on from: no unit is finished, or the same job would fail again.
        Err(error) if journal.is_empty() || matches!(error, Error::NotFinite(_)) => {
            journal.remove();
            return Err(error);
        }
        measured => {
            let noted = journal.note_seconds(duration_s);
            let measured = measured?;
            noted?;
            measured
        }
    };
    let mut provenance = setup.provenance(job, duration_s);
    provenance.complete = measured.complete;
    provenance.search_cost = measured.search_cost;
    provenance.warnings.extend(measured.warnings);
    let mut record =
        Record { format: FORMAT, job: job.clone(), provenance, outcome: measured.outcome, examples: None };
    if let Some(out) = &options.out {
        if let Some(examples) = &measured.examples {
            let path = KeptExamples::path_beside(out);
            examples.save(&path)?;
            record.examples = name_of(&path);
        }
        if let (Some(probabilities), Outcome::Evaluate(outcome)) =
            (&measured.probabilities, &mut record.outcome)
        {
            let path = Probabilities::path_beside(out);
            probabilities.save(&path)?;
            outcome.probabilities = name_of(&path);
        }
        if let (Some(losses), Outcome::Flatness(outcome), false) =
            (&measured.losses, &mut record.outcome, is_special(out))
        {
            let path = KeptLosses::path_beside(out);
            losses.save(&path)?;
            outcome.losses = name_of(&path);
        }
        record.save(out)?;
        if let Some(replaced) = &there {
            earlier::remove_files(replaced, &record, out);
        }
        if record.provenance.complete {
            journal.remove();
        }
    }
    Ok(record)
}

fn name_of(path: &Path) -> Option<String> {
    path.file_name().map(|name| name.to_string_lossy().into_owned())
}

/// Checks that what a job keeps beside its record has a place there.
///
/// # Errors
/// Adversarial examples, probabilities or networks are to be kept, and `out` is none or no plain file.
pub fn check_out(job: &Job, out: Option<&Path>) -> Result<()> {
    match job {
        job if job.keeps_examples() => kept::check(out, "examples are kept in a file", "--keep-examples"),
        job if job.keeps_networks() => kept::check(out, "networks are kept in a folder", "--keep-networks"),
        Job::Evaluate(job) if job.keep_probabilities => {
            kept::check(out, "probabilities are kept in a file", "--keep-probabilities")
        }
        _ => Ok(()),
    }
}

/// The measure of a job; `out`: where its record will be.
fn measure(
    job: &Job,
    setup: &Setup,
    journal: &mut Journal,
    out: Option<&Path>,
    progress: &mut dyn Progress,
) -> Result<Measured> {
    match job {
        Job::Evaluate(evaluate) => evaluate::run(evaluate, setup, journal, progress),
        Job::Flatness(flatness) => flatness::run(flatness, setup, journal, out, progress),
        Job::Attack(attack) => attack::run(attack, setup, journal, progress),
        Job::Landscape(landscape) => landscape::run(landscape, setup, journal, progress),
        Job::Benchmark(benchmark) => benchmark::run(benchmark, journal, progress),
        Job::Train(_) => Err(no_measure()),
    }
}

/// A training where a measure of a checkpoint belongs.
fn no_measure() -> Error {
    Error::invalid("a training measures no checkpoint; run it by itself")
}

/// Estimates the time of a job by a trial of about a second.
///
/// # Errors
/// As [`run`].
pub fn estimate(job: &Job) -> Result<Estimate> {
    job.check()?;
    if let Job::Train(job) = job {
        return training::estimate(job);
    }
    let Job::Benchmark(benchmark) = job else {
        let setup = Setup::new(job)?;
        return estimated(job, &setup, &setup.trial()?);
    };
    // One trial for each of the few selections of images.
    let mut known: Vec<(DataSelection, Setup, Cost)> = Vec::new();
    let mut sum = Estimate { units: 0, seconds: 0.0, tests: 0.0 };
    for (_, job) in benchmark.entries()? {
        let images = job.data();
        if known.iter().all(|(data, ..)| *data != images) {
            let setup = Setup::new(&job)?;
            let cost = setup.trial()?;
            known.push((images.clone(), setup, cost));
        }
        if let Some((_, setup, cost)) = known.iter().find(|(data, ..)| *data == images) {
            let one = estimated(&job, setup, cost)?;
            sum = Estimate { units: sum.units + one.units, seconds: sum.seconds + one.seconds, ..sum };
        }
    }
    Ok(sum)
}

/// The time of a job, where a step takes as long as in a trial.
fn estimated(job: &Job, setup: &Setup, cost: &Cost) -> Result<Estimate> {
    let examples = setup.examples() as f64;
    let attack = |pgd: &crate::attack::Pgd| {
        pgd.restarts as f64 * (pgd.steps as f64 * cost.step + cost.search_forward + cost.forward)
    };
    let classes = setup.checkpoint.summary.classes;
    let (units, per_example) = match job {
        // At most: as if no example were broken.
        Job::Attack(job) => {
            let seconds = |plan: &Plan| {
                let forwards = (plan.runs().len() as u64 * attack::passes(plan, classes)) as f64;
                match plan.attack {
                    autoattack::Attack::Square => forwards * cost.search_forward,
                    _ => forwards / 2.0 * cost.step,
                }
            };
            (1, cost.forward + job.attack.plans(classes)?.iter().map(seconds).sum::<f64>())
        }
        Job::Evaluate(job) => {
            let stored = if job.adversarial.is_some() { cost.forward } else { 0.0 };
            (1, cost.forward + stored + job.attacks().map(attack).sum::<f64>())
        }
        Job::Flatness(job) => {
            let (units, seconds) = flatness::cost(job, setup, cost)?;
            return Ok(Estimate { units, seconds, tests: 0.0 });
        }
        Job::Benchmark(_) => return Err(Error::invalid("a benchmark cannot be part of another")),
        Job::Train(_) => return Err(no_measure()),
        Job::Landscape(job) => (
            job.cells() as u64,
            cost.forward
                + match job.loss {
                    LandscapeLoss::Clean => 0.0,
                    LandscapeLoss::Robust => attack(&job.attack),
                    LandscapeLoss::RobustFixed => cost.forward,
                },
        ),
    };
    let compared = match job {
        Job::Evaluate(Evaluate { attack: Some(pgd), .. }) => pgd.restarts * pgd.steps,
        Job::Landscape(job) if job.loss != LandscapeLoss::Clean => job.attack.restarts * job.attack.steps,
        _ => 0,
    };
    let seconds = units as f64 * (examples * per_example + cost.preparation);
    Ok(Estimate { units, seconds: seconds + search_cost::seconds(setup, cost, compared), tests: 0.0 })
}
