//! Training as data: what [`super::run`] does is one [`Train`], saved as the `job.json` of its folder.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::average::Average;
use super::evaluation::EvaluationSettings;
use super::loss::Labels;
use super::optimizer::Optimizer;
use super::schedule::Schedule;
use super::sharpness::Sharpness;
use crate::attack::Pgd;
use crate::data::{Augmentation, Examples, Split};
use crate::device::Precision;
use crate::error::{Error, Result};
use crate::limits;
use crate::model::{Architecture, Initialization};

/// Everything that decides how a network is trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Train {
    /// Name of the model, e.g. one of the paper's.
    #[schemars(extend("x-label" = "Name", "x-group" = "Model"))]
    pub name: String,
    /// Images, and what is done to them.
    #[schemars(extend("x-group" = "Images"))]
    pub data: TrainData,
    /// The network. Classes and resolution are those of the data, and so need not be given; the job in the folder of a
    /// training has them.
    #[schemars(extend("x-advanced" = true, "x-group" = "Architecture"))]
    pub architecture: Architecture,
    /// A checkpoint to start from instead of fresh weights (fine-tuning); its architecture counts, and is
    /// that of the job in the folder of the training.
    #[serde(with = "crate::files::as_text::optional")]
    #[schemars(with = "Option<String>", extend("x-advanced" = true, "x-group" = "Model", "x-label" = "Initial checkpoint", "x-hint" = "none"))]
    pub initial: Option<PathBuf>,
    /// How fresh weights are drawn.
    #[schemars(extend("x-advanced" = true, "x-group" = "Initialization"))]
    pub initialization: Initialization,
    /// What one batch's loss is.
    #[schemars(extend("x-advanced" = true, "x-group" = "Method"))]
    pub method: Method,
    /// The attack on inputs in training (except of methods on clean images). Its norm and epsilon are also those of the
    /// evaluation, unless that has its own.
    #[schemars(extend("x-advanced" = true, "x-group" = "Attack in training"))]
    pub attack: Pgd,
    /// The tests after each epoch and at the end, always under an attack of the cross-entropy.
    #[schemars(extend("x-group" = "Evaluation"))]
    pub evaluation: EvaluationSettings,
    /// What training takes for the truth.
    #[schemars(extend("x-advanced" = true, "x-group" = "Method"))]
    pub labels: Labels,
    /// Training against perturbed weights.
    #[schemars(extend("x-advanced" = true, "x-group" = "Weight perturbation"))]
    pub sharpness: Sharpness,
    /// Optimizer with its learning rate.
    #[schemars(extend("x-advanced" = true, "x-group" = "Optimizer"))]
    pub optimizer: Optimizer,
    /// How the learning rate changes.
    #[schemars(extend("x-advanced" = true, "x-label" = "Schedule", "x-group" = "Learning rate schedule"))]
    pub schedule: Schedule,
    /// Number of epochs.
    #[schemars(extend("x-group" = "Model", "x-wanted" = "a whole number of at least 1"))]
    pub epochs: usize,
    /// Images per step.
    #[schemars(extend("x-group" = "Model", "x-wanted" = "a whole number of at least 1"))]
    pub batch_size: usize,
    /// Steps per epoch; none: enough for every image once.
    #[schemars(extend("x-advanced" = true, "x-group" = "Training", "x-hint" = "every image once"))]
    pub steps_per_epoch: Option<usize>,
    /// All trainable weights are clamped to `[-c, c]` before every step.
    #[schemars(extend("x-advanced" = true, "x-group" = "Training", "x-label" = "Weight clipping", "x-hint" = "none"))]
    pub clipping: Option<f64>,
    /// A running average of the weights beside them.
    #[schemars(extend("x-advanced" = true, "x-label" = "Running average", "x-hint" = "none", "x-group" = "Running average"))]
    pub average: Option<Average>,
    /// A snapshot is kept every so many epochs, and of the last one.
    #[schemars(extend("x-advanced" = true, "x-group" = "Training"))]
    pub snapshot_every: usize,
    /// Keep, of all snapshots, the one of lowest robust error on the held-out images, which are attacked with 5 restarts
    /// (`evaluation.held_out_restarts`).
    #[schemars(extend("x-advanced" = true, "x-group" = "Training"))]
    pub early_stopping: bool,
    /// Log statistics of every trainable tensor and of its gradient in the last step of each epoch.
    #[schemars(extend("x-advanced" = true, "x-group" = "Training"))]
    pub tensor_statistics: bool,
    /// Repeat the deviations of the paper's program where Basin does what the paper means: pseudo labels in
    /// training mode (`prevent_label_leaking`), exchanged weights of clean and adversarial part for fractions
    /// other than 0.5 and 1, weight perturbations whose first gradient is the unperturbed network's and whose
    /// last step is never used, an Entropy-SGD without schedule and scoping, a running average that is also
    /// updated at the beginning of an epoch.
    #[schemars(extend("x-advanced" = true, "x-group" = "Training", "x-label" = "Deviations of the paper's program"))]
    pub as_in_paper: bool,
    /// Where to compute: `auto` (the GPU if there is one), `cpu` or `cuda:0`.
    #[schemars(extend("x-group" = "Computing", "x-suggestions" = [["auto", "The GPU if there is one."], ["cpu", "The CPU."], ["cuda:0", "The first GPU."], ["cuda:1", "The second GPU."]]))]
    pub device: String,
    /// Precision of the search for perturbations.
    #[schemars(extend("x-advanced" = true, "x-group" = "Computing", "x-label" = "Search precision"))]
    pub precision: Precision,
    /// Precision of the weight step: `f32`, `bf16` (convolutions and products; weights stay float32), or
    /// `f64` for checks.
    #[schemars(extend("x-advanced" = true, "x-group" = "Computing"))]
    pub step_precision: Precision,
    /// Seed of every random number.
    #[schemars(extend("x-group" = "Computing", "x-wanted" = "a whole number of at least 0"))]
    pub seed: u64,
}

/// Images to train and test on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TrainData {
    /// Data set: `bundled` (2000 of CIFAR-10's images), `cifar10`, `mnist`, `fashion-mnist`, or a folder.
    #[schemars(extend("x-label" = "Data set"))]
    pub name: String,
    /// Images trained on.
    #[schemars(extend("x-label" = "Training images"))]
    pub train: Examples,
    /// Images tested on after each epoch, under the attack of `evaluation`.
    #[schemars(extend("x-label" = "Test images"))]
    pub test: Examples,
    /// Images that early stopping looks at.
    #[schemars(extend("x-advanced" = true, "x-label" = "Held-out images"))]
    pub held_out: Examples,
    /// What is done to training images, anew in every epoch.
    #[schemars(extend("x-advanced" = true))]
    pub augmentation: Augmentation,
    /// A folder of further images whose labels a network guessed, and their share of each batch.
    #[schemars(extend("x-advanced" = true, "x-label" = "Pseudo-labelled images", "x-group" = "Pseudo-labelled images"))]
    pub extra: Option<Extra>,
}

/// Pseudo-labelled images (the paper: 500,000 tiny images, 70 % of each batch).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Extra {
    /// A data set's name or folder.
    pub name: String,
    /// Which of its images.
    pub examples: Examples,
    /// Share of each batch, in `(0, 1)`; drawn with replacement.
    pub share: f64,
}

impl Extra {
    /// The paper's share.
    pub const SHARE: f64 = 0.7;
}

impl Default for Extra {
    /// The paper's.
    fn default() -> Self {
        let examples = Examples { split: Split::Train, start: 0, end: 500_000 };
        Self { name: "tinyimages500k".into(), examples, share: Self::SHARE }
    }
}

impl Default for TrainData {
    fn default() -> Self {
        let all = |split, start, end| Examples { split, start, end };
        Self {
            name: "cifar10".into(),
            train: all(Split::Train, 0, 50_000),
            test: all(Split::Test, 0, 1000),
            held_out: all(Split::Test, 9999, 9499),
            augmentation: Augmentation::PadResizeFlip,
            extra: None,
        }
    }
}

impl TrainData {
    /// The images that come with Basin: 2000 to train, 500 to test, 500 held out.
    pub fn bundled() -> Self {
        let some = |split, start, end| Examples { split, start, end };
        Self {
            name: "bundled".into(),
            train: some(Split::Train, 0, 2000),
            test: some(Split::Test, 0, 500),
            held_out: some(Split::Test, 999, 499),
            ..Self::default()
        }
    }
}

/// What one batch's loss is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Method {
    /// Clean images only.
    Normal,
    /// Adversarial training (Madry et al. 2018).
    Adversarial {
        /// Share of each batch that is attacked, in `(0, 1]`.
        #[serde(default = "whole")]
        fraction: f64,
        /// Train on the clean image of what is misclassified without an attack.
        #[serde(default)]
        ignore_incorrect: bool,
        /// Attack the network's own prediction instead of the label.
        #[serde(default)]
        prevent_label_leaking: bool,
    },
    /// TRADES (Zhang et al. 2019); the attack's objective should be the divergence.
    Trades {
        /// Weight of the divergence, the paper's lambda; usually 6.
        #[serde(default = "usual_weight")]
        weight: f64,
    },
    /// MART (Wang et al. 2020).
    Mart {
        /// Weight of the divergence, the paper's lambda; usually 6.
        #[serde(default = "usual_weight")]
        weight: f64,
    },
    /// Training with the prediction of rotations as a second task on an auxiliary head (Hendrycks et al. 2019); half of
    /// each batch is rotated.
    Rotation {
        /// Weight of the second task's loss; usually 1.
        #[serde(default = "whole")]
        weight: f64,
        /// Share of each batch that is attacked, in `[0, 1]`; 0.5 in the paper, 0 trains on clean images.
        #[serde(default = "half")]
        fraction: f64,
    },
}

fn whole() -> f64 {
    1.0
}

fn half() -> f64 {
    0.5
}

fn usual_weight() -> f64 {
    6.0
}

impl Default for Train {
    /// The paper's adversarial training: ResNet-18 on CIFAR-10, PGD-7, 150 epochs.
    fn default() -> Self {
        Self {
            name: "adversarial".into(),
            data: TrainData::default(),
            architecture: Architecture::default(),
            initial: None,
            initialization: Initialization::default(),
            method: Method::Adversarial {
                fraction: 1.0,
                ignore_incorrect: false,
                prevent_label_leaking: false,
            },
            attack: Pgd { epsilon: EvaluationSettings::PAPER_EPSILON, steps: 7, ..Pgd::default() },
            evaluation: EvaluationSettings::default(),
            labels: Labels::Exact,
            sharpness: Sharpness::None,
            optimizer: Optimizer::default(),
            schedule: Schedule::fifths(150),
            epochs: 150,
            batch_size: 128,
            steps_per_epoch: None,
            clipping: None,
            average: None,
            snapshot_every: 5,
            early_stopping: false,
            tensor_statistics: false,
            as_in_paper: false,
            device: "auto".into(),
            precision: Precision::Auto,
            step_precision: Precision::F32,
            seed: 0,
        }
    }
}

impl Train {
    /// Steps of an epoch.
    pub fn steps_in_epoch(&self) -> u64 {
        let needed = self.data.train.len().div_ceil(self.batch_size.max(1));
        self.steps_per_epoch.unwrap_or(needed).max(1) as u64
    }

    /// The attack of the tests after each epoch and at the end.
    pub fn test_attack(&self) -> Pgd {
        self.evaluation.attack(&self.attack)
    }

    /// The attack on the held-out images, by which early stopping chooses.
    pub fn held_out_attack(&self) -> Pgd {
        self.evaluation.held_out_attack(&self.attack)
    }

    /// The training images that are tested like the test images, the first of all, unaugmented; none: no image is.
    pub fn tested_training_images(&self) -> Option<Examples> {
        let count = self.evaluation.train_images;
        (count > 0).then(|| self.data.train.first_of(count))
    }

    /// Checks every setting before any work is done.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the setting, its value and what is allowed.
    pub fn check(&self) -> Result<()> {
        let whole = |what: &str, value: usize| {
            if value > 0 {
                return Ok(());
            }
            let error = Error::invalid(format!("{what} 0 is not possible; use 1 or more"));
            Err(error.about(&what.replace(' ', "_")))
        };
        whole("epochs", self.epochs)?;
        limits::at_most("epochs", self.epochs).map_err(|error| error.about("epochs"))?;
        whole("batch size", self.batch_size)?;
        whole("snapshot_every", self.snapshot_every)?;
        whole("steps_per_epoch", self.steps_per_epoch.unwrap_or(1))?;
        self.data.check_separate(self.early_stopping)?;
        self.attack.check().map_err(|error| error.about("attack"))?;
        self.evaluation.check(&self.attack).map_err(|error| error.about("evaluation"))?;
        self.labels.check().map_err(|error| error.about("labels"))?;
        self.initialization.check().map_err(|error| error.about("initialization"))?;
        if self.initial.is_some() && self.initialization != Initialization::default() {
            return Err(Error::invalid(
                "initialization is for fresh weights, but the training begins with a checkpoint (initial); leave one out",
            )
            .about("initialization"));
        }
        self.sharpness.check().map_err(|error| error.about("sharpness"))?;
        self.optimizer.check().map_err(|error| error.about("optimizer"))?;
        self.schedule.check().map_err(|error| error.about("schedule"))?;
        self.method.check(self.batch_size).map_err(|error| error.about("method"))?;
        if matches!(self.method, Method::Mart { .. }) && self.labels != Labels::Exact {
            return Err(Error::invalid(
                "MART weighs every image by the probability of its label, so labels cannot be smoothed or noisy; use exact ones",
            )
            .about("labels"));
        }
        let outside = |what: &str, value: f64, allowed: &str| {
            Err(Error::invalid(format!("{what} {value} is not possible; use {allowed}")))
        };
        if let Some(clipping) = self.clipping
            && !(clipping > 0.0 && clipping.is_finite())
        {
            return outside("clipping", clipping, "a positive number, such as 0.005")
                .map_err(|error| error.about("clipping"));
        }
        let average = self.average.as_ref().map_or(Ok(()), Average::check);
        average.map_err(|error| error.about("average.tau"))?;
        if let Some(extra) = &self.data.extra
            && !(extra.share > 0.0 && extra.share < 1.0)
        {
            return outside(
                "the share of extra images",
                extra.share,
                "a number between 0 and 1, such as 0.7",
            )
            .map_err(|error| error.about("data.extra.share"));
        }
        if matches!(self.step_precision, Precision::Auto | Precision::Tf32) {
            return Err(Error::invalid(format!(
                "step precision {} is not possible; use f32, bf16 or f64",
                self.step_precision
            ))
            .about("step_precision"));
        }
        Ok(())
    }
}

impl Method {
    fn check(&self, batch_size: usize) -> Result<()> {
        let weight_of = |weight: f64| {
            if weight >= 0.0 && weight.is_finite() {
                return Ok(());
            }
            Err(Error::invalid(format!(
                "the method's weight {weight} is not possible; use a number of at least 0"
            )))
        };
        match self {
            Self::Normal => Ok(()),
            Self::Trades { weight } | Self::Mart { weight } => weight_of(*weight),
            Self::Adversarial { fraction, .. } if !(*fraction > 0.0 && *fraction <= 1.0) => {
                Err(Error::invalid(format!(
                    "fraction {fraction} is not possible; use a number above 0 and up to 1"
                )))
            }
            Self::Adversarial { .. } => Ok(()),
            Self::Rotation { fraction, .. } if !(0.0..=1.0).contains(fraction) => {
                Err(Error::invalid(format!("fraction {fraction} is not possible; use a number from 0 to 1")))
            }
            Self::Rotation { weight, .. } => {
                if batch_size < 4 {
                    return Err(Error::invalid(format!(
                        "batch size {batch_size} is too small to train with rotations; use 4 or more"
                    )));
                }
                weight_of(*weight)
            }
        }
    }

    /// Whether training images are attacked.
    pub fn attacks(&self) -> bool {
        match self {
            Self::Normal => false,
            Self::Rotation { fraction, .. } => *fraction > 0.0,
            Self::Adversarial { .. } | Self::Trades { .. } | Self::Mart { .. } => true,
        }
    }

    /// Name for people.
    pub fn title(&self) -> &'static str {
        match self {
            Self::Normal => "normal training",
            Self::Adversarial { .. } => "adversarial training",
            Self::Trades { .. } => "TRADES",
            Self::Mart { .. } => "MART",
            Self::Rotation { .. } if !self.attacks() => "training with rotations",
            Self::Rotation { .. } => "adversarial training with rotations",
        }
    }
}
