//! How long work reports itself and learns that it should stop.
//!
//! Order of calls: `AlreadyDone` alone; or `Started`, then any number of `Warning` and `Step`; a job of several parts
//! starts each of them. The end is the function's return value. Implementations: a bar (terminal), a shared slot
//! (window), [`Silent`].

/// The user asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cancelled;

/// What a job says while it runs.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Work begins: `total` units are to be done, `done` of them were taken from an earlier run.
    Started {
        /// What is being done, for a progress line, e.g. `robust landscape`.
        label: String,
        /// Units finished by an earlier, interrupted run of the same job.
        done: u64,
        /// All units.
        total: u64,
    },
    /// `done` of `total` units are finished. A unit is about equally long for one job.
    Step {
        /// Finished units.
        done: u64,
        /// All units.
        total: u64,
    },
    /// The record is there from an earlier run of the same job on the same files: nothing is computed.
    AlreadyDone,
    /// Nothing new; a chance to stop.
    Alive,
    /// Something the user should know that does not stop the job.
    Warning(String),
}

/// Receives events; answers `Err(Cancelled)` to stop the work at the next opportunity.
pub trait Progress {
    /// Takes one event. Must return quickly.
    ///
    /// # Errors
    /// [`Cancelled`] when the user wants the job to stop.
    fn report(&mut self, event: Event) -> Result<(), Cancelled>;
}

/// Asked often inside long units of work, so that a user who wants to stop does not wait for the unit's end.
pub type CancelCheck<'a> = &'a mut dyn FnMut() -> Result<(), Cancelled>;

/// Reports nothing, never cancels: for tests and for embedding.
#[derive(Debug, Default, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {
    fn report(&mut self, _: Event) -> Result<(), Cancelled> {
        Ok(())
    }
}
