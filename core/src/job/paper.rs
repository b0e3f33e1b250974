//! Jobs from the paper's attack names.

use std::path::PathBuf;

use super::{
    Attack, AutoAttack, Case, Compute, DataSelection, Descent, Evaluate, Flatness, FlatnessLoss, Job, Pgd,
    Sampling, Scope, Selection, Tensors, Version, WeightGradient,
};
use crate::attack::names::{
    InputDescent, PaperAttack, Recipe, WeightBall, WeightDescent, WeightNormalization, WeightShape,
};

/// Restarts of the attack on the unperturbed network in the paper's flatness of the robust loss.
const REFERENCE_RESTARTS: usize = 10;

impl PaperAttack {
    /// The attack on inputs, if that is PGD. The worst restart is the one of highest wrong-class confidence, as in the
    /// paper's evaluation.
    pub fn pgd(&self) -> Option<Pgd> {
        match &self.recipe {
            Recipe::Pgd(descent) => Some(pgd(descent, self.attempts)),
            _ => None,
        }
    }

    /// The job that does to a checkpoint what the name says, with images from `data` (a name or folder).
    pub fn job(&self, checkpoint: PathBuf, data: &str, compute: Compute) -> Job {
        let select = |examples| DataSelection { name: data.to_owned(), examples };
        let flatness = |loss, case, ball: &WeightBall| Flatness {
            data: select(self.images),
            radii: vec![ball.radius],
            draws: self.attempts,
            scope: match ball.shape {
                WeightShape::Layer => Scope::Layer,
                WeightShape::Filter => Scope::Filter,
                WeightShape::Relative | WeightShape::Absolute => Scope::Global,
            },
            absolute: ball.shape == WeightShape::Absolute,
            sampling: match ball.shape {
                WeightShape::Layer | WeightShape::Filter => Sampling::Sphere,
                WeightShape::Relative | WeightShape::Absolute => Sampling::UniformNorm,
            },
            // The program's evaluation took the worst of 10 attempts on the unperturbed network and one on perturbed ones.
            reference_restarts: Some(REFERENCE_RESTARTS),
            tensors: if ball.without_normalization { Tensors::NoNormalization } else { Tensors::All },
            compute: compute.clone(),
            ..Flatness::new(checkpoint.clone(), loss, case)
        };
        let job = match &self.recipe {
            Recipe::Pgd(_) => {
                return Job::Evaluate(Evaluate {
                    checkpoint,
                    data: select(self.images),
                    attack: self.pgd(),
                    compute,
                    ..Evaluate::default()
                });
            }
            // What the program ran under the name standard.
            Recipe::AutoAttack { epsilon } => {
                return Job::Attack(Attack {
                    checkpoint,
                    data: select(self.images),
                    attack: AutoAttack {
                        version: Version::Paper,
                        epsilon: *epsilon,
                        ..AutoAttack::default()
                    },
                    keep_examples: false,
                    compute,
                });
            }
            Recipe::RandomWeights(ball) => flatness(FlatnessLoss::Clean, Case::Average, ball),
            Recipe::GradientWeights(ball, weights) => Flatness {
                descent: descent(weights),
                search_data: self.search.filter(|search| *search != self.images).map(select),
                ..flatness(FlatnessLoss::Clean, Case::Worst, ball)
            },
            Recipe::Sequential(ball, input) => {
                Flatness { attack: pgd(input, 1), ..flatness(FlatnessLoss::Robust, Case::Average, ball) }
            }
            Recipe::Joint(ball, weights, input) => Flatness {
                descent: descent(weights),
                attack: pgd(input, 1),
                ..flatness(FlatnessLoss::Robust, Case::Worst, ball)
            },
        };
        Job::Flatness(job)
    }
}

fn pgd(descent: &InputDescent, restarts: usize) -> Pgd {
    let InputDescent { epsilon, iterations, step_size, momentum } = *descent;
    let selection = Selection::WrongClassConfidence;
    Pgd { epsilon, steps: iterations, step_size, momentum, restarts, selection, ..Pgd::default() }
}

fn descent(weights: &WeightDescent) -> Descent {
    Descent {
        epochs: weights.epochs,
        step_size: weights.learning_rate,
        momentum: weights.momentum,
        backtrack: weights.backtrack,
        // The paper's factor, which only a refused step uses.
        step_divisor: if weights.backtrack { 2.0 } else { 1.0 },
        gradient: match weights.normalization {
            WeightNormalization::None => WeightGradient::Raw,
            WeightNormalization::L2 => WeightGradient::L2,
            WeightNormalization::RelativeL2 => WeightGradient::RelativeL2,
            WeightNormalization::LayerWiseRelativeL2 => WeightGradient::LayerRelativeL2,
        },
        ..Descent::default()
    }
}
