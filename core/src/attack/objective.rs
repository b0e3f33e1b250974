//! What an input attack maximizes: losses of logits, per example, with what they compare against.

use serde::Deserialize;
use tch::{Kind, Tensor};

use crate::error::{Error, Result};
use crate::loss::{
    class_logits, cross_entropy, cross_entropy_to, divergence, dlr, log_probabilities, smoothed_targets,
};
use crate::model::Evaluator;

/// What PGD maximizes.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Objective {
    /// Cross-entropy of the true class.
    #[default]
    CrossEntropy,
    /// Cross-entropy against smoothed labels: `1 - smoothing` on the true class, the rest spread evenly.
    SmoothedCrossEntropy(f64),
    /// Kullback-Leibler divergence from the clean prediction (TRADES), per example.
    Kl,
    /// The same summed over the batch, so that one number chooses the best iterate of all: as the paper's program.
    BatchKl,
    /// Difference of logits ratio (Croce and Hein, 2020): indifferent to the scale of the logits. At least 3 classes.
    Dlr,
    /// Minus the cross-entropy of another class: the attack wants exactly that class.
    Targeted(TargetClass),
}

/// Which class a targeted attack wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TargetClass {
    /// This one. Examples that belong to it are attacked untargeted.
    Class(i64),
    /// The wrong class of lowest logit on the clean image.
    LeastLikely,
    /// The wrong class with the n-th highest logit on the clean image, from 1.
    Rank(i64),
}

impl Objective {
    /// Checks the settings as such.
    ///
    /// # Errors
    /// [`Error::Invalid`] with what is allowed.
    pub fn check(&self) -> Result<()> {
        match *self {
            Self::SmoothedCrossEntropy(smoothing) if !(0.0..=1.0).contains(&smoothing) => {
                Err(Error::invalid(format!(
                    "label smoothing {smoothing} is not possible; use a number from 0 to 1"
                )))
            }
            Self::Targeted(TargetClass::Class(class)) if class < 0 => {
                Err(Error::invalid(format!("target class {class} is not possible; classes count from 0")))
            }
            Self::Targeted(TargetClass::Rank(rank)) if rank < 1 => Err(Error::invalid(format!(
                "target rank {rank} is not possible; 1 is the most likely wrong class"
            ))),
            _ => Ok(()),
        }
    }

    /// Checks that it exists for this many classes.
    ///
    /// # Errors
    /// [`Error::Invalid`] with what to use instead.
    pub fn check_classes(&self, classes: usize) -> Result<()> {
        match *self {
            Self::Dlr if classes < 3 => Err(Error::invalid(format!(
                "the dlr objective needs at least 3 classes, this network has {classes}; use ce"
            ))),
            Self::Targeted(TargetClass::Class(class)) if class >= classes as i64 => {
                Err(Error::invalid(format!(
                    "there is no target class {class}: this network has {classes} classes, 0 to {}",
                    classes - 1
                )))
            }
            Self::Targeted(TargetClass::Rank(rank)) if rank >= classes as i64 => {
                Err(Error::invalid(format!(
                    "there is no target rank {rank}: this network has {} wrong classes per image",
                    classes - 1
                )))
            }
            _ => Ok(()),
        }
    }
}

/// An objective for one batch: with the labels and what it takes from the clean images.
#[derive(Debug)]
pub struct Goal<'a> {
    objective: Objective,
    labels: &'a Tensor,
    /// Logarithms of the clean probabilities (KL), or classes (targeted).
    other: Option<Tensor>,
}

impl<'a> Goal<'a> {
    /// Looks at the clean images where the objective needs it.
    ///
    /// # Errors
    /// The network has too few classes.
    pub fn new(objective: Objective, model: &Evaluator, images: &Tensor, labels: &'a Tensor) -> Result<Self> {
        let _guard = tch::no_grad_guard();
        let other = match objective {
            Objective::CrossEntropy | Objective::SmoothedCrossEntropy(_) => None,
            Objective::Kl | Objective::BatchKl => Some(log_probabilities(&model.logits(images))),
            Objective::Dlr | Objective::Targeted(_) => {
                let logits = class_logits(&model.logits(images));
                objective.check_classes(logits.size()[1] as usize)?;
                match objective {
                    Objective::Targeted(target) => Some(targets(target, &logits, labels)),
                    _ => None,
                }
            }
        };
        Ok(Self { objective, labels, other })
    }

    /// The minimized error per example: minus the objective.
    pub fn error(&self, logits: &Tensor) -> Tensor {
        match self.objective {
            Objective::CrossEntropy => -cross_entropy(logits, self.labels),
            Objective::SmoothedCrossEntropy(smoothing) => {
                let logits = class_logits(logits);
                let targets = smoothed_targets(self.labels, logits.size()[1], smoothing, logits.kind());
                -cross_entropy_to(&logits, &targets)
            }
            Objective::Kl => -divergence(self.other(), logits),
            Objective::BatchKl => {
                let all = -divergence(self.other(), logits).sum(logits.kind());
                all.expand([logits.size()[0]], false)
            }
            Objective::Dlr => -dlr(logits, self.labels),
            Objective::Targeted(_) => {
                let own = self.labels.eq_tensor(self.other());
                let towards = cross_entropy(logits, self.other());
                // Where the target is the truth, no wrong class is wanted more than another.
                (-&towards).where_self(&own, &towards)
            }
        }
    }

    fn other(&self) -> &Tensor {
        self.other.as_ref().expect("set for these objectives")
    }
}

/// The class to reach, per example.
fn targets(target: TargetClass, logits: &Tensor, labels: &Tensor) -> Tensor {
    let wrong = |value: f64| logits.scatter_value(1, &labels.unsqueeze(1), value);
    match target {
        TargetClass::Class(class) => labels.full_like(class),
        TargetClass::LeastLikely => wrong(f64::INFINITY).argmin(1, false),
        TargetClass::Rank(rank) => {
            let (_, order) = wrong(f64::NEG_INFINITY).sort_stable(true, 1, true);
            order.select(1, rank - 1).to_kind(Kind::Int64)
        }
    }
}
