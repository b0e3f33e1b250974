//! Eigenvalues of the Hessian along landscapes: curves over one direction, or a map of the largest over two.

use basin_core::job::Job;
use basin_core::record::{CurvatureGrid, LandscapeOutcome, Outcome, Record};

use super::color::series_color;
use super::figure::{Drawn, Figure, Named, Options, Takes};
use super::landscape::{along, direction_label, is_plane, provenance_of};
use super::{Axis, Dash, Field, Item, Plot, Scale, Series, Unit, padded_range};

/// Eigenvalues along the way.
pub const FIGURE: Figure = Figure {
    name: "curvature",
    help: "Eigenvalues of the Hessian along a landscape (made with --eigenvalues)",
    takes: Takes::Records(|record| found(record).is_some()),
    is_usual: false,
    ignores: |first| match first.is_some_and(is_plane) {
        true => ("a map of eigenvalues", &["--error", "--which", "--log", "--no-grid"]),
        false => ("a figure of eigenvalues", &["--error", "--which", "--log", "--clip", "--colors"]),
    },
    draw: |input| plot(input.named, input.options).map(Drawn::from),
};

fn found(record: &Record) -> Option<(&LandscapeOutcome, &CurvatureGrid)> {
    match &record.outcome {
        Outcome::Landscape(outcome) => Some((outcome, outcome.curvature.as_ref()?)),
        _ => None,
    }
}

/// The eigenvalues of landscapes over one direction, or the largest of one landscape over two.
///
/// # Errors
/// A sentence saying which record has none, or cannot be part of the figure.
pub fn plot(records: &[Named<'_>], options: &Options) -> Result<Plot, String> {
    let mut shown = Vec::new();
    for named in records {
        let Some((outcome, curvature)) = found(named.record) else {
            return Err(format!(
                "{} has no eigenvalues; compute the landscape with --eigenvalues 1",
                named.name
            ));
        };
        shown.push((*named, outcome, curvature));
    }
    match shown.as_slice() {
        [] => Err("no record given; give at least one".into()),
        [(named, outcome, curvature)] if outcome.y.is_some() => map(*named, outcome, curvature, options),
        several if several.iter().any(|(_, outcome, _)| outcome.y.is_some()) => {
            Err("a figure of eigenvalues shows one 2-D landscape, or several 1-D ones".into())
        }
        several => curves(several, options),
    }
}

type Shown<'a> = (Named<'a>, &'a LandscapeOutcome, &'a CurvatureGrid);

fn curves(shown: &[Shown<'_>], options: &Options) -> Result<Plot, String> {
    let single = shown.len() == 1;
    let mut series = Vec::new();
    for (number, (named, outcome, curvature)) in shown.iter().enumerate() {
        // Of several landscapes only the outermost, so that the curves can be told apart.
        let most = if single { usize::MAX } else { 1 };
        let ends = [(&curvature.largest, "Largest"), (&curvature.smallest, "Smallest")];
        for (end, (all, words)) in ends.into_iter().enumerate() {
            for (rank, values) in all.iter().enumerate().take(most) {
                let name = match (single, rank, all.len()) {
                    (true, 0, 1) => Some(format!("{words} eigenvalue")),
                    (true, 0, count) => Some(format!("{words} {count} eigenvalues")),
                    (true, ..) => None,
                    (false, ..) => (end == 0).then(|| named.name.to_owned()),
                };
                series.push(Series {
                    name,
                    x: outcome.x.clone(),
                    y: values.iter().collect(),
                    band: Vec::new(),
                    color: series_color(if single { end } else { number }),
                    dash: match (single, rank, end) {
                        (true, 0, _) | (false, _, 0) => Dash::Solid,
                        _ => Dash::Dashed,
                    },
                    dots: rank == 0 && outcome.x.len() <= 101,
                    steps: false,
                });
            }
        }
    }
    let values = series.iter().flat_map(|series| series.y.iter().flatten().copied());
    let range = padded_range(values, Scale::Linear)
        .ok_or_else(|| format!("{} has no eigenvalues yet", shown[0].0.name))?;
    let x = shown.iter().flat_map(|(_, outcome, _)| outcome.x.iter().copied());
    let x = x.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
    let label = match &shown[0].0.record.job {
        Job::Landscape(job) => along(&job.direction),
        _ => "Step".into(),
    };
    let notes = if single { vec![] } else { vec!["dashed: the smallest eigenvalue".to_owned()] };
    Ok(Plot {
        title: options.title.clone(),
        x: Axis::new(label, x, Scale::Linear, Unit::One),
        y: Axis::new("Eigenvalue of the Hessian", range, Scale::Linear, Unit::One),
        items: series.into_iter().map(Item::Series).collect(),
        key: None,
        equal_aspect: false,
        notes,
        provenance: shown.iter().flat_map(|(named, ..)| provenance_of(*named)).collect(),
    })
}

fn map(
    named: Named<'_>,
    outcome: &LandscapeOutcome,
    curvature: &CurvatureGrid,
    options: &Options,
) -> Result<Plot, String> {
    let none = || format!("{} has no eigenvalues yet", named.name);
    let values: Vec<Option<f64>> = curvature.largest.first().ok_or_else(none)?.iter().collect();
    let y = outcome.y.clone().unwrap_or_default();
    let ends = |steps: &[f64]| Some((*steps.first()?, *steps.last()?));
    let (x_range, y_range) = ends(&outcome.x).zip(ends(&y)).ok_or_else(none)?;
    let look = (options.map, Scale::Linear, Unit::One);
    let mut field = Field::new("Largest eigenvalue", (outcome.x.clone(), y, values), look, options.clip)
        .ok_or_else(none)?;
    // Refined landscapes leave points out.
    field.unfinished = !named.record.provenance.complete || outcome.interpolated > 0;
    Ok(Plot {
        title: options.title.clone(),
        x: Axis::new(direction_label(named.record, 1), x_range, Scale::Linear, Unit::One),
        y: Axis::new(direction_label(named.record, 2), y_range, Scale::Linear, Unit::One),
        items: vec![Item::Field(field)],
        key: None,
        equal_aspect: true,
        notes: Vec::new(),
        provenance: provenance_of(named),
    })
}
