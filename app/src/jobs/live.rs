//! What is known of a job while it runs: the newest numbers win.

use std::time::Instant;

use basin_core::progress::Event;
use basin_core::record::{Outcome, TrainingOutcome};
use basin_core::train::LogLine;

use crate::cli::bounds;
use crate::pace::Pace;

/// What is known of a running job; written by its thread, read when the window draws.
#[derive(Debug, Clone, Default)]
pub struct Live {
    /// What is being done, e.g. `robust landscape`.
    pub label: String,
    /// Finished units.
    pub done: u64,
    /// All units; 0 until the work has begun.
    pub total: u64,
    /// How fast it is.
    pub pace: Pace,
    /// Points of a landscape, draws of a flatness measure or epochs of a training, known so far.
    pub outcome: Option<Outcome>,
    /// The robust accuracy is between these, 0 to 1 (AutoAttack).
    pub bounds: Option<(f64, f64)>,
    /// Counts changes of `outcome`.
    pub version: u64,
    /// What the user should know.
    pub warnings: Vec<String>,
    /// Nothing was computed: the finished record was there.
    pub known: bool,
}

impl Live {
    /// What is known when the job begins once more: of a training, its epochs.
    pub(super) fn again(&self) -> Self {
        let outcome = self.outcome.clone().filter(|outcome| matches!(outcome, Outcome::Train(_)));
        Self { outcome, version: self.version + 1, ..Self::default() }
    }

    /// Finished share, 0 to 1.
    pub fn fraction(&self) -> f32 {
        if self.total == 0 { 0.0 } else { self.done as f32 / self.total as f32 }
    }

    /// Units per second, once there is something to go by.
    pub fn rate(&self) -> Option<f64> {
        self.pace.rate()
    }

    /// Seconds to go.
    pub fn remaining_s(&self) -> Option<f64> {
        self.pace.remaining_s(Instant::now())
    }

    /// Takes what the record would hold if the job ended now.
    pub(super) fn take_outcome(&mut self, outcome: Outcome) {
        self.bounds = bounds(&outcome);
        self.outcome = Some(outcome);
        self.version += 1;
    }

    /// Takes a line of a training's log.
    pub(super) fn take_line(&mut self, line: LogLine) {
        let outcome = self.outcome.get_or_insert_with(|| Outcome::Train(TrainingOutcome::default()));
        if let Outcome::Train(training) = outcome {
            training.push(line);
            self.version += 1;
        }
    }

    pub(super) fn take(&mut self, event: Event) {
        match event {
            Event::Started { label, done, total } => {
                (self.label, self.done, self.total) = (label, done, total);
                self.pace.begin(Instant::now(), done, total);
            }
            Event::Step { done, total } => {
                (self.done, self.total) = (done, total);
                self.pace.step(Instant::now(), done, total);
            }
            Event::AlreadyDone => self.known = true,
            Event::Alive => {}
            Event::Warning(text) => self.warnings.push(text),
        }
    }
}
