//! The numbers of a benchmark.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Outcome, Record, SearchCost};
use crate::job::Job;

/// One outcome per entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BenchmarkOutcome {
    /// In the order of the names; a cancelled benchmark has those that are finished.
    pub entries: Vec<Entry>,
}

/// One attack of a benchmark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The paper's name.
    pub name: String,
    /// What it stands for, ready to be run by itself.
    pub job: Job,
    /// What came out.
    pub outcome: Outcome,
    /// As in the provenance of a record of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search_cost: Option<SearchCost>,
    /// What the user should know about these numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

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
