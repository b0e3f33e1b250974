//! A thread that looks at a study's folder again and again.
//!
//! It reads modification times every two seconds, which works on folders that are shared over a network, where the
//! notices of operating systems do not; where a look takes long, less often, so that it costs a twentieth of a core.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use basin_core::study::{Reader, Study};

use super::Seen;
use crate::jobs::Wake;

/// The folder is looked at this often.
const EVERY: Duration = Duration::from_secs(2);
/// A look is followed by a pause of so many times its duration.
const PAUSE: u32 = 20;

/// Watches a study until it is dropped.
pub struct Watcher {
    shared: Arc<Shared>,
}

struct Shared {
    stop: AtomicBool,
    /// Whether a look is asked for, or at work.
    looking: AtomicBool,
    /// Whether to look at once.
    asked: Mutex<bool>,
    changed: Condvar,
    /// What was seen last; the newest wins.
    news: Mutex<Option<Seen>>,
    wake: Wake,
}

impl Watcher {
    /// Watches a folder; `wake` is called when there is news.
    pub fn start(folder: PathBuf, wake: Wake) -> Self {
        let shared = Arc::new(Shared {
            stop: AtomicBool::new(false),
            looking: AtomicBool::new(true),
            asked: Mutex::new(true),
            changed: Condvar::new(),
            news: Mutex::new(None),
            wake,
        });
        let of_thread = shared.clone();
        let started =
            std::thread::Builder::new().name("basin-study".into()).spawn(move || of_thread.watch(&folder));
        if started.is_err() {
            shared.looking.store(false, Ordering::Release);
        }
        Self { shared }
    }

    /// What has been seen since the last call.
    pub fn news(&self) -> Option<Seen> {
        lock(&self.shared.news).take()
    }

    /// Has the folder looked at now.
    pub fn look(&self) {
        self.shared.looking.store(true, Ordering::Release);
        *lock(&self.shared.asked) = true;
        self.shared.changed.notify_all();
    }

    /// Whether the folder is being looked at for the first time, or because that was asked for.
    pub fn is_looking(&self) -> bool {
        self.shared.looking.load(Ordering::Acquire)
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn watch(&self, folder: &Path) {
        let mut reader = Reader::open(folder);
        let mut problem = None;
        while !self.stop.load(Ordering::Relaxed) {
            let was_asked = std::mem::take(&mut *lock(&self.asked));
            let begun = Instant::now();
            let looked = Study::load(folder).and_then(|study| {
                let look = reader.look(&study, &mut |look| {
                    self.tell(Seen::of(folder, &study, look, false));
                    !self.stop.load(Ordering::Relaxed)
                })?;
                let seen = look.map(|look| Seen::of(folder, &study, look, true));
                Ok(seen)
            });
            match looked {
                Ok(Some(seen)) => {
                    problem = None;
                    self.tell(seen);
                }
                // The study is as it was before it could not be read: it is told once more.
                Ok(None) if problem.is_some() => {
                    problem = None;
                    reader = Reader::open(folder);
                    *lock(&self.asked) = was_asked;
                    continue;
                }
                Ok(None) => {}
                Err(error) if problem.as_ref() != Some(&error.to_string()) => {
                    problem = Some(error.to_string());
                    self.tell_problem(error.to_string());
                }
                Err(_) => {}
            }
            let asked = lock(&self.asked);
            if was_asked && !*asked {
                self.looking.store(false, Ordering::Release);
                (self.wake)(Duration::ZERO);
            }
            let pause = EVERY.max(PAUSE * begun.elapsed());
            let waits = |asked: &mut bool| !*asked && !self.stop.load(Ordering::Relaxed);
            drop(self.changed.wait_timeout_while(asked, pause, waits));
        }
    }

    fn tell(&self, seen: Seen) {
        *lock(&self.news) = Some(seen);
        (self.wake)(Duration::ZERO);
    }

    /// Tells why the folder cannot be read; what was seen before stays.
    fn tell_problem(&self, problem: String) {
        let mut news = lock(&self.news);
        let seen = news.take().unwrap_or_default();
        *news = Some(Seen { problem: Some(problem), ..seen });
        drop(news);
        (self.wake)(Duration::ZERO);
    }
}

/// A panic elsewhere does not make the news unreadable.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
