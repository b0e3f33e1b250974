//! How far trying the readings of an ambiguous checkpoint is, while a worker thread does it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};

use basin_core::progress::{Cancelled, Event, Progress};

/// How far a probe is. It is cancelled when the last handle is gone: the checkpoint was closed.
#[derive(Debug, Default)]
pub struct Probing(AtomicU32);

impl Probing {
    /// From 0 to 1.
    pub fn share(&self) -> f32 {
        self.0.load(Ordering::Relaxed) as f32 / 1000.0
    }

    /// What the worker thread reports to.
    pub fn follower(self: &Arc<Self>) -> impl Progress + Send + use<> {
        Follower(Arc::downgrade(self))
    }
}

struct Follower(Weak<Probing>);

impl Progress for Follower {
    fn report(&mut self, event: Event) -> Result<(), Cancelled> {
        let probing = self.0.upgrade().ok_or(Cancelled)?;
        if let Event::Step { done, total } = event {
            probing.0.store((1000 * done / total.max(1)) as u32, Ordering::Relaxed);
        }
        Ok(())
    }
}
