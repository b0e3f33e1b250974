//! Robust landscapes from the adversarial examples of neighbours: a row of the grid is walked from its middle outwards,
//! every point attacked in few steps from what was found at the one before. The middle of a row starts from the
//! adversarial examples of the unperturbed network, with twice the steps.

use serde::{Deserialize, Serialize};

use super::outcome::WarmGap;
use crate::measure::statistics::{mean, standard_error};
use crate::seed::generator;

/// Of so many points one is attacked in full as well.
const CHECKED: usize = 10;

/// The order in which a row of `count` points is walked from `middle`: with each point the one that it starts from; none:
/// the unperturbed network.
pub fn walk(count: usize, middle: usize) -> Vec<(usize, Option<usize>)> {
    let right = (middle + 1..count).map(|x| (x, Some(x - 1)));
    let left = (0..middle).rev().map(|x| (x, Some(x + 1)));
    std::iter::once((middle, None)).chain(right).chain(left).collect()
}

/// The points that are attacked in full as well: a random tenth, at least one.
pub fn checked(seed: u64, plane: usize, points: &[(usize, usize)]) -> Vec<(usize, usize)> {
    use rand::Rng as _;
    let mut drawn: Vec<(u64, (usize, usize))> = points
        .iter()
        .map(|(x, y)| {
            let number: u64 = generator(seed, "warm-check", &[plane as u64, *x as u64, *y as u64]).random();
            (number, (*x, *y))
        })
        .collect();
    drawn.sort_unstable();
    drawn.truncate(points.len().div_ceil(CHECKED));
    drawn.into_iter().map(|(_, point)| point).collect()
}

/// Robust losses of a checked point.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Checked {
    /// Under the full attack.
    pub full: f64,
    /// As the landscape has it.
    pub warm: f64,
}

/// What the warm attacks miss; none without a checked point.
pub fn gap(checked: &[Checked]) -> Option<WarmGap> {
    let differences: Vec<f64> = checked.iter().map(|point| point.full - point.warm).collect();
    let largest = differences.iter().copied().reduce(f64::max)?;
    Some(WarmGap {
        value: mean(&differences),
        standard_error: standard_error(&differences),
        largest,
        loss: mean(&checked.iter().map(|point| point.full).collect::<Vec<_>>()),
        points: checked.len(),
    })
}
