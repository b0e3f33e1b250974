//! The one training step that every method shares: gradient of a batch (at perturbed weights, if asked for),
//! optimizer, running average.

use rand::RngCore as _;
use tch::{Device, Kind, Tensor};

use super::average::RunningAverage;
use super::batch::TrainBatch;
use super::entropy::walk;
use super::learner::{Learner, auxiliary_head};
use super::loss::mean;
use super::optimizer::{self, Memory, Optimizer};
use super::prepare::{Prepared, prepare};
use super::schedule::Rate;
use super::settings::{Method, Train};
use super::sharpness::{Awp, Curriculum, Sharpness, sam_step};
use super::statistics::{TensorStatistics, statistics};
use super::step::{Values, loss};
use super::weight_attack::perturb;
use crate::device::Precision;
use crate::error::Result;
use crate::model::Network;
use crate::progress::CancelCheck;
use crate::seed::generator;

/// What a step reports as the loss at perturbed weights (of several perturbations the mean), where it has any.
pub const PERTURBED_LOSS: &str = "perturbed_loss";

/// The part of a step that perturbs the weights, in words.
pub const IN_PERTURBATION: &str = "in the perturbation of its weights";

/// A network in training with everything that changes from step to step.
#[derive(Debug)]
pub struct Trainer {
    /// What is done.
    pub settings: Train,
    /// The network.
    pub learner: Learner,
    /// What the optimizer remembers.
    pub memory: Memory,
    /// The running average, once there is one.
    pub average: Option<RunningAverage>,
    /// Weight perturbations of the next step.
    pub population: usize,
    /// The gradient of the last step, flat over the trainable weights, where statistics are asked for.
    pub gradient: Option<Tensor>,
    /// Whether the network was last used for testing: matters for pseudo labels as in the paper.
    pub evaluating: bool,
}

/// What one step did.
#[derive(Debug)]
pub struct StepReport {
    /// Numbers by name.
    pub values: Values,
    /// Learning rate and momentum used.
    pub rate: Rate,
    /// Weight perturbations used.
    pub population: usize,
}

impl Trainer {
    /// Takes `network` to `device` and prepares to train it. `settings.precision` must not be `auto`.
    ///
    /// # Errors
    /// The network cannot be trained by the method.
    pub fn new(settings: Train, network: &Network, device: Device) -> Result<Self> {
        let auxiliary = match settings.method {
            Method::Rotation { .. } => Some(auxiliary_head(&network.topology, settings.seed)?),
            _ => None,
        };
        let kind = settings.step_precision.measure_kind();
        let mut learner = Learner::new(network, auxiliary, device, kind)?;
        if settings.step_precision == Precision::Bf16 {
            learner.use_bf16();
        }
        let population = match &settings.sharpness {
            Sharpness::Awp(awp) => awp.curriculum.next(awp.population, None),
            _ => 0,
        };
        Ok(Self {
            settings,
            learner,
            memory: Memory::default(),
            average: None,
            population,
            gradient: None,
            evaluating: false,
        })
    }

    /// The rate of step `step`.
    pub fn rate(&self, step: u64, steps_per_epoch: u64) -> Rate {
        let base = self.settings.optimizer.learning_rate();
        if self.settings.as_in_paper && matches!(self.settings.optimizer, Optimizer::EntropySgd(_)) {
            return Rate { learning_rate: base, momentum: None };
        }
        self.settings.schedule.rate(base, step, steps_per_epoch)
    }

    /// To be called before the first step of every epoch.
    pub fn begin_epoch(&mut self) {
        if self.average.is_none() || self.settings.as_in_paper {
            self.update_average();
        }
    }

    /// One step. `next` gives the step's batches: one, with Entropy-SGD more.
    ///
    /// # Errors
    /// An attack meets a loss that is no number, or `cancel_check` wants to stop; the weights are then as before.
    pub fn step(
        &mut self,
        step: u64,
        rate: Rate,
        next: &mut dyn FnMut() -> Result<TrainBatch>,
        cancel_check: CancelCheck,
    ) -> Result<StepReport> {
        self.learner.seed_dropout(generator(self.settings.seed, "dropout", &[step]).next_u64());
        let population = self.population;
        let weights = self.learner.trainable();
        let (gradient, values) = if let Optimizer::EntropySgd(entropy) = self.settings.optimizer.clone() {
            let grown = if self.settings.as_in_paper { 0 } else { self.memory.steps };
            let scope = entropy.scope * (1.0 + entropy.scoping).powi(grown as i32);
            let mut first = None;
            let found = walk(&entropy, &weights, scope, self.settings.seed, step, || {
                let found = self.gradient(next()?, step, cancel_check)?;
                first.get_or_insert_with(|| found.0.copy());
                Ok(found)
            })?;
            if self.settings.as_in_paper && self.memory.first.is_none() {
                // The paper's program begins its momentum with the very first gradient, not with nothing.
                self.memory.first = first;
            }
            found
        } else {
            self.gradient(next()?, step, cancel_check)?
        };
        optimizer::step(&self.settings.optimizer, &mut self.memory, &weights, &gradient, rate);
        self.gradient = self.settings.tensor_statistics.then_some(gradient);
        self.update_average();
        Ok(StepReport { values, rate, population })
    }

    /// Statistics of every trainable tensor and of its gradient in the last step, without weight decay; empty where they
    /// are not asked for, or before the first step.
    pub fn statistics(&self) -> Vec<TensorStatistics> {
        self.gradient.as_ref().map_or_else(Vec::new, |gradient| {
            statistics(self.learner.weights(), self.learner.whole_vector(gradient).flat())
        })
    }

    /// The gradient that a batch gives, flat over the trainable weights.
    fn gradient(
        &mut self,
        batch: TrainBatch,
        step: u64,
        cancel_check: CancelCheck,
    ) -> Result<(Tensor, Values)> {
        let at = (step, self.evaluating);
        let prepared = prepare(&self.settings, &self.learner, batch, at, cancel_check)
            .map_err(|error| error.in_stage("in the attack on its images"))?;
        self.evaluating = false;
        let learner = &self.learner;
        match &self.settings.sharpness {
            Sharpness::Awp(awp) if self.population > 0 => {
                let (gradient, values) = self.perturbed(awp, &prepared, step, cancel_check)?;
                self.population = awp.curriculum.next(awp.population, Some(told(awp.curriculum, &values)));
                Ok((gradient, values))
            }
            sharpness => {
                let (total_loss, mut values) = loss(&self.settings, learner, &prepared, learner.own(), step);
                let mut gradient = learner.gradient(learner.own(), &total_loss);
                match sharpness {
                    Sharpness::Sam { radius, adaptive } => {
                        let move_by = sam_step(&learner.acting(), &gradient, *radius, *adaptive);
                        let place = learner.weights().moved(&[(1.0, &learner.whole_vector(&move_by))]);
                        let place = learner.place(&place);
                        let (total_loss, _) = loss(&self.settings, learner, &prepared, &place, step);
                        values.push((PERTURBED_LOSS, total_loss.detach()));
                        gradient = learner.gradient(&place, &total_loss);
                    }
                    Sharpness::Awp(awp) => {
                        self.population =
                            awp.curriculum.next(awp.population, Some(told(awp.curriculum, &values)));
                    }
                    Sharpness::None => {}
                }
                Ok((gradient, values))
            }
        }
    }

    /// The mean of the clamped gradients at perturbed weights. A pass at the weights themselves updates the
    /// running statistics and is what is reported.
    fn perturbed(
        &self,
        awp: &Awp,
        on: &Prepared,
        step: u64,
        cancel_check: CancelCheck,
    ) -> Result<(Tensor, Values)> {
        let learner = &self.learner;
        let (_, mut values) = tch::no_grad(|| loss(&self.settings, learner, on, learner.own(), step));
        let mut sum = learner.trainable().zeros_like();
        let mut losses = Vec::new();
        for member in 0..self.population as u64 {
            cancel_check()?;
            let to = [step, member];
            let weights = perturb(&self.settings, awp, learner, on, &to, cancel_check)
                .map_err(|error| error.in_stage(IN_PERTURBATION))?;
            let place = learner.place(&weights);
            let (total_loss, _) = loss(&self.settings, learner, on, &place, step);
            losses.push(total_loss.detach());
            let gradient = learner.gradient(&place, &total_loss);
            sum += match awp.gradient_clamp {
                Some(bound) => gradient.clamp(-bound, bound),
                None => gradient,
            };
        }
        values.push((PERTURBED_LOSS, mean(&Tensor::stack(&losses, 0))));
        Ok((sum / self.population as f64, values))
    }

    fn update_average(&mut self) {
        let Some(settings) = &self.settings.average else { return };
        match &mut self.average {
            None => self.average = Some(RunningAverage::new(&self.learner)),
            Some(average) => {
                let decay = settings.decay(self.memory.steps.saturating_sub(1));
                average.update(&self.learner, settings.statistics, decay);
            }
        }
    }
}

/// The total loss as a number, for curricula that look at it: others need not wait for the device.
fn told(curriculum: Curriculum, values: &Values) -> f64 {
    if !matches!(curriculum, Curriculum::Threshold(_)) {
        return 0.0;
    }
    let loss = values.iter().find(|(name, _)| *name == "loss").expect("every step has a loss");
    loss.1.to_kind(Kind::Double).double_value(&[])
}
