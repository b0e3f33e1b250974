//! The directions of a plane, or of a line, in memory and in the journal; and the networks on it.

use std::cell::RefCell;
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::direction::{Direction, Normalization, Sources, orthogonal, scale, summarize, summarize_images};
use super::outcome::DirectionSummary;
use super::points::{Inputs, point, step_to_error};
use super::settings::{Landscape, RunningStatistics};
use crate::attack::weights::Scope;
use crate::error::Result;
use crate::measure::context::Context;
use crate::measure::evaluation::Batch;
use crate::measure::units::{UnitRunner, cancel_check};
use crate::model::{Network, Weights, calibrated, channels_last};

/// What is known of the directions of a plane once they are found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Found {
    /// In numbers, x first.
    pub directions: Vec<DirectionSummary>,
    /// By how much each was stretched so that step 1 is where the error has risen.
    pub stretch: Vec<f64>,
    /// Cosine of the angle between the two.
    pub cosine: Option<f64>,
}

/// Planes of a job on a checkpoint. One at a time is in memory.
pub struct Planes<'a> {
    pub job: &'a Landscape,
    pub context: &'a Context,
    /// The tensors that directions move.
    which: Vec<usize>,
    /// The weights on the device, in the precision of the measuring.
    pub weights: Weights,
    latest: RefCell<Option<(usize, Rc<Vec<Direction>>)>>,
}

impl<'a> Planes<'a> {
    /// # Errors
    /// The job's choice of tensors does not fit the network.
    pub fn new(job: &'a Landscape, context: &'a Context) -> Result<Self> {
        let network = &context.checkpoint.network;
        let which = job.tensors.select(network.layout())?;
        let weights = network.weights.to(context.device, context.exact_precision().measure_kind());
        Ok(Self { job, context, which, weights, latest: RefCell::new(None) })
    }

    /// The tensors that directions move.
    pub fn which(&self) -> &[usize] {
        &self.which
    }

    /// The directions of a plane, if they are in memory.
    pub fn in_memory(&self, plane: usize) -> Option<Rc<Vec<Direction>>> {
        let latest = self.latest.borrow();
        latest.as_ref().filter(|(number, _)| *number == plane).map(|(_, directions)| directions.clone())
    }

    /// The directions of a plane, found anew; `known`: what was found of them before.
    ///
    /// # Errors
    /// As [`Sources::find`].
    pub fn directions(
        &self,
        plane: usize,
        known: Option<&Found>,
        perturbations: Option<&[Tensor]>,
        runner: &mut dyn UnitRunner,
    ) -> Result<(Rc<Vec<Direction>>, Found)> {
        let (directions, found) = self.find(plane, known, perturbations, runner)?;
        let directions = Rc::new(directions);
        *self.latest.borrow_mut() = Some((plane, directions.clone()));
        Ok((directions, found))
    }

    fn find(
        &self,
        plane: usize,
        known: Option<&Found>,
        perturbations: Option<&[Tensor]>,
        runner: &mut dyn UnitRunner,
    ) -> Result<(Vec<Direction>, Found)> {
        let Self { job, context, weights, which, .. } = self;
        let sources = Sources { job, context, weights, which, perturbations };
        let rises = matches!(&job.normalize, Normalization::Paper(token) if token.is_scaled_to_error());
        let mut all: Vec<Direction> = Vec::new();
        let mut found = Found { directions: Vec::new(), stretch: Vec::new(), cosine: None };
        for (number, kind) in job.kinds().enumerate() {
            let mut source = sources.find(kind, plane, runner)?;
            let everything: Vec<usize> = (0..weights.layout().entries.len()).collect();
            let moved = if kind.has_length() { &everything } else { which };
            if let (Some(first), true) = (all.first(), job.orthogonal) {
                let scope = if kind.has_length() { Scope::Global } else { job.normalize.scope() };
                if !kind.moves_images() {
                    source.direction.weights =
                        orthogonal(&source.direction.weights, &first.weights, moved, scope);
                }
            }
            if !kind.has_length() {
                let raw = &source.direction.weights;
                source.direction.weights = scale(raw, weights, moved, &job.normalize, job.radius)?;
            }
            let mut stretch = 1.0;
            if rises && !kind.has_length() {
                stretch = match known {
                    Some(known) => known.stretch[number],
                    None => self.stretch(&source.direction, runner)?,
                };
                source.direction = source.direction.stretched(stretch);
            }
            let numbers = if source.direction.images.is_empty() {
                summarize(String::new(), &source.direction.weights, weights)
            } else {
                let images: Vec<&Tensor> = context.batches.iter().map(|batch| &batch.images).collect();
                summarize_images(&source.direction.images, &images)
            };
            found.directions.push(DirectionSummary {
                norm: numbers.norm,
                relative_norm: numbers.relative_norm,
                layers: numbers.layers,
                ..source.summary
            });
            found.stretch.push(stretch);
            all.push(source.direction);
        }
        if let [first, second] = all.as_slice() {
            found.cosine = first.cosine(second);
        }
        Ok((all, found))
    }

    /// By how much a direction is stretched so that step 1 raises the error as its normalization says.
    fn stretch(&self, direction: &Direction, runner: &mut dyn UnitRunner) -> Result<f64> {
        step_to_error(|step| {
            let pair = self.context.pair(&self.weights.moved(&[(step, &direction.weights)]));
            Ok(point(&pair, &self.context.batches, &Inputs::Clean, &mut cancel_check(runner))?.clean.error)
        })
    }

    /// The network at steps along directions.
    pub fn network(&self, steps: &[f64], directions: &[Direction]) -> Network {
        let moves: Vec<(f64, &Weights)> =
            steps.iter().copied().zip(directions.iter().map(|direction| &direction.weights)).collect();
        let weights = self.weights.moved(&moves);
        let own = &self.context.checkpoint.network;
        let is_origin = steps.iter().all(|step| *step == 0.0);
        let buffers = match self.job.statistics {
            RunningStatistics::Moved => moved_buffers(&own.buffers, steps, directions),
            RunningStatistics::Kept => shared(&own.buffers),
            RunningStatistics::Estimated if is_origin => shared(&own.buffers),
            RunningStatistics::Estimated => self.estimated(&weights),
        };
        Network { topology: own.topology.clone(), weights, buffers }
    }

    /// The images at steps along directions, within their range; none: those of the context.
    pub fn images(&self, steps: &[f64], directions: &[Direction]) -> Option<Vec<Batch>> {
        let moving =
            || steps.iter().zip(directions).filter(|(step, there)| **step != 0.0 && !there.images.is_empty());
        moving().next()?;
        let moved = |(number, batch): (usize, &Batch)| {
            let images = moving().fold(batch.images.shallow_clone(), |images, (step, direction)| {
                images + &direction.images[number] * *step
            });
            Batch {
                images: channels_last(&images.clamp(0.0, 1.0)),
                labels: batch.labels.shallow_clone(),
                indices: batch.indices.clone(),
            }
        };
        Some(self.context.batches.iter().enumerate().map(moved).collect())
    }

    /// Running statistics of the network at `weights` on the images for it.
    fn estimated(&self, weights: &Weights) -> Vec<(String, Tensor)> {
        let (device, kind) = (weights.flat().device(), weights.flat().kind());
        let network = Network {
            weights: Weights::from_flat(weights.layout().clone(), weights.flat().shallow_clone()),
            ..self.context.checkpoint.network.to(device, kind)
        };
        let images = self.context.search_batches(self.context.batch_size);
        calibrated(&network, images.iter().map(|batch| batch.images.to_kind(kind)), false).buffers
    }

    /// Where a network is: the steps of the point of the plane that is nearest to it, and its distance from there as a
    /// share of its distance from the origin.
    ///
    /// # Errors
    /// libtorch refuses to hand numbers over.
    pub fn place(&self, network: &Network, directions: &[Direction]) -> Result<(Vec<f64>, f64)> {
        let double = |weights: &Weights| weights.flat().to_kind(Kind::Double);
        let there = network.weights.to(self.weights.flat().device(), Kind::Double);
        let difference = there.flat() - double(&self.weights);
        let rows: Vec<Tensor> = directions.iter().map(|direction| double(&direction.weights)).collect();
        let rows = Tensor::stack(&rows, 0);
        let steps = rows.matmul(&rows.tr()).pinverse(1e-12).mv(&rows.mv(&difference));
        let outside = (&difference - rows.tr().mv(&steps)).norm().double_value(&[]);
        let distance = difference.norm().double_value(&[]);
        let share = if distance > 0.0 { outside / distance } else { 0.0 };
        Ok((Vec::try_from(steps)?, if share < 1e-6 { 0.0 } else { share }))
    }
}

/// Statistics moved as weights are; a variance is at least 0.
fn moved_buffers(own: &[(String, Tensor)], steps: &[f64], directions: &[Direction]) -> Vec<(String, Tensor)> {
    let moved = |(name, tensor): &(String, Tensor)| {
        let mut sum = tensor.shallow_clone();
        for (step, direction) in steps.iter().zip(directions).filter(|(step, _)| **step != 0.0) {
            if let Some((_, change)) = direction.buffers.iter().find(|(other, _)| other == name) {
                sum = sum.to_device(change.device()).to_kind(change.kind()) + change * *step;
            }
        }
        (name.clone(), if name.ends_with("running_var") { sum.clamp_min(0.0) } else { sum })
    };
    own.iter().map(moved).collect()
}

fn shared(buffers: &[(String, Tensor)]) -> Vec<(String, Tensor)> {
    buffers.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone())).collect()
}
