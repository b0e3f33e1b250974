//! Landscapes that are evaluated in reduced precision: on a random tenth of the points the loss is measured in float32 as
//! well, and the smooth part of the difference corrects all others.

use tch::Tensor;

use super::filled::Filled;
use super::outcome::{Correction, Grid};
use crate::error::Result;
use crate::measure::rows::Point;

/// A point with both losses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Both {
    /// Steps, each as a share of the longest along its direction.
    pub at: [f64; 2],
    /// In float32.
    pub exact: f64,
    /// In reduced precision.
    pub reduced: f64,
}

/// The smooth part of the differences: a polynomial, quadratic where there are points enough.
#[derive(Debug)]
pub struct Smooth {
    coefficients: Vec<f64>,
    /// What it leaves of the differences.
    pub correction: Correction,
}

/// So many points are wanted for each coefficient.
const FOR_EACH: usize = 3;

fn terms([x, y]: [f64; 2], count: usize) -> Vec<f64> {
    [1.0, x, y, x * x, x * y, y * y][..count].to_vec()
}

impl Smooth {
    /// Fits the differences; none without a point.
    ///
    /// # Errors
    /// libtorch refuses to hand numbers over.
    pub fn of(points: &[Both]) -> Result<Option<Self>> {
        if points.is_empty() {
            return Ok(None);
        }
        // On a line, terms with y are 0 everywhere: the inverse leaves them out.
        let free = if points.iter().all(|point| point.at[1] == 0.0) { 3 } else { 6 };
        let count = match points.len() / FOR_EACH {
            enough if enough >= free => 6,
            3.. => 3,
            _ => 1,
        };
        let rows: Vec<f64> = points.iter().flat_map(|point| terms(point.at, count)).collect();
        let rows = Tensor::from_slice(&rows).view([points.len() as i64, count as i64]);
        let differences: Vec<f64> = points.iter().map(|point| point.exact - point.reduced).collect();
        let inverse = rows.pinverse(1e-12);
        let fitted = inverse.mv(&Tensor::from_slice(&differences));
        // What is left of each where the others alone decide: of a fit, its residual over one minus its leverage.
        let left: Vec<f64> = Vec::try_from(Tensor::from_slice(&differences) - rows.mv(&fitted))?;
        let leverages: Vec<f64> = Vec::try_from(rows.matmul(&inverse).diagonal(0, 0, 1))?;
        let left: Vec<f64> =
            left.iter().zip(&leverages).map(|(left, own)| left / (1.0 - own).max(1e-3)).collect();
        let count = points.len() as f64;
        let correction = Correction {
            value: differences.iter().sum::<f64>() / count,
            error: (points.len() > 1).then(|| (left.iter().map(|v| v * v).sum::<f64>() / count).sqrt()),
            points: points.len(),
        };
        Ok(Some(Self { coefficients: Vec::try_from(fitted)?, correction }))
    }

    /// What is added at a point.
    pub fn at(&self, at: [f64; 2]) -> f64 {
        terms(at, self.coefficients.len()).iter().zip(&self.coefficients).map(|(a, b)| a * b).sum()
    }
}

/// Corrects the losses of a plane; `exact`: the points that are measured in float32, with their values; `place`: the steps
/// of a point as shares of the longest. Gives what is left of the differences, clean and robust.
///
/// # Errors
/// As [`Smooth::of`].
pub fn correct(
    filled: &mut Filled,
    exact: &[((usize, usize), Point, Option<Point>)],
    place: &dyn Fn((usize, usize)) -> [f64; 2],
) -> Result<(Option<Correction>, Option<Correction>)> {
    let of_grid = |grid: &mut Grid, exact: &[((usize, usize), Point)]| -> Result<Option<Correction>> {
        let both: Vec<Both> = exact
            .iter()
            .filter_map(|((x, y), point)| {
                let reduced = grid.loss.get(*x, *y)?;
                Some(Both { at: place((*x, *y)), exact: point.loss, reduced })
            })
            .collect();
        let Some(smooth) = Smooth::of(&both)? else { return Ok(None) };
        let (columns, rows) = grid.loss.size();
        for y in 0..rows {
            for x in 0..columns {
                if let Some(point) = grid.get(x, y) {
                    let loss = (point.loss + smooth.at(place((x, y)))).max(0.0);
                    grid.set(x, y, Point { loss, ..point });
                }
            }
        }
        for ((x, y), point) in exact {
            grid.set(*x, *y, *point);
        }
        Ok(Some(smooth.correction))
    };
    let clean: Vec<_> = exact.iter().map(|(at, clean, _)| (*at, *clean)).collect();
    let robust: Vec<_> = exact.iter().filter_map(|(at, _, robust)| Some((*at, (*robust)?))).collect();
    let clean = of_grid(&mut filled.clean, &clean)?;
    let robust = match &mut filled.robust {
        Some(grid) => of_grid(grid, &robust)?,
        None => None,
    };
    Ok((clean, robust))
}
