//! The record that the views show: a stored one, or what a running job knows so far.

use std::sync::Arc;

use basin_core::record::{LandscapeOutcome, Outcome, Record};

use crate::jobs::Jobs;
use crate::ui::study::{Study, Target};

/// What the views show, with a number that changes whenever it does.
#[derive(Debug, Default)]
pub struct Shown {
    target: Option<Target>,
    version: u64,
    live_version: u64,
    record: Option<Arc<Record>>,
    live: bool,
}

impl Shown {
    /// Follows the selection and the running job.
    pub fn update(&mut self, study: &Study, jobs: &Jobs) {
        let changed = self.target != study.target;
        self.target = study.target;
        match study.target {
            None => self.set(None, false),
            Some(Target::Record(id)) => self.set(study.record(id).map(|stored| stored.record.clone()), false),
            Some(Target::Job(id)) => {
                let Some(entry) = jobs.get(id) else { return self.set(None, false) };
                if changed || entry.live().version != self.live_version {
                    let partial = entry.partial_record();
                    self.live_version = partial.as_ref().map_or(0, |(version, _)| *version);
                    self.set(partial.map(|(_, record)| Arc::new(record)), entry.is_active());
                }
            }
        }
    }

    fn set(&mut self, record: Option<Arc<Record>>, live: bool) {
        let same = match (&self.record, &record) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        };
        if !same {
            self.version += 1;
        }
        (self.record, self.live) = (record, live);
    }

    /// The record; of a running job, what is known so far.
    pub fn record(&self) -> Option<&Arc<Record>> {
        self.record.as_ref()
    }

    /// Its landscape, if it is one.
    pub fn landscape(&self) -> Option<&LandscapeOutcome> {
        match &self.record.as_ref()?.outcome {
            Outcome::Landscape(landscape) => Some(landscape),
            Outcome::Evaluate(_) => None,
        }
    }

    /// Changes whenever the record does.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Whether it still grows.
    pub fn is_live(&self) -> bool {
        self.live
    }
}
