//! Eigenvalues of the Hessian at the points of a landscape.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::outcome::{CurvatureGrid, Values};
use super::settings::{Landscape, LandscapeLoss};
use crate::error::Result;
use crate::measure::context::Context;
use crate::measure::evaluation::{Batch, attack};
use crate::measure::hessian::{self, Curvature, Matrix, Wanted};
use crate::measure::units::{UnitRunner, cancel_check};
use crate::model::Network;

/// Largest residual relative to the eigenvalue.
pub const TOLERANCE: f64 = 1e-3;
/// Most products at a point.
const PRODUCTS: usize = 400;

/// Eigenvalues at a point, the outermost first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ends {
    largest: Vec<f64>,
    smallest: Vec<f64>,
    converged: bool,
}

/// About how many products of the Hessian with a vector a point takes.
pub fn usual_products(job: &Landscape) -> u64 {
    8 * job.eigenvalues as u64 + 24
}

/// Eigenvalues of the Hessian of the job's loss at a network, by the tensors `which`, on images as they are, attacked
/// there, or with what an attack on the unperturbed network adds (`fixed`, one tensor per batch).
///
/// # Errors
/// A loss is not finite; or the runner wants to stop.
pub fn ends(
    job: &Landscape,
    context: &Context,
    (network, which): (&Network, &[usize]),
    batches: &[Batch],
    fixed: &[Tensor],
    runner: &mut dyn UnitRunner,
) -> Result<Ends> {
    let size = hessian::batch_size(context) as i64;
    let pair = (job.loss == LandscapeLoss::Robust).then(|| context.pair_of(network));
    let mut pieces = Vec::new();
    for (number, batch) in batches.iter().enumerate() {
        let images = match (&pair, fixed.get(number)) {
            (Some(pair), _) => {
                let found = attack(pair, &job.attack, batch, job.compute.seed, &mut cancel_check(runner))?;
                &batch.images + found.perturbation
            }
            (None, Some(perturbation)) => &batch.images + perturbation,
            (None, None) => batch.images.shallow_clone(),
        };
        pieces.extend(images.split(size, 0).into_iter().zip(batch.labels.split(size, 0)));
    }
    let weights = network.weights.to(context.device, context.exact_precision().measure_kind());
    let curvature = Curvature::new(network, weights, which.to_vec(), &pieces, Matrix::Hessian);
    let count = job.eigenvalues.min((curvature.size() / 2).max(1) as usize);
    let wanted = Wanted { top: count, bottom: count, tolerance: TOLERANCE, products: PRODUCTS };
    let found = hessian::extremes(&curvature, wanted, job.compute.seed, usual_products(job), runner)?;
    let values = |pairs: &[hessian::Eigenvalue]| pairs.iter().map(|pair| pair.value).collect();
    Ok(Ends {
        largest: values(&found.largest),
        smallest: values(&found.smallest),
        converged: found.converged,
    })
}

/// What is found so far on the grid, the mean over draws; and at how many points eigenvalues have not settled.
pub fn grids(
    job: &Landscape,
    points: &[(usize, usize)],
    (nx, ny): (usize, Option<usize>),
    found: &dyn Fn(usize, (usize, usize)) -> Option<Ends>,
) -> (Option<CurvatureGrid>, usize) {
    if job.eigenvalues == 0 {
        return (None, 0);
    }
    let empty = || vec![Values::empty(nx, ny); job.eigenvalues];
    let mut grid = CurvatureGrid { largest: empty(), smallest: empty() };
    let mut unsettled = 0;
    for at in points {
        let drawn: Vec<Ends> = (0..job.draws).filter_map(|plane| found(plane, *at)).collect();
        unsettled += drawn.iter().filter(|ends| !ends.converged).count();
        if drawn.len() < job.draws {
            continue;
        }
        let set = |of: fn(&Ends) -> &[f64], values: &mut [Values]| {
            for (number, values) in values.iter_mut().enumerate() {
                let drawn: Option<Vec<f64>> =
                    drawn.iter().map(|ends| of(ends).get(number).copied()).collect();
                if let Some(drawn) = drawn {
                    values.set(at.0, at.1, drawn.iter().sum::<f64>() / drawn.len() as f64);
                }
            }
        };
        set(|ends| &ends.largest, &mut grid.largest);
        set(|ends| &ends.smallest, &mut grid.smallest);
    }
    (Some(grid), unsettled)
}
