//! What the shaders read, byte for byte.

use bytemuck::{Pod, Zeroable};
use glam::{Mat4, Vec2, Vec3};

use super::camera::Projection;
use super::frame::{Frame, MAX_LEVELS};
use super::style::{Fill, HeightScale, LayerStyle, SurfaceStyle, Theme};
use super::view::SurfaceView;
use crate::plot::colormap::NODES;

/// Grid lines aimed at across a wireframe surface.
const WIRES: usize = 40;
/// A cut that cuts nothing.
const NO_CUT: f32 = 1e30;

/// Keep in sync with `Scene` in `shaders/scene.wgsl`, which says what the numbers are.
#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
pub(super) struct SceneUniform {
    matrix: [[f32; 4]; 4],
    eye: [f32; 4],
    light: [f32; 4],
    plane: [f32; 4],
    height: [f32; 4],
    color: [f32; 4],
    picture: [f32; 4],
    floor: [f32; 4],
    levels: [[f32; 4]; MAX_LEVELS / 4],
    colors: [[f32; 4]; NODES],
}

impl SceneUniform {
    pub(super) fn new(view: &SurfaceView, frame: &Frame, tile: Tile) -> Self {
        let viewport = view.viewport();
        let camera = &view.camera;
        let [right, up, forward] = camera.basis();
        let light = (up * 0.75 - right * 0.45 - forward * 0.75).normalize();
        let eye = match camera.projection {
            Projection::Perspective => camera.eye().extend(1.0),
            Projection::Orthographic => (-forward).extend(0.0),
        };
        let log = frame.scale == HeightScale::Log;
        let raw = |v: f32| if log { v.max(f32::MIN_POSITIVE).log10() } else { v };
        let [(sx, cx), (sy, cy)] = frame.horizontal();
        let (scale, lowest) = frame.vertical();
        let [start, end] = frame.colors.map(raw);
        let cut = frame.clip.map_or(NO_CUT, |clip| frame.transform(clip));
        let mut levels = [[0.0; 4]; MAX_LEVELS / 4];
        for (i, level) in frame.levels.iter().take(MAX_LEVELS).enumerate() {
            levels[i / 4][i % 4] = raw(*level);
        }
        let [width, height] = tile.size.map(|v| v as f32);
        let colors = view.style.colormap.nodes();
        let dark = f32::from(u8::from(view.style.theme == Theme::Dark));
        Self {
            matrix: (tile.matrix(view.size) * camera.matrix(&viewport)).to_cols_array_2d(),
            eye: eye.to_array(),
            light: light.extend(0.0).to_array(),
            plane: [sx, cx, sy, cy],
            height: [scale, lowest, frame.base, if log { 1.0 } else { 0.0 }],
            color: [start, 1.0 / (end - start), cut, 0.0],
            picture: [width, height, view.scale, frame.levels.len().min(MAX_LEVELS) as f32],
            floor: [-frame.half.z, dark, 0.0, 0.0],
            levels,
            colors: std::array::from_fn(|i| {
                let color = colors[i];
                [color.r, color.g, color.b, color.a].map(|v| f32::from(v) / 255.0)
            }),
        }
    }
}

/// The part of a picture that is drawn at once, in pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tile {
    /// Upper left corner.
    pub(super) corner: [u32; 2],
    /// Width and height.
    pub(super) size: [u32; 2],
}

impl Tile {
    /// Clip space of the whole picture to clip space of the tile.
    fn matrix(self, picture: [u32; 2]) -> Mat4 {
        let [whole, corner, part] =
            [picture, self.corner, self.size].map(|v| Vec2::new(v[0] as f32, v[1] as f32));
        let scale = whole / part;
        let shift = (whole - 2.0 * corner) / part - 1.0;
        Mat4::from_translation(Vec3::new(shift.x, -shift.y, 0.0)) * Mat4::from_scale(scale.extend(1.0))
    }

    /// Width and height of the part of the tile that shows something of the picture's first pixels.
    pub(super) fn visible(self, content: Vec2) -> [u32; 2] {
        let end = [content.x as u32, content.y as u32];
        [0, 1].map(|i| end[i].saturating_sub(self.corner[i]).min(self.size[i]))
    }
}

/// Keep in sync with `Layer` in `shaders/surface.wgsl`, which says what the numbers are.
#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
pub(super) struct LayerUniform {
    solid: [f32; 4],
    look: [f32; 4],
    grid: [f32; 4],
}

impl LayerUniform {
    pub(super) fn new(style: &SurfaceStyle, layer: &LayerStyle, size: (usize, usize)) -> Self {
        let solid = match layer.fill {
            Fill::Heights => [0.0; 4],
            Fill::Solid(color) => {
                let [r, g, b] = color.map(|v| f32::from(v) / 255.0);
                [r, g, b, 1.0]
            }
        };
        let stride = |nodes: usize| nodes.saturating_sub(1).div_ceil(WIRES).max(1) as f32;
        let contours = &style.contours;
        let on = |yes: bool, strength: f32| if yes { strength } else { 0.0 };
        Self {
            solid,
            look: [
                layer.opacity.clamp(0.0, 1.0),
                on(style.lighting, 1.0),
                on(contours.on_surface, if layer.fill == Fill::Heights { 0.6 } else { 0.4 }),
                on(layer.wireframe, 0.3),
            ],
            grid: [stride(size.0), stride(size.1), on(contours.fill_floor, 0.85), on(contours.on_floor, 1.0)],
        }
    }
}

/// A line or dot. Keep in sync with `Line` in `shaders/lines.wgsl`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
pub(super) struct LineInstance {
    from_width: [f32; 4],
    to: [f32; 4],
    color: [f32; 4],
}

impl LineInstance {
    /// As the vertex shader takes it.
    pub(super) const ATTRIBUTES: [wgpu::VertexAttribute; 3] =
        wgpu::vertex_attr_array![0 => Float32x4, 1 => Float32x4, 2 => Float32x4];

    /// From `a` to `b`, so many pixels wide, in a colour with opacity.
    pub(super) fn new(a: Vec3, b: Vec3, width: f32, color: [f32; 4]) -> Self {
        Self { from_width: a.extend(width).to_array(), to: b.extend(0.0).to_array(), color }
    }
}
