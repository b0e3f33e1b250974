//! Running a benchmark: one entry after the other, all with one journal. Finished entries are kept whole, the units of
//! the one at work as in a job of its own.

use super::journal::Journal;
use super::setup::Setup;
use super::{Measured, measure};
use crate::error::{Error, Result};
use crate::job::Benchmark;
use crate::progress::{Cancelled, Event, Progress};
use crate::record::{BenchmarkOutcome, Entry, Outcome};

pub fn run(job: &Benchmark, journal: &mut Journal, progress: &mut dyn Progress) -> Result<Measured> {
    let all = job.entries()?;
    let total = all.len();
    let mut entries: Vec<Entry> = Vec::new();
    for (number, (name, job)) in all.into_iter().enumerate() {
        journal.scope(&format!("{name}: "));
        if let Some(entry) = journal.get::<Entry>("finished") {
            entries.push(entry);
            continue;
        }
        let mut labelled = Labelled { of: format!("{} of {total}, {name}", number + 1), progress };
        let measured = Setup::new(&job).and_then(|setup| measure(&job, &setup, journal, None, &mut labelled));
        let measured = match measured {
            Ok(measured) if measured.complete => measured,
            Ok(_) | Err(Error::Cancelled) if !entries.is_empty() => return Ok(finish(entries, false)),
            Ok(_) | Err(Error::Cancelled) => return Err(Error::Cancelled),
            // The other entries stay in the journal: they are worth keeping.
            Err(error) => return Err(Error::invalid(format!("{name}: {error}"))),
        };
        let entry = Entry {
            name,
            job,
            outcome: measured.outcome,
            search_cost: measured.search_cost,
            warnings: measured.warnings,
        };
        journal.put("finished", &entry)?;
        entries.push(entry);
    }
    Ok(finish(entries, true))
}

fn finish(entries: Vec<Entry>, complete: bool) -> Measured {
    Measured {
        outcome: Outcome::Benchmark(BenchmarkOutcome { entries }),
        complete,
        search_cost: None,
        warnings: Vec::new(),
        examples: None,
        losses: None,
        probabilities: None,
    }
}

/// Says which entry is at work.
struct Labelled<'a> {
    of: String,
    progress: &'a mut dyn Progress,
}

impl Progress for Labelled<'_> {
    fn report(&mut self, event: Event) -> Result<(), Cancelled> {
        self.progress.report(match event {
            Event::Started { label, done, total } => {
                Event::Started { label: format!("{}: {label}", self.of), done, total }
            }
            event => event,
        })
    }
}
