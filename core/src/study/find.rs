//! What lies in a folder: checkpoints, trainings and records, told by names and first bytes, without opening weights.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::FILE;
use crate::error::{Error, Result};
use crate::record::training::{FINAL, is_training, snapshots};

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

/// Looks through a folder and the folders in it.
///
/// # Errors
/// The folder is none, or cannot be read.
pub fn find(folder: &Path) -> Result<Found> {
    if !folder.is_dir() {
        let reason =
            if folder.exists() { "is a file; give a folder" } else { "does not exist; check the path" };
        return Err(Error::file(folder, reason));
    }
    let mut found = Found::default();
    std::fs::read_dir(folder).map_err(|e| Error::io("cannot read", folder, e))?;
    collect(folder, Path::new(""), DEEPEST, &mut found);
    found.checkpoints.sort();
    found.trainings.sort();
    found.records.sort();
    Ok(found)
}

fn collect(folder: &Path, below: &Path, depth: usize, found: &mut Found) {
    let here = folder.join(below);
    let trained = is_training(&here);
    if trained {
        found.trainings.push(below.to_owned());
    }
    // A folder that cannot be read has nothing for a study.
    let Ok(entries) = std::fs::read_dir(&here) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = below.join(entry.file_name());
        let Ok(kind) = std::fs::metadata(entry.path()) else { continue };
        if name.starts_with('.') {
            continue;
        }
        if kind.is_dir() {
            let skipped = SKIPPED.iter().any(|end| name.ends_with(end)) || (trained && name == "snapshots");
            if depth > 0 && !skipped && !entry.file_type().is_ok_and(|kind| kind.is_symlink()) {
                collect(folder, &path, depth - 1, found);
            }
        } else if is_checkpoint(&name) && !trained {
            found.checkpoints.push(path);
        } else if name.ends_with(".json") && name != FILE && is_record(&folder.join(&path)) {
            found.records.push(path);
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

fn is_record(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(START as u64).read_to_end(&mut start));
    let text = String::from_utf8_lossy(&start);
    read.is_ok() && text.contains("\"format\"") && text.contains("\"job\"")
}

/// Networks of a training: its last one, or all that it kept.
pub(super) fn networks(folder: &Path, training: &Path, all: bool) -> Vec<PathBuf> {
    let here = folder.join(training);
    let kept: Vec<PathBuf> =
        snapshots(&here).into_iter().filter(|s| !s.average).map(|s| training.join(s.file)).collect();
    let last = here.join(FINAL).is_file().then(|| training.join(FINAL));
    match (all, last) {
        (true, last) => kept.into_iter().chain(last).collect(),
        (false, Some(last)) => vec![last],
        (false, None) => kept.into_iter().next_back().into_iter().collect(),
    }
}
