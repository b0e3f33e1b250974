//! One picture of surfaces: camera, style and size together.

use glam::Vec2;

use super::axes::{self, Label};
use super::camera::{Camera, Viewport};
use super::color_bar::{self, ColorBar, Legend};
use super::frame::Frame;
use super::style::SurfaceStyle;

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
}

impl SurfaceView {
    /// A view of the default camera and style.
    pub fn new(width: u32, height: u32, scale: f32) -> Self {
        Self { camera: Camera::default(), style: SurfaceStyle::default(), size: [width, height], scale }
    }

    /// The picture with the room that the colour bar takes.
    pub fn viewport(&self) -> Viewport {
        let bar = if self.style.color_bar { color_bar::room(&self.style) } else { 0.0 };
        let em = self.style.font_size;
        let [left, top, right, bottom] =
            if self.style.axes { [4.4 * em, em, 2.3 * em, 2.7 * em] } else { [0.5 * em; 4] };
        Viewport {
            size: self.size,
            scale: self.scale,
            margins: [left, top, right + bar, bottom].map(|points| points * self.scale),
            half_height: Frame::half_height(&self.style),
        }
    }

    /// Width and height in pixels of the part left of the colour bar, where the surface is drawn.
    pub(super) fn content(&self) -> Vec2 {
        let bar = if self.style.color_bar { color_bar::room(&self.style) * self.scale } else { 0.0 };
        let [width, height] = self.size.map(|v| v as f32);
        Vec2::new((width - bar).max(1.0), height)
    }

    /// Pixel at which a data point is seen.
    pub fn project(&self, frame: &Frame, x: f32, y: f32, height: f32) -> Vec2 {
        self.camera.project(frame.world(x, y, height), &self.viewport())
    }

    /// Tick labels and axis titles.
    pub fn labels(&self, frame: &Frame) -> Vec<Label> {
        axes::labels(self, frame)
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
