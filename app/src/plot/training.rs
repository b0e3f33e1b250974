//! Trainings to figures: loss or error over epochs, training against test, so that robust overfitting shows; and the
//! learning rate.

use basin_core::job::{Job, Train};
use basin_core::record::{Outcome, Record, TrainingOutcome};
use basin_core::train::{Epoch, Labels, Scores};
use serde::{Deserialize, Serialize};

use super::color::series_color;
use super::landscape::{Named, Which};
use super::{
    Axis, Color, Dash, Guide, GuideLine, Item, Plot, Scale, Scatter, ScatterPoint, Series, Shape, Tick, Unit,
    padded_range, provenance, text, ticks,
};

/// What is shown over epochs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Quantity {
    /// Mean cross-entropy.
    #[default]
    Loss,
    /// Share of wrong examples.
    Error,
    /// Learning rate of the last step of each epoch.
    LearningRate,
}

/// What of trainings is shown, and how.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Options {
    /// Loss, error or learning rate.
    pub quantity: Quantity,
    /// Clean, robust or both; automatic: both of one training, robust of several.
    pub which: Which,
    /// Logarithmic values.
    pub log: bool,
    /// Largest value shown: the first epochs are often far above all others.
    pub clip: Option<f64>,
    /// For the window: points where a network was kept, short legends, no words that stand elsewhere.
    pub screen: bool,
    /// Title above the axes.
    pub title: Option<String>,
}

/// Blue and red, as clean and robust have everywhere.
const CLEAN: usize = 0;
const ROBUST: usize = 1;
const AVERAGE: usize = 4;

/// Up to so many learning rates are named one by one.
const FEW_RATES: usize = 5;

/// A curve's values by epoch.
type Values<'a> = &'a dyn Fn(&Epoch) -> Option<f64>;

/// Curves over epochs.
///
/// # Errors
/// A sentence saying which record cannot be part of the figure.
pub fn plot(records: &[Named<'_>], options: &Options) -> Result<Plot, String> {
    let shown = records.iter().map(taken_apart).collect::<Result<Vec<_>, _>>()?;
    if shown.is_empty() {
        return Err("no training given; give at least one folder".into());
    }
    if let Some(empty) = shown.iter().find(|shown| shown.outcome.steps_done() == 0) {
        return Err(format!("{} has no finished step yet; look again in a while", empty.name));
    }
    let mut items = Vec::new();
    for (number, shown) in shown.iter().enumerate() {
        items.extend(match options.quantity {
            Quantity::LearningRate => vec![rates(shown, number, records.len() == 1)],
            _ if records.len() == 1 => alone(shown, options),
            _ => among(shown, number, options),
        });
    }
    let longest = shown.iter().map(Shown::length).fold(1.0, f64::max);
    let (scale, unit) = match options.quantity {
        Quantity::LearningRate => (Scale::Log, Unit::One),
        quantity => {
            let unit = if quantity == Quantity::Error { Unit::Percent } else { Unit::One };
            (if options.log { Scale::Log } else { Scale::Linear }, unit)
        }
    };
    let values = || items.iter().flat_map(heights);
    let range = range(values(), scale).ok_or("no value can be shown on this axis")?;
    let range =
        (range.0, options.clip.filter(|clip| *clip > range.0).map_or(range.1, |clip| clip.min(range.1)));
    let mut notes: Vec<String> = shown.iter().flat_map(|shown| shown.notes(options)).collect();
    if options.log && values().any(|value| value <= 0.0) {
        notes.push("values of 0 are left out of the logarithmic axis".into());
    }
    Ok(Plot {
        title: options.title.clone(),
        x: epochs_axis(longest),
        y: match options.quantity {
            Quantity::LearningRate => rate_axis(range, values()),
            _ => Axis::new(label(options, shown.len() == 1), range, scale, unit),
        },
        items,
        equal_aspect: false,
        notes,
        provenance: shown.iter().flat_map(|s| provenance::training(s.name, s.record, s.job)).collect(),
    })
}

/// A record of a training taken apart.
struct Shown<'a> {
    name: &'a str,
    record: &'a Record,
    job: &'a Train,
    outcome: &'a TrainingOutcome,
}

fn taken_apart<'a>(named: &Named<'a>) -> Result<Shown<'a>, String> {
    let Named { name, record } = *named;
    match (&record.job, &record.outcome) {
        (Job::Train(job), Outcome::Train(outcome)) => Ok(Shown { name, record, job, outcome }),
        _ => Err(format!("{name} is a record of `basin {}`, not a training", record.job.kind())),
    }
}

impl Shown<'_> {
    /// The last epoch on the axis; epochs count from 1 for people.
    fn length(&self) -> f64 {
        let last = self.outcome.epochs.last().map_or(0, |epoch| epoch.epoch + 1);
        let begun = self.outcome.steps.last().map_or(0, |group| group.epoch + 1);
        last.max(begun) as f64
    }

    fn curve(&self, name: Option<String>, color: Color, dash: Dash, values: Values<'_>) -> Option<Series> {
        let epochs = &self.outcome.epochs;
        let y: Vec<Option<f64>> =
            epochs.iter().map(|epoch| values(epoch).filter(|v| v.is_finite())).collect();
        y.iter().any(Option::is_some).then(|| Series {
            name,
            x: epochs.iter().map(|epoch| (epoch.epoch + 1) as f64).collect(),
            y,
            band: Vec::new(),
            color,
            dash,
            dots: epochs.len() == 1,
        })
    }

    /// The training curve; its last, dotted part is the epoch in hand.
    fn training(&self, name: Option<String>, color: Color, key: &str) -> Vec<Item> {
        let values = |epoch: &Epoch| epoch.train.get(key).copied();
        let finished = self.curve(name.clone(), color, Dash::Dashed, &values);
        let per_epoch = steps_per_epoch(self.job) as f64;
        let points = self.outcome.steps.iter().filter_map(|group| {
            let value = group.values.get(key).copied().filter(|value| value.is_finite())?;
            Some((group.step as f64 / per_epoch, value))
        });
        let (x, y): (Vec<f64>, Vec<f64>) = points.unzip();
        // In a long training one epoch is a point; before its first end it is all there is.
        let in_hand = (finished.is_none() && !x.is_empty()).then(|| Series {
            name,
            x,
            y: y.into_iter().map(Some).collect(),
            band: Vec::new(),
            color,
            dash: Dash::Dotted,
            dots: false,
        });
        finished.into_iter().chain(in_hand).map(Item::Series).collect()
    }

    /// The epoch with the lowest value on test images, from 1, with the value.
    fn best(&self, of: fn(&Scores) -> f64) -> Option<(f64, f64)> {
        let epochs = self.outcome.epochs.iter().filter(|epoch| of(&epoch.test).is_finite());
        let best = epochs.min_by(|a, b| of(&a.test).total_cmp(&of(&b.test)))?;
        Some(((best.epoch + 1) as f64, of(&best.test)))
    }

    /// Small points on the test curve where a network was kept.
    fn kept(&self, of: fn(&Scores) -> f64, color: Color) -> Option<Item> {
        let points =
            self.outcome.snapshots.iter().filter(|snapshot| !snapshot.average).filter_map(|snapshot| {
                let epoch = self.outcome.epochs.iter().find(|epoch| epoch.epoch == snapshot.epoch)?;
                let y = of(&epoch.test);
                y.is_finite().then(|| ScatterPoint {
                    x: (snapshot.epoch + 1) as f64,
                    y,
                    x_interval: None,
                    y_interval: None,
                    name: format!("{}, snapshot of epoch {}", text::literal(self.name), snapshot.epoch + 1),
                    label: None,
                })
            });
        let points: Vec<ScatterPoint> = points.collect();
        let kept = Scatter { name: None, points, color, shape: Shape::Circle, size: 0.7 };
        (!kept.points.is_empty()).then_some(Item::Scatter(kept))
    }

    fn notes(&self, options: &Options) -> Vec<String> {
        let quantity = options.quantity;
        let name = text::literal(self.name);
        let warnings = self.record.provenance.warnings.iter().filter(|_| !options.screen);
        let mut notes: Vec<String> =
            warnings.map(|w| text::literal(&format!("{}: {w}", self.name))).collect();
        let broken = |epoch: &&Epoch| {
            let test = &epoch.test;
            ![test.loss, test.robust_loss].iter().chain(epoch.train.values()).all(|value| value.is_finite())
        };
        let broken: Vec<String> =
            self.outcome.epochs.iter().filter(broken).map(|epoch| (epoch.epoch + 1).to_string()).collect();
        if !broken.is_empty() && quantity != Quantity::LearningRate {
            notes.push(format!("{name}: not a finite number in epoch {}", broken.join(", ")));
        }
        if quantity == Quantity::Loss && self.job.labels != Labels::Exact {
            notes.push(format!(
                "{name}: the training loss is that of its changed labels, the test loss of the true ones"
            ));
        }
        notes
    }
}

/// One training: clean and robust, training and test, the gap between them shaded.
fn alone(shown: &Shown<'_>, options: &Options) -> Vec<Item> {
    let (clean, robust) = quantities(options.quantity);
    let mut items = Vec::new();
    let colors = [series_color(CLEAN), series_color(ROBUST)];
    if options.which != Which::Robust {
        let test = |epoch: &Epoch| Some((clean.test)(&epoch.test));
        items
            .extend(shown.curve(Some("clean, test".into()), colors[0], Dash::Solid, &test).map(Item::Series));
        items.extend(shown.training(Some("clean, training".into()), colors[0], clean.train));
    }
    if options.which == Which::Clean {
        return items;
    }
    let test = |epoch: &Epoch| Some((robust.test)(&epoch.test));
    if let Some(mut curve) = shown.curve(Some("robust, test".into()), colors[1], Dash::Solid, &test) {
        curve.band = shown
            .outcome
            .epochs
            .iter()
            .zip(&curve.y)
            .map(|(epoch, y)| {
                let train = epoch.train.get(robust.train).copied().filter(|value| value.is_finite())?;
                y.map(|y| (train.min(y), train.max(y)))
            })
            .collect();
        items.push(Item::Series(curve));
    }
    items.extend(shown.training(Some("robust, training".into()), colors[1], robust.train));
    let average = |epoch: &Epoch| epoch.average.as_ref().map(robust.test);
    let name = Some("robust, running average".to_owned());
    items.extend(shown.curve(name, series_color(AVERAGE), Dash::Solid, &average).map(Item::Series));
    if options.screen {
        items.extend(shown.kept(robust.test, colors[1]));
    }
    if let Some((epoch, _)) = shown.best(robust.test) {
        let name = (!options.screen).then(|| format!("lowest robust test {}: epoch {epoch}", robust.word));
        items.push(best_line(name, epoch, Color::GREY));
    }
    items
}

/// One of several trainings: test solid, training broken, in the colour of the training.
fn among(shown: &Shown<'_>, number: usize, options: &Options) -> Vec<Item> {
    let (clean, robust) = quantities(options.quantity);
    let color = series_color(number);
    let name = text::literal(shown.name);
    let kinds = match options.which {
        Which::Clean => vec![(clean, "")],
        Which::Both => vec![(robust, " robust"), (clean, " clean")],
        Which::Auto | Which::Robust => vec![(robust, "")],
    };
    let mut items = Vec::new();
    for (number, (quantity, word)) in kinds.iter().enumerate() {
        let color = if number == 0 { color } else { color.mix(Color::WHITE, 0.45) };
        let test = |epoch: &Epoch| Some((quantity.test)(&epoch.test));
        // The label of the axis says in the window what is broken.
        let (of_test, of_training) = match options.screen {
            true => (format!("{name}{word}"), None),
            false => (format!("{name},{word} test"), Some(format!("{name},{word} training"))),
        };
        items.extend(shown.curve(Some(of_test), color, Dash::Solid, &test).map(Item::Series));
        items.extend(shown.training(of_training, color, quantity.train));
        if number > 0 {
            continue;
        }
        if options.screen {
            items.extend(shown.kept(quantity.test, color));
        }
        items.extend(
            shown.best(quantity.test).map(|(epoch, _)| best_line(None, epoch, color.with_alpha(0.6))),
        );
    }
    items
}

fn best_line(name: Option<String>, epoch: f64, color: Color) -> Item {
    Item::Guide(Guide { name, line: GuideLine::Vertical(epoch), color, dash: Dash::Dotted })
}

fn rates(shown: &Shown<'_>, number: usize, single: bool) -> Item {
    let epochs = shown.outcome.epochs.iter().map(|epoch| ((epoch.epoch + 1) as f64, epoch.learning_rate));
    let per_epoch = steps_per_epoch(shown.job) as f64;
    let in_hand = shown.outcome.steps.iter().map(|g| (g.step as f64 / per_epoch, Some(g.learning_rate)));
    let points: Vec<_> = if shown.outcome.epochs.is_empty() { in_hand.collect() } else { epochs.collect() };
    let (x, y): (Vec<f64>, Vec<Option<f64>>) = points.into_iter().unzip();
    Item::Series(Series {
        name: (!single).then(|| text::literal(shown.name)),
        dots: x.len() == 1,
        x,
        y: y.into_iter().map(|rate| rate.filter(|rate| *rate > 0.0 && rate.is_finite())).collect(),
        band: Vec::new(),
        color: if single { Color::rgb(90, 90, 90) } else { series_color(number) },
        dash: Dash::Solid,
    })
}

/// Where a quantity stands in the log.
#[derive(Clone, Copy)]
struct Place {
    test: fn(&Scores) -> f64,
    train: &'static str,
    word: &'static str,
}

/// Clean and robust.
fn quantities(quantity: Quantity) -> (Place, Place) {
    match quantity {
        Quantity::Error => (
            Place { test: |scores| scores.error, train: "clean_error", word: "error" },
            Place { test: |scores| scores.robust_error, train: "robust_error", word: "error" },
        ),
        _ => (
            Place { test: |scores| scores.loss, train: "clean_loss", word: "loss" },
            Place { test: |scores| scores.robust_loss, train: "robust_loss", word: "loss" },
        ),
    }
}

/// Steps of an epoch as the job asks for them.
pub fn steps_per_epoch(job: &Train) -> u64 {
    let needed = job.data.train.len().div_ceil(job.batch_size.max(1));
    job.steps_per_epoch.unwrap_or(needed).max(1) as u64
}

fn label(options: &Options, single: bool) -> String {
    let what = match options.quantity {
        Quantity::LearningRate => return "Learning rate".to_owned(),
        Quantity::Loss => "loss",
        Quantity::Error => "error (%)",
    };
    let label = match (options.which, single) {
        (Which::Clean, _) => format!("Clean {what}"),
        (Which::Robust, _) | (Which::Auto, false) => format!("Robust {what}"),
        (Which::Both, _) | (Which::Auto, true) => what[..1].to_uppercase() + &what[1..],
    };
    if options.screen && !single { format!("{label}, broken: training") } else { label }
}

/// Whole epochs only.
fn epochs_axis(longest: f64) -> Axis {
    let first = if longest > 1.0 { 1.0 } else { 0.0 };
    let room = 0.02 * (longest - first);
    let step = [1.0, 2.0, 5.0, 10.0, 20.0, 25.0, 50.0, 100.0, 200.0, 500.0]
        .into_iter()
        .find(|step| (longest - first) / step <= 8.0)
        .unwrap_or(1000.0);
    let whole =
        (0..=(longest / step) as u64).map(|number| number as f64 * step).filter(|value| *value >= first);
    let from_one = (step > 1.0 && first > 0.0).then_some(first);
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

/// Close around the values: the rise at the end of a training is small beside its beginning.
fn range(values: impl Iterator<Item = f64> + Clone, scale: Scale) -> Option<(f64, f64)> {
    let (low, high) = padded_range(values.clone(), scale)?;
    let lowest = values.fold(f64::INFINITY, f64::min);
    let close = scale == Scale::Linear && low == 0.0 && lowest > 0.0;
    Some((if close { lowest - 0.06 * (high - lowest) } else { low }, high))
}

/// Every number that is drawn, to find the range of the axis.
fn heights(item: &Item) -> Vec<f64> {
    match item {
        Item::Series(series) => series.y.iter().flatten().copied().collect(),
        _ => Vec::new(),
    }
}
