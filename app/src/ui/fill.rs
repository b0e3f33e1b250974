//! Values for grid points that are not computed yet, so that a landscape can be seen while it fills in.

use basin_core::record::Values;

/// Fills unknown points from known ones: averages over ever larger blocks where something is known
/// (a pyramid), then interpolates downwards. Known points keep their value. None if nothing is known.
pub fn filled(values: &Values) -> Option<Values> {
    values.iter().flatten().next()?;
    Some(match values {
        Values::Line(line) => {
            let mut level = Level { width: line.len(), height: 1, cells: line.clone() };
            level.fill();
            Values::Line(level.cells)
        }
        Values::Plane(rows) => {
            let (width, height) = (rows.first().map_or(0, Vec::len), rows.len());
            let cells =
                rows.iter().flat_map(|row| (0..width).map(|x| row.get(x).copied().flatten())).collect();
            let mut level = Level { width, height, cells };
            level.fill();
            Values::Plane(level.cells.chunks(width.max(1)).map(<[_]>::to_vec).collect())
        }
    })
}

/// One level of the pyramid.
struct Level {
    width: usize,
    height: usize,
    cells: Vec<Option<f64>>,
}

impl Level {
    fn fill(&mut self) {
        if self.cells.iter().all(Option::is_some) || self.cells.len() <= 1 {
            return;
        }
        let mut coarse = self.halved();
        coarse.fill();
        for y in 0..self.height {
            for x in 0..self.width {
                let at = y * self.width + x;
                if self.cells[at].is_none() {
                    self.cells[at] = coarse.at((x as f64 - 0.5) / 2.0, (y as f64 - 0.5) / 2.0);
                }
            }
        }
    }

    /// Means of the known cells of 2 × 2 blocks.
    fn halved(&self) -> Self {
        let (width, height) = (self.width.div_ceil(2), self.height.div_ceil(2));
        let mut cells = Vec::with_capacity(width * height);
        for y in 0..height {
            for x in 0..width {
                let block = [(0, 0), (1, 0), (0, 1), (1, 1)].into_iter().filter_map(|(dx, dy)| {
                    let (x, y) = (2 * x + dx, 2 * y + dy);
                    if x < self.width && y < self.height { self.cells[y * self.width + x] } else { None }
                });
                let (sum, count) = block.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
                cells.push((count > 0).then(|| sum / f64::from(count)));
            }
        }
        Self { width, height, cells }
    }

    /// Bilinear between cells; outside, the nearest.
    fn at(&self, x: f64, y: f64) -> Option<f64> {
        let (x, y) = (x.clamp(0.0, (self.width - 1) as f64), y.clamp(0.0, (self.height - 1) as f64));
        let (x0, y0) = (x.floor() as usize, y.floor() as usize);
        let (x1, y1) = ((x0 + 1).min(self.width - 1), (y0 + 1).min(self.height - 1));
        let (tx, ty) = (x - x0 as f64, y - y0 as f64);
        let cell = |x: usize, y: usize| self.cells[y * self.width + x];
        let low = cell(x0, y0)? * (1.0 - tx) + cell(x1, y0)? * tx;
        let high = cell(x0, y1)? * (1.0 - tx) + cell(x1, y1)? * tx;
        Some(low * (1.0 - ty) + high * ty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_points_stay_and_unknown_ones_lie_between() {
        let mut plane = Values::empty(9, Some(9));
        for (x, y) in [(0, 0), (8, 0), (0, 8), (8, 8), (4, 4)] {
            plane.set(x, y, (x + y) as f64);
        }
        let full = filled(&plane).expect("five points are known");
        assert_eq!(full.get(4, 4), Some(8.0));
        assert_eq!(full.get(8, 0), Some(8.0));
        assert!(full.iter().all(|value| value.is_some_and(|v| (0.0..=16.0).contains(&v))));
    }

    #[test]
    fn nothing_known_gives_nothing() {
        assert!(filled(&Values::empty(5, None)).is_none());
    }
}
