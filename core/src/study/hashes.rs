//! Hashes of checkpoints, remembered as long as size and time of the file stay.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use super::MEASURES;
use crate::checkpoint::{hash_file, split};
use crate::error::{Error, Result};
use crate::files::write_atomically;

/// In the folder of measures.
const FILE: &str = "hashes.json";

/// SHA-256 of the checkpoints of a study.
#[derive(Debug, Default)]
pub struct Hashes {
    folder: PathBuf,
    known: BTreeMap<String, Known>,
    changed: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Known {
    bytes: u64,
    /// Nanoseconds since 1970.
    modified: u64,
    hash: String,
}

impl Hashes {
    /// Those that a study has noted; a damaged file is forgotten.
    pub fn load(folder: &Path) -> Self {
        let text = std::fs::read_to_string(folder.join(MEASURES).join(FILE)).unwrap_or_default();
        let known = serde_json::from_str(&text).unwrap_or_default();
        Self { folder: folder.to_owned(), known, changed: false }
    }

    /// The hash of a checkpoint, by its path relative to the study; reads the file if it is not known or has changed.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn of(&mut self, checkpoint: &Path) -> Result<String> {
        let (file, _) = split(&self.folder.join(checkpoint))?;
        let found = std::fs::metadata(&file).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => {
                Error::file(&file, "does not exist; restore it, or remove its model from the study")
            }
            _ => Error::io("cannot read", &file, e),
        })?;
        let modified = found.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let modified = modified.map_or(0, |time| time.as_nanos() as u64);
        let (key, bytes) = (checkpoint.to_string_lossy().into_owned(), found.len());
        if let Some(known) = self.known.get(&key).filter(|k| k.bytes == bytes && k.modified == modified) {
            return Ok(known.hash.clone());
        }
        let hash = hash_file(&file)?;
        self.known.insert(key, Known { bytes, modified, hash: hash.clone() });
        self.changed = true;
        Ok(hash)
    }

    /// Notes them in the study where that can be written; elsewhere they are computed again.
    pub fn save(&self) {
        let folder = self.folder.join(MEASURES);
        if self.changed && folder.is_dir() {
            let text = serde_json::to_string_pretty(&self.known).expect("hashes are plain data");
            let _ = write_atomically(&folder.join(FILE), text.as_bytes());
        }
    }
}
