//! Triangles over a grid.

use crate::plot::ColorMap;

/// What a mesh is made of: values over a grid.
#[derive(Debug, Clone, Copy)]
pub struct Heights<'a> {
    /// Steps of the columns, ascending.
    pub x: &'a [f64],
    /// Steps of the rows, ascending.
    pub y: &'a [f64],
    /// Row by row; none: a hole.
    pub values: &'a [Option<f64>],
    /// Whether heights are decimal logarithms of the values; values that have none are holes.
    pub log: bool,
    /// Larger values are holes.
    pub clip: Option<f64>,
    /// Colours of heights.
    pub map: ColorMap,
}

/// Triangles over a grid, counterclockwise seen from above; vertices without triangle are left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Mesh {
    /// x, y and value of each vertex.
    pub steps: Vec<[f64; 3]>,
    /// Coordinates of each vertex in the box of the 3-D view.
    pub points: Vec<[f32; 3]>,
    /// Unit vectors that stand on the surface in that box.
    pub normals: Vec<[f32; 3]>,
    /// sRGB.
    pub colors: Vec<[u8; 3]>,
    /// Three vertices each.
    pub triangles: Vec<[u32; 3]>,
}

impl Mesh {
    /// The mesh of a surface.
    ///
    /// # Errors
    /// A sentence: no three neighbouring points have values.
    pub fn of(heights: &Heights<'_>) -> Result<Self, String> {
        let Heights { x, y, values, log, clip, map } = *heights;
        let height = |value: f64| if log { value.log10() } else { value };
        let shown = |at: usize| {
            let value = (*values.get(at)?)?;
            (clip.is_none_or(|clip| value <= clip) && height(value).is_finite()).then_some(value)
        };
        let mut triangles = Vec::new();
        for row in 1..y.len() {
            for column in 1..x.len() {
                let corner = |right: usize, up: usize| {
                    let at = (row - 1 + up) * x.len() + column - 1 + right;
                    shown(at).map(|_| at)
                };
                // Counterclockwise; of four corners two triangles, of three the one there is.
                let corners = [corner(0, 0), corner(1, 0), corner(1, 1), corner(0, 1)];
                let there: Vec<usize> = corners.into_iter().flatten().collect();
                match there[..] {
                    [a, b, c, d] => triangles.extend([[a, b, c], [a, c, d]]),
                    [a, b, c] => triangles.push([a, b, c]),
                    _ => {}
                }
            }
        }
        let mut number = vec![u32::MAX; values.len()];
        let mut used: Vec<usize> = triangles.iter().flatten().copied().collect();
        used.sort_unstable();
        used.dedup();
        used.iter().enumerate().for_each(|(at, vertex)| number[*vertex] = at as u32);
        let steps: Vec<[f64; 3]> =
            used.iter().filter_map(|at| Some([x[at % x.len()], y[at / x.len()], shown(*at)?])).collect();
        let heights = || steps.iter().map(|[.., value]| height(*value));
        let (low, high) =
            heights().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        if low > high {
            return Err(
                "has no three neighbouring points with values to be shown, so there is no mesh".into()
            );
        }
        let middle = |steps: &[f64]| 0.5 * (steps[0] + steps[steps.len() - 1]);
        let length = |steps: &[f64]| steps[steps.len() - 1] - steps[0];
        let scale = 2.0 / length(x).max(length(y));
        let part = |value: f64| if high > low { (height(value) - low) / (high - low) } else { 0.0 };
        let point = |[px, py, value]: &[f64; 3]| {
            [((px - middle(x)) * scale) as f32, ((py - middle(y)) * scale) as f32, part(*value) as f32]
        };
        let color = |[.., value]: &[f64; 3]| {
            let color = map.at(part(*value));
            [color.r, color.g, color.b]
        };
        let points: Vec<[f32; 3]> = steps.iter().map(point).collect();
        let triangles: Vec<[u32; 3]> =
            triangles.into_iter().map(|corners| corners.map(|corner| number[corner])).collect();
        let normals = normals(&points, &triangles);
        Ok(Self { colors: steps.iter().map(color).collect(), steps, points, normals, triangles })
    }

    /// A triangle's corners in the box.
    pub(super) fn corners(&self, triangle: &[u32; 3]) -> [[f32; 3]; 3] {
        triangle.map(|corner| self.points[corner as usize])
    }
}

/// Vector that stands on a triangle, as long as twice its area.
pub(super) fn across([a, b, c]: [[f32; 3]; 3]) -> glam::Vec3 {
    let [a, b, c] = [a, b, c].map(glam::Vec3::from_array);
    (b - a).cross(c - a)
}

/// For each vertex the mean of its triangles' directions, weighted by their areas.
fn normals(points: &[[f32; 3]], triangles: &[[u32; 3]]) -> Vec<[f32; 3]> {
    let mut sums = vec![glam::Vec3::ZERO; points.len()];
    for triangle in triangles {
        let normal = across(triangle.map(|corner| points[corner as usize]));
        triangle.iter().for_each(|corner| sums[*corner as usize] += normal);
    }
    sums.into_iter().map(|sum| sum.normalize_or(glam::Vec3::Z).to_array()).collect()
}
