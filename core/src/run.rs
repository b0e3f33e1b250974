//! `run(&Job)`: the only place that knows checkpoints, data, attacks and measures together.

use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::job::Job;
use crate::progress::Progress;
use crate::record::Record;

/// Where a run keeps its journal, if anywhere.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// The record's file. Finished units are kept in a journal beside it, so that the same job goes on
    /// where it was cancelled or killed. None: nothing is written.
    pub out: Option<PathBuf>,
}

/// What a job will cost on this machine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Units of work.
    pub units: u64,
    /// Seconds for all of them, from a short trial on this machine.
    pub seconds: f64,
}

/// Runs a job. The caller saves the record (`Record::save`).
///
/// A landscape that is cancelled gives the record of what is there, with `provenance.complete` false;
/// run again with the same `out`, it goes on from there.
///
/// # Errors
/// Settings that make no sense, files that cannot be used, numbers that are not finite;
/// [`Error::Cancelled`] if nothing worth keeping was done.
pub fn run(job: &Job, options: &RunOptions, progress: &mut dyn Progress) -> Result<Record> {
    let _ = (job, options, progress);
    Err(Error::invalid("not built yet"))
}

/// Estimates the time of a job by a trial of about a second.
///
/// # Errors
/// As [`run`].
pub fn estimate(job: &Job) -> Result<Estimate> {
    let _ = job;
    Err(Error::invalid("not built yet"))
}
