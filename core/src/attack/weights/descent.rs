//! The gradient descent attack on weights: the worst case of a ball, found by one update per batch.
//!
//! `J` is minus the mean cross-entropy of a batch. An update is `m = momentum m + (1 - momentum) g`, `nu = nu - s m`,
//! projected, with `g` the normalized gradient of `J` and `s` the step size.

use tch::{Kind, Tensor};

use super::{Bookkeeping, Descent, Normalizer, Problem, Projector};
use crate::error::{Error, Result};
use crate::progress::CancelCheck;

/// Smallest step size that refused steps lead to.
const SMALLEST_STEP: f64 = 1e-12;

/// The state before every update, and the objective of candidates, for checks and curves. One number per entry.
#[derive(Debug, Default)]
pub struct Trace {
    /// `J` of the batch.
    pub error: Vec<Tensor>,
    /// Norm of the perturbation that `J` was taken at.
    pub norm: Vec<Tensor>,
    /// Share of wrong examples in the batch.
    pub success: Vec<Tensor>,
    /// Step size before the update.
    pub step_size: Vec<Tensor>,
    /// `J` of the batch after the step, where that decides about it.
    pub candidate: Vec<Tensor>,
}

/// Searches from `start` (a flat perturbation; none: the unperturbed weights) and returns the worst perturbation found.
///
/// # Errors
/// A loss or gradient is NaN or infinite; or `cancel_check`, asked before every update, wants to stop.
pub fn run(
    settings: &Descent,
    problem: &Problem,
    projector: &Projector,
    start: Option<&Tensor>,
    mut trace: Option<&mut Trace>,
    cancel_check: CancelCheck,
) -> Result<Tensor> {
    let _guard = tch::no_grad_guard();
    let reference = problem.reference.flat();
    let normalizer = Normalizer::new(settings.gradient, problem.reference.layout(), problem.which, reference);
    let mut nu = start.map_or_else(|| reference.zeros_like(), Tensor::shallow_clone);
    let mut best = Best::new(settings.bookkeeping, &nu);
    // Where losses and gradients are taken; the paper's program looks at the unperturbed weights first.
    let mut at = match settings.bookkeeping {
        Bookkeeping::Paper => reference.zeros_like(),
        Bookkeeping::Exact => {
            nu = projector.project(&nu);
            best.nu = nu.shallow_clone();
            nu.shallow_clone()
        }
    };
    let mut momentum = reference.zeros_like();
    let mut step_size = Tensor::from(settings.step_size).to_device(reference.device());
    let bound = settings.loss_bound.map_or(f64::NEG_INFINITY, |bound| -bound);
    for epoch in 0..settings.epochs {
        best.begin_epoch(problem, &at, cancel_check)?;
        for (number, batch) in problem.batches.iter().enumerate() {
            cancel_check()?;
            let slope = problem.slope(&at, *batch, None);
            let error = -&slope.loss;
            best.batch(&error, &at, number + 1 == problem.batches.len());
            if let Some(trace) = trace.as_deref_mut() {
                trace.error.push(error.copy());
                trace.norm.push(at.norm());
                trace.success.push(slope.error);
                trace.step_size.push(step_size.copy());
            }
            momentum = if settings.momentum > 0.0 {
                momentum * settings.momentum
                    - normalizer.normalize(&slope.weights) * (1.0 - settings.momentum)
            } else {
                -normalizer.normalize(&slope.weights)
            };
            let stepped = &nu - &momentum * &step_size;
            let accepted = if settings.backtrack || settings.early_stopping {
                let ahead = -problem.loss(&projector.project(&stepped), *batch);
                let accepted = ahead.ge(bound);
                if let Some(trace) = trace.as_deref_mut() {
                    trace.candidate.push(ahead.copy());
                }
                if settings.backtrack { accepted.logical_and(&ahead.lt_tensor(&error)) } else { accepted }
            } else {
                error.ge(bound)
            };
            // A loss that is NaN is told below, not refused as a step.
            let accepted = accepted.logical_or(&error.isnan());
            let shorter = (&step_size / settings.step_divisor).clamp_min(SMALLEST_STEP);
            step_size = step_size.where_self(&accepted, &shorter);
            nu = projector.project(&stepped.where_self(&accepted, &nu));
            at = nu.shallow_clone();
        }
        best.end_epoch(problem.batches.len());
        best.check(epoch)?;
        finite(&nu, epoch)?;
    }
    best.finish(problem, &at, settings.epochs)?;
    Ok(best.nu)
}

/// The loss that an epoch stands for, and the worst weights so far. Values stay on the device.
struct Best {
    bookkeeping: Bookkeeping,
    /// Lowest `J` so far.
    error: Tensor,
    nu: Tensor,
    /// Sum of `J` over the batches of this epoch.
    epoch: Tensor,
    /// Weights at the last batch of this epoch, before its update.
    last: Tensor,
    single: bool,
}

impl Best {
    fn new(bookkeeping: Bookkeeping, nu: &Tensor) -> Self {
        let options = (Kind::Double, nu.device());
        Self {
            bookkeeping,
            error: Tensor::full([], f64::INFINITY, options),
            nu: nu.shallow_clone(),
            epoch: Tensor::zeros([], options),
            last: nu.shallow_clone(),
            single: false,
        }
    }

    fn begin_epoch(&mut self, problem: &Problem, at: &Tensor, cancel_check: CancelCheck) -> Result<()> {
        self.epoch = self.epoch.zeros_like();
        // A single batch is all examples: the loss that its gradient needs anyway is the one.
        self.single = problem.batches.len() == 1;
        if self.bookkeeping == Bookkeeping::Exact && !self.single {
            cancel_check()?;
            self.offer(&-problem.total_loss(at, false), at);
        }
        Ok(())
    }

    fn batch(&mut self, error: &Tensor, at: &Tensor, is_last: bool) {
        self.epoch = &self.epoch + error.to_kind(Kind::Double);
        if is_last {
            self.last = at.shallow_clone();
        }
        if self.bookkeeping == Bookkeeping::Exact && self.single {
            self.offer(&error.to_kind(Kind::Double), at);
        }
    }

    fn end_epoch(&mut self, batches: usize) {
        if self.bookkeeping == Bookkeeping::Paper {
            let last = self.last.shallow_clone();
            self.offer(&(&self.epoch / batches as f64), &last);
        }
    }

    fn finish(&mut self, problem: &Problem, at: &Tensor, epochs: usize) -> Result<()> {
        if self.bookkeeping == Bookkeeping::Exact {
            let error = -problem.total_loss(at, false);
            self.epoch = error.shallow_clone();
            self.offer(&error, at);
            self.check(epochs.saturating_sub(1))?;
        }
        Ok(())
    }

    fn offer(&mut self, error: &Tensor, at: &Tensor) {
        let better = error.lt_tensor(&self.error);
        self.error = error.where_self(&better, &self.error);
        self.nu = at.where_self(&better, &self.nu);
    }

    fn check(&self, epoch: usize) -> Result<()> {
        let loss = -self.epoch.double_value(&[]);
        if loss.is_finite() {
            return Ok(());
        }
        Err(Error::NotFinite(format!(
            "the loss became {loss} in epoch {} of the weight attack; use a smaller radius or step size",
            epoch + 1
        )))
    }
}

/// One copy to the host per epoch.
fn finite(nu: &Tensor, epoch: usize) -> Result<()> {
    if nu.isfinite().all().int64_value(&[]) == 1 {
        return Ok(());
    }
    Err(Error::NotFinite(format!(
        "a gradient became NaN or infinite in epoch {} of the weight attack; use a smaller radius or step size",
        epoch + 1
    )))
}
