//! The record that the views show: a stored one, or what a running job knows so far.

use std::sync::Arc;

use basin_core::record::{LandscapeOutcome, Outcome, Record};

use crate::jobs::Jobs;
use crate::ui::session::{Session, Target, share_a_chart};

/// What the views show, with a number that changes whenever it does.
#[derive(Debug, Default)]
pub struct Shown {
    target: Option<Target>,
    version: u64,
    live_version: u64,
    record: Option<Arc<Record>>,
    beside: Vec<Arc<Record>>,
}

impl Shown {
    /// Follows the selection and the running job.
    pub fn update(&mut self, session: &Session, jobs: &Jobs) {
        let changed = self.target != session.target;
        self.target = session.target;
        let beside: Vec<_> = session.beside().map(|stored| stored.record.clone()).collect();
        if beside.len() != self.beside.len()
            || !beside.iter().zip(&self.beside).all(|(a, b)| Arc::ptr_eq(a, b))
        {
            self.version += 1;
            self.beside = beside;
        }
        match session.target {
            None => self.set(None),
            Some(Target::Record(id)) => self.set(session.record(id).map(|stored| stored.record.clone())),
            Some(Target::Job(id)) => {
                let Some(entry) = jobs.get(id) else { return self.set(None) };
                if changed || entry.live().version != self.live_version {
                    let partial = entry.partial_record();
                    self.live_version = partial.as_ref().map_or(0, |(version, _)| *version);
                    self.set(partial.map(|(_, record)| Arc::new(record)));
                }
            }
        }
    }

    fn set(&mut self, record: Option<Arc<Record>>) {
        if !same(&self.record, &record) {
            self.version += 1;
        }
        self.record = record;
    }

    /// The record; of a running job, what is known so far.
    pub fn record(&self) -> Option<&Arc<Record>> {
        self.record.as_ref()
    }

    /// Its landscape, if it is one.
    pub fn landscape(&self) -> Option<&LandscapeOutcome> {
        match &self.record.as_ref()?.outcome {
            Outcome::Landscape(landscape) => Some(landscape),
            _ => None,
        }
    }

    /// Changes whenever the record does.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The records of one chart, that of [`Shown::record`] first: of 1-D landscapes and of flatness as many
    /// as are selected.
    pub fn together(&self) -> Vec<Arc<Record>> {
        let fits =
            |other: &&Arc<Record>| self.record.as_deref().is_some_and(|record| share_a_chart(record, other));
        let beside = self.beside.iter().filter(fits);
        self.record.iter().chain(beside).cloned().collect()
    }
}

fn same(a: &Option<Arc<Record>>, b: &Option<Arc<Record>>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        (None, None) => true,
        _ => false,
    }
}
