//! The folder of a training: `job.json`, `log.jsonl`, `state.safetensors` (from which it goes on), `snapshots/`,
//! and at the end `final.safetensors` with its companions. One process at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::edited;
use super::place::Place;
use crate::checkpoint::{read_tensors, save, write_tensors};
use crate::error::{Error, Result};
use crate::files::{is_web_page, write_atomically};
use crate::job::Job;
use crate::model::Network;
use crate::record::training::{EVALUATION, FINAL, JOB, LOG, PROVENANCE, SNAPSHOTS};
use crate::record::{Provenance, training};
use crate::run::read_job;
use crate::train::{Counters, LogLine, Tensors, Train};

/// Version of the saved state.
const FORMAT: u64 = 1;

/// An opened, locked folder.
pub struct Folder {
    path: PathBuf,
    log: File,
}

/// What an earlier run left: its state, and its log as far as the state knows.
pub struct Earlier {
    pub state: State,
    pub lines: Vec<LogLine>,
}

/// From where a training goes on.
pub struct State {
    pub tensors: Tensors,
    pub counters: Counters,
    /// Where it computed; none: written before that was kept.
    pub place: Option<Place>,
    /// The job it began with, resolved; none: written before that was kept.
    pub job: Option<Train>,
}

impl Folder {
    /// Opens the folder of a job, or makes it; with what an earlier run of the same job left there. A job that
    /// never finished an epoch makes room for another one. `job` is what was `asked`, resolved; an earlier run may have
    /// kept either.
    pub fn open(path: &Path, asked: &Train, job: &Train) -> Result<(Self, Option<Earlier>)> {
        let job_path = path.join(JOB);
        if path.is_file() || (!job_path.is_file() && holds_other_things(path)) {
            return Err(Error::file(path, "exists and is no folder of a training; choose another folder"));
        }
        let snapshots = path.join(SNAPSHOTS);
        std::fs::create_dir_all(&snapshots).map_err(|e| Error::io("cannot create", &snapshots, e))?;
        let log_path = path.join(LOG);
        let failed = |e| Error::io("cannot write", &log_path, e);
        let mut options = OpenOptions::new();
        let log =
            options.create(true).read(true).write(true).truncate(false).open(&log_path).map_err(failed)?;
        // The lock ends with the process. Where files cannot be locked, users have to take care themselves.
        if let Err(TryLockError::WouldBlock) = log.try_lock() {
            let reason = "is being trained by another basin; wait for it, or choose another folder";
            return Err(Error::file(path, reason));
        }
        let mut folder = Self { path: path.to_owned(), log };
        let found = match if job_path.is_file() { read_job(path).ok() } else { None } {
            Some(Job::Train(found)) => Some(*found),
            _ => None,
        };
        let mut state = folder.state_path().is_file().then(|| folder.read_state());
        let readable = state.as_ref().and_then(|state| state.as_ref().ok());
        // A damaged state may know of steps.
        let done = readable.map_or(0, |state| state.counters.step.div_ceil(job.steps_in_epoch()));
        let has_begun = state.is_some() && readable.is_none_or(|state| state.counters.step > 0);
        let has_networks = folder.has_networks();
        let is_found = found.as_ref().is_some_and(|found| found == asked || found == job);
        let begun = readable.and_then(|state| state.job.as_ref()).or(found.as_ref());
        let is_same =
            begun.is_some_and(|begun| begun == asked || edited::differences(begun, job, done).is_empty());
        if !is_same && (has_begun || has_networks) {
            let differences = begun.map(|begun| edited::differences(begun, job, done)).unwrap_or_default();
            return Err(edited::error(path, &differences, is_found));
        }
        if state.is_none() && has_networks {
            return Err(folder.damaged_state("is missing"));
        }
        if !is_same && state.take().is_some() {
            // It has not begun, and makes room.
            let state = folder.state_path();
            std::fs::remove_file(&state).map_err(|e| Error::io("cannot remove", &state, e))?;
        }
        let state = state.transpose()?;
        if found.as_ref() != Some(job) {
            write_atomically(&job_path, Job::Train(Box::new(job.clone())).to_json().as_bytes())?;
        }
        let earlier = folder.earlier(state)?;
        Ok((folder, earlier))
    }

    /// How far the training in a folder is, and the job it began with, if its state knows it.
    pub fn begun(path: &Path) -> Option<(Counters, Train)> {
        let log = File::open(path.join(LOG)).ok()?;
        let state = Self { path: path.to_owned(), log }.read_state().ok()?;
        state.job.map(|job| (state.counters, job))
    }

    /// Whether there are networks worth more than one epoch.
    fn has_networks(&self) -> bool {
        self.path.join(FINAL).is_file() || training::snapshots(&self.path).iter().any(|kept| kept.epoch > 0)
    }

    /// Cuts the log back to the state: what came after is computed again.
    fn earlier(&mut self, state: Option<State>) -> Result<Option<Earlier>> {
        let known = state.as_ref().map_or(0, |state| state.counters.step);
        let (lines, usable) = self.read_log(known)?;
        let failed = |e| Error::io("cannot write", &self.path, e);
        self.log.set_len(usable).map_err(failed)?;
        self.log.seek(SeekFrom::End(0)).map_err(failed)?;
        Ok(state.map(|state| Earlier { state, lines }))
    }

    fn read_state(&self) -> Result<State> {
        let path = self.state_path();
        let (tensors, metadata) = read_tensors(&path).map_err(|error| match error {
            Error::File { .. } => self.damaged_state(what_it_is(&path)),
            other => other,
        })?;
        match metadata["format"].as_u64() {
            _ if metadata["counters"].is_null() => {
                return Err(self.damaged_state("is not what a training writes"));
            }
            Some(FORMAT) => {}
            _ => return Err(self.damaged_state("was written by another version of Basin")),
        }
        let counters = serde_json::from_value(metadata["counters"].clone());
        let counters = counters.map_err(|_| self.damaged_state("is damaged"))?;
        let place = serde_json::from_value(metadata["place"].clone()).ok();
        let job = serde_json::from_value(metadata["job"].clone()).ok();
        Ok(State { tensors, counters, place, job })
    }

    /// The error of a state that is of no use, with the ways to go on.
    pub fn damaged_state(&self, what: &str) -> Error {
        let folder = self.path.display();
        let remedy = match self.last_snapshot() {
            Some(snapshot) => format!(
                "its newest network is kept: begin a training with it by `basin train {} --set initial={} --out NEW`, or \
                 remove {folder} and train again",
                self.path.join(JOB).display(),
                snapshot.display()
            ),
            None => format!("remove {folder} and train again"),
        };
        Error::file(&self.state_path(), format!("{what}, so the training cannot go on from it; {remedy}"))
    }

    fn read_log(&mut self, steps: u64) -> Result<(Vec<LogLine>, u64)> {
        let mut text = Vec::new();
        self.log.read_to_end(&mut text).map_err(|e| Error::io("cannot read", &self.path, e))?;
        let (mut lines, mut usable) = (Vec::new(), 0);
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let Ok(parsed) = serde_json::from_slice::<LogLine>(line) else { break };
            let step = match &parsed {
                LogLine::Steps(steps) => steps.step,
                LogLine::Epoch(epoch) => epoch.step,
            };
            if step > steps || line.last() != Some(&b'\n') {
                break;
            }
            usable += line.len() as u64;
            lines.push(parsed);
        }
        Ok((lines, usable))
    }

    /// Appends a line to the log.
    pub fn log(&mut self, line: &LogLine) -> Result<()> {
        let text = serde_json::to_string(line).expect("a log line is plain data") + "\n";
        self.log.write_all(text.as_bytes()).map_err(|e| Error::io("cannot write", &self.path, e))
    }

    /// Replaces the state from which training goes on.
    pub fn save_state(
        &mut self,
        tensors: Tensors,
        counters: &Counters,
        place: &Place,
        job: &Train,
    ) -> Result<()> {
        // The state never knows more than the log.
        self.log.sync_data().map_err(|e| Error::io("cannot write", &self.path, e))?;
        let metadata = json!({ "format": FORMAT, "counters": counters, "place": place, "job": job });
        write_tensors(&self.state_path(), tensors, &metadata)
    }

    /// Writes a network to a file of the folder.
    pub fn save(&self, name: &str, network: &Network, epoch: u64) -> Result<PathBuf> {
        let path = self.path.join(name);
        save(&path, network, Some(epoch as i64))?;
        Ok(path)
    }

    /// Writes JSON to a file of the folder.
    pub fn save_json(&self, name: &str, value: &impl serde::Serialize) -> Result<()> {
        let text = serde_json::to_string_pretty(value).expect("plain data");
        write_atomically(&self.path.join(name), (text + "\n").as_bytes())
    }

    /// The newest snapshot there is.
    pub fn last_snapshot(&self) -> Option<PathBuf> {
        let all = training::snapshots(&self.path);
        let newest = all.into_iter().rfind(|snapshot| !snapshot.average)?;
        Some(self.path.join(newest.file))
    }

    /// Notes where the numbers come from, unless an earlier run of the same training, which has `begun`, has; with what is
    /// new to the user.
    pub fn save_provenance(
        &self,
        begun: bool,
        provenance: impl FnOnce() -> Provenance,
    ) -> Result<Vec<String>> {
        if begun && self.path.join(PROVENANCE).is_file() {
            return Ok(Vec::new());
        }
        let provenance = provenance();
        self.save_json(PROVENANCE, &provenance)?;
        Ok(provenance.warnings)
    }

    /// Adds to what users of the numbers should know.
    pub fn warn(&self, warning: &str) -> Result<()> {
        let Some(mut provenance) = training::provenance(&self.path)? else { return Ok(()) };
        if provenance.warnings.iter().any(|known| known == warning) {
            return Ok(());
        }
        provenance.warnings.push(warning.to_owned());
        self.save_json(PROVENANCE, &provenance)
    }

    /// Takes away the evaluation of a training that is to go on beyond its end.
    pub fn reopen(&self) -> Result<()> {
        let path = self.path.join(EVALUATION);
        match path.is_file() {
            true => std::fs::remove_file(&path).map_err(|e| Error::io("cannot remove", &path, e)),
            false => Ok(()),
        }
    }

    /// Notes that the training is finished, and how long it took.
    pub fn finish_provenance(&self, seconds: f64) -> Result<()> {
        let Some(mut provenance) = training::provenance(&self.path)? else { return Ok(()) };
        (provenance.complete, provenance.duration_s) = (true, seconds);
        self.save_json(PROVENANCE, &provenance)
    }

    /// Where a file of the folder is.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    fn state_path(&self) -> PathBuf {
        self.path.join("state.safetensors")
    }
}

/// Whether a process trains in this folder.
pub fn is_being_trained(folder: &Path) -> bool {
    let log = File::open(folder.join(LOG));
    log.is_ok_and(|log| matches!(log.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// What a file that should be a state is, as far as its beginning tells.
fn what_it_is(path: &Path) -> &'static str {
    let mut start = Vec::new();
    let _ = File::open(path).map(|file| file.take(64).read_to_end(&mut start));
    match () {
        () if start.is_empty() => "is empty",
        () if is_web_page(&start) => "is a web page (HTML)",
        () => "is damaged or incomplete",
    }
}

/// Whether a folder has anything in it that a training, killed at its very beginning, does not leave.
fn holds_other_things(path: &Path) -> bool {
    let own = |name: &str| [LOG, SNAPSHOTS].contains(&name) || name.starts_with(".basin-");
    let mut entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    entries.any(|entry| !own(&entry.file_name().to_string_lossy()))
}
