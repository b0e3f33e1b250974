//! The numbers of a training, as far as it has come.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::evaluation::EvaluationSettings;
use super::log::{Epoch, LogLine, Scores, Steps};
use super::settings::Train;
use crate::attack::Pgd;

/// A training as far as it has come.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct TrainingOutcome {
    /// Its folder, as it was given.
    #[serde(default, with = "crate::files::as_text")]
    #[schemars(with = "String")]
    pub folder: PathBuf,
    /// Finished epochs in order.
    pub epochs: Vec<Epoch>,
    /// Groups of steps of the epoch in hand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Steps>,
    /// Networks that were kept, by epoch.
    #[serde(default)]
    pub snapshots: Vec<Snapshot>,
    /// How good the networks are that it ended with; none: it has not ended.
    #[serde(default, flatten, skip_serializing_if = "Option::is_none")]
    pub result: Option<Trained>,
}

/// A network that was kept after an epoch.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Snapshot {
    /// Which epoch, from 0.
    pub epoch: u64,
    /// Whether it is the running average.
    #[serde(default)]
    pub average: bool,
    /// The checkpoint, relative to the training's folder.
    pub file: PathBuf,
}

/// How good the networks are that a training ended with: what `basin evaluate` finds with the same attack, seed and images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trained {
    /// The attack; none: that of the training, as earlier versions had it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attack: Option<Pgd>,
    /// The network after the last epoch, on the test images (`final.safetensors`).
    #[serde(rename = "final")]
    pub last: Scores,
    /// The same network on the training images that are tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train: Option<Scores>,
    /// The running average (`average.safetensors`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average: Option<Scores>,
    /// The running average with calibrated statistics (`average-calibrated.safetensors`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibrated: Option<Scores>,
    /// The best snapshot on the held-out images, with its epoch (`best.safetensors`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best: Option<(u64, Scores)>,
    /// Seconds of training and testing.
    pub seconds: f64,
}

impl TrainingOutcome {
    /// Takes a line of the log. A training that goes on may repeat steps: the newest line counts.
    pub fn push(&mut self, line: LogLine) {
        let before = match &line {
            LogLine::Steps(steps) => steps.step.saturating_sub(steps.count),
            LogLine::Epoch(epoch) => epoch.step.saturating_sub(1),
        };
        self.epochs.retain(|epoch| epoch.step <= before);
        match line {
            LogLine::Steps(steps) => {
                self.steps.retain(|group| group.step <= before);
                self.steps.push(steps);
            }
            LogLine::Epoch(mut epoch) => {
                let rate = self.steps.last().map(|group| group.learning_rate);
                epoch.learning_rate = epoch.learning_rate.or(rate);
                self.steps.clear();
                self.epochs.push(epoch);
            }
        }
    }

    /// The epoch, from 0, that stands out, the same for every quantity: what early stopping picks where the training
    /// has it, else the lowest robust loss on the test images. None if that is not known yet.
    pub fn chosen(&self, job: &Train) -> Option<(u64, Choice)> {
        let lowest = |of: fn(&Epoch) -> Option<f64>| {
            let known = self.epochs.iter().filter_map(|epoch| Some((epoch.epoch, of(epoch)?)));
            let finite = known.filter(|(_, value)| value.is_finite());
            finite.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(epoch, _)| epoch)
        };
        if job.early_stopping {
            let picked = self.result.as_ref().and_then(|result| result.best).map(|(epoch, _)| epoch);
            let so_far = || lowest(|epoch| epoch.held_out.map(|scores| scores.robust_error));
            return picked.or_else(so_far).map(|epoch| (epoch, Choice::EarlyStopping));
        }
        lowest(|epoch| Some(epoch.test.robust_loss)).map(|epoch| (epoch, Choice::LowestTestLoss))
    }

    /// The attack of the tests after each epoch: in folders of earlier versions that of the training.
    pub fn test_attack(&self, job: &Train) -> Pgd {
        if self.is_older(job) { job.attack.clone() } else { job.test_attack() }
    }

    /// Whether an earlier version has trained all of it, which tested under the training's own attack, and no training
    /// images.
    pub fn is_older(&self, job: &Train) -> bool {
        let is_measured = |epoch: &Epoch| epoch.train_scores.is_some();
        job.evaluation == EvaluationSettings::default()
            && !self.epochs.is_empty()
            && !self.epochs.iter().any(is_measured)
    }

    /// Steps that are done.
    pub fn steps_done(&self) -> u64 {
        let of_epochs = self.epochs.last().map_or(0, |epoch| epoch.step);
        self.steps.last().map_or(of_epochs, |group| group.step)
    }
}

/// Why an epoch of a training is the one to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Choice {
    /// Early stopping picks its network: the lowest robust error on the held-out images.
    EarlyStopping,
    /// Nothing is held out; afterwards its robust loss on the test images turns out to be the lowest.
    LowestTestLoss,
}

impl Choice {
    /// `early stopping` or `lowest robust test loss`.
    pub fn words(self) -> &'static str {
        match self {
            Self::EarlyStopping => "early stopping",
            Self::LowestTestLoss => "lowest robust test loss",
        }
    }
}
