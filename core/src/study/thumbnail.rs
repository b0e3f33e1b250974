//! Small pictures of landscapes.

use crate::record::{Grid, LandscapeOutcome};

/// Points along each side of a thumbnail at most.
const SIDE: usize = 24;
/// The level of points that were not computed.
const NONE: u8 = u8::MAX;

/// A landscape on a small grid: the robust loss, else the clean one.
#[derive(Debug, Clone, PartialEq)]
pub struct Thumbnail {
    /// Points along x.
    pub width: usize,
    /// Points along y; 1: a curve.
    pub height: usize,
    /// Smallest and largest loss of the thumbnail.
    pub range: [f32; 2],
    /// Row by row along y: 0 is the smallest loss, 254 the largest, 255 was not computed.
    pub levels: Vec<u8>,
}

impl Thumbnail {
    /// The thumbnail of a landscape; none where nothing was computed.
    pub fn of(landscape: &LandscapeOutcome) -> Option<Self> {
        let grid: &Grid = landscape.robust.as_ref().or(landscape.clean.as_ref())?;
        let at = |count: usize| -> Vec<usize> {
            let kept = count.min(SIDE);
            // The ends and evenly between them, so that the middle of an odd grid stays in the middle.
            (0..kept).map(|i| if kept > 1 { i * (count - 1) / (kept - 1) } else { 0 }).collect()
        };
        let (x, y) = (at(landscape.x.len()), at(landscape.y.as_ref().map_or(1, Vec::len)));
        let values: Vec<Option<f32>> = y
            .iter()
            .flat_map(|y| x.iter().map(|x| grid.loss.get(*x, *y).map(|loss| loss as f32)))
            .map(|loss| loss.filter(|loss| loss.is_finite()))
            .collect();
        let known = || values.iter().flatten().copied();
        let (low, high) = (known().fold(f32::INFINITY, f32::min), known().fold(f32::NEG_INFINITY, f32::max));
        if low > high {
            return None;
        }
        let level = |loss: Option<f32>| match loss {
            Some(loss) if high > low => (254.0 * (loss - low) / (high - low)).round() as u8,
            Some(_) => 0,
            None => NONE,
        };
        let levels = values.into_iter().map(level).collect();
        Some(Self { width: x.len(), height: y.len(), range: [low, high], levels })
    }

    /// The loss at a point; none where it was not computed.
    pub fn loss(&self, x: usize, y: usize) -> Option<f32> {
        let level = *self.levels.get(y * self.width + x)?;
        let [low, high] = self.range;
        (level != NONE).then(|| low + (high - low) * f32::from(level) / 254.0)
    }
}
