//! One picture of surfaces: camera, style and size together.

use glam::Vec2;

use super::axes::{self, Anchor, Label, LabelKind};
use super::camera::{Camera, Viewport};
use super::color_bar::{self, ColorBar, Legend};
use super::frame::Frame;
use super::style::SurfaceStyle;

/// Room above the box for a title, in font sizes.
const TITLE: f32 = 1.6;

/// What a frame carries besides the surfaces.
#[derive(Debug, Clone, PartialEq)]
pub struct SurfaceView {
    /// From where.
    pub camera: Camera,
    /// In what look.
    pub style: SurfaceStyle,
    /// Width and height in pixels.
    pub size: [u32; 2],
    /// Pixels per point.
    pub scale: f32,
    /// What the numbers need.
    pub room: Room,
}

/// Widths of the widest numbers, in font sizes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Room {
    /// At the height axis.
    pub height: f32,
    /// At the y axis.
    pub floor: f32,
    /// At the colour bar.
    pub bar: f32,
}

impl Default for Room {
    fn default() -> Self {
        Self { height: 1.5, floor: 1.7, bar: 2.8 }
    }
}

impl SurfaceView {
    /// A view of the default camera and style.
    pub fn new(width: u32, height: u32, scale: f32) -> Self {
        let (camera, style, room) = (Camera::default(), SurfaceStyle::default(), Room::default());
        Self { camera, style, size: [width, height], scale, room }
    }

    /// The same view with room for the numbers of a frame.
    #[must_use]
    pub fn with_room_for(&self, frame: &Frame) -> Self {
        let widest = |texts: Vec<(f32, String)>| {
            texts.iter().map(|(_, text)| axes::text_width(text, 1.0)).fold(0.0, f32::max)
        };
        let least = Room::default();
        let room = Room {
            height: widest(frame.ticks(frame.height, axes::TICKS)).max(least.height),
            floor: widest(frame.floor_ticks(frame.y)).max(least.floor),
            bar: widest(frame.ticks(frame.colors, color_bar::TICKS)).max(least.bar),
        };
        Self { room, ..self.clone() }
    }

    /// The picture with the room that the colour bar takes.
    pub fn viewport(&self) -> Viewport {
        let bar = if self.style.color_bar { color_bar::room(self) } else { Legend::room(self) };
        let em = self.style.font_size;
        let [left, mut top, right, bottom] = if self.style.axes {
            [(2.9 + self.room.height) * em, em, (1.0 + self.room.floor) * em, 2.7 * em]
        } else {
            [0.5 * em; 4]
        };
        if !self.style.title.is_empty() {
            top += TITLE * em;
        }
        Viewport {
            size: self.size,
            scale: self.scale,
            margins: [left, top, right + bar, bottom].map(|points| points * self.scale),
            half_height: Frame::half_height(&self.style),
        }
    }

    /// Width and height in pixels of the part left of the colour bar, where the surface is drawn.
    pub(super) fn content(&self) -> Vec2 {
        let bar = if self.style.color_bar { color_bar::room(self) * self.scale } else { 0.0 };
        let [width, height] = self.size.map(|v| v as f32);
        Vec2::new((width - bar).max(1.0), height)
    }

    /// Pixel at which a data point is seen.
    pub fn project(&self, frame: &Frame, x: f32, y: f32, height: f32) -> Vec2 {
        self.camera.project(frame.world(x, y, height), &self.viewport())
    }

    /// Tick labels, axis titles, and what stands above the box.
    pub fn labels(&self, frame: &Frame) -> Vec<Label> {
        let mut labels = axes::labels(self, frame);
        if !self.style.title.is_empty() {
            let em = self.style.font_size * self.scale;
            labels.push(Label {
                text: self.style.title.clone(),
                position: Vec2::new(0.5 * self.content().x, 0.5 * em),
                anchor: Anchor(Vec2::new(0.5, 0.0)),
                angle: 0.0,
                size: 1.1 * em,
                kind: LabelKind::Title,
            });
        }
        labels
    }

    /// The colour bar, if the style has one.
    pub fn color_bar(&self, frame: &Frame) -> Option<ColorBar> {
        self.style.color_bar.then(|| ColorBar::new(self, frame))
    }

    /// Which surface is which, if there are several.
    pub fn legend(&self, surfaces: usize) -> Option<Legend> {
        Legend::new(self, surfaces)
    }
}
