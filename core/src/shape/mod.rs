//! The shape of a loss surface or curve in numbers: a function of its grid alone.
//!
//! Grid points next to each other along an axis are neighbours: four in a surface, two in a curve. Points without a
//! value (not computed, not finite) have none.

mod area;
mod contour_tree;
mod local;
mod merge_tree;
mod surface;

use serde::{Deserialize, Serialize};

pub use area::LevelSet;
pub use contour_tree::Smoothness;
pub use local::{Curvature, Rise};
pub use merge_tree::{Branch, MergeTree};
pub use surface::{Place, Surface};

/// What a user can choose about the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct ShapeOptions {
    /// Radius of the mean rise, in steps. None: 1, or the largest circle in the grid if that is smaller.
    pub radius: Option<f64>,
    /// Below which value the level set lies.
    pub level: Level,
}

/// A level of a level set.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Level {
    /// A value.
    At(f64),
    /// So much above the value at the origin, or above the lowest where the origin has none.
    AboveOrigin(f64),
}

impl Default for Level {
    fn default() -> Self {
        Self::AboveOrigin(0.5)
    }
}

/// A minimum with what separates it from a lower one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Minimum {
    /// Where it is.
    pub at: Place,
    /// Value of the saddle minus that of the minimum; of the lowest minimum the whole range of values.
    pub persistence: f64,
    /// The lowest point over which a path leads to a lower minimum; none: it is the lowest.
    pub saddle: Option<Place>,
}

/// The shape of a surface or curve in numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shape {
    /// Value at step 0 of all directions, if it is known.
    pub origin: Option<f64>,
    /// The lowest point.
    pub lowest: Place,
    /// The highest point.
    pub highest: Place,
    /// Minima with their saddles, the most persistent first; without those of persistence 0.
    pub minima: Vec<Minimum>,
    /// The same of maxima, each with the highest saddle to a higher maximum.
    pub maxima: Vec<Minimum>,
    /// Saddle-minimum average distance; none where no minimum has a saddle beside it.
    pub smoothness: Option<Smoothness>,
    /// Mean rise over the value at the origin on a circle around it; none if part of it has no values.
    pub rise: Option<Rise>,
    /// Second derivatives at the origin; none if too few points around it have values.
    pub curvature: Option<Curvature>,
    /// What lies below a level.
    pub level_set: LevelSet,
}

impl Shape {
    /// The numbers of a surface; none if no point has a value.
    pub fn of(surface: &Surface, options: &ShapeOptions) -> Option<Self> {
        let order = surface.ascending();
        let (lowest, highest) = (surface.place(*order.first()?)?, surface.place(*order.last()?)?);
        let negative = surface.negative();
        let origin = surface.origin();
        let level = match options.level {
            Level::At(level) => level,
            Level::AboveOrigin(rise) => origin.unwrap_or(lowest.value) + rise,
        };
        let minima = |surface: &Surface, sign: f64| -> Vec<Minimum> {
            let at =
                |point: usize| surface.place(point).map(|place| Place { value: sign * place.value, ..place });
            let tree = MergeTree::of(surface);
            let minimum = |branch: &Branch| {
                let saddle = branch.saddle.and_then(at);
                Some(Minimum { at: at(branch.minimum)?, persistence: branch.persistence, saddle })
            };
            tree.branches().iter().filter_map(minimum).collect()
        };
        Some(Self {
            origin,
            lowest,
            highest,
            minima: minima(surface, 1.0),
            maxima: minima(&negative, -1.0),
            smoothness: Smoothness::of(surface),
            rise: Rise::of(surface, options.radius),
            curvature: Curvature::of(surface),
            level_set: LevelSet::of(surface, level),
        })
    }

    /// Number of minima whose persistence is at least this share of the range of values.
    pub fn minima_above(&self, share: f64) -> usize {
        let least = share * (self.highest.value - self.lowest.value);
        self.minima.iter().filter(|minimum| minimum.persistence >= least).count()
    }
}
