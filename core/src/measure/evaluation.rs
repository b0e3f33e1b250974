//! Loss, prediction and confidence per example, on images as they are and under attack.

use tch::{Kind, Tensor};

use crate::attack::ball::Ball;
use crate::attack::pgd::{self, Trace};
use crate::attack::{Pgd, Selection};
use crate::error::{Error, Result};
use crate::loss::{confidences, cross_entropy, log_probabilities, predictions, reported, wrong_confidences};
use crate::measure::rows::PerExample;
use crate::model::{Evaluator, channels_last};
use crate::progress::CancelCheck;
use crate::seed::generator;

/// A batch of examples on the device of the networks.
#[derive(Debug)]
pub struct Batch {
    /// `N x C x H x W` float32 in `[0, 1]`, channels-last in memory.
    pub images: Tensor,
    /// int64 `N`.
    pub labels: Tensor,
    /// Indices in the split, which seed the starts of attacks.
    pub indices: Vec<usize>,
}

impl Batch {
    /// Number of examples.
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// Whether it has no example.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// Examples `from..to` of this batch.
    pub fn slice(&self, from: usize, to: usize) -> Self {
        let part = |t: &Tensor| t.narrow(0, from as i64, (to - from) as i64);
        Self {
            images: channels_last(&part(&self.images)),
            labels: part(&self.labels),
            indices: self.indices[from..to].to_vec(),
        }
    }

    /// Its examples in batches of `size`.
    pub fn pieces(&self, size: usize) -> Vec<Self> {
        let ends = (0..self.len()).step_by(size.max(1));
        ends.map(|from| self.slice(from, (from + size).min(self.len()))).collect()
    }

    /// The examples at these positions, in their order.
    pub fn select(&self, positions: &[usize]) -> Self {
        let index: Vec<i64> = positions.iter().map(|at| *at as i64).collect();
        let index = Tensor::from_slice(&index).to_device(self.labels.device());
        Self {
            images: channels_last(&self.images.index_select(0, &index)),
            labels: self.labels.index_select(0, &index),
            indices: positions.iter().map(|at| self.indices[*at]).collect(),
        }
    }
}

/// The same weights twice: to search with (perhaps in low precision) and to measure with.
#[derive(Debug)]
pub struct SearchAndMeasure {
    /// Attacks ask this one; none: the measuring one is used for both.
    pub search: Option<Evaluator>,
    /// Every reported loss comes from this one.
    pub measure: Evaluator,
}

impl SearchAndMeasure {
    /// The network that attacks ask.
    pub fn searcher(&self) -> &Evaluator {
        self.search.as_ref().unwrap_or(&self.measure)
    }
}

/// Loss ([`reported`]), prediction and confidence of one batch, in the batch's order.
///
/// # Errors
/// A loss is NaN or infinite.
pub fn measure(model: &Evaluator, batch: &Batch, delta: Option<&Tensor>) -> Result<PerExample> {
    rows(&logits(model, batch, delta), batch)
}

/// As [`measure`], and the probabilities of all classes, row by row.
///
/// # Errors
/// A loss is NaN or infinite.
pub fn measure_all_classes(model: &Evaluator, batch: &Batch) -> Result<(PerExample, Vec<f32>)> {
    let logits = logits(model, batch, None);
    Ok((rows(&logits, batch)?, probabilities(&logits)?))
}

/// Probabilities of all classes, float32, row by row.
///
/// # Errors
/// libtorch refuses to hand them over.
pub fn probabilities(logits: &Tensor) -> Result<Vec<f32>> {
    to_vec(&log_probabilities(logits).exp().to_kind(Kind::Float).contiguous().view([-1]))
}

fn logits(model: &Evaluator, batch: &Batch, delta: Option<&Tensor>) -> Tensor {
    let _guard = tch::no_grad_guard();
    match delta {
        Some(delta) => model.logits(&(&batch.images + delta)),
        None => model.logits(&batch.images),
    }
}

fn rows(logits: &Tensor, batch: &Batch) -> Result<PerExample> {
    let loss: Vec<f32> = to_vec(&cross_entropy(logits, &batch.labels).to_kind(Kind::Float))?;
    if let Some(position) = loss.iter().position(|l| !l.is_finite()) {
        return Err(Error::NotFinite(format!(
            "the loss of example {} is {}: the network overflows there",
            batch.indices[position], loss[position]
        )));
    }
    Ok(PerExample {
        index: batch.indices.clone(),
        label: to_vec(&batch.labels)?,
        loss: loss.iter().map(|loss| reported((-f64::from(*loss)).exp()) as f32).collect(),
        predicted: to_vec(&predictions(logits))?,
        confidence: to_vec(&confidences(logits).to_kind(Kind::Float))?,
        ..PerExample::default()
    })
}

/// A batch under attack.
#[derive(Debug)]
pub struct Attacked {
    /// Per example at its worst restart; broken by any.
    pub per_example: PerExample,
    /// The perturbations of those restarts.
    pub perturbation: Tensor,
    /// Logits of the measuring network there.
    pub logits: Tensor,
    /// What decides between restarts: the loss, or the confidence in a wrong class.
    pub badness: Vec<f32>,
}

/// Of several attempts (restarts, attacks): per example which is the worst, the first of equals, and whether any of
/// them breaks it.
///
/// An attempt is what decides between attempts, and whether the example is wrong there, per example.
pub fn worst_of(attempts: &[(&[f32], &[bool])]) -> Vec<(usize, bool)> {
    let examples = attempts.first().map_or(0, |(badness, _)| badness.len());
    (0..examples)
        .map(|example| {
            let badness = |attempt: usize| attempts[attempt].0[example];
            let worst = (1..attempts.len())
                .fold(0, |worst, attempt| if badness(attempt) > badness(worst) { attempt } else { worst });
            (worst, attempts.iter().any(|(_, wrong)| wrong[example]))
        })
        .collect()
}

/// Attacks a batch with every restart and keeps, per example, the worst one in the sense of the settings. An example
/// that any restart misclassifies is broken.
///
/// The start of an example depends only on `seed`, its index and the restart, so neither on the batch it
/// is in nor on the weights: neighbouring points of a landscape share their starts.
///
/// # Errors
/// A loss or gradient is NaN; or `cancel_check` wants to stop.
pub fn attack(
    pair: &SearchAndMeasure,
    settings: &Pgd,
    batch: &Batch,
    seed: u64,
    cancel_check: CancelCheck,
) -> Result<Attacked> {
    attack_and_early(pair, settings, batch, seed, None, cancel_check).map(|(attacked, _)| attacked)
}

/// The same, and what the attack would be if it ended after `early` steps.
///
/// # Errors
/// As [`attack`].
pub fn attack_and_early(
    pair: &SearchAndMeasure,
    settings: &Pgd,
    batch: &Batch,
    seed: u64,
    early: Option<usize>,
    cancel_check: CancelCheck,
) -> Result<(Attacked, Option<Attacked>)> {
    let (mut worst, mut worst_early) = (None, None);
    for restart in 0..settings.restarts as u64 {
        let (found, at_early) = search(pair, settings, batch, (seed, restart), early, None, cancel_check)?;
        worst = Some(found.or_worse(worst));
        if let Some(found) = at_early {
            worst_early = Some(found.or_worse(worst_early));
        }
    }
    let worst = worst.ok_or_else(|| Error::invalid("0 restarts are not possible; use 1 or more"))?;
    Ok((worst, worst_early))
}

/// Attacks a batch with one of the restarts of [`attack`].
///
/// # Errors
/// As [`attack`].
pub fn attack_once(
    pair: &SearchAndMeasure,
    settings: &Pgd,
    batch: &Batch,
    seed: u64,
    restart: u64,
    cancel_check: CancelCheck,
) -> Result<Attacked> {
    attempt(pair, settings, batch, seed, restart, None, cancel_check)
}

/// Attacks a batch once, from known perturbations.
///
/// # Errors
/// As [`attack`].
pub fn attack_from(
    pair: &SearchAndMeasure,
    settings: &Pgd,
    batch: &Batch,
    start: &Tensor,
    cancel_check: CancelCheck,
) -> Result<Attacked> {
    let found = pgd::run_with_early(
        settings,
        pair.searcher(),
        &batch.images,
        &batch.labels,
        start,
        None,
        None,
        cancel_check,
    )?;
    at(&pair.measure, batch, found.perturbation, settings.selection)
}

/// As [`attack_once`]; notes every iteration in `trace`.
///
/// # Errors
/// As [`attack`].
pub fn attempt(
    pair: &SearchAndMeasure,
    settings: &Pgd,
    batch: &Batch,
    seed: u64,
    restart: u64,
    trace: Option<&mut Trace>,
    cancel_check: CancelCheck,
) -> Result<Attacked> {
    Ok(search(pair, settings, batch, (seed, restart), None, trace, cancel_check)?.0)
}

fn search(
    pair: &SearchAndMeasure,
    settings: &Pgd,
    batch: &Batch,
    (seed, restart): (u64, u64),
    early: Option<usize>,
    trace: Option<&mut Trace>,
    cancel_check: CancelCheck,
) -> Result<(Attacked, Option<Attacked>)> {
    let start = starts(settings, batch, seed, restart);
    let (model, images, labels) = (pair.searcher(), &batch.images, &batch.labels);
    let found = pgd::run_with_early(settings, model, images, labels, &start, early, trace, cancel_check)?;
    let measured = |perturbation| at(&pair.measure, batch, perturbation, settings.selection);
    let early = found.early.map(measured).transpose()?;
    Ok((measured(found.perturbation)?, early))
}

/// One attempt whose perturbations are known.
///
/// # Errors
/// A loss is NaN or infinite.
pub fn at(model: &Evaluator, batch: &Batch, perturbation: Tensor, selection: Selection) -> Result<Attacked> {
    let logits = logits(model, batch, Some(&perturbation));
    let mut per_example = rows(&logits, batch)?;
    let badness = match selection {
        Selection::Loss => per_example.loss.clone(),
        Selection::WrongClassConfidence => to_vec(&wrong_confidences(&logits, &batch.labels))?,
    };
    per_example.broken = per_example.wrong();
    let confidence = |(broken, confidence): (&bool, &f32)| if *broken { *confidence } else { 0.0 };
    per_example.broken_confidence =
        per_example.broken.iter().zip(&per_example.confidence).map(confidence).collect();
    Ok(Attacked { per_example, perturbation, logits, badness })
}

impl Attacked {
    /// This attempt beside earlier ones: the worst of them per example, broken by any.
    pub fn or_worse(self, earlier: Option<Self>) -> Self {
        let Some(mut worst) = earlier else { return self };
        let rows = &mut worst.per_example;
        let chosen = worst_of(&[(&worst.badness, &rows.broken), (&self.badness, &self.per_example.broken)]);
        let is_worse: Vec<bool> = chosen.iter().map(|(attempt, _)| *attempt == 1).collect();
        for (example, (_, broken)) in chosen.into_iter().enumerate() {
            rows.broken[example] = broken;
            rows.broken_confidence[example] =
                rows.broken_confidence[example].max(self.per_example.broken_confidence[example]);
            if is_worse[example] {
                worst.badness[example] = self.badness[example];
                rows.loss[example] = self.per_example.loss[example];
                rows.predicted[example] = self.per_example.predicted[example];
                rows.confidence[example] = self.per_example.confidence[example];
            }
        }
        let mask = Tensor::from_slice(&is_worse).to_device(worst.perturbation.device());
        worst.perturbation = self.perturbation.where_self(&mask.view([-1, 1, 1, 1]), &worst.perturbation);
        worst.logits = self.logits.where_self(&mask.view([-1, 1]), &worst.logits);
        worst
    }
}

/// The starts of an attack's restart, one per example, not yet projected.
pub fn starts(settings: &Pgd, batch: &Batch, seed: u64, restart: u64) -> Tensor {
    let ball = Ball { norm: settings.norm, epsilon: settings.epsilon };
    let shape = batch.images.size();
    let dimensions = shape[1..].iter().product::<i64>() as usize;
    let mut values = Vec::with_capacity(dimensions * batch.len());
    for index in &batch.indices {
        let mut rng = generator(seed, "pgd-start", &[*index as u64, restart]);
        values.extend(ball.sample(settings.start, &mut rng, dimensions));
    }
    let start = Tensor::from_slice(&values).view(shape.as_slice()).to_device(batch.images.device());
    channels_last(&start)
}

/// Mean in float64.
pub fn mean(values: &[f32]) -> f64 {
    values.iter().map(|v| f64::from(*v)).sum::<f64>() / values.len() as f64
}

/// Share of examples that are wrong: whose prediction is not the label, under attack in any attempt.
pub fn error_rate(per_example: &PerExample) -> f64 {
    share(per_example.label.len(), |example| per_example.is_wrong(example))
}

/// Share of examples that are wrong on the clean image or under attack.
pub fn robust_error_rate(clean: &PerExample, attacked: &PerExample) -> f64 {
    share(clean.label.len(), |example| clean.is_wrong(example) || attacked.is_wrong(example))
}

fn share(examples: usize, is_wrong: impl Fn(usize) -> bool) -> f64 {
    (0..examples).filter(|example| is_wrong(*example)).count() as f64 / examples as f64
}

/// Appends the rows of `other`.
pub fn append(rows: &mut PerExample, other: PerExample) {
    rows.index.extend(other.index);
    rows.label.extend(other.label);
    rows.loss.extend(other.loss);
    rows.predicted.extend(other.predicted);
    rows.confidence.extend(other.confidence);
    rows.broken.extend(other.broken);
    rows.broken_confidence.extend(other.broken_confidence);
}

fn to_vec<T: tch::kind::Element>(tensor: &Tensor) -> Result<Vec<T>>
where
    Vec<T>: for<'a> TryFrom<&'a Tensor, Error = tch::TchError>,
{
    Ok(Vec::<T>::try_from(tensor)?)
}
