//! Running AutoAttack: a unit of work is one run of one attack on one block of examples. Square, which takes longest,
//! leaves notes inside of its units.
//!
//! A group of examples goes through all attacks before the next, so that the bounds of the robust accuracy close in
//! from both sides. Within a group, those still robust are packed into full blocks again before each run, and those
//! that low precision cannot be trusted with, of all blocks together, after it: they are attacked again. So blocks
//! follow from the units before them, never from threads or interruptions.

mod notes;
mod state;
mod work;

use std::cell::Cell;
use std::time::Instant;

use tch::{Kind, Tensor};

use super::Measured;
use super::journal::Journal;
use super::kept::kept;
use super::setup::Setup;
use crate::attack::autoattack::{self, Judge, Plan, Run};
use crate::bits::to_hex;
use crate::error::{Error, Result};
use crate::job::Attack;
use crate::measure::autoattack::{Search, attack_block, flags as look, tolerance};
use crate::measure::evaluation::{Batch, Pair, error_rate, mean};
use crate::model::Evaluator;
use crate::progress::{Event, Progress};
use crate::record::{AttackFlags, AttackOutcome, AttackRow, Outcome};
use notes::Notes;
use state::{State, Unit};
use work::Work;
pub use work::passes;

/// Square breaking more than this share of the examples after attacks by gradient is suspicious.
const SQUARE_SHARE: f64 = 0.002;

pub fn run(
    job: &Attack,
    setup: &Setup,
    journal: &mut Journal,
    progress: &mut dyn Progress,
) -> Result<Measured> {
    let settings = &job.attack;
    let classes = setup.checkpoint.summary.classes;
    let mut plans = settings.plans(classes)?;
    let mut warnings = Vec::new();
    let pair = setup.pair(&setup.checkpoint.network.weights);
    let all = setup.all();
    let total = Work::new(&plans, classes, all.len(), settings.individual).total();
    progress.report(Event::Started { label: label(job), done: 0, total })?;

    let state = State::new(job, setup, &pair.measure)?;
    let survivors = state.robust();
    let mut flags = looked(&pair.measure, &all, &survivors, setup.batch_size, progress)?;
    if !flags.random && plans.iter().any(|plan| plan.passes > 1) {
        // The average over passes that are all the same is one of them.
        plans.iter_mut().for_each(|plan| plan.passes = 1);
        warnings.push(
            "passes of this network agree exactly, so gradients need no averaging and one pass was taken"
                .into(),
        );
    }
    let work = Work::new(&plans, classes, survivors.len(), settings.individual);
    let rows = plans.iter().map(|plan| row(plan.attack.name())).collect();
    let tolerance = tolerance(&pair, survivors.chunks(setup.batch_size).map(|places| all.select(places)));
    let (finished, resumed, through) = (0, true, vec![0; plans.len()]);
    let mut ensemble = Ensemble {
        job,
        setup,
        pair,
        tolerance,
        all,
        journal,
        progress,
        state,
        rows,
        work,
        finished,
        resumed,
        through,
        zero_gradient_starts: 0,
    };
    let groups = survivors.chunks(setup.group(survivors.len()));
    let complete =
        match groups.enumerate().try_for_each(|(number, group)| ensemble.attack_group(number, group, &plans))
        {
            // What is finished is a record.
            Err(Error::Cancelled) if ensemble.rows[0].attacked > 0 => false,
            other => other.map(|()| true)?,
        };
    let Ensemble { state, mut rows, through, finished, zero_gradient_starts, .. } = ensemble;
    flags.zero_gradient_starts = zero_gradient_starts;
    let examples = state.clean.label.len() as f64;
    for (row, through) in rows.iter_mut().zip(through) {
        row.finished = through == survivors.len();
    }
    let clean_error = error_rate(&state.clean);
    if !complete {
        rows.retain(|row| row.attacked > 0);
    }
    let clean_wrong = state.clean.predicted.iter().zip(&state.clean.label).filter(|(p, l)| p != l).count();
    let mut wrong = clean_wrong;
    let square = autoattack::Attack::Square.name();
    for at in 0..rows.len() {
        wrong = rows[at].broken + if settings.individual { clean_wrong } else { wrong };
        rows[at].robust_error = wrong as f64 / examples;
        let after_others = rows[..at].iter().any(|row| row.attacked > 0);
        if rows[at].name == square && (after_others || settings.individual && rows.len() > 1) {
            let only_square = |by: &&Vec<String>| **by == [square];
            let alone = match settings.individual {
                true => state.examples.broken_by_each.iter().filter(only_square).count(),
                false => rows[at].broken,
            };
            flags.square_stronger |= alone as f64 / examples > SQUARE_SHARE;
        }
    }
    let kept = state
        .perturbations
        .as_ref()
        .map(|perturbations| {
            kept(&setup.dataset, perturbations.iter().flatten().copied().collect(), Vec::new())
        })
        .transpose()?;
    warnings.extend(flags.sentences());
    Ok(Measured {
        search_cost: None,
        complete,
        warnings,
        examples: kept,
        losses: None,
        probabilities: None,
        outcome: Outcome::Attack(AttackOutcome {
            robust_error: state.robust_error(),
            robust_error_at_most: (!complete).then(|| 1.0 - finished as f64 / examples),
            clean_error,
            robust_loss: mean(&state.examples.loss),
            clean_loss: mean(&state.clean.loss),
            per_attack: rows,
            per_example: state.examples,
            flags,
        }),
    })
}

fn label(job: &Attack) -> String {
    format!("attacking, {}", job.attack.version)
}

fn row(name: &str) -> AttackRow {
    AttackRow {
        name: name.to_owned(),
        robust_error: 0.0,
        attacked: 0,
        broken: 0,
        repeated: 0,
        recovered: 0,
        seconds: 0.0,
        finished: false,
    }
}

/// Signs that the network misleads attacks, from all examples that are attacked.
fn looked(
    model: &Evaluator,
    all: &Batch,
    survivors: &[usize],
    batch_size: usize,
    progress: &mut dyn Progress,
) -> Result<AttackFlags> {
    let mut flags = AttackFlags { probabilities: !survivors.is_empty(), ..AttackFlags::default() };
    for places in survivors.chunks(batch_size) {
        progress.report(Event::Alive)?;
        let of = look(model, &all.select(places));
        flags.zero_gradients += of.zero_gradients * places.len() as f64 / survivors.len() as f64;
        flags.probabilities &= of.probabilities;
        flags.random |= of.random;
    }
    Ok(flags)
}

/// One run of one attack on a group.
#[derive(Clone, Copy)]
struct Turn<'a> {
    name: &'a str,
    plan: &'a Plan,
    run: Run,
    group: &'a [usize],
}

/// The attacks at work.
struct Ensemble<'a> {
    job: &'a Attack,
    setup: &'a Setup,
    pair: Pair,
    /// How near to 0 margins found in low precision are doubtful.
    tolerance: f64,
    all: Batch,
    journal: &'a mut Journal,
    progress: &'a mut dyn Progress,
    state: State,
    rows: Vec<AttackRow>,
    work: Work,
    /// Examples that went through every attack.
    finished: usize,
    /// Nothing but units of an earlier run so far.
    resumed: bool,
    /// Per attack, the examples of groups that it is done with.
    through: Vec<usize>,
    /// Starts whose gradient was exactly 0.
    zero_gradient_starts: usize,
}

impl Ensemble<'_> {
    /// Takes a group of examples through all attacks.
    fn attack_group(&mut self, group_number: usize, group: &[usize], plans: &[Plan]) -> Result<()> {
        self.work.begin(group.len());
        for (at, plan) in plans.iter().enumerate() {
            if self.job.attack.individual {
                self.state.stand_up(group);
            }
            for (run_number, run) in plan.runs().into_iter().enumerate() {
                let name = format!("group {group_number} {at} {} {run_number}", plan.attack.name());
                let turn = Turn { name: &name, plan, run, group };
                let given = self.state.standing(group);
                self.rows[at].attacked += if run_number == 0 { given.len() } else { 0 };
                let (_, doubtful) = self.attack(&turn, given, at, false)?;
                self.rows[at].repeated += doubtful.len();
                let (broken, _) = self.attack(&turn, doubtful, at, true)?;
                self.rows[at].recovered += broken;
                self.work.finish_run();
            }
            self.through[at] += group.len();
        }
        Ok(())
    }

    /// One run on examples, block by block; `again`: by the measuring network. How many it broke, and which are doubtful.
    fn attack(
        &mut self,
        turn: &Turn,
        given: Vec<usize>,
        at: usize,
        again: bool,
    ) -> Result<(usize, Vec<usize>)> {
        let (attack, cost) = (turn.plan.attack, passes(turn.plan, self.classes()));
        let (mut broken, mut doubtful) = (0, Vec::new());
        let mut left = given.len();
        for (number, places) in given.chunks(self.setup.block(attack)).enumerate() {
            let again_word = if again { " again" } else { "" };
            let name = format!("{}{again_word} {number}", turn.name);
            let unit = self.unit(&name, turn, places, left, again)?;
            self.state.take(places, &unit, attack.name())?;
            let of_unit = unit.broken.iter().filter(|broken| **broken).count();
            broken += of_unit;
            doubtful.extend(places.iter().zip(&unit.doubtful).filter(|(_, d)| **d).map(|(place, _)| *place));
            self.rows[at].broken += of_unit;
            self.rows[at].seconds += unit.seconds;
            // A second search begins where the first one did.
            self.zero_gradient_starts += if again { 0 } else { unit.zero_gradients };
            left -= places.len();
            self.work.add(cost * places.len() as u64);
            if self.work.is_last_run() {
                let settled = places
                    .iter()
                    .zip(&unit.doubtful)
                    .filter(|(at, doubtful)| self.state.examples.robust[**at] && !**doubtful);
                self.finished += settled.count();
            }
            self.progress.report(self.work.event(0, self.state.standing(turn.group).len(), left))?;
            let lower = self.finished as f64 / self.all.len() as f64;
            self.progress.report(Event::Bounds { lower, upper: 1.0 - self.state.robust_error() })?;
        }
        Ok((broken, doubtful))
    }

    fn classes(&self) -> usize {
        self.setup.checkpoint.summary.classes
    }

    /// A unit of an earlier run, or a fresh one; `left` examples are left of the run.
    fn unit(&mut self, name: &str, turn: &Turn, places: &[usize], left: usize, again: bool) -> Result<Unit> {
        let Turn { plan, run, group, .. } = *turn;
        if let Some(unit) = self.journal.get::<Unit>(name) {
            return Ok(unit);
        }
        let alive = self.state.standing(group).len();
        if std::mem::take(&mut self.resumed)
            && let Event::Step { done, total } = self.work.event(0, alive, left)
        {
            self.progress.report(Event::Started { label: label(self.job), done, total })?;
        }
        let begun = Instant::now();
        let cost = passes(plan, self.classes()) * places.len() as u64;
        let per_call = cost / (plan.steps as u64 + 1);
        let calls = Cell::new(0);
        let (work, progress) = (&self.work, &mut *self.progress);
        let mut pulse = || {
            calls.set(calls.get() + 1);
            progress.report(work.event((calls.get() * per_call).min(cost), alive, left))
        };
        let (model, tolerance) =
            if again { (&self.pair.measure, 0.0) } else { (self.pair.searcher(), self.tolerance) };
        let judge = Judge { model: &self.pair.measure, tolerance };
        let (settings, seed) = (&self.job.attack, self.job.compute.seed);
        let search = Search { settings, plan, run, seed, model, judge };
        let block = self.all.select(places);
        let mut notes = Notes::new(self.journal, name, &calls);
        let verdicts = attack_block(&search, &block, &mut notes, &mut pulse)?;
        let perturbation = self.job.keep_examples.then(|| hex_rows(&verdicts.perturbation)).transpose()?;
        let unit = Unit {
            broken: verdicts.broken,
            loss: verdicts.per_example.loss,
            predicted: verdicts.per_example.predicted,
            confidence: verdicts.per_example.confidence,
            perturbation,
            doubtful: verdicts.doubtful,
            norm: verdicts.norm,
            zero_gradients: verdicts.zero_gradients,
            seconds: notes.seconds_before() + begun.elapsed().as_secs_f64(),
        };
        self.journal.put(name, &unit)?;
        Ok(unit)
    }
}

/// One text per example.
fn hex_rows(perturbation: &Tensor) -> Result<Vec<String>> {
    let flat = perturbation.to_kind(Kind::Float).contiguous().flatten(1, -1);
    (0..flat.size()[0]).map(|at| Ok(to_hex(&Vec::try_from(flat.get(at))?))).collect()
}
