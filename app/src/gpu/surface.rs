//! One surface on the GPU: heights and axes as textures, triangles as indices.

use wgpu::util::{BufferInitDescriptor, DeviceExt as _};

use super::data::{Extent, SurfaceData};
use super::mesh::triangles;

/// Stands for an unknown height. Keep above `KNOWN` in `shaders/surface.wgsl`.
const HOLE: f32 = 3e38;
/// Larger heights would overflow on the way to the screen.
const LARGEST: f32 = 1e30;

/// Uploaded once per change of its data; the camera and the style need no upload.
#[derive(Debug)]
pub struct Surface {
    pub(super) bind_group: wgpu::BindGroup,
    pub(super) indices: wgpu::Buffer,
    pub(super) index_count: u32,
    pub(super) size: (usize, usize),
    pub(super) extent: Extent,
    pub(super) mean: f32,
    pub(super) at_origin: Option<f32>,
}

impl Surface {
    pub(super) fn new(
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        layout: &wgpu::BindGroupLayout,
        data: &SurfaceData,
    ) -> Self {
        let most = device.limits().max_texture_dimension_2d as usize;
        let (columns, rows) = data.size();
        let fits = columns <= most && rows <= most;
        let (width, height) = if fits { (columns.max(1), rows.max(1)) } else { (1, 1) };
        let nodes = (0..width * height)
            .map(|i| data.at(i % width, i / width).map_or(HOLE, |v| v.clamp(-LARGEST, LARGEST)));
        let heights = upload(device, queue, "surface heights", width, height, &nodes.collect::<Vec<_>>());
        let length = width.max(height);
        let mut axes = vec![0.0; 2 * length];
        if fits {
            axes[..columns].copy_from_slice(&data.x);
            axes[length..length + rows].copy_from_slice(&data.y);
        }
        let axes = upload(device, queue, "surface axes", length, 2, &axes);
        let bind_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("surface"),
            layout,
            entries: &[
                wgpu::BindGroupEntry { binding: 0, resource: wgpu::BindingResource::TextureView(&heights) },
                wgpu::BindGroupEntry { binding: 1, resource: wgpu::BindingResource::TextureView(&axes) },
            ],
        });
        let mesh = if fits { triangles(data) } else { Vec::new() };
        // A buffer of nothing is not allowed; nothing is drawn from this one then.
        let contents = if mesh.is_empty() { &[[0; 3]][..] } else { &mesh[..] };
        Self {
            bind_group,
            indices: device.create_buffer_init(&BufferInitDescriptor {
                label: Some("surface triangles"),
                contents: bytemuck::cast_slice(contents),
                usage: wgpu::BufferUsages::INDEX,
            }),
            index_count: 3 * mesh.len() as u32,
            size: (columns, rows),
            extent: data.extent(),
            mean: data.mean(),
            at_origin: data.interpolate(0.0, 0.0),
        }
    }
}

fn upload(
    device: &wgpu::Device,
    queue: &wgpu::Queue,
    label: &str,
    width: usize,
    height: usize,
    values: &[f32],
) -> wgpu::TextureView {
    let descriptor = wgpu::TextureDescriptor {
        label: Some(label),
        size: wgpu::Extent3d { width: width as u32, height: height as u32, depth_or_array_layers: 1 },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: wgpu::TextureFormat::R32Float,
        usage: wgpu::TextureUsages::TEXTURE_BINDING,
        view_formats: &[],
    };
    let order = wgpu::util::TextureDataOrder::LayerMajor;
    let texture = device.create_texture_with_data(queue, &descriptor, order, bytemuck::cast_slice(values));
    texture.create_view(&wgpu::TextureViewDescriptor::default())
}
