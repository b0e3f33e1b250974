//! The journal beside a record: one JSON line per finished unit of work, so that a cancelled or killed job
//! goes on where it stopped.
//!
//! The first line identifies the job, its files and this version; a journal of anything else is left alone.

use std::collections::{BTreeMap, HashMap};
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
    /// Notes about the unit in hand, which are the last lines of the file.
    halfway: BTreeMap<String, Value>,
    /// Bytes of the file before them.
    solid: u64,
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
        let Earlier { units, seconds, halfway, solid } = match earlier(&mut file, &identity) {
            Found::Same(earlier) => earlier,
            Found::Nothing => Earlier::default(),
            Found::Other(_) if options.replace => Earlier::default(),
            Found::Other(what) => {
                let reason =
                    format!("holds unfinished work {what}; choose another --out, or replace it with --force");
                return Err(Error::file(&path, reason));
            }
        };
        let scope = String::new();
        let mut journal = Self { units, file: Some((path, file)), seconds, halfway, solid, scope };
        if solid == 0
            && let Err(error) = journal.append(Some(&identity))
        {
            journal.remove();
            return Err(error);
        }
        Ok(journal)
    }

    fn in_memory() -> Self {
        Self {
            units: HashMap::new(),
            file: None,
            seconds: 0.0,
            halfway: BTreeMap::new(),
            solid: 0,
            scope: String::new(),
        }
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

    /// Drops a finished unit, which is to be computed anew; whether there was one.
    pub fn forget(&mut self, unit: &str) -> bool {
        self.units.remove(&self.full(unit)).is_some()
    }

    /// Whether a unit is finished.
    pub fn has(&self, unit: &str) -> bool {
        self.units.contains_key(&self.full(unit))
    }

    /// Notes a finished unit.
    ///
    /// # Errors
    /// It cannot be written, e.g. because the disk is full.
    pub fn put<T: Serialize>(&mut self, unit: &str, value: &T) -> Result<()> {
        let value = serde_json::to_value(value).expect("units are plain data");
        let unit = self.full(unit);
        self.halfway.clear();
        self.append(Some(&json!({ "unit": unit, "value": value })))?;
        self.units.insert(unit, value);
        Ok(())
    }

    /// A note about the unit in hand.
    pub fn halfway<T: DeserializeOwned>(&self, note: &str) -> Option<T> {
        serde_json::from_value(self.halfway.get(&self.full(note))?.clone()).ok()
    }

    /// Notes how far the unit in hand is, in place of what this note said before. The next finished unit ends all
    /// notes.
    ///
    /// # Errors
    /// As [`Journal::put`].
    pub fn put_halfway<T: Serialize>(&mut self, note: &str, value: &T) -> Result<()> {
        let value = serde_json::to_value(value).expect("notes are plain data");
        self.halfway.insert(self.full(note), value);
        self.append(None)
    }

    /// Whether there is nothing to go on from.
    pub fn is_empty(&self) -> bool {
        self.units.is_empty() && self.halfway.is_empty()
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
        self.append(Some(&json!({ "seconds": seconds })))
    }

    /// Removes the file of a finished job.
    pub fn remove(self) {
        if let Some((path, _)) = self.file {
            // A left-over journal of a finished job is harmless.
            let _ = std::fs::remove_file(path);
        }
    }

    /// Appends a line, if there is one, and the notes after it.
    fn append(&mut self, line: Option<&Value>) -> Result<()> {
        let Some((path, file)) = &mut self.file else { return Ok(()) };
        let failed = |e| Error::io("cannot write", &*path, e);
        file.set_len(self.solid).map_err(failed)?;
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        let line = line.map(|line| format!("{line}\n")).unwrap_or_default();
        file.write_all(line.as_bytes()).map_err(failed)?;
        self.solid += line.len() as u64;
        for (note, value) in &self.halfway {
            let line = json!({ "halfway": note, "value": value });
            file.write_all(format!("{line}\n").as_bytes()).map_err(failed)?;
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
    /// Notes about a unit that was in hand.
    halfway: BTreeMap<String, Value>,
    /// How many bytes are whole lines, the notes aside.
    solid: u64,
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
        match (value["halfway"].as_str(), value.get("value")) {
            (Some(note), Some(content)) => drop(found.halfway.insert(note.to_owned(), content.clone())),
            _ => found.solid += line.len() as u64,
        }
    }
    if found.solid == 0 { Found::Nothing } else { Found::Same(found) }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_stand_last_and_end_with_their_unit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.journal");
        let identity = json!({ "job": 1 });
        let open = || {
            OpenOptions::new().create(true).append(false).truncate(false).read(true).write(true).open(&path)
        };
        let opened = || {
            let mut file = open().unwrap();
            match earlier(&mut file, &identity) {
                Found::Same(Earlier { units, seconds, halfway, solid }) => Journal {
                    units,
                    seconds,
                    halfway,
                    solid,
                    file: Some((path.clone(), file)),
                    ..Journal::in_memory()
                },
                _ => panic!("not the same"),
            }
        };
        let mut journal = Journal { file: Some((path.clone(), open().unwrap())), ..Journal::in_memory() };
        journal.append(Some(&identity)).unwrap();
        for step in [1, 2] {
            journal.put_halfway("a turn 0", &step).unwrap();
        }
        journal.put_halfway("a turn 1", &7).unwrap();
        // Cancelled: the seconds come before the notes.
        journal.note_seconds(3.0).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 4);
        let mut journal = opened();
        assert_eq!((journal.units.len(), journal.is_empty(), journal.seconds()), (0, false, 3.0));
        assert_eq!((journal.halfway("a turn 0"), journal.halfway("a turn 1")), (Some(2), Some(7)));
        // A note that was cut off by a crash costs itself alone.
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 5]).unwrap();
        assert_eq!((opened().halfway("a turn 0"), opened().halfway::<i32>("a turn 1")), (Some(2), None));
        journal.put("a", &9).unwrap();
        let journal = opened();
        assert_eq!((journal.get("a"), journal.halfway::<i32>("a turn 0")), (Some(9), None));
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 3);
    }
}
