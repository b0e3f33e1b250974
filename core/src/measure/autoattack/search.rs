//! One run of one attack of AutoAttack on one block of examples: searched fast, decided exactly.
//!
//! The search may run in low precision. Then every success it claims is confirmed by the measuring network
//! before the example leaves, and the search goes on where it is not. Survivors that low precision cannot be
//! trusted with are doubtful, to be attacked again from the same start with the measuring network: those with a claim that was not confirmed, and those whose margin came nearer to 0 than the tolerance (FAB, which ends at the boundary:
//! whose norm came within 1.2 epsilon, or that found none although its linearization came within 1.5).

use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use tch::{Kind, Tensor};

use super::outcome::AttackFlags;
use crate::attack::InputNorm;
use crate::attack::autoattack::apgd::{self, Loss};
use crate::attack::autoattack::{Attack, AutoAttack, Judge, Memory, Plan, Run, Subject, fab, square};
use crate::attack::ball::Ball;
use crate::error::Result;
use crate::loss::{class_logits, margin, predictions};
use crate::measure::evaluation::{Batch, SearchAndMeasure, measure};
use crate::measure::rows::PerExample;
use crate::model::{Evaluator, channels_last};
use crate::progress::CancelCheck;
use crate::seed::{generator, normal};

/// Survivors nearer to the boundary than this many times the typical difference of margins are doubtful.
const SAFETY: f64 = 2.0;
/// Outputs of two passes that differ by more, relative to their length, come from a random network.
const RANDOM: f64 = 1e-4;
/// How far outputs may be from probabilities and still look like some.
const PROBABILITY: f64 = 1e-5;
/// Passes of the same images that are compared.
const PASSES: usize = 5;

/// What a run leaves of a block.
#[derive(Debug)]
pub struct Verdicts {
    /// Measured at the points found: adversarial examples where broken, else points of high loss.
    pub per_example: PerExample,
    /// Whether the measuring network misclassifies it, within epsilon.
    pub broken: Vec<bool>,
    /// Not broken, but low precision cannot be trusted with it: the run has to be repeated by the measuring network.
    pub doubtful: Vec<bool>,
    /// The points minus the images.
    pub perturbation: Tensor,
    /// Norm of each of them, summed in float64.
    pub norm: Vec<f64>,
    /// Examples where the gradient of the ratio loss was exactly 0 at the start (APGD-DLR, APGD-T).
    pub zero_gradients: usize,
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
    /// The searching network.
    pub model: &'a Evaluator,
    /// What decides, and how far it may be from the searching network.
    pub judge: Judge<'a>,
}

/// Attacks examples that are classified correctly. Square, which takes longest, leaves notes in `memory` and goes on
/// from those that are there.
///
/// # Errors
/// A loss or gradient is NaN; a note cannot be kept; or `cancel_check` wants to stop.
pub fn attack_block(
    search: &Search,
    block: &Batch,
    memory: &mut dyn Memory,
    cancel_check: CancelCheck,
) -> Result<Verdicts> {
    let _guard = tch::no_grad_guard();
    let found = search.points(block, memory, cancel_check)?;
    let perturbation = channels_last(&(found.points - &block.images));
    let per_example = measure(search.judge.model, block, Some(&perturbation))?;
    let ball = Ball { norm: search.settings.norm, epsilon: search.settings.epsilon };
    let wrong = per_example.predicted.iter().zip(&per_example.label).map(|(p, l)| p != l);
    let inside = Vec::<bool>::try_from(ball.contains(&perturbation))?;
    let broken: Vec<bool> = wrong.zip(inside).map(|(wrong, inside)| wrong && inside).collect();
    let norm = Vec::try_from(ball.size(&perturbation.to_kind(Kind::Double)))?;
    let unsure = Vec::<bool>::try_from(&found.doubtful)?;
    let in_doubt = search.judge.tolerance > 0.0;
    let doubtful = broken.iter().zip(unsure).map(|(broken, unsure)| in_doubt && unsure && !broken).collect();
    let zero_gradients = found.zero_gradients;
    Ok(Verdicts { per_example, broken, doubtful, perturbation, norm, zero_gradients })
}

/// How near to 0 a margin found in low precision may be before it is doubtful: twice the root mean square difference
/// between the margins of both networks on clean images; 0 where the measuring network searches itself.
pub fn tolerance(pair: &SearchAndMeasure, blocks: impl IntoIterator<Item = Batch>) -> f64 {
    let Some(fast) = &pair.search else { return 0.0 };
    let _guard = tch::no_grad_guard();
    let (mut squares, mut count) = (0.0, 0);
    for block in blocks {
        let of =
            |model: &Evaluator| margin(&model.logits(&block.images), &block.labels).to_kind(Kind::Double);
        squares += (of(fast) - of(&pair.measure)).square().sum(Kind::Double).double_value(&[]);
        count += block.len();
    }
    SAFETY * (squares / count.max(1) as f64).sqrt().max(f64::MIN_POSITIVE)
}

/// Points found by a search, and whether low precision can be trusted with them.
struct Points {
    points: Tensor,
    doubtful: Tensor,
    zero_gradients: usize,
}

impl Search<'_> {
    fn points(&self, block: &Batch, memory: &mut dyn Memory, cancel_check: CancelCheck) -> Result<Points> {
        let Self { settings, plan, run, model, judge, .. } = *self;
        let images = &block.images;
        let subject = Subject { model, images, labels: &block.labels, judge: Some(judge) };
        let targets = run.rank.map(|rank| class_of_rank(judge.model, images, rank));
        match plan.attack {
            Attack::ApgdCe | Attack::ApgdDlr | Attack::ApgdT => {
                let loss = match (plan.attack, &targets) {
                    (Attack::ApgdT, Some(targets)) => Loss::DlrTargeted(targets),
                    (Attack::ApgdCe, _) => Loss::CrossEntropy,
                    _ => Loss::Dlr,
                };
                let found =
                    apgd::run(&settings.apgd(plan), loss, &subject, &self.starts(block), cancel_check)?;
                let wide = found.robust.view([-1, 1, 1, 1]);
                let points = found.best.where_self(&wide, &found.fooled);
                // Cross-entropy saturates where a network is sure, which says nothing about other losses.
                let zero_gradients = match loss {
                    Loss::CrossEntropy => 0,
                    _ => found.flat.sum(Kind::Int64).int64_value(&[]) as usize,
                };
                Ok(Points { points, doubtful: found.doubtful, zero_gradients })
            }
            Attack::Fab | Attack::FabT => {
                let draw = (run.restart > 0).then(|| self.starts(block));
                let found =
                    fab::run(&settings.fab(plan), targets.as_ref(), &subject, draw.as_ref(), cancel_check)?;
                // Beyond epsilon a point is worth nothing.
                let wide = found.robust.view([-1, 1, 1, 1]);
                let points = images.where_self(&wide, &found.point);
                Ok(Points { points, doubtful: found.doubtful, zero_gradients: 0 })
            }
            Attack::Square => {
                let draws = block.indices.iter().map(|index| self.generator(*index)).collect();
                let found = square::run(&settings.square(plan), &subject, draws, memory, cancel_check)?;
                Ok(Points { points: found.best, doubtful: found.doubtful, zero_gradients: 0 })
            }
        }
    }

    /// The generator of one example.
    fn generator(&self, index: usize) -> ChaCha8Rng {
        let rank = self.run.rank.unwrap_or_default() as u64;
        let purpose = format!("{}-start", self.plan.attack.name());
        generator(self.seed, &purpose, &[index as u64, self.run.restart as u64, rank])
    }

    /// Raw starts: uniform in (-1, 1) for L-inf, else normal.
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

/// The class with the `rank`-th highest logit (from 1) of each image.
fn class_of_rank(model: &Evaluator, images: &Tensor, rank: usize) -> Tensor {
    let (_, order) = class_logits(&model.logits(images)).sort_stable(true, 1, true);
    order.select(1, rank as i64 - 1)
}

/// Signs that gradients or outputs of a network may mislead gradient attacks, from one block of examples.
///
/// AutoAttack's own checks, and the gradient of the margin at the image. (Its check for networks that optimize while
/// they predict has nothing to find: here a network is a list of layers, and a forward pass computes no gradient.)
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

    let length = |t: &Tensor| t.norm_scalaropt_dim(2, [1i64].as_slice(), true);
    let unit = |t: &Tensor| t / (length(t) + 1e-10);
    let passes: Vec<Tensor> = (1..PASSES).map(|_| model.logits(&block.images)).collect();
    let random = passes.iter().any(|outputs| {
        let again = class_logits(outputs);
        let difference = length(&(unit(&logits) - unit(&again))).max().double_value(&[]);
        let changed = predictions(&logits).ne_tensor(&predictions(&again)).any().int64_value(&[]) == 1;
        changed || difference > RANDOM
    });

    let outputs = &passes[0];
    let sums = outputs.sum_dim_intlist([1i64].as_slice(), false, outputs.kind());
    let probabilities = outputs.size()[1] > 1
        && outputs.max().double_value(&[]) < 1.0 + PROBABILITY
        && outputs.min().double_value(&[]) > -PROBABILITY
        && (sums - 1.0).abs().max().double_value(&[]) < PROBABILITY;
    AttackFlags { zero_gradients: zero, probabilities, random, ..AttackFlags::default() }
}
