//! Models with two numbers each, and how they are plotted.

use std::collections::BTreeMap;

use basin_core::job::{Case, FlatnessLoss};
use basin_core::measure::statistics::{Fit, NORMAL_QUANTILE, Point, Relation, relate};
use serde::{Deserialize, Serialize};

use super::stage::Stage;
use crate::plot::color::series_color;
use crate::plot::{Color, Shape, text};

/// Colour and symbol of a group by its place among others. Colours that are alike, dark and light, have different symbols.
pub(super) fn group_look(place: usize) -> (Color, Shape) {
    const SHAPES: [Shape; 6] =
        [Shape::Circle, Shape::Square, Shape::Triangle, Shape::Diamond, Shape::Pentagon, Shape::Star];
    (series_color(place), SHAPES[(place + place / SHAPES.len()) % SHAPES.len()])
}

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

/// What of models is shown, and how.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ModelOptions {
    /// The built-in published models instead of records.
    pub published: bool,
    /// Which numbers.
    pub choice: Choice,
    /// Of a study: a number by its name on the horizontal axis.
    pub x: Option<String>,
    /// The same on the vertical axis.
    pub y: Option<String>,
    /// Names of the models of records, in the order of their first record.
    pub names: Vec<String>,
    /// Their groups.
    pub groups: Vec<String>,
    /// How points and lines are drawn.
    pub look: Look,
}

impl Default for Choice {
    fn default() -> Self {
        Self { loss: FlatnessLoss::Robust, case: Case::Average, radius: None, y: Quantity::Loss }
    }
}

/// Least squares lines.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Lines {
    /// None.
    None,
    /// One over all models.
    #[default]
    One,
    /// The same with its 95 % confidence band.
    Band,
    /// Two: over the models below this abscissa, and over the others; none: the loss of guessing, ln 10.
    Pieces(Option<f64>),
    /// One for each group.
    Groups,
}

/// What joins states of one training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Connect {
    /// Nothing.
    #[default]
    None,
    /// A line along its epochs.
    Epochs,
    /// An arrow from the final to the early-stopped network.
    EarlyStopping,
}

/// What colours of points say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColorBy {
    /// The group.
    #[default]
    Group,
    /// The model: shades of its group's colour, darker from one to the next.
    Model,
    /// The epoch of its training.
    Epoch,
}

/// How it is plotted.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// Logarithmic flatness.
    pub log_x: bool,
    /// Logarithmic values on the vertical axis.
    pub log_y: bool,
    /// Least squares lines.
    pub lines: Lines,
    /// What joins states of one training.
    pub connect: Connect,
    /// What colours say.
    pub color: ColorBy,
    /// Methods have the paper's colours.
    pub as_paper: bool,
    /// Names beside the points.
    pub labels: bool,
    /// Above the axes.
    pub title: Option<String>,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            log_x: false,
            log_y: false,
            lines: Lines::One,
            connect: Connect::None,
            color: ColorBy::Group,
            as_paper: false,
            labels: true,
            title: None,
        }
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
    /// Which state of it.
    pub stage: Stage,
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
    pub(super) fn cut(&self, look: &Look) -> Option<String> {
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
    pub(super) fn points(&self) -> impl Iterator<Item = (&Model, Measured, Measured)> {
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
