//! Measuring what a study lacks: one job after the other goes to the queue.

use std::collections::VecDeque;
use std::time::Instant;

use basin_core::study::Planned;

use crate::jobs::{JobId, Jobs, Status};

/// Measures of a study that are to be computed.
#[derive(Debug)]
pub struct Run {
    left: VecDeque<Planned>,
    total: usize,
    done: usize,
    failed: Vec<(Planned, String)>,
    /// The job that waits or computes.
    current: Option<(JobId, Planned)>,
    began: Instant,
}

impl Run {
    /// Nothing has been computed yet.
    pub fn new(planned: Vec<Planned>) -> Self {
        Self {
            total: planned.len(),
            left: planned.into(),
            done: 0,
            failed: Vec::new(),
            current: None,
            began: Instant::now(),
        }
    }

    /// Adds measures that are not among those to come.
    pub fn add(&mut self, planned: Vec<Planned>) {
        let new: Vec<Planned> = planned.into_iter().filter(|one| !self.has(&one.out)).collect();
        self.total += new.len();
        self.left.extend(new);
    }

    fn has(&self, out: &std::path::Path) -> bool {
        let current = self.current.iter().map(|(_, planned)| planned);
        self.left.iter().chain(current).any(|planned| planned.out == out)
    }

    /// Gives the queue the next job if it has none of this run.
    pub fn feed(&mut self, jobs: &mut Jobs) {
        if self.current.is_none()
            && let Some(planned) = self.left.pop_front()
        {
            let id = jobs.add(planned.job.clone(), Some(planned.out.clone()));
            self.current = Some((id, planned));
        }
    }

    /// Takes the end of a job; whether it was one of this run. A job that was cancelled ends the run.
    pub fn ended(&mut self, id: JobId, jobs: &mut Jobs) -> bool {
        let Some((_, planned)) = self.current.take_if(|(current, _)| *current == id) else { return false };
        match jobs.get(id).map(|entry| entry.status.clone()) {
            Some(Status::Cancelled { .. }) => self.stop(jobs),
            Some(Status::Failed(why)) => self.failed.push((planned, why)),
            _ => self.done += 1,
        }
        jobs.dismiss(id);
        true
    }

    /// Computes nothing more; the job at work stops, what it has finished is kept.
    pub fn stop(&mut self, jobs: &mut Jobs) {
        self.left.clear();
        if let Some((id, _)) = &self.current {
            jobs.cancel(*id);
            if jobs.get(*id).is_none_or(|entry| !entry.is_active()) {
                jobs.dismiss(*id);
                self.current = None;
            }
        }
    }

    /// Whether nothing is left to compute.
    pub fn is_over(&self) -> bool {
        self.left.is_empty() && self.current.is_none()
    }

    /// How many were computed or failed, of how many.
    pub fn progress(&self) -> [usize; 2] {
        [self.done + self.failed.len(), self.total]
    }

    /// Seconds until all is computed, if the rest takes as long as what was computed.
    pub fn remaining(&self) -> Option<f64> {
        let [done, total] = self.progress();
        (done > 0).then(|| self.began.elapsed().as_secs_f64() / done as f64 * (total - done) as f64)
    }

    /// What could not be computed, and why.
    pub fn failed(&self) -> &[(Planned, String)] {
        &self.failed
    }

    /// The measure at work, or the next one.
    pub fn current(&self) -> Option<&Planned> {
        self.current.as_ref().map(|(_, planned)| planned)
    }

    /// How many measures of a model are to come.
    pub fn queued(&self, model: &str) -> usize {
        let current = self.current().into_iter();
        self.left.iter().chain(current).filter(|planned| planned.model == model).count()
    }
}
