//! Trainings to figures: loss or error over epochs, training against test, so that robust overfitting shows; and the
//! learning rate.

mod curves;
mod norms;
mod options;
mod range;
mod rates;
mod together;

use std::collections::BTreeMap;

use super::figure::{self, Drawn, Figure, Named, OF_LANDSCAPES, Takes, Which};
use super::{Axis, Color, Item, Plot, Scale, Tick, Unit, provenance, ticks};
use curves::{Shown, alone, taken_apart};
use norms::norms;
pub use norms::table;
pub use options::{Options, Quantity};
use range::{heights, range, without_outliers};
use rates::{rates, rates_together};
use together::together;

/// Over epochs.
pub const FIGURE: Figure = Figure {
    name: "training",
    help: "Loss (or --error) of trainings over epochs, training against test",
    takes: Takes::Trainings,
    is_usual: true,
    ignores: |_| ("a figure of trainings", &["--colors"]),
    draw: |input| {
        let error = input.options.quantity == figure::Quantity::Error;
        let quantity = if error { Quantity::Error } else { Quantity::Loss };
        plot(input.named, &Options::of(input.options, quantity)).map(Drawn::from)
    },
};

/// Learning rates.
pub const RATES: Figure = Figure {
    name: "learning-rate",
    help: "Learning rate of trainings over epochs",
    is_usual: false,
    ignores: |_| ("a figure of learning rates", OF_LANDSCAPES),
    draw: |input| plot(input.named, &Options::of(input.options, Quantity::LearningRate)).map(Drawn::from),
    ..FIGURE
};

/// Norms, with all statistics of tensors as the table.
pub const NORMS: Figure = Figure {
    name: "norms",
    help: "Norms of weights and gradients over epochs, of trainings with tensor_statistics; as .csv all their statistics",
    is_usual: false,
    ignores: |_| ("a figure of norms", OF_LANDSCAPES),
    draw: |input| {
        let plot = plot(input.named, &Options::of(input.options, Quantity::Norms))?;
        let table = Some(table(input.named, &plot)?);
        Ok(Drawn { table, ..plot.into() })
    },
    ..FIGURE
};

/// Up to so many learning rates are named one by one.
const FEW_RATES: usize = 5;

/// Curves over epochs.
///
/// # Errors
/// A sentence saying which record cannot be part of the figure.
pub fn plot(records: &[Named<'_>], options: &Options) -> Result<Plot, String> {
    let all = records.iter().map(taken_apart).collect::<Result<Vec<_>, _>>()?;
    if all.is_empty() {
        return Err("no training given; give at least one folder".into());
    }
    // Those without a step yet do not keep the others from being seen.
    let (empty, shown): (Vec<_>, Vec<_>) = all.into_iter().partition(|shown| shown.outcome.steps_done() == 0);
    if let (Some(empty), true) = (empty.first(), shown.is_empty()) {
        return Err(format!("{} has no finished step yet; look again in a while", empty.name));
    }
    let (mut alike, mut lacking) = (Vec::new(), None);
    let (items, key) = match (&*shown, options.quantity) {
        (several, Quantity::Norms) => {
            let (items, note) = norms(several)?;
            lacking = note;
            (items, None)
        }
        ([only], Quantity::LearningRate) => (rates(only, Color::rgb(90, 90, 90), true), None),
        ([only], _) => alone(only, options),
        (several, Quantity::LearningRate) => {
            let (items, key, notes) = rates_together(several, options);
            alike = notes;
            (items, Some(key))
        }
        (several, _) => together(several, options),
    };
    let longest = shown.iter().map(Shown::length).fold(1.0, f64::max);
    let (scale, unit) = match options.quantity {
        Quantity::LearningRate | Quantity::Norms => (Scale::Log, Unit::One),
        quantity => {
            let unit = if quantity == Quantity::Error { Unit::Percent } else { Unit::One };
            (if options.log { Scale::Log } else { Scale::Linear }, unit)
        }
    };
    let values = || items.iter().flat_map(heights);
    let may_cut = options.clip.is_none() && scale == Scale::Linear && options.quantity == Quantity::Loss;
    let (top, cut) = if may_cut { without_outliers(&items) } else { (f64::INFINITY, Vec::new()) };
    let shown_values = values().filter(|value| *value <= top);
    let range = range(shown_values, scale, options.clip).ok_or("no value can be shown on this axis")?;
    let mut notes: Vec<String> = shown.iter().flat_map(|shown| shown.notes(options)).collect();
    let waiting = empty.iter().map(|empty| format!("{} has no finished step yet", empty.name));
    notes.extend(waiting.chain(cut));
    notes.extend(alike);
    notes.extend(lacking);
    let of_scores = matches!(options.quantity, Quantity::Loss | Quantity::Error);
    notes.extend(unmeasured(&shown).into_iter().filter(|_| of_scores));
    notes.extend(items.iter().filter(|_| scale == Scale::Log).filter_map(not_on_a_logarithmic_axis));
    notes.extend(
        shown.iter().filter(|_| options.quantity == Quantity::LearningRate).filter_map(rates_of_zero),
    );
    Ok(Plot {
        title: options.title.clone(),
        x: epochs_axis(longest, shown.iter().all(|shown| !shown.outcome.epochs.is_empty())),
        y: match options.quantity {
            Quantity::LearningRate => rate_axis(range, values()),
            _ => Axis::new(label(options, shown.len() == 1), range, scale, unit),
        },
        items,
        key,
        equal_aspect: false,
        notes,
        provenance: shown.iter().flat_map(told).collect(),
    })
}

/// Where the numbers of a training come from, and which epoch stands out.
fn told(shown: &Shown<'_>) -> Vec<String> {
    let chosen = shown.chosen_words().map(|words| format!("{}: {words}", shown.name));
    provenance::training(shown.name, shown.record, shown.job).into_iter().chain(chosen).collect()
}

/// How many values of a curve a logarithmic axis cannot show.
fn not_on_a_logarithmic_axis(item: &Item) -> Option<String> {
    let count = heights(item).into_iter().filter(|value| *value <= 0.0).count();
    let values = if count == 1 { "value is" } else { "values are" };
    let name = item.name().unwrap_or("a curve");
    (count > 0)
        .then(|| format!("{name}: {count} {values} not positive and cannot be shown on a logarithmic axis"))
}

/// Epochs that end with a learning rate of zero, which the logarithmic axis cannot show.
fn rates_of_zero(shown: &Shown<'_>) -> Option<String> {
    let zero =
        shown.outcome.epochs.iter().filter(|epoch| epoch.learning_rate.is_some_and(|rate| rate <= 0.0));
    let epochs: Vec<String> = zero.map(|epoch| (epoch.epoch + 1).to_string()).collect();
    let epoch = if epochs.len() == 1 { "epoch" } else { "epochs" };
    (!epochs.is_empty()).then(|| {
        format!(
            "{}: the learning rate of 0 at the end of {epoch} {} is not on the logarithmic axis",
            shown.name,
            epochs.join(", ")
        )
    })
}

/// Trainings whose training images are not measured like their test images, so that the two curves have no gap between them.
fn unmeasured(shown: &[Shown<'_>]) -> Vec<String> {
    let mut found: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for shown in shown {
        if let Some(why) = shown.why_unmeasured() {
            found.entry(why).or_default().push(shown.name.to_owned());
        }
    }
    let words = |(why, names): (&str, Vec<String>)| {
        format!(
            "{}: the training curve is what the training itself sees (its attack, labels and augmented images), not \
             comparable with the test curve, so no robust gap is shown; {why}",
            names.join(", ")
        )
    };
    found.into_iter().map(words).collect()
}

fn label(options: &Options, single: bool) -> String {
    let what = match options.quantity {
        Quantity::LearningRate => return "Learning rate".to_owned(),
        Quantity::Norms => return "L2 norm".to_owned(),
        Quantity::Loss => "loss",
        Quantity::Error => "error (%)",
    };
    match (options.which, single) {
        (Which::Clean, _) => format!("Clean {what}"),
        (Which::Robust, _) | (Which::Auto, false) => format!("Robust {what}"),
        (Which::Both, _) | (Which::Auto, true) => what[..1].to_uppercase() + &what[1..],
    }
}

/// Whole epochs only; from the beginning of the first one, if of some training there is nothing but a part of it.
fn epochs_axis(longest: f64, all_have_epochs: bool) -> Axis {
    let first = if longest > 1.0 && all_have_epochs { 1.0 } else { 0.0 };
    let room = 0.02 * (longest - first);
    let step = [1.0, 2.0, 5.0, 10.0, 20.0, 25.0, 50.0, 100.0, 200.0, 500.0]
        .into_iter()
        .find(|step| (longest - first) / step <= 8.0)
        .unwrap_or(1000.0);
    let whole =
        (0..=(longest / step) as u64).map(|number| number as f64 * step).filter(|value| *value >= first);
    let from_one = (step > 2.0 && first > 0.0).then_some(first);
    let tick = |value: f64| Tick { value, label: format!("{value:.0}") };
    Axis {
        label: "Epoch".into(),
        range: (first - room, longest + room),
        scale: Scale::Linear,
        unit: Unit::One,
        ticks: from_one.into_iter().chain(whole).map(tick).collect(),
    }
}

/// With the rates themselves as ticks, if they are few.
fn rate_axis(range: (f64, f64), rates: impl Iterator<Item = f64>) -> Axis {
    let mut distinct: Vec<f64> = Vec::new();
    for rate in rates {
        if !distinct.iter().any(|known| (known / rate - 1.0).abs() < 0.02) {
            distinct.push(rate);
        }
    }
    let mut axis = Axis::new("Learning rate", range, Scale::Log, Unit::One);
    if distinct.len() <= FEW_RATES {
        distinct.sort_by(f64::total_cmp);
        let labels = ticks::labels(&distinct, Scale::Log, Unit::One);
        axis.ticks = distinct.into_iter().zip(labels).map(|(value, label)| Tick { value, label }).collect();
    }
    axis
}
