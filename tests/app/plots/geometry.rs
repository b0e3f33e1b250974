//! Contours and bands against functions whose geometry is known.

use std::f64::consts::PI;

use basin::plot::contour::{Grid, area, band_triangles, iso_lines, region};

/// Distance from the origin on a square; some values unknown.
fn cone(n: usize, unknown: &[(usize, Option<f64>)]) -> Grid {
    let steps: Vec<f64> = (0..n).map(|i| 2.0 * i as f64 / (n - 1) as f64 - 1.0).collect();
    let mut values: Vec<_> = steps.iter().flat_map(|y| steps.iter().map(|x| Some(x.hypot(*y)))).collect();
    for (index, value) in unknown {
        values[*index] = *value;
    }
    Grid::new(&steps, &steps, &values)
}

#[test]
fn contours_of_a_cone_are_circles() {
    let grid = cone(81, &[]);
    for radius in [0.25, 0.5, 0.9] {
        let lines = iso_lines(&grid, radius);
        assert_eq!(lines.len(), 1);
        assert!(lines[0].closed);
        for [x, y] in &lines[0].points {
            assert!((x.hypot(*y) - radius).abs() < 1e-3, "({x}, {y}) on the circle of radius {radius}");
        }
        // The higher side is outside, so the line runs clockwise.
        assert!((area(&lines) + PI * radius * radius).abs() < 5e-3, "{}", area(&lines));
        assert!((area(&region(&grid, radius)) - (4.0 - PI * radius * radius)).abs() < 5e-3);
    }
    // Beyond 1 the circle leaves the square: four open lines.
    let lines = iso_lines(&grid, 1.2);
    assert_eq!(lines.iter().filter(|l| !l.closed).count(), 4);
    assert!(iso_lines(&grid, 2.0).is_empty());
}

#[test]
fn bands_fill_the_grid_without_gaps_or_overlaps() {
    let grid = cone(41, &[]);
    let levels = [0.2, 0.4, 0.400_000_1, 0.7, 1.0, 1.3];
    let check = |grid: &Grid, whole: f64| {
        let triangles = band_triangles(grid, &levels);
        let of = |t: &[[f64; 2]; 3]| {
            ((t[1][0] - t[0][0]) * (t[2][1] - t[0][1]) - (t[2][0] - t[0][0]) * (t[1][1] - t[0][1])) / 2.0
        };
        let mut bands = [0.0; 7];
        for (band, triangle) in &triangles {
            assert!(of(triangle) >= -1e-15, "triangles are counter-clockwise");
            bands[*band] += of(triangle);
        }
        assert!((bands.iter().sum::<f64>() - whole).abs() < 1e-9);
        assert!((area(&region(grid, f64::NEG_INFINITY)) - whole).abs() < 1e-9);
        for (i, level) in levels.iter().enumerate() {
            let above: f64 = bands[i + 1..].iter().sum();
            let outline = area(&region(grid, *level));
            assert!((above - outline).abs() < 1e-9, "level {level}: triangles {above}, outline {outline}");
        }
    };
    check(&grid, 4.0);
    // Two unknown values leave a hole of 2 x 3 cells, across levels.
    let grid = cone(41, &[(20 * 41 + 30, None), (20 * 41 + 31, Some(f64::NAN))]);
    check(&grid, 4.0 - 6.0 * 0.05 * 0.05);
    // The hole interrupts the line through it.
    let lines = iso_lines(&grid, 0.5);
    assert_eq!(lines.len(), 1);
    assert!(!lines[0].closed);
}

#[test]
fn a_saddle_and_a_plateau_are_unambiguous() {
    let grid = |values: [f64; 4]| Grid::new(&[0.0, 1.0], &[0.0, 1.0], &values.map(Some));
    // Opposite corners high: the centre, 0.5, decides.
    assert_eq!(iso_lines(&grid([1.0, 0.0, 0.0, 1.0]), 0.4).len(), 2);
    assert!(
        (area(&region(&grid([1.0, 0.0, 0.0, 1.0]), 0.4)) + area(&region(&grid([0.0, 1.0, 1.0, 0.0]), 0.6))
            - 1.0)
            .abs()
            < 1e-12
    );
    // Exactly at the level counts as inside.
    let flat = grid([2.0; 4]);
    assert!((area(&region(&flat, 2.0)) - 1.0).abs() < 1e-12);
    assert!(region(&flat, 2.1).is_empty() && iso_lines(&flat, 2.0).is_empty());
}
