//! The plot all measuring is for: flatness against robust loss or robust generalization, one point per model.
//!
//! `records` and `published` give models with two numbers each; here they become a figure with groups,
//! intervals, correlations and, on request, the least squares line.

mod alike;
mod lines;
pub mod models;
mod points;
pub mod published;
mod records;
pub mod stage;
mod study;

use basin_core::measure::statistics::{Correlation, Interval, Relation};
use basin_core::record::Record;

use lines::{fits, trails};
pub use models::{Choice, ColorBy, Connect, Lines, Look, Measured, Model, ModelOptions, Models, Quantity};
use points::points;
pub use records::from_records;
pub use study::{from_study, from_table, keys, looks};

use super::figure::{Drawn, Figure, Input, Takes};
use super::{Axis, Caption, Item, Plot, Scale, Unit, padded_range, ticks};

/// A point for each model.
pub const FIGURE: Figure = Figure {
    name: "scatter",
    help: "Flatness against robust loss, or any two numbers of a study, a point per checkpoint",
    takes: Takes::Models,
    is_usual: false,
    ignores: |_| ("a scatter", &["--which", "--clip", "--colors"]),
    draw,
};

fn draw(input: &Input<'_>) -> Result<Drawn, String> {
    let models = models_of(input)?;
    let look =
        Look { log_y: input.options.log, title: input.options.title.clone(), ..input.models.look.clone() };
    let shown = models.on_axes(&look);
    let relation = shown.relation();
    let plot = plot_with(&models, &look, relation.as_ref())?;
    Ok(Drawn { relation: Some((shown, relation)), ..plot.into() })
}

/// The models of a study, of records, or the published ones, with the numbers that are asked for.
///
/// # Errors
/// There are no such numbers, or more names than models.
pub fn models_of(input: &Input<'_>) -> Result<Models, String> {
    let options = input.models;
    if options.published {
        return published::models(&options.choice);
    }
    if let Some((study, entries)) = input.study {
        let keys = keys(options, study, entries);
        return from_study(study, entries, &keys[0], &keys[1]).map_err(|error| error.to_string());
    }
    let parts: Vec<_> = input.named.iter().flat_map(|named| named.record.parts()).collect();
    let records: Vec<&Record> = parts.iter().map(|part| &**part).collect();
    let models = from_records(&records, &options.choice, &options.names, &options.groups);
    let (names, count) = (options.names.len(), models.models.len());
    if names > count {
        return Err(format!("{names} names for {count} models; give at most one --name for each checkpoint"));
    }
    Ok(models)
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
    items.extend(fits(models, look, [x_range, y_range], x_scale));
    items.extend(trails(models, look.connect)?);
    items.extend(points(models, look));
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
