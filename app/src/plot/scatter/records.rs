//! Models from records: those of one checkpoint are one model, whatever their order.

use std::collections::BTreeMap;

use basin_core::data::Split;
use basin_core::job::{Case, FlatnessLoss, Job};
use basin_core::measure::statistics::{mean_interval, share_interval};
use basin_core::record::{AttackOutcome, Evaluated, Outcome, Record, attacks, names};

use super::alike::{Mixed, differences};
use super::models::{Choice, Measured, Model, Models, Quantity};
use super::stage::Stage;
use crate::plot::text::literal;

/// The records of one checkpoint.
struct Of<'a> {
    hash: &'a str,
    records: Vec<&'a Record>,
}

/// Models with the numbers of `choice`. `names` and `groups`, which may contain mathematics, are for the models in the order of their first record;
/// where they end, a model is called by its checkpoint and grouped by its architecture.
pub fn from_records(records: &[&Record], choice: &Choice, names: &[String], groups: &[String]) -> Models {
    let models = by_checkpoint(records);
    let called = called(&models, names);
    let radius = choice.radius.or_else(|| usual_radius(&models, choice));
    let (mut used, mut sources) = (Vec::<&Record>::new(), Vec::new());
    let mut mixed = Mixed::default();
    let found: Vec<Model> = models
        .iter()
        .enumerate()
        .map(|(number, of)| {
            let (x, flat) = flatness(of, choice, radius);
            let (y, evaluated) = value(of, choice.y);
            let first = of.records[0];
            let name = called[number].clone();
            if let (Some(flat), Ok(_)) = (flat, &y) {
                mixed.look_at(&name, Some(flat), &evaluated, choice.y);
                used.push(flat);
                used.extend(&evaluated);
                sources.extend(std::iter::once(&flat).chain(&evaluated).map(|record| source(&name, record)));
            }
            let group = groups.get(number).cloned().unwrap_or_else(|| literal(&first.provenance.model));
            Model {
                label: name.clone(),
                name,
                group: (!group.is_empty()).then_some(group),
                training: first
                    .job
                    .checkpoint()
                    .and_then(names::training)
                    .map(|folder| folder.display().to_string()),
                stage: first.job.checkpoint().map_or_else(Stage::default, Stage::of),
                hash: of.hash.to_owned(),
                x,
                y,
            }
        })
        .collect();
    let case = match choice.case {
        Case::Average => "Average",
        Case::Worst => "Worst",
    };
    let of = if choice.loss == FlatnessLoss::Robust { "RLoss" } else { "Loss" };
    let at = radius.map_or_else(String::new, |radius| format!(" ($\\xi={radius}$)"));
    let (y_label, y_name) = match choice.y {
        Quantity::Loss => ("RLoss (PGD)", "robust loss"),
        Quantity::Gap => ("Test − Train RLoss (PGD)", "robust generalization gap"),
        Quantity::Error => ("RErr (%)", "robust error"),
    };
    Models {
        models: found,
        x_label: format!("{case}-Case Flatness in {of}{at}"),
        y_label: y_label.to_owned(),
        y_name: y_name.to_owned(),
        by_method: !groups.is_empty(),
        looks: BTreeMap::new(),
        x_percent: false,
        percent: choice.y == Quantity::Error,
        notes: mixed.notes(choice.y).into_iter().chain(differences(&used)).collect(),
        provenance: sources,
    }
}

/// What the reader must know of points of a study that are not measured alike, each with its records. `flat`: flatness,
/// by `choice`, is on the horizontal axis.
pub(super) fn notes_of(points: &[(String, Vec<&Record>)], choice: &Choice, flat: bool) -> Vec<String> {
    let (mut used, mut mixed) = (Vec::new(), Mixed::default());
    for (name, records) in points {
        let of = Of { hash: "", records: records.clone() };
        let (Ok(_), evaluated) = value(&of, choice.y) else { continue };
        // The number is from a table.
        if evaluated.iter().any(|record| is_flatness(record)) {
            continue;
        }
        let flatness = if flat { flatness(&of, choice, choice.radius).1 } else { None };
        mixed.look_at(name, flatness, &evaluated, choice.y);
        used.extend(flatness.into_iter().chain(evaluated));
    }
    mixed.notes(choice.y).into_iter().chain(differences(&used)).collect()
}

/// Where a number comes from, for data files.
fn source(name: &str, record: &Record) -> String {
    let p = &record.provenance;
    let (kind, data, examples) = (record.job.kind(), &p.data, record.job.data().examples);
    let under = attacks::words(record).map_or_else(String::new, |attack| format!(" under {attack}"));
    let from = format!(
        "{kind}{under} on {data} {examples}, seed {}, search {}, basin {}",
        p.seed, p.search_precision, p.version
    );
    format!("{name}: {}", literal(&from))
}

/// The names that are given, then those of the checkpoints.
fn called(models: &[Of], given: &[String]) -> Vec<String> {
    let firsts: Vec<&Record> = models.iter().map(|of| of.records[0]).collect();
    let own = names::of_records(&firsts);
    own.iter().enumerate().map(|(i, own)| given.get(i).cloned().unwrap_or_else(|| literal(own))).collect()
}

/// Records of the same checkpoint belong together; without a hash its path says which it is. Trainings are of many.
fn by_checkpoint<'a>(records: &[&'a Record]) -> Vec<Of<'a>> {
    let mut models: Vec<Of<'a>> = Vec::new();
    for record in records.iter().filter(|record| record.job.checkpoint().is_some()) {
        let hash = &*record.provenance.checkpoint_hash;
        let same = |of: &Of| match (of.hash, hash) {
            ("", "") => of.records[0].job.checkpoint() == record.job.checkpoint(),
            (one, other) => one == other,
        };
        match models.iter_mut().find(|of| same(of)) {
            Some(of) => of.records.push(record),
            None => models.push(Of { hash, records: vec![record] }),
        }
    }
    models
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}

/// Radii that were measured for a model.
fn radii(of: &Of, choice: &Choice) -> Vec<f64> {
    let fit = of.records.iter().filter(|record| attacks::unfit(record).is_none());
    let matching = fit.filter_map(|record| match (&record.job, &record.outcome) {
        (Job::Flatness(job), Outcome::Flatness(outcome))
            if job.loss == choice.loss && job.case == choice.case =>
        {
            Some(outcome.radii.iter().map(|at| at.radius))
        }
        _ => None,
    });
    matching.flatten().collect()
}

/// The paper's radius if a model has it, else the one that most models have.
fn usual_radius(models: &[Of], choice: &Choice) -> Option<f64> {
    let measured: Vec<Vec<f64>> = models.iter().map(|of| radii(of, choice)).collect();
    let count = |radius: f64| measured.iter().filter(|of| of.iter().any(|r| close(*r, radius))).count();
    let usual = choice.case.usual_radius();
    if count(usual) > 0 {
        return Some(usual);
    }
    let mut all: Vec<f64> = measured.concat();
    all.sort_by(f64::total_cmp);
    all.into_iter().max_by_key(|radius| count(*radius))
}

/// Flatness of a model, from the record with the most draws.
fn flatness<'a>(
    of: &Of<'a>,
    choice: &Choice,
    radius: Option<f64>,
) -> (Result<Measured, String>, Option<&'a Record>) {
    let case = if choice.case == Case::Average { "average-case" } else { "worst-case" };
    let loss = if choice.loss == FlatnessLoss::Robust { "robust" } else { "clean" };
    let missing = match radius {
        Some(radius) => format!("{case} {loss} flatness at radius {radius}"),
        None => format!("{case} {loss} flatness"),
    };
    let found = of.records.iter().filter_map(|record| match (&record.job, &record.outcome) {
        (Job::Flatness(job), Outcome::Flatness(outcome))
            if job.loss == choice.loss && job.case == choice.case =>
        {
            let at = outcome.radii.iter().find(|at| radius.is_none_or(|radius| close(at.radius, radius)))?;
            Some((at.draws.len() * job.data.examples.len(), at, *record))
        }
        _ => None,
    });
    let (unfit, fit): (Vec<_>, Vec<_>) = found.partition(|(.., record)| attacks::unfit(record).is_some());
    match fit.into_iter().max_by_key(|(size, ..)| *size) {
        Some((_, at, record)) => {
            let interval = at.interval.map(|[low, high]| (low, high));
            (Ok(Measured { value: at.flatness, interval }), Some(record))
        }
        None => {
            let why = unfit.first().and_then(|(.., record)| attacks::unfit(record));
            let why = why.map_or_else(String::new, |why| format!(" ({why}, which measures another loss)"));
            (Err(missing + &why), None)
        }
    }
}

/// Robust loss and error on images of one split, and the record that has them.
struct Robust<'a> {
    record: &'a Record,
    loss: Measured,
    error: Measured,
}

impl Robust<'_> {
    /// Whether it is what a flatness record compares with, for want of an evaluation.
    fn is_reference(&self) -> bool {
        is_flatness(self.record)
    }
}

fn is_flatness(record: &Record) -> bool {
    matches!(record.outcome, Outcome::Flatness(_))
}

/// The value on the vertical axis, and the records that it is from.
fn value<'a>(of: &Of<'a>, y: Quantity) -> (Result<Measured, String>, Vec<&'a Record>) {
    if y == Quantity::Error
        && let Some((record, ensemble)) = ensemble(of)
    {
        return (Ok(share(ensemble.robust_error, ensemble.per_example.index.len())), vec![record]);
    }
    let test = match robust(of, Split::Test, y) {
        Ok(test) => test,
        Err(missing) => return (Err(missing), Vec::new()),
    };
    match y {
        Quantity::Loss => (Ok(test.loss), vec![test.record]),
        Quantity::Error => (Ok(test.error), vec![test.record]),
        Quantity::Gap => match robust(of, Split::Train, y) {
            Err(missing) => (Err(missing), Vec::new()),
            Ok(train) => {
                let value = test.loss.value - train.loss.value;
                let half = |m: Measured| m.interval.map_or(0.0, |(low, high)| (high - low) / 2.0);
                // Of a reference no interval is known, so of the difference neither.
                let known = !test.is_reference() && !train.is_reference();
                let half = half(test.loss).hypot(half(train.loss));
                let interval = (known && half > 0.0).then_some((value - half, value + half));
                (Ok(Measured { value, interval }), vec![test.record, train.record])
            }
        },
    }
}

/// Of the evaluations under attack, else of the references of flatness records, that on most images; of equals the one of
/// highest loss: the strongest attack. Else what is missing: evaluations under an attack that does not look for the
/// largest loss in the ball are refused, and no reference stands in for them unasked.
fn robust<'a>(of: &Of<'a>, split: Split, y: Quantity) -> Result<Robust<'a>, String> {
    let on_split = || of.records.iter().copied().filter(|r| r.job.data().examples.split == split);
    let evaluated = on_split().filter_map(|record| match &record.outcome {
        Outcome::Evaluate(e) => {
            let e = e.robust.as_ref()?;
            let count = e.per_example.index.len();
            Some((count, Robust { record, loss: loss(e), error: share(e.error, count) }))
        }
        _ => None,
    });
    let references = on_split().filter_map(|record| match (&record.job, &record.outcome) {
        (Job::Flatness(job), Outcome::Flatness(f)) if job.loss == FlatnessLoss::Robust => {
            let count = job.data.examples.len();
            let loss = Measured { value: f.reference_loss, interval: None };
            Some((count, Robust { record, loss, error: share(f.reference_error, count) }))
        }
        _ => None,
    });
    let best = |all: &mut dyn Iterator<Item = (usize, Robust<'a>)>| {
        let order = |a: &(usize, Robust), b: &(usize, Robust)| {
            a.0.cmp(&b.0).then(a.1.loss.value.total_cmp(&b.1.loss.value))
        };
        all.filter(|(_, robust)| attacks::unfit(robust.record).is_none())
            .max_by(order)
            .map(|(_, robust)| robust)
    };
    if let Some(found) = best(&mut evaluated.clone()) {
        return Ok(found);
    }
    let reference = best(&mut references.clone());
    let why = |(_, robust): (usize, Robust<'a>)| attacks::unfit(robust.record);
    let images = if split == Split::Test { "test" } else { "training" };
    let (why, instead) = match ({ evaluated }.find_map(why), reference) {
        (None, Some(reference)) => return Ok(reference),
        (Some(why), Some(_)) => {
            (why, "without its record the reference of the flatness record would be taken")
        }
        (refused, None) => match refused.or_else(|| { references }.find_map(why)) {
            Some(why) => (why, "evaluate it under an untargeted attack that stays in its ball"),
            None => return Err(format!("evaluation under attack on {images} images")),
        },
    };
    let what = if y == Quantity::Error { "error" } else { "loss" };
    Err(format!("robust {what} on {images} images ({why}, which measures another {what}; {instead})"))
}

/// Mean loss with its interval over examples.
fn loss(e: &Evaluated) -> Measured {
    let losses: Vec<f64> = e.per_example.loss.iter().map(|l| f64::from(*l)).collect();
    Measured { value: e.loss, interval: mean_interval(&losses).map(|i| (i.low, i.high)) }
}

/// A share of `count` examples with its interval.
fn share(p: f64, count: usize) -> Measured {
    Measured { value: p, interval: share_interval(p, count).map(|i| (i.low, i.high)) }
}

/// AutoAttack on the most test images; of equals the one of highest error.
fn ensemble<'a>(of: &Of<'a>) -> Option<(&'a Record, &'a AttackOutcome)> {
    let found = of.records.iter().filter_map(|record| match &record.outcome {
        Outcome::Attack(a) if record.job.data().examples.split == Split::Test => Some((*record, a)),
        _ => None,
    });
    found.max_by(|(_, a), (_, b)| {
        let size = |a: &AttackOutcome| a.per_example.index.len();
        size(a).cmp(&size(b)).then(a.robust_error.total_cmp(&b.robust_error))
    })
}
