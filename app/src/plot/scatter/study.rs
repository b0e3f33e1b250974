//! Models from a study: a point per model, whatever two of its numbers are on the axes.

use std::collections::BTreeMap;

use basin_core::Result;
use basin_core::job::{Case, FlatnessLoss};
use basin_core::record::{Outcome, Record};
use basin_core::study::{Entries, ModelRow, OfModel, Study, Table, Value};

use super::models::{Choice, Measured, Model, ModelOptions, Models, Quantity, group_look};
use super::records::notes_of;
use super::stage::Stage;
use crate::plot::text::literal;
use crate::plot::{Color, Shape};

/// The numbers on the axes by their names, horizontal and vertical.
pub fn keys(options: &ModelOptions, study: &Study, entries: &Entries) -> [String; 2] {
    let known = |key: &str| Table::of(study, entries).column(key).is_ok();
    let y = match (&options.y, options.choice.y) {
        (Some(other), _) => other.clone(),
        (None, Quantity::Loss) => "robust_loss".into(),
        (None, Quantity::Gap) => "robust_gap".into(),
        (None, Quantity::Error) if known("autoattack_error") => "autoattack_error".into(),
        (None, Quantity::Error) => "robust_error".into(),
    };
    [options.x.clone().unwrap_or_else(|| flatness(&options.choice)), y]
}

/// The name of a flatness.
fn flatness(choice: &Choice) -> String {
    let case = if choice.case == Case::Average { "average" } else { "worst" };
    let loss = if choice.loss == FlatnessLoss::Robust { "" } else { "clean_" };
    let radius = choice.radius.map_or_else(String::new, |radius| format!("@{radius}"));
    format!("{case}_{loss}flatness{radius}")
}

/// The flatness of a name as [`flatness`] makes it; none: another number.
fn of_key(key: &str) -> Option<Choice> {
    let (name, radius) = key.split_once('@')?;
    let (case, loss) = match name {
        "average_flatness" => (Case::Average, FlatnessLoss::Robust),
        "worst_flatness" => (Case::Worst, FlatnessLoss::Robust),
        "average_clean_flatness" => (Case::Average, FlatnessLoss::Clean),
        "worst_clean_flatness" => (Case::Worst, FlatnessLoss::Clean),
        _ => return None,
    };
    Some(Choice { case, loss, radius: Some(radius.parse().ok()?), ..Choice::default() })
}

/// The models of a study with the numbers `x` and `y` by their names.
///
/// # Errors
/// The study has no such number.
pub fn from_study(study: &Study, entries: &Entries, x: &str, y: &str) -> Result<Models> {
    let table = Table::of(study, entries);
    let (x, y) = (table.column(x)?, table.column(y)?);
    let models = from_table(study, &table, &entries.models, x, y);
    let notes = notes(entries, &models.models, &table.columns[x].key, &table.columns[y].key);
    Ok(Models { notes, ..models })
}

/// The models of a study's table with the numbers of two of its columns; what their records are is not looked into.
pub fn from_table<R>(study: &Study, table: &Table, entries: &[OfModel<R>], x: usize, y: usize) -> Models {
    let key = |column: usize| &*table.columns[column].key;
    let measured = |value: Option<Value>, column: usize| match value {
        Some(Value { value, interval }) => {
            Ok(Measured { value, interval: interval.map(|i| (i.low, i.high)) })
        }
        None => Err(words(key(column))),
    };
    let stages =
        study.models.iter().map(|model| model.checkpoint.as_deref().map_or_else(Stage::default, Stage::of));
    let models = table.rows.iter().zip(entries).zip(stages).map(|((row, of), stage)| Model {
        name: literal(&row.name),
        label: label_of(row),
        group: row.group.as_deref().map(literal),
        training: row.training.clone(),
        stage,
        hash: of.hash.clone().unwrap_or_default(),
        x: measured(row.values[x], x),
        y: measured(row.values[y], y),
    });
    let looks =
        looks(study).into_iter().map(|(group, (color, shape))| (literal(&group), (Some(color), Some(shape))));
    Models {
        models: models.collect(),
        x_label: label(key(x)),
        y_label: label(key(y)),
        y_name: words(key(y)),
        by_method: table.rows.iter().any(|row| row.group.is_some()),
        x_percent: table.columns[x].is_share,
        percent: table.columns[y].is_share,
        looks: looks.collect(),
        notes: Vec::new(),
        provenance: Vec::new(),
    }
}

/// Colour and symbol of each group of a study: as it says, else by the order of the groups, whichever models are shown.
pub fn looks(study: &Study) -> BTreeMap<String, (Color, Shape)> {
    let mut looks = BTreeMap::new();
    for group in study.models.iter().filter_map(|model| model.group.as_ref()) {
        let (color, shape) = group_look(looks.len());
        looks.entry(group.clone()).or_insert_with(|| {
            let own = study.groups.get(group);
            let own_color = own.and_then(|look| Color::from_hex(look.color.as_deref()?));
            let own_shape = own.and_then(|look| Shape::named(look.marker.as_deref()?));
            (own_color.unwrap_or(color), own_shape.unwrap_or(shape))
        });
    }
    looks
}

/// The name beside a point; nothing where the legend says it: of a model called as its group, `Other`, `AT (2)`.
fn label_of(row: &ModelRow) -> String {
    let stem =
        row.name.rsplit_once(" (").filter(|(_, number)| number.trim_end_matches(')').parse::<u64>().is_ok());
    let stem = stem.map_or(&*row.name, |(stem, _)| stem);
    let is_group =
        row.group.as_deref() == Some(stem) || (row.group.is_none() && stem.eq_ignore_ascii_case("other"));
    if is_group { String::new() } else { literal(&row.name) }
}

/// What the reader must know of points that are not measured alike.
fn notes(entries: &Entries, models: &[Model], x: &str, key: &str) -> Vec<String> {
    let y = match key {
        "robust_loss" => Quantity::Loss,
        "robust_gap" => Quantity::Gap,
        "robust_error" | "autoattack_error" => Quantity::Error,
        _ => return Vec::new(),
    };
    let shown = models.iter().zip(&entries.models).filter(|(model, _)| model.x.is_ok() && model.y.is_ok());
    // AutoAttack's error would stand for that under PGD.
    let counts = |record: &Record| key != "robust_error" || !matches!(record.outcome, Outcome::Attack(_));
    let parts: Vec<(String, Vec<_>)> = shown
        .map(|(model, of)| {
            let parts = of.records.iter().flat_map(|(_, record)| record.parts());
            (model.name.clone(), parts.filter(|part| counts(part)).collect())
        })
        .collect();
    let points: Vec<(String, Vec<&Record>)> = parts
        .iter()
        .map(|(name, parts)| (name.clone(), parts.iter().map(|part| &**part).collect()))
        .collect();
    let choice = of_key(x).map(|choice| Choice { y, ..choice });
    notes_of(&points, &choice.unwrap_or(Choice { y, ..Choice::default() }), choice.is_some())
}

/// A number in words: `average flatness at radius 0.5`.
fn words(key: &str) -> String {
    let (name, radius) = key.split_once('@').unwrap_or((key, ""));
    let name = name.replace('_', " ");
    if radius.is_empty() { name } else { format!("{name} at radius {radius}") }
}

/// The label of an axis, as the paper writes it where it has the number.
fn label(key: &str) -> String {
    let (name, radius) = key.split_once('@').unwrap_or((key, ""));
    let at = if radius.is_empty() { String::new() } else { format!(" ($\\xi={radius}$)") };
    let known = match name {
        "robust_loss" => "RLoss (PGD)",
        "train_robust_loss" => "Train RLoss (PGD)",
        "robust_gap" => "Test − Train RLoss (PGD)",
        "robust_error" => "RErr (PGD) (%)",
        "autoattack_error" => "RErr (AutoAttack) (%)",
        "train_robust_error" => "Train RErr (PGD) (%)",
        "clean_loss" => "Loss",
        "clean_error" => "Err (%)",
        "clean_gap" => "Test − Train Loss",
        "average_flatness" => "Average-Case Flatness in RLoss",
        "worst_flatness" => "Worst-Case Flatness in RLoss",
        "average_clean_flatness" => "Average-Case Flatness in Loss",
        "worst_clean_flatness" => "Worst-Case Flatness in Loss",
        "lambda_max" => "$\\lambda_{max}$",
        "lambda_min" => "$\\lambda_{min}$",
        "convexity_ratio" => "$|\\lambda_{min}| / \\lambda_{max}$",
        _ => return literal(&name.replace('_', " ")) + &at,
    };
    known.to_owned() + &at
}
