//! What lies under the pointer, on the CPU.

use glam::{Vec2, Vec3};

use super::camera::{Camera, Ray, Viewport};
use super::data::{SurfaceData, locate};
use super::frame::Frame;
use super::mesh::cell_triangles;

/// The computed node nearest to where the pointer meets the surface.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pick {
    /// Its column.
    pub ix: usize,
    /// Its row.
    pub iy: usize,
    /// Its x.
    pub x: f32,
    /// Its y.
    pub y: f32,
    /// Its height, as computed: neither clipped nor logarithmic.
    pub value: f32,
    /// Its place in world space, to mark it.
    pub world: Vec3,
    /// How far along the ray the surface was met, in world units: with several surfaces the smallest wins.
    pub distance: f32,
}

/// The node seen at a pixel (from the top left). Holes and what is cut away are looked through.
///
/// Walks along the ray from cell to cell, so that the cost grows with the side of the grid only.
pub fn pick(
    data: &SurfaceData,
    frame: &Frame,
    camera: &Camera,
    viewport: &Viewport,
    pixel: Vec2,
) -> Option<Pick> {
    let grid = Grid { data, frame };
    let ray = camera.ray(pixel, viewport);
    let (start, end) = grid.inside(&ray)?;
    let mut t = start;
    let step = 1e-5;
    while t <= end {
        let point = ray.at(t + step);
        let cell = grid.cell(point);
        if let Some((ix, iy)) = cell
            && let Some((distance, node)) = grid.hit(&ray, cell_triangles(data, ix, iy))
        {
            return Some(grid.pick(node, distance));
        }
        let (ix, iy) = cell.unwrap_or_else(|| grid.nearest_cell(point));
        let exit = |axis: usize, low: f32, high: f32| {
            let (from, along) = (ray.origin[axis], ray.direction[axis]);
            let wall = if along > 0.0 { high } else { low };
            if along.abs() < 1e-9 { f32::INFINITY } else { (wall - from) / along }
        };
        let (low, high) = (grid.corner(ix, iy), grid.corner(ix + 1, iy + 1));
        let next = exit(0, low.x, high.x).min(exit(1, low.y, high.y));
        t = next.max(t + step);
    }
    None
}

impl Ray {
    fn at(&self, t: f32) -> Vec3 {
        self.origin + self.direction * t
    }
}

struct Grid<'a> {
    data: &'a SurfaceData,
    frame: &'a Frame,
}

impl Grid<'_> {
    fn corner(&self, ix: usize, iy: usize) -> Vec2 {
        let (columns, rows) = self.data.size();
        let (x, y) = (self.data.x[ix.min(columns - 1)], self.data.y[iy.min(rows - 1)]);
        self.frame.world(x, y, self.frame.height[0]).truncate()
    }

    /// The part of the ray above this surface's own rectangle.
    fn inside(&self, ray: &Ray) -> Option<(f32, f32)> {
        let (columns, rows) = self.data.size();
        if columns < 2 || rows < 2 {
            return None;
        }
        let (low, high) = (self.corner(0, 0), self.corner(columns - 1, rows - 1));
        let (mut start, mut end) = (0.0_f32, 100.0_f32);
        for axis in 0..2 {
            let (from, along) = (ray.origin[axis], ray.direction[axis]);
            if along.abs() < 1e-9 {
                if !(low[axis]..=high[axis]).contains(&from) {
                    return None;
                }
                continue;
            }
            let (a, b) = ((low[axis] - from) / along, (high[axis] - from) / along);
            start = start.max(a.min(b));
            end = end.min(a.max(b));
        }
        (start <= end).then_some((start, end))
    }

    fn data_xy(&self, point: Vec3) -> (f32, f32) {
        let [(sx, cx), (sy, cy)] = self.frame.horizontal();
        (point.x / sx + cx, point.y / sy + cy)
    }

    fn cell(&self, point: Vec3) -> Option<(usize, usize)> {
        let (x, y) = self.data_xy(point);
        Some((locate(&self.data.x, x)?.0, locate(&self.data.y, y)?.0))
    }

    fn nearest_cell(&self, point: Vec3) -> (usize, usize) {
        let (x, y) = self.data_xy(point);
        let at = |axis: &[f32], v: f32| axis.partition_point(|a| *a <= v).clamp(1, axis.len() - 1) - 1;
        (at(&self.data.x, x), at(&self.data.y, y))
    }

    /// Where the ray first meets one of the triangles, and the triangle's corner nearest to that.
    fn hit(&self, ray: &Ray, triangles: Vec<[u32; 3]>) -> Option<(f32, u32)> {
        let mut best: Option<(f32, u32)> = None;
        for triangle in triangles {
            let corners = triangle.map(|node| self.place(node));
            let Some(t) = intersect(ray, corners) else { continue };
            let point = ray.at(t);
            let top = self.frame.clip.map_or(f32::INFINITY, |clip| self.frame.elevation(clip));
            if point.z > top || best.is_some_and(|(nearest, _)| nearest <= t) {
                continue;
            }
            let aside = |node: &u32| (self.place(*node) - point).truncate().length_squared();
            let nodes = triangle.into_iter().filter(|node| self.middle(*node).is_none());
            best = nodes.min_by(|a, b| aside(a).total_cmp(&aside(b))).map(|node| (t, node));
        }
        best
    }

    /// The lower left node of the cell that a vertex is the middle of.
    fn middle(&self, vertex: u32) -> Option<usize> {
        let (columns, rows) = self.data.size();
        let cell = (vertex as usize).checked_sub(columns * rows)?;
        Some(cell / (columns - 1) * columns + cell % (columns - 1))
    }

    fn place(&self, node: u32) -> Vec3 {
        if let Some(corner) = self.middle(node) {
            let columns = self.data.x.len();
            let corners = [corner, corner + 1, corner + columns, corner + columns + 1];
            return corners.map(|node| self.place(node as u32)).into_iter().sum::<Vec3>() / 4.0;
        }
        let (ix, iy) = (node as usize % self.data.x.len(), node as usize / self.data.x.len());
        let height = self.data.at(ix, iy).unwrap_or(self.frame.height[0]);
        self.frame.world(self.data.x[ix], self.data.y[iy], height)
    }

    fn pick(&self, node: u32, distance: f32) -> Pick {
        let (ix, iy) = (node as usize % self.data.x.len(), node as usize / self.data.x.len());
        let value = self.data.at(ix, iy).unwrap_or(f32::NAN);
        let (x, y) = (self.data.x[ix], self.data.y[iy]);
        Pick { ix, iy, x, y, value, world: self.place(node), distance }
    }
}

/// Distance along the ray to a triangle (Möller and Trumbore), edges included.
fn intersect(ray: &Ray, [a, b, c]: [Vec3; 3]) -> Option<f32> {
    let (ab, ac) = (b - a, c - a);
    let p = ray.direction.cross(ac);
    let determinant = ab.dot(p);
    if determinant.abs() < 1e-12 {
        return None;
    }
    let from = ray.origin - a;
    let u = from.dot(p) / determinant;
    let q = from.cross(ab);
    let v = ray.direction.dot(q) / determinant;
    let slack = 1e-4;
    let t = ac.dot(q) / determinant;
    (u >= -slack && v >= -slack && u + v <= 1.0 + slack && t > 0.0).then_some(t)
}
