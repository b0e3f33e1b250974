//! A landscape while it fills in, and one that was stopped: straight lines between the points that are known,
//! nothing beyond them. Only for drawing: tables hold computed values alone.

/// Values on a grid of `columns`, row by row, with what is missing interpolated linearly along each row, then
/// along each column. Known points keep their value.
pub fn filled(values: &[Option<f64>], columns: usize) -> Vec<Option<f64>> {
    let mut values = values.to_vec();
    values.chunks_mut(columns.max(1)).for_each(bridge);
    for x in 0..columns.min(values.len()) {
        let mut column: Vec<Option<f64>> = values.iter().skip(x).step_by(columns).copied().collect();
        bridge(&mut column);
        values.iter_mut().skip(x).step_by(columns).zip(column).for_each(|(cell, value)| *cell = value);
    }
    values
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
        let (columns, rows) = (7, 6);
        let plane = |x: usize, y: usize| (x + 2 * y) as f64;
        let known = [(1, 1), (3, 1), (5, 1), (1, 3), (3, 3), (5, 3), (1, 4), (5, 4), (2, 1)];
        let mut values = vec![None; columns * rows];
        known.iter().for_each(|(x, y)| values[y * columns + x] = Some(plane(*x, *y)));
        for (i, value) in filled(&values, columns).into_iter().enumerate() {
            let (x, y) = (i % columns, i / columns);
            let inside = (1..=5).contains(&x) && (1..=4).contains(&y);
            assert_eq!(value, inside.then_some(plane(x, y)), "at {x}, {y}");
        }
        assert_eq!(filled(&[], 0), []);
    }
}
