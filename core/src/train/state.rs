//! Everything that changes during training, as named tensors and a few numbers, so that training goes on from
//! them bit by bit as if it had never stopped.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::average::RunningAverage;
use super::trainer::Trainer;
use crate::error::{Error, Result};

/// The numbers beside the tensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Counters {
    /// Steps done.
    pub step: u64,
    /// Steps the optimizer has done.
    pub optimizer_steps: u64,
    /// Weight perturbations of the next step.
    pub population: usize,
    /// Best snapshot on the held-out images: its epoch and robust error.
    pub best: Option<(u64, f64)>,
    /// Seconds of training so far.
    pub seconds: f64,
}

/// Named tensors of a trainer.
pub type Tensors = BTreeMap<String, Tensor>;

impl Trainer {
    /// Everything that changes, under stable names.
    pub fn tensors(&self) -> Tensors {
        let mut tensors = Tensors::new();
        let mut add = |name: String, tensor: &Tensor| tensors.insert(name, tensor.shallow_clone());
        add("weights".into(), self.learner.weights().flat());
        for (name, buffer) in self.learner.buffers() {
            add(format!("buffer.{name}"), buffer);
        }
        for (name, memory) in [("memory.first", &self.memory.first), ("memory.second", &self.memory.second)] {
            if let Some(memory) = memory {
                add(name.into(), memory);
            }
        }
        if let Some(average) = &self.average {
            add("average.weights".into(), &average.flat);
            for (name, buffer) in &average.buffers {
                add(format!("average.buffer.{name}"), buffer);
            }
        }
        tensors
    }

    /// Takes everything back from [`Trainer::tensors`].
    ///
    /// # Errors
    /// Tensors are missing or of another shape.
    pub fn restore(&mut self, tensors: &Tensors, counters: &Counters) -> Result<()> {
        let _guard = tch::no_grad_guard();
        let get = |name: &str| {
            tensors
                .get(name)
                .ok_or_else(|| Error::invalid(format!("the saved state of training lacks {name}")))
        };
        let fill = |target: &Tensor, name: &str| {
            let saved = get(name)?;
            if saved.size() != target.size() || saved.kind() != target.kind() {
                return Err(Error::invalid(format!("the saved state of training has another {name}")));
            }
            target.shallow_clone().copy_(saved);
            Ok(())
        };
        fill(self.learner.weights().flat(), "weights")?;
        for (name, buffer) in self.learner.buffers() {
            fill(buffer, &format!("buffer.{name}"))?;
        }
        let device = self.learner.device();
        let taken = |name: &str| tensors.get(name).map(|tensor| tensor.to_device(device).copy());
        self.memory.first = taken("memory.first");
        self.memory.second = taken("memory.second");
        self.memory.steps = counters.optimizer_steps;
        self.population = counters.population;
        self.average = None;
        if tensors.contains_key("average.weights") {
            let average = RunningAverage::new(&self.learner);
            fill(&average.flat, "average.weights")?;
            for (name, buffer) in &average.buffers {
                fill(buffer, &format!("average.buffer.{name}"))?;
            }
            self.average = Some(average);
        }
        Ok(())
    }
}
