//! The paper's attack names: what each means, exactly.
//!
//! A name such as `weight_l2_random_nonorm2_e05_at10_test` fixes attack, images and number of attempts. Numbers are
//! written with seven decimals, without trailing zeros and the point: `05` is 0.5, `00314` is 0.0314, `10` is 10.
//! [`PaperAttack`] says what a name means in the paper's own terms; jobs are made from it.

mod grammar;
mod groups;
mod templates;

use crate::data::{Examples, Split};
use crate::error::{Error, Result};
use grammar::nearest;
pub use groups::{GROUPS, group};
use templates::{Meaning, templates};

/// What a name stands for.
#[derive(Debug, Clone, PartialEq)]
pub struct PaperAttack {
    /// The name.
    pub name: String,
    /// Independent attempts, by which restarts and draws are meant.
    pub attempts: usize,
    /// Images whose gradients search weight perturbations (formal for random ones); none for attacks on inputs.
    pub search: Option<Examples>,
    /// Images that are attacked or evaluated.
    pub images: Examples,
    /// The attack and its settings.
    pub recipe: Recipe,
}

/// The attack of a name. Every input attack is L-inf, starts at uniform norm, and steps by the sign of the gradient.
#[derive(Debug, Clone, PartialEq)]
pub enum Recipe {
    /// PGD on inputs.
    Pgd(InputDescent),
    /// AutoAttack, version `standard` of the paper's program.
    AutoAttack {
        /// Radius of the L-inf ball.
        epsilon: f64,
    },
    /// One random weight perturbation per attempt.
    RandomWeights(WeightBall),
    /// Gradient descent on the weights, one update per batch.
    GradientWeights(WeightBall, WeightDescent),
    /// A random weight perturbation, then PGD on the inputs of the perturbed network: average-case robust flatness.
    Sequential(WeightBall, InputDescent),
    /// Weights and inputs at the same time: worst-case robust flatness.
    Joint(WeightBall, WeightDescent, InputDescent),
}

/// PGD on inputs, as named.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InputDescent {
    /// Radius of the L-inf ball.
    pub epsilon: f64,
    /// Updates.
    pub iterations: usize,
    /// Step size, always 0.007.
    pub step_size: f64,
    /// Momentum.
    pub momentum: f64,
}

/// The neighbourhood of the weights, as named.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeightBall {
    /// What the radius is relative to.
    pub shape: WeightShape,
    /// L2 radius: relative to the norm of the layer, the filter or the model; or absolute.
    pub radius: f64,
    /// Whether only tensors outside normalization layers are perturbed (`nonorm2`), or every trainable one.
    pub without_normalization: bool,
}

/// Shape of the neighbourhood of the weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeightShape {
    /// A ball per tensor.
    Layer,
    /// A ball per output filter.
    Filter,
    /// One ball over the model, relative to its norm. Random perturbations have uniform norm in it.
    Relative,
    /// One ball over the model.
    Absolute,
}

/// Descent on the weights, as named.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeightDescent {
    /// Passes over the images.
    pub epochs: usize,
    /// Step size.
    pub learning_rate: f64,
    /// Momentum.
    pub momentum: f64,
    /// Whether steps that lower the loss are refused.
    pub backtrack: bool,
    /// Scale of the gradient.
    pub normalization: WeightNormalization,
}

/// What the gradient of the weights is scaled to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeightNormalization {
    /// As it is.
    None,
    /// Unit L2 norm over the model.
    L2,
    /// The norm of the weights over the model.
    RelativeL2,
    /// In every tensor the norm of its weights.
    LayerWiseRelativeL2,
}

/// Whether `text` is meant to be one of the paper's attack names: it begins like one.
pub fn looks_like_a_name(text: &str) -> bool {
    ["input_", "weight_", "sequential", "joint_"].iter().any(|start| text.starts_with(start))
}

/// Every name of the grammar, about 364,000 of them.
pub fn names() -> impl Iterator<Item = String> {
    templates().into_iter().flat_map(|template| {
        let count = template.count();
        (0..count).map(move |number| template.name(number))
    })
}

impl std::str::FromStr for PaperAttack {
    type Err = Error;

    /// # Errors
    /// No attack of the paper has this name; the message has the nearest one.
    fn from_str(name: &str) -> Result<Self> {
        let templates = templates();
        let found = templates.iter().find_map(|template| Some((&template.meaning, template.read(name)?)));
        match found {
            Some((meaning, chosen)) => Ok(resolve(name, meaning, &chosen)),
            None => {
                let near = nearest(&templates, name).map(|(near, _)| near).unwrap_or_default();
                Err(Error::invalid(format!("no attack of the paper is called {name}; the nearest is {near}")))
            }
        }
    }
}

/// The choices of a template as settings.
fn resolve(name: &str, meaning: &Meaning, chosen: &[&str]) -> PaperAttack {
    let part = |index: usize| chosen[index];
    let ball = |shape, without_normalization, index| WeightBall {
        shape,
        radius: decode(part(index)),
        without_normalization,
    };
    let input = |epsilon, iterations, momentum| InputDescent {
        epsilon: decode(epsilon),
        iterations: decode(iterations) as usize,
        step_size: 0.007,
        momentum: decode(momentum),
    };
    let suffix = chosen[chosen.len() - 1];
    let (attempts, recipe) = match *meaning {
        Meaning::Pgd => (part(7), Recipe::Pgd(input(part(5), part(3), part(1)))),
        Meaning::AutoAttack => ("1", Recipe::AutoAttack { epsilon: decode(part(1)) }),
        Meaning::Random(shape, nonorm) => (part(3), Recipe::RandomWeights(ball(shape, nonorm, 1))),
        Meaning::Gradient(shape, nonorm) => {
            let descent = WeightDescent {
                epochs: decode(part(4)) as usize,
                learning_rate: decode(part(6)),
                momentum: decode(part(8)),
                backtrack: !part(2).is_empty(),
                normalization: match part(1) {
                    "_l2normalized" => WeightNormalization::L2,
                    "_rl2normalized" => WeightNormalization::RelativeL2,
                    "_lwrl2normalized" => WeightNormalization::LayerWiseRelativeL2,
                    _ => WeightNormalization::None,
                },
            };
            (part(12), Recipe::GradientWeights(ball(shape, nonorm, 10), descent))
        }
        Meaning::Sequential(shape) => {
            ("10", Recipe::Sequential(ball(shape, true, 1), input(part(3), part(5), "0")))
        }
        Meaning::Joint(shape, nonorm) => {
            let descent = WeightDescent {
                epochs: decode(part(7)) as usize,
                learning_rate: decode(part(1)),
                momentum: 0.0,
                backtrack: false,
                normalization: WeightNormalization::LayerWiseRelativeL2,
            };
            ("10", Recipe::Joint(ball(shape, nonorm, 3), descent, input(part(5), part(7), "0")))
        }
    };
    let (search, images) = images(meaning, suffix);
    PaperAttack { name: name.to_owned(), attempts: decode(attempts) as usize, search, images, recipe }
}

/// First 1000 test or training images, which evaluations use.
const fn first(split: Split) -> Examples {
    Examples { split, start: 0, end: 1000 }
}

/// Last images, counting down; CIFAR-10 has 10,000 test and 50,000 training images.
const fn last(split: Split, count: usize) -> Examples {
    let end = match split {
        Split::Test => 9_999,
        Split::Train => 49_999,
    };
    Examples { split, start: end, end: end as isize - count as isize }
}

/// Images of search and of evaluation.
fn images(meaning: &Meaning, suffix: &str) -> (Option<Examples>, Examples) {
    use Split::{Test, Train};
    match meaning {
        Meaning::Pgd | Meaning::AutoAttack => {
            let images = match suffix {
                "_es" => last(Test, 500),
                "_train" => first(Train),
                _ => first(Test),
            };
            (None, images)
        }
        Meaning::Sequential(_) | Meaning::Joint(..) => {
            let images = match suffix {
                "_test_batch" => last(Test, 100),
                "_train_test" => first(Train),
                _ => first(Test),
            };
            (None, images)
        }
        Meaning::Random(..) => {
            let (search, images) = match suffix {
                "_test" => (first(Test), first(Test)),
                "_es" => (last(Test, 500), last(Test, 500)),
                "_train" => (last(Train, 100), first(Train)),
                "_set" => (last(Test, 500), first(Test)),
                "_train_set" => (last(Train, 500), first(Train)),
                _ => (last(Test, 100), first(Test)),
            };
            (Some(search), images)
        }
        Meaning::Gradient(..) => {
            let (search, images) = match suffix {
                "_test_test" => (first(Test), first(Test)),
                "_es" => (last(Test, 500), last(Test, 500)),
                "_train_test" => (last(Train, 100), first(Train)),
                "_test_set" => (last(Test, 500), first(Test)),
                // The paper's program searches on test images here although the name says train.
                "_train_test_set" => (last(Test, 500), first(Train)),
                _ => (last(Test, 100), first(Test)),
            };
            (Some(search), images)
        }
    }
}

/// The number behind its name: `05` is 0.5, `10` is 10.
fn decode(digits: &str) -> f64 {
    let text = match digits.strip_prefix('0') {
        Some(decimals) if !decimals.is_empty() => format!("0.{decimals}"),
        _ => digits.to_owned(),
    };
    text.parse().expect("the grammar has only numbers there")
}
