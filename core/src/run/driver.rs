//! The driver: runs the measure of any job, unit by unit.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::journal::Journal;
use super::observer::Observer;
use super::share::Share;
use crate::error::{Error, Result};
use crate::job::{Job, Outcome, Visitor};
use crate::measure::{Assembled, Context, Kept, Measure, Plan, UnitRunner, Units, Work};
use crate::progress::{Cancelled, Event};

/// Partial results take at most this part of the time.
const PART: u32 = 20;

/// What came of a job.
pub struct Driven {
    /// The numbers of the units there are.
    pub assembled: Assembled<Outcome>,
    /// What is to be kept beside them.
    pub kept: Kept,
    /// Whether every unit of the plan is finished.
    pub complete: bool,
}

/// How a job is run.
pub struct Driver<'a> {
    /// What is done, for a line of progress, given the label of the measure.
    pub label: &'a dyn Fn(String) -> String,
    /// The whole outcome, given that of the part at work.
    pub whole: &'a dyn Fn(Assembled<Outcome>) -> Outcome,
    /// The part of the work that is computed here; none: all of it.
    pub share: Option<Share>,
    /// Where units are kept.
    pub journal: &'a mut Journal,
    /// Who is told.
    pub observer: &'a mut dyn Observer,
}

impl Driver<'_> {
    /// Computes what is missing of the measure of a job.
    ///
    /// # Errors
    /// As the measure; [`Error::Cancelled`] if there is nothing worth keeping.
    pub fn run(self, job: &Job, context: &Context) -> Result<Driven> {
        let run = Run { driver: self, context };
        job.visit(run).unwrap_or_else(|| Err(Error::invalid("a benchmark cannot be part of another")))
    }
}

impl Driver<'_> {
    /// Computes what is missing of its share, and assembles nothing.
    ///
    /// # Errors
    /// As the measure; [`Error::Cancelled`] if the user wants to stop.
    pub fn compute(self, job: &Job, context: &Context) -> Result<()> {
        struct Compute<'a, 'c>(Driver<'a>, &'c Context);

        impl Visitor for Compute<'_, '_> {
            type Output = Result<()>;

            fn visit<M: Measure>(self, job: &M) -> Result<()>
            where
                M::Outcome: Into<Outcome>,
            {
                let work = job.begin(self.1)?;
                let (label, share) = ((self.0.label)(job.label()), self.0.share);
                Runner::new(&work, self.0).all(label, share).map(drop)
            }
        }

        let compute = Compute(self, context);
        job.visit(compute).unwrap_or_else(|| Err(Error::invalid("a benchmark cannot be part of another")))
    }
}

/// The plan of a job, given the units there are, and what there is of its outcome.
///
/// # Errors
/// As the measure.
pub fn assembled(job: &Job, context: &Context, units: &Units) -> Result<(Plan, Option<Driven>)> {
    struct Assemble<'a>(&'a Context, &'a Units);

    impl Visitor for Assemble<'_> {
        type Output = Result<(Plan, Option<Driven>)>;

        fn visit<M: Measure>(self, job: &M) -> Self::Output
        where
            M::Outcome: Into<Outcome>,
        {
            let Self(context, units) = self;
            let work = job.begin(context)?;
            let plan = work.plan(units)?;
            let driven = driven(&work, units, plan.is_finished())?;
            Ok((plan, driven))
        }
    }

    job.visit(Assemble(context, units))
        .unwrap_or_else(|| Err(Error::invalid("a benchmark cannot be part of another")))
}

fn driven<W: Work>(work: &W, units: &Units, complete: bool) -> Result<Option<Driven>>
where
    W::Outcome: Into<Outcome>,
{
    let Some(assembled) = work.assemble(units)? else { return Ok(None) };
    Ok(Some(Driven { assembled: general(assembled), kept: work.kept(units)?, complete }))
}

fn general<O: Into<Outcome>>(assembled: Assembled<O>) -> Assembled<Outcome> {
    let Assembled { outcome, search_cost, warnings } = assembled;
    Assembled { outcome: outcome.into(), search_cost, warnings }
}

struct Run<'a, 'c> {
    driver: Driver<'a>,
    context: &'c Context,
}

impl Visitor for Run<'_, '_> {
    type Output = Result<Driven>;

    fn visit<M: Measure>(self, job: &M) -> Result<Driven>
    where
        M::Outcome: Into<Outcome>,
    {
        let Self { driver, context } = self;
        let work = job.begin(context)?;
        let (label, share) = ((driver.label)(job.label()), driver.share);
        let mut runner = Runner::new(&work, driver);
        let ended = runner.all(label, share);
        let complete = match ended {
            Ok(plan) => plan.is_finished(),
            // What is finished is a record.
            Err(Error::Cancelled) if job.has_partial_record() => false,
            Err(error) => return Err(error),
        };
        driven(&work, runner.journal.units(), complete)?.ok_or(Error::Cancelled)
    }
}

/// Where a measure works.
struct Runner<'a, W> {
    work: &'a W,
    whole: &'a dyn Fn(Assembled<Outcome>) -> Outcome,
    journal: &'a mut Journal,
    observer: &'a mut dyn Observer,
    /// Work that is done.
    done: u64,
    /// Work that is left of the group in hand.
    left: u64,
    /// Work of the groups to come.
    later: u64,
    /// When partial results were last told, and how long that took.
    told: Instant,
    took: Duration,
}

impl<'a, W: Work> Runner<'a, W>
where
    W::Outcome: Into<Outcome>,
{
    fn new<'d: 'a>(work: &'a W, driver: Driver<'d>) -> Self {
        let Driver { whole, journal, observer, .. } = driver;
        let (told, took) = (Instant::now(), Duration::ZERO);
        Self { work, whole, journal, observer, done: 0, left: 0, later: 0, told, took }
    }

    /// Computes all groups of the share that are left; the plan as it is then.
    fn all(&mut self, label: String, share: Option<Share>) -> Result<Plan> {
        let mut tried: HashSet<String> = HashSet::new();
        let mut label = Some(label);
        loop {
            let plan = self.work.plan(self.journal.units())?;
            let mine: Vec<usize> = match share {
                Some(share) => share.of(&plan),
                None => (0..plan.groups.len()).collect(),
            };
            let groups = || mine.iter().map(|at| &plan.groups[*at]);
            self.done = groups().map(|group| group.done).sum();
            self.later = groups().map(|group| group.left).sum::<u64>()
                + share.map_or(plan.later, |share| share.part(plan.later));
            self.left = 0;
            if let Some(label) = label.take() {
                self.observer.report(Event::Started { label, done: self.done, total: self.total() })?;
                for notice in self.work.notices() {
                    self.observer.report(Event::Warning(notice))?;
                }
                self.so_far();
            }
            let todo: Vec<_> =
                groups().filter(|group| group.left > 0 && !tried.contains(&group.name)).collect();
            if todo.is_empty() {
                return Ok(plan);
            }
            for group in todo {
                self.later -= group.left;
                self.left = group.left;
                self.work.compute(&group.name, self)?;
                tried.insert(group.name.clone());
                self.left = 0;
            }
        }
    }

    fn total(&self) -> u64 {
        self.done + self.left + self.later
    }

    fn step(&mut self, within: u64) -> Result<(), Cancelled> {
        let total = self.total();
        self.observer.report(Event::Step { done: (self.done + within).min(total), total })
    }

    /// Tells what the record would hold if the job ended now, if that is wanted and time.
    fn so_far(&mut self) {
        let Some(interval) = self.observer.interval() else { return };
        if !interval.is_zero() && self.told.elapsed() < interval.max(self.took * PART) {
            return;
        }
        let begun = Instant::now();
        if let Ok(Some(assembled)) = self.work.assemble(self.journal.units()) {
            self.observer.so_far((self.whole)(general(assembled)));
        }
        (self.told, self.took) = (Instant::now(), begun.elapsed());
    }
}

impl<W: Work> UnitRunner for Runner<'_, W>
where
    W::Outcome: Into<Outcome>,
{
    fn units(&self) -> &Units {
        self.journal.units()
    }

    fn put(&mut self, unit: &str, value: Value, weight: u64) -> Result<()> {
        self.journal.put(unit, value)?;
        self.done += weight;
        self.left = self.left.saturating_sub(weight);
        self.journal.note_progress(self.done, self.total())?;
        self.so_far();
        Ok(self.step(0)?)
    }

    fn forget(&mut self, unit: &str) {
        self.journal.forget(unit);
    }

    fn alive(&mut self) -> Result<(), Cancelled> {
        self.observer.report(Event::Alive)
    }

    fn within(&mut self, done: u64) -> Result<(), Cancelled> {
        self.step(done)
    }

    fn expect(&mut self, left: u64) {
        self.left = left;
    }

    fn note(&self, unit: &str) -> Option<Value> {
        self.journal.halfway(unit)
    }

    fn put_note(&mut self, unit: &str, note: Value) -> Result<()> {
        self.journal.put_halfway(unit, note)
    }
}
