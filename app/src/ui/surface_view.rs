//! A 2-D landscape in 3-D: the picture, the mouse, and the value under the pointer.

use basin_core::record::LandscapeOutcome;
use eframe::CreationContext;
use eframe::egui::{
    Color32, Frame, Label, Margin, PointerButton, Rect, Response, RichText, Sense, Ui, UiBuilder, Vec2,
    WidgetInfo, pos2,
};
use eframe::egui_wgpu::RenderState;

use crate::command::CameraPreset;
use crate::gpu::{Camera, Pick, Room, SurfaceData, SurfaceView as Picture, Theme, pick};
use crate::ui::App;
use crate::ui::display::{Display, Quantity};
use crate::ui::surface_texture::{SurfaceTexture, paint_overlay};
use crate::ui::widgets::{empty_ui, palette};

/// What lives with the 3-D view.
pub(crate) struct SurfaceView {
    gpu: Option<RenderState>,
    texture: SurfaceTexture,
    camera: Camera,
    /// The surfaces that are drawn, and what they were made of.
    surfaces: Vec<SurfaceData>,
    of: Option<(u64, Display)>,
    /// What their numbers need.
    room: Room,
    revision: u64,
}

impl SurfaceView {
    pub fn new(cc: &CreationContext<'_>) -> Self {
        Self {
            gpu: cc.wgpu_render_state.clone(),
            texture: SurfaceTexture::default(),
            camera: Camera::default(),
            surfaces: Vec::new(),
            of: None,
            room: Room::default(),
            revision: 0,
        }
    }

    /// From where the surface is seen.
    pub fn camera(&self) -> Camera {
        self.camera
    }

    /// Looks from a named place.
    pub fn set_camera(&mut self, preset: CameraPreset) {
        self.camera = match preset {
            CameraPreset::Standard => Camera::default(),
            CameraPreset::Top => Camera::top(),
            CameraPreset::Front => Camera::front(),
            CameraPreset::Side => Camera { azimuth: 0.0, ..Camera::front() },
        };
    }

    /// Turns, moves and zooms as the mouse says.
    fn mouse(&mut self, ui: &Ui, response: &Response, view: &Picture) {
        let viewport = view.viewport();
        let vector = |v: Vec2| glam::vec2(v.x, v.y);
        let shift = ui.input(|input| input.modifiers.shift);
        if response.dragged_by(PointerButton::Primary) && !shift {
            self.camera.orbit(vector(response.drag_delta()));
        } else if response.dragged() {
            self.camera.pan(vector(response.drag_delta()) * view.scale, &viewport);
        }
        if response.double_clicked() {
            self.camera = Camera::default();
        }
        if let Some(pointer) = response.hover_pos() {
            let (scroll, pinch) = ui.input(|input| (input.smooth_scroll_delta().y, input.zoom_delta()));
            let factor = pinch * (scroll * 0.004).exp();
            if factor != 1.0 {
                self.camera.zoom_at(factor, vector(pointer - response.rect.min) * view.scale, &viewport);
            }
        }
    }

    /// The node under the pointer, and on which surface it is.
    fn under_pointer(&self, response: &Response, view: &Picture) -> Option<(usize, Pick)> {
        let pointer = response.hover_pos()? - response.rect.min;
        let pixel = glam::vec2(pointer.x, pointer.y) * view.scale;
        let (frame, viewport) = (self.texture.frame()?, view.viewport());
        let hits = self.surfaces.iter().enumerate();
        hits.filter_map(|(i, data)| Some((i, pick(data, frame, &self.camera, &viewport, pixel)?)))
            .min_by(|a, b| a.1.distance.total_cmp(&b.1.distance))
    }
}

impl App {
    pub(crate) fn surface_ui(&mut self, ui: &mut Ui) {
        let text = "Choose 2-D at the right and press Run: the loss over two directions, as a surface to turn and zoom.";
        let Some(record) = self.shown.record().cloned() else {
            return self.nothing_ui(ui, "No surface yet", text);
        };
        if self.shown.landscape().is_none_or(|landscape| landscape.y.is_none()) {
            return empty_ui(ui, "This record has no surface", text, |_| ());
        }
        self.record_header_ui(ui, &record.job.summary().title, &record);
        let Some(gpu) = self.surface.gpu.clone() else {
            let text = "There is no graphics driver that can draw it. The contours and the curves show the same numbers.";
            return empty_ui(ui, "The surface cannot be drawn here", text, |_| ());
        };
        let display = &self.state.display;
        let of = (self.shown.version(), display.clone());
        let surface = &mut self.surface;
        if surface.of.as_ref() != Some(&of) {
            surface.surfaces = display.surfaces(&record);
            surface.revision += 1;
            surface.of = Some(of);
            let style = display.surface_style(&record);
            let frame = crate::gpu::Frame::new(&surface.surfaces, &style);
            surface.room = Picture { style, ..Picture::new(1, 1, 1.0) }.with_room_for(&frame).room;
        }
        let rect = ui.available_rect_before_wrap();
        let response = ui.allocate_rect(rect, Sense::click_and_drag());
        response.widget_info(|| WidgetInfo::labeled(eframe::egui::Role::Image, true, "Loss surface"));
        let scale = ui.ctx().pixels_per_point();
        let size = [rect.width(), rect.height()].map(|points| (points * scale).round().max(1.0) as u32);
        let mut style = display.surface_style(&record);
        style.theme = if ui.visuals().dark_mode { Theme::Dark } else { Theme::Light };
        let mut view = Picture { camera: surface.camera, style, size, scale, room: surface.room };
        surface.mouse(ui, &response, &view);
        view.camera = surface.camera;
        let surfaces = &surface.surfaces;
        let id = surface.texture.show(&gpu, &view, surface.revision, || surfaces.clone());
        let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
        ui.painter().image(id, rect, whole, Color32::WHITE);
        paint_overlay(&ui.painter_at(rect), rect, &view, surface.texture.frame(), surface.surfaces.len());
        let words = match surface.under_pointer(&response, &view) {
            Some((layer, pick)) => {
                mark(ui, rect, &view, surface.texture.frame(), &pick);
                self.shown.landscape().map_or_else(String::new, |landscape| {
                    value_words(&pick, display.surface_name(&record, layer), display.quantity, landscape)
                })
            }
            None => "Drag to turn, right drag to move, wheel to zoom, double click to reset".to_owned(),
        };
        overlay_ui(ui, rect, &words);
    }
}

/// A ring around the node under the pointer.
fn mark(ui: &Ui, rect: Rect, view: &Picture, frame: Option<&crate::gpu::Frame>, pick: &Pick) {
    let Some(frame) = frame else { return };
    let at = view.project(frame, pick.x, pick.y, pick.value) / view.scale;
    let at = rect.min + Vec2::new(at.x, at.y);
    let p = palette(ui);
    ui.painter_at(rect).circle(at, 4.5, Color32::TRANSPARENT, (2.0, p.canvas));
    ui.painter_at(rect).circle(at, 4.5, Color32::TRANSPARENT, (1.2, p.text));
}

/// `x 0.25   y -0.50   robust loss 1.234   relative L2 radius 0.28`; says when the value is none of the computed ones.
fn value_words(pick: &Pick, layer: &str, quantity: Quantity, landscape: &LandscapeOutcome) -> String {
    let (x, y) = (f64::from(pick.x), f64::from(pick.y));
    let of = if layer.is_empty() { String::new() } else { format!("{layer} ") };
    let value = match quantity {
        Quantity::Loss => format!("{of}loss {:.4}", pick.value),
        Quantity::Error => format!("{of}error {:.1} %", pick.value),
    };
    let grid = if layer == "robust" { &landscape.robust } else { &landscape.clean };
    let computed = grid.as_ref().is_some_and(|grid| grid.loss.get(pick.ix, pick.iy).is_some());
    let how = if computed { "" } else { " (interpolated)" };
    let radius = relative_radius(landscape, x, y)
        .map_or_else(String::new, |r| format!("    relative L2 radius {r:.3}"));
    format!("x {x:.3}    y {y:.3}    {value}{how}{radius}")
}

/// Size of the weight change at a point, relative to the weights that move.
fn relative_radius(landscape: &LandscapeOutcome, x: f64, y: f64) -> Option<f64> {
    let [first, second] = landscape.directions.get(..2)? else { return None };
    let (u, v) = (x * first.relative_norm, y * second.relative_norm);
    Some((u * u + v * v + 2.0 * u * v * landscape.cosine.unwrap_or(0.0)).max(0.0).sqrt())
}

/// A line of text at the lower left of the view.
fn overlay_ui(ui: &mut Ui, rect: Rect, words: &str) {
    let corner = Rect::from_min_max(pos2(rect.left() + 10.0, rect.bottom() - 34.0), rect.max);
    ui.scope_builder(UiBuilder::new().max_rect(corner), |ui| {
        let fill = palette(ui).canvas.gamma_multiply(0.85);
        Frame::new().fill(fill).corner_radius(4).inner_margin(Margin::symmetric(6, 3)).show(ui, |ui| {
            ui.add(
                Label::new(RichText::new(words).small().color(palette(ui).weak)).extend().selectable(false),
            );
        });
    });
}
