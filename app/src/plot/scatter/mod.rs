//! The plot all measuring is for: flatness against robust loss or robust generalization, one point per model.
//!
//! `records` and `published` give models with two numbers each; here they become a figure with groups,
//! intervals, correlations and, on request, the least squares line.

mod alike;
pub mod published;
mod records;
mod study;

use std::collections::BTreeMap;

use basin_core::job::{Case, FlatnessLoss};
use basin_core::measure::statistics::{Correlation, Fit, Interval, NORMAL_QUANTILE, Point, Relation, relate};

pub use records::from_records;
use serde::{Deserialize, Serialize};
pub use study::from_study;

use super::color::series_color;
use super::{
    Axis, Caption, Color, Dash, Guide, GuideLine, Item, Plot, Scale, Scatter, ScatterPoint, Series, Shape,
    Unit, padded_range, text, ticks,
};

/// Colour of the least squares line and its band.
const FIT: Color = Color::rgb(227, 26, 28);

/// What stands on the vertical axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Quantity {
    /// Robust loss on test images.
    #[default]
    Loss,
    /// Robust loss on test images minus robust loss on training images.
    Gap,
    /// Robust error on test images.
    Error,
}

/// What is plotted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// Flatness of the clean or of the robust loss.
    pub loss: FlatnessLoss,
    /// Average or worst case.
    pub case: Case,
    /// Radius of the flatness; none: the paper's if it was measured, else the one most models have.
    pub radius: Option<f64>,
    /// Vertical axis.
    pub y: Quantity,
}

impl Default for Choice {
    fn default() -> Self {
        Self { loss: FlatnessLoss::Robust, case: Case::Average, radius: None, y: Quantity::Loss }
    }
}

/// How it is plotted.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// Logarithmic flatness.
    pub log_x: bool,
    /// Logarithmic values on the vertical axis.
    pub log_y: bool,
    /// Least squares line.
    pub line: bool,
    /// Its 95 % confidence band.
    pub band: bool,
    /// Names beside the points.
    pub labels: bool,
    /// Above the axes.
    pub title: Option<String>,
}

impl Default for Look {
    fn default() -> Self {
        Self { log_x: false, log_y: false, line: true, band: false, labels: true, title: None }
    }
}

/// A number with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// The number.
    pub value: f64,
    /// Its interval, if known.
    pub interval: Option<(f64, f64)>,
}

impl Measured {
    /// Its standard error, if its interval is known.
    fn error(&self) -> Option<f64> {
        self.interval.map(|(low, high)| (high - low) / (2.0 * NORMAL_QUANTILE))
    }
}

/// One model.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Full name, with mathematics.
    pub name: String,
    /// What stands beside the point: shorter where the group says the rest.
    pub label: String,
    /// Models of one group share colour and symbol; none: grey.
    pub group: Option<String>,
    /// The training that it is a snapshot of; none: unknown, or the network itself.
    pub training: Option<String>,
    /// Hash of the checkpoint; empty if unknown.
    pub hash: String,
    /// Flatness; or what is missing, in words.
    pub x: Result<Measured, String>,
    /// Loss, gap or error; or what is missing, in words.
    pub y: Result<Measured, String>,
}

impl Model {
    /// What is missing, in words; none if there is a point.
    pub fn missing(&self) -> Option<String> {
        let missing: Vec<&str> =
            [&self.x, &self.y].iter().filter_map(|v| v.as_ref().err()).map(|m| &**m).collect();
        (!missing.is_empty()).then(|| missing.join(" and "))
    }
}

/// Models with what their axes are called.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Models {
    /// In the order of their records.
    pub models: Vec<Model>,
    /// Horizontal axis.
    pub x_label: String,
    /// Vertical axis.
    pub y_label: String,
    /// What stands on the vertical axis, in words.
    pub y_name: String,
    /// Whether groups are families of methods, which statistics tell apart, and not architectures.
    pub by_method: bool,
    /// Whether the horizontal axis is a share.
    pub x_percent: bool,
    /// Whether the vertical axis is a share.
    pub percent: bool,
    /// Colour and symbol of groups that have their own.
    pub looks: BTreeMap<String, (Option<Color>, Option<Shape>)>,
    /// What the reader must know.
    pub notes: Vec<String>,
    /// Where the numbers come from.
    pub provenance: Vec<String>,
}

impl Models {
    /// The models on such axes: what an axis cannot show is missing, and counts in no statistics.
    #[must_use]
    pub fn on_axes(&self, look: &Look) -> Self {
        let mut all = self.clone();
        for model in &mut all.models {
            let axes = [(&mut model.x, look.log_x, "flatness"), (&mut model.y, look.log_y, &*self.y_name)];
            for (measured, log, what) in axes {
                let Ok(Measured { value, .. }) = *measured else { continue };
                if !value.is_finite() {
                    *measured = Err(format!("finite {what}"));
                } else if log && value <= 0.0 {
                    *measured = Err(format!("{what} above 0, which a logarithmic axis needs"));
                }
            }
        }
        all
    }

    /// Models of which an interval reaches beyond the end of a logarithmic axis, in a sentence.
    fn cut(&self, look: &Look) -> Option<String> {
        let below = |log: bool, m: Measured| log && m.interval.is_some_and(|(low, _)| low <= 0.0);
        let is_cut =
            |(_, x, y): &(&Model, Measured, Measured)| below(look.log_x, *x) || below(look.log_y, *y);
        let names: Vec<&str> = self.points().filter(is_cut).map(|(model, ..)| &*model.name).collect();
        let intervals = if names.len() == 1 { "the interval" } else { "intervals" };
        (!names.is_empty()).then(|| {
            format!(
                "{intervals} of {} to 0 or below: drawn to the end of the logarithmic axis",
                names.join(", ")
            )
        })
    }

    /// Those with a point, and the point.
    fn points(&self) -> impl Iterator<Item = (&Model, Measured, Measured)> {
        self.models.iter().filter_map(|m| Some((m, *m.x.as_ref().ok()?, *m.y.as_ref().ok()?)))
    }

    /// How many models have a point.
    pub fn count(&self) -> usize {
        self.points().count()
    }

    /// The models with a point, for statistics.
    pub fn pairs(&self) -> Vec<Point> {
        let pair = |(model, x, y): (&Model, Measured, Measured)| Point {
            name: text::plain(&model.name),
            group: model.group.as_deref().filter(|_| self.by_method).map(text::plain),
            training: model.training.clone(),
            x: x.value,
            y: y.value,
            x_error: x.error(),
            y_error: y.error(),
        };
        self.points().map(pair).collect()
    }

    /// Least squares line over the models with a point; none if there are too few.
    pub fn fit(&self) -> Option<Fit> {
        let (x, y): (Vec<f64>, Vec<f64>) = self.points().map(|(_, x, y)| (x.value, y.value)).unzip();
        Fit::of(&x, &y)
    }

    /// How the two numbers go together over the models with a point; none if there are too few.
    pub fn relation(&self) -> Option<Relation> {
        relate(&self.pairs())
    }

    /// What is missing for which models, e.g. `a, b have no …; c has no …`; none if every model has its point.
    pub fn missing(&self) -> Option<String> {
        let mut of: Vec<(String, Vec<&str>)> = Vec::new();
        for model in &self.models {
            let Some(what) = model.missing() else { continue };
            match of.iter_mut().find(|(other, _)| *other == what) {
                Some((_, names)) => names.push(&model.name),
                None => of.push((what, vec![&model.name])),
            }
        }
        let sentence = |(what, names): &(String, Vec<&str>)| {
            format!("{} {} no {what}", names.join(", "), if names.len() == 1 { "has" } else { "have" })
        };
        (!of.is_empty()).then(|| of.iter().map(sentence).collect::<Vec<_>>().join("; "))
    }
}

/// The figure, with its statistics.
///
/// # Errors
/// No model has both numbers; or a logarithmic axis and nothing above zero.
pub fn plot(all: &Models, look: &Look) -> Result<Plot, String> {
    plot_with(all, look, all.on_axes(look).relation().as_ref())
}

/// The figure with the relation of the models on its axes; without one, no statistics stand in it.
///
/// # Errors
/// As [`plot`].
pub fn plot_with(all: &Models, look: &Look, relation: Option<&Relation>) -> Result<Plot, String> {
    let models = &all.on_axes(look);
    if all.count() > 0 && models.count() == 0 {
        return Err(format!("no model can be shown: {}", models.missing().unwrap_or_default()));
    }
    if models.points().next().is_none() {
        return Err(match models.missing() {
            Some(missing) => {
                format!(
                    "no model has both numbers: {missing}; measure what is missing and give its record too"
                )
            }
            None => {
                "there are no models; give records of flatness and of evaluations under attack".to_owned()
            }
        });
    }
    let scale = |log| if log { Scale::Log } else { Scale::Linear };
    let (x_scale, y_scale) = (scale(look.log_x), scale(look.log_y));
    let ends = |m: Measured| m.interval.map_or([m.value; 2], |(low, high)| [low, high]);
    let positive = |axis: &str| format!("nothing above zero on the {axis} axis, which a logarithm needs");
    let x_range = range(models.points().flat_map(|(_, x, _)| ends(x)).collect(), x_scale);
    let y_range = range(models.points().flat_map(|(_, _, y)| ends(y)).collect(), y_scale);
    let (x_range, y_range) = (x_range.ok_or_else(|| positive("x"))?, y_range.ok_or_else(|| positive("y"))?);
    let unit = |share: bool| if share { Unit::Percent } else { Unit::One };

    let mut items = Vec::new();
    if look.line
        && let Some(fit) = models.fit()
    {
        items.extend(look.band.then(|| band(&fit, x_range, y_range, x_scale)).flatten());
        items.push(Item::Guide(Guide {
            name: None,
            line: GuideLine::Sloped { slope: fit.line.slope, intercept: fit.line.intercept },
            color: FIT,
            dash: Dash::Dotted,
        }));
    }
    items.extend(groups(models, look.labels).into_iter().map(Item::Scatter));
    items.extend(relation.map(|relation| Item::Caption(Caption { lines: caption(relation) })));
    let mut notes = models.notes.clone();
    notes.extend(models.missing().map(|missing| format!("not shown: {missing}")));
    notes.extend(models.cut(look));
    notes.extend(relation.iter().flat_map(|relation| relation.warnings.clone()));
    let mut provenance = models.provenance.clone();
    provenance.extend(relation.iter().flat_map(|relation| described(relation)));
    Ok(Plot {
        title: look.title.clone(),
        x: Axis::new(models.x_label.clone(), x_range, x_scale, unit(models.x_percent)),
        y: Axis::new(models.y_label.clone(), y_range, y_scale, unit(models.percent)),
        items,
        key: None,
        equal_aspect: false,
        notes,
        provenance,
    })
}

/// The confidence band of a line within the axes; none for fewer than three points.
fn band(fit: &Fit, x_range: (f64, f64), y_range: (f64, f64), scale: Scale) -> Option<Item> {
    let (from, to) = (scale.map(x_range.0)?, scale.map(x_range.1)?);
    let at = |i: u32| scale.unmap(from + (to - from) * f64::from(i) / 100.0);
    let x: Vec<f64> = (0..=100).map(at).collect();
    let inside = |value: f64| value.clamp(y_range.0, y_range.1);
    let band: Option<Vec<_>> = x.iter().map(|x| fit.band(*x)).collect();
    Some(Item::Series(Series {
        name: None,
        // The line itself is a guide; this one stands in the band without being seen.
        y: vec![None; x.len()],
        band: band?.into_iter().map(|band| Some((inside(band.low), inside(band.high)))).collect(),
        x,
        color: FIT,
        dash: Dash::Dotted,
        dots: false,
        steps: false,
    }))
}

/// All values with a margin for symbols; unlike other figures not from zero, which would squeeze the points together.
fn range(values: Vec<f64>, scale: Scale) -> Option<(f64, f64)> {
    let (low, high) = padded_range(values.iter().copied(), scale)?;
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let margin = 0.08 * (high - least);
    match scale {
        Scale::Linear if least > 0.0 => Some(((least - margin).max(0.0), high)),
        _ => Some((low, high)),
    }
}

/// Points by group: grey ones first, at the back; then groups in the order of their first model.
fn groups(models: &Models, labels: bool) -> Vec<Scatter> {
    let mut names: Vec<&str> = Vec::new();
    for (model, ..) in models.points() {
        if let Some(group) = model.group.as_deref()
            && !names.contains(&group)
        {
            names.push(group);
        }
    }
    let members = |group: Option<&str>| -> Vec<ScatterPoint> {
        let of_group = models.points().filter(|(model, ..)| model.group.as_deref() == group);
        let point = |(model, x, y): (&Model, Measured, Measured)| ScatterPoint {
            x: x.value,
            y: y.value,
            x_interval: x.interval,
            y_interval: y.interval,
            name: model.name.clone(),
            label: (labels && !model.label.is_empty()).then(|| model.label.clone()),
        };
        of_group.map(point).collect()
    };
    const SHAPES: [Shape; 6] =
        [Shape::Circle, Shape::Square, Shape::Triangle, Shape::Diamond, Shape::Pentagon, Shape::Star];
    // A single group needs no legend.
    let named = |name: &str, others: bool| others.then(|| name.to_owned());
    let other = members(None);
    let several = names.len() + usize::from(!other.is_empty()) > 1;
    let grey = (!other.is_empty()).then(|| Scatter {
        name: named("Other", several),
        points: other,
        color: if several { Color::GREY } else { series_color(0) },
        shape: Shape::Circle,
        size: if several { 0.8 } else { 1.0 },
    });
    // Colours that are alike, dark and light, get different symbols.
    let shape = |i: usize| SHAPES[(i + i / SHAPES.len()) % SHAPES.len()];
    let colored = names.iter().enumerate().map(|(i, name)| {
        let (color, own) = models.looks.get(*name).copied().unwrap_or_default();
        let shape = own.unwrap_or_else(|| shape(i));
        Scatter {
            name: named(name, several),
            points: members(Some(name)),
            color: color.unwrap_or_else(|| series_color(i)),
            shape,
            size: shape.fair_size(),
        }
    });
    grey.into_iter().chain(colored).collect()
}

/// Number of models and coefficients with their intervals, for the figure.
pub fn caption(relation: &Relation) -> Vec<String> {
    let coefficients =
        [("Pearson", relation.pearson), ("Spearman", relation.spearman), ("Kendall", relation.kendall)];
    let ends = |i: Interval| format!(" [{}, {}]", ticks::number(i.low, 2), ticks::number(i.high, 2));
    let line = |(name, c): (&str, Correlation)| {
        format!("{name} {}{}", ticks::number(c.value, 2), c.interval.map_or_else(String::new, ends))
    };
    coefficients.into_iter().map(line).chain([format!("$n$ = {}", relation.n)]).collect()
}

/// The relation for data files, with more digits.
fn described(relation: &Relation) -> Vec<String> {
    let with = |c: &Correlation| {
        let ends = |i: Interval| format!("95 % interval {:.3} to {:.3}", i.low, i.high);
        let parts: Vec<String> =
            c.interval.map(ends).into_iter().chain(c.p.map(|p| format!("permutation p {p:.4}"))).collect();
        if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
    };
    let Relation { pearson, spearman, kendall, fit, n, .. } = relation;
    vec![
        format!("Pearson {:.3}{}", pearson.value, with(pearson)),
        format!("Spearman {:.3}{}", spearman.value, with(spearman)),
        format!("Kendall tau-b {:.3}{}, n = {n}", kendall.value, with(kendall)),
        format!("least squares: y = {:.4} + {:.4} x", fit.line.intercept, fit.line.slope),
    ]
}
