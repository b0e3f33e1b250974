//! A section through surfaces: a line whose ends are dragged, and the heights along it as a chart.

use eframe::egui::{
    Button, Color32, Painter, PointerButton, Pos2, Rect, Response, Stroke, Ui, UiBuilder, Vec2, pos2, vec2,
};

use crate::gpu::{Frame, HeightScale, SurfaceView as Picture};
use crate::plot::color::series_color;
use crate::plot::screen::ScreenPlot;
use crate::plot::{Axis, Color, Dash, Item, Plot, Scale, Series, Unit, padded_range};
use crate::surface::Scene;
use crate::ui::charts::chart_ui;

/// What a chart is made of: the revision of the surfaces, and the line.
type Of = (u64, [[f32; 2]; 2]);

/// The line, and what of it is shown.
#[derive(Default)]
pub(crate) struct Section {
    /// Its ends in steps; none: it is not shown.
    ends: Option<[[f32; 2]; 2]>,
    /// The end that is being dragged.
    grabbed: Option<usize>,
    chart: Option<(Of, Result<ScreenPlot, String>)>,
}

/// Points of the line that are drawn.
const POINTS: usize = 200;
/// An end is grabbed within so many points.
const REACH: f32 = 14.0;
const BUTTON: Vec2 = vec2(72.0, 24.0);

impl Section {
    /// The room of the pictures, and that of the chart below if there is one.
    pub fn split(&self, whole: Rect) -> (Rect, Option<Rect>) {
        if self.ends.is_none() {
            return (whole, None);
        }
        let height = (0.36 * whole.height()).clamp(120.0, 280.0).min(0.5 * whole.height());
        let (above, below) = whole.split_top_bottom_at_y(whole.bottom() - height);
        (above, Some(below))
    }

    /// The button that shows and hides it.
    pub fn button_ui(&mut self, ui: &mut Ui, rect: Rect) {
        let corner = rect.left_top() + vec2(10.0, 6.0);
        ui.scope_builder(UiBuilder::new().max_rect(Rect::from_min_size(corner, BUTTON)), |ui| {
            let button =
                Button::selectable(self.ends.is_some(), "Section").frame_when_inactive(true).min_size(BUTTON);
            let tip = "Cut through the surface along a line, and see the heights on it as a curve";
            if ui.add(button).on_hover_text(tip).clicked() {
                self.ends = match self.ends {
                    None => Some([[f32::NEG_INFINITY, 0.0], [f32::INFINITY, 0.0]]),
                    Some(_) => None,
                };
                self.grabbed = None;
            }
        });
    }

    /// Drags an end over a picture at `rect`; whether the mouse is busy with that.
    pub fn mouse(
        &mut self,
        response: &Response,
        rect: Rect,
        view: &Picture,
        frame: Option<&Frame>,
        scene: &Scene,
    ) -> bool {
        let (Some(ends), Some(frame)) = (&mut self.ends, frame) else { return false };
        // A new line goes from edge to edge.
        for end in ends.iter_mut() {
            *end = [end[0].clamp(frame.x[0], frame.x[1]), end[1].clamp(frame.y[0], frame.y[1])];
        }
        let held = response.dragged_by(PointerButton::Primary);
        let Some(pointer) = response.interact_pointer_pos().filter(|_| held) else {
            self.grabbed = None;
            return false;
        };
        if response.drag_started_by(PointerButton::Primary) {
            let pressed = pointer - response.drag_delta();
            let away = |end: &usize| place(ends[*end], rect, view, frame, scene).distance(pressed);
            let nearest = (0..2).min_by(|a, b| away(a).total_cmp(&away(b)));
            self.grabbed = nearest.filter(|end| away(end) < REACH);
        }
        let Some(end) = self.grabbed else { return false };
        // In the plane of its height.
        let height = frame.world(0.0, 0.0, height_at(ends[end], frame, scene)).z;
        let pixel = (pointer - rect.min) * view.scale;
        let ray = view.camera.ray(glam::vec2(pixel.x, pixel.y), &view.viewport());
        if ray.direction.z.abs() > 1e-4 {
            let along = (height - ray.origin.z) / ray.direction.z;
            ends[end] = frame.place(ray.origin + ray.direction * along);
        }
        true
    }

    /// Draws the line over a picture.
    pub fn paint(&self, painter: &Painter, rect: Rect, view: &Picture, frame: &Frame, scene: &Scene) {
        let Some(ends) = self.ends else { return };
        for (number, data) in scene.surfaces.iter().enumerate() {
            let line = || points(ends).map(|at| (at, data.interpolate(at[0], at[1])));
            let mut piece: Vec<Pos2> = Vec::new();
            let dark = Stroke::new(3.5, Color32::from_black_alpha(140));
            let light = Stroke::new(1.8, color(scene, number));
            let finish = |piece: &mut Vec<Pos2>| {
                if piece.len() > 1 {
                    painter.line(piece.clone(), dark);
                    painter.line(piece.clone(), light);
                }
                piece.clear();
            };
            for (at, height) in line() {
                // What is cut away is not shown, and holes are holes.
                match height.filter(|height| frame.clip.is_none_or(|clip| *height <= clip)) {
                    Some(height) => piece.push(seen(at, height, rect, view, frame)),
                    None => finish(&mut piece),
                }
            }
            finish(&mut piece);
        }
        for end in ends {
            let at = place(end, rect, view, frame, scene);
            painter.circle(at, 6.0, Color32::WHITE, Stroke::new(2.0, Color32::from_gray(40)));
        }
    }

    /// Draws the chart.
    pub fn chart_ui(&mut self, ui: &mut Ui, rect: Rect, revision: u64, scenes: &[&Scene]) {
        let Some(ends) = self.ends else { return };
        let of = (revision, ends);
        if self.chart.as_ref().is_none_or(|(made, _)| *made != of) {
            self.chart = Some((of, chart(scenes, ends).map(ScreenPlot::new)));
        }
        let Some((_, chart)) = &self.chart else { return };
        ui.scope_builder(UiBuilder::new().max_rect(rect), |ui| chart_ui(ui, chart, "section"));
    }
}

/// Places along the line.
fn points([from, to]: [[f32; 2]; 2]) -> impl Iterator<Item = [f32; 2]> {
    (0..POINTS).map(move |number| {
        let share = number as f32 / (POINTS - 1) as f32;
        [0, 1].map(|axis| from[axis] + share * (to[axis] - from[axis]))
    })
}

fn color(scene: &Scene, number: usize) -> Color32 {
    let Color { r, g, b, .. } = series_color(if scene.surfaces.len() > 1 { number } else { 1 });
    Color32::from_rgb(r, g, b)
}

/// Height of the main surface; where it has none, the lowest of the box.
fn height_at([x, y]: [f32; 2], frame: &Frame, scene: &Scene) -> f32 {
    let height = scene.surfaces.first().and_then(|data| data.interpolate(x, y));
    height.unwrap_or(frame.height[0]).clamp(frame.height[0], frame.height[1])
}

fn seen([x, y]: [f32; 2], height: f32, rect: Rect, view: &Picture, frame: &Frame) -> Pos2 {
    let at = view.project(frame, x, y, height) / view.scale;
    rect.min + vec2(at.x, at.y)
}

fn place(end: [f32; 2], rect: Rect, view: &Picture, frame: &Frame, scene: &Scene) -> Pos2 {
    let at = seen(end, height_at(end, frame, scene), rect, view, frame);
    if at.is_finite() { at } else { pos2(f32::MAX, f32::MAX) }
}

/// Heights along the line, a curve for each surface.
fn chart(scenes: &[&Scene], ends: [[f32; 2]; 2]) -> Result<Plot, String> {
    let style = &scenes.first().ok_or("there is no surface")?.style;
    let scale = if style.scale == HeightScale::Log { Scale::Log } else { Scale::Linear };
    let [from, to] = ends;
    let length = f64::from(to[0] - from[0]).hypot(f64::from(to[1] - from[1]));
    if !(length > 0.0 && length.is_finite()) {
        return Err("drag the ends of the line apart".into());
    }
    let x: Vec<f64> = (0..POINTS).map(|number| length * number as f64 / (POINTS - 1) as f64).collect();
    let several: usize = scenes.iter().map(|scene| scene.surfaces.len()).sum();
    let mut series = Vec::new();
    for (at, scene) in scenes.iter().enumerate() {
        for (number, data) in scene.surfaces.iter().enumerate() {
            let y = points(ends).map(|[x, y]| data.interpolate(x, y).map(f64::from)).collect();
            let layer = scene.style.layer(number).name;
            let name = match (scenes.len() > 1, scene.surfaces.len() > 1) {
                (true, true) => format!("{}, {}", scene.style.title, layer.to_lowercase()),
                (true, false) => scene.style.title.clone(),
                _ => layer,
            };
            let main = number == 0 || scenes.len() == 1;
            let at = if scenes.len() > 1 { at } else { number };
            series.push(Series {
                name: (several > 1).then_some(name),
                x: x.clone(),
                y,
                band: Vec::new(),
                color: series_color(if several > 1 { at } else { 1 }),
                dash: if main { Dash::Solid } else { Dash::Dashed },
                dots: false,
                steps: false,
            });
        }
    }
    let values = series.iter().flat_map(|series| series.y.iter().flatten().copied());
    let mut range = padded_range(values, scale).ok_or("the line meets no computed point")?;
    if let Some(clip) = style.clip.map(f64::from).filter(|clip| *clip < range.1 && *clip > range.0) {
        range.1 = clip;
    }
    Ok(Plot {
        title: None,
        x: Axis::new(
            "Distance along the section, in steps".to_owned(),
            (0.0, length),
            Scale::Linear,
            Unit::One,
        ),
        y: Axis::new(style.titles[2].clone(), range, scale, Unit::One),
        items: series.into_iter().map(Item::Series).collect(),
        key: None,
        equal_aspect: false,
        notes: Vec::new(),
        provenance: Vec::new(),
    })
}
