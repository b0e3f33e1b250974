//! Which points of a grid are worth computing: from coarse grids to fine ones, where the finer one is not what the coarser
//! one predicts.
//!
//! Every point of a grid with few points is computed, and of the next finer one. From then on a point is computed where
//! one of its neighbours on the coarser grid differed from its prediction by more than the tolerance; elsewhere it is the
//! prediction. A prediction is that of the cubic polynomial through the four nearest lines of the coarser grid, along
//! both axes, so that what is left out is smooth.

/// Numbers at a point, first those that are judged (losses), then others that are predicted with them (errors); none where
/// a loss is not finite.
pub type Numbers = Option<Vec<f64>>;

/// A grid as far as it is known.
#[derive(Debug, PartialEq)]
pub struct Refined {
    /// Every point that is or has to be computed, in the order in which they are asked for.
    pub points: Vec<(usize, usize)>,
    /// Whether none of these is missing and no finer grid is left.
    pub finished: bool,
    /// About how many points of finer grids will have to be computed.
    pub later: usize,
    /// Points that are predicted, with their values.
    pub predicted: Vec<((usize, usize), Vec<f64>)>,
}

/// Fewest lines of the coarsest grid.
const LINES: usize = 5;

/// Lines of a grid with a stride: the last line is one, always.
pub(super) fn lines(count: usize, stride: usize) -> Vec<usize> {
    (0..count).filter(|at| at.is_multiple_of(stride) || at + 1 == count).collect()
}

/// Stride of the coarsest grid.
fn coarsest(nx: usize, ny: usize) -> usize {
    let side = nx.max(ny).saturating_sub(1);
    let mut stride = 1;
    while side / (2 * stride) + 1 >= LINES {
        stride *= 2;
    }
    stride
}

/// Refines a grid of `nx` by `ny` points (`ny` of 1: a line) to a `share` of the height of each of the first `judged`
/// numbers. `value` is what is known of a point; none: it is not computed yet.
pub fn refine(
    (nx, ny): (usize, usize),
    share: f64,
    judged: usize,
    value: &dyn Fn(usize, usize) -> Option<Numbers>,
) -> Refined {
    let mut grid =
        Grid { nx, values: vec![None; nx * ny], surplus: vec![None; nx * ny], strides: vec![0; nx * ny] };
    let mut refined = Refined { points: Vec::new(), finished: true, later: 0, predicted: Vec::new() };
    let coarsest = coarsest(nx, ny);
    let mut stride = coarsest;
    loop {
        let (xs, ys) = (lines(nx, stride), lines(ny, stride));
        let coarse = (lines(nx, 2 * stride), lines(ny, 2 * stride));
        let is_first = stride == coarsest;
        let tolerance: Vec<f64> =
            grid.heights().into_iter().take(judged).map(|height| share * height).collect();
        let (mut fresh, mut wanted, mut missing) = (0, 0, false);
        let mut found = Vec::new();
        for &y in &ys {
            for &x in &xs {
                if !is_first && coarse.0.contains(&x) && coarse.1.contains(&y) {
                    continue;
                }
                fresh += 1;
                let predicted = (!is_first).then(|| grid.predict((x, y), &coarse)).flatten();
                let smooth =
                    4 * stride <= coarsest && grid.is_smooth((x, y), 2 * stride, &coarse, &tolerance);
                match predicted {
                    Some(predicted) if smooth => {
                        found.push(((x, y), Some(predicted.clone()), Some(vec![0.0; predicted.len()])));
                        refined.predicted.push(((x, y), predicted));
                    }
                    predicted => {
                        refined.points.push((x, y));
                        wanted += 1;
                        match value(x, y) {
                            None => missing = true,
                            Some(losses) => {
                                let surplus = predicted.zip(losses.as_ref()).map(|(predicted, losses)| {
                                    predicted.iter().zip(losses).map(|(p, l)| (l - p).abs()).collect()
                                });
                                found.push(((x, y), losses, surplus));
                            }
                        }
                    }
                }
            }
        }
        for ((x, y), losses, surplus) in found {
            grid.values[y * nx + x] = losses;
            grid.surplus[y * nx + x] = surplus;
            grid.strides[y * nx + x] = stride;
        }
        if missing {
            let left = nx * ny - xs.len() * ys.len();
            refined.finished = false;
            // As large a share of what is finer as of this grid.
            refined.later = if is_first { left / 3 } else { left * wanted / fresh.max(1) };
            return refined;
        }
        if stride == 1 {
            return refined;
        }
        stride /= 2;
    }
}

struct Grid {
    nx: usize,
    values: Vec<Numbers>,
    /// Of a point how far it was from its prediction; none: it was not predicted.
    surplus: Vec<Option<Vec<f64>>>,
    /// Stride of the grid that each belongs to first.
    strides: Vec<usize>,
}

impl Grid {
    /// Highest minus lowest of each number so far.
    fn heights(&self) -> Vec<f64> {
        let known = || self.values.iter().flatten();
        let Some(first) = known().next() else { return Vec::new() };
        let of = |which: usize| {
            let values = known().map(|losses| losses[which]);
            let (low, high) =
                values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
            high - low
        };
        (0..first.len()).map(of).collect()
    }

    /// Whether those neighbours on the coarser grid that are new there were as predicted.
    fn is_smooth(
        &self,
        (x, y): (usize, usize),
        stride: usize,
        (xs, ys): &(Vec<usize>, Vec<usize>),
        tolerance: &[f64],
    ) -> bool {
        let near = |lines: &[usize], at: usize| -> Vec<usize> {
            let after = lines.partition_point(|line| *line < at);
            let from = after.saturating_sub(if lines.get(after) == Some(&at) { 1 } else { 2 });
            lines[from..(after + 2).min(lines.len())].to_vec()
        };
        let (columns, rows) = (near(xs, x), near(ys, y));
        let mut predicted = 0;
        for &row in &rows {
            for &column in &columns {
                let at = row * self.nx + column;
                if self.values[at].is_none() {
                    return false;
                }
                if let Some(surplus) = self.surplus[at].as_ref().filter(|_| self.strides[at] == stride) {
                    predicted += 1;
                    if surplus.iter().zip(tolerance).any(|(surplus, most)| surplus > most) {
                        return false;
                    }
                }
            }
        }
        predicted > 0
    }

    /// The prediction at a point from the lines of the coarser grid; none: a loss that it needs is not finite.
    fn predict(&self, (x, y): (usize, usize), (xs, ys): &(Vec<usize>, Vec<usize>)) -> Numbers {
        let (columns, rows) = (weights(xs, x), weights(ys, y));
        let mut sum: Vec<f64> = Vec::new();
        for (row, of_row) in &rows {
            for (column, of_column) in &columns {
                let losses = self.values[row * self.nx + column].as_ref()?;
                sum.resize(losses.len(), 0.0);
                for (sum, loss) in sum.iter_mut().zip(losses) {
                    *sum += of_row * of_column * loss;
                }
            }
        }
        Some(sum)
    }
}

/// Lines near `at` with their weights in the polynomial through them.
fn weights(lines: &[usize], at: usize) -> Vec<(usize, f64)> {
    if lines.contains(&at) {
        return vec![(at, 1.0)];
    }
    let after = lines.partition_point(|line| *line < at);
    let from = after.saturating_sub(2).min(lines.len().saturating_sub(4));
    let nodes = &lines[from..(from + 4).min(lines.len())];
    let weight = |node: usize| {
        let others = nodes.iter().filter(|other| **other != node);
        others.map(|other| (at as f64 - *other as f64) / (node as f64 - *other as f64)).product()
    };
    nodes.iter().map(|node| (*node, weight(*node))).collect()
}
