//! What is known of a job while it runs: the newest numbers win.

use std::time::Instant;

use basin_core::job::Job;
use basin_core::progress::Event;
use basin_core::record::{Grid, LandscapeOutcome, Outcome, TrainingOutcome};

use super::live_flatness;
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

    pub(super) fn take(&mut self, event: Event, job: &Job) {
        match event {
            Event::Started { label, done, total } => {
                (self.label, self.done, self.total) = (label, done, total);
                self.pace.begin(Instant::now(), done, total);
            }
            Event::Step { done, total } => {
                (self.done, self.total) = (done, total);
                self.pace.step(Instant::now(), done, total);
            }
            Event::Cell { x, y, clean, robust } => {
                let outcome = self.outcome.get_or_insert_with(|| Outcome::Landscape(empty_landscape(job)));
                let Outcome::Landscape(outcome) = outcome else { return };
                let size = (outcome.x.len(), outcome.y.as_ref().map(Vec::len));
                for (grid, point) in [(&mut outcome.clean, clean), (&mut outcome.robust, robust)] {
                    if let Some(point) = point {
                        grid.get_or_insert_with(|| Grid::empty(size.0, size.1)).set(x, y, point);
                    }
                }
                self.version += 1;
            }
            Event::Reference(point) => {
                self.outcome = Some(Outcome::Flatness(live_flatness::begin(point)));
                self.version += 1;
            }
            Event::Draw { layer, radius, draw, point } => {
                if let (Some(Outcome::Flatness(outcome)), Job::Flatness(job)) = (&mut self.outcome, job) {
                    live_flatness::add(outcome, job, layer, radius, draw, point);
                    self.version += 1;
                }
            }
            Event::Radius(at) => {
                if let Some(Outcome::Flatness(outcome)) = &mut self.outcome {
                    live_flatness::replace(outcome, *at);
                    self.version += 1;
                }
            }
            Event::Bounds { lower, upper } => self.bounds = Some((lower, upper)),
            Event::AlreadyDone => self.known = true,
            Event::Alive => {}
            Event::Training(line) => {
                let outcome = self.outcome.get_or_insert_with(|| Outcome::Train(TrainingOutcome::default()));
                if let Outcome::Train(training) = outcome {
                    training.push(*line);
                    self.version += 1;
                }
            }
            Event::Warning(text) => self.warnings.push(text),
        }
    }
}

/// The axes of a landscape before any point is known.
fn empty_landscape(job: &Job) -> LandscapeOutcome {
    let (steps, range, two) = match job {
        Job::Landscape(job) => (job.steps, job.range, job.second.is_some()),
        _ => (0, 0.0, false),
    };
    let x = basin_core::measure::landscape::steps(steps, range);
    let y = two.then(|| x.clone());
    LandscapeOutcome { x, y, clean: None, robust: None, directions: Vec::new(), cosine: None }
}
