//! Perturbed weights of one draw, and the losses under them.

use tch::Tensor;

use super::Unit;
use crate::attack::weights::{
    Examples, Pieces, Problem, Projection, Projector, Scope, WeightNorm, descent, joint, random,
};
use crate::error::{Error, Result};
use crate::job::{Flatness, FlatnessLoss};
use crate::measure::evaluation::{Batch, Pair, append, attack, mean, measure, starts};
use crate::measure::flatness::{Losses, draw_seed};
use crate::model::{Network, Weights};
use crate::progress::Pulse;
use crate::record::PerExample;
use crate::run::setup::Setup;

/// One perturbation of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Position of the tensor that alone is perturbed; none: all that take part.
    pub layer: Option<usize>,
    /// Index of the radius.
    pub radius: usize,
    /// Number of the draw.
    pub draw: usize,
}

impl Place {
    /// Its name in the journal.
    pub fn name(&self) -> String {
        let layer = self.layer.map_or_else(|| "all".to_owned(), |layer| layer.to_string());
        format!("{layer} {} {}", self.radius, self.draw)
    }
}

/// Makes the perturbed networks of a job.
pub struct Drawer<'a> {
    job: &'a Flatness,
    setup: &'a Setup,
    /// The reference on the device of the job.
    network: Network,
    tensors: Vec<usize>,
    /// Positions of tensors that are all zero: a relative radius does not move them.
    zero: Vec<usize>,
    /// What the weights are searched on.
    search: Vec<Batch>,
}

impl<'a> Drawer<'a> {
    /// For the tensors at `tensors` of the layout.
    ///
    /// # Errors
    /// The images of the search do not fit the network; or all weights that could move are zero.
    pub fn new(job: &'a Flatness, setup: &'a Setup, tensors: Vec<usize>) -> Result<Self> {
        let network = setup.checkpoint.network.to(setup.device, setup.precision.measure_kind());
        let weights = &network.weights;
        let layers = Pieces::new(weights.layout(), &tensors, Scope::Layer, setup.device);
        let sizes: Vec<f64> = Vec::try_from(layers.sizes(weights.flat(), WeightNorm::L2))?;
        let zero: Vec<usize> = (0..sizes.len()).filter(|i| sizes[*i] == 0.0 && !job.absolute).collect();
        if zero.len() == tensors.len() {
            return Err(Error::invalid(
                "all weights that could move are zero, so that a relative radius means nothing; choose other tensors",
            ));
        }
        if let Some(weight_box) = &job.weight_box {
            weight_box.check(tensors.len())?;
        }
        let search = match job.searches() {
            false => Vec::new(),
            true => setup.batches_of(job.search_data.as_ref(), job.descent.search_batch)?,
        };
        Ok(Self { job, setup, network, tensors, zero, search })
    }

    /// What the user should know about the tensors, by their names.
    pub fn warnings(&self, names: &[String]) -> Vec<String> {
        let Some(first) = self.zero.first() else { return Vec::new() };
        let (count, all) = (self.zero.len(), names.len());
        vec![format!(
            "{count} of {all} tensors are zero ({}{}) and stay so: radii are relative to the weights",
            names[*first],
            if count > 1 { ", …" } else { "" }
        )]
    }

    fn which(&self, place: &Place) -> &[usize] {
        match place.layer {
            None => &self.tensors,
            Some(layer) => std::slice::from_ref(&self.tensors[layer]),
        }
    }

    fn is_still(&self, place: &Place) -> bool {
        self.job.radii[place.radius] == 0.0 || place.layer.is_some_and(|layer| self.zero.contains(&layer))
    }

    /// The networks of a random draw; none where they are the reference itself, bit for bit.
    pub fn random(&self, place: &Place, pulse: Pulse) -> Result<Option<Pair>> {
        let _guard = tch::no_grad_guard();
        if self.is_still(place) {
            return Ok(None);
        }
        if self.job.worst_of > 1 {
            return Ok(self.pair(&self.worst_random(place, pulse)?));
        }
        let which = self.which(place);
        let ball = self.job.ball(self.job.radii[place.radius]);
        let pieces = Pieces::new(self.network.weights.layout(), which, ball.scope, self.setup.device);
        let seed = draw_seed(self.job.compute.seed, place.draw);
        let moved = ball.sample(&pieces, &self.network.weights, which, self.job.sampling, seed);
        Ok(match &self.job.weight_box {
            None => self.pair(&moved),
            Some(_) => self.pair(&self.projector(place).project(&moved)),
        })
    }

    /// Of several random perturbations the one of highest clean loss. The first is that of the draw alone.
    fn worst_random(&self, place: &Place, pulse: Pulse) -> Result<Tensor> {
        let first = draw_seed(self.job.compute.seed, place.draw);
        let seeds: Vec<u64> =
            std::iter::once(first).chain((1..self.job.worst_of).map(|at| draw_seed(first, at))).collect();
        let examples = self.examples();
        let problem = self.problem(place, &examples);
        let ball = self.job.ball(self.job.radii[place.radius]);
        random::worst(&problem, &ball, self.job.sampling, &self.projector(place), &seeds, pulse)
    }

    fn examples(&self) -> Vec<Examples<'_>> {
        self.search.iter().map(|batch| (&batch.images, &batch.labels)).collect()
    }

    /// What a search maximizes.
    fn problem<'b>(&'b self, place: &Place, batches: &'b [Examples<'b>]) -> Problem<'b> {
        let precision = self.setup.precision;
        Problem {
            network: &self.network,
            reference: &self.network.weights,
            which: self.which(place),
            batches,
            own_loss: None,
            kind: precision.search_kind(),
            allow_tf32: precision == crate::device::Precision::Tf32,
        }
    }

    /// What perturbations are kept in: the box, if there is one, then the ball.
    fn projector(&self, place: &Place) -> Projector {
        let clipped = self.job.weight_box.as_ref().map(|bounds| bounds.projection(place.layer));
        let ball = Projection::Ball(self.job.ball(self.job.radii[place.radius]));
        let projections: Vec<Projection> = clipped.into_iter().chain([ball]).collect();
        Projector::new(&projections, &self.network.weights, self.which(place))
    }

    fn pair(&self, perturbation: &Tensor) -> Option<Pair> {
        let moved = self.network.weights.flat() + perturbation;
        (moved != *self.network.weights.flat())
            .then(|| self.setup.pair(&Weights::from_flat(self.network.weights.layout().clone(), moved)))
    }

    /// Losses of batch `part` under a random draw.
    pub fn average(
        &self,
        perturbed: &Option<Pair>,
        part: usize,
        batch: &Batch,
        reference: &Losses,
        pulse: Pulse,
    ) -> Result<Unit> {
        let Some(pair) = perturbed else {
            let from = part * self.setup.batch_size;
            let range = from..from + batch.len();
            let losses = Losses {
                loss: reference.loss[range.clone()].to_vec(),
                wrong: reference.wrong[range].to_vec(),
            };
            return Ok(Unit { losses: Some(losses), search_difference: None });
        };
        pulse()?;
        let (rows, search_difference) = match self.job.loss {
            FlatnessLoss::Clean => (measure(&pair.measure, batch, None)?, None),
            FlatnessLoss::Robust => {
                let attacked = attack(pair, &self.job.attack, batch, self.job.compute.seed, pulse)?;
                (attacked.per_example, pair.search.as_ref().map(|_| attacked.search_difference))
            }
        };
        Ok(Unit { losses: Some(Losses::of(&rows)), search_difference })
    }

    /// Losses of all examples under the worst weights found.
    pub fn worst(&self, place: &Place, reference: &Losses, pulse: Pulse) -> Result<Unit> {
        let still = Unit { losses: Some(reference.clone()), search_difference: None };
        if self.is_still(place) {
            return Ok(still);
        }
        let (job, setup) = (self.job, self.setup);
        let which = self.which(place);
        let ball = job.ball(job.radii[place.radius]);
        let examples = self.examples();
        let problem = self.problem(place, &examples);
        let layout = self.network.weights.layout();
        let projector = self.projector(place);
        let pieces = Pieces::new(layout, which, ball.scope, setup.device);
        let seed = draw_seed(job.compute.seed, place.draw);
        let start =
            job.descent.start.map(|start| ball.sample(&pieces, &self.network.weights, which, start, seed));
        let start = start.as_ref();
        let (perturbation, deltas) = match job.loss {
            FlatnessLoss::Clean => {
                (descent::run(&job.descent, &problem, &projector, start, None, pulse)?, Vec::new())
            }
            FlatnessLoss::Robust => {
                let inputs: Vec<_> = self
                    .search
                    .iter()
                    .map(|batch| starts(&job.attack, batch, job.compute.seed, place.draw as u64))
                    .collect();
                let found = joint::run(
                    &job.descent,
                    &job.attack,
                    &problem,
                    &projector,
                    joint::From { weights: start, inputs: &inputs },
                    None,
                    pulse,
                )?;
                (found.weights, found.inputs)
            }
        };
        let Some(pair) = self.pair(&perturbation) else { return Ok(still) };
        let mut rows = PerExample::default();
        let mut seen = Vec::new();
        if job.loss == FlatnessLoss::Robust && job.search_data.is_none() {
            // The images that were searched on, with the perturbations found together with the weights.
            for (batch, delta) in self.search.iter().zip(&deltas) {
                append(&mut rows, measure(&pair.measure, batch, Some(delta))?);
                if let Some(search) = &pair.search {
                    seen.extend(measure(search, batch, Some(delta))?.loss);
                }
            }
        } else {
            for batch in &setup.batches {
                match job.loss {
                    FlatnessLoss::Clean => append(&mut rows, measure(&pair.measure, batch, None)?),
                    FlatnessLoss::Robust => {
                        append(
                            &mut rows,
                            attack(&pair, &job.attack, batch, job.compute.seed, pulse)?.per_example,
                        );
                    }
                }
                if let (Some(search), FlatnessLoss::Clean) = (&pair.search, job.loss) {
                    seen.extend(measure(search, batch, None)?.loss);
                }
            }
        }
        let search_difference = (!seen.is_empty()).then(|| mean(&seen) - mean(&rows.loss));
        Ok(Unit { losses: Some(Losses::of(&rows)), search_difference })
    }
}
