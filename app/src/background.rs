//! Light work off the window's thread: reading files, dialogs, estimates, exports.
//!
//! Each piece of work has its own named thread and gives one answer, through a bounded channel.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use crate::jobs::{Wake, panic_words};

/// Answers that may wait to be read; a thread with one more waits for the window.
const CAPACITY: usize = 64;

/// How long the end of the window waits for running work: libtorch must not be unloaded beneath a thread that computes.
const PATIENCE: Duration = Duration::from_secs(3);

/// Threads that each give one `Answer`.
pub struct Background<Answer> {
    sender: SyncSender<Answer>,
    receiver: Receiver<Answer>,
    pending: Arc<AtomicUsize>,
    failed: fn(String) -> Answer,
    wake: Wake,
}

impl<Answer: Send + 'static> Background<Answer> {
    /// `failed` turns the words of a panic into an answer.
    pub fn new(wake: Wake, failed: fn(String) -> Answer) -> Self {
        let (sender, receiver) = sync_channel(CAPACITY);
        Self { sender, receiver, pending: Arc::default(), failed, wake }
    }

    /// Does `work` on a thread of its own; the answer comes out of [`Self::drain`].
    pub fn spawn(&self, name: &str, work: impl FnOnce() -> Answer + Send + 'static) {
        let (sender, wake, failed) = (self.sender.clone(), self.wake.clone(), self.failed);
        let pending = self.pending.clone();
        pending.fetch_add(1, Ordering::Relaxed);
        let on_thread = move || {
            let answer =
                catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| failed(panic_words(&*panic)));
            // The window may be gone; then nobody wants the answer.
            let _ = sender.send(answer);
            pending.fetch_sub(1, Ordering::Release);
            wake(Duration::ZERO);
        };
        if let Err(error) = std::thread::Builder::new().name(format!("basin-{name}")).spawn(on_thread) {
            self.pending.fetch_sub(1, Ordering::Relaxed);
            let _ = self.sender.try_send((self.failed)(format!("cannot start a thread: {error}")));
        }
    }

    /// The answers that have arrived. Never waits.
    pub fn drain(&self) -> Vec<Answer> {
        self.receiver.try_iter().collect()
    }

    /// Whether some work has not answered yet.
    pub fn is_busy(&self) -> bool {
        self.pending.load(Ordering::Relaxed) > 0
    }
}

impl<Answer> Drop for Background<Answer> {
    fn drop(&mut self) {
        let begun = Instant::now();
        while self.pending.load(Ordering::Acquire) > 0 && begun.elapsed() < PATIENCE {
            // Makes room for threads that wait to answer.
            self.receiver.try_iter().for_each(drop);
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}
