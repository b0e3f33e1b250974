//! How far a study is: a row for each model.

use std::path::PathBuf;

use serde::Serialize;
use serde_json::Value;

use super::entries::{Entries, OfModel, base};
use super::{MEASURES, Model, PlannedMeasure, Study, file_name};
use crate::job::Job;
use crate::record::Record;

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
    /// There is no record.
    Missing,
    /// There is no checkpoint to measure.
    NoCheckpoint,
}

/// The rows of a study.
pub fn status(study: &Study, entries: &Entries) -> Vec<Row> {
    let row = |(model, of): (&Model, &OfModel)| Row {
        name: model.name.clone(),
        group: model.group.clone(),
        measures: study.measures.iter().map(|measure| state(model, of, measure)).collect(),
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

fn state(model: &Model, of: &OfModel, measure: &PlannedMeasure) -> State {
    let wanted = asked(&measure.job);
    let same = |(_, record): &&(PathBuf, Record)| asked(&record.job) == wanted;
    let is_of_this_file = |record: &Record| {
        let hash = base(&record.provenance.checkpoint_hash);
        of.hash.as_deref().is_none_or(|now| hash.is_empty() || now == hash)
    };
    let all: Vec<&(PathBuf, Record)> = of.records.iter().filter(same).collect();
    let complete = |record: &Record| record.provenance.complete;
    let path = |found: &(PathBuf, Record)| found.0.clone();
    if let Some(found) = all.iter().find(|(_, record)| complete(record) && is_of_this_file(record)) {
        return State::Measured { record: path(found) };
    }
    if model.checkpoint.is_none() {
        return State::NoCheckpoint;
    }
    if let Some(found) = all.iter().find(|(_, record)| complete(record)) {
        return State::Changed { record: path(found) };
    }
    if let Some(found) = all.first() {
        return State::Unfinished { record: path(found) };
    }
    let here = place(model, measure);
    match of.records.iter().find(|(path, _)| *path == here) {
        Some(found) => State::OtherSettings { record: path(found) },
        None => State::Missing,
    }
}

/// What a job asks for, whatever the checkpoint's path, the device and the batch size.
fn asked(job: &Job) -> Value {
    let mut value = serde_json::to_value(job).expect("a job is plain data");
    value["checkpoint"] = Value::Null;
    if let Some(compute) = value.get_mut("compute").and_then(Value::as_object_mut) {
        compute.remove("device");
        compute.remove("batch_size");
    }
    value
}
