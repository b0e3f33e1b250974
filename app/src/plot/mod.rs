//! Figures: records become a [`Plot`], a [`Plot`] becomes a widget or a file.
//!
//! A plot is pure data and a function of records alone. Ticks, ranges, labels and colours are decided here
//! once, so that the screen ([`screen`]) and the paper ([`export`]) agree. A new figure is one file from
//! records to `Plot`, like [`landscape`], and a line in the registry, [`figures`].

pub mod attack;
pub mod attack_steps;
pub mod color;
pub mod colormap;
pub mod contour;
pub mod curvature;
pub mod epochs;
pub mod evaluation;
pub mod export;
pub mod field;
pub mod figure;
pub mod figures;
pub mod fill;
pub mod flatness;
pub mod key;
pub mod landscape;
pub mod landscapes;
pub mod merge_tree;
pub mod panels;
mod place;
mod provenance;
pub mod scatter;
pub mod screen;
pub mod spectrum;
mod symbol;
pub mod text;
pub mod ticks;
pub mod training;

pub use color::Color;
pub use colormap::ColorMap;
pub use field::{ColorScale, Contour, Field};
pub use key::{Entry, Group, Key};
pub use symbol::Shape;
pub use ticks::{Scale, Tick, Unit};

/// A figure with one pair of axes. Labels may contain mathematics (see [`text`]).
#[derive(Debug, Clone, PartialEq)]
pub struct Plot {
    /// Above the axes; papers usually have a caption instead.
    pub title: Option<String>,
    /// Horizontal axis.
    pub x: Axis,
    /// Vertical axis.
    pub y: Axis,
    /// What is drawn, first at the back.
    pub items: Vec<Item>,
    /// A legend in two parts, in place of one of every item by itself.
    pub key: Option<Key>,
    /// Whether one unit of x is as long as one unit of y.
    pub equal_aspect: bool,
    /// What the reader must know about these numbers: holes, clipped values, mixed settings.
    pub notes: Vec<String>,
    /// Where the numbers come from, one line each: for the head of data files.
    pub provenance: Vec<String>,
}

/// One axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// What it shows, with the unit.
    pub label: String,
    /// Lowest and highest value shown.
    pub range: (f64, f64),
    /// Linear or logarithmic.
    pub scale: Scale,
    /// How numbers are written.
    pub unit: Unit,
    /// Ticks within the range.
    pub ticks: Vec<Tick>,
}

impl Axis {
    /// An axis with round ticks.
    pub fn new(label: impl Into<String>, range: (f64, f64), scale: Scale, unit: Unit) -> Self {
        Self { label: label.into(), range, scale, unit, ticks: ticks::ticks(range, scale, unit, 6) }
    }

    /// A value, or the lower end of a logarithmic axis for one at or below zero: how far an interval is drawn.
    pub fn reach(&self, value: f64) -> f64 {
        if self.scale == Scale::Log && value <= 0.0 { self.range.0 } else { value }
    }

    /// Position of a value along the axis, 0 to 1 within the range; none if the scale cannot show it.
    pub fn position(&self, value: f64) -> Option<f64> {
        let low = self.scale.map(self.range.0)?;
        let high = self.scale.map(self.range.1)?;
        Some((self.scale.map(value)? - low) / (high - low))
    }
}

/// Something in a plot.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// A curve.
    Series(Series),
    /// Points with error bars.
    Scatter(Scatter),
    /// A histogram.
    Histogram(Histogram),
    /// A function of two variables.
    Field(Field),
    /// A straight line across the axes.
    Guide(Guide),
    /// A single symbol.
    Mark(Mark),
    /// From one point to another.
    Arrow(Arrow),
    /// Lines of words in an empty corner.
    Caption(Caption),
}

/// Lines of words that stand where nothing is covered.
#[derive(Debug, Clone, PartialEq)]
pub struct Caption {
    /// The lines, with mathematics.
    pub lines: Vec<String>,
}

/// Solid or broken lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dash {
    /// Unbroken.
    #[default]
    Solid,
    /// Long strokes.
    Dashed,
    /// Points.
    Dotted,
}

/// A curve; a missing y interrupts it.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Entry in the legend; none: not in the legend.
    pub name: Option<String>,
    /// Abscissas.
    pub x: Vec<f64>,
    /// Values, in the unit of the y axis, never clipped.
    pub y: Vec<Option<f64>>,
    /// Lower and upper end of a band around the curve, per point; empty: no band.
    pub band: Vec<Option<(f64, f64)>>,
    /// Colour of line, dots and band.
    pub color: Color,
    /// Line style.
    pub dash: Dash,
    /// Whether every point has a dot.
    pub dots: bool,
    /// Whether it goes in steps: each value holds all the way from the point before it.
    pub steps: bool,
}

impl Series {
    /// Its points, with the corners of steps.
    pub fn points(&self) -> Vec<(f64, Option<f64>)> {
        let mut points: Vec<(f64, Option<f64>)> = Vec::new();
        for (x, y) in self.x.iter().zip(&self.y) {
            let before = points.last().copied().filter(|(_, before)| self.steps && before.is_some());
            if let (Some((from, before)), Some(_)) = (before, y)
                && before != *y
            {
                points.push((from, *y));
            }
            points.push((*x, *y));
        }
        points
    }
}

/// Points of one group.
#[derive(Debug, Clone, PartialEq)]
pub struct Scatter {
    /// Entry in the legend.
    pub name: Option<String>,
    /// The points.
    pub points: Vec<ScatterPoint>,
    /// Fill colour; outlines are black.
    pub color: Color,
    /// Symbol.
    pub shape: Shape,
    /// Diameter relative to the style's symbol size.
    pub size: f64,
}

/// One point, its intervals and its name.
#[derive(Debug, Clone, PartialEq)]
pub struct ScatterPoint {
    /// Abscissa.
    pub x: f64,
    /// Ordinate.
    pub y: f64,
    /// Interval in x.
    pub x_interval: Option<(f64, f64)>,
    /// Interval in y.
    pub y_interval: Option<(f64, f64)>,
    /// Name of the point, shown on hovering and in data files.
    pub name: String,
    /// Words beside the point.
    pub label: Option<String>,
}

/// Counts or shares between edges.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// Entry in the legend.
    pub name: Option<String>,
    /// Ascending edges, one more than values.
    pub edges: Vec<f64>,
    /// Heights.
    pub values: Vec<f64>,
    /// Colour of outline and (pale) fill.
    pub color: Color,
}

/// Which way a guide runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum GuideLine {
    /// At this y.
    Horizontal(f64),
    /// At this x.
    Vertical(f64),
    /// `y = slope * x + intercept`, e.g. a regression.
    Sloped {
        /// Rise per unit of x.
        slope: f64,
        /// y at x = 0.
        intercept: f64,
    },
}

/// A straight line across the axes.
#[derive(Debug, Clone, PartialEq)]
pub struct Guide {
    /// Entry in the legend.
    pub name: Option<String>,
    /// Where.
    pub line: GuideLine,
    /// Colour.
    pub color: Color,
    /// Line style.
    pub dash: Dash,
}

impl Guide {
    /// Its ends in a plot, or many points of a sloped line where it bends on logarithmic axes.
    pub fn points(&self, plot: &Plot) -> Vec<[f64; 2]> {
        let (x, y) = (plot.x.range, plot.y.range);
        let ends = match self.line {
            GuideLine::Horizontal(at) => [[x.0, at], [x.1, at]],
            GuideLine::Vertical(at) => [[at, y.0], [at, y.1]],
            GuideLine::Sloped { slope, intercept } => [x.0, x.1].map(|x| [x, slope * x + intercept]),
        };
        let pieces = if plot.x.scale == Scale::Log || plot.y.scale == Scale::Log { 100 } else { 1 };
        let along = |t: f64| [0, 1].map(|i| ends[0][i] + t * (ends[1][i] - ends[0][i]));
        (0..=pieces).map(|i| along(f64::from(i) / f64::from(pieces))).collect()
    }
}

impl ScatterPoint {
    /// The ends of its error bars on the axes of a plot.
    pub fn bars(&self, plot: &Plot) -> impl Iterator<Item = [[f64; 2]; 2]> {
        let x = self.x_interval.map(|(a, b)| [[plot.x.reach(a), self.y], [plot.x.reach(b), self.y]]);
        let y = self.y_interval.map(|(a, b)| [[self.x, plot.y.reach(a)], [self.x, plot.y.reach(b)]]);
        x.into_iter().chain(y)
    }
}

/// A single symbol, e.g. the cross at the trained weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// Abscissa.
    pub x: f64,
    /// Ordinate.
    pub y: f64,
    /// Symbol.
    pub shape: Shape,
    /// Fill colour.
    pub color: Color,
    /// What it marks.
    pub name: String,
}

/// An arrow from one point to another.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrow {
    /// Where it begins.
    pub from: [f64; 2],
    /// Where it points to.
    pub to: [f64; 2],
    /// Colour.
    pub color: Color,
    /// What it says.
    pub name: String,
}

impl Plot {
    /// The field with its colour bar, if the plot has one.
    pub fn field(&self) -> Option<&Field> {
        self.items.iter().find_map(|item| match item {
            Item::Field(field) => Some(field),
            _ => None,
        })
    }
}

/// A comfortable range around values: from zero where they are shares or near it, else with a margin.
pub fn padded_range(values: impl Iterator<Item = f64>, scale: Scale) -> Option<(f64, f64)> {
    let (low, high) = values
        .filter_map(|v| scale.map(v))
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    if low > high {
        return None;
    }
    // Equal values, up to rounding, get some room of their own.
    let (least, room) = match scale {
        Scale::Linear => (1e-9 * low.abs().max(high.abs()), if low == 0.0 { 0.5 } else { 0.1 * low.abs() }),
        Scale::Log => (1e-9, 0.1),
    };
    let margin = if high - low > least { 0.06 * (high - low) } else { room };
    let (below, above) = (low - margin, high + margin);
    Some(match scale {
        Scale::Log => (scale.unmap(below), scale.unmap(above)),
        Scale::Linear if low >= 0.0 && low < 0.5 * high => (0.0, above),
        Scale::Linear => (below, above),
    })
}
