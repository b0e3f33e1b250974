//! Where a long run stands, as plain numbers, so that it can be told to go on from there another day.

use serde::{Deserialize, Serialize};

use crate::error::Result;

/// A run of Square after some of its queries. Going on from here ends with the bits of a run that never stopped.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Halfway {
    /// Queries done.
    pub queries: usize,
    /// Point of smallest margin of every example, one after the other.
    #[serde(with = "crate::bits")]
    pub best: Vec<f32>,
    /// The margins there.
    #[serde(with = "crate::bits")]
    pub margin: Vec<f32>,
    /// False: the example has left, as its misclassification is confirmed.
    pub robust: Vec<bool>,
    /// As in the result of the run.
    pub doubtful: Vec<bool>,
    /// Position in the stream of random numbers of every example that has not left.
    pub drawn: Vec<u64>,
}

/// Where a run leaves notes of how far it is, and finds those of an earlier one.
pub trait Memory {
    /// The last note of an earlier run of the same.
    fn recall(&mut self) -> Option<Halfway>;

    /// Whether the last note is so old that a new one should be made. Never decides what comes out.
    fn is_due(&mut self) -> bool;

    /// Keeps a note in place of the last one of this run.
    ///
    /// # Errors
    /// It cannot be kept, e.g. because the disk is full.
    fn note(&mut self, halfway: &Halfway) -> Result<()>;
}

/// Remembers nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Forgetful;

impl Memory for Forgetful {
    fn recall(&mut self) -> Option<Halfway> {
        None
    }

    fn is_due(&mut self) -> bool {
        false
    }

    fn note(&mut self, _: &Halfway) -> Result<()> {
        Ok(())
    }
}
