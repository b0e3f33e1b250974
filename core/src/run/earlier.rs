//! The record that is already where a new one is to be written.

use std::path::Path;

use super::setup::Setup;
use crate::error::{Error, Result};
use crate::job::Job;
use crate::record::{KeptExamples, Record};

/// The record at `out`, if there is one.
///
/// # Errors
/// It must not be replaced: it is no record, or, without `replace`, that of another job.
pub fn at(out: &Path, job: &Job, replace: bool) -> Result<Option<Record>> {
    if !out.is_file() {
        return Ok(None);
    }
    match Record::load(out) {
        Err(_) => Err(Error::file(out, "exists and is no Basin record; choose another --out")),
        Ok(record) if record.job != *job && !replace => Err(Error::file(
            out,
            format!(
                "holds the {}record of another job ({}); choose another --out, or replace it with --force",
                if record.provenance.complete { "" } else { "unfinished " },
                record.job.kind(),
            ),
        )),
        Ok(record) => Ok(Some(record)),
    }
}

/// Whether the record of the same job at `out` is what running it would give: finished, on these very files.
pub fn is_done(record: &Record, out: &Path, job: &Job, setup: &Setup) -> bool {
    let p = &record.provenance;
    p.complete
        && record.job == *job
        && p.checkpoint_hash == setup.checkpoint.summary.hash
        && p.data_fingerprint == setup.fingerprint
        && (record.examples.is_none() || KeptExamples::path_beside(out).is_file())
}

/// Removes the examples that a replaced record kept.
pub fn remove_examples(replaced: &Record, out: &Path) {
    let path = KeptExamples::path_beside(out);
    if replaced.examples.as_deref().map(Path::new) == path.file_name().map(Path::new) {
        // A left-over file that no record names is harmless.
        let _ = std::fs::remove_file(path);
    }
}
