//! Perturbed weights of one draw, and the losses under them.

use tch::Tensor;

use super::losses::{Losses, Unit};
use super::settings::{Flatness, FlatnessLoss};
use crate::attack::Pgd;
use crate::attack::weights::{
    Examples, Problem, Projection, Projector, Scope, WeightBlocks, WeightNorm, random,
};
use crate::device::Precision;
use crate::error::{Error, Result};
use crate::measure::context::Context;
use crate::measure::evaluation::{Batch, SearchAndMeasure, attack, attack_and_early, measure};
use crate::model::{Entry, Network, Weights};
use crate::progress::CancelCheck;
use crate::seed::draw_seed;

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
    fn name(&self) -> String {
        let layer = self.layer.map_or_else(|| "all".to_owned(), |layer| layer.to_string());
        format!("{layer} {} {}", self.radius, self.draw)
    }
}

/// How well a draw is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Under the whole attack, or however else the job measures a loss.
    Full,
    /// Under its first steps.
    Short,
    /// On clean images.
    Clean,
}

impl Level {
    /// All, the most expensive first.
    pub const ALL: [Self; 3] = [Self::Full, Self::Short, Self::Clean];

    /// Name of a unit.
    pub fn unit(self, place: &Place, part: usize) -> String {
        format!("{} {} part {part}", self.word(), place.name())
    }

    fn word(self) -> &'static str {
        match self {
            Self::Full => "draw",
            Self::Short => "short-draw",
            Self::Clean => "clean-draw",
        }
    }
}

/// Level, place and part of a unit's name; none: it is no draw.
pub fn of_unit(name: &str) -> Option<(Level, Place, usize)> {
    let words: Vec<&str> = name.split(' ').collect();
    let &[level, layer, radius, draw, "part", part] = words.as_slice() else { return None };
    let level = Level::ALL.into_iter().find(|of| of.word() == level)?;
    let layer = if layer == "all" { None } else { Some(layer.parse().ok()?) };
    let place = Place { layer, radius: radius.parse().ok()?, draw: draw.parse().ok()? };
    Some((level, place, part.parse().ok()?))
}

/// Makes the perturbed networks of a job.
pub struct PerturbationSampler<'a> {
    pub(super) job: &'a Flatness,
    pub(super) context: &'a Context,
    /// The reference on the device of the job.
    pub(super) network: Network,
    tensors: Vec<usize>,
    /// Positions of tensors that are all zero: a radius relative to them does not move them.
    zero: Vec<usize>,
    /// What the weights are searched on.
    pub(super) search: Vec<Batch>,
}

impl<'a> PerturbationSampler<'a> {
    /// For the tensors at `tensors` of the layout.
    ///
    /// # Errors
    /// The images of the search do not fit the network; or all weights that could move are zero.
    pub fn new(job: &'a Flatness, context: &'a Context, tensors: Vec<usize>) -> Result<Self> {
        let network = context.network.to(context.device, context.precision.measure_kind());
        let weights = &network.weights;
        let layers = WeightBlocks::new(weights.layout(), &tensors, Scope::Layer, context.device);
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
            true => context.search_batches(job.descent.search_batch),
        };
        Ok(Self { job, context, network, tensors, zero, search })
    }

    /// Whether the tensor at this position moves when it alone is perturbed.
    pub fn moves(&self, layer: usize) -> bool {
        !self.zero.contains(&layer)
    }

    /// What the user should know about the tensors, by their names.
    pub fn warnings(&self) -> Vec<String> {
        let (job, layout) = (self.job, self.network.layout());
        let zero = self.zero.iter().map(|at| &layout.entries[self.tensors[*at]]);
        let empty =
            layout.entries.iter().filter(|e| e.len == 0 && job.tensors.takes(&e.name, e.role, e.shape.len()));
        let left_out = |entries: Vec<&Entry>, why: &str| {
            (!entries.is_empty()).then(|| format!("left out, because {why}: {}", names(&entries)))
        };
        let zero: Vec<&Entry> = match (job.scope, job.per_layer) {
            // Relative to all tensors together, these move with the others.
            (Scope::Global, false) => Vec::new(),
            _ => zero.collect(),
        };
        let alone = if job.scope == Scope::Global { " by themselves" } else { "" };
        let zero = left_out(zero, &format!("a relative radius does not move tensors of zeros{alone}"));
        zero.into_iter().chain(left_out(empty.collect(), "they have no elements")).collect()
    }

    pub(super) fn which(&self, place: &Place) -> &[usize] {
        match place.layer {
            None => &self.tensors,
            Some(layer) => std::slice::from_ref(&self.tensors[layer]),
        }
    }

    pub(super) fn is_still(&self, place: &Place) -> bool {
        self.job.radii[place.radius] == 0.0 || place.layer.is_some_and(|layer| self.zero.contains(&layer))
    }

    /// The networks of a random draw; none where they are the reference itself, bit for bit.
    pub fn random(
        &self,
        place: &Place,
        level: Level,
        cancel_check: CancelCheck,
    ) -> Result<Option<SearchAndMeasure>> {
        let perturbation = self.perturbation(place, cancel_check)?;
        Ok(match (perturbation, level) {
            (None, _) => None,
            // Nothing is searched.
            (Some(perturbation), Level::Clean) => {
                let moved = self.moved(&perturbation);
                (moved.flat() != self.network.weights.flat()).then(|| self.context.measuring(&moved))
            }
            (Some(perturbation), _) => self.pair(&perturbation),
        })
    }

    /// The weights of a random draw.
    pub fn weights(&self, place: &Place, cancel_check: CancelCheck) -> Result<Weights> {
        Ok(match self.perturbation(place, cancel_check)? {
            None => self.network.weights.copy(),
            Some(perturbation) => self.moved(&perturbation),
        })
    }

    fn perturbation(&self, place: &Place, cancel_check: CancelCheck) -> Result<Option<Tensor>> {
        let _guard = tch::no_grad_guard();
        if self.is_still(place) {
            return Ok(None);
        }
        if self.job.worst_of > 1 {
            return self.worst_random(place, cancel_check).map(Some);
        }
        let which = self.which(place);
        let ball = self.job.ball(self.job.radii[place.radius]);
        let pieces = WeightBlocks::new(self.network.weights.layout(), which, ball.scope, self.context.device);
        let seed = draw_seed(self.job.compute.seed, place.draw);
        let moved = ball.sample(&pieces, &self.network.weights, which, self.job.sampling, seed);
        Ok(Some(match &self.job.weight_box {
            None => moved,
            Some(_) => self.projector(place).project(&moved),
        }))
    }

    /// Of several random perturbations the one of highest clean loss. The first is that of the draw alone.
    fn worst_random(&self, place: &Place, cancel_check: CancelCheck) -> Result<Tensor> {
        let first = draw_seed(self.job.compute.seed, place.draw);
        let seeds: Vec<u64> =
            std::iter::once(first).chain((1..self.job.worst_of).map(|at| draw_seed(first, at))).collect();
        let examples = Self::examples(&self.search);
        // Losses that are compared are exact.
        let problem = self.problem(place, &examples, self.context.exact_precision());
        let ball = self.job.ball(self.job.radii[place.radius]);
        random::worst(&problem, &ball, self.job.sampling, &self.projector(place), &seeds, cancel_check)
    }

    pub(super) fn examples(batches: &[Batch]) -> Vec<Examples<'_>> {
        batches.iter().map(|batch| (&batch.images, &batch.labels)).collect()
    }

    /// What a search maximizes.
    pub(super) fn problem<'b>(
        &'b self,
        place: &Place,
        batches: &'b [Examples<'b>],
        precision: Precision,
    ) -> Problem<'b> {
        Problem {
            network: &self.network,
            reference: &self.network.weights,
            which: self.which(place),
            batches,
            own_loss: None,
            kind: precision.search_kind(),
            allow_tf32: precision.allows_tf32(),
        }
    }

    /// What perturbations are kept in: the box, if there is one, then the ball.
    pub(super) fn projector(&self, place: &Place) -> Projector {
        let clipped = self.job.weight_box.as_ref().map(|bounds| bounds.projection(place.layer));
        let ball = Projection::Ball(self.job.ball(self.job.radii[place.radius]));
        let projections: Vec<Projection> = clipped.into_iter().chain([ball]).collect();
        Projector::new(&projections, &self.network.weights, self.which(place))
    }

    pub(super) fn pair(&self, perturbation: &Tensor) -> Option<SearchAndMeasure> {
        let moved = self.moved(perturbation);
        (moved.flat() != self.network.weights.flat()).then(|| self.context.pair(&moved))
    }

    /// The perturbed weights.
    pub(super) fn moved(&self, perturbation: &Tensor) -> Weights {
        Weights::from_flat(self.network.weights.layout().clone(), self.network.weights.flat() + perturbation)
    }

    /// Losses of batch `part` under a random draw, on a level and the cheaper ones.
    pub fn average(
        &self,
        perturbed: &Option<SearchAndMeasure>,
        level: Level,
        part: usize,
        cancel_check: CancelCheck,
    ) -> Result<Unit> {
        let batch = &self.context.batches[part];
        let Some(pair) = perturbed else { return Ok(Unit::same()) };
        cancel_check()?;
        let clean = || Ok::<_, Error>(Losses::of(&measure(&pair.measure, batch, None)?));
        let (job, seed) = (self.job, self.job.compute.seed);
        let early = job.levels.as_ref().map(|levels| levels.steps);
        let (losses, below) = match (job.loss, level, early) {
            (FlatnessLoss::Clean, ..) | (_, Level::Clean, _) => (clean()?, Vec::new()),
            (_, Level::Short, Some(steps)) => {
                let attacked = attack(pair, &Pgd { steps, ..job.attack.clone() }, batch, seed, cancel_check)?;
                (Losses::of(&attacked.per_example), vec![clean()?])
            }
            (FlatnessLoss::Robust, ..) => {
                let (attacked, early) =
                    attack_and_early(pair, &job.attack, batch, seed, early, cancel_check)?;
                let below = match early {
                    None => Vec::new(),
                    Some(early) => vec![Losses::of(&early.per_example), clean()?],
                };
                (Losses::of(&attacked.per_example), below)
            }
        };
        Ok(Unit { losses: Some(losses), below, same: false })
    }
}

/// Names of tensors, the first ten.
fn names(entries: &[&Entry]) -> String {
    const MOST: usize = 10;
    let mut names: Vec<String> = entries.iter().take(MOST).map(|entry| entry.name.clone()).collect();
    names.extend((entries.len() > MOST).then(|| format!("{} more", entries.len() - MOST)));
    names.join(", ")
}
