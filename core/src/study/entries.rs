//! The records of each model of a study.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::digest::Digest;
use super::{MEASURES, Study, file_name};
use crate::record::Record;

/// Records of a study's models, whole or as digests, and what is in its folder besides.
#[derive(Debug, Clone)]
pub struct Entries<R = Record> {
    /// For each model of the study in its order: its records by path, and what is wrong with files that are none.
    pub models: Vec<OfModel<R>>,
    /// Records in the folder that belong to no model.
    pub strangers: Vec<PathBuf>,
    /// Files of no model that look like records and cannot be used, each with a sentence.
    pub broken: Vec<(PathBuf, String)>,
    /// Checkpoints and trainings in the folder that no model is about.
    pub unlisted: Vec<PathBuf>,
}

/// What there is of one model.
#[derive(Debug, Clone)]
pub struct OfModel<R = Record> {
    /// Its records, sorted by path.
    pub records: Vec<(PathBuf, R)>,
    /// Hash of its checkpoint; none: it has none, or it cannot be read.
    pub hash: Option<String>,
    /// What is wrong, a sentence each.
    pub problems: Vec<String>,
    /// Files in its folder of measures, or listed by it, that cannot be read as records.
    pub broken: Vec<PathBuf>,
}

impl<R> Default for Entries<R> {
    fn default() -> Self {
        Self { models: Vec::new(), strangers: Vec::new(), broken: Vec::new(), unlisted: Vec::new() }
    }
}

impl<R> Default for OfModel<R> {
    fn default() -> Self {
        Self { records: Vec::new(), hash: None, problems: Vec::new(), broken: Vec::new() }
    }
}

impl<R> Entries<R> {
    /// Number of records of models.
    pub fn records(&self) -> usize {
        self.models.iter().map(|of| of.records.len()).sum()
    }
}

/// Which model a record belongs to.
pub(super) struct Owners<'a> {
    /// Records that models list.
    listed: HashMap<&'a Path, usize>,
    /// Names of folders of measures.
    folders: HashMap<String, usize>,
    /// Hashes of checkpoints.
    hashes: HashMap<&'a str, usize>,
    /// Paths of checkpoints, as they are written and in full.
    checkpoints: HashMap<PathBuf, usize>,
}

impl<'a> Owners<'a> {
    /// The owners in a study whose checkpoints have these hashes.
    pub fn new(folder: &Path, study: &'a Study, hashes: &'a [Option<String>]) -> Self {
        let mut owners = Self {
            listed: HashMap::new(),
            folders: HashMap::new(),
            hashes: HashMap::new(),
            checkpoints: HashMap::new(),
        };
        for (number, model) in study.models.iter().enumerate() {
            for record in &model.records {
                owners.listed.entry(record).or_insert(number);
            }
            owners.folders.insert(file_name(&model.name), number);
            if let Some(path) = &model.checkpoint {
                owners.checkpoints.entry(folder.join(path)).or_insert(number);
                owners.checkpoints.entry(path.clone()).or_insert(number);
            }
        }
        // Of equal checkpoints the last one has the records.
        for (number, hash) in hashes.iter().enumerate() {
            hash.as_deref().map(|hash| owners.hashes.insert(hash, number));
        }
        owners
    }

    /// The model that lists a record, or in whose folder of measures it lies.
    pub fn by_name(&self, path: &Path) -> Option<usize> {
        let below = path.strip_prefix(MEASURES).ok().and_then(Path::parent);
        let folder = below.filter(|below| below.components().count() == 1).and_then(Path::to_str);
        let of_folder = folder.and_then(|folder| self.folders.get(folder));
        self.listed.get(path).into_iter().chain(of_folder).min().copied()
    }

    /// The model whose checkpoint a record is about: by content, else by path.
    pub fn by_content(&self, digest: &Digest) -> Option<usize> {
        let by_path = || self.checkpoints.get(digest.checkpoint.as_ref()?);
        self.hashes.get(&*digest.hash).or_else(by_path).copied()
    }
}
