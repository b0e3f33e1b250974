//! The curves of trainings, from their logs.

use basin_core::job::{Job, Train};
use basin_core::record::training::Choice;
use basin_core::record::{Outcome, Record, TrainingOutcome};
use basin_core::train::{Epoch, Scores};

use super::options::{Options, Quantity};
use crate::plot::color::series_color;
use crate::plot::figure::{Named, Which};
use crate::plot::{
    Color, Dash, Group, Guide, GuideLine, Histogram, Item, Key, Mark, Scatter, ScatterPoint, Series, Shape,
    text,
};

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

    pub fn curve(
        &self,
        name: Option<String>,
        color: Color,
        dash: Dash,
        values: Values<'_>,
    ) -> Option<Series> {
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
            steps: false,
        })
    }

    /// The training curve: of the training images measured like the test images, or, where there are none, of what the
    /// training minimizes. Before the first epoch ends it is the epoch in hand, dotted.
    pub fn training(&self, name: Option<String>, color: Color, place: &Place) -> Vec<Item> {
        let (is_measured, key) = (self.is_measured(), place.train);
        let values = |epoch: &Epoch| match is_measured {
            true => epoch.train_scores.as_ref().map(place.test),
            false => epoch.train.get(key).copied(),
        };
        let finished = self.curve(name.clone(), color, Dash::Dashed, &values);
        let per_epoch = self.job.steps_in_epoch() as f64;
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
            steps: false,
        });
        finished.into_iter().chain(in_hand).map(Item::Series).collect()
    }

    /// Whether training images are measured like the test images.
    pub fn is_measured(&self) -> bool {
        self.outcome.epochs.iter().any(|epoch| epoch.train_scores.is_some())
    }

    /// Why no training images are measured like the test images.
    pub fn why_unmeasured(&self) -> Option<&'static str> {
        match () {
            () if self.outcome.epochs.is_empty() || self.is_measured() => None,
            () if self.outcome.is_older(self.job) => Some("an earlier version of Basin wrote the log"),
            () => Some("evaluation.train_images is 0"),
        }
    }

    /// The epoch that stands out, from 1, and why.
    pub fn chosen(&self) -> Option<(u64, Choice)> {
        self.outcome.chosen(self.job).map(|(epoch, choice)| (epoch + 1, choice))
    }

    /// That epoch in words: `early stopping, epoch 11`.
    pub fn chosen_words(&self) -> Option<String> {
        self.chosen().map(|(epoch, choice)| format!("{}, epoch {epoch}", choice.words()))
    }

    /// A line there, across all quantities.
    pub fn chosen_line(&self) -> Option<Item> {
        let (epoch, _) = self.chosen()?;
        Some(Item::Guide(Guide {
            name: self.chosen_words(),
            line: GuideLine::Vertical(epoch as f64),
            color: Color::rgb(110, 110, 110),
            dash: Dash::Dotted,
        }))
    }

    /// A symbol there, on a curve.
    pub fn chosen_mark(&self, of: fn(&Scores) -> f64, color: Color) -> Option<(Choice, Item)> {
        let (epoch, choice) = self.chosen()?;
        let y = of(&self.outcome.epochs.iter().find(|known| known.epoch + 1 == epoch)?.test);
        let name = format!("{}: {}", self.name, self.chosen_words()?);
        let mark = Mark { x: epoch as f64, y, shape: chosen_shape(choice), color, name };
        y.is_finite().then_some((choice, Item::Mark(mark)))
    }

    /// Small points on the test curve where a network was kept.
    pub fn kept(&self, of: fn(&Scores) -> f64, color: Color) -> Option<Item> {
        let points =
            self.outcome.snapshots.iter().filter(|snapshot| !snapshot.average).filter_map(|snapshot| {
                let epoch = self.outcome.epochs.iter().find(|epoch| epoch.epoch == snapshot.epoch)?;
                let y = of(&epoch.test);
                y.is_finite().then(|| ScatterPoint {
                    x: (snapshot.epoch + 1) as f64,
                    y,
                    x_interval: None,
                    y_interval: None,
                    name: format!("{}, snapshot of epoch {}", self.name, snapshot.epoch + 1),
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
        let name = self.name;
        let warnings = self.record.provenance.warnings.iter().filter(|_| !options.screen);
        let mut notes: Vec<String> = warnings.map(|w| format!("{name}: {}", text::literal(w))).collect();
        let broken = |epoch: &&Epoch| {
            let test = &epoch.test;
            let scores = std::iter::once(test).chain(&epoch.train_scores);
            let scores = scores.flat_map(|scores| [scores.loss, scores.robust_loss]);
            !scores.chain(epoch.train.values().copied()).all(f64::is_finite)
        };
        let broken: Vec<String> =
            self.outcome.epochs.iter().filter(broken).map(|epoch| (epoch.epoch + 1).to_string()).collect();
        if !broken.is_empty() && quantity != Quantity::LearningRate {
            notes.push(format!("{name}: not a finite number in epoch {}", broken.join(", ")));
        }
        notes
    }
}

/// One training: robust and clean, training and test, the robust gap between them shaded.
pub fn alone(shown: &Shown<'_>, options: &Options) -> (Vec<Item>, Option<Key>) {
    let (clean, robust) = quantities(options.quantity);
    let mut items = Vec::new();
    let mut what = Vec::new();
    if options.which != Which::Clean {
        if let Some(gap) = gap(shown, &robust) {
            let (name, color) = (Some("robust gap".to_owned()), gap.color);
            let patch = Histogram { name, edges: Vec::new(), values: Vec::new(), color };
            what.push(Group { sample: Item::Histogram(patch), items: vec![items.len()] });
            items.push(Item::Series(gap));
        }
        items.extend(robust_curves(shown, &robust, options));
    }
    if options.which != Which::Robust {
        items.extend(clean_curves(shown, &clean));
    }
    items.extend(shown.chosen_line());
    let named = items.iter().enumerate().filter(|(_, item)| item.name().is_some());
    let whose = named.map(|(number, item)| Group { sample: item.clone(), items: vec![number] }).collect();
    (items, Some(Key { whose, what }))
}

fn clean_curves(shown: &Shown<'_>, place: &Place) -> Vec<Item> {
    let color = series_color(CLEAN);
    let test = |epoch: &Epoch| Some((place.test)(&epoch.test));
    let test = shown.curve(Some("clean, test".into()), color, Dash::Solid, &test).map(Item::Series);
    test.into_iter().chain(shown.training(Some("clean, training".into()), color, place)).collect()
}

/// The robust generalization gap: what lies between the curves of training and test images, measured alike, wherever that
/// of the test is the higher one.
fn gap(shown: &Shown<'_>, place: &Place) -> Option<Series> {
    let epochs = &shown.outcome.epochs;
    let ends = |epoch: &Epoch| {
        let train = epoch.train_scores.as_ref().map(place.test).filter(|value| value.is_finite())?;
        let test = Some((place.test)(&epoch.test)).filter(|value| value.is_finite())?;
        // Where the test curve lies below, the band has no width.
        Some((train.min(test), test))
    };
    let band: Vec<_> = epochs.iter().map(ends).collect();
    band.iter().flatten().any(|(low, high)| low < high).then(|| Series {
        name: None,
        x: epochs.iter().map(|epoch| (epoch.epoch + 1) as f64).collect(),
        y: vec![None; epochs.len()],
        band,
        color: series_color(ROBUST),
        dash: Dash::Solid,
        dots: false,
        steps: false,
    })
}

fn robust_curves(shown: &Shown<'_>, place: &Place, options: &Options) -> Vec<Item> {
    let color = series_color(ROBUST);
    let mut items = Vec::new();
    let test = |epoch: &Epoch| Some((place.test)(&epoch.test));
    items.extend(shown.curve(Some("robust, test".into()), color, Dash::Solid, &test).map(Item::Series));
    items.extend(shown.training(Some("robust, training".into()), color, place));
    let average = |epoch: &Epoch| epoch.average.as_ref().map(place.test);
    let name = Some("robust, running average".to_owned());
    items.extend(shown.curve(name, series_color(AVERAGE), Dash::Solid, &average).map(Item::Series));
    if options.screen {
        items.extend(shown.kept(place.test, color));
    }
    items
}

pub fn chosen_shape(choice: Choice) -> Shape {
    match choice {
        Choice::EarlyStopping => Shape::Star,
        Choice::LowestTestLoss => Shape::Diamond,
    }
}

/// Where a quantity stands in the log: among scores, and among what a step reports.
#[derive(Clone, Copy)]
pub struct Place {
    pub test: fn(&Scores) -> f64,
    pub train: &'static str,
}

/// Clean and robust.
pub fn quantities(quantity: Quantity) -> (Place, Place) {
    match quantity {
        Quantity::Error => (
            Place { test: |scores| scores.error, train: "clean_error" },
            Place { test: |scores| scores.robust_error, train: "robust_error" },
        ),
        _ => (
            Place { test: |scores| scores.loss, train: "clean_loss" },
            Place { test: |scores| scores.robust_loss, train: "robust_loss" },
        ),
    }
}
