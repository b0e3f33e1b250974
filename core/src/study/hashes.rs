//! Hashes of checkpoints, remembered as long as size and time of the file stay.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::find::Stamp;
use super::{HASHES, MEASURES};
use crate::checkpoint::{hash_file, split};
use crate::error::{Error, Result};
use crate::files::write_atomically;

/// SHA-256 of the checkpoints of a study.
#[derive(Debug, Default)]
pub struct Hashes {
    folder: PathBuf,
    known: BTreeMap<String, Known>,
    changed: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Known {
    #[serde(flatten)]
    stamp: Stamp,
    hash: String,
}

impl Hashes {
    /// Those that a study has noted; a damaged file is forgotten.
    pub fn load(folder: &Path) -> Self {
        let text = std::fs::read_to_string(folder.join(MEASURES).join(HASHES)).unwrap_or_default();
        let known = serde_json::from_str(&text).unwrap_or_default();
        Self { folder: folder.to_owned(), known, changed: false }
    }

    /// The hash of a checkpoint, by its path relative to the study, if it is noted and the file has not changed.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn noted(&self, checkpoint: &Path) -> Result<Option<String>> {
        let (_, stamp) = self.look_at(checkpoint)?;
        let known = self.known.get(&*checkpoint.to_string_lossy());
        Ok(known.filter(|known| known.stamp == stamp).map(|known| known.hash.clone()))
    }

    /// Computes the hash of a checkpoint and notes it.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn compute(&mut self, checkpoint: &Path) -> Result<String> {
        let (file, stamp) = self.look_at(checkpoint)?;
        let hash = hash_file(&file)?;
        let known = Known { stamp, hash: hash.clone() };
        self.known.insert(checkpoint.to_string_lossy().into_owned(), known);
        self.changed = true;
        Ok(hash)
    }

    fn look_at(&self, checkpoint: &Path) -> Result<(PathBuf, Stamp)> {
        let (file, _) = split(&self.folder.join(checkpoint))?;
        let stamp = Stamp::of(&file).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => {
                Error::file(&file, "does not exist; restore it, or remove its model from the study")
            }
            _ => Error::io("cannot read", &file, e),
        })?;
        Ok((file, stamp))
    }

    /// Notes them in the study where that can be written; elsewhere they are computed again.
    pub fn save(&self) {
        let folder = self.folder.join(MEASURES);
        if self.changed && folder.is_dir() {
            let text = serde_json::to_string_pretty(&self.known).expect("hashes are plain data");
            let _ = write_atomically(&folder.join(HASHES), text.as_bytes());
        }
    }
}
