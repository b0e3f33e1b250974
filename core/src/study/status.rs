//! How far a study is: a row for each model.

use std::borrow::Cow;
use std::path::PathBuf;

use serde::Serialize;

use super::digest::{Digest, Digested, asked};
use super::entries::OfModel;
use super::{Entries, MEASURES, Model, PlannedMeasure, Study, file_name};

/// A model and what of its measures is there.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The model.
    pub name: String,
    /// Its group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The state of each measure of the study, in its order.
    pub measures: Vec<State>,
    /// Records that belong to it.
    pub records: usize,
    /// Numbers from tables.
    pub numbers: usize,
    /// Files that cannot be used, a sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
}

/// The state of a measure of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum State {
    /// There is a record of the very job on the very checkpoint.
    Measured {
        /// The record.
        record: PathBuf,
    },
    /// There is a record, but the checkpoint's file has changed since.
    Changed {
        /// The record.
        record: PathBuf,
    },
    /// A record is there that a cancelled run left.
    Unfinished {
        /// The record.
        record: PathBuf,
    },
    /// In the place of the record is that of a job with other settings.
    OtherSettings {
        /// The record.
        record: PathBuf,
    },
    /// In the place of the record is a file that cannot be read as one.
    Broken {
        /// The file.
        record: PathBuf,
    },
    /// There is no record.
    Missing,
    /// There is no checkpoint to measure.
    NoCheckpoint,
}

/// The rows of a study.
pub fn status<R: Digested>(study: &Study, entries: &Entries<R>) -> Vec<Row> {
    let wanted: Vec<u64> = study.measures.iter().map(|measure| asked(&measure.job)).collect();
    let states = |model: &Model, of: &OfModel<R>| -> Vec<State> {
        let digests: Vec<_> = of.records.iter().map(|(path, record)| (path, record.digest())).collect();
        let state = |(measure, wanted)| match state(model, of.hash.as_deref(), &digests, measure, wanted) {
            State::Missing if of.broken.contains(&place(model, measure)) => {
                State::Broken { record: place(model, measure) }
            }
            state => state,
        };
        study.measures.iter().zip(wanted.iter().copied()).map(state).collect()
    };
    let row = |(model, of): (&Model, &OfModel<R>)| Row {
        name: model.name.clone(),
        group: model.group.clone(),
        measures: states(model, of),
        records: of.records.len(),
        numbers: model.numbers.len(),
        problems: of.problems.clone(),
    };
    study.models.iter().zip(&entries.models).map(row).collect()
}

/// Where the record of a measure of a model is to be, relative to the study.
pub fn place(model: &Model, measure: &PlannedMeasure) -> PathBuf {
    let file = format!("{}.json", file_name(&measure.name));
    PathBuf::from(MEASURES).join(file_name(&model.name)).join(file)
}

fn state(
    model: &Model,
    hash: Option<&str>,
    records: &[(&PathBuf, Cow<'_, Digest>)],
    measure: &PlannedMeasure,
    wanted: u64,
) -> State {
    let is_of_this_file =
        |record: &Digest| hash.is_none_or(|now| record.hash.is_empty() || *now == *record.hash);
    let all: Vec<_> = records.iter().filter(|(_, record)| record.asked == wanted).collect();
    let path = |found: &(&PathBuf, Cow<'_, Digest>)| found.0.clone();
    if let Some(found) = all.iter().find(|(_, record)| record.complete && is_of_this_file(record)) {
        return State::Measured { record: path(found) };
    }
    if model.checkpoint.is_none() {
        return State::NoCheckpoint;
    }
    if let Some(found) = all.iter().find(|(_, record)| record.complete) {
        return State::Changed { record: path(found) };
    }
    if let Some(found) = all.first() {
        return State::Unfinished { record: path(found) };
    }
    let here = place(model, measure);
    match records.iter().find(|(path, _)| **path == here) {
        Some(found) => State::OtherSettings { record: path(found) },
        None => State::Missing,
    }
}
