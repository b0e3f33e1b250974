//! One surface on the GPU: a vertex for every node of the grid, and triangles between the known ones.

use bytemuck::{Pod, Zeroable};
use wgpu::util::{BufferInitDescriptor, DeviceExt as _};

use super::data::{Extent, SurfaceData};
use super::mesh::{has_middles, triangles};

/// Larger heights would overflow on the way to the screen.
const LARGEST: f32 = 1e30;

/// Uploaded once per change of its data; the camera and the style need no upload.
#[derive(Debug)]
pub struct Surface {
    pub(super) nodes: wgpu::Buffer,
    pub(super) indices: wgpu::Buffer,
    pub(super) index_count: u32,
    pub(super) size: (usize, usize),
    pub(super) extent: Extent,
    pub(super) mean: f32,
    pub(super) at_origin: Option<f32>,
    /// Places of a path, and which of them are its own.
    pub(super) path: Vec<([f32; 3], bool)>,
}

impl Surface {
    pub(super) fn new(device: &wgpu::Device, data: &SurfaceData) -> Self {
        let extent = data.extent();
        let mesh = triangles(data);
        let index_count = 3 * mesh.len() as u32;
        let buffer = |label, contents: &[u8], usage| {
            // A buffer of nothing is not allowed; nothing is drawn from this one then.
            let contents = if contents.is_empty() { &[0; 4] } else { contents };
            device.create_buffer_init(&BufferInitDescriptor { label: Some(label), contents, usage })
        };
        let nodes = nodes(data, &extent);
        let (vertex, index) = (wgpu::BufferUsages::VERTEX, wgpu::BufferUsages::INDEX);
        Self {
            nodes: buffer("surface nodes", bytemuck::cast_slice(&nodes), vertex),
            indices: buffer("surface triangles", bytemuck::cast_slice(&mesh), index),
            index_count,
            size: data.size(),
            extent,
            mean: data.mean(),
            at_origin: data.interpolate(0.0, 0.0),
            path: data.path_on_surface(),
        }
    }
}

/// Keep in sync with `Node` in `shaders/surface.wgsl`, which says what the numbers are.
#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
pub(super) struct Node {
    place: [f32; 2],
    height: [f32; 2],
    slope: [f32; 2],
    log_slope: [f32; 2],
    grid: [f32; 2],
}

impl Node {
    /// As the vertex shader takes it.
    pub(super) const ATTRIBUTES: [wgpu::VertexAttribute; 5] = wgpu::vertex_attr_array![
        0 => Float32x2, 1 => Float32x2, 2 => Float32x2, 3 => Float32x2, 4 => Float32x2
    ];
}

fn nodes(data: &SurfaceData, extent: &Extent) -> Vec<Node> {
    let (columns, rows) = data.size();
    let height = |ix: usize, iy: usize| data.at(ix, iy).map(|v| v.clamp(-LARGEST, LARGEST));
    let log = |v: f32| v.max(extent.smallest_positive.min(LARGEST)).log10();
    let node = |ix: usize, iy: usize| {
        let along_x = slope(&data.x, ix, |i| height(i, iy), log);
        let along_y = slope(&data.y, iy, |i| height(ix, i), log);
        Node {
            place: [data.x[ix], data.y[iy]],
            height: height(ix, iy).map_or([0.0; 2], |height| [height, log(height)]),
            slope: [along_x.0, along_y.0],
            log_slope: [along_x.1, along_y.1],
            grid: [ix as f32, iy as f32],
        }
    };
    let indices = |columns, rows| (0..rows).flat_map(move |iy| (0..columns).map(move |ix| (ix, iy)));
    let mut nodes: Vec<Node> = indices(columns, rows).map(|(ix, iy)| node(ix, iy)).collect();
    if has_middles(data) {
        for (ix, iy) in indices(columns - 1, rows - 1) {
            let corner = iy * columns + ix;
            nodes.push(mean([corner, corner + 1, corner + columns, corner + columns + 1].map(|i| nodes[i])));
        }
    }
    nodes
}

/// The middle of a cell. Where a corner is a hole it is in no triangle.
fn mean(corners: [Node; 4]) -> Node {
    let mut sum = [0.0; size_of::<Node>() / size_of::<f32>()];
    for corner in &corners {
        let numbers: &[f32] = bytemuck::cast_slice(bytemuck::bytes_of(corner));
        sum.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += 0.25 * number);
    }
    bytemuck::cast(sum)
}

/// Slope of the heights and of their logarithms between the nearest known nodes on both sides, or on one.
fn slope(
    axis: &[f32],
    i: usize,
    height: impl Fn(usize) -> Option<f32>,
    log: impl Fn(f32) -> f32,
) -> (f32, f32) {
    let Some(here) = height(i) else { return (0.0, 0.0) };
    // Grids fill in coarse to fine: known nodes are one, two, four … nodes away.
    let steps = || (0..).map(|power| 1_usize << power).take_while(|step| *step < axis.len());
    let known = |j: usize| height(j).map(|height| (axis[j], height));
    let before = steps().filter_map(|step| i.checked_sub(step)).find_map(known);
    let after = steps().map(|step| i + step).filter(|j| *j < axis.len()).find_map(known);
    let here = (axis[i], here);
    let (a, b) = (before.unwrap_or(here), after.unwrap_or(here));
    let run = b.0 - a.0;
    if run > 0.0 { ((b.1 - a.1) / run, (log(b.1) - log(a.1)) / run) } else { (0.0, 0.0) }
}
