//! What happens on the thread of a job.

use std::any::Any;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use basin_core::Error;
use basin_core::job::Job;
use basin_core::progress::{Cancelled, Event, Progress};
use basin_core::record::training::snapshots;
use basin_core::record::{Outcome, Record};
use basin_core::run::{Observer, RunOptions};
use basin_core::train::LogLine;

use crate::jobs::{Engine, Live, Wake};
use crate::places;

/// While numbers stream in, the window is drawn about this often: without a GPU, each drawing takes the
/// processor away from the job.
const FRAME: Duration = Duration::from_millis(250);

/// What happens on the job's thread: run, then save.
pub(super) fn compute(
    engine: &dyn Engine,
    job: &Job,
    progress: &mut Reporter,
) -> Result<(PathBuf, Record), Error> {
    let path = match &progress.out {
        Some(out) => out.clone(),
        None => places::record_path(job)?,
    };
    if let Job::Train(_) = job {
        // What an earlier run left is seen at once; the folder itself is the record.
        if let Ok(Record { job: known, outcome, .. }) = Record::load(&path)
            && known == *job
        {
            lock(&progress.live).outcome = Some(outcome);
        }
        let options = RunOptions { out: Some(path.clone()), ..RunOptions::default() };
        return Ok((path, engine.run(job, &options, progress)?));
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| Error::io("cannot create", folder, e))?;
    }
    // The file is named after the job: what is there is of this job, if perhaps of older weights. Finished and of these
    // very weights, it is shown as it is.
    let finished = || Record::load(&path).is_ok_and(|known| known.provenance.complete && known.job == *job);
    let replace = progress.anew || !finished();
    let options = RunOptions { out: Some(path.clone()), replace, ..RunOptions::default() };
    let record = engine.run(job, &options, progress)?;
    record.save(&path)?;
    Ok((path, record))
}

/// [`Progress`] of the window: into the slot, and a sign that there is something to draw.
pub(super) struct Reporter {
    pub out: Option<PathBuf>,
    pub anew: bool,
    pub live: Arc<Mutex<Live>>,
    pub stop: Arc<AtomicBool>,
    pub wake: Wake,
}

impl Reporter {
    /// Changes what the window shows, and has it drawn.
    fn show(&self, change: impl FnOnce(&mut Live)) {
        change(&mut lock(&self.live));
        (self.wake)(FRAME);
    }
}

impl Progress for Reporter {
    fn report(&mut self, event: Event) -> Result<(), Cancelled> {
        if event != Event::Alive {
            self.show(|live| live.take(event));
        }
        if self.stop.load(Ordering::Relaxed) { Err(Cancelled) } else { Ok(()) }
    }
}

impl Observer for Reporter {
    fn interval(&self) -> Option<Duration> {
        Some(FRAME)
    }

    fn so_far(&mut self, outcome: Outcome) {
        self.show(|live| live.take_outcome(outcome));
    }

    fn training(&mut self, line: &LogLine) {
        let epoch = matches!(line, LogLine::Epoch(_));
        let kept = self.out.as_deref().filter(|_| epoch).map(snapshots);
        self.show(|live| {
            live.take_line(line.clone());
            if let (Some(Outcome::Train(training)), Some(folder)) = (&mut live.outcome, &self.out) {
                training.folder.clone_from(folder);
                training.snapshots = kept.unwrap_or_else(|| std::mem::take(&mut training.snapshots));
            }
        });
    }
}

/// A panic elsewhere does not make the numbers unreadable.
pub(super) fn lock(live: &Mutex<Live>) -> MutexGuard<'_, Live> {
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
