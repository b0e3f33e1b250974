//! The numbers of a training. Its record is its folder: the job, the log, what was kept of the network, and, once it
//! is finished, how good that is.

use std::path::Path;

use super::{FORMAT, Outcome, Provenance, Record};
use crate::error::{Error, Result};
use crate::files::{is_empty_folder, read_text};
use crate::job::Job;
pub use crate::train::{Choice, Snapshot, Trained, TrainingOutcome};

/// What was asked, in the folder of a training.
pub const JOB: &str = "job.json";
/// One JSON line per group of steps and per epoch.
pub const LOG: &str = "log.jsonl";
/// Where the numbers come from.
pub const PROVENANCE: &str = "provenance.json";
/// Folder of the networks that were kept on the way.
pub const SNAPSHOTS: &str = "snapshots";
/// The network after the last epoch.
pub const FINAL: &str = "final.safetensors";
/// The early-stopped network.
pub const BEST: &str = "best.safetensors";
/// How good the networks are that a training ended with: a [`Trained`].
pub const EVALUATION: &str = "evaluation.json";

/// Networks in the folder of a training, by epoch.
pub fn snapshots(folder: &Path) -> Vec<Snapshot> {
    let entries = std::fs::read_dir(folder.join(SNAPSHOTS)).into_iter().flatten().flatten();
    let snapshot = |name: String| {
        let stem = name.strip_prefix("epoch-")?.strip_suffix(".safetensors")?;
        let (number, average) = match stem.strip_suffix("-average") {
            Some(number) => (number, true),
            None => (stem, false),
        };
        let epoch = number.parse().ok()?;
        Some(Snapshot { epoch, average, file: Path::new(SNAPSHOTS).join(&name) })
    };
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut found: Vec<Snapshot> = names.filter_map(snapshot).collect();
    found.sort();
    found
}

/// Whether a folder is that of a training.
pub fn is_training(folder: &Path) -> bool {
    folder.join(JOB).is_file() && folder.join(LOG).is_file()
}

/// The record of a folder; the training may still be at work on it.
pub(super) fn read(folder: &Path) -> Result<Record> {
    if !is_training(folder) {
        let remedy = "give a record's file, as --out wrote it, or a folder that `basin train` wrote";
        return Err(not_a_training(folder, remedy));
    }
    let broken =
        |e: &serde_json::Error| format!("is damaged ({e}); restore it from a copy, or train again elsewhere");
    let parsed = |name: &str| -> Result<Option<serde_json::Value>> {
        let path = folder.join(name);
        if !path.is_file() {
            return Ok(None);
        }
        let text = read_text(&path, "a part of a training")?;
        serde_json::from_str(&text).map(Some).map_err(|e| Error::file(&path, broken(&e)))
    };
    let damaged = |name: &str, e: serde_json::Error| Error::file(&folder.join(name), broken(&e));
    let job = as_written_earlier(parsed(JOB)?.unwrap_or_default());
    let job: Job = serde_json::from_value(job).map_err(|e| damaged(JOB, e))?;
    if !matches!(job, Job::Train(_)) {
        return Err(Error::file(&folder.join(JOB), format!("is not a training but `basin {}`", job.kind())));
    }
    let mut provenance = provenance(folder)?.unwrap_or_else(|| known(&job));
    let (mut outcome, unreadable) = read_log(&folder.join(LOG))?;
    outcome.folder = folder.to_owned();
    outcome.snapshots = snapshots(folder);
    outcome.result =
        parsed(EVALUATION)?.map(serde_json::from_value).transpose().map_err(|e| damaged(EVALUATION, e))?;
    let last = outcome.epochs.last().map_or(0.0, |epoch| epoch.seconds);
    provenance.duration_s = outcome.result.as_ref().map_or(last, |result| result.seconds);
    provenance.complete = outcome.result.is_some();
    if unreadable > 0 {
        let (lines, are) = if unreadable == 1 { ("line", "is") } else { ("lines", "are") };
        let text = format!("{unreadable} {lines} of {LOG} cannot be read and {are} left out");
        provenance.warnings.push(text);
    }
    Ok(Record { format: FORMAT, job, provenance, outcome: Outcome::Train(outcome), examples: None })
}

/// The job in a folder of a training; earlier versions, which did not write `warm_up`, averaged without.
pub(crate) fn as_written_earlier(mut job: serde_json::Value) -> serde_json::Value {
    if let Some(average) = job.get_mut("average").and_then(serde_json::Value::as_object_mut) {
        average.entry("warm_up").or_insert(false.into());
    }
    job
}

/// Where the numbers in a folder come from; none: nobody has written that down.
///
/// # Errors
/// The file is damaged.
pub fn provenance(folder: &Path) -> Result<Option<Provenance>> {
    let path = folder.join(PROVENANCE);
    if !path.is_file() {
        return Ok(None);
    }
    let text = read_text(&path, "a part of a training")?;
    let damaged = |_| Error::file(&path, "is damaged; remove it, and the training is shown without it");
    serde_json::from_str(&text).map(Some).map_err(damaged)
}

/// What the job alone tells about where its numbers come from.
fn known(job: &Job) -> Provenance {
    let model = match job {
        Job::Train(job) if job.initial.is_none() => {
            job.architecture.topology().map(|t| t.title).unwrap_or_default()
        }
        _ => String::new(),
    };
    Provenance {
        seed: job.compute().seed,
        data: job.data().name,
        batch_size: job.compute().batch_size.unwrap_or_default(),
        model,
        ..Provenance::default()
    }
}

/// What to say of a folder that is not that of a training.
pub fn not_a_training(folder: &Path, remedy: &str) -> Error {
    let what = match () {
        () if is_empty_folder(folder) => "is an empty folder, not that of a training".to_owned(),
        () if folder.join(JOB).is_file() => format!("is the folder of a training that has no {LOG}"),
        () => "is a folder, but not that of a training".to_owned(),
    };
    Error::file(folder, format!("{what}, which holds {JOB}, {LOG} and {SNAPSHOTS}; {remedy}"))
}

/// A log with the number of lines that cannot be read. A last line without its end is being written, or was when
/// the training was killed: it does not count.
fn read_log(path: &Path) -> Result<(TrainingOutcome, usize)> {
    let text = std::fs::read(path).map_err(|e| Error::io("cannot read", path, e))?;
    let mut outcome = TrainingOutcome::default();
    let mut unreadable = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n').filter(|line| line.last() == Some(&b'\n')) {
        match serde_json::from_slice(line) {
            Ok(line) => outcome.push(line),
            Err(_) => unreadable += 1,
        }
    }
    Ok((outcome, unreadable))
}
