//! What the History tab says about a training in words: how far, how fast, how good; and the networks it has kept.

use std::path::{Path, PathBuf};

use basin_core::job::Train;
use basin_core::record::TrainingOutcome;
use basin_core::train::Scores;

use crate::plot::training;
use crate::ui::study::file_name;
use crate::ui::widgets::duration_words;

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

/// Short facts with their explanation: epoch, time, the best epoch, the gap.
pub fn facts(
    job: &Train,
    outcome: &TrainingOutcome,
    complete: bool,
    left: Option<f64>,
) -> Vec<(String, &'static str)> {
    let epochs = &outcome.epochs;
    let mut facts = vec![(format!("Epoch {} of {}", epochs.len(), job.epochs), "Finished epochs")];
    if let Some(group) = outcome.steps.last().filter(|_| epochs.is_empty()) {
        let loss = group.values.get("loss").copied().unwrap_or(f64::NAN);
        let steps = training::steps_per_epoch(job);
        facts.push((format!("step {} of {steps}, loss {loss:.3}", group.step), "In the first epoch"));
    }
    let per_epoch = seconds_per_epoch(outcome);
    if let Some(seconds) = per_epoch {
        facts.push((
            format!("{} per epoch", duration_words(seconds)),
            "Training and test, mean of the last epochs",
        ));
    }
    let to_go = job.epochs.saturating_sub(epochs.len()) as f64;
    match (complete, left.or(per_epoch.map(|seconds| seconds * to_go))) {
        (true, _) => {
            let seconds = outcome.result.as_ref().map_or(0.0, |result| result.seconds);
            facts.push((format!("finished in {}", duration_words(seconds)), "Over all its runs"));
        }
        (false, Some(left)) => {
            facts.push((format!("{} left", duration_words(left)), "If it goes on like this"))
        }
        (false, None) => {}
    }
    let finite = epochs.iter().filter(|epoch| epoch.test.robust_error.is_finite());
    if let Some(best) = finite.min_by(|a, b| a.test.robust_error.total_cmp(&b.test.robust_error)) {
        let words =
            format!("best: epoch {}, robust error {:.1} %", best.epoch + 1, 100.0 * best.test.robust_error);
        facts.push((words, "The epoch of lowest robust error on the test images"));
    }
    let gap = epochs.last().and_then(|epoch| Some(epoch.test.robust_loss - epoch.train.get("robust_loss")?));
    if let Some(gap) = gap.filter(|gap| gap.is_finite()) {
        facts.push((
            format!("robust gap {gap:+.3}"),
            "Robust loss on test images minus training images, last epoch: the robust generalization gap",
        ));
    }
    facts
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
