//! The journal beside a record: one JSON line per finished unit of work, so that a cancelled or killed job
//! goes on where it stopped.
//!
//! The first line identifies the job, its files and this version; a journal of anything else is left alone.

use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::RunOptions;
use super::setup::Setup;
use crate::error::{Error, Result};
use crate::files::{check_destination, is_special};
use crate::job::Job;

/// Finished units by name, in memory and, with a path, on disk.
pub struct Journal {
    units: HashMap<String, Value>,
    file: Option<(PathBuf, File)>,
    seconds: f64,
    /// Before the name of every unit: which part of the job it belongs to.
    scope: String,
}

impl Journal {
    /// Opens the journal of `options.out`, with the units of an earlier run of the same job.
    ///
    /// # Errors
    /// `out` is a folder, or its folder does not exist or cannot be written; another process computes it; the
    /// journal is of something else, and must not be replaced.
    pub fn open(options: &RunOptions, job: &Job, setup: &Setup) -> Result<Self> {
        let Some(out) = options.out.as_deref() else {
            return Ok(Self::in_memory());
        };
        check_destination(out)?;
        if is_special(out) {
            return Ok(Self::in_memory());
        }
        let path = path_beside(out);
        let identity = json!({
            "job": job,
            "version": env!("CARGO_PKG_VERSION"),
            "checkpoint": setup.checkpoint.summary.hash,
            "data": setup.fingerprint,
            "batch_size": setup.batch_size,
            "device": setup.device.is_cuda(),
            "precision": setup.precision,
        });
        let failed = |e| Error::io("cannot write", out, e);
        let mut opening = OpenOptions::new();
        opening.create(true).read(true).write(true).truncate(false);
        let mut file = opening.open(&path).map_err(failed)?;
        // The lock ends with the process. Where files cannot be locked, users have to take care themselves.
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            let reason = "is being computed by another basin; wait for it, or give another --out";
            return Err(Error::file(out, reason));
        }
        let Earlier { units, seconds, usable } = match earlier(&mut file, &identity) {
            Found::Same(earlier) => earlier,
            Found::Nothing => Earlier::default(),
            Found::Other(_) if options.replace => Earlier::default(),
            Found::Other(what) => {
                let reason =
                    format!("holds unfinished work {what}; choose another --out, or replace it with --force");
                return Err(Error::file(&path, reason));
            }
        };
        file.set_len(usable).map_err(failed)?;
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        let mut journal = Self { units, file: Some((path, file)), seconds, scope: String::new() };
        if usable == 0
            && let Err(error) = journal.append(&identity)
        {
            journal.remove();
            return Err(error);
        }
        Ok(journal)
    }

    fn in_memory() -> Self {
        Self { units: HashMap::new(), file: None, seconds: 0.0, scope: String::new() }
    }

    /// From here on names of units are those of one part of the job.
    pub fn scope(&mut self, scope: &str) {
        scope.clone_into(&mut self.scope);
    }

    fn full(&self, unit: &str) -> String {
        format!("{}{unit}", self.scope)
    }

    /// The value of a finished unit.
    pub fn get<T: DeserializeOwned>(&self, unit: &str) -> Option<T> {
        serde_json::from_value(self.units.get(&self.full(unit))?.clone()).ok()
    }

    /// Notes a finished unit.
    ///
    /// # Errors
    /// It cannot be written, e.g. because the disk is full.
    pub fn put<T: Serialize>(&mut self, unit: &str, value: &T) -> Result<()> {
        let value = serde_json::to_value(value).expect("units are plain data");
        let unit = self.full(unit);
        self.append(&json!({ "unit": unit, "value": value }))?;
        self.units.insert(unit, value);
        Ok(())
    }

    /// Number of finished units.
    pub fn len(&self) -> usize {
        self.units.len()
    }

    /// Whether no unit is finished.
    pub fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    /// Seconds that earlier runs computed.
    pub fn seconds(&self) -> f64 {
        self.seconds
    }

    /// Notes the seconds computed so far.
    ///
    /// # Errors
    /// As [`Journal::put`].
    pub fn note_seconds(&mut self, seconds: f64) -> Result<()> {
        self.append(&json!({ "seconds": seconds }))
    }

    /// Removes the file of a finished job.
    pub fn remove(self) {
        if let Some((path, _)) = self.file {
            // A left-over journal of a finished job is harmless.
            let _ = std::fs::remove_file(path);
        }
    }

    fn append(&mut self, line: &Value) -> Result<()> {
        if let Some((path, file)) = &mut self.file {
            file.write_all(format!("{line}\n").as_bytes()).map_err(|e| Error::io("cannot write", path, e))?;
        }
        Ok(())
    }
}

/// Whether finished units of a job that was cut off are kept beside the record `out`.
pub fn has_unfinished(out: &Path) -> bool {
    path_beside(out).is_file()
}

fn path_beside(out: &Path) -> PathBuf {
    let mut name = out.file_name().unwrap_or_default().to_owned();
    name.push(".journal");
    out.with_file_name(name)
}

/// What an earlier run has left.
#[derive(Default)]
struct Earlier {
    units: HashMap<String, Value>,
    seconds: f64,
    /// How many bytes are whole lines.
    usable: u64,
}

/// What is in a journal's file.
enum Found {
    /// No whole first line.
    Nothing,
    /// Work on the same job, files and version.
    Same(Earlier),
    /// Work on something else; of what, in words.
    Other(&'static str),
}

fn earlier(file: &mut File, identity: &Value) -> Found {
    let mut text = Vec::new();
    if file.read_to_end(&mut text).is_err() {
        return Found::Nothing;
    }
    let mut found = Earlier::default();
    for (number, line) in text.split_inclusive(|b| *b == b'\n').enumerate() {
        // A line that was cut off by a crash, and anything after it, is computed again.
        let Ok(value) = serde_json::from_slice::<Value>(line) else { break };
        if line.last() != Some(&b'\n') {
            break;
        }
        if number == 0 && value != *identity {
            return Found::Other(difference(&value, identity));
        }
        if let (Some(unit), Some(content)) = (value["unit"].as_str(), value.get("value")) {
            found.units.insert(unit.to_owned(), content.clone());
        }
        if let Some(s) = value["seconds"].as_f64() {
            found.seconds = s;
        }
        found.usable += line.len() as u64;
    }
    if found.usable == 0 { Found::Nothing } else { Found::Same(found) }
}

/// In what the identity of a journal differs, the most telling first.
fn difference(found: &Value, wanted: &Value) -> &'static str {
    let differs = |key| found[key] != wanted[key];
    match () {
        () if differs("job") => "of another job",
        () if differs("checkpoint") => "of this job on a checkpoint with other content",
        () if differs("data") => "of this job on other images",
        () if differs("version") => "of this job by another version of Basin",
        () => "of this job on another device",
    }
}
