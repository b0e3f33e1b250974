//! What lies in a folder: checkpoints, trainings and records, told by names and first bytes, without opening weights.

use std::fs::Metadata;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use super::{FILE, HASHES, MEASURES};
use crate::error::{Error, Result};
use crate::record::training::{BEST, FINAL, JOB, LOG, SNAPSHOTS, snapshots};

/// Folders deeper than this are not looked into.
const DEEPEST: usize = 16;
/// Folders that hold work in progress, or networks that a record keeps.
const SKIPPED: [&str; 2] = [".shards", ".networks"];
/// Files that a record keeps beside it.
const KEPT: [&str; 3] = [".examples.safetensors", ".losses.safetensors", ".probabilities.safetensors"];
/// Endings of checkpoints.
const CHECKPOINTS: [&str; 6] = [".pth.tar", ".pth", ".pt", ".ckpt", ".safetensors", ".pt.tar"];
/// A record says so in its first bytes.
const START: usize = 256;

/// Files of a folder, by paths relative to it, sorted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// Checkpoints that are not those of trainings.
    pub checkpoints: Vec<PathBuf>,
    /// Folders of trainings.
    pub trainings: Vec<PathBuf>,
    /// Records.
    pub records: Vec<PathBuf>,
}

/// Size and time of a file: it has changed if one of them has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Stamp {
    /// Size.
    pub bytes: u64,
    /// Nanoseconds since 1970.
    pub modified: u64,
}

impl Stamp {
    /// That of a file; of a training, whose record is its folder, that of its log.
    pub fn of(path: &Path) -> std::io::Result<Self> {
        let found = std::fs::metadata(path)?;
        Ok(if found.is_dir() { Self::from(&std::fs::metadata(path.join(LOG))?) } else { Self::from(&found) })
    }
}

impl From<&Metadata> for Stamp {
    fn from(found: &Metadata) -> Self {
        let modified = found.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Self { bytes: found.len(), modified: modified.map_or(0, |time| time.as_nanos() as u64) }
    }
}

/// What lies in a folder, of which the JSON files have not been looked into.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Listed {
    pub checkpoints: Vec<PathBuf>,
    pub trainings: Vec<PathBuf>,
    pub texts: Vec<(PathBuf, Stamp)>,
}

/// Looks through a folder and the folders in it.
///
/// # Errors
/// The folder is none, or cannot be read.
pub fn find(folder: &Path) -> Result<Found> {
    let Listed { checkpoints, trainings, texts } = list(folder)?;
    let records = texts.into_iter().map(|(path, _)| path).filter(|path| is_record(&folder.join(path)));
    Ok(Found { checkpoints, trainings, records: records.collect() })
}

/// Looks through a folder and the folders in it without opening a file.
///
/// # Errors
/// The folder is none, or cannot be read.
pub(super) fn list(folder: &Path) -> Result<Listed> {
    if !folder.is_dir() {
        let reason =
            if folder.exists() { "is a file; give a folder" } else { "does not exist; check the path" };
        return Err(Error::file(folder, reason));
    }
    std::fs::read_dir(folder).map_err(|e| Error::io("cannot read", folder, e))?;
    let mut listed = Listed::default();
    collect(folder, Path::new(""), DEEPEST, &mut listed);
    listed.checkpoints.sort();
    listed.trainings.sort();
    listed.texts.sort_unstable_by(|(a, _), (b, _)| a.as_os_str().cmp(b.as_os_str()));
    Ok(listed)
}

fn collect(folder: &Path, below: &Path, depth: usize, listed: &mut Listed) {
    // A folder that cannot be read has nothing for a study.
    let Ok(entries) = std::fs::read_dir(folder.join(below)) else { return };
    let mut trained = [false; 2];
    let (mut folders, mut checkpoints) = (Vec::new(), Vec::new());
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let Ok(kind) = entry.file_type() else { continue };
        let path = below.join(entry.file_name());
        if kind.is_dir() {
            folders.push((name, path));
            continue;
        }
        // Links to files count, links to folders do not: they may lead in a circle.
        let is_file = || std::fs::metadata(entry.path()).ok().filter(Metadata::is_file);
        if is_checkpoint(&name) {
            checkpoints.extend((kind.is_file() || is_file().is_some()).then_some(path));
        } else if name.ends_with(".json") && name != FILE && path != Path::new(MEASURES).join(HASHES) {
            trained[0] |= name == JOB;
            listed.texts.extend(is_file().map(|found| (path, Stamp::from(&found))));
        } else {
            trained[1] |= name == LOG;
        }
    }
    let trained = trained == [true; 2];
    if trained {
        listed.trainings.push(below.to_owned());
    } else {
        listed.checkpoints.append(&mut checkpoints);
    }
    for (name, path) in folders {
        let skipped = SKIPPED.iter().any(|end| name.ends_with(end)) || (trained && name == SNAPSHOTS);
        if depth > 0 && !skipped {
            collect(folder, &path, depth - 1, listed);
        }
    }
}

/// Whether a file's name is that of a checkpoint: `at.pt`, `classifier.pth.tar`, `classifier.pth.tar.10`.
fn is_checkpoint(name: &str) -> bool {
    let name = name.to_lowercase();
    let numbered = name.rsplit_once('.').filter(|(_, number)| number.parse::<u64>().is_ok());
    let stem = numbered.map_or(&*name, |(stem, _)| stem);
    !KEPT.iter().any(|end| stem.ends_with(end)) && CHECKPOINTS.iter().any(|end| stem.ends_with(end))
}

pub(super) fn is_record(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(START as u64).read_to_end(&mut start));
    let text = String::from_utf8_lossy(&start);
    read.is_ok() && text.contains("\"format\"") && text.contains("\"job\"")
}

/// Networks of a training: its last one, or all that it kept, the early-stopped one last.
pub(super) fn networks(folder: &Path, training: &Path, all: bool) -> Vec<PathBuf> {
    let here = folder.join(training);
    let kept: Vec<PathBuf> =
        snapshots(&here).into_iter().filter(|s| !s.average).map(|s| training.join(s.file)).collect();
    let last = here.join(FINAL).is_file().then(|| training.join(FINAL));
    match (all, last) {
        (true, last) => {
            let best = here.join(BEST).is_file().then(|| training.join(BEST));
            kept.into_iter().chain(last).chain(best).collect()
        }
        (false, Some(last)) => vec![last],
        (false, None) => kept.into_iter().next_back().into_iter().collect(),
    }
}
