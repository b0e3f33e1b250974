//! The surroundings of the origin: mean rise on a circle, curvature.

use std::f64::consts::TAU;

use serde::{Deserialize, Serialize};

use super::Surface;

/// Points of the circle on which the mean rise is taken.
const DIRECTIONS: usize = 360;
/// Grid points along an axis that the curvature is fitted to.
const WINDOW: usize = 5;

/// Mean rise of the values over the origin at some distance.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rise {
    /// The distance in steps.
    pub radius: f64,
    /// Mean over the circle (in 1-D over both sides) minus the value at the origin.
    pub mean: f64,
    /// The largest rise on the circle.
    pub largest: f64,
}

impl Rise {
    /// At a radius; without one at 1, or at that of the largest circle in the grid. None: the circle leaves the grid, or
    /// touches points without value.
    pub fn of(surface: &Surface, radius: Option<f64>) -> Option<Self> {
        let origin = surface.origin().or_else(|| surface.interpolate(0.0, 0.0))?;
        let room = |steps: &[f64]| (-steps[0]).min(steps[steps.len() - 1]);
        let largest = surface.y().map_or(f64::INFINITY, room).min(room(surface.x()));
        let radius = radius.unwrap_or(largest.min(1.0));
        let count = if surface.y().is_some() { DIRECTIONS } else { 2 };
        let rise = |i: usize| {
            let (sin, cos) = (TAU * i as f64 / count as f64).sin_cos();
            // Rounding must not lead out of the grid.
            let inside = |step: f64| if step.abs() > largest { largest.copysign(step) } else { step };
            if radius > largest {
                return None;
            }
            Some(surface.interpolate(inside(radius * cos), inside(radius * sin))? - origin)
        };
        let rises = (0..count).map(rise).collect::<Option<Vec<f64>>>().filter(|_| radius > 0.0)?;
        let mean = rises.iter().sum::<f64>() / count as f64;
        Some(Self { radius, mean, largest: rises.into_iter().fold(f64::NEG_INFINITY, f64::max) })
    }
}

/// Second derivatives at the origin, per squared step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Curvature {
    /// Along the first direction.
    pub xx: f64,
    /// Mixed; 0 in 1-D.
    pub xy: f64,
    /// Along the second direction; none in 1-D.
    pub yy: Option<f64>,
}

impl Curvature {
    /// Of the polynomial of fourth degree (of second degree where there are too few points) that fits the 5 by 5 points
    /// nearest to the origin best. None: the origin is outside or has no value, or too few points around it have.
    pub fn of(surface: &Surface) -> Option<Self> {
        surface.interpolate(0.0, 0.0)?;
        let nearest = |steps: &[f64]| -> Option<Vec<usize>> {
            if !(*steps.first()?..=*steps.last()?).contains(&0.0) {
                return None;
            }
            let mut all: Vec<usize> = (0..steps.len()).collect();
            all.sort_by(|a, b| steps[*a].abs().total_cmp(&steps[*b].abs()));
            all.truncate(WINDOW);
            Some(all)
        };
        let columns = nearest(surface.x())?;
        let rows = surface.y().map_or(Some(vec![0]), nearest)?;
        let extent =
            |steps: &[f64], chosen: &[usize]| chosen.iter().map(|at| steps[*at].abs()).fold(0.0, f64::max);
        let width = extent(surface.x(), &columns);
        let height = surface.y().map(|y| extent(y, &rows));
        let mut points = Vec::new();
        for row in rows {
            for column in &columns {
                if let Some(value) = surface.at(*column, row) {
                    let y = surface.y().zip(height).map_or(0.0, |(y, height)| y[row] / height);
                    points.push((surface.x()[*column] / width, y, value));
                }
            }
        }
        let plane = surface.y().is_some();
        let fitted = [4, 2].into_iter().find_map(|degree| fit(&points, degree, plane))?;
        let of = |powers: [i32; 2]| {
            let (_, value) = fitted.iter().find(|(other, _)| *other == powers)?;
            Some(*value)
        };
        let height = height.unwrap_or(1.0);
        Some(Self {
            xx: 2.0 * of([2, 0])? / (width * width),
            xy: of([1, 1]).unwrap_or(0.0) / (width * height),
            yy: of([0, 2]).map(|value| 2.0 * value / (height * height)),
        })
    }

    /// Largest and smallest second derivative over all directions of the plane, per squared step.
    pub fn principal(&self) -> [f64; 2] {
        self.principal_in([1.0, 1.0], 0.0)
    }

    /// The same per squared unit of weight change, where step 1 has these norms and the directions this cosine: what
    /// eigenvalues of the Hessian compare with.
    pub fn principal_in(&self, norms: [f64; 2], cosine: f64) -> [f64; 2] {
        let xx = self.xx / (norms[0] * norms[0]);
        let Some(yy) = self.yy else { return [xx, xx] };
        // In an orthonormal basis: the first direction, and what of the second is orthogonal to it.
        let (yy, xy) = (yy / (norms[1] * norms[1]), self.xy / (norms[0] * norms[1]));
        let sine = (1.0 - cosine * cosine).sqrt();
        let across = (xy - cosine * xx) / sine;
        let up = (yy - 2.0 * cosine * xy + cosine * cosine * xx) / (sine * sine);
        let (middle, half) = (0.5 * (xx + up), 0.5 * (xx - up).hypot(2.0 * across));
        [middle + half, middle - half]
    }
}

/// Coefficients of the polynomial of this degree in two variables (one if not `plane`) with the least squared error, by
/// the powers of both.
fn fit(points: &[(f64, f64, f64)], degree: i32, plane: bool) -> Option<Vec<([i32; 2], f64)>> {
    let powers: Vec<[i32; 2]> =
        (0..=degree).flat_map(|x| (0..=if plane { degree - x } else { 0 }).map(move |y| [x, y])).collect();
    if points.len() < powers.len() {
        return None;
    }
    // Values are taken relative to one of them: large constant losses must not cost digits.
    let base = points.first()?.2;
    let terms = |(x, y, _): &(f64, f64, f64)| -> Vec<f64> {
        powers.iter().map(|[i, j]| x.powi(*i) * y.powi(*j)).collect()
    };
    let size = powers.len();
    let mut rows = vec![vec![0.0; size + 1]; size];
    for point in points {
        let terms = terms(point);
        for (row, a) in rows.iter_mut().zip(&terms) {
            row.iter_mut().zip(&terms).for_each(|(cell, b)| *cell += a * b);
            row[size] += a * (point.2 - base);
        }
    }
    let solution = solve(rows)?;
    Some(powers.into_iter().zip(solution).collect())
}

/// Solves linear equations (the right side in the last column) by Gaussian elimination; none: they are dependent.
fn solve(mut rows: Vec<Vec<f64>>) -> Option<Vec<f64>> {
    let size = rows.len();
    let scale = rows.iter().flat_map(|row| &row[..size]).fold(0.0_f64, |most, cell| most.max(cell.abs()));
    for column in 0..size {
        let pivot =
            (column..size).max_by(|a, b| rows[*a][column].abs().total_cmp(&rows[*b][column].abs()))?;
        rows.swap(column, pivot);
        if rows[column][column].abs() <= 1e-10 * scale {
            return None;
        }
        let (above, below) = rows.split_at_mut(column + 1);
        let first = &above[column];
        for row in below {
            let factor = row[column] / first[column];
            row.iter_mut().zip(first).skip(column).for_each(|(cell, other)| *cell -= factor * other);
        }
    }
    let mut solution = vec![0.0; size];
    for at in (0..size).rev() {
        let known: f64 = (at + 1..size).map(|column| rows[at][column] * solution[column]).sum();
        solution[at] = (rows[at][size] - known) / rows[at][at];
    }
    Some(solution)
}
