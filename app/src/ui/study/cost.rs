//! What it costs to measure what a study lacks.

use std::sync::Arc;

use basin_core::study::{Planned, seconds};

use crate::jobs::Engine;
use crate::ui::session::Reading;

/// What is to be measured if the user says so.
pub(crate) struct Asked {
    pub planned: Arc<Vec<Planned>>,
    /// Seconds that it takes on this machine.
    pub cost: Reading<f64>,
}

/// The cost of what is missing, from a worker thread.
#[derive(Debug, Clone)]
pub struct Estimated {
    /// What it was computed for.
    pub of: Arc<Vec<Planned>>,
    /// Seconds, or why they are not known.
    pub cost: Result<f64, String>,
}

impl Estimated {
    /// Estimates by trials; costs seconds itself.
    pub fn compute(engine: &dyn Engine, of: Arc<Vec<Planned>>) -> Self {
        let mut first = None;
        let trial = |job: &basin_core::job::Job| match engine.estimate(job) {
            Ok(estimate) => Some(estimate.seconds),
            Err(error) => {
                first.get_or_insert(error.to_string());
                None
            }
        };
        let seconds = seconds(&of, trial);
        let cost = match first {
            // Not even one could be tried.
            Some(error) if seconds == 0.0 => Err(error),
            _ => Ok(seconds),
        };
        Self { of, cost }
    }
}
