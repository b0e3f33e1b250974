//! Flatness records to figures: over the radius of the perturbation, or tensor by tensor.

use basin_core::job::{Case, Flatness, FlatnessLoss, Job, Scope};
use basin_core::record::{AtRadius, FlatnessOutcome, Outcome, Record};

use super::color::series_color;
use super::figure::{Drawn, Figure, Named, OF_LANDSCAPES, Takes};
use super::{
    Axis, Color, Dash, Guide, GuideLine, Item, Plot, Scale, Scatter, ScatterPoint, Series, Shape, Tick, Unit,
    padded_range, provenance, text,
};

/// Radii that span more than this factor are drawn on a logarithmic axis.
const WIDE: f64 = 8.0;
/// Up to this many draws are shown one by one.
const MOST_DRAWS: usize = 100;

/// Over radii.
pub const FIGURE: Figure = Figure {
    name: "flatness",
    help: "Flatness over the radius of the perturbation",
    takes: Takes::Records(|record| matches!(record.outcome, Outcome::Flatness(_))),
    is_usual: true,
    ignores: |_| ("a figure of flatness", OF_LANDSCAPES),
    draw: |input| plot(input.named, input.options.title.clone()).map(Drawn::from),
};

/// Tensor by tensor.
pub const LAYERS: Figure = Figure {
    name: "layers",
    help: "Flatness of each layer by itself",
    takes: Takes::Records(has_layers),
    is_usual: false,
    draw: |input| layers(input.only("a figure of layers")?, input.options.title.clone()).map(Drawn::from),
    ..FIGURE
};

/// Whether a record has the flatness of each layer by itself.
pub fn has_layers(record: &Record) -> bool {
    matches!(&record.outcome, Outcome::Flatness(outcome) if !outcome.layers.is_empty())
}

/// Flatness over radii, with its 95 % intervals where they are known; small points are the draws.
///
/// # Errors
/// A sentence saying which record cannot be part of the figure.
pub fn plot(records: &[Named<'_>], title: Option<String>) -> Result<Plot, String> {
    let shown = records.iter().map(taken_apart).collect::<Result<Vec<_>, _>>()?;
    let Some(first) = shown.first() else { return Err("no record given; give at least one".into()) };
    if let Some(empty) = shown.iter().find(|shown| shown.outcome.radii.is_empty()) {
        return Err(format!("{} has no flatness yet; the job was stopped before its first draw", empty.name));
    }
    let single = shown.len() == 1;
    let same = shown.iter().all(|shown| shown.job.label() == first.job.label());
    let mut items = vec![zero_line(GuideLine::Horizontal(0.0))];
    for (i, shown) in shown.iter().enumerate() {
        let color = series_color(if single { 1 } else { i });
        let mut radii: Vec<&AtRadius> = shown.outcome.radii.iter().collect();
        radii.sort_by(|a, b| a.radius.total_cmp(&b.radius));
        let name = (!single).then(|| legend(shown, same));
        items.extend(draws(shown.outcome, &radii, color, name.as_deref()));
        items.push(Item::Series(Series {
            name: None,
            x: radii.iter().map(|at| at.radius).collect(),
            y: radii.iter().map(|at| Some(at.flatness)).collect(),
            band: Vec::new(),
            color,
            dash: Dash::Solid,
            dots: false,
            steps: false,
        }));
        items.push(Item::Scatter(Scatter {
            name,
            points: radii.iter().map(|at| point(at, shown)).collect(),
            color,
            shape: Shape::Circle,
            size: 1.0,
        }));
    }
    let all = || shown.iter().flat_map(|shown| &shown.outcome.radii);
    let scale = radius_scale(all().map(|at| at.radius));
    let x = padded_range(all().map(|at| at.radius), scale).ok_or_else(no_numbers)?;
    let y = padded_range(all().flat_map(extent), Scale::Linear).ok_or_else(no_numbers)?;
    let what = if same { capital(first.job.label()) } else { "Flatness".to_owned() };
    Ok(Plot {
        title,
        x: Axis::new(radius_label(first.job), x, scale, Unit::One),
        y: Axis::new(what, y, Scale::Linear, Unit::One),
        items,
        key: None,
        equal_aspect: false,
        notes: shown.iter().flat_map(notes).collect(),
        provenance: shown
            .iter()
            .flat_map(|s| provenance::flatness(s.name, s.record, s.job, s.outcome))
            .collect(),
    })
}

/// Flatness of each tensor by itself, in the order of the network; one colour per radius.
///
/// # Errors
/// The record has no flatness per layer.
pub fn layers(named: Named<'_>, title: Option<String>) -> Result<Plot, String> {
    let shown = taken_apart(&named)?;
    let layers = &shown.outcome.layers;
    if layers.is_empty() {
        return Err(format!("{} has no flatness per layer; measure it with --per-layer", shown.name));
    }
    let place = |index: usize| (layers.len() - 1 - index) as f64;
    let several = shown.job.radii.len() > 1;
    let mut items = vec![zero_line(GuideLine::Vertical(0.0))];
    for (i, radius) in shown.job.radii.iter().enumerate() {
        let at = |layer: usize| layers[layer].radii.iter().find(|at| at.radius == *radius);
        let points = (0..layers.len()).filter_map(|index| {
            let at = at(index)?;
            Some(ScatterPoint {
                x: at.flatness,
                y: place(index),
                x_interval: at.interval.map(|[low, high]| (low, high)),
                y_interval: None,
                name: text::literal(&layers[index].name),
                label: None,
            })
        });
        items.push(Item::Scatter(Scatter {
            name: several.then(|| format!("radius {radius}")),
            points: points.collect(),
            color: series_color(i + 1),
            shape: Shape::Circle,
            size: 0.8,
        }));
    }
    let values = layers.iter().flat_map(|layer| {
        layer.radii.iter().flat_map(|at| at.interval.into_iter().flatten().chain([at.flatness]))
    });
    let x = padded_range(values.chain([0.0]), Scale::Linear).ok_or_else(no_numbers)?;
    let ticks = layers.iter().enumerate();
    let ticks = ticks.map(|(i, layer)| Tick { value: place(i), label: text::literal(&layer.name) }).collect();
    Ok(Plot {
        title,
        x: Axis::new(capital(shown.job.label()), x, Scale::Linear, Unit::One),
        y: Axis {
            label: "Perturbed tensor".into(),
            range: (-0.7, layers.len() as f64 - 0.3),
            scale: Scale::Linear,
            unit: Unit::Names,
            ticks,
        },
        items,
        key: None,
        equal_aspect: false,
        notes: notes(&shown),
        provenance: provenance::flatness(shown.name, shown.record, shown.job, shown.outcome),
    })
}

/// A flatness record taken apart.
struct Shown<'a> {
    name: &'a str,
    record: &'a Record,
    job: &'a Flatness,
    outcome: &'a FlatnessOutcome,
}

fn taken_apart<'a>(named: &Named<'a>) -> Result<Shown<'a>, String> {
    let Named { name, record } = *named;
    match (&record.job, &record.outcome) {
        (Job::Flatness(job), Outcome::Flatness(outcome)) => Ok(Shown { name, record, job, outcome }),
        _ => Err(format!("{name} is a record of `basin {}`, not of flatness", record.job.kind())),
    }
}

/// The name, and which flatness it is where that is not `same` for all.
fn legend(shown: &Shown<'_>, same: bool) -> String {
    let label = shown.job.label();
    if same || shown.name.contains(label) {
        shown.name.to_owned()
    } else {
        format!("{}, {label}", shown.name)
    }
}

fn point(at: &AtRadius, shown: &Shown<'_>) -> ScatterPoint {
    ScatterPoint {
        x: at.radius,
        y: at.flatness,
        x_interval: None,
        y_interval: at.interval.map(|[low, high]| (low, high)),
        name: shown.name.to_owned(),
        label: None,
    }
}

/// Every draw as a small pale point; `of` says whose where there are several.
fn draws(outcome: &FlatnessOutcome, radii: &[&AtRadius], color: Color, of: Option<&str>) -> Option<Item> {
    let of = of.map_or_else(String::new, |name| format!("{name}, "));
    let points: Vec<ScatterPoint> = radii
        .iter()
        .filter(|at| at.draws.len() > 1 && at.draws.len() <= MOST_DRAWS)
        .flat_map(|at| {
            let of = &of;
            at.draws.iter().enumerate().map(move |(number, draw)| ScatterPoint {
                x: at.radius,
                y: draw.loss - outcome.reference_loss,
                x_interval: None,
                y_interval: None,
                name: format!("{of}draw {number}"),
                label: None,
            })
        })
        .collect();
    let scatter =
        Scatter { name: None, points, color: color.with_alpha(0.35), shape: Shape::Circle, size: 0.4 };
    (!scatter.points.is_empty()).then_some(Item::Scatter(scatter))
}

fn zero_line(line: GuideLine) -> Item {
    Item::Guide(Guide { name: None, line, color: Color::GREY, dash: Dash::Dotted })
}

/// Everything that is drawn at a radius, to find the range of the axis.
fn extent(at: &AtRadius) -> impl Iterator<Item = f64> {
    // What a draw adds to the loss is its loss minus the reference, which is `loss - flatness`.
    let reference = at.loss - at.flatness;
    at.interval
        .into_iter()
        .flatten()
        .chain([at.flatness])
        .chain(at.draws.iter().map(move |draw| draw.loss - reference))
}

fn radius_scale(radii: impl Iterator<Item = f64>) -> Scale {
    let (low, high) =
        radii.fold((f64::INFINITY, 0.0f64), |(low, high), radius| (low.min(radius), high.max(radius)));
    if low > 0.0 && high / low > WIDE { Scale::Log } else { Scale::Linear }
}

fn radius_label(job: &Flatness) -> String {
    let of = match job.scope {
        Scope::Layer => "per layer",
        Scope::Filter => "per filter",
        Scope::Global => "whole model",
    };
    if job.absolute { "Radius".to_owned() } else { format!("Relative radius $\\xi$ ({of})") }
}

/// What a reader of the figure should know.
fn notes(shown: &Shown<'_>) -> Vec<String> {
    let (name, job) = (shown.name, shown.job);
    let mut notes = Vec::new();
    if !shown.record.provenance.complete {
        notes.push(format!("{name} is partial: not every draw is computed"));
    }
    // A complete record has no radius with a draw that has no finite loss.
    let known = |radius: &f64| shown.outcome.radii.iter().any(|at| at.radius == *radius);
    let missing = job.radii.iter().filter(|radius| shown.record.provenance.complete && !known(radius));
    notes.extend(missing.map(|radius| format!("{name}: the flatness at radius {radius} is not finite")));
    if let Some(caveat) = shown.outcome.caveat(job.case) {
        notes.push(format!("{name}: {caveat}"));
    }
    let (reference, draws) = (job.restarts_of_reference(), job.restarts_of_draws());
    if job.loss == FlatnessLoss::Robust && reference != draws {
        notes.push(format!(
            "{name}: {reference} restarts on the unperturbed network, {draws} on perturbed ones"
        ));
    }
    let layers = shown.outcome.layers.iter().flat_map(|layer| &layer.radii);
    if job.case == Case::Worst && shown.outcome.radii.iter().chain(layers).any(|at| at.flatness < 0.0) {
        notes.push(format!("{name}: worst case below 0, the search is too weak"));
    }
    notes
}

fn no_numbers() -> String {
    "the record has no finite flatness; compute it again".to_owned()
}

fn capital(label: &str) -> String {
    let mut chars = label.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
