//! The journal beside a record: one JSON line per finished unit of work, so that a cancelled or killed job
//! goes on where it stopped.
//!
//! The first line identifies the job, its files and this version; a journal of anything else is left alone.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::files::{check_destination, is_special};
use crate::measure::Units;

/// Finished units by name, in memory and, with a path, on disk.
pub struct Journal {
    units: Units,
    file: Option<(PathBuf, File)>,
    seconds: f64,
    /// Notes about the unit in hand, which are the last lines of the file.
    halfway: BTreeMap<String, Value>,
    /// Bytes of the file before them.
    solid: u64,
    /// When it was last noted how far the work is, for others to see; none: nobody looks.
    progress: Option<Instant>,
}

/// How often it is noted how far the work is.
const PROGRESS_EVERY: Duration = Duration::from_secs(5);
/// A process that looks whether a journal is being written locks it for an instant.
const TRIES: usize = 20;
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

impl Journal {
    /// Opens the journal of the record at `out`, with the units of an earlier run of what `identity` says; in memory
    /// without a record.
    ///
    /// # Errors
    /// `out` is a folder, or its folder does not exist or cannot be written; another process computes it; the
    /// journal is of something else, and must not be replaced.
    pub fn open(out: Option<&Path>, identity: &Value, replace: bool) -> Result<Self> {
        let Some(out) = out else { return Ok(Self::in_memory()) };
        check_destination(out)?;
        if is_special(out) {
            return Ok(Self::in_memory());
        }
        let remedies = Remedies {
            locked: "wait for it, or choose another --out",
            other: "choose another --out, or replace it with --force",
        };
        Self::at(&path_beside(out), out, identity, replace, remedies)
    }

    /// Opens the journal at `path`; `named` is what the user knows it by.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn at(
        path: &Path,
        named: &Path,
        identity: &Value,
        replace: bool,
        remedies: Remedies,
    ) -> Result<Self> {
        let failed = |e| Error::io("cannot write", named, e);
        let mut opening = OpenOptions::new();
        opening.create(true).read(true).write(true).truncate(false);
        let mut file = opening.open(path).map_err(failed)?;
        // The lock ends with the process. Where files cannot be locked, users have to take care themselves.
        if locked_by_another(&file) {
            let reason = format!("is locked by another basin process; {}", remedies.locked);
            return Err(Error::file(named, reason));
        }
        let Earlier { units, seconds, halfway, solid, .. } = match earlier(&mut file, identity) {
            Found::Same(earlier) => earlier,
            Found::Nothing => Earlier::default(),
            Found::Other(_) if replace => Earlier::default(),
            Found::Other(what) => {
                let reason = format!("holds unfinished work {what}; {}", remedies.other);
                return Err(Error::file(path, reason));
            }
        };
        let file = Some((path.to_owned(), file));
        let mut journal = Self { units, file, seconds, halfway, solid, progress: None };
        if solid == 0
            && let Err(error) = journal.append(Some(identity))
        {
            journal.remove();
            return Err(error);
        }
        Ok(journal)
    }

    /// Without a file.
    pub fn in_memory() -> Self {
        let (units, halfway) = (Units::default(), BTreeMap::new());
        Self { units, file: None, seconds: 0.0, halfway, solid: 0, progress: None }
    }

    /// The finished units.
    pub fn units(&self) -> &Units {
        &self.units
    }

    /// From here on names of units are those of one part of the job.
    pub fn scope(&mut self, scope: &str) {
        self.units.scope(scope);
    }

    /// Adds units that others have computed, in memory alone.
    pub fn know(&mut self, units: &Units) {
        self.units.extend(units);
    }

    /// Drops a finished unit, which is to be computed anew.
    pub fn forget(&mut self, unit: &str) {
        self.units.forget(unit);
    }

    /// Notes a finished unit.
    ///
    /// # Errors
    /// It cannot be written, e.g. because the disk is full.
    pub fn put(&mut self, unit: &str, value: Value) -> Result<()> {
        self.halfway.clear();
        self.append(Some(&json!({ "unit": self.units.full(unit), "value": value })))?;
        self.units.put(unit, value);
        Ok(())
    }

    /// A note about the unit in hand.
    pub fn halfway(&self, note: &str) -> Option<Value> {
        self.halfway.get(&self.units.full(note)).cloned()
    }

    /// Notes how far the unit in hand is, in place of what this note said before. The next finished unit ends all
    /// notes.
    ///
    /// # Errors
    /// As [`Journal::put`].
    pub fn put_halfway(&mut self, note: &str, value: Value) -> Result<()> {
        self.halfway.insert(self.units.full(note), value);
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

    /// From here on notes how far the work is, for others to see.
    pub fn is_watched(&mut self) {
        self.progress = Some(Instant::now());
    }

    /// Notes how far the work is, from time to time.
    ///
    /// # Errors
    /// As [`Journal::put`].
    pub fn note_progress(&mut self, done: u64, total: u64) -> Result<()> {
        match self.progress {
            Some(last) if last.elapsed() > PROGRESS_EVERY || done == total => {
                self.progress = Some(Instant::now());
                self.append(Some(&json!({ "done": done, "total": total })))
            }
            _ => Ok(()),
        }
    }

    /// Notes anything else, for those who read the journal.
    ///
    /// # Errors
    /// As [`Journal::put`].
    pub fn remark(&mut self, remark: &Value) -> Result<()> {
        self.append(Some(remark))
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

/// What a user can do about a journal that cannot be written.
#[derive(Debug, Clone, Copy)]
pub struct Remedies {
    /// If another process writes it.
    pub locked: &'static str,
    /// If it is of something else.
    pub other: &'static str,
}

/// Locks a file for this process; whether another one has it locked.
fn locked_by_another(file: &File) -> bool {
    for _ in 0..TRIES {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(BETWEEN_TRIES),
            _ => return false,
        }
    }
    true
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
    units: Units,
    seconds: f64,
    /// Notes about a unit that was in hand.
    halfway: BTreeMap<String, Value>,
    /// Lines of other kinds.
    remarks: Vec<Value>,
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
    match parsed(&text) {
        None => Found::Nothing,
        Some((found, _)) if found != *identity => Found::Other(difference(&found, identity)),
        Some((_, earlier)) => Found::Same(earlier),
    }
}

/// What a journal is of, and its lines.
fn parsed(text: &[u8]) -> Option<(Value, Earlier)> {
    let mut identity = None;
    let mut found = Earlier::default();
    for line in text.split_inclusive(|b| *b == b'\n') {
        // A line that was cut off by a crash, and anything after it, is computed again.
        let Ok(mut value) = serde_json::from_slice::<Value>(line) else { break };
        if line.last() != Some(&b'\n') {
            break;
        }
        let content = value.get_mut("value").map(Value::take);
        match (value["unit"].as_str(), value["halfway"].as_str(), content) {
            (_, Some(note), Some(content)) => {
                found.halfway.insert(note.to_owned(), content);
                continue;
            }
            (Some(unit), _, Some(content)) => found.units.put(unit, content),
            _ => {
                found.seconds = value["seconds"].as_f64().unwrap_or(found.seconds);
                if identity.is_some() {
                    found.remarks.push(value);
                } else {
                    identity = Some(value);
                }
            }
        }
        found.solid += line.len() as u64;
    }
    identity.map(|identity| (identity, found))
}

/// The journal of another process.
pub struct Other {
    /// What its units depend on.
    pub identity: Value,
    /// Its finished units.
    pub units: Units,
    /// Seconds computed, over all its runs.
    pub seconds: f64,
    /// What else it notes.
    pub remarks: Vec<Value>,
    /// Whether a process is writing it now.
    pub locked: bool,
}

impl Other {
    /// Reads the journal at `path`.
    ///
    /// # Errors
    /// It cannot be read, or is none.
    pub fn read(path: &Path) -> Result<Self> {
        let failed = |e| Error::io("cannot read", path, e);
        let mut file = OpenOptions::new().read(true).open(path).map_err(failed)?;
        let locked = matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
        // A process that begins to write it must not wait for this one to read.
        let _ = file.unlock();
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(failed)?;
        let (identity, Earlier { units, seconds, remarks, .. }) = parsed(&text)
            .ok_or_else(|| Error::file(path, "is empty or no journal; remove it, and run its shard again"))?;
        Ok(Self { identity, units, seconds, remarks, locked })
    }
}

/// In what the identity of a journal differs, the most telling first.
pub fn difference(found: &Value, wanted: &Value) -> &'static str {
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
                Found::Same(Earlier { units, seconds, halfway, solid, .. }) => Journal {
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
            journal.put_halfway("a turn 0", json!(step)).unwrap();
        }
        journal.put_halfway("a turn 1", json!(7)).unwrap();
        // Cancelled: the seconds come before the notes.
        journal.note_seconds(3.0).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 4);
        let mut journal = opened();
        assert_eq!((journal.units.len(), journal.is_empty(), journal.seconds()), (0, false, 3.0));
        assert_eq!(
            (journal.halfway("a turn 0"), journal.halfway("a turn 1")),
            (Some(json!(2)), Some(json!(7)))
        );
        // A note that was cut off by a crash costs itself alone.
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 5]).unwrap();
        assert_eq!((opened().halfway("a turn 0"), opened().halfway("a turn 1")), (Some(json!(2)), None));
        journal.put("a", json!(9)).unwrap();
        let journal = opened();
        assert_eq!((journal.units().get("a"), journal.halfway("a turn 0")), (Some(9), None));
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 3);
    }
}
