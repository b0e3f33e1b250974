//! The perturbation of the weights that a step with [`super::Awp`] trains against.

use rand::RngCore as _;
use tch::Tensor;

use super::learner::{Head, Learner};
use super::loss::{mart, trades};
use super::prepare::{Prepared, index};
use super::settings::{Method, Train};
use super::sharpness::{Awp, WeightAttack};
use crate::attack::weights::{
    BatchLoss, Bookkeeping, Descent, Problem, Projection, Projector, Sampling, WeightBlocks, descent, random,
};
use crate::device::Precision;
use crate::error::Result;
use crate::loss::cross_entropy;
use crate::model::{Evaluator, Network, Weights};
use crate::progress::CancelCheck;
use crate::seed::generator;

/// Perturbed weights, found on one prepared batch with the network in evaluation mode, by ascending the method's own
/// loss. `indices` (step and member) decide the random numbers. With clipping, perturbed weights are clipped, too.
///
/// # Errors
/// The loss is not finite; there are no tensors to perturb; or `cancel_check` wants to stop.
pub(super) fn perturb(
    settings: &Train,
    awp: &Awp,
    learner: &Learner,
    on: &Prepared,
    indices: &[u64],
    cancel_check: CancelCheck,
) -> Result<Weights> {
    let own = learner.weights();
    let mut which = awp.tensors.select(own.layout())?;
    which.retain(|index| !own.layout().entries[*index].name.starts_with("auxiliary."));
    let seed = generator(settings.seed, "weight-perturbation", indices).next_u64();
    let mut projections = Vec::new();
    if let Some(bound) = settings.clipping {
        projections.push(Projection::Box { min: Some(-bound), max: Some(bound) });
    }
    if let WeightAttack::Descent { ball: Some(ball), .. } = awp.attack {
        projections.push(Projection::Ball(ball));
    }
    let projector = Projector::new(&projections, own, &which);
    let network = learner.network(Head::Classes);
    let own_loss = MethodLoss::of(&settings.method, learner, on);
    let problem = Problem {
        network: &network,
        reference: own,
        which: &which,
        batches: &[(&on.input, &on.labels)],
        own_loss: own_loss.as_ref().map(|loss| loss as &dyn BatchLoss),
        kind: settings.precision.search_kind(),
        allow_tf32: settings.precision == Precision::Tf32,
    };
    let perturbation = match &awp.attack {
        WeightAttack::Random { ball, sampling } => random::draw(&problem, ball, *sampling, &projector, seed),
        WeightAttack::Descent { descent, ball } => {
            let start = descent.start.zip(*ball).map(|(sampling, ball): (Sampling, _)| {
                let pieces = WeightBlocks::new(own.layout(), &which, ball.scope, learner.device());
                ball.sample(&pieces, own, &which, sampling, seed)
            });
            let mut descent: Descent = descent.clone();
            if settings.as_in_paper {
                descent.bookkeeping = Bookkeeping::Paper;
            }
            descent::run(&descent, &problem, &projector, start.as_ref(), None, cancel_check)?
        }
    };
    let perturbation = Weights::from_flat(own.layout().clone(), perturbation);
    Ok(own.moved(&[(1.0, &perturbation)]))
}

/// The loss of a method that is not the cross-entropy of its (adversarial) images alone: the whole of it, as in AWP's own
/// TRADES-AWP (Wu et al. 2020). Labels are taken as they are.
#[derive(Debug)]
struct MethodLoss<'a> {
    method: &'a Method,
    on: &'a Prepared,
    classes: Network,
    rotations: Network,
}

impl<'a> MethodLoss<'a> {
    /// None: the cross-entropy is the method's loss.
    fn of(method: &'a Method, learner: &Learner, on: &'a Prepared) -> Option<Self> {
        match method {
            Method::Normal | Method::Adversarial { .. } => None,
            Method::Trades { .. } | Method::Mart { .. } | Method::Rotation { .. } => {
                let [classes, rotations] = [Head::Classes, Head::Rotations].map(|head| learner.network(head));
                Some(Self { method, on, classes, rotations })
            }
        }
    }
}

impl BatchLoss for MethodLoss<'_> {
    fn of(&self, model: &dyn Fn(&Network) -> Evaluator) -> (Tensor, Tensor) {
        let Prepared { clean, input, labels, tasks, .. } = self.on;
        let classes = model(&self.classes);
        let logits = classes.logits(input);
        let loss = match self.method {
            Method::Trades { weight } => {
                let clean = classes.logits(clean);
                trades(&clean, &logits, &cross_entropy(&clean, labels), *weight).total
            }
            Method::Mart { weight } => mart(&classes.logits(clean), &logits, labels, *weight).total,
            Method::Rotation { weight, .. } => {
                let tasks = tasks.as_ref().expect("such a method's batches have both tasks");
                let [supervised, rotated] = tasks.each_ref().map(|task| index(task, labels));
                let turns = model(&self.rotations).logits(input);
                let mean = |logits: &Tensor, task: &Tensor| {
                    let losses = cross_entropy(&logits.index_select(0, task), &labels.index_select(0, task));
                    losses.mean(losses.kind())
                };
                mean(&logits, &supervised) + mean(&turns, &rotated) * *weight
            }
            Method::Normal | Method::Adversarial { .. } => unreachable!("their loss is the cross-entropy"),
        };
        (loss, logits)
    }
}
