//! Trying on labelled images what a file does not say of its network.
//!
//! Every possible reading (input normalization, shortcut, activation, pooling) classifies the same images; readings that
//! are clearly worse drop out early. Among those that are left, accuracies are often too close to tell (a standard
//! deviation that is 20 % off costs a percent of accuracy), but the running statistics of batch normalization are not:
//! with the right reading, inputs of these layers have the stored mean and variance, on images as they are or on random
//! crops with black margins, which most trainings have seen. Rare readings (another activation than ReLU) are tried where
//! none of the usual ones fits the statistics. Nothing is told of a network that is hardly better than chance.

mod kept;
mod runner;

use super::opened::Checkpoint;
use super::summary::{Probe, Tried};
use crate::data::{self, Dataset, Examples, Split};
use crate::error::Result;
use crate::model::{Activation, Network};
use kept::Kept;
use runner::{BATCH, Runner, STATISTICS};

/// Images that are tried, of a network that is better than chance.
const USUAL: usize = 300;
/// A reading drops out where the best is ahead by so many standard errors.
const DROP: f64 = 4.0;
/// More images are tried while the best is ahead by fewer standard errors.
const CLEAR: f64 = 3.0;
/// Nothing can be told where the best reading is so many standard errors below twice the accuracy of chance.
const HOPELESS: f64 = 2.0;
/// Statistics decide where they fit the next reading so many times worse.
const DECISIVE: f64 = 4.0;
/// Up to this mismatch statistics fit. Where they fit no reading on images as they are, crops are tried; where they fit
/// none on crops either, rare readings are.
const FITTING: f64 = 0.01;

/// Whether statistics fit a reading.
fn is_fitting(runner: &Runner) -> bool {
    runner.mismatch.is_none_or(|mismatch| mismatch <= FITTING)
}

/// Labelled images that fit a network: those that come with the program, or MNIST where it is found. Which they are
/// depends on the network alone, so that every machine tries the same.
fn images(network: &Network) -> Option<(Dataset, &'static str)> {
    let topology = &network.topology;
    let (name, words) = match (topology.resolution, topology.classes) {
        ([3, 32, 32], 10) => ("bundled", "CIFAR-10 test images"),
        ([1, 28, 28], 10) => ("mnist", "MNIST test images"),
        _ => return None,
    };
    let examples = Examples { split: Split::Test, start: 0, end: 1000 };
    data::load(name, &examples).ok().map(|dataset| (dataset, words))
}

/// Tries all readings of a checkpoint. `step` hears how far it is, from 0 to 1.
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn probe(checkpoint: &Checkpoint, step: &mut dyn FnMut(f64) -> Result<()>) -> Result<Probe> {
    let Some((dataset, words)) = images(&checkpoint.network) else { return Ok(Probe::without_images()) };
    let _guard = tch::no_grad_guard();
    let classes = checkpoint.network.topology.classes;
    let chance = (classes as f64).recip();
    let all = checkpoint.alternatives.iter().map(|alternative| Runner::new(alternative, &checkpoint.network));
    let (mut rare, usual): (Vec<Runner>, Vec<Runner>) = all.partition(|runner| runner.alternative.is_rare);
    let (mut running, mut dropped) = race(usual, &dataset, chance, &mut |done| step(done * 0.9))?;
    let usual: Vec<&Runner> = running.iter().chain(&dropped).collect();
    let found = rare_activation(&mut rare, &usual, &dataset, chance, &mut || step(0.9))?;
    if found.is_some() {
        dropped.append(&mut running);
        let (of_it, others) =
            rare.into_iter().partition(|runner| runner.alternative.assumed.choices.activation == found);
        rare = others;
        let (stay, gone) = race(of_it, &dataset, chance, &mut |done| step(0.9 + done * 0.1))?;
        running = stay;
        dropped.extend(gone);
    }
    dropped.extend(rare.into_iter().filter(|runner| !runner.correct.is_empty()));
    step(1.0)?;
    let usual = checkpoint.alternatives[0].assumed.text();
    Ok(outcome(running, dropped, words, classes, &usual))
}

/// Readings that are left, the best first, and those that dropped out.
type Raced<'a> = (Vec<Runner<'a>>, Vec<Runner<'a>>);

/// Tries readings until enough is known or nothing can be told.
fn race<'a>(
    mut running: Vec<Runner<'a>>,
    dataset: &Dataset,
    chance: f64,
    step: &mut dyn FnMut(f64) -> Result<()>,
) -> Result<Raced<'a>> {
    let mut dropped: Vec<Runner> = Vec::new();
    let (mut seen, mut cropped) = (0, false);
    loop {
        let count = running.len() as f64;
        for (at, runner) in running.iter_mut().enumerate() {
            runner.see(dataset, seen + BATCH)?;
            let done = seen as f64 + BATCH as f64 * (at + 1) as f64 / count;
            step((done / USUAL as f64).min(1.0))?;
        }
        seen = (seen + BATCH).min(dataset.len());
        running.sort_by(|a, b| b.accuracy().total_cmp(&a.accuracy()));
        let is_time = seen >= STATISTICS && !cropped && running[0].accuracy() > 2.0 * chance;
        if is_time && !running.iter().any(is_fitting) {
            cropped = true;
            for runner in &mut running {
                runner.see_crops(dataset);
                step((seen as f64 / USUAL as f64).min(1.0))?;
            }
        }
        let mut stay: Vec<Runner> = Vec::with_capacity(running.len());
        for runner in running.drain(..) {
            let is_far_behind = stay.first().is_some_and(|best| best.is_ahead(&runner, DROP));
            if is_far_behind { dropped.push(runner) } else { stay.push(runner) }
        }
        running = stay;
        let is_enough = running.len() == 1 || (seen >= USUAL && is_enough(&running));
        if is_enough || seen == dataset.len() || is_hopeless(&running[0], chance) {
            break;
        }
    }
    if let [only] = running.as_mut_slice()
        && !is_hopeless(only, chance)
    {
        // Its accuracy is measured on as many images as that of others would be.
        only.see(dataset, USUAL)?;
    }
    Ok((running, dropped))
}

/// An activation that the family rarely has and that is better than the usual one, by accuracy or by statistics. It is
/// tried with the input normalization that fits the first batch normalization best, whose input depends on no
/// activation.
fn rare_activation(
    rare: &mut [Runner],
    usual: &[&Runner],
    dataset: &Dataset,
    chance: f64,
    step: &mut dyn FnMut() -> Result<()>,
) -> Result<Option<Activation>> {
    let least = |of: &dyn Fn(&Runner) -> Option<f64>| {
        let values = usual.iter().filter_map(|runner| Some((*runner, of(runner)?)));
        values.min_by(|a, b| a.1.total_cmp(&b.1))
    };
    let (Some((_, mismatch)), Some((first, _))) =
        (least(&|runner| runner.mismatch), least(&|runner| runner.first_mismatch))
    else {
        return Ok(None);
    };
    if mismatch <= FITTING {
        return Ok(None);
    }
    // The best of many readings of a network with random weights may be well above chance.
    let error = (2.0 * chance * (1.0 - 2.0 * chance) / STATISTICS as f64).sqrt();
    let is_trained = |runner: &Runner| runner.accuracy() > 2.0 * chance + CLEAR * error;
    let is_better = |runner: &Runner| {
        let fits = runner.mismatch.is_some_and(|own| own * DECISIVE <= mismatch);
        let by_statistics = fits && !usual.iter().any(|other| other.is_ahead(runner, CLEAR));
        by_statistics || usual.iter().all(|other| runner.is_ahead(other, CLEAR))
    };
    let mut best: Option<&Runner> = None;
    for runner in rare {
        if runner.alternative.assumed.normalization != first.alternative.assumed.normalization {
            continue;
        }
        runner.see(dataset, STATISTICS)?;
        step()?;
        if !is_trained(runner) {
            continue;
        }
        runner.see_crops(dataset);
        let runner: &Runner = runner;
        if is_better(runner) && best.is_none_or(|best| runner.hits() > best.hits()) {
            best = Some(runner);
        }
    }
    Ok(best.and_then(|runner| runner.alternative.assumed.choices.activation))
}

/// The reading that the statistics of batch normalizations fit best, where enough images are seen.
fn best_fitting(running: &[Runner]) -> Option<usize> {
    let fits = running.iter().enumerate().filter(|(_, runner)| runner.correct.len() >= STATISTICS);
    let fits = fits.filter_map(|(at, runner)| Some((at, runner.mismatch?)));
    fits.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(at, _)| at)
}

/// The reading that batch statistics decide for, if they do: of those that saw enough images they fit it far better than
/// any other, and its accuracy is not clearly below that of another.
fn by_statistics(all: &[Runner]) -> Option<usize> {
    let best = best_fitting(all)?;
    let mismatch = all[best].mismatch?;
    let mut others =
        all.iter().enumerate().filter(|(at, other)| *at != best && other.correct.len() >= STATISTICS);
    let is_alone = others.all(|(_, other)| {
        other.mismatch.is_none_or(|next| mismatch * DECISIVE <= next) && !other.is_ahead(&all[best], CLEAR)
    });
    let is_compared = all.iter().filter(|runner| runner.correct.len() >= STATISTICS).count() > 1;
    (is_alone && is_compared).then_some(best)
}

/// Whether even the best reading is too close to chance for anything to be told: a network with random weights.
fn is_hopeless(best: &Runner, chance: f64) -> bool {
    let images = best.correct.len() as f64;
    let likely = best.accuracy() + HOPELESS * (2.0 * chance * (1.0 - 2.0 * chance) / images).sqrt();
    images >= STATISTICS as f64 && likely < 2.0 * chance
}

/// Whether more images would not tell more: accuracies tell, or statistics may.
fn is_enough(running: &[Runner]) -> bool {
    running[0].is_ahead(&running[1], CLEAR)
        || running.iter().all(|runner| runner.alternative.topology.least_normalized_values().is_some())
}

/// What the readings, those that ran to the end with the best first, have told. `usual` is assumed where nothing is known.
fn outcome(running: Vec<Runner>, mut dropped: Vec<Runner>, data: &str, classes: i64, usual: &str) -> Probe {
    let chance = (classes as f64).recip();
    let images = running[0].correct.len() as f64;
    let error_of_chance = (chance * (1.0 - chance) / images).sqrt();
    let is_trained = running[0].accuracy() > (2.0 * chance).max(chance + CLEAR * error_of_chance);
    dropped.sort_by(|a, b| b.accuracy().total_cmp(&a.accuracy()));
    let mut all: Vec<Runner> = running.into_iter().chain(dropped).collect();
    let decided = by_statistics(&all).filter(|_| is_trained);
    let (margin, standard_error) = margin(&all, decided.unwrap_or(0));
    let told = is_trained && (decided.is_some() || margin > standard_error);
    let likely = if is_trained && !told { likely(&all, usual) } else { None };
    let (margin, standard_error) = likely.map_or((margin, standard_error), |at| self::margin(&all, at));
    if let Some(at) = decided.or(likely) {
        all[..=at].rotate_right(1);
    }
    let tried = all.iter().map(|runner| Tried {
        assumed: runner.alternative.assumed.text(),
        accuracy: runner.accuracy(),
        images: runner.correct.len(),
        mismatch: runner.mismatch,
    });
    Probe {
        data: data.to_owned(),
        tried: tried.collect(),
        told,
        likely: likely.is_some(),
        by_statistics: decided.is_some() && margin <= standard_error,
        margin,
        standard_error,
    }
}

/// By what share of the images a reading is ahead of the closest other one, and the standard error: one that dropped out
/// is compared on the images it has seen.
fn margin(all: &[Runner], of: usize) -> (f64, f64) {
    let best = &all[of];
    let others = all.iter().enumerate().filter(|(at, _)| *at != of).map(|(_, other)| other);
    let margins = others.map(|other| {
        let (ahead, error) = best.ahead(other);
        let seen = other.correct.len().min(best.correct.len()) as f64;
        (ahead / seen, error / seen)
    });
    margins.min_by(|a, b| (a.0 - a.1).total_cmp(&(b.0 - b.1))).unwrap_or((1.0, 0.0))
}

/// Where the usual reading is clearly behind: of those that are not, the one that statistics fit best.
fn likely(all: &[Runner], usual: &str) -> Option<usize> {
    let plausible: Vec<usize> = (0..all.len()).filter(|at| !all[0].is_ahead(&all[*at], CLEAR)).collect();
    if plausible.iter().any(|at| all[*at].alternative.assumed.text() == usual) {
        return None;
    }
    let fit = |at: &usize| all[*at].mismatch.unwrap_or(f64::INFINITY);
    plausible.into_iter().min_by(|a, b| fit(a).total_cmp(&fit(b)))
}

/// The checkpoint as trying its readings tells; as it is, with the doubt in its notices, where they tell nothing or
/// there is no choice. What was told of a file once is kept in the user's cache.
///
/// # Errors
/// As [`probe`].
pub fn settle(mut checkpoint: Checkpoint, step: &mut dyn FnMut(f64) -> Result<()>) -> Result<Checkpoint> {
    if checkpoint.alternatives.len() < 2 || checkpoint.summary.probe.is_some() {
        return Ok(checkpoint);
    }
    let kept = Kept::of(&checkpoint);
    let probe = match kept.read() {
        Some(probe) => probe,
        None => {
            let probe = probe(&checkpoint, step)?;
            kept.write(&probe);
            probe
        }
    };
    let position = |assumed: &str| checkpoint.alternatives.iter().position(|it| it.assumed.text() == assumed);
    if let Some(at) =
        probe.tried.first().filter(|_| probe.told || probe.likely).and_then(|best| position(&best.assumed))
    {
        checkpoint.alternatives.swap(0, at);
        checkpoint.network = checkpoint.alternatives[0].of(&checkpoint.network);
    }
    let chosen = &checkpoint.alternatives[0];
    checkpoint.summary.read_as(&checkpoint.network, chosen);
    checkpoint.summary.notices.push(probe.notice(&chosen.assumed.text()));
    checkpoint.summary.probe = Some(probe);
    Ok(checkpoint)
}
