//! The numbers of one surface: two axes and a height for every pair of their values.

/// Heights over a rectangular grid. The axes are ascending but need not be evenly spaced.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SurfaceData {
    /// Values along x, ascending.
    pub x: Vec<f32>,
    /// Values along y, ascending.
    pub y: Vec<f32>,
    /// Row-major `[y][x]`. `None`, infinite and NaN heights are holes.
    pub height: Vec<Option<f32>>,
    /// Points (x, y) that a line on the surface joins, such as the networks of a training; empty: none.
    pub path: Vec<[f32; 2]>,
}

/// Most points that a path is drawn with.
const PATH: usize = 240;

/// Smallest and largest values of some surfaces.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extent {
    /// Along x.
    pub x: [f32; 2],
    /// Along y.
    pub y: [f32; 2],
    /// Heights; `[1, -1]`-like (empty) where no height is known.
    pub height: [f32; 2],
    /// Smallest height above zero, for logarithmic scales.
    pub smallest_positive: f32,
}

impl SurfaceData {
    /// A surface whose height is `f(x, y)`.
    pub fn from_fn(x: Vec<f32>, y: Vec<f32>, f: impl Fn(f32, f32) -> f32) -> Self {
        let height = y.iter().flat_map(|&y| x.iter().map(move |&x| (x, y))).map(|(x, y)| Some(f(x, y)));
        let height = height.collect();
        Self { x, y, height, path: Vec::new() }
    }

    /// The path on the surface, with points between its own so that it follows the heights: x, y, height, and whether it
    /// is one of its own. What lies outside, or over a hole, is left out.
    pub fn path_on_surface(&self) -> Vec<([f32; 3], bool)> {
        let pieces = (PATH / self.path.len().max(1)).clamp(1, 24);
        let mut points = Vec::new();
        let mut add = |[x, y]: [f32; 2], own: bool| {
            points.extend(self.interpolate(x, y).map(|height| ([x, y, height], own)));
        };
        for (at, place) in self.path.iter().take(PATH).enumerate() {
            add(*place, true);
            let Some(next) = self.path.get(at + 1) else { continue };
            for piece in 1..pieces {
                let share = piece as f32 / pieces as f32;
                add([0, 1].map(|i| place[i] + share * (next[i] - place[i])), false);
            }
        }
        points
    }

    /// Columns and rows.
    pub fn size(&self) -> (usize, usize) {
        (self.x.len(), self.y.len())
    }

    /// The height of a node, if it is known and finite.
    pub fn at(&self, ix: usize, iy: usize) -> Option<f32> {
        let (columns, rows) = self.size();
        if ix >= columns || iy >= rows {
            return None;
        }
        self.height.get(iy * columns + ix).copied().flatten().filter(|v| v.is_finite())
    }

    /// The height above `(x, y)`, bilinear between known nodes.
    pub fn interpolate(&self, x: f32, y: f32) -> Option<f32> {
        let (ix, fx) = locate(&self.x, x)?;
        let (iy, fy) = locate(&self.y, y)?;
        let mut sum = 0.0;
        for (dy, wy) in [(0, 1.0 - fy), (1, fy)] {
            for (dx, wx) in [(0, 1.0 - fx), (1, fx)] {
                if wx * wy > 0.0 {
                    sum += wx * wy * self.at(ix + dx, iy + dy)?;
                }
            }
        }
        Some(sum)
    }

    /// Mean of the known heights: which of two surfaces is the upper one.
    pub fn mean(&self) -> f32 {
        let (sum, count) = self
            .height
            .iter()
            .flatten()
            .filter(|v| v.is_finite())
            .fold((0.0_f64, 0_u32), |(sum, count), v| (sum + f64::from(*v), count + 1));
        (sum / f64::from(count.max(1))) as f32
    }

    /// Smallest and largest values.
    pub fn extent(&self) -> Extent {
        let ends =
            |axis: &[f32]| [axis.first().copied().unwrap_or(-1.0), axis.last().copied().unwrap_or(1.0)];
        let mut extent = Extent { x: ends(&self.x), y: ends(&self.y), ..Extent::EMPTY };
        for height in self.height.iter().flatten().copied().filter(|v| v.is_finite()) {
            extent.height = [extent.height[0].min(height), extent.height[1].max(height)];
            if height > 0.0 {
                extent.smallest_positive = extent.smallest_positive.min(height);
            }
        }
        extent
    }
}

impl Extent {
    /// Of nothing.
    pub const EMPTY: Self = Self {
        x: [f32::INFINITY, f32::NEG_INFINITY],
        y: [f32::INFINITY, f32::NEG_INFINITY],
        height: [f32::INFINITY, f32::NEG_INFINITY],
        smallest_positive: f32::INFINITY,
    };

    /// Of both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        let join = |a: [f32; 2], b: [f32; 2]| [a[0].min(b[0]), a[1].max(b[1])];
        Self {
            x: join(self.x, other.x),
            y: join(self.y, other.y),
            height: join(self.height, other.height),
            smallest_positive: self.smallest_positive.min(other.smallest_positive),
        }
    }
}

/// The cell of an ascending axis that holds `value`, and how far into it the value lies (0..=1).
pub(super) fn locate(axis: &[f32], value: f32) -> Option<(usize, f32)> {
    let (first, last) = (*axis.first()?, *axis.last()?);
    if axis.len() < 2 || !(first..=last).contains(&value) {
        return None;
    }
    let cell = axis.partition_point(|&v| v <= value).clamp(1, axis.len() - 1) - 1;
    Some((cell, (value - axis[cell]) / (axis[cell + 1] - axis[cell])))
}
