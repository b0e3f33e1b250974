//! Surfaces in the window: rendered to a texture when something changed, shown as an image, labelled with
//! egui's own text.

use std::sync::Arc;

use eframe::egui::{
    Color32, FontId, Mesh, Painter, Pos2, Rect, Shape, Stroke, TextureId, Vec2, epaint::TextShape, pos2, vec2,
};
use eframe::egui_wgpu::RenderState;
use eframe::wgpu;

use crate::gpu::{Frame, Label, Surface, SurfaceData, SurfaceRenderer, SurfaceView, Target};
use crate::plot::text::plain;

/// One 3-D view's picture. Keep one per view, and call [`SurfaceTexture::show`] every frame.
///
/// ```text
/// let texture = self.texture.show(render_state, &view, revision, || surfaces.clone());
/// ui.painter().image(texture, rect, UNIT_RECT, Color32::WHITE);
/// surface_texture::paint_overlay(ui.painter(), rect, &view, self.texture.frame(), surfaces.len());
/// ```
#[derive(Default)]
pub struct SurfaceTexture {
    state: Option<RenderState>,
    id: Option<TextureId>,
    target: Option<Target>,
    surfaces: Vec<Surface>,
    frame: Option<Frame>,
    drawn: Option<(u64, SurfaceView)>,
    uploaded: Option<u64>,
}

impl SurfaceTexture {
    /// The picture of the surfaces in that view. `surfaces` is asked for only when `revision` has changed,
    /// and the picture is drawn anew only when `revision` or `view` has.
    pub fn show(
        &mut self,
        state: &RenderState,
        view: &SurfaceView,
        revision: u64,
        surfaces: impl FnOnce() -> Vec<SurfaceData>,
    ) -> TextureId {
        if let (Some(id), Some((drawn, last))) = (self.id, &self.drawn)
            && *drawn == revision
            && last == view
        {
            return id;
        }
        let renderer = shared_renderer(state);
        if self.uploaded != Some(revision) {
            let upload = |data: &SurfaceData| renderer.upload(&state.device, data);
            self.surfaces = surfaces().iter().map(upload).collect();
            self.uploaded = Some(revision);
        }
        let fits = |target: &Target| target.size() == view.size;
        let id = match (&self.target, self.id) {
            (Some(target), Some(id)) if fits(target) => id,
            _ => self.resize(state, view.size),
        };
        if let Some(target) = &self.target {
            renderer.render(&state.device, &state.queue, target, &self.surfaces, view);
        }
        self.frame = Some(SurfaceRenderer::frame(&self.surfaces, view));
        self.drawn = Some((revision, view.clone()));
        id
    }

    /// How the data of the last picture lie in its world: for labels, picking and markers.
    pub fn frame(&self) -> Option<&Frame> {
        self.frame.as_ref()
    }

    fn resize(&mut self, state: &RenderState, size: [u32; 2]) -> TextureId {
        let target = Target::new(&state.device, size);
        let mut egui = state.renderer.write();
        let filter = wgpu::FilterMode::Linear;
        let id = match self.id {
            Some(id) => {
                egui.update_egui_texture_from_wgpu_texture(&state.device, &target.view, filter, id);
                id
            }
            None => egui.register_native_texture(&state.device, &target.view, filter),
        };
        self.id = Some(id);
        self.target = Some(target);
        self.state = Some(state.clone());
        id
    }
}

impl Drop for SurfaceTexture {
    fn drop(&mut self) {
        if let (Some(state), Some(id)) = (&self.state, self.id) {
            state.renderer.write().free_texture(&id);
        }
    }
}

/// The renderer that all views of the window share.
fn shared_renderer(state: &RenderState) -> Arc<SurfaceRenderer> {
    let resources = &mut state.renderer.write().callback_resources;
    let make = || Arc::new(SurfaceRenderer::new(&state.device));
    resources.entry::<Arc<SurfaceRenderer>>().or_insert_with(make).clone()
}

/// Draws tick labels, titles, colour bar and legend of a picture that fills `rect`.
pub fn paint_overlay(
    painter: &Painter,
    rect: Rect,
    view: &SurfaceView,
    frame: Option<&Frame>,
    surfaces: usize,
) {
    let Some(frame) = frame else { return };
    let [width, _] = view.size;
    let overlay = Overlay { painter, origin: rect.min, points: rect.width() / width.max(1) as f32, view };
    for label in view.labels(frame) {
        overlay.label(&label);
    }
    if let Some(bar) = view.color_bar(frame) {
        overlay.gradient(bar.min, bar.max, &bar.colors, 1.0, true);
        let across = |y: f32, from: f32, to: f32, color: Color32| {
            let ends = [overlay.at(from, y), overlay.at(to, y)];
            painter.line_segment(ends, Stroke::new(0.75, color));
        };
        for y in &bar.contours {
            across(*y, bar.min.x, bar.max.x, Color32::from_black_alpha(90));
        }
        for y in &bar.ticks {
            across(*y, bar.max.x, bar.max.x + bar.tick_length, overlay.ink().gamma_multiply(0.75));
        }
        bar.labels.iter().for_each(|label| overlay.label(label));
    }
    let legend = view.legend(surfaces);
    if let Some(legend) = &legend {
        let [r, g, b] = view.style.theme.background().map(|v| (v * 255.0).round() as u8);
        let background = Color32::from_rgb(r, g, b).gamma_multiply(0.8);
        painter.rect_filled(overlay.rect(legend.min, legend.max), 3.0, background);
    }
    for entry in legend.iter().flat_map(|legend| &legend.entries) {
        overlay.gradient(entry.min, entry.max, &entry.colors, entry.opacity, false);
        overlay.label(&entry.label);
    }
}

struct Overlay<'a> {
    painter: &'a Painter,
    origin: Pos2,
    /// Points per pixel of the picture.
    points: f32,
    view: &'a SurfaceView,
}

impl Overlay<'_> {
    fn at(&self, x: f32, y: f32) -> Pos2 {
        self.origin + vec2(x, y) * self.points
    }

    fn rect(&self, min: glam::Vec2, max: glam::Vec2) -> Rect {
        Rect::from_min_max(self.at(min.x, min.y), self.at(max.x, max.y))
    }

    fn ink(&self) -> Color32 {
        let [r, g, b] = self.view.style.theme.ink().map(|v| (v * 255.0).round() as u8);
        Color32::from_rgb(r, g, b)
    }

    fn label(&self, label: &Label) {
        let font = FontId::proportional(label.size * self.points);
        let galley = self.painter.layout_no_wrap(plain(&label.text), font, self.ink());
        let size = galley.size();
        let anchor = vec2(label.anchor.0.x * size.x, label.anchor.0.y * size.y);
        let place = self.at(label.position.x, label.position.y);
        let corner = place - rotated(anchor, label.angle);
        let shape = TextShape::new(corner, galley, self.ink()).with_angle(label.angle);
        self.painter.add(shape);
    }

    fn gradient(&self, min: glam::Vec2, max: glam::Vec2, colors: &[[u8; 3]], opacity: f32, upward: bool) {
        let rect = self.rect(min, max);
        let mut mesh = Mesh::default();
        let last = colors.len().saturating_sub(1).max(1);
        for (i, [r, g, b]) in colors.iter().enumerate() {
            let color = Color32::from_rgb(*r, *g, *b).gamma_multiply(opacity);
            let t = i as f32 / last as f32;
            let ends = if upward {
                let y = rect.bottom() - t * rect.height();
                [pos2(rect.left(), y), pos2(rect.right(), y)]
            } else {
                let x = rect.left() + t * rect.width();
                [pos2(x, rect.top()), pos2(x, rect.bottom())]
            };
            ends.into_iter().for_each(|end| mesh.colored_vertex(end, color));
            if i > 0 {
                let base = 2 * i as u32;
                mesh.add_triangle(base - 2, base - 1, base);
                mesh.add_triangle(base - 1, base + 1, base);
            }
        }
        self.painter.add(Shape::mesh(mesh));
    }
}

/// A vector turned clockwise on the screen.
fn rotated(v: Vec2, angle: f32) -> Vec2 {
    let (sin, cos) = angle.sin_cos();
    vec2(cos * v.x - sin * v.y, sin * v.x + cos * v.y)
}
