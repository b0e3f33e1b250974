//! Triangles over the known nodes of a grid.
//!
//! A cell of a small grid is split into four at its middle, whose height is the mean of the corners': no
//! diagonal is preferred, contour lines are smooth. In a large grid, where a cell is a few pixels, two
//! triangles do; the diagonal that bends less keeps ridges and valleys smooth. A node that is a hole takes
//! its triangles with it. While a grid is filling in, see [`SurfaceData::filling`], a cell
//! of the finest known level stands in for what is still missing inside.

use super::data::SurfaceData;

/// Grids of at most so many nodes are split at the middle of their cells.
const SMALL: usize = 120 * 120;

/// Whether the surface has vertices in the middle of its cells, numbered row by row after the nodes.
pub(super) fn has_middles(data: &SurfaceData) -> bool {
    let (columns, rows) = data.size();
    columns > 1 && rows > 1 && columns * rows <= SMALL
}

/// Corner indices of every triangle, counter-clockwise seen from above: `iy * columns + ix` for nodes, after
/// these `iy * (columns - 1) + ix` for the middles of cells.
pub(super) fn triangles(data: &SurfaceData) -> Vec<[u32; 3]> {
    let (columns, rows) = data.size();
    if columns < 2 || rows < 2 {
        return Vec::new();
    }
    let mut mesh = Mesh { data, triangles: Vec::with_capacity(2 * (columns - 1) * (rows - 1)) };
    let step = if data.filling { (columns.max(rows) - 1).next_power_of_two() } else { 1 };
    for y in (0..rows - 1).step_by(step) {
        for x in (0..columns - 1).step_by(step) {
            mesh.cell(x, y, step);
        }
    }
    mesh.triangles
}

/// Triangles of the one cell whose lower left node is `(ix, iy)`, as drawn when nothing is filling.
pub(super) fn cell_triangles(data: &SurfaceData, ix: usize, iy: usize) -> Vec<[u32; 3]> {
    let mut mesh = Mesh { data, triangles: Vec::with_capacity(2) };
    mesh.quad([ix, iy], [ix + 1, iy + 1]);
    mesh.triangles
}

struct Mesh<'a> {
    data: &'a SurfaceData,
    triangles: Vec<[u32; 3]>,
}

impl Mesh<'_> {
    /// Covers the cell of `step` nodes a side, cut off at the grid's end.
    fn cell(&mut self, x: usize, y: usize, step: usize) {
        let (columns, rows) = self.data.size();
        let (right, top) = ((x + step).min(columns - 1), (y + step).min(rows - 1));
        if step == 1 || x >= right || y >= top {
            if x < right && y < top {
                self.quad([x, y], [right, top]);
            }
            return;
        }
        let half = step / 2;
        let (mid_x, mid_y) = ((x + half).min(right), (y + half).min(top));
        let known = |x, y| self.data.at(x, y).is_some();
        let whole = known(x, y) && known(right, y) && known(x, top) && known(right, top);
        let (south, north) = (known(mid_x, y), known(mid_x, top));
        let (west, east, center) = (known(x, mid_y), known(right, mid_y), known(mid_x, mid_y));
        if !whole || (south && north && west && east && center) {
            self.cell(x, y, half);
            self.cell(x + half, y, half);
            self.cell(x, y + half, half);
            self.cell(x + half, y + half, half);
        } else if center && mid_x < right && mid_y < top {
            let ring = [
                (x, y, true),
                (mid_x, y, south),
                (right, y, true),
                (right, mid_y, east),
                (right, top, true),
                (mid_x, top, north),
                (x, top, true),
                (x, mid_y, west),
            ];
            let ring: Vec<u32> =
                ring.iter().filter(|node| node.2).map(|node| self.index(node.0, node.1)).collect();
            let center = self.index(mid_x, mid_y);
            for (i, &node) in ring.iter().enumerate() {
                self.triangles.push([center, node, ring[(i + 1) % ring.len()]]);
            }
        } else {
            self.quad([x, y], [right, top]);
        }
    }

    /// The triangles between four nodes, as far as these are known.
    fn quad(&mut self, low: [usize; 2], high: [usize; 2]) {
        let nodes = [(low[0], low[1]), (high[0], low[1]), (high[0], high[1]), (low[0], high[1])];
        let height = nodes.map(|(x, y)| self.data.at(x, y));
        let [a, b, c, d] = nodes.map(|(x, y)| self.index(x, y));
        match height {
            [Some(_), Some(_), Some(_), Some(_)]
                if high == [low[0] + 1, low[1] + 1] && has_middles(self.data) =>
            {
                let (columns, rows) = self.data.size();
                let middle = (columns * rows + low[1] * (columns - 1) + low[0]) as u32;
                self.triangles.extend([[a, b, middle], [b, c, middle], [c, d, middle], [d, a, middle]]);
            }
            [Some(ha), Some(hb), Some(hc), Some(hd)] => {
                if (ha - hc).abs() <= (hb - hd).abs() {
                    self.triangles.extend([[a, b, c], [a, c, d]]);
                } else {
                    self.triangles.extend([[a, b, d], [b, c, d]]);
                }
            }
            [Some(_), Some(_), Some(_), None] => self.triangles.push([a, b, c]),
            [Some(_), Some(_), None, Some(_)] => self.triangles.push([a, b, d]),
            [Some(_), None, Some(_), Some(_)] => self.triangles.push([a, c, d]),
            [None, Some(_), Some(_), Some(_)] => self.triangles.push([b, c, d]),
            _ => {}
        }
    }

    fn index(&self, x: usize, y: usize) -> u32 {
        (y * self.data.x.len() + x) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(n: usize, known: impl Fn(usize, usize) -> bool, filling: bool) -> SurfaceData {
        let axis: Vec<f32> = (0..n).map(|i| i as f32).collect();
        let height = (0..n * n).map(|i| known(i % n, i / n).then_some(1.0)).collect();
        SurfaceData { x: axis.clone(), y: axis, height, filling }
    }

    /// Area seen from above, in cells.
    fn area(data: &SurfaceData) -> f32 {
        let (columns, nodes) = (data.x.len(), data.x.len() * data.y.len());
        let point = |i: u32| match (i as usize).checked_sub(nodes) {
            None => ((i as usize % columns) as f32, (i as usize / columns) as f32),
            Some(cell) => ((cell % (columns - 1)) as f32 + 0.5, (cell / (columns - 1)) as f32 + 0.5),
        };
        let twice = |t: &[u32; 3]| {
            let [(ax, ay), (bx, by), (cx, cy)] = t.map(point);
            (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        };
        let areas: Vec<f32> = triangles(data).iter().map(twice).collect();
        assert!(areas.iter().all(|a| *a > 0.0), "counter-clockwise");
        areas.iter().sum::<f32>() / 2.0
    }

    #[test]
    fn a_hole_takes_its_triangles_with_it() {
        assert_eq!(area(&grid(7, |_, _| true, false)), 36.0);
        assert_eq!(area(&grid(130, |_, _| true, false)), 129.0 * 129.0);
        assert_eq!(area(&grid(7, |x, y| (x, y) != (3, 3), false)), 34.0);
    }

    #[test]
    fn coarse_cells_stand_in_while_filling() {
        for n in [9, 11, 13] {
            let whole = ((n - 1) * (n - 1)) as f32;
            let last = n - 1;
            let coarse = move |i: usize, s: usize| i.is_multiple_of(s) || i == last;
            assert_eq!(area(&grid(n, |x, y| coarse(x, 4) && coarse(y, 4), true)), whole, "stride 4 of {n}");
            let part = |x, y| (coarse(x, 4) && coarse(y, 4)) || (y <= 4 && coarse(x, 2) && coarse(y, 2));
            assert_eq!(area(&grid(n, part, true)), whole, "half refined {n}");
            assert_eq!(area(&grid(n, |_, _| true, true)), whole, "complete {n}");
        }
    }
}
