//! The simultaneous attack on weights and inputs: the worst case of the robust loss.
//!
//! Each update moves the weights and the perturbations of one batch by the gradients at the same point. As in the
//! paper's program the last weights and perturbations are returned, not the worst seen, and perturbations are not
//! projected before the first update (the network's own clamp takes care of pixels). Losses belong to be measured
//! again afterwards: early batches were last attacked at weights that have moved since.

use tch::Tensor;

use super::{Descent, Normalizer, Problem, Projector};
use crate::attack::ball::Ball;
use crate::attack::{GradientRule, Pgd};
use crate::error::{Error, Result};
use crate::progress::CancelCheck;

/// The state before every update, for checks and curves.
#[derive(Debug, Default)]
pub struct Trace {
    /// Minus the cross-entropy per example of the batch.
    pub error: Vec<Tensor>,
    /// Norm of the perturbation of the weights.
    pub weight_norm: Vec<Tensor>,
    /// Norm of the perturbation per example of the batch.
    pub input_norm: Vec<Tensor>,
    /// Share of wrong examples in the batch.
    pub success: Vec<Tensor>,
}

/// Where a search begins.
#[derive(Debug, Clone, Copy)]
pub struct From<'a> {
    /// A flat perturbation of the weights; none: the unperturbed ones.
    pub weights: Option<&'a Tensor>,
    /// A perturbation of the images, per batch.
    pub inputs: &'a [Tensor],
}

/// The weights and inputs found.
#[derive(Debug)]
pub struct Found {
    /// Flat perturbation of the weights.
    pub weights: Tensor,
    /// Perturbation of the images, per batch.
    pub inputs: Vec<Tensor>,
}

/// Searches. Of `weights` the epochs, step size and normalization count; of `inputs` the ball, step size and gradient
/// rule.
///
/// # Errors
/// A gradient is NaN or infinite; or `cancel_check`, asked before every update, wants to stop.
pub fn run(
    weights: &Descent,
    inputs: &Pgd,
    problem: &Problem,
    projector: &Projector,
    from: From,
    mut trace: Option<&mut Trace>,
    cancel_check: CancelCheck,
) -> Result<Found> {
    let _guard = tch::no_grad_guard();
    let reference = problem.reference.flat();
    let normalizer = Normalizer::new(weights.gradient, problem.reference.layout(), problem.which, reference);
    let ball = Ball { norm: inputs.norm, epsilon: inputs.epsilon };
    let mut nu = from.weights.map_or_else(|| reference.zeros_like(), Tensor::shallow_clone);
    let mut deltas: Vec<Tensor> = from.inputs.iter().map(Tensor::shallow_clone).collect();
    for epoch in 0..weights.epochs {
        for ((images, labels), delta) in problem.batches.iter().zip(&mut deltas) {
            cancel_check()?;
            let slope = problem.slope(&nu, (images, labels), Some(delta));
            if let Some(trace) = trace.as_deref_mut() {
                trace.error.push(-&slope.losses);
                trace.weight_norm.push(nu.norm());
                trace.input_norm.push(ball.size(delta));
                trace.success.push(slope.error);
            }
            let gradient = slope.inputs.expect("asked for");
            let gradient = match inputs.gradient {
                GradientRule::Normalized => ball.normalize(&gradient),
                GradientRule::Scaled => ball.scale(&gradient),
                GradientRule::Raw => gradient,
            };
            let stepped = &nu + normalizer.normalize(&slope.weights) * weights.step_size;
            nu = projector.project(&stepped);
            *delta = ball.project(images, &(&*delta + gradient * inputs.step_size));
        }
        if nu.isfinite().all().int64_value(&[]) != 1 {
            return Err(Error::NotFinite(format!(
                "a gradient became NaN or infinite in epoch {} of the joint attack; use a smaller radius or step size",
                epoch + 1
            )));
        }
    }
    Ok(Found { weights: nu, inputs: deltas })
}
