//! What was told of a file, in the user's cache.

use std::path::PathBuf;

use sha2::{Digest as _, Sha256};

use super::super::opened::Checkpoint;
use super::super::summary::Probe;
use crate::data;

/// Version of how readings are tried: what was kept by another is tried again.
const VERSION: u32 = 5;

/// What was told of a file, in the user's cache.
pub struct Kept(Option<PathBuf>);

impl Kept {
    pub fn of(checkpoint: &Checkpoint) -> Self {
        let readings: Vec<String> = checkpoint.alternatives.iter().map(|it| it.assumed.text()).collect();
        let key = format!("{VERSION} {} {}", checkpoint.summary.hash, readings.join(" "));
        let name = Sha256::digest(key.as_bytes())
            .iter()
            .take(16)
            .fold(String::new(), |name, byte| name + &format!("{byte:02x}"));
        let folder = data::search_folders().pop();
        Self(folder.map(|folder| folder.join("probes").join(name + ".json")))
    }

    pub fn read(&self) -> Option<Probe> {
        serde_json::from_slice(&std::fs::read(self.0.as_ref()?).ok()?).ok()
    }

    /// Keeps what was told. Where that is not possible it is tried again the next time.
    pub fn write(&self, probe: &Probe) {
        let (Some(path), false) = (&self.0, probe.data.is_empty()) else { return };
        let _ = path.parent().map(std::fs::create_dir_all);
        if let Ok(bytes) = serde_json::to_vec(probe) {
            let _ = crate::files::write_atomically(path, &bytes);
        }
    }
}
