//! How much of a grid lies below a level.

use serde::{Deserialize, Serialize};

use super::Surface;

/// What lies below a level: where the loss is small.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LevelSet {
    /// The level.
    pub level: f64,
    /// Area below it in squared steps; in 1-D the length in steps.
    pub area: f64,
    /// The same as a share of what has values, 0 to 1.
    pub share: f64,
}

impl LevelSet {
    /// Measured on two triangles per cell (intervals in 1-D), linear between their corners. Cells with a corner
    /// without value do not count.
    pub fn of(surface: &Surface, level: f64) -> Self {
        let x = surface.x();
        let (mut area, mut all) = (0.0, 0.0);
        let mut add = |size: f64, share: f64| {
            all += size;
            area += size * share;
        };
        let widths = || x.windows(2).map(|ends| ends[1] - ends[0]).enumerate();
        match surface.y() {
            None => {
                for (column, width) in widths() {
                    if let (Some(a), Some(b)) = (surface.at(column, 0), surface.at(column + 1, 0)) {
                        add(width, of_interval(a, b, level));
                    }
                }
            }
            Some(y) => {
                for (row, ends) in y.windows(2).enumerate() {
                    for (column, width) in widths() {
                        let at = |right, up| surface.at(column + right, row + up);
                        let corners = (at(0, 0), at(1, 0), at(0, 1), at(1, 1));
                        let (Some(a), Some(b), Some(c), Some(d)) = corners else { continue };
                        let half = 0.5 * width * (ends[1] - ends[0]);
                        add(half, of_triangle([a, b, d], level));
                        add(half, of_triangle([a, c, d], level));
                    }
                }
            }
        }
        Self { level, area, share: if all > 0.0 { area / all } else { 0.0 } }
    }
}

/// Share of an interval below a level.
fn of_interval(a: f64, b: f64, level: f64) -> f64 {
    let (low, high) = (a.min(b), a.max(b));
    if high < level {
        1.0
    } else if low >= level {
        0.0
    } else {
        (level - low) / (high - low)
    }
}

/// Share of a triangle below a level.
fn of_triangle(mut corners: [f64; 3], level: f64) -> f64 {
    corners.sort_by(f64::total_cmp);
    let [low, middle, high] = corners;
    if high < level {
        1.0
    } else if low >= level {
        0.0
    } else if middle >= level {
        (level - low) / (middle - low) * ((level - low) / (high - low))
    } else {
        1.0 - (high - level) / (high - middle) * ((high - level) / (high - low))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_triangles_follow_their_corners() {
        for (corners, level, share) in [
            ([0.0, 1.0, 2.0], 1.0, 0.5),
            ([2.0, 0.0, 1.0], 1.0, 0.5),
            ([0.0, 0.0, 1.0], 0.5, 0.75),
            ([0.0, 1.0, 1.0], 0.5, 0.25),
            ([1.0, 1.0, 1.0], 1.0, 0.0),
            ([1.0, 1.0, 1.0], 1.1, 1.0),
        ] {
            assert!((of_triangle(corners, level) - share).abs() < 1e-15, "{corners:?} below {level}");
        }
    }
}
