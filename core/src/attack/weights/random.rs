//! The random weight attack: the average case, or the worst of several draws.

use tch::Tensor;

use super::{Ball, Problem, Projector, Sampling, WeightBlocks};
use crate::error::{Error, Result};
use crate::progress::CancelCheck;

/// The perturbation of one seed, projected. No example is looked at.
pub fn draw(problem: &Problem, ball: &Ball, sampling: Sampling, projector: &Projector, seed: u64) -> Tensor {
    let layout = problem.reference.layout();
    let pieces = WeightBlocks::new(layout, problem.which, ball.scope, problem.reference.flat().device());
    let drawn = ball.sample(&pieces, problem.reference, problem.which, sampling, seed);
    projector.project(&drawn)
}

/// The draw of highest loss among `seeds` (the first of equals). As in the paper's program, every batch counts the
/// same. With a single seed no example is looked at.
///
/// # Errors
/// A loss is NaN or infinite; no seed is given; or `cancel_check` wants to stop.
pub fn worst(
    problem: &Problem,
    ball: &Ball,
    sampling: Sampling,
    projector: &Projector,
    seeds: &[u64],
    cancel_check: CancelCheck,
) -> Result<Tensor> {
    let _guard = tch::no_grad_guard();
    if let [only] = seeds {
        return Ok(draw(problem, ball, sampling, projector, *only));
    }
    let mut best: Option<(f64, Tensor)> = None;
    for (number, seed) in seeds.iter().enumerate() {
        cancel_check()?;
        let drawn = draw(problem, ball, sampling, projector, *seed);
        let loss = problem.total_loss(&drawn, true).double_value(&[]);
        if !loss.is_finite() {
            return Err(Error::NotFinite(format!(
                "the loss is {loss} at draw {number} of the random weight attack; use a smaller radius"
            )));
        }
        if best.as_ref().is_none_or(|(highest, _)| loss > *highest) {
            best = Some((loss, drawn));
        }
    }
    best.map(|(_, drawn)| drawn).ok_or_else(|| Error::invalid("0 draws are not possible; use 1 or more"))
}
