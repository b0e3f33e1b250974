//! What of a study is still to be measured: jobs, each with the place of its record.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::status::{Row, State, place};
use super::{Study, file_name};
use crate::error::{Error, Result};
use crate::job::Job;

/// A measure of a model that is to be computed.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// The model.
    pub model: String,
    /// The measure.
    pub measure: String,
    /// The job, with the absolute path of the checkpoint.
    pub job: Job,
    /// Where its record is to be, absolute.
    pub out: PathBuf,
    /// Whether a record is there that this one replaces.
    pub replaces: bool,
}

/// What is missing, unfinished, or of a checkpoint that has changed; with `force` also what has other settings or is broken.
///
/// # Errors
/// Where the study is cannot be told.
pub fn missing(folder: &Path, study: &Study, rows: &[Row], force: bool) -> Result<Vec<Planned>> {
    let folder = std::path::absolute(folder).map_err(|e| Error::io("cannot find", folder, e))?;
    let mut planned = Vec::new();
    for (model, row) in study.models.iter().zip(rows) {
        let Some(checkpoint) = &model.checkpoint else { continue };
        for (measure, state) in study.measures.iter().zip(&row.measures) {
            let wanted = match state {
                State::Missing | State::Unfinished { .. } | State::Changed { .. } => true,
                State::OtherSettings { .. } | State::Broken { .. } => force,
                State::Measured { .. } | State::NoCheckpoint => false,
            };
            if wanted {
                planned.push(Planned {
                    model: model.name.clone(),
                    measure: measure.name.clone(),
                    job: measure.job.clone().on(&folder.join(checkpoint)),
                    out: folder.join(place(model, measure)),
                    replaces: *state != State::Missing,
                });
            }
        }
    }
    Ok(planned)
}

/// Sizes of checkpoints of which each is tried for an estimate.
const TRIED: usize = 4;

/// Seconds for all: each measure is tried on one checkpoint of each size, as networks of one size are mostly alike.
/// `trial` gives the seconds of a job; none: it cannot be tried.
pub fn seconds(planned: &[Planned], mut trial: impl FnMut(&Job) -> Option<f64>) -> f64 {
    let size = |one: &Planned| {
        let file = one.job.checkpoint().and_then(|path| std::fs::metadata(path).ok());
        file.map_or(0, |file| file.len())
    };
    let mut known: BTreeMap<(&str, u64), f64> = BTreeMap::new();
    let mut sum = 0.0;
    for one in planned {
        let (measure, bytes) = (&*one.measure, size(one));
        let of_measure = || known.iter().filter(|((name, _), _)| *name == measure);
        let nearest = of_measure().min_by_key(|((_, other), _)| other.abs_diff(bytes));
        let nearest = nearest.map(|((_, other), seconds)| (*other, *seconds));
        let seconds = match nearest {
            // Checkpoints of one architecture differ by a few bytes.
            Some((other, seconds))
                if of_measure().count() >= TRIED || other.abs_diff(bytes) * 100 <= bytes =>
            {
                Some(seconds)
            }
            // One that cannot be opened is told when its turn comes.
            other => trial(&one.job).or(other.map(|(_, seconds)| seconds)),
        };
        if let Some(seconds) = seconds {
            known.insert((measure, bytes), seconds);
            sum += seconds;
        }
    }
    sum
}

/// The name of a job's file: `MODEL.MEASURE.json`.
pub fn job_file_name(planned: &Planned) -> String {
    format!("{}.{}.json", file_name(&planned.model), file_name(&planned.measure))
}
