//! How long a job will take on this machine, by a trial of about a second.

use super::open::open;
use super::training;
use crate::data::DataSelection;
use crate::error::{Error, Result};
use crate::job::{Job, Outcome, Visitor};
use crate::measure::{Context, Cost, Measure, Work};

/// What a job will cost on this machine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Units of work.
    pub units: u64,
    /// Seconds for all of them, from a short trial on this machine.
    pub seconds: f64,
    /// Of these, the seconds of a training's tests after its epochs; 0 for other jobs.
    pub tests: f64,
}

/// Estimates the time of a job by a trial of about a second.
///
/// # Errors
/// As [`super::run`].
pub fn estimate(job: &Job) -> Result<Estimate> {
    job.check()?;
    let benchmark = match job {
        Job::Train(job) => return training::estimate(job),
        Job::Import(_) => return Ok(Estimate { units: 0, seconds: 0.0, tests: 0.0 }),
        Job::Benchmark(benchmark) => benchmark,
        job => {
            let context = open(job, None, None)?;
            return of_measure(job, &context, &context.trial()?);
        }
    };
    // One trial for each of the few selections of images.
    let mut known: Vec<(DataSelection, Context, Cost)> = Vec::new();
    let mut sum = Estimate { units: 0, seconds: 0.0, tests: 0.0 };
    for (_, job) in benchmark.entries()? {
        let images = job.data();
        if known.iter().all(|(data, ..)| *data != images) {
            let context = open(&job, None, None)?;
            let cost = context.trial()?;
            known.push((images.clone(), context, cost));
        }
        let Some((_, context, cost)) = known.iter().find(|(data, ..)| *data == images) else { continue };
        let one = of_measure(&job, context, cost)?;
        sum = Estimate { units: sum.units + one.units, seconds: sum.seconds + one.seconds, ..sum };
    }
    Ok(sum)
}

/// The time of a job, where a step takes as long as in a trial.
fn of_measure(job: &Job, context: &Context, cost: &Cost) -> Result<Estimate> {
    struct Seconds<'a>(&'a Context, &'a Cost);

    impl Visitor for Seconds<'_> {
        type Output = Result<(u64, f64)>;

        fn visit<M: Measure>(self, job: &M) -> Self::Output
        where
            M::Outcome: Into<Outcome>,
        {
            job.begin(self.0)?.seconds(self.1)
        }
    }

    let found = job.visit(Seconds(context, cost));
    let (units, seconds) =
        found.unwrap_or_else(|| Err(Error::invalid("a benchmark cannot be part of another")))?;
    Ok(Estimate { units, seconds, tests: 0.0 })
}
