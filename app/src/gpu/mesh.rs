//! Triangles over the known nodes of a grid.
//!
//! A cell of a small grid is split into four at its middle, whose height is the mean of the corners': no
//! diagonal is preferred, contour lines are smooth. In a large grid, where a cell is a few pixels, two
//! triangles do; the diagonal that bends less keeps ridges and valleys smooth. A node that is a hole takes its
//! triangles with it.

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
    for y in 0..rows - 1 {
        for x in 0..columns - 1 {
            mesh.cell(x, y);
        }
    }
    mesh.triangles
}

/// Triangles of the one cell whose lower left node is `(ix, iy)`.
pub(super) fn cell_triangles(data: &SurfaceData, ix: usize, iy: usize) -> Vec<[u32; 3]> {
    let mut mesh = Mesh { data, triangles: Vec::with_capacity(2) };
    mesh.cell(ix, iy);
    mesh.triangles
}

struct Mesh<'a> {
    data: &'a SurfaceData,
    triangles: Vec<[u32; 3]>,
}

impl Mesh<'_> {
    /// The triangles of the cell whose lower left node is `(x, y)`, as far as its corners are known.
    fn cell(&mut self, x: usize, y: usize) {
        let nodes = [(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1)];
        let height = nodes.map(|(x, y)| self.data.at(x, y));
        let [a, b, c, d] = nodes.map(|(x, y)| self.index(x, y));
        match height {
            [Some(_), Some(_), Some(_), Some(_)] if has_middles(self.data) => {
                let (columns, rows) = self.data.size();
                let middle = (columns * rows + y * (columns - 1) + x) as u32;
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

    fn grid(n: usize, known: impl Fn(usize, usize) -> bool) -> SurfaceData {
        let axis: Vec<f32> = (0..n).map(|i| i as f32).collect();
        let height = (0..n * n).map(|i| known(i % n, i / n).then_some(1.0)).collect();
        SurfaceData { x: axis.clone(), y: axis, height, path: Vec::new() }
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
        assert_eq!(area(&grid(7, |_, _| true)), 36.0);
        assert_eq!(area(&grid(130, |_, _| true)), 129.0 * 129.0);
        assert_eq!(area(&grid(7, |x, y| (x, y) != (3, 3))), 34.0);
    }
}
