//! The plot all measuring is for: flatness against robust loss or robust generalization, one point per model.
//!
//! `records` and `published` give models with two numbers each; here they become a figure with groups,
//! intervals, correlations and, on request, the least squares line.

mod alike;
mod attacks;
pub mod published;
mod records;

use basin_core::job::{Case, FlatnessLoss};
use basin_core::measure::statistics::{Correlation, Interval, correlate};

pub use records::from_records;
use serde::{Deserialize, Serialize};

use super::color::series_color;
use super::{
    Axis, Caption, Color, Dash, Guide, GuideLine, Item, Plot, Scale, Scatter, ScatterPoint, Shape, Unit,
    padded_range, ticks,
};

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
    /// Names beside the points.
    pub labels: bool,
    /// Above the axes.
    pub title: Option<String>,
}

impl Default for Look {
    fn default() -> Self {
        Self { log_x: false, log_y: false, line: true, labels: true, title: None }
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

/// One model.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Full name, with mathematics.
    pub name: String,
    /// What stands beside the point: shorter where the group says the rest.
    pub label: String,
    /// Models of one group share colour and symbol; none: grey.
    pub group: Option<String>,
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
    /// Whether the vertical axis is a share.
    pub percent: bool,
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

    /// Correlations over the models with a point; none if there are too few.
    pub fn correlation(&self) -> Option<Correlation> {
        let (x, y): (Vec<f64>, Vec<f64>) = self.points().map(|(_, x, y)| (x.value, y.value)).unzip();
        correlate(&x, &y)
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

/// The figure.
///
/// # Errors
/// No model has both numbers; or a logarithmic axis and nothing above zero.
pub fn plot(all: &Models, look: &Look) -> Result<Plot, String> {
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
    let unit = if models.percent { Unit::Percent } else { Unit::One };

    let mut items = Vec::new();
    let correlation = models.correlation();
    if let Some(line) = correlation.map(|c| c.line).filter(|_| look.line) {
        items.push(Item::Guide(Guide {
            name: None,
            line: GuideLine::Sloped { slope: line.slope, intercept: line.intercept },
            color: Color::rgb(227, 26, 28),
            dash: Dash::Dotted,
        }));
    }
    items.extend(groups(models, look.labels).into_iter().map(Item::Scatter));
    items.extend(correlation.map(|c| Item::Caption(Caption { lines: caption(&c) })));
    let mut notes = models.notes.clone();
    notes.extend(models.missing().map(|missing| format!("not shown: {missing}")));
    notes.extend(models.cut(look));
    let mut provenance = models.provenance.clone();
    provenance.extend(correlation.iter().flat_map(described));
    Ok(Plot {
        title: look.title.clone(),
        x: Axis::new(models.x_label.clone(), x_range, x_scale, Unit::One),
        y: Axis::new(models.y_label.clone(), y_range, y_scale, unit),
        items,
        key: None,
        equal_aspect: false,
        notes,
        provenance,
    })
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
    let colored = names.iter().enumerate().map(|(i, name)| Scatter {
        name: named(name, several),
        points: members(Some(name)),
        color: series_color(i),
        shape: shape(i),
        size: shape(i).fair_size(),
    });
    grey.into_iter().chain(colored).collect()
}

/// Correlations in the figure.
fn caption(c: &Correlation) -> Vec<String> {
    let line = |name: &str, value: f64, interval: Option<Interval>| {
        let interval =
            interval.map(|i| format!(" [{}, {}]", ticks::number(i.low, 2), ticks::number(i.high, 2)));
        format!("{name} {}{}", ticks::number(value, 2), interval.unwrap_or_default())
    };
    vec![
        line("Pearson", c.pearson, c.pearson_interval),
        line("Spearman", c.spearman, c.spearman_interval),
        format!("$n$ = {}", c.n),
    ]
}

/// Correlations for data files, with more digits.
fn described(c: &Correlation) -> Vec<String> {
    let with = |interval: Option<Interval>| {
        interval.map_or_else(String::new, |i| format!(" (95 % interval {:.3} to {:.3})", i.low, i.high))
    };
    vec![
        format!("Pearson {:.3}{}", c.pearson, with(c.pearson_interval)),
        format!("Spearman {:.3}{}", c.spearman, with(c.spearman_interval)),
        format!("Kendall tau-b {:.3}, n = {}", c.kendall, c.n),
        format!("least squares: y = {:.4} + {:.4} x", c.line.intercept, c.line.slope),
    ]
}
