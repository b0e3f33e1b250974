//! `run(&Job)`: the only place that knows checkpoints, data, attacks and measures together.

mod beside;
pub mod change;
mod clock;
mod compare;
mod driver;
mod earlier;
mod estimate;
mod fellows;
mod inspect;
mod job_file;
mod journal;
mod network_folder;
mod observer;
mod open;
mod provenance;
mod shards;
mod share;
mod stored;
mod suite;
mod training;

use std::path::PathBuf;
use std::time::Instant;

pub use beside::check_out;
pub use compare::{Comparison, Difference, compare, compare_files};
pub use estimate::{Estimate, estimate};
pub use inspect::{distributions, open_probed, probe};
pub use job_file::read_job;
pub use journal::has_unfinished;
pub use observer::Observer;
pub use shards::{Merge, Merged, ShardState, ShardStatus, Status, create_shards, merge, run_share, status};
pub use share::Share;
pub use training::{is_being_trained, resolved, train, warnings};

use crate::device::Threads;
use crate::error::{Error, Result};
use crate::job::{Job, Outcome};
use crate::measure::Assembled;
use crate::progress::Event;
use crate::record::{Provenance, Record};
use driver::Driver;
use inspect::probing;
use journal::Journal;
use open::open_telling;
use provenance::{identity, provenance};

/// Where a run keeps its results, if anywhere.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// The record is written there; finished units are kept in a journal beside it meanwhile, so that the
    /// same job goes on where it was cancelled or killed. None: nothing is written. For a training: its folder,
    /// which it must have.
    pub out: Option<PathBuf>,
    /// What is at `out` may be replaced even if it is a finished record, or of another job.
    pub replace: bool,
    /// Of a landscape: an earlier one, whose points are taken over where they are on the new grid.
    pub reuse: Option<PathBuf>,
    /// CPU threads; none: as many as usual, but a training that goes on has as many as it had.
    pub threads: Option<u16>,
}

/// Runs a job, and writes its record if `options.out` says where.
///
/// A job that is cancelled gives the record of what is there (an evaluation keeps its journal alone), with `provenance.complete` false; run again with the same
/// `out`, it goes on from there and ends with the same numbers as an uninterrupted run. A job whose finished record is
/// there already is not computed again.
///
/// # Errors
/// Settings that make no sense, files that cannot be used, numbers that are not finite;
/// [`crate::Error::Cancelled`] if there is nothing worth keeping.
pub fn run(job: &Job, options: &RunOptions, observer: &mut dyn Observer) -> Result<Record> {
    job.check()?;
    if let Job::Train(job) = job {
        let folder = options.out.as_deref();
        let folder =
            folder.ok_or_else(|| Error::invalid("a training needs a folder; give one with --out"))?;
        return training::run(job, folder, options.threads, observer);
    }
    if let Job::Import(import) = job {
        let record = Record::load(&import.file)?;
        if let Some(out) = &options.out {
            earlier::at(out, job, options.replace)?;
            record.save(out)?;
        }
        return Ok(record);
    }
    let _threads = Threads::of(options.threads);
    check_out(job, options.out.as_deref())?;
    let there = match &options.out {
        Some(out) => earlier::at(out, job, options.replace)?,
        None => None,
    };
    let (begun, started) = (Instant::now(), clock::now());
    let context = open_telling(job, options.out.as_deref(), None, &mut probing(observer))?;
    if let (Some(out), Some(record), false) = (&options.out, &there, options.replace)
        && earlier::is_done(record, out, job, &context)
    {
        observer.report(Event::AlreadyDone)?;
        return Ok(record.clone());
    }
    let reused = options.reuse.as_ref().map(|path| earlier::units_of(path, job, &context)).transpose()?;
    let identity = identity(job, &context);
    let mut journal = Journal::open(options.out.as_deref(), &identity, options.replace)?;
    journal.know(&reused.unwrap_or_default());
    let before = journal.seconds();
    let driven = match job {
        Job::Benchmark(benchmark) => suite::run(benchmark, &mut journal, observer),
        job => {
            let whole = |assembled: Assembled<Outcome>| assembled.outcome;
            let (label, share, journal) = (|label: String| label, None, &mut journal);
            Driver { label: &label, whole: &whole, share, journal, observer }.run(job, &context)
        }
    };
    let duration_s = before + begun.elapsed().as_secs_f64();
    let driven = match driven {
        // Nothing to go on from: no unit is finished, or the same job would fail again.
        Err(error) if journal.is_empty() || matches!(error, Error::NotFinite(_)) => {
            journal.remove();
            return Err(error);
        }
        driven => {
            let noted = journal.note_seconds(duration_s);
            let driven = driven?;
            noted?;
            driven
        }
    };
    let complete = driven.complete;
    let provenance = Provenance { started, duration_s, ..provenance(job, &context) };
    let record = beside::save(job, driven, provenance, options.out.as_deref(), there.as_ref())?;
    if complete && options.out.is_some() {
        journal.remove();
    }
    Ok(record)
}
