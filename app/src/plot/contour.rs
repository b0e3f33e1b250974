//! Iso-lines and regions of a function known on a grid, as exact polygons (no raster).
//!
//! Every grid cell is cut into four triangles that meet in its centre, whose value is the mean of the corners;
//! inside a triangle the function is linear. So there are no ambiguous cells, and lines and regions always fit
//! together. A cell with an unknown corner is left out: a hole. A point belongs to the region of a level if
//! its value is at least the level.

use std::collections::HashMap;

/// Values on a rectangular grid.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    x: Vec<f64>,
    y: Vec<f64>,
    /// Of the corners row by row, then of the centres of the cells; NaN where unknown.
    values: Vec<f64>,
}

/// A line through points; a closed one does not repeat its first point.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    /// The points.
    pub points: Vec<[f64; 2]>,
    /// Whether the last point is joined to the first.
    pub closed: bool,
}

/// Where a point lies: on node `a` (then `a == b`) or on the edge between two nodes. Corners are numbered row by
/// row, then the centres of the cells.
type Key = (u32, u32);

impl Grid {
    /// A grid of ascending columns and rows; values row by row, none (or not finite) where unknown.
    pub fn new(x: &[f64], y: &[f64], values: &[Option<f64>]) -> Self {
        let (nx, ny) = (x.len(), y.len());
        let known = |i: usize| values.get(i).copied().flatten().filter(|v| v.is_finite()).unwrap_or(f64::NAN);
        let mut nodes: Vec<f64> = (0..nx * ny).map(known).collect();
        for iy in 0..ny.saturating_sub(1) {
            for ix in 0..nx.saturating_sub(1) {
                let i = iy * nx + ix;
                nodes.push((nodes[i] + nodes[i + 1] + nodes[i + nx] + nodes[i + nx + 1]) / 4.0);
            }
        }
        Self { x: x.to_vec(), y: y.to_vec(), values: nodes }
    }

    fn value(&self, node: u32) -> f64 {
        self.values[node as usize]
    }

    fn position(&self, node: u32) -> [f64; 2] {
        let (nx, corners) = (self.x.len(), self.x.len() * self.y.len());
        match (node as usize).checked_sub(corners) {
            None => [self.x[node as usize % nx], self.y[node as usize / nx]],
            Some(cell) => {
                let (ix, iy) = (cell % (nx - 1), cell / (nx - 1));
                [(self.x[ix] + self.x[ix + 1]) / 2.0, (self.y[iy] + self.y[iy + 1]) / 2.0]
            }
        }
    }

    fn point(&self, key: Key, level: f64) -> [f64; 2] {
        let (a, b) = (self.position(key.0), self.position(key.1));
        if key.0 == key.1 {
            return a;
        }
        let (va, vb) = (self.value(key.0), self.value(key.1));
        let t = ((level - va) / (vb - va)).clamp(0.0, 1.0);
        [a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])]
    }

    /// Whether the cell at column `ix`, row `iy` is inside of the grid with four known corners.
    fn is_known(&self, ix: usize, iy: usize) -> bool {
        let (nx, ny) = (self.x.len(), self.y.len());
        ix + 1 < nx && iy + 1 < ny && !self.values[nx * ny + iy * (nx - 1) + ix].is_nan()
    }

    /// Centre and corners (counter-clockwise) of every known cell.
    fn cells(&self) -> impl Iterator<Item = (u32, [u32; 4])> + '_ {
        let (nx, ny) = (self.x.len(), self.y.len());
        (0..ny.saturating_sub(1)).flat_map(move |iy| {
            (0..nx.saturating_sub(1)).filter(move |ix| self.is_known(*ix, iy)).map(move |ix| {
                let (i, row) = ((iy * nx + ix) as u32, nx as u32);
                ((nx * ny + iy * (nx - 1) + ix) as u32, [i, i + 1, i + row + 1, i + row])
            })
        })
    }
}

/// Lines along which the function equals `level`, the higher side to the left.
pub fn iso_lines(grid: &Grid, level: f64) -> Vec<Path> {
    chain(grid, level, iso_segments(grid, level))
}

/// The outline of the region where the function is at least `level`: outer rings counter-clockwise, holes
/// clockwise. With `f64::NEG_INFINITY`: everything that is known.
pub fn region(grid: &Grid, level: f64) -> Vec<Path> {
    let mut segments = iso_segments(grid, level);
    for (_, corners) in grid.cells() {
        for i in 0..4 {
            let (a, b) = (corners[i], corners[(i + 1) % 4]);
            if (grid.value(a) < level && grid.value(b) < level) || neighbour_known(grid, a, b) {
                continue;
            }
            match (grid.value(a) >= level, grid.value(b) >= level) {
                (true, true) => segments.push(((a, a), (b, b))),
                (true, false) => segments.push(((a, a), edge(a, b))),
                (false, true) => segments.push((edge(a, b), (b, b))),
                (false, false) => {}
            }
        }
    }
    chain(grid, level, segments)
}

/// Whether the cell on the right of the directed edge `a -> b` (of a cell's counter-clockwise outline) is known.
fn neighbour_known(grid: &Grid, a: u32, b: u32) -> bool {
    let (nx, ny) = (grid.x.len(), grid.y.len());
    let (ax, ay, bx, by) = (a as usize % nx, a as usize / nx, b as usize % nx, b as usize / nx);
    let below_or_right = (ax.min(bx), ay.min(by));
    let cell = if bx > ax {
        (below_or_right.1 > 0).then(|| (below_or_right.0, below_or_right.1 - 1))
    } else if bx < ax {
        (ay + 1 < ny).then_some(below_or_right)
    } else if by > ay {
        (ax + 1 < nx).then_some(below_or_right)
    } else {
        (ax > 0).then(|| (ax - 1, below_or_right.1))
    };
    cell.is_some_and(|(ix, iy)| grid.is_known(ix, iy))
}

fn edge(a: u32, b: u32) -> Key {
    (a.min(b), a.max(b))
}

fn iso_segments(grid: &Grid, level: f64) -> Vec<(Key, Key)> {
    let mut segments = Vec::new();
    for (centre, corners) in grid.cells() {
        let inside = corners.map(|n| grid.value(n) >= level);
        if inside.iter().all(|i| *i == inside[0]) && (grid.value(centre) >= level) == inside[0] {
            continue;
        }
        for i in 0..4 {
            let triangle = [corners[i], corners[(i + 1) % 4], centre];
            let (mut out, mut back) = (None, None);
            for j in 0..3 {
                let (a, b) = (triangle[j], triangle[(j + 1) % 3]);
                match (grid.value(a) >= level, grid.value(b) >= level) {
                    (true, false) => out = Some(edge(a, b)),
                    (false, true) => back = Some(edge(a, b)),
                    _ => {}
                }
            }
            if let (Some(out), Some(back)) = (out, back) {
                segments.push((out, back));
            }
        }
    }
    segments
}

/// Joins directed segments into paths.
fn chain(grid: &Grid, level: f64, segments: Vec<(Key, Key)>) -> Vec<Path> {
    let mut next: HashMap<Key, Vec<Key>> = HashMap::with_capacity(segments.len());
    let mut entered: HashMap<Key, usize> = HashMap::with_capacity(segments.len());
    for (from, to) in segments.iter().rev() {
        next.entry(*from).or_default().push(*to);
        *entered.entry(*to).or_default() += 1;
    }
    // Open lines first, from their beginnings; what is left are rings.
    let starts = segments.iter().map(|s| s.0);
    let open = starts.clone().filter(|k| !entered.contains_key(k)).collect::<Vec<_>>();
    let mut paths = Vec::new();
    for start in open.into_iter().chain(starts) {
        while next.get(&start).is_some_and(|n| !n.is_empty()) {
            let mut keys = vec![start];
            let mut at = start;
            while let Some(to) = next.get_mut(&at).and_then(Vec::pop) {
                at = to;
                if at == start {
                    break;
                }
                keys.push(at);
            }
            let closed = at == start;
            let points = tidy(keys.into_iter().map(|k| grid.point(k, level)).collect(), closed);
            if points.len() >= if closed { 3 } else { 2 } {
                paths.push(Path { points, closed });
            }
        }
    }
    paths
}

/// Drops repeated points and points in the middle of straight stretches.
fn tidy(points: Vec<[f64; 2]>, closed: bool) -> Vec<[f64; 2]> {
    let mut out: Vec<[f64; 2]> = Vec::with_capacity(points.len());
    for point in points {
        while let [.., a, b] = out[..]
            && straight(a, b, point)
        {
            out.pop();
        }
        if out.last() != Some(&point) {
            out.push(point);
        }
    }
    if closed {
        while out.len() > 3 && straight(out[out.len() - 2], out[out.len() - 1], out[0]) {
            out.pop();
        }
        while out.len() > 3 && straight(out[out.len() - 1], out[0], out[1]) {
            out.remove(0);
        }
    }
    out
}

fn straight(a: [f64; 2], b: [f64; 2], c: [f64; 2]) -> bool {
    let (u, v) = ([b[0] - a[0], b[1] - a[1]], [c[0] - b[0], c[1] - b[1]]);
    let (cross, dot) = (u[0] * v[1] - u[1] * v[0], u[0] * v[0] + u[1] * v[1]);
    dot >= 0.0 && cross.abs() <= 1e-12 * (u[0].hypot(u[1]) * v[0].hypot(v[1])).max(f64::MIN_POSITIVE)
}

/// The area enclosed by rings: counter-clockwise ones count positive, clockwise ones negative.
pub fn area(rings: &[Path]) -> f64 {
    rings
        .iter()
        .map(|ring| {
            let p = &ring.points;
            (0..p.len())
                .map(|i| {
                    let (a, b) = (p[i], p[(i + 1) % p.len()]);
                    (a[0] * b[1] - b[0] * a[1]) / 2.0
                })
                .sum::<f64>()
        })
        .sum()
}

/// Triangles that fill the grid, each within one band between ascending `levels`, for drawing on a GPU: band 0
/// lies below `levels[0]`, band `n` at or above `levels[n - 1]`.
pub fn band_triangles(grid: &Grid, levels: &[f64]) -> Vec<(usize, [[f64; 2]; 3])> {
    let band = |v: f64| levels.partition_point(|l| *l <= v);
    let mut out = Vec::new();
    for (centre, corners) in grid.cells() {
        let bands = corners.map(|n| band(grid.value(n)));
        let at = corners.map(|n| grid.position(n));
        if bands.iter().all(|b| *b == bands[0]) && band(grid.value(centre)) == bands[0] {
            out.push((bands[0], [at[0], at[1], at[2]]));
            out.push((bands[0], [at[0], at[2], at[3]]));
            continue;
        }
        for i in 0..4 {
            let triangle = [corners[i], corners[(i + 1) % 4], centre];
            let points = triangle.map(|n| (grid.position(n), grid.value(n)));
            let (low, high) = (
                points.iter().map(|p| band(p.1)).min().unwrap_or(0),
                points.iter().map(|p| band(p.1)).max().unwrap_or(0),
            );
            let mut rest = points.to_vec();
            let mut fan = |band: usize, piece: &[([f64; 2], f64)]| {
                for i in 2..piece.len() {
                    out.push((band, [piece[0].0, piece[i - 1].0, piece[i].0]));
                }
            };
            for (i, cut) in levels[low..high].iter().enumerate() {
                fan(low + i, &clip(&rest, |v| cut - v));
                rest = clip(&rest, |v| v - cut);
            }
            fan(high, &rest);
        }
    }
    out
}

/// The part of a convex polygon where `side` of the value is not negative.
fn clip(polygon: &[([f64; 2], f64)], side: impl Fn(f64) -> f64) -> Vec<([f64; 2], f64)> {
    let mut out = Vec::with_capacity(polygon.len() + 1);
    for i in 0..polygon.len() {
        let ((p, v), (q, w)) = (polygon[i], polygon[(i + 1) % polygon.len()]);
        let (s, t) = (side(v), side(w));
        if s >= 0.0 {
            out.push((p, v));
        }
        if (s > 0.0 && t < 0.0) || (s < 0.0 && t > 0.0) {
            let f = s / (s - t);
            out.push(([p[0] + f * (q[0] - p[0]), p[1] + f * (q[1] - p[1])], v + f * (w - v)));
        }
    }
    out
}
