//! Small numbers obtained by running the reference program (specification, section 9.3): a network of two linear layers.

use basin_core::attack::pgd;
use basin_core::attack::weights::{
    Ball, Bookkeeping, Descent, Projection, Projector, Scope, WeightGradient, WeightNorm, descent, joint,
};
use basin_core::attack::{Pgd, Start};
use basin_core::model::{Evaluator, Weights};
use tch::{Device, Kind, Tensor};

use super::{close, losses, numbers, problem};
use crate::support::golden::{images, labels, network};

const TOLERANCE: f64 = 2e-5;

fn data() -> (Tensor, Tensor) {
    (images(), labels())
}

/// One run of the gradient descent attack.
struct Case {
    descent: Descent,
    projection: Projection,
    which: Vec<usize>,
    batches: usize,
    start: bool,
}

impl Default for Case {
    fn default() -> Self {
        Self {
            descent: Descent {
                epochs: 3,
                start: None,
                bookkeeping: Bookkeeping::Paper,
                ..Descent::default()
            },
            projection: Projection::Ball(Ball::layerwise(0.015)),
            which: vec![0, 1, 2, 3],
            batches: 1,
            start: false,
        }
    }
}

struct Outcome {
    /// Objective at each forward pass, in order.
    errors: Vec<f64>,
    step_sizes: Vec<f64>,
    losses: Vec<f64>,
    /// Relative norm of the perturbation per tensor.
    norms: Vec<f64>,
    perturbation: Vec<f64>,
}

fn ball(scope: Scope, radius: f64, relative: bool) -> Projection {
    Projection::Ball(Ball { scope, norm: WeightNorm::L2, radius, relative })
}

impl Case {
    fn run(&self) -> Outcome {
        let (network, (images, labels)) = (network(), data());
        let size = 4 / self.batches as i64;
        let parts: Vec<(Tensor, Tensor)> = (0..self.batches as i64)
            .map(|b| (images.narrow(0, b * size, size), labels.narrow(0, b * size, size)))
            .collect();
        let batches: Vec<(&Tensor, &Tensor)> = parts.iter().map(|(x, y)| (x, y)).collect();
        let problem = problem(&network, &network.weights, &self.which, &batches);
        let projections = [self.projection.clone()];
        let projector = Projector::new(&projections, &network.weights, &self.which);
        // 0.01 of the norm in every tensor, along the direction of all ones.
        let start = network.weights.flat().zeros_like();
        for (index, entry) in network.layout().entries.iter().enumerate() {
            let size =
                0.01 * network.weights.view(index).norm().double_value(&[]) / (entry.len as f64).sqrt();
            let _ = start.narrow(0, entry.offset, entry.len).fill_(size);
        }
        let mut trace = descent::Trace::default();
        let start = self.start.then_some(&start);
        let found =
            descent::run(&self.descent, &problem, &projector, start, Some(&mut trace), &mut || Ok(()))
                .unwrap();
        let scalars = |values: &[Tensor]| values.iter().map(|v| v.double_value(&[])).collect::<Vec<f64>>();
        let (errors, candidates) = (scalars(&trace.error), scalars(&trace.candidate));
        let interleaved = errors
            .iter()
            .enumerate()
            .flat_map(|(i, error)| std::iter::once(*error).chain(candidates.get(i).copied()));
        let norms = network.layout().entries.iter().enumerate().map(|(i, entry)| {
            found.narrow(0, entry.offset, entry.len).norm().double_value(&[])
                / network.weights.view(i).norm().double_value(&[])
        });
        Outcome {
            errors: interleaved.collect(),
            step_sizes: scalars(&trace.step_size),
            losses: numbers(&losses(&problem, &found, &images, &labels)),
            norms: norms.collect(),
            perturbation: numbers(&found),
        }
    }
}

fn check(case: &Case, errors: &[f64], losses: &[f64]) -> Outcome {
    let outcome = case.run();
    close("objectives", &outcome.errors, errors, TOLERANCE);
    close("losses", &outcome.losses, losses, TOLERANCE);
    outcome
}

#[test]
fn w1_one_batch() {
    let found = check(
        &Case::default(),
        &[-0.744380, -0.813759, -0.852099],
        &[1.046739, 0.250414, 0.187513, 1.923732],
    );
    close("norms", &found.norms, &[0.015; 4], TOLERANCE);
    close("lin1", &found.perturbation[..4], &[-0.011191, -0.006992, -0.001566, -0.010128], TOLERANCE);
    close("lin2", &found.perturbation[30..34], &[0.007957, 0.029560, 0.010823, -0.051363], TOLERANCE);
}

#[test]
fn w2_two_batches() {
    let errors = [-0.530508, -0.941303, -0.638664, -1.005541, -0.637095, -1.019106];
    let case = Case { batches: 2, ..Case::default() };
    let found = check(&case, &errors, &[1.096264, 0.257375, 0.192274, 1.845938]);
    close("norms", &found.norms, &[0.015; 4], TOLERANCE);
}

#[test]
fn w3_two_tensors_with_momentum() {
    let mut case = Case { batches: 2, which: vec![0, 2], ..Case::default() };
    case.descent.momentum = 0.9;
    let errors = [-0.530508, -0.956339, -0.548953, -0.968847, -0.582805, -0.994711];
    let found = check(&case, &errors, &[0.972104, 0.244989, 0.176195, 1.813226]);
    close("norms", &found.norms, &[0.009765, 0.0, 0.007654, 0.0], TOLERANCE);
}

#[test]
fn w4_absolute_ball_over_the_whole_model() {
    let mut case = Case { projection: ball(Scope::Global, 0.1, false), ..Case::default() };
    (case.descent.gradient, case.descent.step_size) = (WeightGradient::L2, 0.05);
    let found = check(&case, &[-0.744380, -0.800764, -0.866096], &[1.113767, 0.247445, 0.203658, 1.899515]);
    close("norms", &found.norms, &[0.014964, 0.334948, 0.004376, 0.057045], TOLERANCE);
}

#[test]
fn w5_relative_ball_over_the_whole_model() {
    let mut case = Case { projection: ball(Scope::Global, 0.015, true), ..Case::default() };
    case.descent.gradient = WeightGradient::RelativeL2;
    check(&case, &[-0.744380, -0.852246, -0.918012], &[1.232273, 0.254196, 0.224100, 1.961478]);
}

#[test]
fn w6_raw_gradient_with_backtracking() {
    let mut case = Case { projection: Projection::Ball(Ball::layerwise(0.05)), ..Case::default() };
    case.descent = Descent {
        epochs: 5,
        gradient: WeightGradient::Raw,
        step_size: 0.5,
        backtrack: true,
        step_divisor: 2.0,
        ..case.descent
    };
    let steps = [-1.072163, -1.194975, -1.198746, -1.199790];
    let mut errors = vec![-0.744380];
    steps.iter().for_each(|step| errors.extend([*step, *step]));
    errors.push(-1.200139);
    let found = check(&case, &errors, &[1.813079, 0.310463, 0.275385, 2.400233]);
    close("norms", &found.norms, &[0.05; 4], TOLERANCE);
}

#[test]
fn w7_raw_gradient_with_a_bound() {
    let mut case = Case { projection: Projection::Ball(Ball::layerwise(0.5)), ..Case::default() };
    case.descent = Descent {
        epochs: 5,
        gradient: WeightGradient::Raw,
        step_size: 0.5,
        loss_bound: Some(1.0),
        step_divisor: 2.0,
        ..case.descent
    };
    let errors = [-0.744380, -1.397668, -1.397668, -1.397668, -1.397668];
    let found = check(&case, &errors, &[2.293637, 0.330873, 0.407297, 2.558867]);
    close("norms", &found.norms, &[0.078271, 0.5, 0.023545, 0.299425], TOLERANCE);
    close("step sizes", &found.step_sizes, &[0.5, 0.5, 0.25, 0.125, 0.0625], 0.0);
}

#[test]
fn w8_from_a_start_as_the_reference_program() {
    let mut case = Case { start: true, ..Case::default() };
    case.descent.step_size = 0.004;
    check(&case, &[-0.744380, -0.764431, -0.792422], &[0.920246, 0.236905, 0.166627, 1.845909]);
}

#[test]
fn w9_from_a_start_that_is_looked_at() {
    let mut case = Case { start: true, ..Case::default() };
    case.descent.step_size = 0.004;
    case.descent.bookkeeping = Bookkeeping::Exact;
    // Two updates: the third evaluation is then the last, and the best.
    case.descent.epochs = 2;
    let found = case.run();
    close("objectives", &found.errors, &[-0.737929, -0.764437], TOLERANCE);
    close("losses", &found.losses, &[0.919366, 0.236771, 0.166455, 1.847094], TOLERANCE);
    close("mean", &[found.losses.iter().sum::<f64>() / 4.0], &[0.792421], TOLERANCE);
}

fn joint(batches: i64) -> (Vec<f64>, Vec<f64>, Vec<f64>, Vec<f64>) {
    let (network, (images, labels)) = (network(), data());
    let size = 4 / batches;
    let parts: Vec<(Tensor, Tensor)> =
        (0..batches).map(|b| (images.narrow(0, b * size, size), labels.narrow(0, b * size, size))).collect();
    let batches: Vec<(&Tensor, &Tensor)> = parts.iter().map(|(x, y)| (x, y)).collect();
    let which = [0, 1, 2, 3];
    let problem = problem(&network, &network.weights, &which, &batches);
    let projections = [Projection::Ball(Ball::layerwise(0.015))];
    let projector = Projector::new(&projections, &network.weights, &which);
    let weights = Descent { epochs: 3, ..Descent::default() };
    let inputs = Pgd { epsilon: 0.1, step_size: 0.04, start: Start::Zero, ..Pgd::default() };
    let starts: Vec<Tensor> = parts.iter().map(|(x, _)| x.zeros_like()).collect();
    let mut trace = joint::Trace::default();
    let found = joint::run(
        &weights,
        &inputs,
        &problem,
        &projector,
        joint::From { weights: None, inputs: &starts },
        Some(&mut trace),
        &mut || Ok(()),
    )
    .unwrap();
    let delta = Tensor::cat(&found.inputs, 0);
    let last = Tensor::cat(&trace.error[trace.error.len() - parts.len()..], 0);
    let robust = losses(&problem, &found.weights, &(&images + &delta), &labels);
    let clean = losses(&problem, &found.weights, &images, &labels);
    (numbers(&last), numbers(&robust), numbers(&delta), numbers(&clean))
}

const P1: [f64; 16] =
    [0.1, -0.1, 0.1, -0.1, 0.1, 0.1, -0.1, -0.1, -0.068484, -0.1, 0.1, -0.1, -0.1, -0.1, -0.1, -0.1];

fn j1_delta() -> Vec<f64> {
    let mut delta = P1.to_vec();
    delta[12] = -0.04;
    delta
}

#[test]
fn j1_joint_on_one_batch() {
    let (errors, robust, delta, clean) = joint(1);
    close("errors", &errors, &[-1.793614, -0.489665, -0.418473, -2.135473], TOLERANCE);
    close("robust", &robust, &[2.014016, 0.585318, 0.509625, 2.188421], TOLERANCE);
    close("clean", &clean, &[1.060375, 0.253786, 0.188407, 1.904629], TOLERANCE);
    close("delta", &delta, &j1_delta(), TOLERANCE);
}

#[test]
fn j2_joint_on_two_batches() {
    let (errors, robust, delta, clean) = joint(2);
    close("errors", &errors, &[-1.764709, -0.486975, -0.415730, -2.081022], TOLERANCE);
    close("robust", &robust, &[1.965577, 0.574786, 0.512123, 2.219888], TOLERANCE);
    close("clean", &clean, &[1.019793, 0.248188, 0.188849, 1.939358], TOLERANCE);
    close("delta", &delta, &P1, TOLERANCE);
}

#[test]
fn sequential_weights_first_then_inputs() {
    let found = Case::default().run();
    let (network, (images, labels)) = (network(), data());
    let flat = network.weights.flat() + Tensor::from_slice(&found.perturbation).to_kind(Kind::Float);
    let moved = Weights::from_flat(network.layout().clone(), flat);
    let model = Evaluator::new(&network, &moved, Device::Cpu, Kind::Float, false);
    let inputs = Pgd { epsilon: 0.1, step_size: 0.04, steps: 3, ..Pgd::default() };
    let attacked =
        pgd::run(&inputs, &model, &images, &labels, &images.zeros_like(), None, &mut || Ok(())).unwrap();
    close("errors", &numbers(&attacked.error), &[-1.988667, -0.577700, -0.506537, -2.205861], TOLERANCE);
    close("delta", &numbers(&attacked.perturbation), &j1_delta(), TOLERANCE);
}
