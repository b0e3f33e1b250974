//! The shape of a landscape in numbers and words, for the command line and the window alike.

use basin_core::job::DirectionKind;
use basin_core::record::LandscapeOutcome;
use basin_core::shape::{Curvature, Place, Shape, ShapeOptions, Surface};

use crate::plot::landscape::{MainGrid, Quantity, unit, values};
use crate::plot::ticks;

/// Minima of at least this part of the range of values are counted as such; shallower ones are often noise.
const NOTABLE: f64 = 0.01;

/// A number of the shape: what it is, its value, and what it means.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// In few words.
    pub name: &'static str,
    /// With its unit.
    pub value: String,
    /// In a sentence.
    pub meaning: &'static str,
}

/// What the numbers of a window are computed of: the version of what is shown, and how.
pub type ShapeOf = (u64, Quantity, ShapeOptions);

/// The shape of a grid; none if no point has a value, or its values do not fit its steps.
pub fn of(grid: &MainGrid<'_>, quantity: Quantity, options: &ShapeOptions) -> Option<Shape> {
    let origin = grid.origin.map(|point| match quantity {
        Quantity::Loss => point.loss,
        Quantity::Error => point.error,
    });
    let surface = Surface::new(grid.x, grid.y, values(grid.grid, quantity).iter())?.with_origin(origin);
    Shape::of(&surface, options)
}

/// The numbers for people.
pub fn facts(shape: &Shape, landscape: &LandscapeOutcome, quantity: Quantity) -> Vec<Fact> {
    let factor = unit(quantity).factor();
    let sign = if quantity == Quantity::Error { " %" } else { "" };
    let number = |value: f64| ticks::readable(factor * value);
    let with_unit = |value: f64| format!("{}{sign}", number(value));
    let mut facts = Vec::new();
    let mut add = |name, value, meaning| facts.push(Fact { name, value, meaning });
    let at = |place: &Place| format!("{} at {}", with_unit(place.value), position(place));
    if let Some(origin) = shape.origin {
        add("Origin", with_unit(origin), "Value at the trained weights");
    }
    add("Lowest", at(&shape.lowest), "The lowest grid point and its steps");
    add("Highest", at(&shape.highest), "The highest grid point and its steps");
    let notable = shape.minima_above(NOTABLE);
    let minima = match shape.minima.len() - notable {
        0 => notable.to_string(),
        shallow => format!("{notable}, and {shallow} shallow"),
    };
    add("Minima", minima, "Shallow: less than 1 % of the range below the saddle to a lower minimum");
    if let Some(second) = shape.minima.iter().find(|minimum| minimum.saddle.is_some()) {
        let value = format!("{} at {}", with_unit(second.persistence), position(&second.at));
        add("Persistence", value, "Depth of the second deepest minimum below the saddle to a lower one");
    }
    if let Some(smoothness) = shape.smoothness {
        let share = ticks::readable(100.0 * smoothness.normalized);
        let value = format!("{} ({share} % of the range)", with_unit(smoothness.distance));
        add("SMAD", value, "Saddle-minimum average distance, as in Landscaper: small is smooth");
    }
    if let Some(rise) = shape.rise {
        let radius = ticks::readable(rise.radius);
        let value = format!("{} at radius {radius}", with_unit(rise.mean));
        add("Mean rise", value, "Over the value at the origin, on a circle around it (in 1-D on both sides)");
    }
    if let Some(curvature) = shape.curvature {
        let plain = |value: f64| ticks::readable(value);
        let pair = |[largest, smallest]: [f64; 2]| match curvature.yy {
            Some(_) => format!("{} to {}", plain(smallest), plain(largest)),
            None => plain(largest),
        };
        let steps = Curvature {
            xx: factor * curvature.xx,
            xy: factor * curvature.xy,
            yy: curvature.yy.map(|yy| factor * yy),
        };
        let value = format!("{} per step²", pair(steps.principal()));
        add(
            "Curvature",
            value,
            "Second derivative at the origin: the smallest and largest over all directions of the plane",
        );
        if let (Some(in_weights), Quantity::Loss) = (per_weight(&curvature, landscape), quantity) {
            add(
                "In weights",
                pair(in_weights),
                "The same per squared unit of weight change: it compares with eigenvalues of the Hessian",
            );
        }
    }
    let share = ticks::readable(100.0 * shape.level_set.share);
    let what = if landscape.y.is_some() { "area" } else { "length" };
    let value = format!("{share} % of the {what} below {}", with_unit(shape.level_set.level));
    add("Level set", value, "Where the value is below a level: unless one is chosen, 0.5 above the origin");
    facts
}

/// `(0.5, −0.25)`; in 1-D `0.5`.
fn position(place: &Place) -> String {
    let step = |step: f64| ticks::readable(step);
    match place.y {
        Some(y) => format!("({}, {})", step(place.x), step(y)),
        None => step(place.x),
    }
}

/// Largest and smallest curvature per squared unit of weight change, where the norms of the directions are known and
/// nothing but weights moves along them.
fn per_weight(curvature: &Curvature, landscape: &LandscapeOutcome) -> Option<[f64; 2]> {
    let of_weights = |name: &str| {
        let kind = name.parse::<DirectionKind>();
        !kind.is_ok_and(|kind| kind.moves_images() || matches!(kind, DirectionKind::Joint(_)))
    };
    if landscape.directions.iter().any(|direction| !of_weights(&direction.name)) {
        return None;
    }
    let norm =
        |at: usize| landscape.directions.get(at).map(|direction| direction.norm).filter(|norm| *norm > 0.0);
    match curvature.yy {
        None => Some(curvature.principal_in([norm(0)?, 1.0], 0.0)),
        Some(_) => {
            let cosine = landscape.cosine.filter(|cosine| cosine.abs() < 0.999)?;
            Some(curvature.principal_in([norm(0)?, norm(1)?], cosine))
        }
    }
}
