//! What computes: `basin_core`, or a stand-in in tests.

use std::path::Path;

use basin_core::checkpoint::{Distribution, Summary};
use basin_core::job::Job;
use basin_core::progress::Progress;
use basin_core::record::Record;
use basin_core::run::{Estimate, Observer, RunOptions};

/// What computes: [`Core`], or a stand-in in tests.
pub trait Engine: Send + Sync + 'static {
    /// Reads a checkpoint far enough to say what it is.
    ///
    /// # Errors
    /// As [`basin_core::checkpoint::inspect`].
    fn inspect(&self, path: &Path) -> basin_core::Result<Summary>;

    /// Tries on labelled images what a checkpoint's file leaves open.
    ///
    /// # Errors
    /// As [`basin_core::run::probe`].
    fn probe(&self, path: &Path, _: &mut dyn Progress) -> basin_core::Result<Summary> {
        self.inspect(path)
    }

    /// Computes the distribution of each tensor's values, in the order of the summary; none: it is not known.
    ///
    /// # Errors
    /// As [`basin_core::run::distributions`].
    fn distributions(&self, _: &Path, _: &mut dyn Progress) -> basin_core::Result<Vec<Distribution>> {
        Ok(Vec::new())
    }

    /// Estimates the time of a job.
    ///
    /// # Errors
    /// As [`basin_core::run::estimate`].
    fn estimate(&self, job: &Job) -> basin_core::Result<Estimate>;

    /// Runs a job.
    ///
    /// # Errors
    /// As [`basin_core::run::run`].
    fn run(&self, job: &Job, options: &RunOptions, observer: &mut dyn Observer)
    -> basin_core::Result<Record>;
}

/// The real thing: `basin_core`.
#[derive(Debug, Default, Clone, Copy)]
pub struct Core;

impl Engine for Core {
    fn inspect(&self, path: &Path) -> basin_core::Result<Summary> {
        basin_core::checkpoint::inspect(path)
    }

    fn probe(&self, path: &Path, progress: &mut dyn Progress) -> basin_core::Result<Summary> {
        basin_core::run::probe(path, progress)
    }

    fn distributions(
        &self,
        path: &Path,
        progress: &mut dyn Progress,
    ) -> basin_core::Result<Vec<Distribution>> {
        basin_core::run::distributions(path, progress)
    }

    fn estimate(&self, job: &Job) -> basin_core::Result<Estimate> {
        basin_core::run::estimate(job)
    }

    fn run(
        &self,
        job: &Job,
        options: &RunOptions,
        observer: &mut dyn Observer,
    ) -> basin_core::Result<Record> {
        basin_core::run::run(job, options, observer)
    }
}
