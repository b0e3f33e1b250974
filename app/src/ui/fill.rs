//! A landscape while it fills in: straight lines between the points that are known, nothing beyond them.

use basin_core::record::{Grid, LandscapeOutcome, Values};

/// A landscape without the holes between its known points: a 2-D one is interpolated, of a 1-D one only
/// the known points are left.
pub fn without_holes(landscape: &LandscapeOutcome) -> LandscapeOutcome {
    let mut full = landscape.clone();
    let grids = [&landscape.clean, &landscape.robust];
    if landscape.y.is_some() {
        for grid in [&mut full.clean, &mut full.robust].into_iter().flatten() {
            *grid = Grid { loss: filled(&grid.loss), error: filled(&grid.error) };
        }
        return full;
    }
    let known: Vec<usize> = (0..landscape.x.len())
        .filter(|i| grids.iter().any(|grid| grid.as_ref().is_some_and(|grid| grid.loss.get(*i, 0).is_some())))
        .collect();
    let pick = |values: &Values| Values::Line(known.iter().map(|i| values.get(*i, 0)).collect());
    let [clean, robust] =
        grids.map(|grid| grid.as_ref().map(|grid| Grid { loss: pick(&grid.loss), error: pick(&grid.error) }));
    let x = known.iter().map(|i| landscape.x[*i]).collect();
    LandscapeOutcome { x, clean, robust, ..full }
}

/// Interpolates linearly along each row, then along each column. Known points keep their value.
pub fn filled(values: &Values) -> Values {
    match values {
        Values::Line(line) => {
            let mut line = line.clone();
            bridge(&mut line);
            Values::Line(line)
        }
        Values::Plane(rows) => {
            let mut rows = rows.clone();
            rows.iter_mut().for_each(|row| bridge(row));
            for x in 0..rows.first().map_or(0, Vec::len) {
                let mut column: Vec<Option<f64>> =
                    rows.iter().map(|row| row.get(x).copied().flatten()).collect();
                bridge(&mut column);
                for (row, value) in rows.iter_mut().zip(column) {
                    if let Some(cell) = row.get_mut(x) {
                        *cell = value;
                    }
                }
            }
            Values::Plane(rows)
        }
    }
}

/// Fills each gap between two known values with a straight line.
fn bridge(line: &mut [Option<f64>]) {
    let known: Vec<(usize, f64)> = line.iter().enumerate().filter_map(|(i, v)| Some((i, (*v)?))).collect();
    for pair in known.windows(2) {
        let [(from, a), (to, b)] = [pair[0], pair[1]];
        for (i, cell) in line.iter_mut().enumerate().take(to).skip(from + 1) {
            let t = (i - from) as f64 / (to - from) as f64;
            *cell = Some(a + (b - a) * t);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coarse_plane_is_filled_between_its_points_and_not_beyond() {
        let mut plane = Values::empty(7, Some(7));
        for (x, y) in [(1, 1), (3, 1), (5, 1), (1, 3), (3, 3), (5, 3), (1, 5), (3, 5), (5, 5), (2, 1)] {
            plane.set(x, y, (x + 2 * y) as f64);
        }
        let full = filled(&plane);
        for y in 0..7 {
            for x in 0..7 {
                let inside = (1..=5).contains(&x) && (1..=5).contains(&y);
                assert_eq!(full.get(x, y), inside.then_some((x + 2 * y) as f64), "at {x}, {y}");
            }
        }
    }
}
