//! Which data sets Basin knows, where each was found, and how to have it.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::locate::{Known, find_known};
use super::{Split, bundled};

/// One known data set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// Name for `--data`.
    pub name: String,
    /// Name in running text.
    pub title: String,
    /// Training images.
    pub train: usize,
    /// Test images.
    pub test: usize,
    /// Channels, height, width.
    pub shape: [usize; 3],
    /// Number of classes.
    pub classes: usize,
    /// Folder or archive in which it was found; `bundled` comes with the program and has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<PathBuf>,
    /// Whether it can be used.
    pub available: bool,
    /// How it is stored there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<&'static str>,
    /// Bytes it takes there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_on_disk: Option<u64>,
    /// Bytes to download, where that can be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub download_bytes: Option<u64>,
    /// Under which terms it is offered, and whom to cite.
    pub terms: &'static str,
    /// Home page.
    pub home: &'static str,
    /// What to do to have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// All known data sets; those that are not bundled are looked for in `folders`.
pub fn list(folders: &[PathBuf]) -> Vec<Entry> {
    let facts = Known::Cifar10.facts();
    let bundled = Entry {
        name: "bundled".into(),
        title: "part of CIFAR-10".into(),
        train: bundled::count(Split::Train),
        test: bundled::count(Split::Test),
        shape: facts.shape,
        classes: Known::Cifar10.class_names().len(),
        found: None,
        available: true,
        format: None,
        bytes_on_disk: None,
        download_bytes: None,
        terms: facts.terms,
        home: facts.home,
        remedy: None,
    };
    let known = Known::ALL.into_iter().map(|known| {
        let facts = known.facts();
        let found = find_known(known, folders).ok();
        let source = known.source();
        Entry {
            name: known.name().into(),
            title: known.title().into(),
            train: facts.images[0],
            test: facts.images[1],
            shape: facts.shape,
            classes: known.class_names().len(),
            available: found.is_some(),
            format: found.as_ref().map(|found| found.format.title()),
            bytes_on_disk: found.as_ref().map(|found| bytes(&found.path)),
            remedy: found.is_none().then(|| known.remedy()),
            found: found.map(|found| found.path),
            download_bytes: source.map(|source| source.files.iter().map(|file| file.bytes).sum()),
            terms: facts.terms,
            home: facts.home,
        }
    });
    std::iter::once(bundled).chain(known).collect()
}

/// Size of a file, or of the files right in a folder.
fn bytes(path: &Path) -> u64 {
    let size = |path: &Path| {
        std::fs::metadata(path).map_or(0, |found| if found.is_file() { found.len() } else { 0 })
    };
    match std::fs::read_dir(path) {
        Ok(entries) => entries.flatten().map(|entry| size(&entry.path())).sum(),
        Err(_) => size(path),
    }
}
