//! Benchmarks: suites of jobs with one journal. Finished entries are kept whole, the units of the one at work as in a
//! job of its own.

use super::driver::{Driven, Driver};
use super::journal::Journal;
use super::observer::Observer;
use super::open::open;
use super::share::Share;
use crate::error::{Error, Result};
use crate::job::{Benchmark, BenchmarkOutcome, Entry, Job, Outcome};
use crate::measure::{Assembled, Kept};

/// Before the names of the units of an entry.
pub fn scope(name: &str) -> String {
    format!("{name}: ")
}

/// The unit of a finished entry.
const FINISHED: &str = "finished";

/// Computes every entry that is not finished.
///
/// # Errors
/// As the measures; [`Error::Cancelled`] if no entry is finished.
pub fn run(job: &Benchmark, journal: &mut Journal, observer: &mut dyn Observer) -> Result<Driven> {
    let all = job.entries()?;
    let total = all.len();
    let mut entries: Vec<Entry> = Vec::new();
    for (number, (name, job)) in all.into_iter().enumerate() {
        journal.scope(&scope(&name));
        if let Some(entry) = journal.units().get::<Entry>(FINISHED) {
            entries.push(entry);
            continue;
        }
        let label = |label: String| format!("{} of {total}, {name}: {label}", number + 1);
        let whole = |assembled: Assembled<Outcome>| {
            let entry = entry(name.clone(), job.clone(), assembled);
            Outcome::Benchmark(BenchmarkOutcome { entries: [entries.as_slice(), &[entry]].concat() })
        };
        let driven = open(&job, None, None).and_then(|context| {
            let share = None;
            Driver { label: &label, whole: &whole, share, journal, observer }.run(&job, &context)
        });
        let driven = match driven {
            Ok(driven) if driven.complete => driven,
            Ok(_) | Err(Error::Cancelled) if !entries.is_empty() => return Ok(driven_of(entries, false)),
            Ok(_) | Err(Error::Cancelled) => return Err(Error::Cancelled),
            // The other entries stay in the journal: they are worth keeping.
            Err(error) => return Err(Error::invalid(format!("{name}: {error}"))),
        };
        let entry = entry(name, job, driven.assembled);
        journal.put(FINISHED, serde_json::to_value(&entry).expect("an entry is plain data"))?;
        entries.push(entry);
    }
    Ok(driven_of(entries, true))
}

/// Computes a share of every entry.
///
/// # Errors
/// As the measures; [`Error::Cancelled`] if the user wants to stop.
pub fn run_share(
    job: &Benchmark,
    share: Share,
    journal: &mut Journal,
    observer: &mut dyn Observer,
) -> Result<()> {
    let all = job.entries()?;
    let total = all.len();
    for (number, (name, job)) in all.into_iter().enumerate() {
        journal.scope(&scope(&name));
        let label = |label: String| format!("{} of {total}, {name}: {label}", number + 1);
        let context = open(&job, None, None).map_err(|error| Error::invalid(format!("{name}: {error}")))?;
        let share = Some(share.of_part(number));
        let whole = |assembled: Assembled<Outcome>| assembled.outcome;
        Driver { label: &label, whole: &whole, share, journal, observer }.compute(&job, &context)?;
    }
    Ok(())
}

/// An entry from what was assembled.
pub fn entry(name: String, job: Job, assembled: Assembled<Outcome>) -> Entry {
    let Assembled { outcome, search_cost, warnings } = assembled;
    Entry { name, job, outcome, search_cost, warnings }
}

/// All entries together.
pub fn driven_of(entries: Vec<Entry>, complete: bool) -> Driven {
    let outcome = Outcome::Benchmark(BenchmarkOutcome { entries });
    let assembled = Assembled { outcome, search_cost: None, warnings: Vec::new() };
    Driven { assembled, kept: Kept::default(), complete }
}
