//! What is known of a study at one moment: everything the window shows of it, computed off its thread.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use basin_core::study::{
    self, Digest, Entries, Facts, Kind, Planned, Row, State, Step, Study, Table, Thumbnail,
};

use crate::plot::scatter;
use crate::plot::{Color, Shape};

/// A study, its table and its states.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// The folder.
    pub folder: PathBuf,
    /// What `study.json` says.
    pub study: Study,
    /// The numbers of its models.
    pub table: Table,
    /// The states of its measures, by model.
    pub rows: Vec<Row>,
    /// The records of its models, in short.
    pub entries: Entries<Arc<Digest>>,
    /// What is still to be measured.
    pub planned: Vec<Planned>,
    /// How groups are drawn.
    pub looks: BTreeMap<String, Look>,
    /// How much of the folder has been read.
    pub step: Step,
    /// Whether all of the folder has been read.
    pub whole: bool,
    /// Why the last look failed, if it did: what is shown is older.
    pub problem: Option<String>,
}

/// Colour and symbol of a group.
pub type Look = (Color, Shape);

impl Seen {
    /// Works out what a look at a study's folder means.
    pub fn of(folder: &Path, study: &Study, look: study::Look, whole: bool) -> Self {
        let table = Table::of(study, &look.entries);
        let rows = study::status(study, &look.entries);
        let planned = study::missing(folder, study, &rows, false).unwrap_or_default();
        Self {
            folder: folder.to_owned(),
            looks: scatter::looks(study),
            study: study.clone(),
            table,
            rows,
            entries: look.entries,
            planned,
            step: look.step,
            whole,
            problem: None,
        }
    }

    /// The number of a model.
    pub fn model(&self, name: &str) -> Option<usize> {
        self.study.models.iter().position(|model| model.name == name)
    }

    /// What a filter can ask of a model besides its numbers.
    pub fn facts(&self, model: usize) -> Facts {
        Facts::of(&self.rows[model], &self.entries.models[model])
    }

    /// Measures of a model with a record, and all that it could have.
    pub fn measured(&self, model: usize) -> [usize; 2] {
        let states = &self.rows[model].measures;
        let count = |of: fn(&State) -> bool| states.iter().filter(|state| of(state)).count();
        [
            count(|state| matches!(state, State::Measured { .. })),
            count(|state| !matches!(state, State::NoCheckpoint)),
        ]
    }

    /// The landscape that stands for a model: a plane, else a curve; of several the last by path.
    pub fn thumbnail(&self, model: usize) -> Option<(&Path, &Thumbnail)> {
        let of = self.entries.models.get(model)?;
        let pictured = of.records.iter().filter_map(|(path, digest)| {
            let thumbnail = digest.thumbnail.as_ref()?;
            Some((digest.kind == Kind::Plane, &**path, thumbnail))
        });
        pictured.max_by_key(|(is_plane, ..)| *is_plane).map(|(_, path, thumbnail)| (path, thumbnail))
    }

    /// Models that are snapshots of the training that a model is of, by epoch; alone: none.
    pub fn training(&self, model: usize) -> Vec<(usize, Option<u64>)> {
        let models = &self.study.models;
        let Some(training) = models.get(model).and_then(|model| model.training.as_ref()) else {
            return Vec::new();
        };
        let of = |i: &usize| models[*i].training.as_ref() == Some(training);
        let mut all: Vec<(usize, Option<u64>)> =
            (0..models.len()).filter(of).map(|i| (i, models[i].epoch())).collect();
        // The network at the end has no epoch in its name.
        all.sort_by_key(|(i, epoch)| (epoch.unwrap_or(u64::MAX), *i));
        if all.len() > 1 { all } else { Vec::new() }
    }

    /// The colour and symbol of a model's group.
    pub fn look(&self, model: usize) -> Option<Look> {
        self.looks.get(self.study.models.get(model)?.group.as_ref()?).copied()
    }

    /// Number of files that cannot be used.
    pub fn broken(&self) -> usize {
        self.entries.broken.len() + self.entries.models.iter().map(|of| of.problems.len()).sum::<usize>()
    }
}
