//! Jobs of the window: one computes at a time on its own named thread, the others wait.
//!
//! Numbers come back through a shared slot in which the newest wins ([`Live`]); the end of a job comes
//! through a bounded channel that [`Jobs::drain`] reads. Nothing here waits for a thread.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use basin_core::Error;
use basin_core::checkpoint::Summary;
use basin_core::job::Job;
use basin_core::progress::{Cancelled, Event, Progress};
use basin_core::record::{Grid, LandscapeOutcome, Outcome, Provenance, Record};
use basin_core::run::{Estimate, RunOptions};

use crate::places;

/// Asks for the window to be drawn again within a time; called from worker threads.
pub type Wake = Arc<dyn Fn(Duration) + Send + Sync>;

/// While numbers stream in, the window is drawn about this often: without a GPU, each drawing takes the
/// processor away from the job.
const FRAME: Duration = Duration::from_millis(250);

/// What computes: [`Core`], or a stand-in in tests.
pub trait Engine: Send + Sync + 'static {
    /// Reads a checkpoint far enough to say what it is.
    ///
    /// # Errors
    /// As [`basin_core::checkpoint::inspect`].
    fn inspect(&self, path: &Path) -> basin_core::Result<Summary>;

    /// Estimates the time of a job.
    ///
    /// # Errors
    /// As [`basin_core::run::estimate`].
    fn estimate(&self, job: &Job) -> basin_core::Result<Estimate>;

    /// Runs a job.
    ///
    /// # Errors
    /// As [`basin_core::run::run`].
    fn run(&self, job: &Job, options: &RunOptions, progress: &mut dyn Progress)
    -> basin_core::Result<Record>;
}

/// The real thing: `basin_core`.
#[derive(Debug, Default, Clone, Copy)]
pub struct Core;

impl Engine for Core {
    fn inspect(&self, path: &Path) -> basin_core::Result<Summary> {
        basin_core::checkpoint::inspect(path)
    }

    fn estimate(&self, job: &Job) -> basin_core::Result<Estimate> {
        basin_core::run::estimate(job)
    }

    fn run(
        &self,
        job: &Job,
        options: &RunOptions,
        progress: &mut dyn Progress,
    ) -> basin_core::Result<Record> {
        basin_core::run::run(job, options, progress)
    }
}

/// Tells the jobs of one session apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(u64);

/// Where a job is.
#[derive(Debug, Clone, PartialEq)]
pub enum Status {
    /// Another job computes.
    Waiting,
    /// Computes.
    Running,
    /// Everything was computed and saved.
    Done,
    /// Stopped by the user; `kept` says whether a partial record was saved.
    Cancelled {
        /// A record of what was finished exists.
        kept: bool,
    },
    /// Went wrong, in words.
    Failed(String),
}

/// What is known of a running job; written by its thread, read when the window draws.
#[derive(Debug, Clone, Default)]
pub struct Live {
    /// What is being done, e.g. `robust landscape`.
    pub label: String,
    /// Finished units.
    pub done: u64,
    /// All units; 0 until the work has begun.
    pub total: u64,
    /// Units that an earlier run of the same job had finished.
    pub earlier: u64,
    /// When the work began.
    pub began: Option<Instant>,
    /// Points of a landscape known so far.
    pub outcome: Option<LandscapeOutcome>,
    /// Counts changes of `outcome`.
    pub version: u64,
    /// What the user should know.
    pub warnings: Vec<String>,
}

impl Live {
    /// Finished share, 0 to 1.
    pub fn fraction(&self) -> f32 {
        if self.total == 0 { 0.0 } else { self.done as f32 / self.total as f32 }
    }

    /// Units per second, once there is something to go by.
    pub fn rate(&self) -> Option<f64> {
        let fresh = self.done.saturating_sub(self.earlier);
        let seconds = self.began?.elapsed().as_secs_f64();
        (fresh > 0 && seconds > 0.2).then(|| fresh as f64 / seconds)
    }

    /// Seconds to go.
    pub fn remaining_s(&self) -> Option<f64> {
        Some(self.total.saturating_sub(self.done) as f64 / self.rate()?)
    }

    fn take(&mut self, event: Event, job: &Job) {
        match event {
            Event::Started { label, done, total } => {
                (self.label, self.done, self.earlier, self.total) = (label, done, done, total);
                self.began = Some(Instant::now());
            }
            Event::Step { done, total } => (self.done, self.total) = (done, total),
            Event::Cell { x, y, clean, robust } => {
                let outcome = self.outcome.get_or_insert_with(|| empty_outcome(job));
                let size = (outcome.x.len(), outcome.y.as_ref().map(Vec::len));
                for (grid, point) in [(&mut outcome.clean, clean), (&mut outcome.robust, robust)] {
                    if let Some(point) = point {
                        grid.get_or_insert_with(|| Grid::empty(size.0, size.1)).set(x, y, point);
                    }
                }
                self.version += 1;
            }
            Event::Alive => {}
            Event::Warning(text) => self.warnings.push(text),
        }
    }
}

/// The axes of a landscape before any point is known.
fn empty_outcome(job: &Job) -> LandscapeOutcome {
    let (steps, range, two) = match job {
        Job::Landscape(job) => (job.steps, job.range, job.second.is_some()),
        Job::Evaluate(_) => (0, 0.0, false),
    };
    let last = steps.saturating_sub(1).max(1) as f64;
    let x: Vec<f64> = (0..steps).map(|i| range * (2.0 * i as f64 / last - 1.0)).collect();
    let y = two.then(|| x.clone());
    LandscapeOutcome { x, y, clean: None, robust: None, directions: Vec::new(), cosine: None }
}

/// One job of this session.
#[derive(Debug)]
pub struct Entry {
    /// Its name in this session.
    pub id: JobId,
    /// What was asked.
    pub job: Job,
    /// Where it is.
    pub status: Status,
    /// How long it computed, once it has ended.
    pub took: Option<Duration>,
    stop: Arc<AtomicBool>,
    live: Arc<Mutex<Live>>,
}

impl Entry {
    /// What is known now. Hold it shortly: the job's thread writes to it.
    pub fn live(&self) -> MutexGuard<'_, Live> {
        lock(&self.live)
    }

    /// Whether it computes or waits.
    pub fn is_active(&self) -> bool {
        matches!(self.status, Status::Running | Status::Waiting)
    }

    /// Whether the user has asked it to stop.
    pub fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// The record of what is known now, if anything is.
    pub fn partial_record(&self) -> Option<(u64, Record)> {
        let (version, outcome) = {
            let live = self.live();
            (live.version, live.outcome.clone()?)
        };
        let provenance = Provenance {
            seed: self.job.compute().seed,
            data: self.job.data().name.clone(),
            ..Provenance::default()
        };
        let format = basin_core::record::FORMAT;
        Some((
            version,
            Record { format, job: self.job.clone(), provenance, outcome: Outcome::Landscape(outcome) },
        ))
    }
}

/// A job came to its end.
#[derive(Debug)]
pub struct Ended {
    /// Which.
    pub id: JobId,
    /// The record and its file, if there is something to keep.
    pub record: Option<(PathBuf, Record)>,
}

type Outcomes = Receiver<Result<(PathBuf, Record), Error>>;

/// All jobs of this session, oldest first.
pub struct Jobs {
    entries: Vec<Entry>,
    next: u64,
    running: Option<(JobId, Outcomes, Instant)>,
    engine: Arc<dyn Engine>,
    wake: Wake,
}

impl Jobs {
    /// No jobs yet.
    pub fn new(engine: Arc<dyn Engine>, wake: Wake) -> Self {
        Self { entries: Vec::new(), next: 0, running: None, engine, wake }
    }

    /// All jobs, oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// One job.
    pub fn get(&self, id: JobId) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.id == id)
    }

    /// Number of jobs that compute or wait.
    pub fn active(&self) -> usize {
        self.entries.iter().filter(|entry| entry.is_active()).count()
    }

    /// Adds a job; it starts when those before it have ended.
    pub fn add(&mut self, job: Job) -> JobId {
        let id = JobId(self.next);
        self.next += 1;
        self.entries.push(Entry {
            id,
            job,
            status: Status::Waiting,
            took: None,
            stop: Arc::default(),
            live: Arc::default(),
        });
        self.start_next();
        id
    }

    /// Asks a job to stop; what it has finished is kept.
    pub fn cancel(&mut self, id: JobId) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == id) {
            entry.stop.store(true, Ordering::Relaxed);
            if entry.status == Status::Waiting {
                entry.status = Status::Cancelled { kept: false };
            }
        }
    }

    /// Asks every job to stop.
    pub fn cancel_all(&mut self) {
        let ids: Vec<JobId> = self.entries.iter().map(|entry| entry.id).collect();
        ids.into_iter().for_each(|id| self.cancel(id));
    }

    /// Takes an ended job off the list.
    pub fn dismiss(&mut self, id: JobId) {
        self.entries.retain(|entry| entry.id != id || entry.is_active());
    }

    /// Learns whether the running job has ended, and starts the next. Never waits.
    pub fn drain(&mut self) -> Option<Ended> {
        let (id, outcomes, began) = self.running.as_ref()?;
        let result = match outcomes.try_recv() {
            Err(TryRecvError::Empty) => return None,
            Ok(result) => result,
            Err(TryRecvError::Disconnected) => Err(Error::invalid("the worker thread ended without a word")),
        };
        let (id, took) = (*id, began.elapsed());
        self.running = None;
        let (status, record) = match result {
            Ok((path, record)) if record.provenance.complete => (Status::Done, Some((path, record))),
            Ok(partial) => (Status::Cancelled { kept: true }, Some(partial)),
            Err(Error::Cancelled) => (Status::Cancelled { kept: false }, None),
            Err(error) => (Status::Failed(error.to_string()), None),
        };
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == id) {
            (entry.status, entry.took) = (status, Some(took));
        }
        self.start_next();
        Some(Ended { id, record })
    }

    fn start_next(&mut self) {
        if self.running.is_some() {
            return;
        }
        let Some(entry) = self.entries.iter_mut().find(|entry| entry.status == Status::Waiting) else {
            return;
        };
        let (sender, receiver) = sync_channel(1);
        let (engine, wake, job) = (self.engine.clone(), self.wake.clone(), entry.job.clone());
        let mut reporter = Reporter {
            job: job.clone(),
            live: entry.live.clone(),
            stop: entry.stop.clone(),
            wake: wake.clone(),
        };
        let work = move || {
            let result = catch_unwind(AssertUnwindSafe(|| compute(&*engine, &job, &mut reporter)))
                .unwrap_or_else(|panic| Err(Error::invalid(panic_words(&*panic))));
            // The window may be gone; then nobody wants the answer.
            let _ = sender.send(result);
            wake(Duration::ZERO);
        };
        match std::thread::Builder::new().name(format!("basin-job-{}", entry.id.0)).spawn(work) {
            Ok(_) => {
                entry.status = Status::Running;
                self.running = Some((entry.id, receiver, Instant::now()));
            }
            Err(error) => entry.status = Status::Failed(format!("cannot start a thread: {error}")),
        }
    }
}

/// What happens on the job's thread: run, then save.
fn compute(engine: &dyn Engine, job: &Job, progress: &mut Reporter) -> Result<(PathBuf, Record), Error> {
    let path = places::record_path(job)?;
    let record = engine.run(job, &RunOptions { out: Some(path.clone()) }, progress)?;
    record.save(&path)?;
    Ok((path, record))
}

/// [`Progress`] of the window: into the slot, and a sign that there is something to draw.
struct Reporter {
    job: Job,
    live: Arc<Mutex<Live>>,
    stop: Arc<AtomicBool>,
    wake: Wake,
}

impl Progress for Reporter {
    fn report(&mut self, event: Event) -> Result<(), Cancelled> {
        if event != Event::Alive {
            lock(&self.live).take(event, &self.job);
            (self.wake)(FRAME);
        }
        if self.stop.load(Ordering::Relaxed) { Err(Cancelled) } else { Ok(()) }
    }
}

/// A panic elsewhere does not make the numbers unreadable.
fn lock(live: &Mutex<Live>) -> MutexGuard<'_, Live> {
    live.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a panic said, as a sentence.
pub(crate) fn panic_words(panic: &(dyn Any + Send)) -> String {
    let said = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no reason was given");
    let first = said.lines().next().unwrap_or(said);
    format!("stopped by an internal error ({first}); please report it with the job's command line")
}
