//! The numbers of a model by name: from its records, and from tables.
//!
//! `clean_loss`, `clean_error`, `robust_loss`, `robust_error` (PGD) and `autoattack_error` on test images, with `train_`
//! before them on training images; `robust_gap` and `clean_gap`, loss on test minus on training images;
//! `average_flatness@R` and `worst_flatness@R` of the robust loss at radius R, `average_clean_flatness@R` and
//! `worst_clean_flatness@R` of the clean one, with `normalized_` after the case of normalized logits; `lambda_max`, `lambda_min`, `convexity_ratio`, `trace` of the Hessian, with
//! `robust_` before them of the robust loss; `relative_flatness`. Errors are shares.
//!
//! Of several records the one of most images counts, of equals the one of the highest loss: the strongest attack.
//! Evaluations whose attack does not look for the largest loss in the ball do not count.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::data::Split;
use crate::job::{Case, FlatnessLoss, HessianLoss, Job, Logits};
use crate::measure::statistics::{Interval, mean_interval, share_interval};
use crate::record::{Evaluated, Outcome, Record, attacks};

/// What a number is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity {
    /// Its place among others: of one kind beside each other.
    order: usize,
    /// Its name, e.g. `average_flatness@0.5`.
    pub key: String,
    /// Whether it is a share of images.
    pub is_share: bool,
}

/// A number of a model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Value {
    /// The number.
    pub value: f64,
    /// Its 95 % interval, where that is known.
    pub interval: Option<Interval>,
}

/// Names in the order of tables; what is not here comes last, by name.
const ORDER: [&str; 20] = [
    "clean_loss",
    "clean_error",
    "robust_loss",
    "robust_error",
    "autoattack_error",
    "train_clean_loss",
    "train_clean_error",
    "train_robust_loss",
    "train_robust_error",
    "clean_gap",
    "robust_gap",
    "average_flatness",
    "worst_flatness",
    "average_clean_flatness",
    "worst_clean_flatness",
    "relative_flatness",
    "lambda_max",
    "lambda_min",
    "convexity_ratio",
    "trace",
];

/// The name without the radius, and the radius.
pub(super) fn parts(key: &str) -> (&str, Option<f64>) {
    match key.rsplit_once('@') {
        Some((name, radius)) => (name, radius.parse().ok()),
        None => (key, None),
    }
}

impl Quantity {
    pub(super) fn named(key: &str) -> Self {
        let order = ORDER.iter().position(|name| *name == parts(key).0).unwrap_or(ORDER.len());
        Self { order, key: key.to_owned(), is_share: order < ORDER.len() && key.ends_with("_error") }
    }
}

/// A number of a record by its name.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Number {
    pub key: Arc<str>,
    /// How much it counts among others of the name: its images, times its draws.
    pub weight: usize,
    pub value: Value,
}

/// Numbers of a model: of each name the one that counts most, of equals the largest.
#[derive(Default)]
struct Best(Vec<Number>);

impl Best {
    fn put(&mut self, number: &Number) {
        if !number.value.value.is_finite() {
            return;
        }
        let same = |known: &&mut Number| Arc::ptr_eq(&known.key, &number.key) || known.key == number.key;
        match self.0.iter_mut().find(same) {
            Some(known) if (number.weight, number.value.value) > (known.weight, known.value.value) => {
                *known = number.clone();
            }
            Some(_) => {}
            None => self.0.push(number.clone()),
        }
    }

    fn get(&self, key: &str) -> Option<Value> {
        self.0.iter().find(|known| &*known.key == key).map(|known| known.value)
    }

    fn difference(&mut self, key: &str, of: &str, minus: &str) {
        let (Some(one), Some(other)) = (self.get(of), self.get(minus)) else { return };
        let value = one.value - other.value;
        let half = |value: Value| value.interval.map(|interval| (interval.high - interval.low) / 2.0);
        let half = half(one).zip(half(other)).map(|(one, other)| one.hypot(other));
        let interval = half.map(|half| Interval { low: value - half, high: value + half });
        self.put(&Number { key: key.into(), weight: 1, value: Value { value, interval } });
    }
}

/// The numbers of a model: those of its records, then those of tables, which win.
pub(super) fn values<'a>(
    measured: impl Iterator<Item = &'a Number>,
    numbers: &BTreeMap<String, f64>,
) -> BTreeMap<Quantity, Value> {
    let mut all = Best::default();
    measured.for_each(|number| all.put(number));
    all.difference("clean_gap", "clean_loss", "train_clean_loss");
    all.difference("robust_gap", "robust_loss", "train_robust_loss");
    let mut values: BTreeMap<Quantity, Value> =
        all.0.into_iter().map(|number| (Quantity::named(&number.key), number.value)).collect();
    for (key, value) in numbers.iter().filter(|(_, value)| value.is_finite()) {
        values.insert(Quantity::named(key), Value { value: *value, interval: None });
    }
    values
}

struct Collected<'a>(&'a mut Vec<Number>);

impl Collected<'_> {
    fn put(&mut self, key: &str, weight: usize, value: Value) {
        self.0.push(Number { key: key.into(), weight, value });
    }
}

/// Adds the numbers of a record, which is no benchmark.
pub(super) fn measured(all: &mut Vec<Number>, record: &Record) {
    let mut all = Collected(all);
    let all = &mut all;
    let examples = record.job.data().examples;
    let prefix = if examples.split == Split::Train { "train_" } else { "" };
    let images = examples.len();
    let plain = |value: f64| Value { value, interval: None };
    match (&record.job, &record.outcome) {
        (_, Outcome::Evaluate(evaluation)) => {
            evaluated(all, &format!("{prefix}clean"), &evaluation.clean);
            if let Some(robust) = evaluation.robust.as_ref().filter(|_| attacks::unfit(record).is_none()) {
                evaluated(all, &format!("{prefix}robust"), robust);
            }
        }
        (_, Outcome::Attack(attack)) => {
            let interval = share_interval(attack.robust_error, images);
            let value = Value { value: attack.robust_error, interval };
            all.put(&format!("{prefix}autoattack_error"), images, value);
        }
        (Job::Flatness(job), Outcome::Flatness(flatness)) => {
            let normalized = job.logits == Logits::Normalized;
            if !normalized && attacks::unfit(record).is_some() {
                return;
            }
            let case = if job.case == Case::Average { "average" } else { "worst" };
            let logits = if normalized { "normalized_" } else { "" };
            let loss = if job.loss == FlatnessLoss::Robust { "" } else { "clean_" };
            for at in &flatness.radii {
                let interval = at.interval.map(|[low, high]| Interval { low, high });
                let value = Value { value: at.flatness, interval };
                let size = images * at.draws.len().max(1);
                all.put(&format!("{prefix}{case}_{logits}{loss}flatness@{}", at.radius), size, value);
            }
        }
        (Job::Hessian(job), Outcome::Hessian(hessian)) => {
            let loss = if job.loss == HessianLoss::Robust { "robust_" } else { "" };
            let mut put = |name: &str, value: Value| all.put(&format!("{prefix}{loss}{name}"), images, value);
            hessian.largest.first().into_iter().for_each(|found| put("lambda_max", plain(found.value)));
            hessian.smallest.first().into_iter().for_each(|found| put("lambda_min", plain(found.value)));
            hessian.convexity_ratio.into_iter().for_each(|ratio| put("convexity_ratio", plain(ratio)));
            hessian.trace.into_iter().for_each(|trace| {
                let half = 1.96 * trace.standard_error;
                let interval = Interval { low: trace.value - half, high: trace.value + half };
                put("trace", Value { value: trace.value, interval: Some(interval) });
            });
        }
        (Job::RelativeFlatness(_), _) => {
            for number in record.headline().numbers.iter().filter(|number| !number.of_checkpoint) {
                let interval = number.interval.map(|[low, high]| Interval { low, high });
                let name = number.name.replace(' ', "_");
                all.put(&format!("{prefix}{name}"), images, Value { value: number.value, interval });
            }
        }
        _ => {}
    }
}

fn evaluated(all: &mut Collected, prefix: &str, of: &Evaluated) {
    let images = of.per_example.index.len();
    let losses: Vec<f64> = of.per_example.loss.iter().map(|loss| f64::from(*loss)).collect();
    let loss = Value { value: of.loss, interval: mean_interval(&losses) };
    all.put(&format!("{prefix}_loss"), images, loss);
    let error = Value { value: of.error, interval: share_interval(of.error, images) };
    all.put(&format!("{prefix}_error"), images, error);
}
