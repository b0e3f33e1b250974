//! From data to world space: where the box is, how heights become lengths, how they become colours.

use glam::Vec3;

use super::axes::{TICKS, text_width};
use super::data::{Extent, SurfaceData};
use super::style::{HeightScale, SurfaceStyle};

/// Height of the box in world units, where its sides are 2.
const BOX_HEIGHT: f32 = 1.15;
/// Part of the box's height kept free between floor and surface for the contour map.
const FLOOR_GAP: f32 = 0.30;
/// The same without a contour map.
const FLOOR_MARGIN: f32 = 0.06;
/// Numbers wider than this, in font sizes, ...
const LONGEST: f32 = 3.2;
/// ... of a range that is smaller than this part of its values, are written as differences.
const SHARED: f64 = 0.01;
/// Keep in sync with `Scene` in `shaders/scene.wgsl`.
pub(super) const MAX_LEVELS: usize = 64;

/// The mapping of one picture, common to all of its surfaces.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Ends of the x axis.
    pub x: [f32; 2],
    /// Ends of the y axis.
    pub y: [f32; 2],
    /// Lowest and highest drawn height.
    pub height: [f32; 2],
    /// Heights of the colour map's ends.
    pub colors: [f32; 2],
    /// Linear or logarithmic.
    pub scale: HeightScale,
    /// The surface is cut open here.
    pub clip: Option<f32>,
    /// Contour heights.
    pub levels: Vec<f32>,
    /// Half the box's extents in world units.
    pub half: Vec3,
    /// World height of the lowest drawn height; the floor is at `-half.z`.
    pub base: f32,
}

impl Frame {
    /// The frame of these surfaces in that style; hidden ones do not count.
    pub fn new<'a>(surfaces: impl IntoIterator<Item = &'a SurfaceData>, style: &SurfaceStyle) -> Self {
        let extents = surfaces.into_iter().map(SurfaceData::extent);
        Self::from_extents(extents, style)
    }

    /// The same where the extents are already known.
    pub fn from_extents(extents: impl IntoIterator<Item = Extent>, style: &SurfaceStyle) -> Self {
        let visible = extents.into_iter().enumerate().filter(|(i, _)| style.layer(*i).visible);
        let extent = visible.map(|(_, extent)| extent).fold(Extent::EMPTY, Extent::union);
        let height = heights(&extent, style);
        let levels = match &style.contours.levels {
            Some(levels) => levels.clone(),
            None => style
                .scale
                .round_values(height, style.contours.count)
                .into_iter()
                .map(|level| level as f32)
                .collect(),
        };
        let usable = |level: &f32| level.is_finite() && (style.scale == HeightScale::Linear || *level > 0.0);
        let mut levels: Vec<f32> = levels.into_iter().filter(usable).take(MAX_LEVELS).collect();
        levels.sort_by(f32::total_cmp);
        let half_height = Self::half_height(style);
        let gap = if style.contours.on_floor { FLOOR_GAP } else { FLOOR_MARGIN };
        Self {
            x: ends(extent.x),
            y: ends(extent.y),
            height,
            colors: style.range.filter(|r| ordered(*r, style.scale)).unwrap_or(height),
            scale: style.scale,
            clip: style.clip.filter(|clip| *clip > height[0]),
            levels,
            half: Vec3::new(1.0, 1.0, half_height),
            base: -half_height + 2.0 * half_height * gap,
        }
    }

    /// Half the height of the box in world units.
    pub(super) fn half_height(style: &SurfaceStyle) -> f32 {
        0.5 * BOX_HEIGHT * style.exaggeration.clamp(0.05, 5.0)
    }

    /// Round values of a range of heights with what they say: minus [`Frame::offset`].
    pub(super) fn ticks(&self, range: [f32; 2], most: usize) -> Vec<(f32, String)> {
        self.scale.ticks(range, most, self.offset())
    }

    /// Round values of one of the two axes of the floor with what they say.
    pub(super) fn floor_ticks(&self, range: [f32; 2]) -> Vec<(f32, String)> {
        HeightScale::Linear.ticks(range, TICKS, 0.0)
    }

    /// What is subtracted from the numbers where all of them share more digits than can be read at a glance; else zero.
    pub fn offset(&self) -> f64 {
        let ticks = self.scale.ticks(self.height, TICKS, 0.0);
        let longest = ticks.iter().map(|(_, text)| text_width(text, 1.0)).fold(0.0, f32::max);
        let [low, high] = self.height.map(f64::from);
        let close = self.scale == HeightScale::Linear && high - low < SHARED * high.abs().max(low.abs());
        let first = self.scale.round_values(self.height, TICKS).first().copied();
        first.filter(|_| close && longest > LONGEST).unwrap_or(0.0)
    }

    /// The scale applied to a height: itself, or its decimal logarithm.
    pub fn transform(&self, height: f32) -> f32 {
        match self.scale {
            HeightScale::Linear => height,
            HeightScale::Log => height.max(self.height[0]).log10(),
        }
    }

    /// World units per unit of transformed height, and the transformed height of `base`.
    pub(super) fn vertical(&self) -> (f32, f32) {
        let (lo, hi) = (self.transform(self.height[0]), self.transform(self.height[1]));
        ((self.half.z - self.base) / (hi - lo), lo)
    }

    /// World units per unit of x, and the x of the box's centre; the same for y.
    pub(super) fn horizontal(&self) -> [(f32, f32); 2] {
        [(self.x, self.half.x), (self.y, self.half.y)]
            .map(|(ends, half)| (2.0 * half / (ends[1] - ends[0]), 0.5 * (ends[0] + ends[1])))
    }

    /// World coordinates of a point.
    pub fn world(&self, x: f32, y: f32, height: f32) -> Vec3 {
        let [(sx, cx), (sy, cy)] = self.horizontal();
        Vec3::new((x - cx) * sx, (y - cy) * sy, self.elevation(height))
    }

    /// The x and y of a point in world space, within the axes.
    pub fn place(&self, point: Vec3) -> [f32; 2] {
        let [(sx, cx), (sy, cy)] = self.horizontal();
        let within = |value: f32, [from, to]: [f32; 2]| value.clamp(from, to);
        [within(point.x / sx + cx, self.x), within(point.y / sy + cy, self.y)]
    }

    /// World height of a height.
    pub fn elevation(&self, height: f32) -> f32 {
        let (scale, lo) = self.vertical();
        self.base + (self.transform(height) - lo) * scale
    }

    /// Where a height lies on the colour map; outside 0..=1 beyond its ends.
    pub fn color_position(&self, height: f32) -> f32 {
        let [lo, hi] = self.colors.map(|v| match self.scale {
            HeightScale::Linear => v,
            HeightScale::Log => v.log10(),
        });
        (self.transform(height) - lo) / (hi - lo)
    }
}

/// Lowest and highest height to draw.
fn heights(extent: &Extent, style: &SurfaceStyle) -> [f32; 2] {
    let log = style.scale == HeightScale::Log;
    let own = [if log { extent.smallest_positive } else { extent.height[0] }, extent.height[1]];
    let mut range = style.heights.filter(|range| ordered(*range, style.scale)).unwrap_or(own);
    let lo = range[0];
    if !range.iter().all(|v| v.is_finite()) {
        return if log { [0.1, 1.0] } else { [0.0, 1.0] };
    }
    if let Some(clip) = style.clip.filter(|clip| clip.is_finite() && *clip > lo) {
        range[1] = range[1].min(clip);
    }
    if range[1] - range[0] > 1e-6 * range[1].abs().max(range[0].abs()) {
        range
    } else if log {
        [range[0] / 1.5, range[0] * 1.5]
    } else {
        let around = if range[0] == 0.0 { 0.5 } else { 0.5 * range[0].abs() };
        [range[0] - around, range[0] + around]
    }
}

fn ends(axis: [f32; 2]) -> [f32; 2] {
    if axis[1] > axis[0] { axis } else { [-1.0, 1.0] }
}

fn ordered(range: [f32; 2], scale: HeightScale) -> bool {
    range[1] > range[0] && range[1].is_finite() && (range[0] > 0.0 || scale == HeightScale::Linear)
}
