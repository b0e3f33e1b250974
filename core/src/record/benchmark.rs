//! The records that a benchmark is made of.

use std::borrow::Cow;

use super::Record;
use crate::job::{Entry, Outcome};

impl Record {
    /// The record itself; of a benchmark one record per entry, as if each had been run by itself.
    pub fn parts(&self) -> Vec<Cow<'_, Self>> {
        let Outcome::Benchmark(benchmark) = &self.outcome else { return vec![Cow::Borrowed(self)] };
        let part = |entry: &Entry| {
            let mut provenance = self.provenance.clone();
            provenance.complete = true;
            provenance.search_cost = entry.search_cost;
            provenance.warnings.extend(entry.warnings.iter().cloned());
            let (job, outcome) = (entry.job.clone(), entry.outcome.clone());
            Cow::Owned(Self { format: self.format, job, provenance, outcome, examples: None })
        };
        benchmark.entries.iter().map(part).collect()
    }
}
