//! Shaders and fixed state: made once per device.

use super::surface::Node;
use super::target::{COLOR_FORMAT, DEPTH_FORMAT, SAMPLES};
use super::uniforms::LineInstance;

/// The joined source of the surface's shaders.
pub const SURFACE_WGSL: &str = concat!(
    include_str!("../../../shaders/scene.wgsl"),
    include_str!("../../../shaders/colormap.wgsl"),
    include_str!("../../../shaders/contour.wgsl"),
    include_str!("../../../shaders/surface.wgsl"),
);

/// The joined source of the shaders for lines and dots.
pub const LINES_WGSL: &str =
    concat!(include_str!("../../../shaders/scene.wgsl"), include_str!("../../../shaders/lines.wgsl"),);

/// How drawing treats depth and what is there already.
#[derive(Clone, Copy)]
enum Mode {
    /// Over everything before, under everything after.
    Background,
    /// Hides what is behind.
    Opaque,
    /// Leaves only its depth.
    DepthOnly,
    /// Over what is there, where nothing is in front.
    Blended,
}

/// All pipelines and the layouts of what is bound to them.
#[derive(Debug)]
pub(super) struct Pipelines {
    pub(super) scene_layout: wgpu::BindGroupLayout,
    pub(super) layer_layout: wgpu::BindGroupLayout,
    /// Contour map on the floor.
    pub(super) floor: wgpu::RenderPipeline,
    /// Opaque surface.
    pub(super) opaque: wgpu::RenderPipeline,
    /// Depth of a transparent surface, before its colours.
    pub(super) depth: wgpu::RenderPipeline,
    /// Colours of a transparent surface.
    pub(super) blended: wgpu::RenderPipeline,
    /// Grid of the box.
    pub(super) back_lines: wgpu::RenderPipeline,
    /// Lines among the surfaces.
    pub(super) lines: wgpu::RenderPipeline,
}

impl Pipelines {
    pub(super) fn new(device: &wgpu::Device) -> Self {
        let uniform = |label, dynamic| {
            device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                label: Some(label),
                entries: &[wgpu::BindGroupLayoutEntry {
                    binding: 0,
                    visibility: wgpu::ShaderStages::VERTEX_FRAGMENT,
                    ty: wgpu::BindingType::Buffer {
                        ty: wgpu::BufferBindingType::Uniform,
                        has_dynamic_offset: dynamic,
                        min_binding_size: None,
                    },
                    count: None,
                }],
            })
        };
        let scene_layout = uniform("surface scene", false);
        let layer_layout = uniform("surface layer", true);
        let layout = |groups: &[Option<&wgpu::BindGroupLayout>]| {
            device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: Some("surface"),
                bind_group_layouts: groups,
                immediate_size: 0,
            })
        };
        let mesh_layout = layout(&[Some(&scene_layout), Some(&layer_layout)]);
        let line_layout = layout(&[Some(&scene_layout)]);
        let module = |label, source: &'static str| {
            device.create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some(label),
                source: wgpu::ShaderSource::Wgsl(source.into()),
            })
        };
        let meshes = module("surface.wgsl", SURFACE_WGSL);
        let strokes = module("lines.wgsl", LINES_WGSL);
        let mesh = |vertex, fragment, mode| pipeline(device, &mesh_layout, &meshes, vertex, fragment, mode);
        let line = |mode| pipeline(device, &line_layout, &strokes, "vs_line", "fs_line", mode);
        Self {
            floor: mesh("vs_floor", "fs_floor", Mode::Background),
            opaque: mesh("vs_surface", "fs_surface", Mode::Opaque),
            depth: mesh("vs_surface", "fs_depth", Mode::DepthOnly),
            blended: mesh("vs_surface", "fs_surface", Mode::Blended),
            back_lines: line(Mode::Background),
            lines: line(Mode::Blended),
            scene_layout,
            layer_layout,
        }
    }
}

fn pipeline(
    device: &wgpu::Device,
    layout: &wgpu::PipelineLayout,
    module: &wgpu::ShaderModule,
    vertex: &str,
    fragment: &str,
    mode: Mode,
) -> wgpu::RenderPipeline {
    let lines = vertex == "vs_line";
    let buffer = if lines {
        wgpu::VertexBufferLayout {
            array_stride: size_of::<LineInstance>() as u64,
            step_mode: wgpu::VertexStepMode::Instance,
            attributes: &LineInstance::ATTRIBUTES,
        }
    } else {
        wgpu::VertexBufferLayout {
            array_stride: size_of::<Node>() as u64,
            step_mode: wgpu::VertexStepMode::Vertex,
            attributes: &Node::ATTRIBUTES,
        }
    };
    let depth_compare = match mode {
        Mode::Background => wgpu::CompareFunction::Always,
        _ => wgpu::CompareFunction::LessEqual,
    };
    let color = wgpu::ColorTargetState {
        format: COLOR_FORMAT,
        blend: Some(wgpu::BlendState::PREMULTIPLIED_ALPHA_BLENDING),
        write_mask: match mode {
            Mode::DepthOnly => wgpu::ColorWrites::empty(),
            _ => wgpu::ColorWrites::ALL,
        },
    };
    device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: Some(fragment),
        layout: Some(layout),
        vertex: wgpu::VertexState {
            module,
            entry_point: Some(vertex),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            buffers: &[Some(buffer)],
        },
        primitive: wgpu::PrimitiveState {
            topology: match lines {
                true => wgpu::PrimitiveTopology::TriangleStrip,
                false => wgpu::PrimitiveTopology::TriangleList,
            },
            ..wgpu::PrimitiveState::default()
        },
        depth_stencil: Some(wgpu::DepthStencilState {
            format: DEPTH_FORMAT,
            depth_write_enabled: Some(matches!(mode, Mode::Opaque | Mode::DepthOnly)),
            depth_compare: Some(depth_compare),
            stencil: wgpu::StencilState::default(),
            bias: wgpu::DepthBiasState::default(),
        }),
        multisample: wgpu::MultisampleState { count: SAMPLES, ..wgpu::MultisampleState::default() },
        fragment: Some(wgpu::FragmentState {
            module,
            entry_point: Some(fragment),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            targets: &[Some(color)],
        }),
        multiview_mask: None,
        cache: None,
    })
}
