//! Worst cases: perturbations of the weights found by gradient ascent, and the losses under them.

use tch::Tensor;

use super::draws::{PerturbationSampler, Place};
use super::keep::Keeper;
use super::losses::{Losses, Unit};
use super::settings::FlatnessLoss;
use crate::attack::weights::{WeightBlocks, descent, joint};
use crate::device::Precision;
use crate::error::Result;
use crate::measure::evaluation::{Batch, SearchAndMeasure, append, attack, measure, starts};
use crate::measure::rows::PerExample;
use crate::measure::search_cost::{self, SearchCost};
use crate::progress::CancelCheck;
use crate::seed::draw_seed;

/// What a search finds.
struct Found {
    /// Flat perturbation of the weights.
    weights: Tensor,
    /// Perturbations of the searched images in their order, where these were searched with the weights.
    inputs: Option<Tensor>,
}

/// Losses under the weights found, and at which inputs.
struct Measured {
    rows: PerExample,
    /// Perturbations of all images; none of clean ones.
    inputs: Option<Tensor>,
}

impl PerturbationSampler<'_> {
    /// Losses of all examples under the worst weights found, which are kept where they are to be.
    pub fn worst(&self, place: &Place, keeper: Option<&Keeper>, cancel_check: CancelCheck) -> Result<Unit> {
        let still = || -> Result<Unit> {
            keeper.map_or(Ok(()), |keeper| keeper.save(place, &self.network.weights, None))?;
            Ok(Unit::same())
        };
        if self.is_still(place) {
            return still();
        }
        let found = self.search(place, &self.search, self.context.precision, cancel_check)?;
        let Some(pair) = self.pair(&found.weights) else { return still() };
        let Measured { rows, inputs } = self.measured(&pair, &found, &self.context.batches, cancel_check)?;
        keeper.map_or(Ok(()), |keeper| keeper.save(place, &self.moved(&found.weights), inputs.as_ref()))?;
        Ok(Unit { losses: Some(Losses::of(&rows)), below: Vec::new(), same: false })
    }

    /// The search of one draw on these batches.
    fn search(
        &self,
        place: &Place,
        batches: &[Batch],
        precision: Precision,
        cancel_check: CancelCheck,
    ) -> Result<Found> {
        let job = self.job;
        let which = self.which(place);
        let ball = job.ball(job.radii[place.radius]);
        let examples = Self::examples(batches);
        let problem = self.problem(place, &examples, precision);
        let projector = self.projector(place);
        let pieces = WeightBlocks::new(self.network.weights.layout(), which, ball.scope, self.context.device);
        let seed = draw_seed(job.compute.seed, place.draw);
        let start =
            job.descent.start.map(|start| ball.sample(&pieces, &self.network.weights, which, start, seed));
        let start = start.as_ref();
        if !job.is_simultaneous() {
            let weights = descent::run(&job.descent, &problem, &projector, start, None, cancel_check)?;
            return Ok(Found { weights, inputs: None });
        }
        let inputs: Vec<Tensor> = batches
            .iter()
            .map(|batch| starts(&job.attack, batch, job.compute.seed, place.draw as u64))
            .collect();
        let from = joint::From { weights: start, inputs: &inputs };
        let found = joint::run(&job.descent, &job.attack, &problem, &projector, from, None, cancel_check)?;
        Ok(Found { weights: found.weights, inputs: Some(Tensor::cat(&found.inputs, 0)) })
    }

    /// The losses of the network found: clean, at the inputs found with it, or attacked as the reference is.
    fn measured(
        &self,
        pair: &SearchAndMeasure,
        found: &Found,
        batches: &[Batch],
        cancel_check: CancelCheck,
    ) -> Result<Measured> {
        let job = self.job;
        let joint = found.inputs.as_ref().filter(|_| job.reports_joint_inputs());
        let (mut rows, mut inputs, mut from) = (PerExample::default(), Vec::new(), 0);
        for batch in batches {
            let size = batch.len() as i64;
            match (job.loss, joint) {
                (FlatnessLoss::Clean, _) => append(&mut rows, measure(&pair.measure, batch, None)?),
                (_, Some(joint)) => {
                    let perturbation = joint.narrow(0, from, size);
                    append(&mut rows, measure(&pair.measure, batch, Some(&perturbation))?);
                    inputs.push(perturbation);
                }
                (_, None) => {
                    let attacked = attack(pair, &job.attack, batch, job.compute.seed, cancel_check)?;
                    append(&mut rows, attacked.per_example);
                    inputs.push(attacked.perturbation);
                }
            }
            from += size;
        }
        Ok(Measured { rows, inputs: (!inputs.is_empty()).then(|| Tensor::cat(&inputs, 0)) })
    }

    /// What searching in low precision misses: the first draw at the largest radius, on a sample of the examples.
    pub fn search_cost(&self, cancel_check: CancelCheck) -> Result<Option<SearchCost>> {
        let Some(sample) = search_cost::sample(self.context) else { return Ok(None) };
        let largest =
            (0..self.job.radii.len()).max_by(|a, b| self.job.radii[*a].total_cmp(&self.job.radii[*b]));
        let place = Place { layer: None, radius: largest.unwrap_or(0), draw: 0 };
        let parts = sample.pieces(self.job.descent.search_batch);
        let mut losses = Vec::new();
        for precision in [self.context.exact_precision(), self.context.precision] {
            let found = self.search(&place, &parts, precision, cancel_check)?;
            let pair = self.context.pair_searched_in(&self.moved(&found.weights), precision);
            losses.push(self.measured(&pair, &found, std::slice::from_ref(&sample), cancel_check)?.rows.loss);
        }
        Ok(Some(search_cost::between(&losses[0], &losses[1])))
    }
}
