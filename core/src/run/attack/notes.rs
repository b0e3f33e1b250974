//! Notes of AutoAttack inside of a unit, in the journal.

use std::cell::Cell;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::attack::autoattack::{Halfway, Memory};
use crate::error::Result;
use crate::run::journal::Journal;

/// What a crash may cost.
const NOTE_EVERY: Duration = Duration::from_secs(10);

/// Notes of one unit.
pub struct Notes<'a> {
    journal: &'a mut Journal,
    unit: &'a str,
    last: Instant,
    begun: Instant,
    /// Seconds of earlier processes in this unit.
    before: f64,
    /// Steps of this unit, for its progress.
    calls: &'a Cell<u64>,
}

#[derive(Serialize, Deserialize)]
struct Note {
    halfway: Halfway,
    /// Since the beginning of the unit.
    seconds: f64,
}

impl<'a> Notes<'a> {
    /// For a unit that is about to begin, or to go on.
    pub fn new(journal: &'a mut Journal, unit: &'a str, calls: &'a Cell<u64>) -> Self {
        let now = Instant::now();
        Self { journal, unit, last: now, begun: now, before: 0.0, calls }
    }

    /// Seconds that earlier processes were at work on this unit.
    pub fn seconds_before(&self) -> f64 {
        self.before
    }
}

impl Memory for Notes<'_> {
    fn recall(&mut self) -> Option<Halfway> {
        let note: Note = self.journal.halfway(self.unit)?;
        self.before = self.before.max(note.seconds);
        self.calls.set(self.calls.get() + note.halfway.queries as u64);
        Some(note.halfway)
    }

    fn is_due(&mut self) -> bool {
        self.last.elapsed() >= NOTE_EVERY
    }

    fn note(&mut self, halfway: &Halfway) -> Result<()> {
        let seconds = self.before + self.begun.elapsed().as_secs_f64();
        self.journal.put_halfway(self.unit, &Note { halfway: halfway.clone(), seconds })?;
        self.last = Instant::now();
        Ok(())
    }
}
