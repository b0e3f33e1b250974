//! Attacks on weights: settings here, what is attacked in [`Tensors`], geometry in [`Ball`] and [`Projection`], the
//! searches in [`random`], [`descent`] and (weights and inputs together) [`joint`].
//!
//! All of it works on the flat buffer of [`crate::model::Weights`]: a perturbation is one vector, zero outside of the
//! attacked tensors, and nothing is copied to the host inside a step.

mod ball;
mod bounds;
pub mod descent;
pub mod joint;
mod normalization;
mod objective;
mod pieces;
mod projection;
pub mod random;
mod tensors;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use ball::{Ball, Sampling};
pub use bounds::WeightBox;
pub use normalization::{Normalizer, WeightGradient};
pub use objective::{BatchLoss, Examples, Problem};
pub(crate) use pieces::quotient;
pub use pieces::{Scope, WeightBlocks, WeightNorm};
pub use projection::{Projection, Projector};
pub use tensors::Tensors;

use crate::error::{Error, Result};
use crate::limits;

/// How a gradient descent attack chooses the weights that it returns, and where it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Bookkeeping {
    /// Begin at the start. Evaluate all examples at the start and after every epoch; return the worst of these weights.
    #[default]
    Exact,
    /// As the paper's program: the first gradient is taken at the unperturbed weights though the start is perturbed; an
    /// epoch counts by the mean of its batches, each at other weights; returned are the weights before the last update
    /// of the best epoch, so that the last update is never looked at.
    Paper,
}

/// Gradient descent on the negative loss in weight space: the worst case of a ball.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Descent {
    /// Passes of the search over the examples; one update per batch.
    #[schemars(extend("x-flag" = "epochs"))]
    pub epochs: usize,
    /// Step size on the weights; fractions are accepted. With the default gradient rule a step moves every tensor by
    /// this share of its norm.
    #[schemars(extend("x-label" = "Weight step size", "x-flag" = "weight-step-size"))]
    pub step_size: f64,
    /// What a step does with the gradient.
    #[schemars(extend("x-label" = "Weight gradient", "x-flag" = "weight-gradient", "x-advanced" = true))]
    pub gradient: WeightGradient,
    /// Where the search starts: at the unperturbed weights (none), or at random: uniform-norm (Gaussian direction, norm
    /// uniform up to the radius: the paper's), sphere or ball.
    #[schemars(extend("x-label" = "Weight start", "x-flag" = "weight-start", "x-hint" = "none", "x-advanced" = true))]
    pub start: Option<Sampling>,
    /// Examples per update (with worst-of, per mean of losses). Part of what is computed, unlike the batch size of the
    /// computing.
    #[schemars(range(min = 1), extend("x-label" = "Search batch size", "x-flag" = "search-batch", "x-advanced" = true))]
    pub search_batch: usize,
    /// Weight of past gradients, from 0 up to 1, in `m = momentum * m + (1 - momentum) * g` (clean loss).
    #[schemars(extend("x-label" = "Weight momentum", "x-flag" = "weight-momentum", "x-advanced" = true))]
    pub momentum: f64,
    /// Accept a step only if it raises the loss of its batch; else divide the step size (clean loss).
    #[schemars(extend("x-label" = "Weight backtracking", "x-flag" = "weight-backtrack", "x-advanced" = true))]
    pub backtrack: bool,
    /// No more steps where the loss of a batch is beyond this (clean loss); none: no bound.
    #[schemars(extend("x-flag" = "loss-bound", "x-hint" = "none", "x-advanced" = true))]
    pub loss_bound: Option<f64>,
    /// Refuse steps that would take the loss of a batch beyond the loss bound, and divide the step size (clean loss,
    /// not with backtracking). Without it a step is refused only where the loss is beyond the bound already.
    #[schemars(extend("x-label" = "Stop before the bound", "x-flag" = "weight-early-stopping", "x-advanced" = true))]
    pub early_stopping: bool,
    /// Divisor of the step size after a refused step (of backtracking or a loss bound).
    #[schemars(range(min = 1), extend("x-label" = "Weight step divisor", "x-flag" = "weight-step-divisor", "x-advanced" = true))]
    pub step_divisor: f64,
    /// Which weights are returned: exact, or paper for the original program's choice (clean loss).
    #[schemars(extend("x-flag" = "bookkeeping", "x-advanced" = true))]
    pub bookkeeping: Bookkeeping,
}

impl Default for Descent {
    /// The paper's: 20 epochs in batches of 128, step size 0.01, gradients relative to every tensor, random start.
    fn default() -> Self {
        Self {
            epochs: 20,
            step_size: 0.01,
            gradient: WeightGradient::LayerRelativeL2,
            start: Some(Sampling::UniformNorm),
            search_batch: 128,
            momentum: 0.0,
            backtrack: false,
            early_stopping: false,
            loss_bound: None,
            step_divisor: 1.0,
            bookkeeping: Bookkeeping::Exact,
        }
    }
}

impl Descent {
    /// Checks that the joint attack on weights and inputs can do what is asked.
    ///
    /// # Errors
    /// [`Error::Invalid`]: it takes plain steps.
    pub fn check_joint(&self) -> Result<()> {
        let Self { momentum, backtrack, early_stopping, loss_bound, bookkeeping, .. } = self;
        let plain = *momentum == 0.0 && !backtrack && !early_stopping && loss_bound.is_none();
        if plain && *bookkeeping == Bookkeeping::Exact {
            return Ok(());
        }
        Err(Error::invalid(
            "the joint attack of the worst-case robust loss takes plain steps and returns the last; leave momentum, backtracking, early stopping, the loss bound and the bookkeeping at their defaults, or search sequentially",
        ))
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the setting and what is allowed.
    pub fn check(&self) -> Result<()> {
        let not = |what: &str, value: f64, allowed: &str| {
            let error = Error::invalid(format!("{what} {value} is not possible; use {allowed}"));
            Err(error.about(&what.trim_start_matches("weight ").replace(' ', "_")))
        };
        if !(self.step_size > 0.0 && self.step_size <= 1e6) {
            return not("weight step size", self.step_size, "a positive number, such as 0.01");
        }
        if !(0.0..1.0).contains(&self.momentum) {
            return not("weight momentum", self.momentum, "a number from 0 up to, but not including, 1");
        }
        if !(1.0..=1e6).contains(&self.step_divisor) {
            return not("weight step divisor", self.step_divisor, "a number of at least 1");
        }
        if let Some(bound) = self.loss_bound
            && !bound.is_finite()
        {
            return not("loss bound", bound, "a number, or none");
        }
        limits::at_most("epochs", self.epochs).map_err(|error| error.about("epochs"))?;
        if self.search_batch == 0 {
            let error = Error::invalid("search batch 0 is not possible; use 1 or more, such as 128");
            return Err(error.about("search_batch"));
        }
        if self.backtrack && self.early_stopping {
            let error = Error::invalid("backtracking and early stopping exclude each other; choose one");
            return Err(error.about("early_stopping"));
        }
        if self.early_stopping && self.loss_bound.is_none() {
            return Err(Error::invalid(
                "early stopping of the weight attack stops at a loss; give the loss bound",
            )
            .about("loss_bound"));
        }
        Ok(())
    }
}
