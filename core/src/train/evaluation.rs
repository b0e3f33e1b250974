//! How a training evaluates its networks: by an attack of their cross-entropy that knows nothing of the training's own
//! objective, steps or tricks, so that networks of all methods are compared under the same one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attack::{InputNorm, Pgd, Selection};
use crate::error::{Error, Result};
use crate::limits;

/// The tests after each epoch, at the end of a training, and on held-out images for early stopping.
///
/// What is none follows the training: its attack's norm and epsilon are the threat model, unless they were enlarged for
/// the method and the threat model is given here. The job in the folder of a training has all of them. The objective is
/// always the cross-entropy, and the worst restart the one of the highest loss.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EvaluationSettings {
    /// Norm of the threat model; none: that of the training's attack.
    #[schemars(extend("x-advanced" = true, "x-label" = "Test norm", "x-hint" = "as in training"))]
    pub norm: Option<InputNorm>,
    /// Radius of the threat model, in pixel values from 0 to 1; none: that of the training's attack.
    #[schemars(extend("x-label" = "Test epsilon", "x-unit" = "pixel value", "x-hint" = "as in training"))]
    pub epsilon: Option<f64>,
    /// Steps of PGD.
    #[schemars(extend("x-label" = "Test steps"))]
    pub steps: usize,
    /// Their size; none: usual for the threat model, in L-inf 0.007, or more where the steps could not cross the ball.
    #[schemars(extend("x-advanced" = true, "x-label" = "Test step size", "x-unit" = "pixel value", "x-hint" = "usual"))]
    pub step_size: Option<f64>,
    /// Independent starts.
    #[schemars(extend("x-advanced" = true, "x-label" = "Test restarts"))]
    pub restarts: usize,
    /// Training images that are tested like the test images, the first so many, for the robust generalization gap; 0: none.
    #[schemars(extend("x-label" = "Training subset", "x-wanted" = "a whole number of at least 0"))]
    pub train_images: usize,
    /// Restarts on the held-out images, the worst by the confidence in a wrong class, for early stopping.
    #[schemars(extend("x-advanced" = true, "x-label" = "Held-out restarts"))]
    pub held_out_restarts: usize,
}

impl Default for EvaluationSettings {
    /// PGD-7 with step size 0.007, with 5 restarts on held-out images, as in the paper; 500 training images.
    fn default() -> Self {
        Self {
            norm: None,
            epsilon: None,
            steps: 7,
            step_size: None,
            restarts: 1,
            train_images: 500,
            held_out_restarts: 5,
        }
    }
}

impl EvaluationSettings {
    /// Epsilon of the paper's threat model, under which every network of its names is evaluated.
    pub const PAPER_EPSILON: f64 = 0.0314;
    /// So many times the radius is the least that all steps together go.
    const REACH: f64 = 1.5;

    /// The attack of the tests, for a training with this attack.
    pub fn attack(&self, training: &Pgd) -> Pgd {
        let norm = self.norm.unwrap_or(training.norm);
        let usual = if norm == training.norm { training.epsilon } else { norm.usual_epsilon() };
        let epsilon = self.epsilon.unwrap_or(usual);
        let usual = Pgd::usual_step_size(norm, epsilon, self.steps);
        let usual = match norm {
            InputNorm::Linf => usual.max(Self::REACH * epsilon / self.steps.max(1) as f64),
            _ => usual,
        };
        Pgd {
            norm,
            epsilon,
            steps: self.steps,
            step_size: self.step_size.unwrap_or(usual),
            restarts: self.restarts,
            ..Pgd::default()
        }
    }

    /// The attack on held-out images, by whose robust error early stopping chooses.
    pub fn held_out_attack(&self, training: &Pgd) -> Pgd {
        let selection = Selection::WrongClassConfidence;
        Pgd { restarts: self.held_out_restarts, selection, ..self.attack(training) }
    }

    /// The settings with nothing left to follow from the training's attack.
    pub fn resolved(&self, training: &Pgd) -> Self {
        let Pgd { norm, epsilon, step_size, .. } = self.attack(training);
        Self { norm: Some(norm), epsilon: Some(epsilon), step_size: Some(step_size), ..self.clone() }
    }

    /// Whether a job in the folder of a training was written before evaluations had settings of their own: its networks
    /// were tested by the training's own attack.
    pub fn is_missing(&self) -> bool {
        self.norm.is_none() && self.epsilon.is_none() && self.step_size.is_none()
    }

    /// Checks the settings, for a training with this attack.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the setting and what is allowed.
    pub fn check(&self, training: &Pgd) -> Result<()> {
        self.attack(training).check().map_err(|error| match error {
            Error::Invalid { setting, reason } => {
                Error::Invalid { setting, reason: format!("evaluation: {reason}") }
            }
            other => other,
        })?;
        limits::count("evaluation.held_out_restarts", self.held_out_restarts)
    }
}
