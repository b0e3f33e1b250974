//! The random perturbations obey the laws of the reference program's, within four standard errors, with fixed seeds.

use basin_core::attack::weights::{Ball, Sampling, Scope, WeightBlocks, WeightNorm};
use basin_core::model::{Layer, Network, Topology, Weights};
use serde_json::Value;
use tch::{Device, Kind, Tensor};

use super::{gather, open, paper};
use crate::support::{count, json, number};

/// Mean and standard deviation.
fn moments(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    (mean, (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt())
}

/// Compares means within four standard errors of their difference; both sides have as many draws.
fn check(what: &str, values: &[f64], expected: &Value) {
    let number = |key: &str| expected[key].as_f64().unwrap();
    let (mean, deviation) = moments(values);
    let draws = values.len() as f64;
    let error = ((deviation.powi(2) + number("std").powi(2)) / draws).sqrt();
    let difference = (mean - number("mean")).abs();
    assert!(
        difference <= 4.0 * error + 1e-6 * number("mean").abs(),
        "{what}: mean {mean}, expected {} within {error:e}",
        number("mean")
    );
    // The standard deviation of a standard deviation is below 1 / sqrt(draws) of it for these laws.
    let spread = number("std");
    assert!((deviation - spread).abs() <= 4.0 * spread * (2.0 / draws).sqrt() + 1e-6, "{what}: {deviation}");
}

fn draws(network: &Network, which: &[usize], ball: Ball, sampling: Sampling) -> Vec<Tensor> {
    let draws = count(&json("initializations/statistics.json"), &["draws"]) as u64;
    let pieces = WeightBlocks::new(network.layout(), which, ball.scope, Device::Cpu);
    (0..draws).map(|seed| ball.sample(&pieces, &network.weights, which, sampling, seed)).collect()
}

fn per_layer(network: &Network, which: &[usize], draws: &[Tensor], expected: &Value) {
    for index in which {
        let entry = &network.layout().entries[*index];
        let part = |draw: &Tensor| draw.narrow(0, entry.offset, entry.len);
        let l2: Vec<f64> = draws.iter().map(|d| part(d).norm().double_value(&[])).collect();
        let linf: Vec<f64> = draws.iter().map(|d| part(d).abs().max().double_value(&[])).collect();
        let stored = &expected["per_layer"][&entry.name];
        check(&entry.name, &l2, &stored["l2"]);
        check(&entry.name, &linf, &stored["linf"]);
    }
    if which == paper(network.layout()) {
        let total: Vec<f64> = draws.iter().map(|d| d.norm().double_value(&[])).collect();
        check("total", &total, &expected["total_l2"]);
    }
}

#[test]
fn layer_and_filter_wise_perturbations_obey_the_stored_laws() {
    let stored = json("initializations/statistics.json");
    let network = open("lenet_tiny");
    let which = paper(network.layout());
    for (name, scope, sampling) in [
        ("LayerWiseL2UniformNormInitialization", Scope::Layer, Sampling::UniformNorm),
        ("LayerWiseL2UniformSphereInitialization", Scope::Layer, Sampling::Sphere),
        ("LayerWiseL2UniformBallInitialization", Scope::Layer, Sampling::Ball),
        ("FilterWiseL2UniformNormInitialization", Scope::Filter, Sampling::UniformNorm),
        ("FilterWiseL2UniformSphereInitialization", Scope::Filter, Sampling::Sphere),
    ] {
        let ball = Ball { scope, norm: WeightNorm::L2, radius: number(&stored, &["rate"]), relative: true };
        // There filter-wise means whole matrices.
        let matrix = |index: &usize| network.layout().entries[*index].shape.len() == 2;
        let same = |index: &usize| scope == Scope::Layer || !matrix(index);
        let which: Vec<usize> = which.iter().copied().filter(same).collect();
        per_layer(&network, &which, &draws(&network, &which, ball, sampling), &stored["weights"][name]);
    }
}

/// There one vector is drawn for all parameters, and the attacked tensors receive its beginning.
#[test]
fn perturbations_of_the_whole_model_obey_the_stored_laws_where_these_are_as_described() {
    let stored = json("initializations/statistics.json");
    let network = open("lenet_tiny");
    let which = paper(network.layout());
    let everything: Vec<usize> = (0..network.layout().entries.len()).collect();
    let attacked: i64 = which.iter().map(|i| network.layout().entries[*i].len).sum();
    for (name, norm, sampling) in [
        ("L2UniformNormInitialization(epsilon=1)", WeightNorm::L2, Sampling::UniformNorm),
        ("L2UniformNormInitialization(relative)", WeightNorm::L2, Sampling::UniformNorm),
        ("L2UniformSphereInitialization(epsilon=1)", WeightNorm::L2, Sampling::Sphere),
        ("L2UniformSphereInitialization(relative)", WeightNorm::L2, Sampling::Sphere),
        ("LInfUniformNormInitialization(epsilon=0.1)", WeightNorm::Linf, Sampling::UniformNorm),
        ("LInfUniformNormInitialization(relative)", WeightNorm::Linf, Sampling::UniformNorm),
    ] {
        let expected = &stored["weights"][name];
        let radius = expected["epsilon_used"].as_f64().unwrap();
        let ball = Ball { scope: Scope::Global, norm, radius, relative: false };
        let beginnings: Vec<f64> = draws(&network, &everything, ball, sampling)
            .iter()
            .map(|draw| draw.narrow(0, 0, attacked).norm().double_value(&[]))
            .collect();
        check(name, &beginnings, &expected["total_l2"]);
    }
}

#[test]
fn draws_have_the_promised_norms_and_touch_nothing_else() {
    let network = open("resnet_rebn_trained");
    let layout = network.layout();
    let which = paper(layout);
    for (scope, sampling) in [
        (Scope::Layer, Sampling::Sphere),
        (Scope::Filter, Sampling::Ball),
        (Scope::Global, Sampling::Sphere),
        (Scope::Layer, Sampling::UniformNorm),
    ] {
        let ball = Ball { scope, norm: WeightNorm::L2, radius: 0.3, relative: true };
        let pieces = WeightBlocks::new(layout, &which, scope, Device::Cpu);
        let draw = ball.sample(&pieces, &network.weights, &which, sampling, 7);
        let sizes =
            pieces.sizes(&draw, WeightNorm::L2) / pieces.sizes(network.weights.flat(), WeightNorm::L2);
        let (low, high) = (sizes.min().double_value(&[]), sizes.max().double_value(&[]));
        assert!(high <= 0.3 * (1.0 + 1e-6), "{scope:?} {high}");
        if sampling == Sampling::Sphere {
            assert!(low >= 0.3 * (1.0 - 1e-6), "{scope:?} {low}");
        } else {
            assert!(low > 0.0 && low < 0.3, "{scope:?} {low}");
        }
        for (index, entry) in layout.entries.iter().enumerate() {
            let moved = draw.narrow(0, entry.offset, entry.len).abs().max().double_value(&[]) > 0.0;
            assert_eq!(moved, which.contains(&index), "{}", entry.name);
        }
        assert!(ball.project(&pieces, network.weights.flat(), &draw).allclose(&draw, 1e-6, 1e-9, false));
    }
}

#[test]
fn directions_belong_to_a_seed_and_the_name_and_shape_of_a_tensor() {
    let [one, other] = ["resnet_rebn_trained", "resnet_rebn_init"].map(open);
    let unit = |network: &Network, which: &[usize], seed| {
        let ball = Ball::layerwise(1.0);
        let pieces = WeightBlocks::new(network.layout(), which, Scope::Layer, Device::Cpu);
        let ones = Weights::from_flat(network.layout().clone(), network.weights.flat().ones_like());
        ball.sample(&pieces, &ones, which, Sampling::Sphere, seed)
    };
    let which = paper(one.layout());
    let first = unit(&one, &which, 3);
    assert_eq!(first, unit(&other, &which, 3), "shared by networks");
    assert_ne!(first, unit(&one, &which, 4), "draws differ");
    let single = which[5];
    let alone = unit(&one, &[single], 3);
    let part = |flat: &Tensor| gather(one.layout(), &[single], flat);
    assert_eq!(part(&alone), part(&first), "a tensor alone moves as with the others");
    // A wider network has other shapes, but the same names: tensors of equal shape still share their directions.
    let plain = open("resnet_gn");
    let common = |network: &Network, name: &str| {
        network.layout().entries.iter().position(|e| e.name == name).expect("both have it")
    };
    let (a, b) = (common(&one, "logits.bias"), common(&plain, "logits.bias"));
    assert_eq!(
        gather(one.layout(), &[a], &unit(&one, &[a], 3)),
        gather(plain.layout(), &[b], &unit(&plain, &[b], 3))
    );
}

#[test]
fn large_tensors_are_drawn_in_parts_that_differ() {
    let linear = Layer::Linear { name: "wide".into(), input: 500, output: 400, bias: false };
    let topology = Topology {
        family: "MLP".into(),
        title: "wide".into(),
        classes: 400,
        resolution: [1, 20, 25],
        layers: vec![Layer::Flatten, linear],
    };
    let network = Network::fresh(topology, 0);
    let ball = Ball::layerwise(1.0);
    let pieces = WeightBlocks::new(network.layout(), &[0], Scope::Layer, Device::Cpu);
    let sample = || ball.sample(&pieces, &network.weights, &[0], Sampling::Sphere, 1);
    let draw = sample();
    assert_eq!(draw, sample(), "the same however threads share the work");
    // Uncorrelated at every distance up to a part and beyond: 200,000 numbers, standard error 0.0026 at most.
    let numbers = &draw / draw.std(false);
    for distance in [1, 2, 500, 1 << 15, 1 << 16, 1 << 17] {
        let count = 200_000 - distance;
        let products = numbers.narrow(0, 0, count) * numbers.narrow(0, distance, count);
        let correlation = products.mean(Kind::Double).double_value(&[]);
        assert!(correlation.abs() < 4.0 / (count as f64).sqrt(), "{correlation} at distance {distance}");
    }
}
