//! What comes of an import.

use std::path::{Path, PathBuf};

use crate::study::Study;

/// What was imported.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Imported {
    /// The study, which is not written yet.
    pub study: Study,
    /// Records that were written.
    pub records: usize,
    /// Files that were left out, a sentence each.
    pub notes: Vec<String>,
}

/// A path as it stands in a study at `out`: relative if it lies there, else absolute.
pub fn stored(path: &Path, out: &Path) -> PathBuf {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let (path, out) = (absolute(path), absolute(out));
    path.strip_prefix(&out).map_or(path.clone(), Path::to_owned)
}
