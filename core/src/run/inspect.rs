//! What a checkpoint is, with what trying its readings tells.

use std::path::Path;

use crate::checkpoint::{self, Checkpoint, Distribution, Summary};
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

/// Computes the distributions of all tensors of a checkpoint, in the order of its summary.
///
/// # Errors
/// As [`checkpoint::distributions`].
pub fn distributions(path: &Path, progress: &mut dyn Progress) -> Result<Vec<Distribution>> {
    checkpoint::distributions(path, &mut share(progress, "computing distributions of tensors"))
}

/// Reports how far trying the readings of a checkpoint is.
pub(super) fn probing(progress: &mut dyn Progress) -> impl FnMut(f64) -> Result<()> + '_ {
    share(progress, "probing how the checkpoint is read")
}

/// Reports how far work is, from 0 to 1.
fn share<'a>(progress: &'a mut dyn Progress, label: &'static str) -> impl FnMut(f64) -> Result<()> + 'a {
    const TOTAL: u64 = 100;
    let mut started = false;
    move |share| {
        if !std::mem::replace(&mut started, true) {
            progress.report(Event::Started { label: label.to_owned(), done: 0, total: TOTAL })?;
        }
        let done = (share * TOTAL as f64) as u64;
        Ok(progress.report(Event::Step { done, total: TOTAL })?)
    }
}
