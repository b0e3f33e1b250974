//! Grids as far as they are filled, their mean over draws, and the barrier along a curve.

use super::outcome::Grid;
use crate::measure::rows::Point;

/// The grids of a plane.
pub struct Filled {
    pub clean: Grid,
    pub robust: Option<Grid>,
    /// Points that are finished.
    pub finished: usize,
    /// Those of them without a finite loss.
    pub overflowed: Vec<(usize, usize)>,
    /// Points that are predicted.
    pub interpolated: usize,
}

impl Filled {
    /// Stores a point.
    pub fn set(&mut self, (x, y): (usize, usize), clean: Point, robust: Option<Point>) {
        self.clean.set(x, y, clean);
        if let (Some(grid), Some(point)) = (&mut self.robust, robust) {
            grid.set(x, y, point);
        }
    }

    /// Takes over what is predicted: losses of all grids, then their errors, which are shares of the examples.
    pub fn interpolate(&mut self, predicted: Vec<((usize, usize), Vec<f64>)>) {
        self.interpolated = predicted.len();
        let grids = if self.robust.is_some() { 2 } else { 1 };
        for (which, grid) in std::iter::once(&mut self.clean).chain(&mut self.robust).enumerate() {
            for ((x, y), numbers) in &predicted {
                if let (Some(loss), Some(error)) = (numbers.get(which), numbers.get(grids + which)) {
                    grid.set(*x, *y, Point { loss: loss.max(0.0), error: error.clamp(0.0, 1.0) });
                }
            }
        }
    }
}

/// The mean of grids, where all of them have a value.
pub fn average(grids: &[&Grid], (nx, ny): (usize, Option<usize>)) -> Grid {
    let mut mean = Grid::empty(nx, ny);
    for y in 0..ny.unwrap_or(1) {
        for x in 0..nx {
            let points: Vec<Point> = grids.iter().filter_map(|grid| grid.get(x, y)).collect();
            if points.len() == grids.len() && !grids.is_empty() {
                let of = |part: fn(&Point) -> f64| points.iter().map(part).sum::<f64>() / points.len() as f64;
                mean.set(x, y, Point { loss: of(|p| p.loss), error: of(|p| p.error) });
            }
        }
    }
    mean
}

/// How far a curve between the steps 0 and 1 rises above the line between its ends.
pub fn barrier(points: &[(f64, f64)]) -> Option<f64> {
    let end = |at: f64| points.iter().find(|(step, _)| *step == at).map(|(_, loss)| *loss);
    let (from, to) = (end(0.0)?, end(1.0)?);
    let between = points.iter().filter(|(step, _)| (0.0..=1.0).contains(step));
    between.map(|(step, loss)| loss - (from + step * (to - from))).reduce(f64::max)
}
