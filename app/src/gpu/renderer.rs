//! Draws surfaces into a target: one call, one submission, nothing allocated on the GPU.
//!
//! Order within a picture: the box's grid and the floor's map (always behind), opaque surfaces, the pin,
//! then transparent surfaces from the lower to the upper one, each leaving its depth before its colours,
//! so that its own far side does not shine through; last the pin once more where it is in front. Seen from
//! above, as this camera always sees, the upper of two surfaces is in front of the lower one.

use std::sync::{Mutex, PoisonError};

use super::axes;
use super::data::SurfaceData;
use super::frame::Frame;
use super::pipelines::Pipelines;
use super::surface::Surface;
use super::target::Target;
use super::uniforms::{LayerUniform, LineInstance, SceneUniform, Tile};
use super::view::SurfaceView;

/// Surfaces drawn in one picture; more are ignored.
const MAX_LAYERS: usize = 8;
/// Lines drawn in one picture.
const MAX_LINES: usize = 512;

/// Pipelines and buffers, made once per device and used for every picture.
#[derive(Debug)]
pub struct SurfaceRenderer {
    pipelines: Pipelines,
    scene: wgpu::Buffer,
    scene_group: wgpu::BindGroup,
    layers: wgpu::Buffer,
    layer_group: wgpu::BindGroup,
    /// Bytes between two layers.
    layer_stride: u32,
    lines: wgpu::Buffer,
    /// Held from writing the buffers to submitting their use, so that pictures drawn on several threads
    /// do not get each other's numbers.
    drawing: Mutex<()>,
}

impl SurfaceRenderer {
    /// Compiles the shaders.
    pub fn new(device: &wgpu::Device) -> Self {
        let pipelines = Pipelines::new(device);
        let buffer = |label, size, usage| {
            let usage = usage | wgpu::BufferUsages::COPY_DST;
            let descriptor =
                wgpu::BufferDescriptor { label: Some(label), size, usage, mapped_at_creation: false };
            device.create_buffer(&descriptor)
        };
        let layer_size = size_of::<LayerUniform>() as u64;
        let layer_stride =
            (layer_size as u32).next_multiple_of(device.limits().min_uniform_buffer_offset_alignment);
        let uniform = wgpu::BufferUsages::UNIFORM;
        let scene = buffer("surface scene", size_of::<SceneUniform>() as u64, uniform);
        let layers = buffer("surface layers", u64::from(layer_stride) * MAX_LAYERS as u64, uniform);
        let lines = buffer(
            "surface lines",
            (MAX_LINES * size_of::<LineInstance>()) as u64,
            wgpu::BufferUsages::VERTEX,
        );
        let group = |label, layout, buffer, size| {
            let resource = wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer, offset: 0, size });
            let entries = &[wgpu::BindGroupEntry { binding: 0, resource }];
            device.create_bind_group(&wgpu::BindGroupDescriptor { label: Some(label), layout, entries })
        };
        let scene_group = group("surface scene", &pipelines.scene_layout, &scene, None);
        let one_layer = std::num::NonZeroU64::new(layer_size);
        let layer_group = group("surface layers", &pipelines.layer_layout, &layers, one_layer);
        Self {
            scene_group,
            layer_group,
            pipelines,
            scene,
            layers,
            layer_stride,
            lines,
            drawing: Mutex::new(()),
        }
    }

    /// Puts a surface's numbers on the GPU.
    pub fn upload(&self, device: &wgpu::Device, data: &SurfaceData) -> Surface {
        Surface::new(device, data)
    }

    /// The frame in which [`SurfaceRenderer::render`] draws these surfaces.
    pub fn frame(surfaces: &[Surface], view: &SurfaceView) -> Frame {
        Frame::from_extents(surfaces.iter().map(|surface| surface.extent), &view.style)
    }

    /// Draws the surfaces. The target's size should be the view's.
    pub fn render(
        &self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        target: &Target,
        surfaces: &[Surface],
        view: &SurfaceView,
    ) {
        self.render_part(device, queue, target, surfaces, view, [0, 0]);
    }

    /// Draws the part of the picture that has its upper left corner at a pixel and is as large as the target.
    pub(super) fn render_part(
        &self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        target: &Target,
        surfaces: &[Surface],
        view: &SurfaceView,
        corner: [u32; 2],
    ) {
        let tile = Tile { corner, size: target.size() };
        let frame = Self::frame(surfaces, view);
        let _drawing = self.drawing.lock().unwrap_or_else(PoisonError::into_inner);
        queue.write_buffer(&self.scene, 0, bytemuck::bytes_of(&SceneUniform::new(view, &frame, tile)));
        let mut layers = Vec::with_capacity(surfaces.len());
        for (i, surface) in surfaces.iter().take(MAX_LAYERS).enumerate() {
            let style = view.style.layer(i);
            if !style.visible || style.opacity <= 0.0 || surface.index_count == 0 {
                continue;
            }
            let offset = i as u32 * self.layer_stride;
            let uniform = LayerUniform::new(&view.style, &style, surface.size);
            queue.write_buffer(&self.layers, u64::from(offset), bytemuck::bytes_of(&uniform));
            layers.push(Layer { surface, offset, opaque: style.opacity >= 1.0 });
        }
        let mut lines = Vec::with_capacity(128);
        if view.style.axes {
            axes::grid_lines(view, &frame, &mut lines);
        }
        let grid_lines = lines.len().min(MAX_LINES) as u32;
        if view.style.origin {
            axes::pin(view, &frame, layers.first().and_then(|l| l.surface.at_origin), &mut lines);
        }
        if let Some(layer) = layers.first() {
            axes::path(view, &frame, &layer.surface.path, &mut lines);
        }
        lines.truncate(MAX_LINES);
        queue.write_buffer(&self.lines, 0, bytemuck::cast_slice(&lines));
        let all_lines = lines.len() as u32;

        let mut encoder =
            device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("surface picture") });
        {
            let pass = &mut begin(&mut encoder, target, view);
            pass.set_bind_group(0, &self.scene_group, &[]);
            let [width, height] = tile.visible(view.content());
            pass.set_scissor_rect(0, 0, width, height);
            let map = &view.style.contours;
            if let Some(layer) = layers.first().filter(|_| map.on_floor || map.fill_floor) {
                self.draw(pass, &self.pipelines.floor, layer);
            }
            self.draw_lines(pass, &self.pipelines.back_lines, 0..grid_lines);
            for layer in layers.iter().filter(|layer| layer.opaque) {
                self.draw(pass, &self.pipelines.opaque, layer);
            }
            self.draw_lines(pass, &self.pipelines.lines, grid_lines..all_lines);
            let mut transparent: Vec<&Layer> = layers.iter().filter(|layer| !layer.opaque).collect();
            transparent.sort_by(|a, b| a.surface.mean.total_cmp(&b.surface.mean));
            for layer in &transparent {
                self.draw(pass, &self.pipelines.depth, layer);
                self.draw(pass, &self.pipelines.blended, layer);
            }
            if !transparent.is_empty() {
                self.draw_lines(pass, &self.pipelines.lines, grid_lines..all_lines);
            }
        }
        queue.submit([encoder.finish()]);
    }

    fn draw(&self, pass: &mut wgpu::RenderPass<'_>, pipeline: &wgpu::RenderPipeline, layer: &Layer<'_>) {
        pass.set_pipeline(pipeline);
        pass.set_bind_group(1, &self.layer_group, &[layer.offset]);
        pass.set_vertex_buffer(0, layer.surface.nodes.slice(..));
        pass.set_index_buffer(layer.surface.indices.slice(..), wgpu::IndexFormat::Uint32);
        pass.draw_indexed(0..layer.surface.index_count, 0, 0..1);
    }

    fn draw_lines(
        &self,
        pass: &mut wgpu::RenderPass<'_>,
        pipeline: &wgpu::RenderPipeline,
        range: std::ops::Range<u32>,
    ) {
        pass.set_pipeline(pipeline);
        pass.set_vertex_buffer(0, self.lines.slice(..));
        pass.draw(0..4, range);
    }
}

/// A visible surface and where its uniforms are.
struct Layer<'a> {
    surface: &'a Surface,
    offset: u32,
    opaque: bool,
}

fn begin<'a>(
    encoder: &'a mut wgpu::CommandEncoder,
    target: &'a Target,
    view: &SurfaceView,
) -> wgpu::RenderPass<'a> {
    let background = match view.style.transparent_background {
        true => wgpu::Color::TRANSPARENT,
        false => {
            let [r, g, b] = view.style.theme.background().map(f64::from);
            wgpu::Color { r, g, b, a: 1.0 }
        }
    };
    encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
        label: Some("surface picture"),
        color_attachments: &[Some(wgpu::RenderPassColorAttachment {
            view: &target.samples,
            depth_slice: None,
            resolve_target: Some(&target.view),
            ops: wgpu::Operations { load: wgpu::LoadOp::Clear(background), store: wgpu::StoreOp::Discard },
        })],
        depth_stencil_attachment: Some(wgpu::RenderPassDepthStencilAttachment {
            view: &target.depth,
            depth_ops: Some(wgpu::Operations {
                load: wgpu::LoadOp::Clear(1.0),
                store: wgpu::StoreOp::Discard,
            }),
            stencil_ops: None,
        }),
        ..wgpu::RenderPassDescriptor::default()
    })
}
