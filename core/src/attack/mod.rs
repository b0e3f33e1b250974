//! Attacks on inputs: settings here, the ascent in [`pgd`], geometry in [`ball`]. Attacks on weights in [`weights`].

pub mod ball;
pub mod names;
pub mod pgd;
pub mod weights;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Geometry of the allowed input perturbations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InputNorm {
    /// Every pixel value changes by at most epsilon.
    #[default]
    Linf,
    /// The Euclidean norm of the change is at most epsilon.
    L2,
}

/// What a PGD step does with the gradient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GradientRule {
    /// Steepest ascent in the norm: sign (L-inf) or unit length (L2).
    #[default]
    Normalized,
    /// Divided by the largest entry (L-inf) or the length (L2).
    Scaled,
    /// As it is.
    Raw,
}

/// Where PGD starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// At the image itself.
    Zero,
    /// Gaussian direction, norm uniform in (0, epsilon): the paper's choice.
    #[default]
    UniformNorm,
    /// Gaussian direction on the sphere of radius epsilon.
    UniformSphere,
    /// Every pixel uniform in (-epsilon, epsilon) (L-inf only; Madry et al.).
    Uniform,
}

/// What PGD maximizes.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
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
}

/// Which restart is the worst for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Selection {
    /// The one of highest loss.
    #[default]
    Loss,
    /// The one of highest probability of a wrong class: the published evaluation of the paper.
    WrongClassConfidence,
}

impl Selection {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Projected gradient descent (ascent on the loss): the attack and its settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pgd {
    /// Geometry of the ball.
    pub norm: InputNorm,
    /// Radius of the ball, in pixel values from 0 to 1.
    pub epsilon: f64,
    /// Number of updates; one more point than this is evaluated.
    pub steps: usize,
    /// Step size (learning rate).
    pub step_size: f64,
    /// Independent starts; the worst per example counts.
    pub restarts: usize,
    /// Which restart is the worst for an example.
    #[serde(skip_serializing_if = "Selection::is_default")]
    pub selection: Selection,
    /// Where it starts.
    pub start: Start,
    /// What it maximizes.
    pub objective: Objective,
    /// What a step does with the gradient.
    pub gradient: GradientRule,
    /// Weight of the past in `m = momentum * m + (1 - momentum) * g`.
    pub momentum: f64,
    /// Accept a step only where it does not lower the loss; else divide that example's step size.
    pub backtrack: bool,
    /// Divisor of the step size after a rejected step (backtracking only).
    pub step_divisor: f64,
    /// Weight of the norm of the perturbation in the minimized error.
    pub norm_penalty: f64,
    /// PGD-K-tau: stop recording an example after this many further iterates that are misclassified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tau: Option<u32>,
}

impl Default for Pgd {
    /// PGD-20 of the paper: L-inf, epsilon 8/255, sign steps of 0.007, one restart.
    fn default() -> Self {
        Self {
            norm: InputNorm::Linf,
            epsilon: 8.0 / 255.0,
            steps: 20,
            step_size: 0.007,
            restarts: 1,
            selection: Selection::Loss,
            start: Start::UniformNorm,
            objective: Objective::CrossEntropy,
            gradient: GradientRule::Normalized,
            momentum: 0.0,
            backtrack: false,
            step_divisor: 1.5,
            norm_penalty: 0.0,
            tau: None,
        }
    }
}

impl Pgd {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the setting and what is allowed.
    pub fn check(&self) -> Result<()> {
        let not = |what: &str, value: f64, allowed: &str| {
            Err(Error::invalid(format!("{what} {value} is not possible; use {allowed}")))
        };
        // Pixels are from 0 to 1; what is far beyond is a slip, and further still no float32 number.
        if !(0.0..=1e6).contains(&self.epsilon) {
            return not("epsilon", self.epsilon, "a number of at least 0, such as 8/255");
        }
        if !(self.step_size > 0.0 && self.step_size <= 1e6) {
            return not("step size", self.step_size, "a positive number, such as 0.007");
        }
        if !(0.0..1.0).contains(&self.momentum) {
            return not("momentum", self.momentum, "a number from 0 up to, but not including, 1");
        }
        if !(1.0..=1e6).contains(&self.step_divisor) {
            return not("step divisor", self.step_divisor, "a number of at least 1, such as 1.5");
        }
        if !(0.0..=1e6).contains(&self.norm_penalty) {
            return not("norm penalty", self.norm_penalty, "a number of at least 0");
        }
        if let Objective::SmoothedCrossEntropy(smoothing) = self.objective
            && !(0.0..=1.0).contains(&smoothing)
        {
            return not("label smoothing", smoothing, "a number from 0 to 1");
        }
        if self.restarts == 0 {
            return Err(Error::invalid("0 restarts are not possible; use 1 or more"));
        }
        if self.norm == InputNorm::L2 && self.start == Start::Uniform {
            return Err(Error::invalid(
                "the start `uniform` is for L-inf; use uniform-norm or uniform-sphere with L2",
            ));
        }
        Ok(())
    }
}

/// A radius as people write it: `8/255` rather than `0.03137254901960784`; from 1 on, where it is no small part of
/// the range of pixels, as it is.
pub fn fraction(value: f64) -> String {
    let of_255 = value * 255.0;
    if of_255 >= 1.0 && value < 1.0 && (of_255 - of_255.round()).abs() < 1e-9 {
        format!("{}/255", of_255.round())
    } else {
        value.to_string()
    }
}
