//! Colour bar and legend: geometry and contents, drawn by the window or by the SVG overlay.

use glam::Vec2;

use super::axes::{Anchor, Label, LabelKind, text_width};
use super::frame::Frame;
use super::style::Fill;
use super::view::SurfaceView;
use crate::plot::colormap::ColorMap;

const BAR_WIDTH: f32 = 11.0;
const MARGIN: f32 = 8.0;
const TICK: f32 = 3.5;
/// Ticks aimed at.
pub(super) const TICKS: usize = 6;

/// Points that bar, ticks and margin take at the right edge.
pub(super) fn room(view: &SurfaceView) -> f32 {
    2.0 * MARGIN + BAR_WIDTH + TICK + view.room.bar * view.style.font_size
}

/// A vertical colour bar.
#[derive(Debug, Clone, PartialEq)]
pub struct ColorBar {
    /// Upper left corner in pixels.
    pub min: Vec2,
    /// Lower right corner in pixels.
    pub max: Vec2,
    /// Colours from bottom to top, evenly spaced, sRGB.
    pub colors: Vec<[u8; 3]>,
    /// Heights in pixels, from the top of the picture, of the tick marks on the right.
    pub ticks: Vec<f32>,
    /// Heights in pixels at which contour lines are drawn across.
    pub contours: Vec<f32>,
    /// Numbers beside the ticks.
    pub labels: Vec<Label>,
    /// Length of a tick mark in pixels.
    pub tick_length: f32,
}

impl ColorBar {
    pub(super) fn new(view: &SurfaceView, frame: &Frame) -> Self {
        let scale = view.scale;
        let [width, height] = view.size.map(|v| v as f32);
        let x = width - (room(view) - MARGIN) * scale;
        let length = (0.62 * height).min(260.0 * scale);
        let top = 0.5 * (height - length);
        let place = |value: f32| top + length * (1.0 - frame.color_position(value));
        let (values, texts): (Vec<f32>, Vec<String>) = frame.ticks(frame.colors, TICKS).into_iter().unzip();
        let size = view.style.font_size * scale;
        let ticks: Vec<f32> = values.iter().map(|v| place(*v)).collect();
        let label = |(y, text): (&f32, String)| Label {
            text,
            position: Vec2::new(x + (BAR_WIDTH + TICK + 3.0) * scale, *y),
            anchor: Anchor(Vec2::new(0.0, 0.5)),
            angle: 0.0,
            size,
            kind: LabelKind::Tick,
        };
        let inside = |y: &f32| (top..=top + length).contains(y);
        let shows_contours = view.style.contours.on_surface || view.style.contours.on_floor;
        let contours = frame.levels.iter().map(|level| place(*level)).filter(inside);
        Self {
            min: Vec2::new(x, top),
            max: Vec2::new(x + BAR_WIDTH * scale, top + length),
            colors: view.style.colormap.nodes().map(|color| [color.r, color.g, color.b]).to_vec(),
            labels: ticks.iter().zip(texts).map(label).collect(),
            ticks,
            contours: if shows_contours { contours.collect() } else { Vec::new() },
            tick_length: TICK * scale,
        }
    }
}

/// Names of several surfaces with a sample of their colours.
#[derive(Debug, Clone, PartialEq)]
pub struct Legend {
    /// Upper left corner in pixels.
    pub min: Vec2,
    /// Lower right corner in pixels.
    pub max: Vec2,
    /// From top to bottom.
    pub entries: Vec<LegendEntry>,
}

/// One line of a legend.
#[derive(Debug, Clone, PartialEq)]
pub struct LegendEntry {
    /// Upper left corner of the sample in pixels.
    pub min: Vec2,
    /// Lower right corner of the sample in pixels.
    pub max: Vec2,
    /// Colours from left to right, evenly spaced, sRGB.
    pub colors: Vec<[u8; 3]>,
    /// Its opacity.
    pub opacity: f32,
    /// The name.
    pub label: Label,
}

impl Legend {
    /// Width in points that names of surfaces take beside the box; 0: a colour bar stands there, or there is one surface.
    pub(super) fn room(view: &SurfaceView) -> f32 {
        let layers = view.style.layers.iter().filter(|layer| layer.visible);
        if view.style.color_bar || layers.clone().count() < 2 {
            return 0.0;
        }
        layers.map(|layer| text_width(&layer.name, view.style.font_size)).fold(0.0, f32::max) + 28.0
    }

    /// `None` with fewer than two visible surfaces.
    pub(super) fn new(view: &SurfaceView, surfaces: usize) -> Option<Self> {
        let scale = view.scale;
        let size = view.style.font_size * scale;
        let layers: Vec<_> = (0..surfaces).map(|i| view.style.layer(i)).filter(|l| l.visible).collect();
        if layers.len() < 2 {
            return None;
        }
        let widest = layers.iter().map(|l| text_width(&l.name, size)).fold(0.0, f32::max);
        let sample = Vec2::new(22.0, 9.0) * scale;
        let right = view.content().x;
        let x = (right - widest - sample.x - 18.0 * scale).max(MARGIN * scale);
        let height = (2.0 * 6.0) * scale + 1.5 * size * (layers.len() - 1) as f32;
        let min = Vec2::new(x - 6.0 * scale, MARGIN * scale - 3.0 * scale);
        let max = Vec2::new(x + sample.x + widest + 12.0 * scale, MARGIN * scale + height + 3.0 * scale);
        let entries = layers.iter().enumerate().map(|(row, layer)| {
            let center = (MARGIN + 6.0) * scale + 1.5 * size * row as f32;
            let min = Vec2::new(x, center - 0.5 * sample.y);
            LegendEntry {
                min,
                max: min + sample,
                colors: sample_colors(layer.fill, view.style.colormap),
                opacity: layer.opacity,
                label: Label {
                    text: layer.name.clone(),
                    position: Vec2::new(x + sample.x + 6.0 * scale, center),
                    anchor: Anchor(Vec2::new(0.0, 0.5)),
                    angle: 0.0,
                    size,
                    kind: LabelKind::Title,
                },
            }
        });
        Some(Self { min, max, entries: entries.collect() })
    }
}

fn sample_colors(fill: Fill, colormap: ColorMap) -> Vec<[u8; 3]> {
    match fill {
        Fill::Solid(color) => vec![color; 2],
        Fill::Heights => colormap.nodes().map(|color| [color.r, color.g, color.b]).to_vec(),
    }
}
