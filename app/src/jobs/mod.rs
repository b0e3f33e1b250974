//! Jobs of the window: one computes at a time on its own named thread, the others wait.
//!
//! Numbers come back through a shared slot in which the newest wins ([`Live`]); the end of a job comes
//! through a bounded channel that [`Jobs::drain`] reads. Nothing here waits for a thread.

mod engine;
mod live;
mod worker;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use basin_core::Error;
use basin_core::job::Job;
use basin_core::record::{Provenance, Record};

pub use engine::{Core, Engine};
pub use live::Live;
pub(crate) use worker::panic_words;
use worker::{Reporter, compute, lock};

/// Asks for the window to be drawn again within a time; called from worker threads.
pub type Wake = Arc<dyn Fn(Duration) + Send + Sync>;

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

/// One job of this session.
#[derive(Debug)]
pub struct Entry {
    /// Its name in this session.
    pub id: JobId,
    /// What was asked.
    pub job: Job,
    /// Where it keeps its results; none: in a file of its own (see [`crate::places`]).
    pub out: Option<PathBuf>,
    /// Where it is.
    pub status: Status,
    /// How long it computed, once it has ended.
    pub took: Option<Duration>,
    /// Compute it even if its finished record is there.
    anew: bool,
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
        let provenance =
            Provenance { seed: self.job.compute().seed, data: self.job.data().name, ..Provenance::default() };
        let format = basin_core::record::FORMAT;
        Some((version, Record { format, job: self.job.clone(), provenance, outcome, examples: None }))
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

    /// The job that trains in this folder, or waits for it.
    pub fn training_in(&self, folder: &Path) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.is_active() && entry.out.as_deref() == Some(folder))
    }

    /// Number of jobs that compute or wait.
    pub fn active(&self) -> usize {
        self.entries.iter().filter(|entry| entry.is_active()).count()
    }

    /// Adds a job; it starts when those before it have ended. The same job that has ended begins again in its place
    /// and goes on where it stopped.
    pub fn add(&mut self, job: Job, out: Option<PathBuf>) -> JobId {
        let same = |entry: &&Entry| entry.job == job && entry.out == out;
        if let Some(id) = self.entries.iter().find(same).map(|entry| entry.id) {
            self.again(id, false);
            return id;
        }
        let id = JobId(self.next);
        self.next += 1;
        self.entries.push(Entry {
            id,
            job,
            out,
            status: Status::Waiting,
            took: None,
            anew: false,
            stop: Arc::default(),
            live: Arc::default(),
        });
        self.start_next();
        id
    }

    /// Lets a job that has ended wait for its turn again; `anew`: its finished record is computed once more.
    pub fn again(&mut self, id: JobId, anew: bool) {
        let Some(at) = self.entries.iter().position(|entry| entry.id == id && !entry.is_active()) else {
            return;
        };
        let mut entry = self.entries.remove(at);
        let live = Arc::new(Mutex::new(entry.live().again()));
        (entry.status, entry.took, entry.anew) = (Status::Waiting, None, anew);
        // Its last thread may still hold these.
        (entry.stop, entry.live) = (Arc::default(), live);
        self.entries.push(entry);
        self.start_next();
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
            out: entry.out.clone(),
            anew: entry.anew,
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
