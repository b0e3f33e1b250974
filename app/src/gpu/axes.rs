//! The box around the surface: which walls are behind it, where grid lines, ticks and labels go.
//!
//! Everything is computed from camera and frame, so that the window's text, an exported picture's text
//! and the lines on the GPU agree.

use glam::{Vec2, Vec3};

use super::frame::Frame;
use super::uniforms::LineInstance;
use super::view::SurfaceView;
use crate::plot::export::{FontFamily, width};
use crate::plot::ticks;

/// Ticks aimed at along each axis.
pub(super) const TICKS: usize = 5;
/// Length of a tick mark in world units.
const TICK_LENGTH: f32 = 0.035;
/// An axis seen shorter than this, in points, gets no labels.
const SHORTEST_AXIS: f32 = 32.0;
/// Neither does an axis of the floor seen shorter than this part of the other one: it points at the viewer.
const FORESHORTENED: f32 = 0.25;

/// A piece of text and where it goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Label {
    /// What it says, with the mathematics of [`crate::plot::text`].
    pub text: String,
    /// Pixel (from the top left) that the anchor is put on.
    pub position: Vec2,
    /// The point of the text's box that sits there.
    pub anchor: Anchor,
    /// Clockwise rotation in radians around that point.
    pub angle: f32,
    /// Size of the type in pixels.
    pub size: f32,
    /// What it belongs to.
    pub kind: LabelKind,
}

/// A point of a box: (0, 0) its upper left corner, (1, 1) its lower right one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Anchor(pub Vec2);

/// What a label belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelKind {
    /// A number at a tick.
    Tick,
    /// The name of an axis.
    Title,
}

/// One axis of the box, along the edge where it can be read.
struct Axis {
    from: Vec3,
    to: Vec3,
    /// Away from the box, in world space.
    outward: Vec3,
    /// Ticks: their places on the edge, and what they say.
    ticks: Vec<(Vec3, String)>,
}

/// The three axes in the order x, y, height.
fn axes(view: &SurfaceView, frame: &Frame) -> [Axis; 3] {
    let half = frame.half;
    let side = front(view);
    let low = frame.height[0];
    let floor = |x: f32, y: f32| frame.world(x, y, low).with_z(-half.z);
    let x_ticks = frame
        .floor_ticks(frame.x)
        .into_iter()
        .map(|(v, text)| (floor(v, frame.y[0]).with_y(side.y * half.y), text));
    let y_ticks = frame
        .floor_ticks(frame.y)
        .into_iter()
        .map(|(v, text)| (floor(frame.x[0], v).with_x(side.x * half.x), text));
    // The vertical edge farthest to the left: nothing of the box is beyond it.
    let [right, _, _] = view.camera.basis();
    let project = view.camera.projector(&view.viewport());
    let corners = [-1.0, 1.0].map(|x| [-1.0, 1.0].map(|y| Vec2::new(x, y) * half.truncate()));
    let across = |corner: &Vec2| project(corner.extend(0.0)).x;
    let left = corners.into_iter().flatten().min_by(|a, b| across(a).total_cmp(&across(b)));
    let corner = left.unwrap_or_default();
    let z_ticks = frame
        .ticks(frame.height, TICKS)
        .into_iter()
        .map(|(v, text)| (corner.extend(frame.elevation(v)), text));
    [
        Axis {
            from: Vec3::new(-half.x, side.y * half.y, -half.z),
            to: Vec3::new(half.x, side.y * half.y, -half.z),
            outward: Vec3::Y * side.y,
            ticks: x_ticks.collect(),
        },
        Axis {
            from: Vec3::new(side.x * half.x, -half.y, -half.z),
            to: Vec3::new(side.x * half.x, half.y, -half.z),
            outward: Vec3::X * side.x,
            ticks: y_ticks.collect(),
        },
        Axis {
            from: corner.extend(-half.z),
            to: corner.extend(half.z),
            outward: -right.with_z(0.0).normalize_or_zero(),
            ticks: z_ticks.collect(),
        },
    ]
}

/// The sides of the box nearer to the eye: -1 or 1 along x and y.
fn front(view: &SurfaceView) -> Vec2 {
    let [_, _, forward] = view.camera.basis();
    Vec2::new(if forward.x < -1e-6 { 1.0 } else { -1.0 }, if forward.y < -1e-6 { 1.0 } else { -1.0 })
}

/// Tick labels and axis titles, each beside the edge that the camera shows best.
pub(super) fn labels(view: &SurfaceView, frame: &Frame) -> Vec<Label> {
    let mut labels = Vec::new();
    if !view.style.axes {
        return labels;
    }
    let viewport = view.viewport();
    let project = view.camera.projector(&viewport);
    let size = view.style.font_size * view.scale;
    let middle = project(Vec3::ZERO);
    let axes = axes(view, frame);
    let shortest = shortest(view, &axes);
    for (i, (axis, title)) in axes.into_iter().zip(titles(view, frame)).enumerate() {
        let (from, to) = (project(axis.from), project(axis.to));
        let length = (to - from).length();
        if length < shortest[i] || axis.ticks.is_empty() {
            continue;
        }
        let along = (to - from) / length;
        let center = 0.5 * (axis.from + axis.to);
        let mut away = project(center + axis.outward * 0.05) - project(center);
        if away.length() < 0.5 * view.scale {
            away = 0.5 * (from + to) - middle;
        }
        let away = away.normalize_or(Vec2::Y);
        let anchor = Anchor((0.5 - away * 0.7).clamp(Vec2::ZERO, Vec2::ONE));
        let spacing = match axis.ticks.as_slice() {
            [(a, _), (b, _), ..] => (project(*a) - project(*b)).length(),
            _ => f32::INFINITY,
        };
        let widest = axis.ticks.iter().map(|(_, text)| text_width(text, size)).fold(0.0, f32::max);
        let footprint = (along.x.abs() * (widest + 0.6 * size)).max(along.y.abs() * 1.2 * size);
        let keep_every = (footprint / spacing).ceil().max(1.0) as usize;
        for (place, text) in axis.ticks.iter().step_by(keep_every) {
            let position = project(*place + axis.outward * TICK_LENGTH) + away * 0.45 * size;
            let text = text.clone();
            labels.push(Label { text, position, anchor, angle: 0.0, size, kind: LabelKind::Tick });
        }
        let reach = away.x.abs() * widest + away.y.abs() * size;
        let tick = (project(center + axis.outward * TICK_LENGTH) - project(center)).length();
        labels.push(Label {
            text: title,
            position: 0.5 * (from + to) + away * (tick + reach + 1.7 * size),
            anchor: Anchor(Vec2::splat(0.5)),
            angle: readable(along),
            size: 1.1 * size,
            kind: LabelKind::Title,
        });
    }
    labels.into_iter().filter_map(|label| inside(label, view.content(), 3.0 * size)).collect()
}

/// Titles of the axes; that of the height says what its numbers are minus.
fn titles(view: &SurfaceView, frame: &Frame) -> [String; 3] {
    let mut titles = view.style.titles.clone();
    let offset = frame.offset();
    if offset != 0.0 {
        let sign = if offset > 0.0 { '−' } else { '+' };
        let number = ticks::number(offset.abs(), ticks::decimals(offset));
        titles[2] = format!("{} {sign} {number}", titles[2]);
    }
    titles
}

/// A label that is all in the picture, moved by at most `far`; none if that is not enough, as with much zoom.
fn inside(mut label: Label, content: Vec2, far: f32) -> Option<Label> {
    let [min, max] = label.bounds();
    let room = content - (max - min);
    let shift = min.clamp(Vec2::ZERO, room.max(Vec2::ZERO)) - min;
    let is_title = label.kind == LabelKind::Title;
    label.position += shift;
    let fits = shift == Vec2::ZERO || (is_title && shift.length() < far && room.cmpge(Vec2::ZERO).all());
    fits.then_some(label)
}

impl Label {
    /// The corners of its box in pixels, clockwise from the upper left one of the upright text.
    pub fn corners(&self) -> [Vec2; 4] {
        let size = Vec2::new(text_width(&self.text, self.size), self.size);
        let turn = Vec2::from_angle(self.angle);
        [Vec2::ZERO, Vec2::X, Vec2::ONE, Vec2::Y]
            .map(|corner| self.position + turn.rotate((corner - self.anchor.0) * size))
    }

    /// Upper left and lower right corner of what it covers.
    fn bounds(&self) -> [Vec2; 2] {
        let corners = self.corners();
        let over = |pick: fn(Vec2, Vec2) -> Vec2| corners.into_iter().reduce(pick).unwrap_or_default();
        [over(Vec2::min), over(Vec2::max)]
    }
}

/// Lengths in pixels below which the axes get no labels.
fn shortest(view: &SurfaceView, axes: &[Axis; 3]) -> [f32; 3] {
    let project = view.camera.projector(&view.viewport());
    let [x, y, _] = [0, 1, 2].map(|i: usize| (project(axes[i].to) - project(axes[i].from)).length());
    let floor = (SHORTEST_AXIS * view.scale).max(FORESHORTENED * x.max(y));
    [floor, floor, SHORTEST_AXIS * view.scale]
}

/// Angle of text along a direction that does not stand on its head.
fn readable(along: Vec2) -> f32 {
    let upright = if along.x.abs() < 0.25 { along.y < 0.0 } else { along.x > 0.0 };
    let along = if upright { along } else { -along };
    along.y.atan2(along.x)
}

/// How wide a text is. In the window, where the type is another one, about as wide.
pub(super) fn text_width(text: &str, size: f32) -> f32 {
    width(text, FontFamily::Sans, false, f64::from(size)) as f32
}

/// Lines of the floor and the two walls behind the surface.
pub(super) fn grid_lines(view: &SurfaceView, frame: &Frame, lines: &mut Vec<LineInstance>) {
    let half = frame.half;
    let back = -front(view);
    let style = &view.style;
    let (faint, strong) = (style.theme.grid(), style.theme.edge());
    let thin = 0.75 * view.scale;
    let [x_axis, y_axis, z_axis] = axes(view, frame);
    let mut line = |a: Vec3, b: Vec3, color| lines.push(LineInstance::new(a, b, thin, color));
    for (place, _) in &x_axis.ticks {
        line(place.with_y(-half.y), place.with_y(half.y), faint);
        let wall = place.with_y(back.y * half.y);
        line(wall.with_z(-half.z), wall.with_z(half.z), faint);
    }
    for (place, _) in &y_axis.ticks {
        line(place.with_x(-half.x), place.with_x(half.x), faint);
        let wall = place.with_x(back.x * half.x);
        line(wall.with_z(-half.z), wall.with_z(half.z), faint);
    }
    let apart = |z: f32| (half.z - z.abs()) > 0.03 * half.z;
    for (place, _) in z_axis.ticks.iter().filter(|tick| apart(tick.0.z)) {
        let corner = Vec3::new(back.x * half.x, back.y * half.y, place.z);
        line(corner, corner.with_x(-corner.x), faint);
        line(corner, corner.with_y(-corner.y), faint);
    }
    // Outlines of the three planes.
    for z in [-half.z, half.z] {
        let corner = Vec3::new(back.x * half.x, back.y * half.y, z);
        line(corner, corner.with_x(-corner.x), faint);
        line(corner, corner.with_y(-corner.y), faint);
    }
    for corner in [back, Vec2::new(-back.x, back.y), Vec2::new(back.x, -back.y)] {
        let foot = (corner * half.truncate()).extend(-half.z);
        line(foot, foot.with_z(half.z), faint);
    }
    let project = view.camera.projector(&view.viewport());
    let seen =
        |axis: &&Axis| (project(axis.to) - project(axis.from)).length() > 0.3 * SHORTEST_AXIS * view.scale;
    for axis in [&x_axis, &y_axis, &z_axis].into_iter().filter(seen) {
        line(axis.from, axis.to, strong);
        for (place, _) in &axis.ticks {
            line(*place, *place + axis.outward * TICK_LENGTH, strong);
        }
    }
}

/// The pin at the origin: a cross on the floor, a stem, and a head where it meets the surface.
pub(super) fn pin(view: &SurfaceView, frame: &Frame, height: Option<f32>, lines: &mut Vec<LineInstance>) {
    let inside = |ends: [f32; 2]| ends[0] <= 0.0 && ends[1] >= 0.0;
    if !inside(frame.x) || !inside(frame.y) {
        return;
    }
    let accent = view.style.theme.accent();
    let color = [accent[0], accent[1], accent[2], 1.0];
    let foot = frame.world(0.0, 0.0, frame.height[0]).with_z(-frame.half.z);
    let arm = 0.035;
    let width = 1.4 * view.scale;
    for side in [Vec3::X, Vec3::Y] {
        lines.push(LineInstance::new(foot - side * arm, foot + side * arm, width, color));
    }
    let cut = |height: &f32| frame.clip.is_none_or(|clip| *height <= clip);
    if let Some(height) = height.filter(cut) {
        let head = foot.with_z(frame.elevation(height));
        let [_, _, forward] = view.camera.basis();
        let stem = LineInstance::new(foot, head, 1.0 * view.scale, [color[0], color[1], color[2], 0.75]);
        lines.push(stem);
        // Towards the eye by its size, so that the surface does not cut it in half.
        let size = 7.5 * view.scale;
        let near = head - forward * (size / view.camera.pixels_per_unit(&view.viewport()));
        lines.push(LineInstance::new(near, near, size, [1.0; 4]));
        lines.push(LineInstance::new(near, near, 0.7 * size, color));
    }
}

/// A path on the surface: a line, with a dot at each of its own points.
pub(super) fn path(
    view: &SurfaceView,
    frame: &Frame,
    points: &[([f32; 3], bool)],
    lines: &mut Vec<LineInstance>,
) {
    let [r, g, b] = view.style.theme.accent();
    let (line, dot) = ([r, g, b, 1.0], [1.0; 4]);
    let [_, _, forward] = view.camera.basis();
    // Towards the eye by its size, so that the surface does not hide it.
    let place = |[x, y, height]: [f32; 3], size: f32| {
        let lift = 2.0 * size / view.camera.pixels_per_unit(&view.viewport());
        frame.world(x, y, height).with_z(frame.elevation(height)) - forward * lift
    };
    let inside = |height: f32| frame.clip.is_none_or(|clip| height <= clip);
    let width = 2.2 * view.scale;
    for pair in points.windows(2).filter(|pair| pair.iter().all(|(at, _)| inside(at[2]))) {
        lines.push(LineInstance::new(place(pair[0].0, width), place(pair[1].0, width), width, line));
    }
    for (at, _) in points.iter().filter(|(at, own)| *own && inside(at[2])) {
        let (outer, inner) = (6.0 * view.scale, 4.0 * view.scale);
        let near = place(*at, outer);
        lines.push(LineInstance::new(near, near, outer, line));
        lines.push(LineInstance::new(near, near, inner, dot));
    }
}
