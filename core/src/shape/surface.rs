//! Values over a grid, and which of its points are neighbours.

use serde::{Deserialize, Serialize};

/// A grid point and its value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// Step along the first direction.
    pub x: f64,
    /// Step along the second direction; none in 1-D.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y: Option<f64>,
    /// Its value.
    pub value: f64,
}

/// Values over the points of a grid, in 1-D or 2-D.
#[derive(Debug, Clone, PartialEq)]
pub struct Surface {
    x: Vec<f64>,
    /// Empty in 1-D.
    y: Vec<f64>,
    /// Row by row, `[y][x]`.
    values: Vec<Option<f64>>,
    /// Value at step 0, where that is no grid point.
    origin: Option<f64>,
}

impl Surface {
    /// Values row by row, `[y][x]`; `y` of `None` means 1-D. None: the steps do not ascend, or there are more or
    /// fewer values than points.
    pub fn new(x: &[f64], y: Option<&[f64]>, values: impl IntoIterator<Item = Option<f64>>) -> Option<Self> {
        let ascends = |steps: &[f64]| !steps.is_empty() && steps.windows(2).all(|pair| pair[0] < pair[1]);
        let values: Vec<Option<f64>> =
            values.into_iter().map(|value| value.filter(|value| value.is_finite())).collect();
        let fits = values.len() == x.len() * y.map_or(1, <[f64]>::len);
        (fits && ascends(x) && y.is_none_or(ascends)).then(|| Self {
            x: x.to_vec(),
            y: y.unwrap_or_default().to_vec(),
            values,
            origin: None,
        })
    }

    /// The same with a value at step 0 of all directions that is known although it may be no grid point.
    #[must_use]
    pub fn with_origin(self, value: Option<f64>) -> Self {
        Self { origin: value.filter(|value| value.is_finite()), ..self }
    }

    /// Steps along the first direction.
    pub fn x(&self) -> &[f64] {
        &self.x
    }

    /// Steps along the second direction; none in 1-D.
    pub fn y(&self) -> Option<&[f64]> {
        (!self.y.is_empty()).then_some(&self.y)
    }

    /// The same with all values negated: its minima are the maxima.
    pub(super) fn negative(&self) -> Self {
        let values = self.values.iter().map(|value| value.map(|value| -value)).collect();
        Self { values, origin: self.origin.map(|value| -value), ..self.clone() }
    }

    /// Number of grid points, with and without value.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// Value at a column and a row (0 in 1-D).
    pub(super) fn at(&self, column: usize, row: usize) -> Option<f64> {
        if column >= self.x.len() { None } else { *self.values.get(row * self.x.len() + column)? }
    }

    /// Value of a grid point.
    pub(super) fn value(&self, point: usize) -> Option<f64> {
        self.values[point]
    }

    /// Where a grid point is; none: it has no value.
    pub fn place(&self, point: usize) -> Option<Place> {
        let value = *self.values.get(point)?;
        let y = self.y.get(point / self.x.len()).copied();
        Some(Place { x: self.x[point % self.x.len()], y, value: value? })
    }

    /// Value at step 0 of all directions.
    pub(super) fn origin(&self) -> Option<f64> {
        let zero = |steps: &[f64]| steps.iter().position(|step| *step == 0.0);
        let at = zero(&self.x).zip(self.y().map_or(Some(0), zero));
        at.and_then(|(column, row)| self.at(column, row)).or(self.origin)
    }

    /// Points with values, the lowest first; of equal ones the first in the grid.
    pub(super) fn ascending(&self) -> Vec<usize> {
        let mut known: Vec<(f64, usize)> =
            self.values.iter().enumerate().filter_map(|(point, value)| Some(((*value)?, point))).collect();
        known.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        known.into_iter().map(|(_, point)| point).collect()
    }

    /// Neighbours of a point along the axes, as far as they have values.
    pub(super) fn neighbours(&self, point: usize) -> impl Iterator<Item = usize> + '_ {
        let columns = self.x.len();
        let column = point % columns;
        let all = [
            (column > 0).then(|| point - 1),
            (column + 1 < columns).then(|| point + 1),
            point.checked_sub(columns),
            Some(point + columns),
        ];
        all.into_iter().flatten().filter(|other| self.values.get(*other).copied().flatten().is_some())
    }

    /// Value at any place, linear along the axes between grid points; none outside, or beside a point without value.
    pub(super) fn interpolate(&self, x: f64, y: f64) -> Option<f64> {
        let (column, right) = locate(&self.x, x)?;
        let (row, up) = if self.y.is_empty() { (0, 0.0) } else { locate(&self.y, y)? };
        let mut sum = 0.0;
        for (part, row) in [(1.0 - up, row), (up, row + 1)] {
            for (share, column) in [(1.0 - right, column), (right, column + 1)] {
                if part * share > 0.0 {
                    sum += part * share * self.at(column, row)?;
                }
            }
        }
        Some(sum)
    }

    /// Adds points in the order of their values, and tells of each the components it joins, by their latest points.
    pub(super) fn sweep(&self, order: &[usize], mut joins: impl FnMut(usize, &[usize])) {
        let mut added = vec![false; self.len()];
        // The root of a component is its latest point.
        let mut above: Vec<usize> = (0..self.len()).collect();
        let mut joined = Vec::with_capacity(4);
        for &point in order {
            joined.clear();
            for other in self.neighbours(point).filter(|other| added[*other]) {
                let latest = root(&mut above, other);
                if latest != point {
                    above[latest] = point;
                    joined.push(latest);
                }
            }
            added[point] = true;
            joins(point, &joined);
        }
    }
}

/// Last point of the chain that starts at a point; shortens the chain.
fn root(above: &mut [usize], mut point: usize) -> usize {
    while above[point] != point {
        above[point] = above[above[point]];
        point = above[point];
    }
    point
}

/// The interval of ascending steps that holds a step, and how far into it that lies, 0 to 1.
fn locate(steps: &[f64], step: f64) -> Option<(usize, f64)> {
    let (first, last) = (*steps.first()?, *steps.last()?);
    if steps.len() < 2 || !(first..=last).contains(&step) {
        return None;
    }
    let at = steps.partition_point(|&other| other <= step).clamp(1, steps.len() - 1) - 1;
    Some((at, (step - steps[at]) / (steps[at + 1] - steps[at])))
}
