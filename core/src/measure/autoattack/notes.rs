//! Notes of AutoAttack inside of a unit.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::attack::autoattack::{Halfway, Memory};
use crate::error::Result;
use crate::measure::units::UnitRunner;

/// What a crash may cost.
const NOTE_EVERY: Duration = Duration::from_secs(10);

/// Notes of one unit.
pub struct Notes<'a, 'd> {
    /// Shared with what asks whether to stop.
    runner: &'a RefCell<&'d mut dyn UnitRunner>,
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

impl<'a, 'd> Notes<'a, 'd> {
    /// For a unit that is about to begin, or to go on.
    pub fn new(runner: &'a RefCell<&'d mut dyn UnitRunner>, unit: &'a str, calls: &'a Cell<u64>) -> Self {
        let now = Instant::now();
        Self { runner, unit, last: now, begun: now, before: 0.0, calls }
    }

    /// Seconds that processes were at work on this unit.
    pub fn seconds(&self) -> f64 {
        self.before + self.begun.elapsed().as_secs_f64()
    }
}

impl Memory for Notes<'_, '_> {
    fn recall(&mut self) -> Option<Halfway> {
        let note: Note = serde_json::from_value(self.runner.borrow().note(self.unit)?).ok()?;
        self.before = self.before.max(note.seconds);
        self.calls.set(self.calls.get() + note.halfway.queries as u64);
        Some(note.halfway)
    }

    fn is_due(&mut self) -> bool {
        self.last.elapsed() >= NOTE_EVERY
    }

    fn note(&mut self, halfway: &Halfway) -> Result<()> {
        let note = Note { halfway: halfway.clone(), seconds: self.seconds() };
        let note = serde_json::to_value(note).expect("notes are plain data");
        self.runner.borrow_mut().put_note(self.unit, note)?;
        self.last = Instant::now();
        Ok(())
    }
}
