//! The records of each model of a study.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::find::find;
use super::{Hashes, MEASURES, Study, file_name};
use crate::error::Result;
use crate::record::Record;

/// Records of a study's models, and what is in its folder besides.
#[derive(Debug, Default)]
pub struct Entries {
    /// For each model of the study in its order: its records by path, and what is wrong with files that are none.
    pub models: Vec<OfModel>,
    /// Records in the folder that belong to no model.
    pub strangers: Vec<PathBuf>,
    /// Checkpoints and trainings in the folder that no model is about.
    pub unlisted: Vec<PathBuf>,
}

/// What there is of one model.
#[derive(Debug, Default)]
pub struct OfModel {
    /// Its records, sorted by path.
    pub records: Vec<(PathBuf, Record)>,
    /// Hash of its checkpoint; none: it has none, or it cannot be read.
    pub hash: Option<String>,
    /// What is wrong, a sentence each.
    pub problems: Vec<String>,
}

impl Entries {
    /// Reads every record in the folder of a study.
    ///
    /// # Errors
    /// The folder cannot be read. Files that are damaged are problems of their model.
    pub fn load(folder: &Path, study: &Study) -> Result<Self> {
        let found = find(folder)?;
        let mut hashes = Hashes::load(folder);
        let mut all =
            Self { models: study.models.iter().map(|_| OfModel::default()).collect(), ..Self::default() };
        for (model, of) in study.models.iter().zip(&mut all.models) {
            match model.checkpoint.as_ref().map(|path| hashes.of(path)) {
                Some(Ok(hash)) => of.hash = Some(hash),
                Some(Err(error)) => of.problems.push(error.to_string()),
                None => {}
            }
        }
        hashes.save();
        let listed = study.models.iter().flat_map(|model| model.records.iter().cloned());
        let mut paths: Vec<PathBuf> = found.records.iter().cloned().chain(listed).collect();
        paths.sort();
        paths.dedup();
        let by_hash: BTreeMap<String, usize> =
            (all.models.iter().enumerate()).filter_map(|(i, of)| Some((of.hash.clone()?, i))).collect();
        for path in paths {
            let read = Record::load(&folder.join(&path));
            let named = by_name(study, &path);
            let owner = named.or_else(|| {
                read.as_ref().ok().and_then(|record| by_content(folder, study, &by_hash, record))
            });
            match (owner, read) {
                (Some(owner), Ok(record)) => all.models[owner].records.push((path, record)),
                (Some(owner), Err(error)) => all.models[owner].problems.push(error.to_string()),
                (None, _) => all.strangers.push(path),
            }
        }
        let is_known = |path: &PathBuf| {
            study
                .models
                .iter()
                .any(|m| m.checkpoint.as_ref() == Some(path) || m.training.as_ref() == Some(path))
        };
        all.unlisted =
            found.checkpoints.into_iter().chain(found.trainings).filter(|path| !is_known(path)).collect();
        Ok(all)
    }
}

/// The model that lists a record, or in whose folder of measures it lies.
fn by_name(study: &Study, path: &Path) -> Option<usize> {
    let below = path.strip_prefix(MEASURES).ok().and_then(|rest| rest.parent());
    study.models.iter().position(|model| {
        model.records.iter().any(|record| record == path) || below == Some(Path::new(&file_name(&model.name)))
    })
}

/// The model whose checkpoint a record is about: by content, else by path.
fn by_content(
    folder: &Path,
    study: &Study,
    by_hash: &BTreeMap<String, usize>,
    record: &Record,
) -> Option<usize> {
    let hash = base(&record.provenance.checkpoint_hash);
    if let Some(model) = by_hash.get(hash) {
        return Some(*model);
    }
    let path = record.job.checkpoint()?;
    study.models.iter().position(|model| {
        model
            .checkpoint
            .as_ref()
            .is_some_and(|checkpoint| path == folder.join(checkpoint) || path == checkpoint)
    })
}

/// The hash of the file itself, without what was assumed of it.
pub(super) fn base(hash: &str) -> &str {
    hash.get(..64).unwrap_or(hash)
}
