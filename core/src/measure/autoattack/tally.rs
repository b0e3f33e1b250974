//! The verdicts of AutoAttack so far, and what each attack did.

use serde::{Deserialize, Serialize};

use super::outcome::{AttackRow, AttackedExamples};
use crate::error::Result;
use crate::measure::kept::from_bits;
use crate::measure::rows::PerExample;

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
pub struct Tally {
    pub clean: PerExample,
    pub examples: AttackedExamples,
    pub perturbations: Option<Vec<Vec<f32>>>,
    /// One row per attack.
    pub rows: Vec<AttackRow>,
    /// Of each attack: examples whose group it has gone through.
    pub through: Vec<usize>,
    /// Examples that went through every attack and were not broken.
    pub finished: usize,
    pub zero_gradient_starts: usize,
    /// What is left for the attack in hand.
    standing: Vec<bool>,
}

impl Tally {
    /// The images as they are: who is right, and so attacked. `numbers`: values of an image, where perturbations are
    /// kept.
    pub fn new(clean: PerExample, attacks: &[&str], individual: bool, numbers: Option<usize>) -> Self {
        let robust: Vec<bool> = clean.predicted.iter().zip(&clean.label).map(|(p, l)| p == l).collect();
        let by_clean: Vec<Option<String>> =
            robust.iter().map(|robust| (!robust).then(|| "clean".to_owned())).collect();
        let each = by_clean.iter().map(|by| by.iter().cloned().collect()).collect();
        Self {
            examples: AttackedExamples {
                index: clean.index.clone(),
                label: clean.label.clone(),
                clean_predicted: clean.predicted.clone(),
                clean_confidence: clean.confidence.clone(),
                broken_by: by_clean,
                broken_by_each: if individual { each } else { Vec::new() },
                norm: vec![0.0; robust.len()],
                robust: robust.clone(),
                loss: clean.loss.clone(),
                predicted: clean.predicted.clone(),
                confidence: clean.confidence.clone(),
            },
            perturbations: numbers.map(|numbers| vec![vec![0.0; numbers]; clean.label.len()]),
            clean,
            rows: attacks.iter().map(|name| row(name)).collect(),
            through: vec![0; attacks.len()],
            finished: 0,
            zero_gradient_starts: 0,
            standing: robust,
        }
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
                all[place] = from_bits(&found[row])?;
            }
        }
        Ok(())
    }
}

fn row(name: &str) -> AttackRow {
    AttackRow {
        name: name.to_owned(),
        robust_error: 0.0,
        attacked: 0,
        broken: 0,
        repeated: 0,
        recovered: 0,
        seconds: 0.0,
        finished: false,
    }
}
