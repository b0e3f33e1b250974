//! Running AutoAttack: a unit of work is one run of one attack on one block of examples.
//!
//! Runs go over the whole selection: those still robust are packed into full blocks again before each. So
//! blocks follow from the units before them, never from threads or interruptions.

use std::time::Instant;

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::Measured;
use super::journal::Journal;
use super::kept::{from_hex, kept, to_hex};
use super::setup::Setup;
use crate::attack::autoattack::{self, Plan, Run};
use crate::error::Result;
use crate::job::Attack;
use crate::measure::autoattack::{Search, attack_block, flags as look};
use crate::measure::evaluation::{Batch, Pair, append, error_rate, mean, measure};
use crate::model::Evaluator;
use crate::progress::{Cancelled, Event, Progress};
use crate::record::{AttackFlags, AttackOutcome, AttackRow, AttackedExamples, Outcome, PerExample};

/// Square breaking more than this share of the examples after attacks by gradient is suspicious.
const SQUARE_SHARE: f64 = 0.002;

/// One finished block.
#[derive(Serialize, Deserialize)]
struct Unit {
    broken: Vec<bool>,
    loss: Vec<f32>,
    predicted: Vec<i64>,
    confidence: Vec<f32>,
    /// Bits of the perturbations, where examples are kept.
    perturbation: Option<Vec<String>>,
    repeated: usize,
    recovered: usize,
    seconds: f64,
}

/// The verdicts so far.
struct State {
    clean: PerExample,
    examples: AttackedExamples,
    perturbations: Option<Vec<Vec<f32>>>,
}

impl State {
    fn survivors(&self) -> Vec<usize> {
        (0..self.examples.robust.len()).filter(|at| self.examples.robust[*at]).collect()
    }

    fn robust_error(&self) -> f64 {
        let broken = self.examples.robust.iter().filter(|robust| !**robust).count();
        broken as f64 / self.examples.robust.len() as f64
    }

    fn take(&mut self, places: &[usize], unit: &Unit, attack: &str) -> Result<()> {
        let examples = &mut self.examples;
        for (row, place) in places.iter().copied().enumerate() {
            if !unit.broken[row] && unit.loss[row] <= examples.loss[place] {
                continue;
            }
            examples.loss[place] = unit.loss[row];
            examples.predicted[place] = unit.predicted[row];
            examples.confidence[place] = unit.confidence[row];
            if unit.broken[row] {
                examples.robust[place] = false;
                examples.broken_by[place] = Some(attack.to_owned());
            }
            if let (Some(all), Some(found)) = (&mut self.perturbations, &unit.perturbation) {
                all[place] = from_hex(&found[row])?;
            }
        }
        Ok(())
    }
}

/// Work in forward passes of one example: done, and still to do if nobody else is broken.
struct Work {
    done: u64,
    /// Passes per example of the runs to come, this one included.
    ahead: Vec<u64>,
}

impl Work {
    fn new(plans: &[Plan], classes: usize) -> Self {
        let ahead = plans.iter().flat_map(|plan| vec![passes(plan, classes); plan.runs().len()]).collect();
        Self { done: 0, ahead }
    }

    fn event(&self, within: u64, survivors: usize, left_of_run: usize) -> Event {
        let (this, later) = self.ahead.split_first().map_or((0, 0), |(a, b)| (*a, b.iter().sum::<u64>()));
        let total = self.done + this * left_of_run as u64 + later * survivors as u64;
        Event::Step { done: (self.done + within).min(total), total }
    }
}

/// About how many forward passes a run costs per example; a backward pass counts as one.
pub fn passes(plan: &Plan, classes: usize) -> u64 {
    let per_step = match plan.attack {
        autoattack::Attack::ApgdCe | autoattack::Attack::ApgdDlr | autoattack::Attack::ApgdT => {
            2 * plan.passes
        }
        autoattack::Attack::FabT => 3,
        autoattack::Attack::Fab => classes + 2,
        autoattack::Attack::Square => 1,
    };
    (per_step * plan.steps) as u64
}

pub fn run(
    job: &Attack,
    setup: &Setup,
    journal: &mut Journal,
    progress: &mut dyn Progress,
) -> Result<Measured> {
    let settings = &job.attack;
    let classes = setup.checkpoint.summary.classes;
    let mut plans = settings.plans(classes)?;
    let mut warnings = settings.notices(classes);
    let pair = setup.pair(&setup.checkpoint.network.weights);
    let all = setup.all();
    let label = format!("attacking, {}", settings.version);
    let mut work = Work::new(&plans, classes);
    let total = work.ahead.iter().sum::<u64>() * all.len() as u64;
    progress.report(Event::Started { label, done: 0, total })?;

    let mut state = start(job, setup, &pair.measure)?;
    let survivors = state.survivors();
    let mut flags = AttackFlags { probabilities: !survivors.is_empty(), ..AttackFlags::default() };
    for places in survivors.chunks(setup.batch_size) {
        progress.report(Event::Alive)?;
        let of = look(&pair.measure, &all.select(places));
        flags.zero_gradients += of.zero_gradients * places.len() as f64 / survivors.len() as f64;
        flags.probabilities &= of.probabilities;
        flags.random |= of.random;
    }
    if !flags.random && plans.iter().any(|plan| plan.passes > 1) {
        // The average over passes that are all the same is one of them.
        plans.iter_mut().for_each(|plan| plan.passes = 1);
        work = Work::new(&plans, classes);
        warnings.push(
            "two passes of this network agree exactly, so gradients need no averaging and one pass was taken"
                .into(),
        );
    }
    let mut rows: Vec<AttackRow> = Vec::new();
    let examples = all.len() as f64;
    let (mut lower, mut resumed) = (0.0, true);
    for (number, plan) in plans.iter().enumerate() {
        let name = plan.attack.name();
        let given = state.survivors().len();
        let mut row = AttackRow {
            name: name.into(),
            robust_error: state.robust_error(),
            attacked: given,
            broken: 0,
            repeated: 0,
            recovered: 0,
            seconds: 0.0,
        };
        for (number_of_run, run) in plan.runs().into_iter().enumerate() {
            let is_last = work.ahead.len() == 1;
            let survivors = state.survivors();
            let mut left = survivors.len();
            for (number_of_block, places) in survivors.chunks(setup.block(plan.attack)).enumerate() {
                let unit_name = format!("{number} {name} {number_of_run} {number_of_block}");
                let cost = passes(plan, classes) * places.len() as u64;
                let unit = match journal.get::<Unit>(&unit_name) {
                    Some(unit) => unit,
                    None => {
                        if resumed {
                            resumed = false;
                            let Event::Step { done, total } = work.event(0, state.survivors().len(), left)
                            else {
                                unreachable!("work is told in steps")
                            };
                            let label = format!("attacking, {}", settings.version);
                            progress.report(Event::Started { label, done, total })?;
                        }
                        let block = all.select(places);
                        let alive = state.survivors().len();
                        let unit = attack_unit(job, &pair, plan, run, &block, &mut |calls| {
                            let per_call = cost / (plan.steps as u64 + 1);
                            progress.report(work.event((calls * per_call).min(cost), alive, left))
                        })?;
                        journal.put(&unit_name, &unit)?;
                        unit
                    }
                };
                state.take(places, &unit, name)?;
                row.broken += unit.broken.iter().filter(|broken| **broken).count();
                row.repeated += unit.repeated;
                row.recovered += unit.recovered;
                row.seconds += unit.seconds;
                left -= places.len();
                work.done += cost;
                let alive = state.survivors().len();
                if is_last {
                    lower += unit.broken.iter().filter(|broken| !**broken).count() as f64 / examples;
                }
                progress.report(work.event(0, alive, left))?;
                progress.report(Event::Bounds { lower, upper: 1.0 - state.robust_error() })?;
            }
            work.ahead.remove(0);
        }
        row.robust_error = state.robust_error();
        if plan.attack == autoattack::Attack::Square && rows.iter().any(|row| row.attacked > 0) {
            flags.square_stronger |= row.broken as f64 / examples > SQUARE_SHARE;
        }
        rows.push(row);
    }
    let kept = state
        .perturbations
        .as_ref()
        .map(|perturbations| kept(&setup.dataset, perturbations.iter().flatten().copied().collect()))
        .transpose()?;
    warnings.extend(flags.sentences());
    Ok(Measured {
        search_difference: None,
        complete: true,
        warnings,
        examples: kept,
        outcome: Outcome::Attack(AttackOutcome {
            robust_error: state.robust_error(),
            clean_error: error_rate(&state.clean),
            robust_loss: mean(&state.examples.loss),
            clean_loss: mean(&state.clean.loss),
            per_attack: rows,
            per_example: state.examples,
            flags,
        }),
    })
}

/// The images as they are: who is right, and so attacked.
fn start(job: &Attack, setup: &Setup, model: &Evaluator) -> Result<State> {
    let mut clean = PerExample::default();
    for batch in &setup.batches {
        append(&mut clean, measure(model, batch, None)?);
    }
    let robust: Vec<bool> = clean.predicted.iter().zip(&clean.label).map(|(p, l)| p == l).collect();
    let numbers = setup.dataset.image_shape().iter().product::<i64>() as usize;
    Ok(State {
        examples: AttackedExamples {
            index: clean.index.clone(),
            label: clean.label.clone(),
            clean_predicted: clean.predicted.clone(),
            clean_confidence: clean.confidence.clone(),
            broken_by: robust.iter().map(|robust| (!robust).then(|| "clean".to_owned())).collect(),
            robust,
            loss: clean.loss.clone(),
            predicted: clean.predicted.clone(),
            confidence: clean.confidence.clone(),
        },
        perturbations: job.keep_examples.then(|| vec![vec![0.0; numbers]; clean.label.len()]),
        clean,
    })
}

fn attack_unit(
    job: &Attack,
    pair: &Pair,
    plan: &Plan,
    run: Run,
    block: &Batch,
    step: &mut dyn FnMut(u64) -> Result<(), Cancelled>,
) -> Result<Unit> {
    let begun = Instant::now();
    let mut calls = 0;
    let search = Search { settings: &job.attack, plan, run, seed: job.compute.seed };
    let verdicts = attack_block(pair, &search, block, &mut || {
        calls += 1;
        step(calls)
    })?;
    let perturbation = job.keep_examples.then(|| rows(&verdicts.perturbation)).transpose()?;
    Ok(Unit {
        broken: verdicts.broken,
        loss: verdicts.per_example.loss,
        predicted: verdicts.per_example.predicted,
        confidence: verdicts.per_example.confidence,
        perturbation,
        repeated: verdicts.repeated,
        recovered: verdicts.recovered,
        seconds: begun.elapsed().as_secs_f64(),
    })
}

/// One text per example.
fn rows(perturbation: &Tensor) -> Result<Vec<String>> {
    let flat = perturbation.to_kind(Kind::Float).contiguous().flatten(1, -1);
    (0..flat.size()[0]).map(|at| Ok(to_hex(&Vec::try_from(flat.get(at))?))).collect()
}
