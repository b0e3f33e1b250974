//! Comparing two records of the same measure: differences, paired by draw and example where both have them.
//!
//! Two networks are measured on the same images and, with the same seed, under the same draws. What draws and examples do
//! to both then cancels in the difference, whose interval is much shorter than those of the two numbers.

use std::collections::HashMap;
use std::path::Path;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::job::{Case, Flatness, Job};
use crate::measure::flatness::Losses;
use crate::measure::flatness::multilevel::{Contributions, Estimate, estimate};
use crate::measure::statistics::{Part, interval_of_parts, mean};
use crate::record::{AtRadius, AttackOutcome, Evaluation, FlatnessOutcome, KeptLosses, Outcome, Record};

/// What the second record has more than the first, number by number.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// e.g. `average-case robust flatness`.
    pub measure: String,
    /// Of every number that both records have.
    pub differences: Vec<Difference>,
    /// What the reader should know.
    pub notes: Vec<String>,
}

/// The difference of one number.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// e.g. `flatness at radius 0.5`.
    pub name: String,
    /// Of the first record, on what is compared.
    pub first: f64,
    /// Of the second record.
    pub second: f64,
    /// The second minus the first.
    pub difference: f64,
    /// 95 % interval of the difference; absent where it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<[f64; 2]>,
    /// Draws that are paired by their seeds; absent for numbers without draws.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paired_draws: Option<usize>,
    /// Examples that are paired; 0: the records have other examples, and each has its own.
    pub paired_examples: usize,
}

impl Difference {
    /// Whether the interval says that the two differ; none without an interval.
    pub fn excludes_zero(&self) -> Option<bool> {
        self.interval.map(|[low, high]| low > 0.0 || high < 0.0)
    }
}

/// Compares the records in two files.
///
/// # Errors
/// A file cannot be read; the records are of different measures, or of one that cannot be compared.
pub fn compare_files(first: &Path, second: &Path) -> Result<Comparison> {
    let (one, other) = (Record::load(first)?, Record::load(second)?);
    let losses = |record: &Record, path: &Path| {
        match record.outcome {
        Outcome::Flatness(_) => record.load_losses(path)?.map(Some).ok_or_else(|| {
            Error::file(
                path,
                "has no losses per draw and example, as records of earlier versions; run its job again with --force",
            )
        }),
        _ => Ok(None),
    }
    };
    let kept = (losses(&one, first)?, losses(&other, second)?);
    compare((&one, kept.0.as_ref()), (&other, kept.1.as_ref()))
}

/// Compares two records, of flatness with their losses per draw and example.
///
/// # Errors
/// The records are of different measures, or of one that cannot be compared.
pub fn compare(
    (first, kept): (&Record, Option<&KeptLosses>),
    (second, others): (&Record, Option<&KeptLosses>),
) -> Result<Comparison> {
    let mut notes = Vec::new();
    for (which, record) in [("first", first), ("second", second)] {
        if !record.provenance.complete {
            notes.push(format!("the {which} record is partial"));
        }
    }
    let columns = |a: &[usize], b: &[usize]| Columns::new((first, a), (second, b));
    match ((&first.job, &first.outcome), (&second.job, &second.outcome)) {
        (
            (Job::Flatness(job), Outcome::Flatness(outcome)),
            (Job::Flatness(other), Outcome::Flatness(of_other)),
        ) => {
            let (Some(kept), Some(others)) = (kept, others) else {
                return Err(Error::invalid(
                    "flatness is compared by its losses per draw and example; give records that keep them",
                ));
            };
            if job.label() != other.label() {
                return Err(Error::invalid(format!(
                    "{} and {} are different measures; compare records of the same",
                    job.label(),
                    other.label()
                )));
            }
            notes.extend(unlike(job, other));
            let columns = columns(&kept.index, &others.index);
            let mut differences = Vec::new();
            for (number, at) in outcome.radii.iter().enumerate() {
                if let Some(index) = of_other.radii.iter().position(|it| it.radius == at.radius) {
                    let a = OfRadius::new(outcome, number, kept)?;
                    let b = OfRadius::new(of_other, index, others)?;
                    let name = format!("flatness at radius {}", at.radius);
                    differences.push(match job.case {
                        Case::Average => a.mean_against(&b, &columns, name),
                        Case::Worst => a.worst_against(&b, &columns, name),
                    });
                }
            }
            if differences.is_empty() {
                return Err(Error::invalid(
                    "the two records have no radius in common; measure both at the same",
                ));
            }
            if job.case == Case::Worst {
                notes.push(
                    "worst case: each is a lower bound; the interval is over examples alone, for the perturbations that were found"
                        .into(),
                );
            }
            Ok(Comparison { measure: job.label().into(), differences, notes })
        }
        ((_, Outcome::Evaluate(a)), (_, Outcome::Evaluate(b))) => {
            let columns = columns(&a.clean.per_example.index, &b.clean.per_example.index);
            let differences = evaluations(a, b, &columns);
            Ok(Comparison { measure: "evaluation".into(), differences, notes })
        }
        ((_, Outcome::Attack(a)), (_, Outcome::Attack(b))) => {
            let columns = columns(&a.per_example.index, &b.per_example.index);
            Ok(Comparison { measure: "AutoAttack".into(), differences: attacks(a, b, &columns), notes })
        }
        _ => Err(Error::invalid(format!(
            "a record of `basin {}` and one of `basin {}` cannot be compared; give two of flatness, evaluate or attack",
            first.job.kind(),
            second.job.kind()
        ))),
    }
}

/// Settings that make two measures of flatness unlike.
fn unlike(a: &Flatness, b: &Flatness) -> Option<String> {
    let settings = |job: &Flatness| {
        let robust = job.attack.clone();
        (job.scope, job.weight_norm, job.absolute, job.sampling, job.worst_of, job.tensors.clone(), robust)
    };
    let same = settings(a) == settings(b) && a.descent == b.descent && a.weight_box == b.weight_box;
    (!same).then(|| "the two were measured with different settings, which count in the difference".into())
}

/// Which examples of two records belong together.
struct Columns {
    /// Places in the first and in the second record; none: their examples are others.
    pairs: Option<[Vec<usize>; 2]>,
}

impl Columns {
    fn new((first, a): (&Record, &[usize]), (second, b): (&Record, &[usize])) -> Self {
        let of = |record: &Record| (record.provenance.data.clone(), record.job.data().examples.split);
        if of(first) != of(second) {
            return Self { pairs: None };
        }
        let places: HashMap<usize, usize> =
            b.iter().enumerate().map(|(place, index)| (*index, place)).collect();
        let common = a.iter().enumerate().filter_map(|(place, index)| Some((place, *places.get(index)?)));
        let (one, other): (Vec<usize>, Vec<usize>) = common.unzip();
        Self { pairs: (!one.is_empty()).then_some([one, other]) }
    }

    /// The values of one record on the common examples; all of them where there are none.
    fn of<T: Copy>(&self, record: usize, values: &[T]) -> Vec<T> {
        match &self.pairs {
            Some(pairs) => pairs[record].iter().map(|place| values[*place]).collect(),
            None => values.to_vec(),
        }
    }

    fn paired(&self) -> usize {
        self.pairs.as_ref().map_or(0, |pairs| pairs[0].len())
    }

    /// Parts of the variance of the mean difference over examples.
    fn parts(&self, a: &[f64], b: &[f64]) -> Option<Vec<Part>> {
        match self.pairs {
            Some(_) => {
                let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| b - a).collect();
                Some(vec![Part::of_mean(&differences)?])
            }
            None => Some(vec![Part::of_mean(a)?.negative(), Part::of_mean(b)?]),
        }
    }

    /// The difference of two means over examples.
    fn difference(&self, name: &str, a: &[f64], b: &[f64]) -> Difference {
        let (a, b) = (self.of(0, a), self.of(1, b));
        let (first, second) = (mean(&a), mean(&b));
        let interval = self.parts(&a, &b).and_then(|parts| ends(second - first, &parts));
        Difference {
            name: name.to_owned(),
            first,
            second,
            difference: second - first,
            interval,
            paired_draws: None,
            paired_examples: self.paired(),
        }
    }
}

fn ends(estimate: f64, parts: &[Part]) -> Option<[f64; 2]> {
    interval_of_parts(estimate, parts).map(|interval| [interval.low, interval.high])
}

/// The losses of one radius of a record.
struct OfRadius<'a> {
    at: &'a AtRadius,
    reference: &'a Losses,
    clean: &'a Losses,
    full: &'a [Losses],
    /// Under a short attack of so many steps, and on clean images.
    cheap: Option<(usize, &'a [Losses], &'a [Losses])>,
}

impl<'a> OfRadius<'a> {
    fn new(outcome: &'a FlatnessOutcome, number: usize, kept: &'a KeptLosses) -> Result<Self> {
        let at = &outcome.radii[number];
        let table = |name: &str| kept.tables.get(name).map(Vec::as_slice);
        let found = || {
            let cheap = |levels: &crate::record::LevelsOutcome| {
                let short = table(&format!("radii.{number}.short"))?;
                Some((levels.steps, short, table(&format!("radii.{number}.clean"))?))
            };
            Some(Self {
                at,
                reference: table("reference")?.first()?,
                clean: table("clean")?.first()?,
                full: table(&format!("radii.{number}")).filter(|rows| rows.len() == at.draws.len())?,
                cheap: at.levels.as_ref().and_then(|levels| cheap(levels)),
            })
        };
        found().ok_or_else(|| {
            Error::invalid(
                "the losses beside a record are not those of the record; run its job again with --force",
            )
        })
    }

    /// How many draws have the same seeds in both, from the first on.
    fn common(&self, other: &Self) -> usize {
        let seeds = |of: &Self| of.at.draws.iter().map(|draw| draw.seed).collect::<Vec<u64>>();
        seeds(self).iter().zip(seeds(other)).take_while(|(a, b)| **a == *b).count()
    }

    /// The estimate from the first draws of every level, on the examples of `columns`.
    fn estimate(
        &self,
        columns: &Columns,
        record: usize,
        [full, short, clean]: [usize; 3],
        levels: bool,
    ) -> Option<Estimate> {
        let table = |rows: &[Losses], base: &Losses, count: usize| -> Vec<Vec<f64>> {
            rows.iter().take(count).map(|row| columns.of(record, &row.above(base))).collect()
        };
        let top = table(self.full, self.reference, full);
        match &self.cheap {
            Some((_, s, c)) if levels => {
                estimate(&top, &table(s, self.reference, short), &table(c, self.clean, clean))
            }
            _ => estimate(&top, &top, &top),
        }
    }

    /// Numbers of draws on all levels.
    fn numbers(&self) -> [usize; 3] {
        let full = self.full.len();
        self.cheap.map_or([full; 3], |(_, short, clean)| [full, short.len(), clean.len()])
    }

    /// The difference of two means over draws.
    fn mean_against(&self, other: &Self, columns: &Columns, name: String) -> Difference {
        let steps = |of: &Self| of.cheap.map(|(steps, ..)| steps);
        let levels = steps(self).is_some() && steps(self) == steps(other);
        let paired = self.common(other);
        let (mut one, mut two) = (self.numbers(), other.numbers());
        if paired > 0 {
            let fewer: [usize; 3] = std::array::from_fn(|level| one[level].min(two[level]));
            // All draws of the larger levels follow the same seeds, too.
            one = [paired, fewer[1].max(paired), fewer[2].max(paired)];
            two = one;
        }
        let found = self.estimate(columns, 0, one, levels).zip(other.estimate(columns, 1, two, levels));
        let Some((a, b)) = found else {
            return columns.difference(&name, &[], &[]);
        };
        let draws = if paired > 0 {
            minus(&b.contributions, &a.contributions).parts()
        } else {
            let negative = |parts: Vec<Part>| parts.into_iter().map(Part::negative).collect::<Vec<Part>>();
            a.contributions.parts().map(negative).zip(b.contributions.parts()).map(|(a, b)| [a, b].concat())
        };
        let parts = draws
            .zip(columns.parts(&a.columns, &b.columns))
            .map(|(draws, examples)| [draws, examples].concat());
        Difference {
            name,
            first: a.value,
            second: b.value,
            difference: b.value - a.value,
            interval: parts.and_then(|parts| ends(b.value - a.value, &parts)),
            paired_draws: Some(paired),
            paired_examples: columns.paired(),
        }
    }

    /// The difference of two largest draws.
    fn worst_against(&self, other: &Self, columns: &Columns, name: String) -> Difference {
        let worst = |of: &Self| {
            let rows = of.full.iter().map(|row| row.above(of.reference));
            rows.max_by(|a, b| mean(a).total_cmp(&mean(b))).unwrap_or_default()
        };
        columns.difference(&name, &worst(self), &worst(other))
    }
}

/// Contributions of the same draws to a difference.
fn minus(a: &Contributions, b: &Contributions) -> Contributions {
    let values = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<f64>>();
    Contributions {
        full: values(&a.full, &b.full),
        short: (values(&a.short.0, &b.short.0), a.short.1),
        clean: (values(&a.clean.0, &b.clean.0), a.clean.1),
    }
}

fn shares(wrong: impl Iterator<Item = bool>) -> Vec<f64> {
    wrong.map(|wrong| f64::from(u8::from(wrong))).collect()
}

fn double(losses: &[f32]) -> Vec<f64> {
    losses.iter().map(|loss| f64::from(*loss)).collect()
}

fn evaluations(a: &Evaluation, b: &Evaluation, columns: &Columns) -> Vec<Difference> {
    let wrong = |e: &Evaluation| {
        let rows = &e.clean.per_example;
        rows.predicted.iter().zip(&rows.label).map(|(p, l)| p != l).collect::<Vec<bool>>()
    };
    let robust = |e: &Evaluation| {
        let rows = &e.robust.as_ref()?.per_example;
        let attacked = rows.predicted.iter().zip(&rows.label).map(|(p, l)| p != l);
        Some((double(&rows.loss), shares(attacked.zip(wrong(e)).map(|(attacked, clean)| attacked || clean))))
    };
    let clean = |e: &Evaluation| (double(&e.clean.per_example.loss), shares(wrong(e).into_iter()));
    let mut pairs = vec![("clean", clean(a), clean(b))];
    pairs.extend(robust(a).zip(robust(b)).map(|(a, b)| ("robust", a, b)));
    let difference =
        |what: &str, of: &str, a: &[f64], b: &[f64]| columns.difference(&format!("{what} {of}"), a, b);
    pairs
        .iter()
        .flat_map(|(what, a, b)| {
            [difference(what, "loss", &a.0, &b.0), difference(what, "error", &a.1, &b.1)]
        })
        .collect()
}

fn attacks(a: &AttackOutcome, b: &AttackOutcome, columns: &Columns) -> Vec<Difference> {
    let broken = |of: &AttackOutcome| shares(of.per_example.robust.iter().map(|robust| !robust));
    let loss = |of: &AttackOutcome| double(&of.per_example.loss);
    vec![
        columns.difference("robust error", &broken(a), &broken(b)),
        columns.difference("robust loss", &loss(a), &loss(b)),
    ]
}
