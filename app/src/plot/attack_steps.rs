//! Evaluations with a log of their attack to figures: loss or error at every iteration.

use basin_core::job::{Evaluate, Job};
use basin_core::record::{AttackSteps, Evaluation, Outcome, Record};

use super::color::series_color;
use super::figure::{Drawn, Figure, Named, Options, Quantity, Takes};
use super::{Axis, Dash, Item, Plot, Scale, Series, Unit, padded_range, provenance, text};

/// Curves over iterations.
pub const FIGURE: Figure = Figure {
    name: "attack-steps",
    help: "Loss (or --error) at every iteration of the attack of an evaluation with --log-steps",
    takes: Takes::Records(has_log),
    is_usual: false,
    ignores: |_| ("a figure of an attack's iterations", &["--which", "--colors"]),
    draw: |input| plot(input.named, input.options).map(Drawn::from),
};

/// Mean loss or error at every iteration; a line per attack, and of several restarts their mean with the range as a
/// band. Attacks of one record share a colour.
///
/// # Errors
/// A sentence saying which record cannot be part of the figure.
pub fn plot(records: &[Named<'_>], options: &Options) -> Result<Plot, String> {
    let shown = records.iter().map(taken_apart).collect::<Result<Vec<_>, _>>()?;
    let error = options.quantity == Quantity::Error;
    let (single, mut items) = (shown.len() == 1, Vec::new());
    for (i, shown) in shown.iter().enumerate() {
        let attacks: Vec<String> = shown.job.attacks().map(ToString::to_string).collect();
        for (number, attack) in attacks.iter().enumerate() {
            let of_attack = shown.outcome.attempts.iter().filter(|attempt| attempt.attack == number);
            let curves: Vec<&[f64]> = of_attack
                .filter_map(|attempt| attempt.steps.as_ref())
                .map(|steps: &AttackSteps| if error { &*steps.error } else { &*steps.loss })
                .collect();
            let Some(length) = curves.iter().map(|curve| curve.len()).max() else { continue };
            let at = |step: usize| curves.iter().filter_map(move |curve| curve.get(step).copied());
            let attack = text::literal(attack);
            let name = match (single, attacks.len()) {
                (true, 1) => None,
                (true, _) => Some(attack),
                (false, 1) => Some(shown.name.to_owned()),
                (false, _) => Some(format!("{}, {attack}", shown.name)),
            };
            items.push(Item::Series(Series {
                name,
                x: (0..length).map(|step| step as f64).collect(),
                y: (0..length).map(|step| Some(at(step).sum::<f64>() / at(step).count() as f64)).collect(),
                band: match curves.len() {
                    1 => Vec::new(),
                    _ => (0..length)
                        .map(|step| {
                            let low = at(step).fold(f64::INFINITY, f64::min);
                            Some((low, at(step).fold(f64::NEG_INFINITY, f64::max)))
                        })
                        .collect(),
                },
                color: series_color(if single { number + 1 } else { i }),
                dash: if number == 0 || single { Dash::Solid } else { Dash::Dashed },
                dots: length <= 40,
                steps: false,
            }));
        }
    }
    let series = || {
        items.iter().filter_map(|item| match item {
            Item::Series(series) => Some(series),
            _ => None,
        })
    };
    let scale = if options.log { Scale::Log } else { Scale::Linear };
    let values = series().flat_map(|series| {
        let band = series.band.iter().flatten().flat_map(|(low, high)| [*low, *high]);
        series.y.iter().flatten().copied().chain(band).collect::<Vec<_>>()
    });
    let values = values.map(|value| options.clip.map_or(value, |clip| value.min(clip)));
    let y = padded_range(values, scale).ok_or("the log of the attack has no numbers to draw")?;
    let y = if error { (y.0.max(0.0), y.1.min(1.0)) } else { y };
    let last = series().map(|series| series.x.len()).max().unwrap_or(1).saturating_sub(1) as f64;
    let (label, unit) = if error { ("Misclassified (%)", Unit::Percent) } else { ("Mean loss", Unit::One) };
    let provenance = shown.iter().flat_map(|s| provenance::evaluation(s.name, s.record, s.job)).collect();
    Ok(Plot {
        title: options.title.clone(),
        x: Axis::new("Iteration of the attack", (0.0, last.max(1.0)), Scale::Linear, Unit::One),
        y: Axis::new(label, y, scale, unit),
        items,
        key: None,
        equal_aspect: false,
        notes: Vec::new(),
        provenance,
    })
}

/// Whether a record has a log of its attack.
pub fn has_log(record: &Record) -> bool {
    matches!(&record.outcome, Outcome::Evaluate(e) if e.attempts.iter().any(|attempt| attempt.steps.is_some()))
}

/// A record taken apart.
struct Shown<'a> {
    name: &'a str,
    record: &'a Record,
    job: &'a Evaluate,
    outcome: &'a Evaluation,
}

fn taken_apart<'a>(named: &Named<'a>) -> Result<Shown<'a>, String> {
    let Named { name, record } = *named;
    match (&record.job, &record.outcome) {
        (Job::Evaluate(job), Outcome::Evaluate(outcome)) if has_log(record) => {
            Ok(Shown { name, record, job, outcome })
        }
        _ => Err(format!(
            "{name} has no log of an attack; evaluate with --attack pgd --log-steps, and give that record"
        )),
    }
}
