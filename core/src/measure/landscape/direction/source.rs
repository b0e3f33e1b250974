//! Directions before they are scaled.

use std::path::Path;
use std::sync::Arc;

use tch::Tensor;

use super::Direction;
use super::component::components;
use super::kind::DirectionKind;
use crate::attack::weights::{Ball, Problem, Projection, Projector, WeightBlocks, descent, joint};
use crate::attack::{Pgd, Start};
use crate::checkpoint::{Checkpoint, check_alike};
use crate::error::{Error, Result};
use crate::measure::context::{Context, Fellow};
use crate::measure::evaluation::{Batch, attack, starts};
use crate::measure::hessian::{self, Curvature, Matrix, Wanted};
use crate::measure::landscape::outcome::DirectionSummary;
use crate::measure::landscape::settings::Landscape;
use crate::measure::units::{UnitRunner, cancel_check};
use crate::model::{Layout, Network, Weights};
use crate::seed::{draw_seed, generator, normal};

/// What directions are found with.
pub struct Sources<'a> {
    /// What is asked.
    pub job: &'a Landscape,
    /// Checkpoint, images, other networks.
    pub context: &'a Context,
    /// The weights on the device, in float32 or float64.
    pub weights: &'a Weights,
    /// The tensors that directions move.
    pub which: &'a [usize],
    /// What is added to the images of every batch where the loss is not clean.
    pub perturbations: Option<&'a [Tensor]>,
}

/// A direction before it is scaled, and what is known of it.
pub struct Found {
    /// It.
    pub direction: Direction,
    /// Name, and what its source tells; norms are those before scaling.
    pub summary: DirectionSummary,
}

impl Found {
    fn of(kind: &DirectionKind, weights: Weights) -> Self {
        let summary = DirectionSummary { name: kind.to_string(), ..DirectionSummary::default() };
        Self { direction: Direction::of(weights), summary }
    }
}

/// Gaussian numbers in the tensors at `which`; `draw` and `plane` tell directions of a seed apart.
pub fn random(layout: &Arc<Layout>, which: &[usize], seed: u64, draw: u64, plane: usize) -> Weights {
    let direction = Weights::zeros(layout.clone());
    for index in which {
        let number = [draw, *index as u64, plane as u64];
        let mut rng = generator(seed, "direction", if plane == 0 { &number[..2] } else { &number });
        let mut view = direction.view(*index);
        let values = normal(&mut rng, layout.entries[*index].len as usize);
        view.copy_(&Tensor::from_slice(&values).view_as(&view));
    }
    direction
}

impl Sources<'_> {
    /// A direction; `plane` numbers draws of those that are drawn.
    ///
    /// # Errors
    /// A loss or a gradient is not finite; another network does not fit; or the runner wants to stop.
    pub fn find(&self, kind: &DirectionKind, plane: usize, runner: &mut dyn UnitRunner) -> Result<Found> {
        let seed = self.job.compute.seed;
        match kind {
            DirectionKind::Random(draw) => {
                let drawn = random(self.weights.layout(), self.which, seed, *draw, plane);
                Ok(Found::of(kind, self.here(&drawn)))
            }
            DirectionKind::Gradient => self.gradient(kind, runner),
            DirectionKind::Worst(start) => {
                let first = draw_seed(seed, *start as usize);
                let seed = if plane == 0 { first } else { draw_seed(first, plane) };
                self.worst(kind, seed, runner)
            }
            DirectionKind::Hessian(number) => self.eigenvector(kind, *number, runner),
            DirectionKind::Joint(start) => {
                // Of the first plane as the draws of worst-case flatness.
                let seed = if plane == 0 { seed } else { draw_seed(seed, plane) };
                self.joint(kind, (seed, *start), runner)
            }
            DirectionKind::Toward(path) => self.toward(kind, path),
            DirectionKind::Along(path) => self.along(kind, path),
            DirectionKind::RandomInput(draw) => Ok(self.random_images(kind, *draw, plane)),
            DirectionKind::WorstInput => self.worst_images(kind, runner),
            DirectionKind::Component(number) => self.component(kind, *number),
        }
    }

    /// On the device, in the kind of the weights.
    fn here(&self, direction: &Weights) -> Weights {
        direction.to(self.weights.flat().device(), self.weights.flat().kind())
    }

    /// The images that the loss is taken on, in batches of `size`.
    fn images(&self, size: usize) -> Vec<(Tensor, Tensor)> {
        let attacked = |(number, batch): (usize, &Batch)| match self.perturbations {
            Some(all) => &batch.images + &all[number],
            None => batch.images.shallow_clone(),
        };
        let images: Vec<Tensor> = self.context.batches.iter().enumerate().map(attacked).collect();
        let labels: Vec<&Tensor> = self.context.batches.iter().map(|batch| &batch.labels).collect();
        let (images, labels) = (Tensor::cat(&images, 0), Tensor::cat(&labels, 0));
        images.split(size as i64, 0).into_iter().zip(labels.split(size as i64, 0)).collect()
    }

    fn curvature<T>(&self, work: impl FnOnce(&Curvature) -> Result<T>) -> Result<T> {
        let images = self.images(hessian::batch_size(self.context));
        let network = &self.context.checkpoint.network;
        let weights = Weights::from_flat(self.weights.layout().clone(), self.weights.flat().shallow_clone());
        work(&Curvature::new(network, weights, self.which.to_vec(), &images, Matrix::Hessian))
    }

    fn gradient(&self, kind: &DirectionKind, runner: &mut dyn UnitRunner) -> Result<Found> {
        runner.alive()?;
        self.curvature(|curvature| {
            let flat = curvature.expand(&curvature.gradient());
            let gradient = Weights::from_flat(self.weights.layout().clone(), flat);
            let slope = gradient.norm();
            if !slope.is_finite() || slope == 0.0 {
                return Err(Error::NotFinite(format!(
                    "the gradient of the loss is {slope}, which is no direction; choose another one"
                )));
            }
            let mut found = Found::of(kind, gradient);
            found.summary.gradient = Some(slope);
            Ok(found)
        })
    }

    fn eigenvector(&self, kind: &DirectionKind, number: i64, runner: &mut dyn UnitRunner) -> Result<Found> {
        let seed = self.job.compute.seed;
        let count = number.unsigned_abs() as usize;
        let (top, bottom) = if number > 0 { (count, 0) } else { (0, count) };
        self.curvature(|curvature| {
            if count as i64 > curvature.size() {
                return Err(Error::invalid(format!(
                    "{kind} does not exist: the Hessian has {} rows; use a smaller number",
                    curvature.size()
                )));
            }
            let wanted = Wanted { top, bottom, tolerance: TOLERANCE, products: PRODUCTS };
            let pairs = curvature.extremes(wanted, seed, &mut |_| Ok(runner.alive()?))?;
            let at = count - 1;
            let flat = curvature.expand(&pairs.vectors.get(at as i64));
            let mut found = Found::of(kind, Weights::from_flat(self.weights.layout().clone(), flat));
            found.summary.eigenvalue = Some(if number > 0 { pairs.largest[at] } else { pairs.smallest[at] });
            Ok(found)
        })
    }

    /// What gradient ascent on the weights adds (the paper's adversarial direction). Where the loss is robust the
    /// adversarial examples are those of the unperturbed network, which stay as they are.
    fn worst(&self, kind: &DirectionKind, seed: u64, runner: &mut dyn UnitRunner) -> Result<Found> {
        let search = &self.job.search;
        let images = self.images(search.search_batch);
        let examples: Vec<(&Tensor, &Tensor)> =
            images.iter().map(|(images, labels)| (images, labels)).collect();
        let (problem, projector, start) = self.ascent(&examples, seed);
        let found =
            descent::run(search, &problem, &projector, start.as_ref(), None, &mut cancel_check(runner))?;
        Ok(Found::of(kind, Weights::from_flat(self.weights.layout().clone(), found)))
    }

    /// What gradient ascent on weights and images together adds to the weights.
    fn joint(
        &self,
        kind: &DirectionKind,
        (seed, draw): (u64, u64),
        runner: &mut dyn UnitRunner,
    ) -> Result<Found> {
        let Landscape { search, attack, .. } = self.job;
        let size = search.search_batch;
        let batches: Vec<Batch> = self.context.batches.iter().flat_map(|batch| batch.pieces(size)).collect();
        let examples: Vec<(&Tensor, &Tensor)> =
            batches.iter().map(|batch| (&batch.images, &batch.labels)).collect();
        let inputs: Vec<Tensor> = batches.iter().map(|batch| starts(attack, batch, seed, draw)).collect();
        let (problem, projector, start) = self.ascent(&examples, draw_seed(seed, draw as usize));
        let from = joint::From { weights: start.as_ref(), inputs: &inputs };
        let found = joint::run(search, attack, &problem, &projector, from, None, &mut cancel_check(runner))?;
        Ok(Found::of(kind, Weights::from_flat(self.weights.layout().clone(), found.weights)))
    }

    /// What gradient ascent on the weights asks, how it stays in its ball, and where it starts.
    fn ascent<'b>(
        &'b self,
        examples: &'b [(&'b Tensor, &'b Tensor)],
        seed: u64,
    ) -> (Problem<'b>, Projector, Option<Tensor>) {
        let Landscape { search, search_radius, .. } = self.job;
        let ball = Ball::layerwise(*search_radius);
        let problem = Problem {
            network: &self.context.checkpoint.network,
            reference: self.weights,
            which: self.which,
            batches: examples,
            own_loss: None,
            kind: self.context.precision.search_kind(),
            allow_tf32: self.context.precision.allows_tf32(),
        };
        let projector = Projector::new(&[Projection::Ball(ball)], self.weights, self.which);
        let device = self.weights.flat().device();
        let pieces = WeightBlocks::new(self.weights.layout(), self.which, ball.scope, device);
        let start = search.start.map(|start| ball.sample(&pieces, self.weights, self.which, start, seed));
        (problem, projector, start)
    }

    /// The numbers of a file.
    fn along(&self, kind: &DirectionKind, path: &Path) -> Result<Found> {
        let other = &self.fellows(path)?[0].checkpoint;
        let mut found = Found::of(kind, self.here(&other.network.weights));
        found.summary.checkpoint_hash = Some(other.summary.hash.clone());
        if found.direction.weights.norm() == 0.0 {
            return Err(Error::file(path, "holds zeros alone, which are no direction; give another file"));
        }
        Ok(found)
    }

    /// In every image normal numbers, as large as the attack allows.
    fn random_images(&self, kind: &DirectionKind, draw: u64, plane: usize) -> Found {
        let attack = Pgd { start: Start::UniformSphere, ..self.job.attack.clone() };
        let seed = draw_seed(self.job.compute.seed, draw as usize);
        let of = |batch: &Batch| starts(&attack, batch, seed, plane as u64).to_kind(batch.images.kind());
        self.of_images(kind, self.context.batches.iter().map(of).collect())
    }

    /// What the attack adds to every image.
    fn worst_images(&self, kind: &DirectionKind, runner: &mut dyn UnitRunner) -> Result<Found> {
        let pair = self.context.pair(&self.context.checkpoint.network.weights);
        let (settings, seed) = (&self.job.attack, self.job.compute.seed);
        let of = |batch| {
            attack(&pair, settings, batch, seed, &mut cancel_check(runner)).map(|found| found.perturbation)
        };
        let found = self.context.batches.iter().map(of).collect::<Result<_>>()?;
        Ok(self.of_images(kind, found))
    }

    fn of_images(&self, kind: &DirectionKind, images: Vec<Tensor>) -> Found {
        let mut found = Found::of(kind, self.here(&Weights::zeros(self.weights.layout().clone())));
        found.direction.images = images;
        found
    }

    fn toward(&self, kind: &DirectionKind, path: &Path) -> Result<Found> {
        let other = &self.fellows(path)?[0].checkpoint;
        let mut found = Found::of(kind, self.difference(&other.network));
        found.direction.buffers = self.buffers(&other.network);
        found.summary.checkpoint_hash = Some(other.summary.hash.clone());
        if found.direction.weights.norm() == 0.0 {
            let reason = "has the same weights, so that no direction leads to it; choose another network";
            return Err(Error::file(path, reason));
        }
        Ok(found)
    }

    fn component(&self, kind: &DirectionKind, number: usize) -> Result<Found> {
        let path = self.job.trajectory.as_ref().expect("checked with the settings");
        let networks: Vec<&Network> =
            self.fellows(path)?.iter().map(|fellow| &fellow.checkpoint.network).collect();
        let found = components(&networks, &self.context.checkpoint.network.weights, number)?;
        let factors = &found.factors[number - 1];
        let mut flat = self.weights.flat().zeros_like();
        let mut buffers: Vec<(String, Tensor)> = Vec::new();
        for (network, factor) in networks.iter().zip(factors) {
            flat += self.difference(network).flat() * *factor;
            for (at, (name, difference)) in self.buffers(network).into_iter().enumerate() {
                match buffers.get_mut(at) {
                    Some((_, sum)) => *sum += difference * *factor,
                    None => buffers.push((name, difference * *factor)),
                }
            }
        }
        let mut component = Found::of(kind, Weights::from_flat(self.weights.layout().clone(), flat));
        component.direction.buffers = buffers;
        component.summary.variance = Some(found.shares[number - 1]);
        Ok(component)
    }

    /// Networks at a path.
    fn fellows(&self, path: &Path) -> Result<&[Fellow]> {
        self.context
            .fellows
            .iter()
            .find(|(there, _)| there == path)
            .map(|(_, found)| found.as_slice())
            .ok_or_else(|| Error::file(path, "was not opened with the job"))
    }

    /// From the weights to those of another network.
    fn difference(&self, other: &Network) -> Weights {
        let there = self.here(&other.weights);
        Weights::from_flat(self.weights.layout().clone(), there.flat() - self.weights.flat())
    }

    /// From the running statistics to those of another network.
    fn buffers(&self, other: &Network) -> Vec<(String, Tensor)> {
        let (device, kind) = (self.weights.flat().device(), self.weights.flat().kind());
        let here = |tensor: &Tensor| tensor.to_device(device).to_kind(kind);
        let own = self.context.checkpoint.network.buffers.iter();
        let pairs = own.zip(&other.buffers).filter(|((_, own), _)| own.is_floating_point());
        pairs.map(|((name, own), (_, other))| (name.clone(), here(other) - here(own))).collect()
    }
}

/// Residual of eigenvectors relative to the eigenvalue, and most products for them.
const TOLERANCE: f64 = 1e-3;
const PRODUCTS: usize = 400;

/// Checks that another network can be reached from a checkpoint by adding to its weights.
///
/// # Errors
/// It is of another architecture, or reads images in another way.
pub fn check_fellow(checkpoint: &Checkpoint, other: &Checkpoint) -> Result<()> {
    let (own, its) = (&checkpoint.network.topology, &other.network.topology);
    check_alike(checkpoint, other)?;
    if own.layers != its.layers {
        let reason = "is read in another way than the checkpoint (normalization of images, shortcuts or activation); give both with the same --assume";
        return Err(Error::file(&other.summary.path, reason));
    }
    Ok(())
}
