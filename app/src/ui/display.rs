//! How results are drawn: plain settings, remembered, shared by the views and the export.

use crate::plot::colormap::ColorMap;
use serde::{Deserialize, Serialize};

/// Which number is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Quantity {
    /// Mean cross-entropy.
    #[default]
    Loss,
    /// Share of wrong examples.
    Error,
}

/// Settings of the views.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Display {
    /// Loss or error.
    pub quantity: Quantity,
    /// Logarithmic height and colour.
    pub logarithmic: bool,
    /// Cut heights off above `clip_at`.
    pub clip: bool,
    /// Largest height drawn when `clip` is on.
    pub clip_at: f64,
    /// Colours of heights.
    pub colormap: ColorMap,
    /// Contour lines on the surface.
    pub surface_contours: bool,
    /// Contour lines on the floor.
    pub floor_contours: bool,
    /// Number of contour levels.
    pub levels: usize,
    /// Draw the clean surface below the robust one.
    pub overlay_clean: bool,
    /// Opacity of the upper surface while another is below it.
    pub opacity: f32,
    /// Grid lines on the surface.
    pub wireframe: bool,
    /// Height of the box relative to its width.
    pub height: f32,
}

impl Default for Display {
    fn default() -> Self {
        Self {
            quantity: Quantity::Loss,
            logarithmic: false,
            clip: false,
            clip_at: 5.0,
            colormap: ColorMap::Viridis,
            surface_contours: true,
            floor_contours: true,
            levels: 12,
            overlay_clean: true,
            opacity: 0.7,
            wireframe: false,
            height: 0.6,
        }
    }
}
