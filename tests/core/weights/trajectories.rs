//! The gradient attacks follow the reference program step by step, from stored starts.

use basin_core::attack::weights::{
    Ball, Bookkeeping, Descent, Projection, Projector, Scope, WeightGradient, WeightNorm, descent, joint,
};
use basin_core::attack::{Pgd, pgd};
use basin_core::data::{self, Examples};
use basin_core::model::{Evaluator, Network, Weights};
use serde_json::Value;
use tch::{Device, Kind, Tensor};

use super::{close, gather, losses, numbers, open, problem, spread};
use crate::support::{Npz, images, json, max_abs_difference, number, reference};

struct Data {
    images: Tensor,
    labels: Tensor,
}

const MODELS: [&str; 2] = ["lenet_bn_trained", "resnet_rebn_trained"];

fn load(network: &Network, range: &Value) -> Data {
    let name = match network.topology.resolution[0] {
        1 => reference("mnist").display().to_string(),
        _ => "bundled".into(),
    };
    let examples: Examples = images(range).parse().unwrap();
    let data = data::load(&name, &examples).unwrap();
    Data { images: data.images, labels: data.labels }
}

impl Data {
    fn batches(&self, size: i64) -> Vec<(Tensor, Tensor)> {
        let count = self.labels.size()[0];
        let part = |from: i64| {
            let len = size.min(count - from);
            (self.images.narrow(0, from, len), self.labels.narrow(0, from, len))
        };
        (0..count).step_by(size as usize).map(part).collect()
    }
}

/// A part of `radius` times the norm of every tensor, along a stored direction or one of sines.
fn start(rule: &Value, network: &Network, which: &[usize], arrays: &Npz, radius: f64) -> Tensor {
    if rule.is_null() {
        let len: i64 = which.iter().map(|index| network.layout().entries[*index].len).sum();
        let stored = ["init_delta", "init_delta_all_layers"].map(|key| arrays.find(key));
        let stored = stored.into_iter().flatten().find(|stored| stored.size()[0] == len);
        return spread(network.layout(), which, stored.unwrap(), Kind::Float);
    }
    let (frequency, share) = (number(rule, &["frequency"]), number(rule, &["share_of_eps"]));
    let flat = network.weights.flat().zeros_like();
    for index in which {
        let entry = &network.layout().entries[*index];
        let v: Vec<f64> = (0..entry.len).map(|j| (frequency * (j as f64 + 1.0)).sin()).collect();
        let norm = v.iter().map(|x| x * x).sum::<f64>().sqrt();
        let size = network.weights.view(*index).to_kind(Kind::Double).norm().double_value(&[]);
        let values: Vec<f32> = v.iter().map(|x| (x / norm * size) as f32 * (share * radius) as f32).collect();
        flat.narrow(0, entry.offset, entry.len).copy_(&Tensor::from_slice(&values));
    }
    flat
}

fn check_delta(what: &str, got: &Tensor, arrays: &Npz, key: &str) {
    let (expected, got) = match arrays.find(&format!("{key}__delta")) {
        Some(full) => (full, got.shallow_clone()),
        None => match arrays.find(&format!("{key}__delta_every_16th")) {
            Some(thinned) => (thinned, got.slice(0, 0, None, 16)),
            None => return,
        },
    };
    let difference = (got.to_kind(Kind::Double) - expected.to_kind(Kind::Double)).norm().double_value(&[]);
    let size = expected.to_kind(Kind::Double).norm().double_value(&[]);
    assert!(difference <= 1e-4 * size, "{what}: {:e} of the norm", difference / size);
}

#[test]
fn weight_attacks_follow_the_reference_program() {
    let index = json("weights/index.json");
    let (mut checked, mut other_balls) = (0, 0);
    for model in MODELS {
        let arrays = Npz::open(&format!("weights/{model}.npz"));
        let network = open(model);
        let data = load(&network, &index[format!("{model}/data")]["test_indices"]);
        for (key, options) in index.as_object().unwrap() {
            let Some(name) = key.strip_prefix(&format!("{model}/")).filter(|_| options["layers"].is_array())
            else {
                continue;
            };
            let stored = format!("{name}__f64");
            // There a filter-wise ball takes the matrices of the LeNet as a whole, here their rows.
            let other_ball = options["projection"] == "filter" && model == "lenet_bn_trained";
            if other_ball || arrays.find(&format!("{stored}__error")).is_none() {
                other_balls += usize::from(other_ball);
                continue;
            }
            checked += 1;
            let which: Vec<usize> = serde_json::from_value(options["layers"].clone()).unwrap();
            let radius = options["eps"].as_f64().unwrap();
            let settings = Descent {
                epochs: options["epochs"].as_u64().unwrap() as usize,
                step_size: options["lr"].as_f64().unwrap(),
                momentum: options["momentum"].as_f64().unwrap_or(0.0),
                step_divisor: options["lr_factor"].as_f64().unwrap_or(1.0),
                backtrack: options["backtrack"] == true,
                early_stopping: options["early"] == true,
                loss_bound: options["bound"].as_f64().map(|bound| -bound),
                gradient: match options["normalization"].as_str() {
                    Some("LayerWiseRelativeL2Normalization") => WeightGradient::LayerRelativeL2,
                    Some("RelativeL2Normalization") => WeightGradient::RelativeL2,
                    Some("L2Normalization") => WeightGradient::L2,
                    Some("SignNormalization") => WeightGradient::Sign,
                    None => WeightGradient::Raw,
                    other => panic!("{other:?}"),
                },
                bookkeeping: Bookkeeping::Paper,
                ..Descent::default()
            };
            let ball = |scope, radius, relative| {
                vec![Projection::Ball(Ball { scope, norm: WeightNorm::L2, radius, relative })]
            };
            let projections = match options["projection"].as_str() {
                Some("layer") => ball(Scope::Layer, radius, true),
                Some("filter") => ball(Scope::Filter, radius, true),
                // There relative to all parameters, attacked or not.
                Some("l2") => ball(Scope::Global, radius * network.weights.norm(), false),
                None => Vec::new(),
                other => panic!("{other:?}"),
            };
            let weights = network.weights.to(Device::Cpu, Kind::Double);
            let parts = data.batches(options["batch_size"].as_i64().unwrap());
            let batches: Vec<_> = parts.iter().map(|(x, y)| (x, y)).collect();
            let problem = problem(&network, &weights, &which, &batches);
            let projector = Projector::new(&projections, &weights, &which);
            let rule = &index[format!("{model}/start")];
            let start = start(rule, &network, &which, &arrays, radius).to_kind(Kind::Double);
            let start = (options["init"] == true).then_some(&start);
            let mut trace = descent::Trace::default();
            let found =
                descent::run(&settings, &problem, &projector, start, Some(&mut trace), &mut || Ok(()))
                    .unwrap();
            for (what, steps) in [
                ("error", &trace.error),
                ("norm", &trace.norm),
                ("success", &trace.success),
                ("lr", &trace.step_size),
            ] {
                let got = Tensor::stack(steps, 0).to_kind(Kind::Double);
                let difference = max_abs_difference(&got, arrays.get(&format!("{stored}__{what}")));
                assert!(difference <= 1e-4, "{key}: {what} differs by {difference:e}");
            }
            check_delta(key, &gather(network.layout(), &which, &found), &arrays, &stored);
            let returned: Vec<f64> = parts
                .iter()
                .map(|(x, y)| -losses(&problem, &found, x, y).mean(Kind::Double).double_value(&[]))
                .collect();
            close(
                key,
                &returned,
                &numbers(arrays.get(&format!("{stored}__returned_objective_per_batch"))),
                1e-4,
            );
        }
    }
    let stored = index["returned_objective"].as_object().unwrap().keys();
    assert_eq!(checked, stored.filter(|name| name.ends_with("/f64")).count() - other_balls);
}

#[test]
fn joint_and_sequential_attacks_follow_the_reference_program() {
    let index = json("joint/index.json");
    for model in MODELS {
        let options = &index[model];
        let number = |key: &str| number(options, &[key]);
        let arrays = Npz::open(&format!("joint/{model}.npz"));
        let network = open(model);
        let which: Vec<usize> = serde_json::from_value(options["layers"].clone()).unwrap();
        let data = load(&network, &options["test_indices"]);
        let parts = data.batches(options["batch_size"].as_i64().unwrap());
        let batches: Vec<_> = parts.iter().map(|(x, y)| (x, y)).collect();
        let weights = network.weights.to(Device::Cpu, Kind::Double);
        let problem = problem(&network, &weights, &which, &batches);
        let projections = [Projection::Ball(Ball::layerwise(number("weight_eps")))];
        let projector = Projector::new(&projections, &weights, &which);
        let descent = Descent {
            epochs: options["epochs"].as_u64().unwrap() as usize,
            step_size: number("weight_lr"),
            bookkeeping: Bookkeeping::Paper,
            ..Descent::default()
        };
        let inputs = Pgd {
            epsilon: number("input_eps"),
            step_size: number("input_lr"),
            steps: options["pgd_iterations_sequential"].as_u64().unwrap() as usize,
            ..Pgd::default()
        };
        let start = start(&options["start"], &network, &which, &arrays, number("weight_eps"));
        let start = start.to_kind(Kind::Double);
        let first = arrays.get("init_input_nchw");
        let mut from = 0;
        let starts: Vec<Tensor> = parts
            .iter()
            .map(|(x, _)| {
                let part = first.narrow(0, from, x.size()[0]);
                from += x.size()[0];
                part
            })
            .collect();
        let mut trace = joint::Trace::default();
        let found = joint::run(
            &descent,
            &inputs,
            &problem,
            &projector,
            joint::From { weights: Some(&start), inputs: &starts },
            Some(&mut trace),
            &mut || Ok(()),
        )
        .unwrap();
        let means = |values: &[Tensor]| -> Vec<f64> {
            values.iter().map(|v| v.mean(Kind::Double).double_value(&[])).collect()
        };
        for (what, got) in [
            ("error", means(&trace.error)),
            ("weight_norm", means(&trace.weight_norm)),
            ("input_norm", means(&trace.input_norm)),
            ("success", means(&trace.success).iter().map(|share| number("batch_size") * share).collect()),
        ] {
            close(what, &got, &numbers(arrays.get(&format!("joint__f64__{what}"))), 1e-3);
        }
        check_delta(model, &gather(network.layout(), &which, &found.weights), &arrays, "joint__f64");
        check_inputs(&found.inputs, arrays.get("joint__f64__perturbation_nhwc"));
        let last = Tensor::cat(&trace.error[trace.error.len() - parts.len()..], 0);
        close("errors", &numbers(&last), &numbers(arrays.get("joint__f64__errors")), 1e-3);

        let found = descent::run(&descent, &problem, &projector, Some(&start), None, &mut || Ok(())).unwrap();
        check_delta(model, &gather(network.layout(), &which, &found), &arrays, "sequential__f64");
        let moved = Weights::from_flat(network.layout().clone(), weights.flat() + &found);
        let model = Evaluator::new(&network, &moved, Device::Cpu, Kind::Double, false);
        let (mut deltas, mut errors) = (Vec::new(), Vec::new());
        for ((x, y), start) in parts.iter().zip(&starts) {
            let attacked = pgd::run(&inputs, &model, x, y, start, None, &mut || Ok(())).unwrap();
            deltas.push(attacked.perturbation);
            errors.push(attacked.error);
        }
        check_inputs(&deltas, arrays.get("sequential__f64__perturbation_nhwc"));
        close(
            "sequential errors",
            &numbers(&Tensor::cat(&errors, 0)),
            &numbers(arrays.get("sequential__f64__errors")),
            1e-3,
        );
    }
}

/// At most 1 % of the entries may differ, where the sign of a tiny gradient decides.
fn check_inputs(deltas: &[Tensor], expected: &Tensor) {
    let got = Tensor::cat(deltas, 0).permute([0, 2, 3, 1]);
    let differing = (got - expected).abs().gt(1e-4).to_kind(Kind::Double).mean(Kind::Double);
    assert!(
        differing.double_value(&[]) <= 0.01,
        "{} of the perturbation differs",
        differing.double_value(&[])
    );
}
