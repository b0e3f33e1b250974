//! What the History tab says about a training in words: how far, how fast, how good; and the networks it has kept.

use std::path::{Path, PathBuf};

use basin_core::job::Train;
use basin_core::record::TrainingOutcome;
use basin_core::record::training::Choice;
use basin_core::train::{Epoch, Scores};

use crate::ui::session::file_name;
use crate::ui::widgets::{duration_words, sentence};

/// A network of a training's folder.
pub struct Network {
    /// The checkpoint, relative to the folder.
    pub file: PathBuf,
    /// Which it is: `epoch 6`, `final`.
    pub title: String,
    /// How good it is, if that is known.
    pub scores: Option<Scores>,
}

impl Network {
    /// `epoch 6, robust error 76.4 %`.
    pub fn words(&self) -> String {
        match &self.scores {
            Some(scores) => format!("{}, robust error {:.1} %", self.title, 100.0 * scores.robust_error),
            None => self.title.clone(),
        }
    }
}

/// Everything that can be measured, in the order of the training.
pub fn networks(outcome: &TrainingOutcome) -> Vec<Network> {
    let mut found: Vec<Network> = Vec::new();
    for snapshot in &outcome.snapshots {
        let epoch = outcome.epochs.iter().find(|epoch| epoch.epoch == snapshot.epoch);
        let number = snapshot.epoch + 1;
        let (title, scores) = match snapshot.average {
            false => (format!("epoch {number}"), epoch.map(|epoch| epoch.test)),
            true => (format!("epoch {number}, average"), epoch.and_then(|epoch| epoch.average)),
        };
        found.push(Network { file: snapshot.file.clone(), title, scores });
    }
    if let Some(result) = &outcome.result {
        let mut add = |file: &str, title: String, scores: Option<Scores>| {
            found.extend(scores.map(|s| Network { file: file.into(), title, scores: Some(s) }));
        };
        add("average.safetensors", "running average".into(), result.average);
        add("average-calibrated.safetensors", "running average, calibrated".into(), result.calibrated);
        if let Some((epoch, scores)) = result.best {
            add("best.safetensors", format!("early stopping, epoch {}", epoch + 1), Some(scores));
        }
        add("final.safetensors", "final".into(), Some(result.last));
    }
    found
}

/// What a network is called beside its training: `epoch 6`, `final`.
pub fn network_name(file: &Path) -> String {
    let name = file_name(file);
    let stem = name.strip_suffix(".safetensors").unwrap_or(&name);
    let Some(rest) = stem.strip_prefix("epoch-") else { return stem.to_owned() };
    let (number, average) = rest.strip_suffix("-average").map_or((rest, ""), |number| (number, ", average"));
    number.parse::<u64>().map_or_else(|_| stem.to_owned(), |epoch| format!("Epoch {}{average}", epoch + 1))
}

/// A short fact in a place of its own.
pub struct Fact {
    /// What it is.
    pub label: String,
    /// The fact; a dash while it is not known.
    pub value: String,
    /// Width that every value of it fits into.
    pub room: f32,
    /// What it means.
    pub tooltip: &'static str,
}

/// What is not known yet.
const UNKNOWN: &str = "–";

/// Short facts, always the same ones in the same order: epoch, time, the epoch that stands out, the gap. `narrow`:
/// the most important, shortly.
pub fn facts(
    job: &Train,
    outcome: &TrainingOutcome,
    complete: bool,
    left: Option<f64>,
    narrow: bool,
) -> Vec<Fact> {
    let epochs = &outcome.epochs;
    let unknown = || UNKNOWN.to_owned();
    let fact =
        |label: &str, value: String, room: f32, tooltip| Fact { label: label.into(), value, room, tooltip };
    let mut facts =
        vec![fact("Epoch", format!("{} of {}", epochs.len(), job.epochs), 68.0, "Finished epochs")];
    let per_epoch = seconds_per_epoch(outcome);
    if !narrow {
        let words = per_epoch.map_or_else(unknown, duration_words);
        facts.push(fact("Per epoch", words, 84.0, "Training and test, mean of the last epochs"));
    }
    let to_go = job.epochs.saturating_sub(epochs.len()) as f64;
    let left = left.or(per_epoch.map(|seconds| seconds * to_go));
    facts.push(match &outcome.result {
        Some(result) if complete => {
            fact("Finished in", duration_words(result.seconds), 84.0, "Over all its runs")
        }
        _ => fact("Left", left.map_or_else(unknown, duration_words), 84.0, "If it goes on like this"),
    });
    facts.push(standing_out(job, outcome, narrow));
    let gap = epochs.last().and_then(Epoch::robust_gap).map_or_else(unknown, |gap| format!("{gap:+.3}"));
    let tooltip = "Robust loss on test images minus that on training images under the same attack, last epoch: the robust generalization gap";
    facts.push(fact("Robust gap", gap, 72.0, tooltip));
    facts
}

/// On which images networks are tested, and under which attack.
pub fn tests(job: &Train, outcome: &TrainingOutcome) -> String {
    if outcome.is_older(job) {
        return format!("Tested by an earlier version under the training's own attack: {}", job.attack);
    }
    let count = |images: Option<usize>, what: &str| images.map(|n| format!("{n} {what}"));
    let train = job.tested_training_images().map(|images| images.len());
    let images = [count(Some(job.data.test.len()), "test"), count(train, "training")];
    let images = images.into_iter().flatten().collect::<Vec<_>>().join(" and ");
    let mut words = format!("Tested on {images} images under {}", outcome.test_attack(job));
    if job.early_stopping {
        let (count, restarts) = (job.data.held_out.len(), job.held_out_attack().restarts_in_words());
        words += &format!("; early stopping by {count} held-out images under {restarts}");
    }
    words
}

/// The epoch that stands out; in the first epoch, how far that is.
fn standing_out(job: &Train, outcome: &TrainingOutcome, narrow: bool) -> Fact {
    let room = if narrow { 140.0 } else { 190.0 };
    let usual = if job.early_stopping { Choice::EarlyStopping } else { Choice::LowestTestLoss };
    let fact = |label: &str, value: String, tooltip| Fact { label: sentence(label), value, room, tooltip };
    if let Some(group) = outcome.steps.last().filter(|_| outcome.epochs.is_empty()) {
        let loss = group.values.get("loss").copied().unwrap_or(f64::NAN);
        let steps = job.steps_in_epoch();
        let value = format!("step {} of {steps}, loss {loss:.3}", group.step);
        return fact("first epoch", value, "Steps that are done, and the loss of the last");
    }
    let chosen = outcome.chosen(job).and_then(|(number, choice)| {
        let epoch = outcome.epochs.iter().find(|epoch| epoch.epoch == number)?;
        let error = 100.0 * epoch.test.robust_error;
        let robust = if narrow { "" } else { "robust " };
        Some((choice, format!("epoch {}: {robust}error {error:.1} %", number + 1)))
    });
    let (choice, value) = chosen.unwrap_or((usual, UNKNOWN.to_owned()));
    let tooltip = match choice {
        Choice::EarlyStopping => {
            "The epoch of lowest robust error on the held-out images, with its robust error on the test images; a line marks it in the charts"
        }
        Choice::LowestTestLoss => {
            "The epoch of lowest robust loss on the test images, with its robust error there; a line marks it in the charts"
        }
    };
    fact(choice.words(), value, tooltip)
}

/// Seconds of an epoch, the mean of the last five; an interruption within one does not count.
fn seconds_per_epoch(outcome: &TrainingOutcome) -> Option<f64> {
    let last = outcome.epochs.len().saturating_sub(6);
    let newest = &outcome.epochs[last..];
    match newest {
        [] => None,
        [only] => Some(only.seconds),
        [first, .., last] => Some((last.seconds - first.seconds) / (last.epoch - first.epoch).max(1) as f64),
    }
}
