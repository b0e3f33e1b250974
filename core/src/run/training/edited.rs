//! Whether a job is the one that a training began with: what it did so far would otherwise be recorded under settings
//! that it never had.

use std::path::Path;

use serde_json::Value;

use super::Run;
use crate::error::{Error, Result};
use crate::record::training;
use crate::record::training::JOB;
use crate::train::{EvaluationSettings, LogLine, Train};

/// Settings that may change between runs: they do not decide the numbers, or it is told elsewhere how they do.
const FREE: [&str; 4] = ["name", "device", "precision", "epochs"];
/// Learning rates that differ by more than this share of theirs are different ones.
const TOLERANCE: f64 = 1e-6;

/// A setting by its place, its value when the training began, and its value now.
pub struct Difference {
    place: String,
    begun: Value,
    now: Value,
}

/// The settings in which a job differs from the one its training began with. More epochs are a longer training, but fewer
/// than the `done` ones are another.
pub fn differences(begun: &Train, now: &Train, done: u64) -> Vec<Difference> {
    let mut now = now.clone();
    if begun.evaluation.is_missing() && now.evaluation.is_default_for(&now.attack) {
        // Written before evaluations had settings, or not resolved yet.
        now.evaluation = begun.evaluation.clone();
    }
    let values = [begun, &now].map(|job| serde_json::to_value(job).unwrap_or_default());
    let mut found = Vec::new();
    differ("", &values[0], &values[1], &mut found);
    let is_free = |place: &str| FREE.contains(&place) && (place != "epochs" || now.epochs as u64 >= done);
    found.retain(|difference| !is_free(&difference.place));
    found
}

fn differ(place: &str, begun: &Value, now: &Value, found: &mut Vec<Difference>) {
    let (Value::Object(before), Value::Object(after)) = (begun, now) else {
        if begun != now {
            found.push(Difference { place: place.to_owned(), begun: begun.clone(), now: now.clone() });
        }
        return;
    };
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for name in names {
        let inner = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
        let value = |of: &serde_json::Map<String, Value>| of.get(name).cloned().unwrap_or_default();
        differ(&inner, &value(before), &value(after), found);
    }
}

/// The error of a job that differs in some settings from the one its training began with. `edited`: the folder's own
/// job.json has them.
pub fn error(folder: &Path, differences: &[Difference], edited: bool) -> Error {
    let words =
        |d: &Difference| format!("{} is {} where the training began with {}", d.place, d.now, d.begun);
    let (first, others) = match differences {
        [] => ("its job.json differs".to_owned(), 0),
        [first, others @ ..] => (words(first), others.len()),
    };
    let more = match others {
        0 => String::new(),
        1 => ", and one other setting differs".to_owned(),
        many => format!(", and {many} other settings differ"),
    };
    let path = folder.join(JOB);
    match edited {
        true => Error::file(
            &path,
            format!(
                "was edited after the training had begun: {first}{more}; set it back to go on, or train anew with \
                 `basin train {} --out NEW`",
                path.display()
            ),
        ),
        false => Error::file(
            folder,
            format!(
                "holds another training ({first}{more}); choose another folder, or remove this one first"
            ),
        ),
    }
}

impl Run<'_> {
    /// Checks a job against what an earlier version left, which did not keep the job beside its state: the seed and the
    /// batch size that it noted, and the learning rates of its log.
    pub(super) fn check_unkept_job(&self, folder: &Path, lines: &[LogLine]) -> Result<()> {
        let mut found = Vec::new();
        let mut differ = |place: &str, begun: Value, now: Value| {
            if begun != now {
                found.push(Difference { place: place.to_owned(), begun, now });
            }
        };
        if let Some(provenance) = training::provenance(folder)? {
            differ("seed", provenance.seed.into(), self.job.seed.into());
            differ("batch_size", provenance.batch_size.into(), self.job.batch_size.into());
        }
        let rate = |step: u64| self.beginning.trainer.rate(step, self.per_epoch()).learning_rate;
        let logged = lines.iter().filter_map(|line| match line {
            LogLine::Steps(steps) => Some((steps.step, steps.learning_rate)),
            LogLine::Epoch(_) => None,
        });
        let is_other =
            |(step, logged): &(u64, f64)| (rate(step - 1) - logged).abs() > TOLERANCE * logged.abs();
        if let Some((step, logged)) = logged.filter(|(step, _)| *step > 0).find(is_other) {
            let place = format!("the learning rate of step {step}");
            differ(&place, logged.into(), rate(step - 1).into());
        }
        if found.is_empty() { Ok(()) } else { Err(error(folder, &found, true)) }
    }
}

impl EvaluationSettings {
    /// Whether these are the usual settings for a training with this attack, resolved or not.
    fn is_default_for(&self, training: &crate::attack::Pgd) -> bool {
        let usual = Self::default();
        *self == usual || *self == usual.resolved(training)
    }
}
