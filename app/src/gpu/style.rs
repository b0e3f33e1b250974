//! How surfaces are to look: plain settings, the same for window, picture and saved state.

use serde::{Deserialize, Serialize};

use crate::plot::colormap::ColorMap;
use crate::plot::ticks;

/// Everything about the look of a surface plot that is not the camera.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SurfaceStyle {
    /// Background and ink.
    pub theme: Theme,
    /// Draws no background, for pictures to be laid over something else.
    pub transparent_background: bool,
    /// Colours of heights.
    pub colormap: ColorMap,
    /// What stands above the box; empty: nothing.
    pub title: String,
    /// Lowest and highest height of the box; `None`: those of the surfaces. Pictures that share them can be compared.
    pub heights: Option<[f32; 2]>,
    /// Heights of the colour map's ends; `None`: the smallest and largest drawn height.
    pub range: Option<[f32; 2]>,
    /// Linear or logarithmic height.
    pub scale: HeightScale,
    /// The surface is cut open at this height: what is above is not drawn, the box ends there.
    pub clip: Option<f32>,
    /// Height of the box relative to its default.
    pub exaggeration: f32,
    /// Light and shadow; without, colours are exactly those of the colour bar.
    pub lighting: bool,
    /// Lines of equal height.
    pub contours: Contours,
    /// How each surface is drawn, in the order the surfaces are given.
    pub layers: Vec<LayerStyle>,
    /// Box, grid, ticks and titles.
    pub axes: bool,
    /// The pin at the origin.
    pub origin: bool,
    /// The colour bar; reserves its place at the right edge.
    pub color_bar: bool,
    /// Titles of the x, y and height axes.
    pub titles: [String; 3],
    /// Text size in points.
    pub font_size: f32,
}

/// Background and ink.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// Dark ink on white.
    #[default]
    Light,
    /// Light ink on near-black.
    Dark,
}

/// How a height becomes a length.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HeightScale {
    /// Equal lengths are equal differences.
    #[default]
    Linear,
    /// Equal lengths are equal ratios. Heights that are not above zero are drawn at the smallest that is.
    Log,
}

/// Lines of equal height.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Contours {
    /// Heights of the lines (the first 64 count); `None`: round heights chosen from the data.
    pub levels: Option<Vec<f32>>,
    /// About how many are chosen.
    pub count: usize,
    /// Draws them on the surface.
    pub on_surface: bool,
    /// Draws those of the first visible surface on the floor.
    pub on_floor: bool,
    /// Also fills the floor with colour.
    pub fill_floor: bool,
}

/// How one of the surfaces is drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LayerStyle {
    /// Name in the legend, which appears with the second surface.
    pub name: String,
    /// Drawn at all.
    pub visible: bool,
    /// 0 (invisible) to 1 (opaque).
    pub opacity: f32,
    /// Where its colours come from.
    pub fill: Fill,
    /// Thin lines along the grid.
    pub wireframe: bool,
}

/// Where the colours of a surface come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fill {
    /// From its heights, by the colour map.
    #[default]
    Heights,
    /// One colour, sRGB.
    Solid([u8; 3]),
}

impl Default for SurfaceStyle {
    fn default() -> Self {
        Self {
            theme: Theme::Light,
            transparent_background: false,
            colormap: ColorMap::Viridis,
            title: String::new(),
            heights: None,
            range: None,
            scale: HeightScale::Linear,
            clip: None,
            exaggeration: 1.0,
            lighting: true,
            contours: Contours::default(),
            layers: vec![LayerStyle::default(), LayerStyle::second()],
            axes: true,
            origin: true,
            color_bar: true,
            titles: ["x".into(), "y".into(), "loss".into()],
            font_size: 11.0,
        }
    }
}

impl Default for Contours {
    fn default() -> Self {
        Self { levels: None, count: 12, on_surface: true, on_floor: true, fill_floor: false }
    }
}

impl Default for LayerStyle {
    fn default() -> Self {
        Self { name: "robust".into(), visible: true, opacity: 1.0, fill: Fill::Heights, wireframe: false }
    }
}

impl LayerStyle {
    /// For a surface below the main one: told apart by one quiet colour.
    pub fn second() -> Self {
        Self { name: "clean".into(), fill: Fill::Solid([118, 141, 168]), ..Self::default() }
    }
}

impl HeightScale {
    /// About `most` round heights in a range, fewer rather than more.
    pub(super) fn round_values(self, [lo, hi]: [f32; 2], most: usize) -> Vec<f64> {
        match self {
            Self::Linear => ticks::linear(lo.into(), hi.into(), most),
            Self::Log => ticks::logarithmic(lo.into(), hi.into(), most),
        }
    }

    /// The same minus an `offset`, with what they say in the notation of [`crate::plot::text`].
    pub(super) fn ticks(self, range: [f32; 2], most: usize, offset: f64) -> Vec<(f32, String)> {
        let values = self.round_values(range, most);
        let scale = match self {
            Self::Linear => ticks::Scale::Linear,
            Self::Log => ticks::Scale::Log,
        };
        let step = ticks::nice_step(f64::from(range[1]) - f64::from(range[0]), most);
        let said = values
            .iter()
            .map(|value| if offset == 0.0 { *value } else { ticks::clean(value - offset, step) });
        let texts = ticks::labels(&said.collect::<Vec<_>>(), scale, ticks::Unit::One);
        values.into_iter().map(|value| value as f32).zip(texts).collect()
    }
}

impl SurfaceStyle {
    /// How the `i`-th surface is drawn.
    pub fn layer(&self, i: usize) -> LayerStyle {
        self.layers.get(i).cloned().unwrap_or_default()
    }
}

impl Theme {
    /// Colour behind everything, sRGB in 0..=1.
    pub fn background(self) -> [f32; 3] {
        match self {
            Self::Light => [1.0; 3],
            Self::Dark => [0.086, 0.094, 0.114],
        }
    }

    /// Colour of text and of the box's edges, sRGB in 0..=1.
    pub fn ink(self) -> [f32; 3] {
        match self {
            Self::Light => [0.13, 0.14, 0.16],
            Self::Dark => [0.84, 0.85, 0.87],
        }
    }

    /// Colour of the pin at the origin, sRGB in 0..=1.
    pub fn accent(self) -> [f32; 3] {
        match self {
            Self::Light => [0.80, 0.14, 0.18],
            Self::Dark => [1.0, 0.42, 0.40],
        }
    }

    /// Colour and opacity of the box's edges and ticks.
    pub(super) fn edge(self) -> [f32; 4] {
        let [r, g, b] = self.ink();
        [r, g, b, 0.75]
    }

    /// Colour and opacity of the box's grid.
    pub(super) fn grid(self) -> [f32; 4] {
        let [r, g, b] = self.ink();
        [r, g, b, if self == Self::Light { 0.14 } else { 0.18 }]
    }
}
