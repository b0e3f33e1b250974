//! AutoAttack on every example: a unit of work is one run of one attack on one block of examples. Square, which takes
//! longest, leaves notes inside of its units.
//!
//! A group of examples goes through all attacks before the next, so that the bounds of the robust accuracy close in
//! from both sides. Within a group, those still robust are packed into full blocks again before each run, and those
//! that low precision cannot be trusted with, of all blocks together, after it: they are attacked again. So blocks
//! follow from the units before them, never from threads or interruptions.

mod notes;
mod outcome;
mod passes;
mod search;
mod settings;
mod tally;

use std::cell::{Cell, OnceCell, RefCell};

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::context::{Context, Cost};
use super::evaluation::{Batch, SearchAndMeasure, append, error_rate, mean, measure};
use super::kept::{Kept, KeptExamples};
use super::rows::{PerExample, Point};
use super::summary::{Headline, Number, Summary};
use super::units::{Group, Plan, UnitRunner, Units, cancel_check, unit};
use super::work::{Assembled, Keeps, Measure, Work, target_fields};
use crate::attack::autoattack::{self, AutoAttack, Judge, Run};
use crate::attack::{Pgd, fraction};
use crate::bits::to_hex;
use crate::data::DataSelection;
use crate::device::Compute;
use crate::error::Result;
use crate::progress::CancelCheck;
use notes::Notes;
pub use outcome::{AttackFlags, AttackOutcome, AttackRow, AttackedExamples};
use passes::passes;
pub use search::{Search, Verdicts, attack_block, flags, tolerance};
pub use settings::Attack;
use tally::{Tally, Unit};

/// Square breaking more than this share of the examples after attacks by gradient is suspicious.
const SQUARE_SHARE: f64 = 0.002;
/// The unit of what is found out before the first attack.
const BEFORE: &str = "before";

impl Measure for Attack {
    const KIND: &'static str = "attack";
    const TITLE: &'static str = "AutoAttack";
    type Outcome = AttackOutcome;
    type Work<'a> = Attacking<'a>;

    fn usual() -> Self {
        Self {
            checkpoint: std::path::PathBuf::new(),
            data: DataSelection::default(),
            attack: AutoAttack::default(),
            keep_examples: false,
            compute: Compute::default(),
        }
    }

    fn input_attack(&self) -> Option<&Pgd> {
        None
    }

    target_fields!();

    fn check(&self) -> Result<()> {
        self.attack.check().map_err(|error| error.about("attack"))
    }

    fn check_classes(&self, classes: usize) -> Result<()> {
        self.attack.plans(classes).map(drop)
    }

    fn keeps(&self) -> Option<Keeps> {
        self.keep_examples.then_some(Keeps::Examples)
    }

    fn label(&self) -> String {
        format!("attacking, {}", self.attack.version)
    }

    fn summary(&self) -> Summary {
        let version = self.attack.version.to_string();
        Summary {
            title: format!("AutoAttack {version}"),
            details: vec![format!("{} {}", self.attack.norm, fraction(self.attack.epsilon))],
            stem: format!("attack-{}", version.replace(',', "-")),
        }
    }

    fn headline(&self, outcome: &AttackOutcome) -> Headline {
        Headline {
            numbers: vec![Number::share("robust error", outcome.robust_error).of_checkpoint()],
            clean: Some(Point { loss: outcome.clean_loss, error: outcome.clean_error }),
            robust: Some(Point { loss: outcome.robust_loss, error: outcome.robust_error }),
        }
    }

    fn begin<'a>(&'a self, context: &'a Context) -> Result<Attacking<'a>> {
        let plans = self.attack.plans(context.checkpoint.summary.classes)?;
        Ok(Attacking { job: self, context, plans, pair: OnceCell::new(), all: OnceCell::new() })
    }
}

/// The work on one checkpoint.
pub struct Attacking<'a> {
    job: &'a Attack,
    context: &'a Context,
    plans: Vec<autoattack::Plan>,
    pair: OnceCell<SearchAndMeasure>,
    /// All images as one batch.
    all: OnceCell<Batch>,
}

/// What is found out before the first attack.
#[derive(Clone, Serialize, Deserialize)]
struct Before {
    flags: AttackFlags,
    tolerance: f64,
}

/// A block of examples in a run of an attack.
struct Block<'a> {
    /// Name of its unit.
    name: String,
    plan: &'a autoattack::Plan,
    run: Run,
    places: &'a [usize],
    /// A second time, by the measuring network.
    again: bool,
    /// Work of the group that is left, this block included, if nobody else is broken.
    ahead: u64,
}

/// Where blocks come from: a unit, or none where it is not there.
type Source<'s> = &'s mut dyn FnMut(&Block) -> Result<Option<Unit>>;

/// A group of examples on its way through all attacks.
struct Walk<'a> {
    plans: &'a [autoattack::Plan],
    context: &'a Context,
    individual: bool,
    number: usize,
    group: &'a [usize],
    /// Runs to come, the one in hand included: number of the attack, passes per example.
    runs: Vec<(usize, u64)>,
    /// Work that was done in blocks that are there.
    done: u64,
}

/// A run of an attack on a group.
#[derive(Clone, Copy)]
struct Turn<'a> {
    at: usize,
    plan: &'a autoattack::Plan,
    run: Run,
    run_number: usize,
}

impl Walk<'_> {
    /// Goes on as long as there are blocks; the work that is left.
    fn go(&mut self, tally: &mut Tally, source: Source) -> Result<u64> {
        let plans = self.plans;
        for (at, plan) in plans.iter().enumerate() {
            for (run_number, run) in plan.runs().into_iter().enumerate() {
                if self.individual && run_number == 0 {
                    tally.stand_up(self.group);
                }
                let turn = Turn { at, plan, run, run_number };
                let given = tally.standing(self.group);
                tally.rows[at].attacked += if run_number == 0 { given.len() } else { 0 };
                let (_, doubtful) = match self.turn(turn, &given, false, tally, source)? {
                    Ok(found) => found,
                    Err(left) => return Ok(left),
                };
                tally.rows[at].repeated += doubtful.len();
                match self.turn(turn, &doubtful, true, tally, source)? {
                    Ok((broken, _)) => tally.rows[at].recovered += broken,
                    Err(left) => return Ok(left),
                }
                self.runs.remove(0);
            }
            tally.through[at] += self.group.len();
        }
        Ok(0)
    }

    /// One run on examples, block by block: how many it broke, and which are doubtful; or the work left where a block is
    /// missing.
    fn turn(
        &mut self,
        turn: Turn,
        given: &[usize],
        again: bool,
        tally: &mut Tally,
        source: Source,
    ) -> Result<std::result::Result<(usize, Vec<usize>), u64>> {
        let Turn { at, plan, run, run_number } = turn;
        let cost = self.runs[0].1;
        let (mut broken, mut doubtful) = (0, Vec::new());
        let mut left = given.len();
        for (block_number, places) in given.chunks(self.context.block(plan.attack)).enumerate() {
            let attack = plan.attack.name();
            let again_word = if again { " again" } else { "" };
            let name = format!("group {} {at} {attack} {run_number}{again_word} {block_number}", self.number);
            let ahead = self.ahead(left, tally.standing(self.group).len());
            let block = Block { name, plan, run, places, again, ahead };
            let Some(unit) = source(&block)? else { return Ok(Err(ahead)) };
            tally.take(places, &unit, attack)?;
            let of_unit = unit.broken.iter().filter(|broken| **broken).count();
            broken += of_unit;
            let unsure = || places.iter().zip(&unit.doubtful);
            doubtful.extend(unsure().filter(|(_, doubtful)| **doubtful).map(|(place, _)| *place));
            tally.rows[at].broken += of_unit;
            tally.rows[at].seconds += unit.seconds;
            // A second search begins where the first one did.
            tally.zero_gradient_starts += if again { 0 } else { unit.zero_gradients };
            left -= places.len();
            self.done += cost * places.len() as u64;
            if self.runs.len() == 1 {
                let settled = unsure().filter(|(at, doubtful)| tally.examples.robust[**at] && !**doubtful);
                tally.finished += settled.count();
            }
        }
        Ok(Ok((broken, doubtful)))
    }

    /// Work that is left where `left` examples are left of the run in hand and `alive` of the group.
    fn ahead(&self, left: usize, alive: usize) -> u64 {
        self.runs.split_first().map_or(0, |((attack, passes), later)| {
            let of = |(at, passes): &(usize, u64)| {
                let given = if self.individual && at != attack { self.group.len() } else { alive };
                passes * given as u64
            };
            passes * left as u64 + later.iter().map(of).sum::<u64>()
        })
    }
}

impl Attacking<'_> {
    fn pair(&self) -> &SearchAndMeasure {
        self.pair.get_or_init(|| self.context.pair(&self.context.checkpoint.network.weights))
    }

    fn all(&self) -> &Batch {
        self.all.get_or_init(|| self.context.all())
    }

    /// All examples as they are, once they are measured.
    fn clean(&self, units: &Units) -> Option<PerExample> {
        let mut clean = PerExample::default();
        for number in 0..self.context.batches.len() {
            append(&mut clean, units.get(&format!("clean {number}"))?);
        }
        Some(clean)
    }

    /// Attacks as this network needs them: the average over passes that are all the same is one of them.
    fn plans(&self, before: &Before) -> Vec<autoattack::Plan> {
        let passes = |plan: &autoattack::Plan| if before.flags.random { plan.passes } else { 1 };
        self.plans.iter().map(|plan| autoattack::Plan { passes: passes(plan), ..*plan }).collect()
    }

    fn tally(&self, clean: PerExample, keeps: bool) -> Tally {
        let names: Vec<&str> = self.plans.iter().map(|plan| plan.attack.name()).collect();
        let numbers = self.context.dataset.image_shape().iter().product::<i64>() as usize;
        Tally::new(clean, &names, self.job.attack.individual, keeps.then_some(numbers))
    }

    fn walk<'w>(&'w self, plans: &'w [autoattack::Plan], number: usize, group: &'w [usize]) -> Walk<'w> {
        let individual = self.job.attack.individual;
        Walk { plans, context: self.context, individual, number, group, runs: self.runs(plans), done: 0 }
    }

    /// Number of the attack and passes per example of every run.
    fn runs(&self, plans: &[autoattack::Plan]) -> Vec<(usize, u64)> {
        let classes = self.context.checkpoint.summary.classes;
        let of =
            |(at, plan): (usize, &autoattack::Plan)| vec![(at, passes(plan, classes)); plan.runs().len()];
        plans.iter().enumerate().flat_map(of).collect()
    }

    /// Passes per example if nothing is ever broken.
    fn most(&self, plans: &[autoattack::Plan]) -> u64 {
        self.runs(plans).iter().map(|(_, passes)| passes).sum()
    }

    /// All groups that are finished or begun, one after the other; the work left of them.
    fn walked(&self, tally: &mut Tally, before: &Before, units: &Units) -> Result<Vec<Group>> {
        let plans = self.plans(before);
        let most = self.most(&plans);
        let survivors = tally.robust();
        let mut groups = Vec::new();
        for (number, group) in survivors.chunks(self.context.group(survivors.len())).enumerate() {
            let mut walk = self.walk(&plans, number, group);
            let left = walk.go(tally, &mut |block| Ok(units.get(&block.name)))?;
            let weight = most * group.len() as u64;
            groups.push(Group {
                name: format!("group {number}"),
                weight,
                done: walk.done,
                left,
                everywhere: false,
            });
        }
        Ok(groups)
    }

    /// Signs that the network misleads attacks, and how far low precision can be trusted, from all that are attacked.
    fn look(&self, survivors: &[usize], cancel_check: CancelCheck) -> Result<Before> {
        let mut all = AttackFlags { probabilities: !survivors.is_empty(), ..AttackFlags::default() };
        let (model, batch_size) = (&self.pair().measure, self.context.batch_size);
        for places in survivors.chunks(batch_size) {
            cancel_check()?;
            let of = flags(model, &self.all().select(places));
            all.zero_gradients += of.zero_gradients * places.len() as f64 / survivors.len() as f64;
            all.probabilities &= of.probabilities;
            all.random |= of.random;
        }
        let blocks = survivors.chunks(batch_size).map(|places| self.all().select(places));
        Ok(Before { flags: all, tolerance: tolerance(self.pair(), blocks) })
    }

    /// Attacks a block.
    fn block(&self, block: &Block, before: &Before, runner: &mut dyn UnitRunner) -> Result<Unit> {
        let classes = self.context.checkpoint.summary.classes;
        let cost = passes(block.plan, classes) * block.places.len() as u64;
        let per_call = cost / (block.plan.steps as u64 + 1);
        let calls = Cell::new(0);
        let runner = RefCell::new(runner);
        let mut cancel_check = || {
            calls.set(calls.get() + 1);
            runner.borrow_mut().within((calls.get() * per_call).min(cost))
        };
        let pair = self.pair();
        let (model, tolerance) =
            if block.again { (&pair.measure, 0.0) } else { (pair.searcher(), before.tolerance) };
        let judge = Judge { model: &pair.measure, tolerance };
        let (settings, seed) = (&self.job.attack, self.job.compute.seed);
        let search = Search { settings, plan: block.plan, run: block.run, seed, model, judge };
        let mut notes = Notes::new(&runner, &block.name, &calls);
        let verdicts =
            attack_block(&search, &self.all().select(block.places), &mut notes, &mut cancel_check)?;
        let perturbation = self.job.keep_examples.then(|| hex_rows(&verdicts.perturbation)).transpose()?;
        Ok(Unit {
            broken: verdicts.broken,
            loss: verdicts.per_example.loss,
            predicted: verdicts.per_example.predicted,
            confidence: verdicts.per_example.confidence,
            perturbation,
            doubtful: verdicts.doubtful,
            norm: verdicts.norm,
            zero_gradients: verdicts.zero_gradients,
            seconds: notes.seconds(),
        })
    }
}

impl Work for Attacking<'_> {
    type Outcome = AttackOutcome;

    fn plan(&self, units: &Units) -> Result<Plan> {
        let batches = self.context.batches.iter().enumerate();
        let mut groups: Vec<Group> = batches
            .map(|(number, batch)| {
                Group::single(format!("clean {number}"), batch.len() as u64, units).everywhere()
            })
            .collect();
        groups.push(Group::single(BEFORE, 1, units).everywhere());
        let all = self.most(&self.plans) * self.context.examples() as u64;
        let (Some(clean), Some(before)) = (self.clean(units), units.get(BEFORE)) else {
            return Ok(Plan { groups, later: all });
        };
        groups.extend(self.walked(&mut self.tally(clean, false), &before, units)?);
        Ok(Plan { groups, later: 0 })
    }

    fn compute(&self, group: &str, runner: &mut dyn UnitRunner) -> Result<()> {
        if let Some(number) = group.strip_prefix("clean ").and_then(|number| number.parse::<usize>().ok()) {
            let batch = &self.context.batches[number];
            return unit(runner, group, batch.len() as u64, |_| measure(&self.pair().measure, batch, None))
                .map(drop);
        }
        let clean = self.clean(runner.units()).expect("clean images come first");
        let mut tally = self.tally(clean, false);
        let survivors = tally.robust();
        let before = unit(runner, BEFORE, 1, |runner| self.look(&survivors, &mut cancel_check(runner)))?;
        let Some(number) = group.strip_prefix("group ").and_then(|number| number.parse::<usize>().ok())
        else {
            return Ok(());
        };
        let plans = self.plans(&before);
        let places = survivors.chunks(self.context.group(survivors.len())).nth(number).unwrap_or_default();
        let mut walk = self.walk(&plans, number, places);
        let classes = self.context.checkpoint.summary.classes;
        walk.go(&mut tally, &mut |block| {
            runner.expect(block.ahead);
            let weight = passes(block.plan, classes) * block.places.len() as u64;
            unit(runner, &block.name, weight, |runner| self.block(block, &before, runner)).map(Some)
        })?;
        runner.expect(0);
        Ok(())
    }

    fn assemble(&self, units: &Units) -> Result<Option<Assembled<AttackOutcome>>> {
        let (Some(clean), Some(before)) = (self.clean(units), units.get::<Before>(BEFORE)) else {
            return Ok(None);
        };
        let mut tally = self.tally(clean, false);
        let survivors = tally.robust().len();
        let complete = self.walked(&mut tally, &before, units)?.iter().all(|group| group.left == 0);
        let Tally { clean, examples, mut rows, through, finished, zero_gradient_starts, .. } = tally;
        let count = clean.label.len() as f64;
        let mut flags = AttackFlags { zero_gradient_starts, ..before.flags };
        for (row, through) in rows.iter_mut().zip(through) {
            row.finished = through == survivors;
        }
        if !complete {
            rows.retain(|row| row.attacked > 0);
        }
        let individual = self.job.attack.individual;
        let clean_wrong = clean.predicted.iter().zip(&clean.label).filter(|(p, l)| p != l).count();
        let mut wrong = clean_wrong;
        let square = autoattack::Attack::Square.name();
        for at in 0..rows.len() {
            wrong = rows[at].broken + if individual { clean_wrong } else { wrong };
            rows[at].robust_error = wrong as f64 / count;
            let after_others = rows[..at].iter().any(|row| row.attacked > 0);
            if rows[at].name == square && (after_others || individual && rows.len() > 1) {
                let only_square = |by: &&Vec<String>| **by == [square];
                let alone = match individual {
                    true => examples.broken_by_each.iter().filter(only_square).count(),
                    false => rows[at].broken,
                };
                flags.square_stronger |= alone as f64 / count > SQUARE_SHARE;
            }
        }
        let mut warnings = Vec::new();
        if !before.flags.random && self.plans.iter().any(|plan| plan.passes > 1) {
            warnings.push(
                "passes of this network agree exactly, so gradients need no averaging and one pass was taken"
                    .to_owned(),
            );
        }
        warnings.extend(flags.sentences());
        let robust = examples.robust.iter().filter(|robust| **robust).count();
        let outcome = AttackOutcome {
            robust_error: (examples.robust.len() - robust) as f64 / count,
            robust_error_at_most: (!complete).then(|| 1.0 - finished as f64 / count),
            clean_error: error_rate(&clean),
            robust_loss: mean(&examples.loss),
            clean_loss: mean(&clean.loss),
            per_attack: rows,
            per_example: examples,
            flags,
        };
        Ok(Some(Assembled { outcome, search_cost: None, warnings }))
    }

    fn kept(&self, units: &Units) -> Result<Kept> {
        let (true, Some(clean), Some(before)) =
            (self.job.keep_examples, self.clean(units), units.get::<Before>(BEFORE))
        else {
            return Ok(Kept::default());
        };
        let mut tally = self.tally(clean, true);
        self.walked(&mut tally, &before, units)?;
        let perturbations = tally.perturbations.unwrap_or_default().concat();
        let examples = KeptExamples::of(&self.context.dataset, perturbations, Vec::new())?;
        Ok(Kept { examples: Some(examples), ..Kept::default() })
    }

    /// At most: as if no example were broken.
    fn seconds(&self, cost: &Cost) -> Result<(u64, f64)> {
        let classes = self.context.checkpoint.summary.classes;
        let seconds = |plan: &autoattack::Plan| {
            let forwards = (plan.runs().len() as u64 * passes(plan, classes)) as f64;
            match plan.attack {
                autoattack::Attack::Square => forwards * cost.search_forward,
                _ => forwards / 2.0 * cost.step,
            }
        };
        let per_example = cost.forward + self.plans.iter().map(seconds).sum::<f64>();
        Ok((1, self.context.examples() as f64 * per_example + cost.preparation))
    }
}

/// One text per example.
fn hex_rows(perturbation: &Tensor) -> Result<Vec<String>> {
    let flat = perturbation.to_kind(Kind::Float).contiguous().flatten(1, -1);
    (0..flat.size()[0]).map(|at| Ok(to_hex(&Vec::try_from(flat.get(at))?))).collect()
}
