//! AutoAttack records to figures: the robust accuracy left after each attack.

use basin_core::job::{Attack, Job};
use basin_core::record::{AttackOutcome, Outcome, Record};

use super::color::series_color;
use super::landscape::Named;
use super::{Axis, Dash, Item, Plot, Scale, Series, Tick, Unit, provenance, text};

/// Robust accuracy on the images as they are and after each attack, in their order.
///
/// # Errors
/// A sentence saying which record cannot be part of the figure.
pub fn plot(records: &[Named<'_>], title: Option<String>) -> Result<Plot, String> {
    let shown = records.iter().map(taken_apart).collect::<Result<Vec<_>, _>>()?;
    let Some(first) = shown.first() else { return Err("no record given; give at least one".into()) };
    let names = stages(first.outcome);
    if let Some(other) = shown.iter().find(|other| stages(other.outcome) != names) {
        return Err(format!(
            "{} and {} ran different attacks; draw them in separate figures",
            first.name, other.name
        ));
    }
    let single = shown.len() == 1;
    let items = shown.iter().enumerate().map(|(i, shown)| {
        let after = shown.outcome.per_attack.iter().map(|row| row.finished.then_some(row.robust_error));
        let errors = std::iter::once(Some(shown.outcome.clean_error)).chain(after);
        Item::Series(Series {
            name: (!single).then(|| text::literal(shown.name)),
            x: (0..names.len()).map(|at| at as f64).collect(),
            y: errors.map(|error| error.map(|error| 1.0 - error)).collect(),
            band: Vec::new(),
            color: series_color(if single { 1 } else { i }),
            dash: Dash::Solid,
            dots: true,
            steps: false,
        })
    });
    let ticks = names.iter().enumerate();
    Ok(Plot {
        title,
        items: items.collect(),
        x: Axis {
            label: "After".into(),
            range: (-0.4, names.len() as f64 - 0.6),
            scale: Scale::Linear,
            unit: Unit::Names,
            ticks: ticks.map(|(at, name)| Tick { value: at as f64, label: text::literal(name) }).collect(),
        },
        y: Axis::new("Robust accuracy (%)", (0.0, 1.0), Scale::Linear, Unit::Percent),
        key: None,
        equal_aspect: false,
        notes: Vec::new(),
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

/// The images as they are, then the attacks.
fn stages(outcome: &AttackOutcome) -> Vec<&str> {
    let attacks = outcome.per_attack.iter().map(|row| row.name.as_str());
    std::iter::once("clean").chain(attacks).collect()
}
