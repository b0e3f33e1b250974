//! AutoAttack records to figures: the robust accuracy left after each attack, or under each alone.

use basin_core::job::{Attack, Job};
use basin_core::record::{AttackOutcome, Outcome, Record};

use super::color::series_color;
use super::figure::{Drawn, Figure, Named, OF_LANDSCAPES, Takes};
use super::{Axis, Dash, Item, Plot, Scale, Series, Tick, Unit, provenance, text};

/// Robust accuracies.
pub const FIGURE: Figure = Figure {
    name: "attack",
    help: "Robust accuracy after each attack of AutoAttack",
    takes: Takes::Records(|record| matches!(record.outcome, Outcome::Attack(_))),
    is_usual: true,
    ignores: |_| ("a figure of attacks", OF_LANDSCAPES),
    draw: |input| plot(input.named, input.options.title.clone()).map(Drawn::from),
};

/// Robust accuracy on the images as they are and after each attack, in their order; of individual attacks under each
/// alone, as points without a line, and under all together.
///
/// # Errors
/// A sentence saying which record cannot be part of the figure.
pub fn plot(records: &[Named<'_>], title: Option<String>) -> Result<Plot, String> {
    let shown = records.iter().map(taken_apart).collect::<Result<Vec<_>, _>>()?;
    let Some(first) = shown.first() else { return Err("no record given; give at least one".into()) };
    let names = stages(first);
    let individual = first.job.attack.individual;
    if let Some(other) = shown.iter().find(|other| stages(other) != names) {
        return Err(format!(
            "{} and {} ran different attacks; draw them in separate figures",
            first.name, other.name
        ));
    }
    let single = shown.len() == 1;
    let items = shown.iter().enumerate().map(|(i, shown)| {
        let after = shown.outcome.per_attack.iter().map(|row| row.finished.then_some(row.robust_error));
        let complete = shown.outcome.robust_error_at_most.is_none();
        let together = individual.then(|| complete.then_some(shown.outcome.robust_error));
        let errors = std::iter::once(Some(shown.outcome.clean_error)).chain(after).chain(together);
        let mut points: Vec<(f64, Option<f64>)> =
            errors.enumerate().map(|(at, error)| (at as f64, error.map(|error| 1.0 - error))).collect();
        if individual {
            points = points.into_iter().flat_map(|(x, y)| [(x, y), (x + 0.5, None)]).collect();
        }
        let (x, y) = points.into_iter().unzip();
        Item::Series(Series {
            name: (!single).then(|| shown.name.to_owned()),
            x,
            y,
            band: Vec::new(),
            color: series_color(if single { 1 } else { i }),
            dash: Dash::Solid,
            dots: true,
            steps: false,
        })
    });
    let unfinished = shown.iter().flat_map(|shown| {
        let rows = shown.outcome.per_attack.iter().filter(|row| !row.finished);
        rows.map(|row| format!("{}: {} is not finished", shown.name, text::literal(&row.name)))
    });
    let ticks = names.iter().enumerate();
    Ok(Plot {
        title,
        items: items.collect(),
        x: Axis {
            label: if individual { "Attack alone" } else { "After" }.into(),
            range: (-0.4, names.len() as f64 - 0.6),
            scale: Scale::Linear,
            unit: Unit::Names,
            ticks: ticks.map(|(at, name)| Tick { value: at as f64, label: text::literal(name) }).collect(),
        },
        y: Axis::new("Robust accuracy (%)", (0.0, 1.0), Scale::Linear, Unit::Percent),
        key: None,
        equal_aspect: false,
        notes: unfinished.collect(),
        provenance: shown.iter().flat_map(|s| provenance::autoattack(s.name, s.record, s.job)).collect(),
    })
}

/// An AutoAttack record taken apart.
struct Shown<'a> {
    name: &'a str,
    record: &'a Record,
    job: &'a Attack,
    outcome: &'a AttackOutcome,
}

fn taken_apart<'a>(named: &Named<'a>) -> Result<Shown<'a>, String> {
    let Named { name, record } = *named;
    match (&record.job, &record.outcome) {
        (Job::Attack(job), Outcome::Attack(outcome)) => Ok(Shown { name, record, job, outcome }),
        _ => Err(format!("{name} is a record of `basin {}`, not of an attack", record.job.kind())),
    }
}

/// The images as they are, then the attacks; of individual ones all together, too.
fn stages<'a>(shown: &Shown<'a>) -> Vec<&'a str> {
    let attacks = shown.outcome.per_attack.iter().map(|row| row.name.as_str());
    let together = shown.job.attack.individual.then_some("together");
    std::iter::once("clean").chain(attacks).chain(together).collect()
}
