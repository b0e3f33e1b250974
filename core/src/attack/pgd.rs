//! Projected gradient descent on the negative loss, as in the paper's program.
//!
//! `steps + 1` points are evaluated: the projected start, and after each update. Per example the point of
//! lowest error (highest loss) seen is returned, not the last one. Only the gradient with respect to the
//! perturbation is computed, nothing is copied to the host inside the loop, and the last point, whose
//! gradient nobody needs, is evaluated without one.

use tch::{Kind, Tensor};

use super::ball::{Ball, per_example};
use super::objective::Goal;
use super::{GradientRule, Pgd};
use crate::error::{Error, Result};
use crate::loss::{log_probabilities, predictions};
use crate::model::Evaluator;
use crate::progress::CancelCheck;

/// Error before any point was recorded.
const UNSEEN: f64 = 1e12;
/// Smallest step size backtracking goes to.
const SMALLEST_STEP: f64 = 1e-20;

/// What an attack returns for a batch.
#[derive(Debug)]
pub struct Found {
    /// The perturbation of lowest error per example; zero where none was recorded.
    pub perturbation: Tensor,
    /// Its error (the minimized objective, so minus the loss), float32 `N`.
    pub error: Tensor,
    /// The perturbation that the attack would return if it ended after the steps asked for.
    pub early: Option<Tensor>,
}

/// The state before each update and after the last, for checks and curves. Each entry has one value per example.
#[derive(Debug, Default)]
pub struct Trace {
    /// Minimized objective.
    pub error: Vec<Tensor>,
    /// Norm of the perturbation.
    pub norm: Vec<Tensor>,
    /// Step size.
    pub step_size: Vec<Tensor>,
    /// 1 where misclassified.
    pub success: Vec<Tensor>,
    /// Probability of the true class.
    pub true_confidence: Vec<Tensor>,
}

/// Attacks a batch from `start` (not necessarily projected).
///
/// `images` are `N x C x H x W` float32 in `[0, 1]`, `labels` int64 `N`.
///
/// # Errors
/// The loss or its gradient is NaN; or `cancel_check`, asked before every step, wants to stop.
pub fn run(
    settings: &Pgd,
    model: &Evaluator,
    images: &Tensor,
    labels: &Tensor,
    start: &Tensor,
    trace: Option<&mut Trace>,
    cancel_check: CancelCheck,
) -> Result<Found> {
    run_with_early(settings, model, images, labels, start, None, trace, cancel_check)
}

/// The same, which notes as well what it would return if it ended after `early` steps.
///
/// # Errors
/// As [`run`].
#[expect(clippy::too_many_arguments, reason = "one attack, and what is to be noted on its way")]
pub fn run_with_early(
    settings: &Pgd,
    model: &Evaluator,
    images: &Tensor,
    labels: &Tensor,
    start: &Tensor,
    early: Option<usize>,
    mut trace: Option<&mut Trace>,
    cancel_check: CancelCheck,
) -> Result<Found> {
    let _guard = tch::no_grad_guard();
    let ball = Ball { norm: settings.norm, epsilon: settings.epsilon };
    let objective = Goal::new(settings.objective, model, images, labels)?;
    let count = images.size()[0];
    let options = (Kind::Float, images.device());
    let mut delta = start.shallow_clone();
    let mut momentum = start.zeros_like();
    let mut step_size = Tensor::full([count], settings.step_size, options);
    let mut best = Tensor::full([count], UNSEEN, options);
    let mut best_delta = start.zeros_like();
    let mut remaining =
        settings.tau.map(|tau| Tensor::full([count], i64::from(tau), (Kind::Int64, images.device())));
    let mut at_early = None;
    let mut not_a_number = Tensor::zeros([1], (Kind::Bool, images.device()));
    for iteration in 0..=settings.steps {
        cancel_check()?;
        let is_last = iteration == settings.steps;
        delta = ball.project_as(settings.projection, images, &delta);
        let point = delta.detach().set_requires_grad(!is_last);
        let evaluate = || {
            let logits = model.logits(&(images + &point));
            let error = objective.error(&logits);
            let sum = error.sum(error.kind());
            (logits.detach(), error.detach(), sum)
        };
        let (logits, values, sum) = if is_last { evaluate() } else { tch::with_grad(evaluate) };
        let size = ball.size(&delta);
        let error = (values + &size * settings.norm_penalty).to_kind(Kind::Float);
        not_a_number = not_a_number.logical_or(&error.isnan().any().view([1]));
        let wrong = predictions(&logits).ne_tensor(labels);
        let mut better = error.lt_tensor(&best);
        if let Some(remaining) = &mut remaining {
            better = better.logical_and(&wrong).logical_and(&remaining.ge(0));
            *remaining = &*remaining - better.to_kind(Kind::Int64);
        }
        best = error.where_self(&better, &best);
        best_delta = delta.where_self(&per_example(&better, &delta), &best_delta);
        if early == Some(iteration) {
            at_early = Some(best_delta.shallow_clone());
        }
        if let Some(trace) = trace.as_deref_mut() {
            trace.error.push(error.copy());
            trace.norm.push(size.copy());
            trace.step_size.push(step_size.copy());
            trace.success.push(wrong.copy());
            let truth = log_probabilities(&logits).gather(1, &labels.unsqueeze(1), false).exp();
            trace.true_confidence.push(truth.squeeze_dim(1));
        }
        let frozen = remaining
            .as_ref()
            .is_some_and(|remaining| remaining.lt(0).logical_and(&wrong).all().int64_value(&[]) == 1);
        if is_last || frozen {
            break;
        }
        let gradient = Tensor::run_backward(&[sum], &[&point], false, false);
        let mut gradient = gradient.into_iter().next().expect("one gradient for one input");
        if settings.norm_penalty > 0.0 {
            gradient += ball.size_gradient(&delta) * settings.norm_penalty;
        }
        not_a_number = not_a_number.logical_or(&gradient.isnan().any().view([1]));
        let gradient = match settings.gradient {
            GradientRule::Normalized => {
                ball.normalize(&ball.movable(settings.projection, &(images + &delta), &gradient))
            }
            GradientRule::Scaled => ball.scale(&gradient),
            GradientRule::Raw => gradient,
        };
        momentum = if settings.momentum > 0.0 {
            momentum * settings.momentum + gradient * (1.0 - settings.momentum)
        } else {
            gradient
        };
        let candidate = &delta - per_example(&step_size, &delta) * &momentum;
        if settings.backtrack {
            let projected = ball.project_as(settings.projection, images, &candidate);
            let values = objective.error(&model.logits(&(images + &projected)));
            let ahead = (values + ball.size(&projected) * settings.norm_penalty).to_kind(Kind::Float);
            let accept = ahead.le_tensor(&error);
            delta = candidate.where_self(&per_example(&accept, &delta), &delta);
            let shorter = (&step_size / settings.step_divisor).clamp_min(SMALLEST_STEP);
            step_size = step_size.where_self(&accept, &shorter);
        } else {
            delta = candidate;
        }
    }
    if not_a_number.int64_value(&[0]) == 1 {
        return Err(Error::NotFinite(
            "the loss or its gradient became NaN during PGD; the network overflows on these inputs".into(),
        ));
    }
    let early = early.map(|_| at_early.unwrap_or_else(|| best_delta.shallow_clone()));
    Ok(Found { perturbation: best_delta, error: best, early })
}
