//! Probabilities as evaluations: loss and error as the paper's program has them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::arrays::Array;
use crate::attack::names::PaperAttack;
use crate::checkpoint::hash_file;
use crate::data::{self, DataSelection, Dataset, Examples, Split};
use crate::device::Compute;
use crate::error::{Error, Result};
use crate::job::{Attack, Evaluate, Job};
use crate::measure::evaluate::{clean_metrics, robust_metrics};
use crate::measure::statistics::mean;
use crate::record::{
    AttackFlags, AttackOutcome, AttackedExamples, Attempt, Evaluated, Evaluation, ExampleSource, FORMAT,
    KeptExamples, Outcome, PerExample, Probabilities, Provenance, Record,
};

/// Added to probabilities before the logarithm.
const TINY: f64 = 1e-12;

/// Images of a selection, their labels and their fingerprint.
type Selected = (Dataset, Vec<i64>, String);

/// Images and labels of the data set, read once for each selection.
pub struct Images {
    name: String,
    known: BTreeMap<(bool, usize, usize), Selected>,
}

impl Images {
    /// Those of a data set.
    pub fn of(name: &str) -> Self {
        Self { name: name.to_owned(), known: BTreeMap::new() }
    }

    /// The first images of a split: labels and fingerprint are with them.
    ///
    /// # Errors
    /// The data set has not so many images, or is not there.
    pub fn first(&mut self, split: Split, count: usize) -> Result<&Selected> {
        self.range(split, 0, count)
    }

    /// The images of a split from `start` up to but without `end`.
    ///
    /// # Errors
    /// As [`Self::first`].
    pub fn range(&mut self, split: Split, start: usize, end: usize) -> Result<&Selected> {
        let key = (split == Split::Train, start, end);
        if !self.known.contains_key(&key) {
            let examples = Examples { split, start, end: end as isize };
            let dataset = data::load(&self.name, &examples).map_err(|error| {
                Error::invalid(format!(
                    "labels of {} images are needed: {error}; name the data set with --data",
                    end - start
                ))
            })?;
            let labels = Vec::try_from(&dataset.labels)?;
            let fingerprint = dataset.fingerprint();
            self.known.insert(key, (dataset, labels, fingerprint));
        }
        Ok(&self.known[&key])
    }

    /// The selection as jobs name it.
    pub fn selection(&self, split: Split, count: usize) -> DataSelection {
        DataSelection { name: self.name.clone(), examples: Examples { split, start: 0, end: count as isize } }
    }
}

/// Loss, prediction and confidence of every image; `probabilities` are `N x K`, row by row.
pub fn rows(probabilities: &[f64], labels: &[i64]) -> PerExample {
    let classes = probabilities.len().checked_div(labels.len()).unwrap_or_default().max(1);
    let mut rows =
        PerExample { index: (0..labels.len()).collect(), label: labels.to_vec(), ..PerExample::default() };
    for (row, label) in probabilities.chunks_exact(classes).zip(labels) {
        let largest = (1..classes).fold(0, |best, class| if row[class] > row[best] { class } else { best });
        let truth = usize::try_from(*label).ok().and_then(|label| row.get(label)).copied().unwrap_or(0.0);
        rows.loss.push(-(truth + TINY).ln() as f32);
        rows.predicted.push(largest as i64);
        rows.confidence.push(row[largest] as f32);
    }
    rows
}

/// The first rows.
pub fn first(rows: &PerExample, count: usize) -> PerExample {
    PerExample {
        index: rows.index[..count].to_vec(),
        label: rows.label[..count].to_vec(),
        loss: rows.loss[..count].to_vec(),
        predicted: rows.predicted[..count].to_vec(),
        confidence: rows.confidence[..count].to_vec(),
        ..PerExample::default()
    }
}

pub fn loss(rows: &PerExample) -> f64 {
    mean(&rows.loss.iter().map(|loss| f64::from(*loss)).collect::<Vec<_>>())
}

/// Share of rows that are wrong in any of two.
pub fn error(one: &PerExample, other: &PerExample) -> f64 {
    let wrong = (0..one.label.len()).filter(|i| one.is_wrong(*i) || other.is_wrong(*i)).count();
    wrong as f64 / one.label.len().max(1) as f64
}

pub fn clean_evaluated(rows: PerExample) -> Result<Evaluated> {
    let metrics = Some(clean_metrics(&rows)?.into());
    Ok(Evaluated { loss: loss(&rows), error: error(&rows, &rows), metrics, per_example: rows })
}

/// Where imported numbers come from.
pub fn provenance(file: &Path, checkpoint: &Path, dataset: &(Dataset, Vec<i64>, String)) -> Provenance {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    Provenance {
        version: "imported".into(),
        search_precision: "f32".into(),
        measure_precision: "f32".into(),
        data: dataset.0.name.clone(),
        data_fingerprint: dataset.2.clone(),
        checkpoint_hash: hash_file(checkpoint).unwrap_or_default(),
        complete: true,
        warnings: vec![format!("imported from {name} of another program; nothing was computed here")],
        ..Provenance::default()
    }
}

pub fn record(job: Job, outcome: Outcome, provenance: Provenance) -> Record {
    Record { format: FORMAT, job, provenance, outcome, examples: None }
}

/// Probabilities on images as they are: the record, the rows, and what is kept beside the record.
///
/// # Errors
/// The file is damaged, or there are no labels for it.
pub fn clean(
    file: &Path,
    checkpoint: &Path,
    split: Split,
    images: &mut Images,
) -> Result<(Record, Probabilities)> {
    let array = Array::read(file, "probabilities")?;
    let &[count, classes] = array.shape.as_slice() else {
        return Err(Error::file(
            file,
            format!("has probabilities of shape {:?}; expected are images x classes", array.shape),
        ));
    };
    let data = images.selection(split, count);
    let found = images.first(split, count)?;
    let kept = Probabilities {
        classes,
        clean: array.floats(),
        attempts: Vec::new(),
        indices: (0..count as i64).collect(),
        labels: found.1.clone(),
    };
    let clean = clean_evaluated(rows(&array.values, &found.1))?;
    let job = Job::Evaluate(Evaluate { checkpoint: checkpoint.to_owned(), data, ..Evaluate::default() });
    let outcome = Outcome::Evaluate(Evaluation { clean, ..Evaluation::default() });
    Ok((record(job, outcome, provenance(file, checkpoint, found)), kept))
}

/// Rows of the attempt of lowest error per image, and of every attempt; the numbers of the chosen attempts.
pub struct Attacked {
    pub worst: PerExample,
    pub attempts: Vec<PerExample>,
    chosen: Vec<usize>,
}

/// Reads an attack on inputs: `A x N x K` probabilities, `A x N` errors.
///
/// # Errors
/// The file is damaged or of another shape.
pub fn attacked(file: &Path, labels: &[i64]) -> Result<Attacked> {
    let (probabilities, errors) = (Array::read(file, "probabilities")?, Array::read(file, "errors")?);
    let wrong = || {
        let (one, other) = (&probabilities.shape, &errors.shape);
        Error::file(
            file,
            format!(
                "has probabilities of shape {one:?} and errors of shape {other:?}; expected are attempts x images x classes"
            ),
        )
    };
    let (&[count, images, classes], &[a, n]) = (probabilities.shape.as_slice(), errors.shape.as_slice())
    else {
        return Err(wrong());
    };
    if (a, n) != (count, images) || images != labels.len() || count == 0 {
        return Err(wrong());
    }
    let of = |attempt: usize| {
        let size = images * classes;
        rows(&probabilities.values[attempt * size..(attempt + 1) * size], labels)
    };
    let attempts: Vec<PerExample> = (0..count).map(of).collect();
    let error = |attempt: usize, image: usize| errors.values[attempt * images + image];
    let lowest = |image: usize| {
        (1..count).fold(0, |best, a| if error(a, image) < error(best, image) { a } else { best })
    };
    let chosen: Vec<usize> = (0..images).map(lowest).collect();
    let mut worst = attempts[0].clone();
    for (image, attempt) in chosen.iter().enumerate() {
        worst.loss[image] = attempts[*attempt].loss[image];
        worst.predicted[image] = attempts[*attempt].predicted[image];
        worst.confidence[image] = attempts[*attempt].confidence[image];
    }
    Ok(Attacked { worst, attempts, chosen })
}

/// An attack on inputs as a record, with the adversarial examples.
///
/// # Errors
/// As [`attacked`].
pub fn attack(
    name: &str,
    file: &Path,
    checkpoint: &Path,
    clean: &PerExample,
    images: &mut Images,
) -> Result<(Record, Option<KeptExamples>)> {
    let count = Array::shape(file, "errors")?.get(1).copied().unwrap_or_default();
    if count == 0 || count > clean.label.len() {
        let there = clean.label.len();
        return Err(Error::file(
            file,
            format!("has {count} attacked images beside {there} clean ones; nothing to compare"),
        ));
    }
    let data = images.selection(Split::Test, count);
    let found = images.first(Split::Test, count)?;
    let clean = first(clean, count);
    let attacked = attacked(file, &found.1)?;
    let kept = kept(file, found, &attacked)?;
    let provenance = provenance(file, checkpoint, found);
    let known = name
        .parse::<PaperAttack>()
        .ok()
        .map(|attack| attack.job(checkpoint.to_owned(), &data.name, Compute::default()));
    let (job, outcome) = match known {
        Some(Job::Attack(job)) => {
            let outcome = Outcome::Attack(ensemble(&clean, &attacked.worst));
            (Job::Attack(Attack { data, keep_examples: kept.is_some(), ..job }), outcome)
        }
        Some(Job::Evaluate(job)) => {
            let outcome = evaluation(&clean, &attacked, None)?;
            (
                Job::Evaluate(Evaluate { data, keep_examples: kept.is_some(), ..job }),
                Outcome::Evaluate(outcome),
            )
        }
        // The name does not tell the attack: its adversarial examples are known, not how they were found.
        _ => {
            let source = ExampleSource {
                hash: hash_file(file)?,
                attempts: attacked.attempts.len(),
                checkpoint: Some(checkpoint.to_owned()),
                checkpoint_hash: Some(provenance.checkpoint_hash.clone()).filter(|hash| !hash.is_empty()),
                attack: Some(name.to_owned()),
            };
            let job = Evaluate {
                checkpoint: checkpoint.to_owned(),
                data,
                adversarial: Some(file.to_owned()),
                keep_examples: kept.is_some(),
                ..Evaluate::default()
            };
            (Job::Evaluate(job), Outcome::Evaluate(evaluation(&clean, &attacked, Some(source))?))
        }
    };
    Ok((record(job, outcome, provenance), kept))
}

fn evaluation(clean: &PerExample, attacked: &Attacked, source: Option<ExampleSource>) -> Result<Evaluation> {
    let robust = Evaluated {
        loss: loss(&attacked.worst),
        error: error(clean, &attacked.worst),
        metrics: Some(robust_metrics(clean, &attacked.worst)?.into()),
        per_example: attacked.worst.clone(),
    };
    let attempt = |(restart, rows): (usize, &PerExample)| Attempt {
        attack: 0,
        restart,
        loss: loss(rows),
        error: error(clean, rows),
        steps: None,
    };
    Ok(Evaluation {
        clean: clean_evaluated(clean.clone())?,
        robust: Some(robust),
        attempts: attacked.attempts.iter().enumerate().map(attempt).collect(),
        source,
        ..Evaluation::default()
    })
}

/// AutoAttack's verdicts.
fn ensemble(clean: &PerExample, worst: &PerExample) -> AttackOutcome {
    let count = clean.label.len();
    let broken_by = |i: usize| match (clean.is_wrong(i), worst.is_wrong(i)) {
        (true, _) => Some("clean".to_owned()),
        (false, true) => Some("ensemble".to_owned()),
        (false, false) => None,
    };
    let broken: Vec<Option<String>> = (0..count).map(broken_by).collect();
    AttackOutcome {
        robust_error: error(clean, worst),
        robust_error_at_most: None,
        clean_error: error(clean, clean),
        robust_loss: loss(worst),
        clean_loss: loss(clean),
        per_attack: Vec::new(),
        per_example: AttackedExamples {
            index: clean.index.clone(),
            label: clean.label.clone(),
            clean_predicted: clean.predicted.clone(),
            clean_confidence: clean.confidence.clone(),
            robust: broken.iter().map(Option::is_none).collect(),
            broken_by: broken,
            loss: worst.loss.clone(),
            predicted: worst.predicted.clone(),
            confidence: worst.confidence.clone(),
            ..AttackedExamples::default()
        },
        flags: AttackFlags::default(),
    }
}

/// The adversarial examples, `A x N x C x H x W`; none if the file has none of the images' shape.
fn kept(
    file: &Path,
    found: &(Dataset, Vec<i64>, String),
    attacked: &Attacked,
) -> Result<Option<KeptExamples>> {
    let Ok(array) = Array::read(file, "perturbations") else { return Ok(None) };
    let size: Vec<usize> = found.0.image_shape().iter().map(|size| *size as usize).collect();
    let expected = [&[attacked.attempts.len(), found.0.len()], size.as_slice()].concat();
    if array.shape != expected {
        return Ok(None);
    }
    let attempts = array.floats();
    let image = size.iter().product::<usize>();
    let all = found.0.len() * image;
    let of_image = |(i, attempt): (usize, &usize)| {
        let start = attempt * all + i * image;
        attempts[start..start + image].to_vec()
    };
    let worst: Vec<f32> = attacked.chosen.iter().enumerate().flat_map(of_image).collect();
    let several = if attacked.attempts.len() > 1 { attempts.clone() } else { Vec::new() };
    KeptExamples::of(&found.0, worst, several).map(Some)
}

/// The file of a network's clean probabilities.
pub fn clean_file(folder: &Path, train: bool, suffix: &str) -> PathBuf {
    let name = if train { "train_probabilities.h5" } else { "probabilities.h5" };
    folder.join(format!("{name}{suffix}"))
}
