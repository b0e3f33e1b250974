//! What a checkpoint is, with what trying its readings tells.

use std::path::Path;

use crate::checkpoint::{self, Checkpoint, Summary};
use crate::error::Result;
use crate::progress::{Event, Progress};

/// Reads a checkpoint and, where its file leaves something open, tries its readings on labelled images.
///
/// # Errors
/// As [`checkpoint::open_probed`].
pub fn probe(path: &Path, progress: &mut dyn Progress) -> Result<Summary> {
    open_probed(path, progress).map(|checkpoint| checkpoint.summary)
}

/// As [`probe`], with the network.
///
/// # Errors
/// As [`checkpoint::open_probed`].
pub fn open_probed(path: &Path, progress: &mut dyn Progress) -> Result<Checkpoint> {
    checkpoint::open_probed(path, &mut probing(progress))
}

/// Reports how far trying the readings of a checkpoint is.
pub(super) fn probing(progress: &mut dyn Progress) -> impl FnMut(f64) -> Result<()> + '_ {
    const TOTAL: u64 = 100;
    let mut started = false;
    move |share| {
        if !std::mem::replace(&mut started, true) {
            let label = "probing how the checkpoint is read".to_owned();
            progress.report(Event::Started { label, done: 0, total: TOTAL })?;
        }
        let done = (share * TOTAL as f64) as u64;
        Ok(progress.report(Event::Step { done, total: TOTAL })?)
    }
}
