//! The loss along one or two directions from the weights: `w + x d1 + y d2`, evaluation mode, buffers fixed.

use tch::Tensor;

use super::refine::lines;
use crate::attack::Pgd;
use crate::error::Result;
use crate::measure::evaluation::{
    Batch, SearchAndMeasure, append, attack, attack_from, error_rate, mean, measure, robust_error_rate,
};
use crate::measure::rows::{PerExample, Point};
use crate::progress::CancelCheck;

/// Every point of the grid, coarse to fine: the middle first, then ever finer grids from edge to edge, so
/// that a picture of the whole appears early.
pub fn coarse_to_fine(nx: usize, ny: usize) -> Vec<(usize, usize)> {
    let middle = (nx / 2, ny / 2);
    let mut order = vec![middle];
    let mut seen = vec![false; nx * ny];
    seen[middle.1 * nx + middle.0] = true;
    let mut stride = nx.max(ny).next_power_of_two();
    while stride >= 1 {
        for y in lines(ny, stride) {
            for x in lines(nx, stride) {
                if !std::mem::replace(&mut seen[y * nx + x], true) {
                    order.push((x, y));
                }
            }
        }
        stride /= 2;
    }
    order
}

/// The first of the steps 0.02, 0.04, … 2 at which `error` has risen by ten points over its value at 0 (or
/// reached 1); 2 if it never does. What the paper's `_rte` tokens make step 1.
///
/// # Errors
/// As `error`.
pub fn step_to_error(mut error: impl FnMut(f64) -> Result<f64>) -> Result<f64> {
    let goal = (error(0.0)? + 0.1).min(1.0);
    for i in 1..=100 {
        let step = f64::from(i) / 50.0;
        if error(step)? >= goal {
            return Ok(step);
        }
    }
    Ok(2.0)
}

/// Which inputs the loss is taken on.
#[derive(Debug)]
pub enum Inputs<'a> {
    /// The images as they are.
    Clean,
    /// Adversarial examples recomputed for every point.
    Attacked {
        /// The attack.
        attack: &'a Pgd,
        /// Seed of its starts.
        seed: u64,
    },
    /// Fixed perturbations, one tensor per batch.
    Fixed {
        /// In the order of the batches.
        perturbations: &'a [Tensor],
    },
}

/// Values at one point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PointValues {
    /// On clean images.
    pub clean: Point,
    /// On the other inputs, if there are any.
    pub robust: Option<Point>,
}

/// Evaluates one point, given the networks at its weights.
///
/// # Errors
/// A loss is NaN or infinite; or `cancel_check` wants to stop.
pub fn point(
    pair: &SearchAndMeasure,
    batches: &[Batch],
    inputs: &Inputs,
    cancel_check: CancelCheck,
) -> Result<PointValues> {
    let mut clean = PerExample::default();
    let mut robust = PerExample::default();
    for (number, batch) in batches.iter().enumerate() {
        cancel_check()?;
        append(&mut clean, measure(&pair.measure, batch, None)?);
        match inputs {
            Inputs::Clean => {}
            Inputs::Attacked { attack: settings, seed } => {
                append(&mut robust, attack(pair, settings, batch, *seed, cancel_check)?.per_example);
            }
            Inputs::Fixed { perturbations } => {
                append(&mut robust, measure(&pair.measure, batch, Some(&perturbations[number]))?);
            }
        }
    }
    Ok(PointValues {
        clean: Point { loss: mean(&clean.loss), error: error_rate(&clean) },
        robust: (!matches!(inputs, Inputs::Clean))
            .then(|| Point { loss: mean(&robust.loss), error: robust_error_rate(&clean, &robust) }),
    })
}

/// Evaluates one point under attacks of so many steps that start from known perturbations, one tensor per batch; with
/// the perturbations that are found.
///
/// # Errors
/// As [`point`].
pub fn attacked_from(
    pair: &SearchAndMeasure,
    batches: &[Batch],
    settings: &Pgd,
    steps: usize,
    starts: &[Tensor],
    cancel_check: CancelCheck,
) -> Result<(PointValues, Vec<Tensor>)> {
    let settings = Pgd { steps, restarts: 1, ..settings.clone() };
    let (mut clean, mut robust) = (PerExample::default(), PerExample::default());
    let mut found = Vec::new();
    for (batch, start) in batches.iter().zip(starts) {
        cancel_check()?;
        append(&mut clean, measure(&pair.measure, batch, None)?);
        let attacked = attack_from(pair, &settings, batch, start, cancel_check)?;
        append(&mut robust, attacked.per_example);
        found.push(attacked.perturbation);
    }
    let values = PointValues {
        clean: Point { loss: mean(&clean.loss), error: error_rate(&clean) },
        robust: Some(Point { loss: mean(&robust.loss), error: robust_error_rate(&clean, &robust) }),
    };
    Ok((values, found))
}
