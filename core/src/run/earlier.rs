//! The record that is already where a new one is to be written.

use std::path::{Path, PathBuf};

use super::provenance::fellow_hashes;
use super::stored;
use crate::error::{Error, Result};
use crate::job::Job;
use crate::measure::landscape::reused;
use crate::measure::{Context, Units};
use crate::record::{KeptExamples, KeptLosses, Outcome, Probabilities, Record, network_file, network_folder};

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
pub fn is_done(record: &Record, out: &Path, job: &Job, context: &Context) -> bool {
    let p = &record.provenance;
    let [examples, _, probabilities] = companions(record, out);
    p.complete
        && record.job == *job
        && p.checkpoint_hash == context.checkpoint.summary.hash
        && p.data_fingerprint == context.fingerprint
        && p.fellows.iter().map(String::as_str).eq(fellow_hashes(context))
        && [examples, probabilities].into_iter().flatten().all(|path| path.is_file())
        && networks(record, out).all(|path| path.is_file())
        && stored::is_unchanged(record)
}

/// Units of a job that the record of an earlier one holds.
///
/// # Errors
/// The record cannot be read, or is of something else.
pub fn units_of(path: &Path, job: &Job, context: &Context) -> Result<Units> {
    let record = Record::load(path)?;
    let refused = |reason: String| {
        Error::file(path, format!("{reason}, so that none of it can be reused; leave out --reuse"))
    };
    let (Job::Landscape(job), Job::Landscape(earlier), Outcome::Landscape(outcome)) =
        (job, &record.job, &record.outcome)
    else {
        return Err(refused(format!("is a record of `basin {}`, not of a landscape", record.job.kind())));
    };
    let p = &record.provenance;
    if p.checkpoint_hash != context.checkpoint.summary.hash {
        return Err(refused("is of another checkpoint".into()));
    }
    if p.data_fingerprint != context.fingerprint
        || !p.fellows.iter().map(String::as_str).eq(fellow_hashes(context))
    {
        return Err(refused("is of other images or other networks".into()));
    }
    if p.search_precision != context.precision.to_string() || p.batch_size != context.batch_size {
        return Err(refused("was computed in another precision or batch size".into()));
    }
    reused(job, earlier, outcome).map_err(refused)
}

/// The files that a record names as kept beside it: examples, losses of draws, probabilities.
fn companions(record: &Record, out: &Path) -> [Option<PathBuf>; 3] {
    let (losses, probabilities) = match &record.outcome {
        Outcome::Flatness(flatness) => (flatness.losses.as_deref(), None),
        Outcome::Evaluate(evaluation) => (None, evaluation.probabilities.as_deref()),
        _ => (None, None),
    };
    // A name only: a record does not point elsewhere.
    [record.examples.as_deref(), losses, probabilities]
        .map(|name| Some(out.with_file_name(Path::new(name?).file_name()?)))
}

/// Removes files that a replaced record kept beside it and the new one does not.
pub fn remove_files(replaced: &Record, new: &Record, out: &Path) {
    // A left-over file that no record names is harmless.
    let own = [KeptExamples::path_beside(out), KeptLosses::path_beside(out), Probabilities::path_beside(out)];
    let files = companions(replaced, out).into_iter().zip(companions(new, out)).zip(own);
    for ((before, now), own) in files {
        if now.is_none() && before.as_ref() == Some(&own) {
            let _ = std::fs::remove_file(own);
        }
    }
    let kept: Vec<PathBuf> = networks(new, out).collect();
    for path in networks(replaced, out).filter(|path| !kept.contains(path)) {
        let _ = std::fs::remove_file(path);
    }
    if kept.is_empty() {
        // Only if nothing else is in it.
        let _ = std::fs::remove_dir(network_folder(out));
    }
}

/// Files of the networks that a record keeps.
fn networks<'a>(record: &'a Record, out: &'a Path) -> impl Iterator<Item = PathBuf> + 'a {
    record.outcome.network_files().into_iter().filter_map(|file| network_file(out, file))
}
