//! Hessian records to figures: spectral density with the eigenvalues that were found, or these alone.

use basin_core::job::{Hessian, Job};
use basin_core::record::{Density, Eigenvalue, HessianOutcome, Outcome, Record};

use super::color::series_color;
use super::figure::{Drawn, Figure, Named, OF_LANDSCAPES, Takes};
use super::{Axis, Dash, Item, Plot, Scale, Series, Unit, padded_range, provenance};

/// Densities, or eigenvalues alone.
pub const FIGURE: Figure = Figure {
    name: "spectrum",
    help: "Spectral density and eigenvalues of Hessians",
    takes: Takes::Records(|record| matches!(record.outcome, Outcome::Hessian(_))),
    is_usual: true,
    ignores: |_| ("a figure of spectra", OF_LANDSCAPES),
    draw: |input| plot(input.named, input.options.title.clone()).map(Drawn::from),
};

/// Spectral densities on a logarithmic axis, with stems at the eigenvalues; where a record has no density, the
/// eigenvalues of all over their rank.
///
/// # Errors
/// A sentence saying which record cannot be part of the figure.
pub fn plot(records: &[Named<'_>], title: Option<String>) -> Result<Plot, String> {
    let shown = records.iter().map(|named| Shown::of(*named)).collect::<Result<Vec<_>, _>>()?;
    if shown.is_empty() {
        return Err("no record given; give at least one".into());
    }
    let all_have_density = shown.iter().all(|shown| shown.outcome.density.is_some());
    let mut plot = if all_have_density { densities(&shown) } else { ranks(&shown) }?;
    plot.title = title;
    let without = shown.iter().filter(|shown| shown.outcome.density.is_none()).count();
    if without > 0 && without < shown.len() {
        plot.notes.push(format!(
            "eigenvalues alone are drawn: {without} of {} records have no spectral density (--density)",
            shown.len()
        ));
    }
    plot.provenance = shown.iter().flat_map(|s| provenance::hessian(s.name, s.record, s.job)).collect();
    Ok(plot)
}

/// A Hessian record.
struct Shown<'a> {
    name: &'a str,
    record: &'a Record,
    job: &'a Hessian,
    outcome: &'a HessianOutcome,
}

impl<'a> Shown<'a> {
    fn of(Named { name, record }: Named<'a>) -> Result<Self, String> {
        match (&record.job, &record.outcome) {
            (Job::Hessian(job), Outcome::Hessian(outcome)) => Ok(Self { name, record, job, outcome }),
            _ => Err(format!("{name} is a record of `basin {}`, not of a Hessian", record.job.kind())),
        }
    }

    fn eigenvalues(&self) -> impl Iterator<Item = &Eigenvalue> {
        self.outcome.largest.iter().chain(&self.outcome.smallest)
    }
}

fn empty(x: Axis, y: Axis, items: Vec<Item>) -> Plot {
    Plot {
        title: None,
        x,
        y,
        items,
        key: None,
        equal_aspect: false,
        notes: Vec::new(),
        provenance: Vec::new(),
    }
}

fn densities(shown: &[Shown]) -> Result<Plot, String> {
    let single = shown.len() == 1;
    let of = |shown: &Shown| shown.outcome.density.clone().unwrap_or_default();
    // The height of one eigenvalue among all: what is far below it is the tail of the smoothing.
    let one = |shown: &Shown, density: &Density| {
        (density.width * std::f64::consts::TAU.sqrt() * shown.outcome.weights.max(1) as f64).recip()
    };
    let lowest = shown.iter().map(|shown| 0.2 * one(shown, &of(shown))).fold(f64::INFINITY, f64::min);
    let highest = shown.iter().flat_map(|shown| of(shown).high).fold(0.0, f64::max);
    if highest <= 0.0 || !lowest.is_finite() {
        return Err("the spectral density is not known yet".into());
    }
    let mut items = Vec::new();
    for (index, shown) in shown.iter().enumerate() {
        let (density, color) = (of(shown), series_color(if single { 1 } else { index }));
        let peak = one(shown, &density);
        let visible = |y: f64| (y >= lowest).then_some(y);
        let stems = shown
            .eigenvalues()
            .flat_map(|found| [(found.value, Some(lowest)), (found.value, Some(peak)), (found.value, None)]);
        let (x, y) = stems.unzip();
        items.push(Item::Series(Series {
            name: single.then(|| "Eigenvalues found".to_owned()),
            x,
            y,
            band: Vec::new(),
            color,
            dash: Dash::Dotted,
            dots: false,
            steps: false,
        }));
        let band = density.y.iter().zip(density.low.iter().zip(&density.high));
        items.push(Item::Series(Series {
            name: Some(if single { "Spectral density".into() } else { shown.name.to_owned() }),
            band: band.map(|(y, (low, high))| visible(*y).map(|_| (low.max(lowest), *high))).collect(),
            y: density.y.iter().map(|y| visible(*y)).collect(),
            x: density.x,
            color,
            dash: Dash::Solid,
            dots: false,
            steps: false,
        }));
    }
    let values = shown.iter().flat_map(|shown| of(shown).x);
    let range = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    let y = Axis::new("Spectral density", (lowest, 2.0 * highest), Scale::Log, Unit::One);
    Ok(empty(Axis::new("Eigenvalue", range, Scale::Linear, Unit::One), y, items))
}

fn ranks(shown: &[Shown]) -> Result<Plot, String> {
    let single = shown.len() == 1;
    let mut items = Vec::new();
    let series = |name: Option<String>, found: &[Eigenvalue], index: usize, dash: Dash| {
        Item::Series(Series {
            name,
            x: (1..=found.len()).map(|rank| rank as f64).collect(),
            y: found.iter().map(|found| Some(found.value)).collect(),
            band: found
                .iter()
                .map(|found| Some((found.value - found.residual, found.value + found.residual)))
                .collect(),
            color: series_color(index),
            dash,
            dots: true,
            steps: false,
        })
    };
    for (index, shown) in shown.iter().enumerate() {
        let color = if single { 1 } else { index };
        let (largest, smallest) = (&shown.outcome.largest, &shown.outcome.smallest);
        let name =
            |words: &str| Some(if single { words.to_owned() } else { format!("{}, {words}", shown.name) });
        if !largest.is_empty() {
            items.push(series(name("largest"), largest, color, Dash::Solid));
        }
        if !smallest.is_empty() {
            items.push(series(name("smallest"), smallest, color, Dash::Dashed));
        }
    }
    let values = shown.iter().flat_map(Shown::eigenvalues).map(|found| found.value).chain([0.0]);
    let most = shown.iter().map(|s| s.outcome.largest.len().max(s.outcome.smallest.len())).max().unwrap_or(0);
    if items.is_empty() {
        return Err("no eigenvalue is known yet".into());
    }
    let range = padded_range(values, Scale::Linear).unwrap_or((0.0, 1.0));
    let x = Axis::new("Rank", (0.5, most as f64 + 0.5), Scale::Linear, Unit::One);
    let ticks = (1..=most).map(|rank| super::Tick { value: rank as f64, label: rank.to_string() });
    let x = if most <= 12 { Axis { ticks: ticks.collect(), ..x } } else { x };
    Ok(empty(x, Axis::new("Eigenvalue", range, Scale::Linear, Unit::One), items))
}
