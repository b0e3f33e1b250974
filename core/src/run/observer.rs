//! Who is told what a job gives while it runs.

use std::time::Duration;

use crate::job::Outcome;
use crate::progress::{Progress, Silent};
use crate::train::LogLine;

/// Told how far a job is, and what it has given so far.
pub trait Observer: Progress {
    /// How often results are wanted while a job runs; none: never. Zero: after every unit of work.
    fn interval(&self) -> Option<Duration> {
        None
    }

    /// Takes the outcome of the units that are finished: what the record would hold if the job ended now.
    fn so_far(&mut self, _: Outcome) {}

    /// Takes a line of a training's log.
    fn training(&mut self, _: &LogLine) {}
}

impl Observer for Silent {}
