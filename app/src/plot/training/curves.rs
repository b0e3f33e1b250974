//! The curves of trainings, from their logs.

use basin_core::job::{Job, Train};
use basin_core::record::{Outcome, Record, TrainingOutcome};
use basin_core::train::{Epoch, Labels, Scores};

use super::{Options, Quantity, steps_per_epoch};
use crate::plot::color::series_color;
use crate::plot::landscape::{Named, Which};
use crate::plot::{Color, Dash, Guide, GuideLine, Item, Scatter, ScatterPoint, Series, Shape, text};

/// Blue and red, as clean and robust have everywhere.
const CLEAN: usize = 0;
const ROBUST: usize = 1;
const AVERAGE: usize = 4;

/// A curve's values by epoch.
type Values<'a> = &'a dyn Fn(&Epoch) -> Option<f64>;

/// A record of a training taken apart.
pub struct Shown<'a> {
    pub name: &'a str,
    pub record: &'a Record,
    pub job: &'a Train,
    pub outcome: &'a TrainingOutcome,
}

pub fn taken_apart<'a>(named: &Named<'a>) -> Result<Shown<'a>, String> {
    let Named { name, record } = *named;
    match (&record.job, &record.outcome) {
        (Job::Train(job), Outcome::Train(outcome)) => Ok(Shown { name, record, job, outcome }),
        _ => Err(format!("{name} is a record of `basin {}`, not a training", record.job.kind())),
    }
}

impl Shown<'_> {
    /// The last epoch on the axis; epochs count from 1 for people.
    pub fn length(&self) -> f64 {
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

    /// What the reader must know.
    pub fn notes(&self, options: &Options) -> Vec<String> {
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

/// One training: robust and clean, training and test, the robust gap between them shaded.
pub fn alone(shown: &Shown<'_>, options: &Options) -> Vec<Item> {
    let (clean, robust) = quantities(options.quantity);
    let mut items = Vec::new();
    if options.which != Which::Clean {
        items.extend(robust_curves(shown, &robust, options));
    }
    if options.which != Which::Robust {
        items.extend(clean_curves(shown, &clean));
    }
    if options.which != Which::Clean {
        let words = |epoch| format!("lowest robust test {}: epoch {epoch}", robust.word);
        let best = shown.best(robust.test).map(|(epoch, _)| epoch);
        items
            .extend(best.map(|epoch| best_line((!options.screen).then(|| words(epoch)), epoch, Color::GREY)));
    }
    items
}

fn clean_curves(shown: &Shown<'_>, place: &Place) -> Vec<Item> {
    let color = series_color(CLEAN);
    let test = |epoch: &Epoch| Some((place.test)(&epoch.test));
    let test = shown.curve(Some("clean, test".into()), color, Dash::Solid, &test).map(Item::Series);
    test.into_iter().chain(shown.training(Some("clean, training".into()), color, place.train)).collect()
}

fn robust_curves(shown: &Shown<'_>, place: &Place, options: &Options) -> Vec<Item> {
    let color = series_color(ROBUST);
    let mut items = Vec::new();
    let test = |epoch: &Epoch| Some((place.test)(&epoch.test));
    if let Some(mut curve) = shown.curve(Some("robust, test".into()), color, Dash::Solid, &test) {
        let gap = |(epoch, y): (&Epoch, &Option<f64>)| {
            let train = epoch.train.get(place.train).copied().filter(|value| value.is_finite())?;
            y.map(|y| (train.min(y), train.max(y)))
        };
        curve.band = shown.outcome.epochs.iter().zip(&curve.y).map(gap).collect();
        items.push(Item::Series(curve));
    }
    items.extend(shown.training(Some("robust, training".into()), color, place.train));
    let average = |epoch: &Epoch| epoch.average.as_ref().map(place.test);
    let name = Some("robust, running average".to_owned());
    items.extend(shown.curve(name, series_color(AVERAGE), Dash::Solid, &average).map(Item::Series));
    if options.screen {
        items.extend(shown.kept(place.test, color));
    }
    items
}

/// One of several trainings: test solid, training broken, in the colour of the training.
pub fn among(shown: &Shown<'_>, number: usize, options: &Options) -> Vec<Item> {
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

pub fn rates(shown: &Shown<'_>, number: usize, single: bool) -> Item {
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
