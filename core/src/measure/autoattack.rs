//! One run of one attack of AutoAttack on one block of examples: searched fast, decided exactly.
//!
//! The search may run in low precision. Then every success it claims is confirmed by the measuring network
//! before the example leaves, and the search goes on where it is not. Survivors that low precision cannot be
//! trusted with are attacked again by the same attack from the same start with the measuring network: those
//! with a claim that was not confirmed, and those whose margin came nearer to 0 than twice the largest
//! difference between the margins of both networks on the block's clean images (FAB, which ends at the boundary:
//! whose norm came within 1.2 epsilon, or that found no boundary).

use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use tch::{Kind, Tensor};

use super::evaluation::{Batch, Pair, measure};
use crate::attack::InputNorm;
use crate::attack::autoattack::apgd::{self, Apgd, Loss};
use crate::attack::autoattack::fab::{self, Fab};
use crate::attack::autoattack::square::{self, Square};
use crate::attack::autoattack::{Attack, AutoAttack, Judge, Memory, Plan, Run, Subject};
use crate::error::Result;
use crate::loss::{class_logits, margin, predictions};
use crate::model::{Evaluator, channels_last};
use crate::progress::Pulse;
use crate::record::{AttackFlags, PerExample};
use crate::seed::{generator, normal};

/// Survivors nearer to the boundary than this many times the largest difference of margins are doubtful.
const SAFETY: f64 = 2.0;
/// Outputs of two passes that differ by more, relative to their length, come from a random network.
const RANDOM: f64 = 1e-4;
/// How far outputs may be from probabilities and still look like some.
const PROBABILITY: f64 = 1e-5;

/// What a run leaves of a block.
#[derive(Debug)]
pub struct Verdicts {
    /// Measured at the points found: adversarial examples where broken, else points of high loss.
    pub per_example: PerExample,
    /// Whether the measuring network misclassifies it.
    pub broken: Vec<bool>,
    /// The points minus the images.
    pub perturbation: Tensor,
    /// Examples attacked a second time, in the measuring precision.
    pub repeated: usize,
    /// Of those, how many only then were broken: what low precision alone would have missed.
    pub recovered: usize,
}

/// One run of one attack.
#[derive(Debug, Clone, Copy)]
pub struct Search<'a> {
    /// Geometry and radius.
    pub settings: &'a AutoAttack,
    /// Which attack, how long.
    pub plan: &'a Plan,
    /// Which start, which target.
    pub run: Run,
    /// Random numbers depend on this, the attack, the run and an example's index alone.
    pub seed: u64,
}

/// Attacks examples that are classified correctly. Square, which takes longest, leaves notes in `memory` and goes on
/// from those that are there.
///
/// # Errors
/// A loss or gradient is NaN; a note cannot be kept; or `pulse` wants to stop.
pub fn attack_block(
    pair: &Pair,
    search: &Search,
    block: &Batch,
    memory: &mut dyn Memory,
    pulse: Pulse,
) -> Result<Verdicts> {
    let _guard = tch::no_grad_guard();
    let tolerance = match &pair.search {
        None => 0.0,
        Some(fast) => SAFETY * margin_difference(fast, &pair.measure, block),
    };
    let judge = Judge { model: &pair.measure, tolerance };
    let found = search.points(pair.searcher(), judge, block, memory, pulse)?;
    let mut verdicts = decide(&pair.measure, block, &found.points)?;
    if pair.search.is_none() {
        return Ok(verdicts);
    }
    let doubtful = Vec::<bool>::try_from(&found.doubtful)?;
    let again: Vec<usize> = (0..block.len()).filter(|at| doubtful[*at] && !verdicts.broken[*at]).collect();
    if !again.is_empty() {
        let part = block.select(&again);
        let judge = Judge { model: &pair.measure, tolerance: 0.0 };
        memory.turn();
        let found = search.points(&pair.measure, judge, &part, memory, pulse)?;
        let exact = decide(&pair.measure, &part, &found.points)?;
        verdicts.repeated = again.len();
        verdicts.recovered = exact.broken.iter().filter(|broken| **broken).count();
        verdicts.replace(&again, &exact);
    }
    Ok(verdicts)
}

impl Verdicts {
    /// Takes over rows that are broken, or of higher loss.
    fn replace(&mut self, places: &[usize], other: &Self) {
        for (row, place) in places.iter().enumerate() {
            let (mine, theirs) = (&mut self.per_example, &other.per_example);
            if other.broken[row] || theirs.loss[row] > mine.loss[*place] {
                self.broken[*place] = other.broken[row];
                mine.loss[*place] = theirs.loss[row];
                mine.predicted[*place] = theirs.predicted[row];
                mine.confidence[*place] = theirs.confidence[row];
                self.perturbation.get(*place as i64).copy_(&other.perturbation.get(row as i64));
            }
        }
    }
}

/// Points found by a search, and whether low precision can be trusted with them.
struct Points {
    points: Tensor,
    doubtful: Tensor,
}

impl Search<'_> {
    fn points(
        &self,
        model: &Evaluator,
        judge: Judge,
        block: &Batch,
        memory: &mut dyn Memory,
        pulse: Pulse,
    ) -> Result<Points> {
        let Self { settings, plan, run, .. } = *self;
        let (norm, epsilon, images) = (settings.norm, settings.epsilon, &block.images);
        let subject = Subject { model, images, labels: &block.labels, judge: Some(judge) };
        let targets = run.rank.map(|rank| class_of_rank(judge.model, images, rank));
        match plan.attack {
            Attack::ApgdCe | Attack::ApgdDlr | Attack::ApgdT => {
                let loss = match (plan.attack, &targets) {
                    (Attack::ApgdT, Some(targets)) => Loss::DlrTargeted(targets),
                    (Attack::ApgdCe, _) => Loss::CrossEntropy,
                    _ => Loss::Dlr,
                };
                let (steps, passes) = (plan.steps, plan.passes);
                let apgd = Apgd { norm, epsilon, steps, passes, shared_step: false };
                let found = apgd::run(&apgd, loss, &subject, &self.starts(block), pulse)?;
                let wide = found.robust.view([-1, 1, 1, 1]);
                Ok(Points { points: found.best.where_self(&wide, &found.fooled), doubtful: found.doubtful })
            }
            Attack::Fab | Attack::FabT => {
                let fab = Fab { norm, epsilon, steps: plan.steps };
                let draw = (run.restart > 0).then(|| self.starts(block));
                let found = fab::run(&fab, targets.as_ref(), &subject, draw.as_ref(), pulse)?;
                // Beyond epsilon a point is worth nothing.
                let wide = found.robust.view([-1, 1, 1, 1]);
                Ok(Points { points: images.where_self(&wide, &found.point), doubtful: found.doubtful })
            }
            Attack::Square => {
                let square = Square { norm, epsilon, queries: plan.steps };
                let draws = block.indices.iter().map(|index| self.generator(*index)).collect();
                let found = square::run(&square, &subject, draws, memory, pulse)?;
                Ok(Points { points: found.best, doubtful: found.doubtful })
            }
        }
    }

    /// The generator of one example.
    fn generator(&self, index: usize) -> ChaCha8Rng {
        let rank = self.run.rank.unwrap_or_default() as u64;
        let purpose = format!("{}-start", self.plan.attack.name());
        generator(self.seed, &purpose, &[index as u64, self.run.restart as u64, rank])
    }

    /// Raw starts: uniform in (-1, 1) for L-inf, normal for L2.
    fn starts(&self, block: &Batch) -> Tensor {
        let shape = block.images.size();
        let dimensions = shape[1..].iter().product::<i64>() as usize;
        let mut values = Vec::with_capacity(dimensions * block.len());
        for index in &block.indices {
            let mut rng = self.generator(*index);
            match self.settings.norm {
                InputNorm::Linf => values.extend((0..dimensions).map(|_| rng.random_range(-1.0f32..1.0))),
                _ => values.extend(normal(&mut rng, dimensions)),
            }
        }
        channels_last(&Tensor::from_slice(&values).view(shape.as_slice()).to_device(block.images.device()))
    }
}

fn decide(model: &Evaluator, block: &Batch, points: &Tensor) -> Result<Verdicts> {
    let perturbation = channels_last(&(points - &block.images));
    let per_example = measure(model, block, Some(&perturbation))?;
    let broken = per_example.predicted.iter().zip(&per_example.label).map(|(p, l)| p != l).collect();
    Ok(Verdicts { per_example, broken, perturbation, repeated: 0, recovered: 0 })
}

/// The class with the `rank`-th highest logit (from 1) of each image.
fn class_of_rank(model: &Evaluator, images: &Tensor, rank: usize) -> Tensor {
    let (_, order) = class_logits(&model.logits(images)).sort_stable(true, 1, true);
    order.select(1, rank as i64 - 1)
}

/// Largest difference between the margins of two networks on clean images.
fn margin_difference(fast: &Evaluator, exact: &Evaluator, block: &Batch) -> f64 {
    let of = |model: &Evaluator| margin(&model.logits(&block.images), &block.labels).to_kind(Kind::Double);
    (of(fast) - of(exact)).abs().max().double_value(&[])
}

/// Signs that gradients or outputs of a network may mislead gradient attacks, from one block of examples.
///
/// As AutoAttack's own checks, except that the gradient is that of the margin at the image.
pub fn flags(model: &Evaluator, block: &Batch) -> AttackFlags {
    let _guard = tch::no_grad_guard();
    let images = block.images.detach().set_requires_grad(true);
    let (logits, margins) = tch::with_grad(|| {
        let logits = class_logits(&model.logits(&images));
        let margins = margin(&logits, &block.labels);
        (logits.detach(), margins.sum(margins.kind()))
    });
    let gradient = Tensor::run_backward(&[margins], &[&images], false, false).remove(0);
    let largest = gradient.flatten(1, -1).abs().amax([1i64].as_slice(), false);
    let zero = largest.eq(0.0).to_kind(Kind::Double).mean(Kind::Double).double_value(&[]);

    let outputs = model.logits(&block.images);
    let again = class_logits(&outputs);
    let length = |t: &Tensor| t.norm_scalaropt_dim(2, [1i64].as_slice(), true);
    let unit = |t: &Tensor| t / (length(t) + 1e-10);
    let difference = length(&(unit(&logits) - unit(&again))).max().double_value(&[]);
    let changed = predictions(&logits).ne_tensor(&predictions(&again)).any().int64_value(&[]) == 1;

    let sums = outputs.sum_dim_intlist([1i64].as_slice(), false, outputs.kind());
    let probabilities = outputs.size()[1] > 1
        && outputs.max().double_value(&[]) < 1.0 + PROBABILITY
        && outputs.min().double_value(&[]) > -PROBABILITY
        && (sums - 1.0).abs().max().double_value(&[]) < PROBABILITY;
    AttackFlags {
        zero_gradients: zero,
        probabilities,
        random: changed || difference > RANDOM,
        square_stronger: false,
    }
}
