//! 2-D landscapes in 3-D: the pictures, the mouse, and the value under the pointer.

use basin_core::record::{LandscapeOutcome, Outcome};
use eframe::CreationContext;
use eframe::egui::{
    Color32, Frame, Label, Margin, PointerButton, Rect, Response, RichText, Sense, Ui, UiBuilder, Vec2,
    WidgetInfo, pos2, vec2,
};
use eframe::egui_wgpu::RenderState;

use crate::command::CameraPreset;
use crate::gpu::{Camera, Pick, Room, SurfaceView as Picture, Theme, pick};
use crate::surface::Scene;
use crate::surface_picture::tiles;
use crate::ui::App;
use crate::ui::display::{Display, Quantity};
use crate::ui::surface_section::Section;
use crate::ui::surface_texture::{SurfaceTexture, paint_overlay};
use crate::ui::widgets::{empty_ui, palette};

/// What lives with the 3-D view.
pub(crate) struct SurfaceView {
    gpu: Option<RenderState>,
    camera: Camera,
    /// What is drawn, and what it was made of.
    pictures: Vec<Pictured>,
    of: Option<(u64, Display)>,
    revision: u64,
    section: Section,
}

/// One of the pictures beside each other.
struct Pictured {
    scene: Scene,
    texture: SurfaceTexture,
    /// What its numbers need.
    room: Room,
}

impl Pictured {
    fn new(scene: Scene) -> Self {
        let frame = crate::gpu::Frame::new(&scene.surfaces, &scene.style);
        let style = scene.style.clone();
        let room = Picture { style, ..Picture::new(1, 1, 1.0) }.with_room_for(&frame).room;
        Self { scene, texture: SurfaceTexture::default(), room }
    }

    /// The node under the pointer, and on which surface it is.
    fn under_pointer(&self, response: &Response, rect: Rect, view: &Picture) -> Option<(usize, Pick)> {
        let pointer = response.hover_pos().filter(|pointer| rect.contains(*pointer))? - rect.min;
        let pixel = glam::vec2(pointer.x, pointer.y) * view.scale;
        let (frame, viewport) = (self.texture.frame()?, view.viewport());
        let hits = self.scene.surfaces.iter().enumerate();
        hits.filter_map(|(i, data)| Some((i, pick(data, frame, &view.camera, &viewport, pixel)?)))
            .min_by(|a, b| a.1.distance.total_cmp(&b.1.distance))
    }
}

impl SurfaceView {
    pub fn new(cc: &CreationContext<'_>) -> Self {
        Self {
            gpu: cc.wgpu_render_state.clone(),
            camera: Camera::default(),
            pictures: Vec::new(),
            of: None,
            revision: 0,
            section: Section::default(),
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

    /// Turns, moves and zooms as the mouse says, over a picture at `rect`.
    fn mouse(&mut self, ui: &Ui, response: &Response, rect: Rect, view: &Picture) {
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
                self.camera.zoom_at(factor, vector(pointer - rect.min) * view.scale, &viewport);
            }
        }
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
        let records = self.shown.together();
        let title = match records.len() {
            0 | 1 => record.job.summary().title,
            several => format!("{several} landscapes"),
        };
        self.record_header_ui(ui, &title, &record);
        let Some(gpu) = self.surface.gpu.clone() else {
            let text = "There is no graphics driver that can draw it. The contours and the curves show the same numbers.";
            return empty_ui(ui, "The surface cannot be drawn here", text, |_| ());
        };
        let display = &self.state.display;
        let of = (self.shown.version(), display.clone());
        let surface = &mut self.surface;
        if surface.of.as_ref() != Some(&of) {
            surface.pictures = display.scenes(&records).into_iter().map(Pictured::new).collect();
            surface.revision += 1;
            surface.of = Some(of);
        }
        let whole = ui.available_rect_before_wrap();
        let (rect, below) = surface.section.split(whole);
        let response = ui.allocate_rect(rect, Sense::click_and_drag());
        response.widget_info(|| WidgetInfo::labeled(eframe::egui::Role::Image, true, "Loss surface"));
        let scale = ui.ctx().pixels_per_point();
        // Small pictures leave no room for words in their corner.
        let words_room = if surface.pictures.len() > 1 { 28.0 } else { 0.0 };
        let size =
            [rect.width(), rect.height() - words_room].map(|points| (points * scale).round().max(1.0) as u32);
        let tiles: Vec<(Rect, [u32; 2])> = tiles(surface.pictures.len(), size)
            .into_iter()
            .map(|tile| {
                let [left, top, width, height] =
                    [tile.corner[0], tile.corner[1], tile.size[0], tile.size[1]].map(|v| v as f32 / scale);
                (Rect::from_min_size(rect.min + vec2(left, top), vec2(width, height)), tile.size)
            })
            .collect();
        let view = |surface: &SurfaceView, at: usize, ui: &Ui| {
            let pictured = &surface.pictures[at];
            let mut style = pictured.scene.style.clone();
            style.theme = if ui.visuals().dark_mode { Theme::Dark } else { Theme::Light };
            Picture { camera: surface.camera, style, size: tiles[at].1, scale, room: pictured.room }
        };
        // The picture that the pointer is over, or was pressed on.
        let pointer = response.interact_pointer_pos().or(response.hover_pos());
        let over = pointer.and_then(|at| tiles.iter().position(|(rect, _)| rect.contains(at))).unwrap_or(0);
        if over < surface.pictures.len() {
            let (rect, view) = (tiles[over].0, view(surface, over, ui));
            let pictured = &surface.pictures[over];
            let frame = pictured.texture.frame();
            let grabs = surface.section.mouse(&response, rect, &view, frame, &pictured.scene);
            if !grabs {
                surface.mouse(ui, &response, rect, &view);
            }
        }
        let mut words = "Drag to turn, right drag to move, wheel to zoom, double click to reset".to_owned();
        for (at, (rect, _)) in tiles.iter().enumerate().take(surface.pictures.len()) {
            let view = view(surface, at, ui);
            let revision = surface.revision;
            let pictured = &mut surface.pictures[at];
            let surfaces = &pictured.scene.surfaces;
            let id = pictured.texture.show(&gpu, &view, revision, || surfaces.clone());
            let unit = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
            ui.painter().image(id, *rect, unit, Color32::WHITE);
            let painter = ui.painter_at(*rect);
            paint_overlay(&painter, *rect, &view, pictured.texture.frame(), pictured.scene.surfaces.len());
            if let Some(frame) = pictured.texture.frame() {
                surface.section.paint(&painter, *rect, &view, frame, &pictured.scene);
            }
            if let Some((layer, pick)) = pictured.under_pointer(&response, *rect, &view) {
                mark(ui, *rect, &view, pictured.texture.frame(), &pick);
                // Overlaid, every surface is of a record of its own.
                let overlaid = records.len() > 1 && surface.pictures.len() == 1;
                let record = records.get(if overlaid { layer } else { at }).unwrap_or(&record);
                if let Outcome::Landscape(landscape) = &record.outcome {
                    let name = display.surface_name(record, if overlaid { 0 } else { layer });
                    words = value_words(&pick, name, display.quantity, landscape);
                }
            }
        }
        overlay_ui(ui, rect, &words);
        surface.section.button_ui(ui, rect);
        if let Some(below) = below {
            let scenes: Vec<&Scene> = surface.pictures.iter().map(|pictured| &pictured.scene).collect();
            surface.section.chart_ui(ui, below, surface.revision, &scenes);
        }
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
