//! The verdicts of AutoAttack so far.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::job::Attack;
use crate::measure::evaluation::{append, measure};
use crate::model::Evaluator;
use crate::record::{AttackedExamples, PerExample};
use crate::run::kept::from_journal;
use crate::run::setup::Setup;

/// One finished block.
#[derive(Serialize, Deserialize)]
pub struct Unit {
    pub broken: Vec<bool>,
    pub loss: Vec<f32>,
    pub predicted: Vec<i64>,
    pub confidence: Vec<f32>,
    /// Bits of the perturbations, where examples are kept.
    pub perturbation: Option<Vec<String>>,
    /// To be repeated by the measuring network.
    pub doubtful: Vec<bool>,
    pub seconds: f64,
    /// Norms of the perturbations; empty in journals of older versions.
    #[serde(default)]
    pub norm: Vec<f64>,
    /// Starts whose gradient was exactly 0.
    #[serde(default)]
    pub zero_gradients: usize,
}

/// Every example's verdict.
pub struct State {
    pub clean: PerExample,
    pub examples: AttackedExamples,
    pub perturbations: Option<Vec<Vec<f32>>>,
    /// What is left for the attack in hand.
    standing: Vec<bool>,
}

impl State {
    /// The images as they are: who is right, and so attacked.
    pub fn new(job: &Attack, setup: &Setup, model: &Evaluator) -> Result<Self> {
        let mut clean = PerExample::default();
        for batch in &setup.batches {
            append(&mut clean, measure(model, batch, None)?);
        }
        let robust: Vec<bool> = clean.predicted.iter().zip(&clean.label).map(|(p, l)| p == l).collect();
        let by_clean: Vec<Option<String>> =
            robust.iter().map(|robust| (!robust).then(|| "clean".to_owned())).collect();
        let each = by_clean.iter().map(|by| by.iter().cloned().collect()).collect();
        let numbers = setup.dataset.image_shape().iter().product::<i64>() as usize;
        Ok(Self {
            examples: AttackedExamples {
                index: clean.index.clone(),
                label: clean.label.clone(),
                clean_predicted: clean.predicted.clone(),
                clean_confidence: clean.confidence.clone(),
                broken_by: by_clean,
                broken_by_each: if job.attack.individual { each } else { Vec::new() },
                norm: vec![0.0; robust.len()],
                robust: robust.clone(),
                loss: clean.loss.clone(),
                predicted: clean.predicted.clone(),
                confidence: clean.confidence.clone(),
            },
            perturbations: job.keep_examples.then(|| vec![vec![0.0; numbers]; clean.label.len()]),
            clean,
            standing: robust,
        })
    }

    /// Those that nothing has broken yet.
    pub fn robust(&self) -> Vec<usize> {
        (0..self.examples.robust.len()).filter(|at| self.examples.robust[*at]).collect()
    }

    /// Those of `places` that are left for the attack in hand.
    pub fn standing(&self, places: &[usize]) -> Vec<usize> {
        places.iter().copied().filter(|at| self.standing[*at]).collect()
    }

    /// Gives an individual attack all of `places` that are right as they are.
    pub fn stand_up(&mut self, places: &[usize]) {
        for at in places {
            self.standing[*at] = self.clean.predicted[*at] == self.clean.label[*at];
        }
    }

    /// Share of the examples that are wrong or broken.
    pub fn robust_error(&self) -> f64 {
        let broken = self.examples.robust.iter().filter(|robust| !**robust).count();
        broken as f64 / self.examples.robust.len() as f64
    }

    /// Takes over what an attack did to the examples at `places`.
    pub fn take(&mut self, places: &[usize], unit: &Unit, attack: &str) -> Result<()> {
        let examples = &mut self.examples;
        if unit.norm.is_empty() {
            examples.norm.clear();
        }
        for (row, place) in places.iter().copied().enumerate() {
            if unit.broken[row] {
                self.standing[place] = false;
                if let Some(each) = examples.broken_by_each.get_mut(place) {
                    each.push(attack.to_owned());
                }
            }
            // What another attack broke keeps its adversarial example.
            if !examples.robust[place] {
                continue;
            }
            if !unit.broken[row] && unit.loss[row] <= examples.loss[place] {
                continue;
            }
            examples.loss[place] = unit.loss[row];
            examples.predicted[place] = unit.predicted[row];
            examples.confidence[place] = unit.confidence[row];
            if let Some(norm) = examples.norm.get_mut(place) {
                *norm = unit.norm[row];
            }
            if unit.broken[row] {
                examples.robust[place] = false;
                examples.broken_by[place] = Some(attack.to_owned());
            }
            if let (Some(all), Some(found)) = (&mut self.perturbations, &unit.perturbation) {
                all[place] = from_journal(&found[row])?;
            }
        }
        Ok(())
    }
}
