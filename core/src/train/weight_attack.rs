//! The perturbation of the weights that a step with [`super::Awp`] trains against.

use rand::RngCore as _;
use tch::Tensor;

use super::learner::{Head, Learner};
use super::settings::Train;
use super::sharpness::{Awp, WeightAttack};
use crate::attack::weights::{
    Bookkeeping, Descent, Pieces, Problem, Projection, Projector, Sampling, descent, random,
};
use crate::device::Precision;
use crate::error::Result;
use crate::model::Weights;
use crate::progress::Pulse;
use crate::seed::generator;

/// Perturbed weights, found on one batch of (adversarial) images with the network in evaluation mode. `indices`
/// (step and member) decide the random numbers. With clipping, perturbed weights are clipped, too.
///
/// # Errors
/// The loss is not finite; there are no tensors to perturb; or `pulse` wants to stop.
pub(super) fn perturb(
    settings: &Train,
    awp: &Awp,
    learner: &Learner,
    (images, labels): (&Tensor, &Tensor),
    indices: &[u64],
    pulse: Pulse,
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
    let problem = Problem {
        network: &network,
        reference: own,
        which: &which,
        batches: &[(images, labels)],
        kind: settings.precision.search_kind(),
        allow_tf32: settings.precision == Precision::Tf32,
    };
    let perturbation = match &awp.attack {
        WeightAttack::Random { ball, sampling } => random::draw(&problem, ball, *sampling, &projector, seed),
        WeightAttack::Descent { descent, ball } => {
            let start = descent.start.zip(*ball).map(|(sampling, ball): (Sampling, _)| {
                let pieces = Pieces::new(own.layout(), &which, ball.scope, learner.device());
                ball.sample(&pieces, own, &which, sampling, seed)
            });
            let mut descent: Descent = descent.clone();
            if settings.as_in_paper {
                descent.bookkeeping = Bookkeeping::Paper;
            }
            descent::run(&descent, &problem, &projector, start.as_ref(), None, pulse)?
        }
    };
    let perturbation = Weights::from_flat(own.layout().clone(), perturbation);
    Ok(own.moved(&[(1.0, &perturbation)]))
}
