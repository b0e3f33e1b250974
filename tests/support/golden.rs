//! The little network of the golden numbers: 4 inputs, linear 6, tanh, linear 5, with formulas for weights.

use basin_core::model::{Activation, Evaluator, Layer, Layout, Network, Topology, Weights};
use std::sync::Arc;
use tch::{Device, Kind, Tensor};

/// The network.
pub fn network() -> Network {
    let linear = |name: &str, input, output| Layer::Linear { name: name.into(), input, output, bias: true };
    let topology = Topology {
        family: "MLP".into(),
        title: "golden".into(),
        classes: 5,
        resolution: [1, 2, 2],
        layers: vec![
            Layer::Flatten,
            linear("lin1", 4, 6),
            Layer::Activate { activation: Activation::Tanh },
            linear("lin2", 6, 5),
        ],
    };
    let mut flat: Vec<f32> = Vec::new();
    let grid = |rows: i32, columns: i32, f: &dyn Fn(f64, f64) -> f64| -> Vec<f32> {
        (0..rows)
            .flat_map(|i| (0..columns).map(move |j| (i, j)))
            .map(|(i, j)| f(i.into(), j.into()) as f32)
            .collect()
    };
    flat.extend(grid(6, 4, &|i, j| 1.5 * (1.0 + 2.3 * i + 1.1 * j * (i + 1.0)).sin()));
    flat.extend(grid(6, 1, &|i, _| 0.1 * i.cos()));
    flat.extend(grid(5, 6, &|i, j| 2.0 * (1.0 + 1.7 * i + 0.9 * j * (i + 1.0)).cos()));
    flat.extend(grid(5, 1, &|i, _| 0.05 * (i + 1.0)));
    let weights = Weights::from_flat(Arc::new(Layout::of(&topology)), Tensor::from_slice(&flat));
    Network { topology, weights, buffers: Vec::new() }
}

/// The network, ready.
pub fn evaluator() -> Evaluator {
    let network = network();
    Evaluator::new(&network, &network.weights, Device::Cpu, Kind::Float, false)
}

/// The four images, `4 x 1 x 2 x 2`.
pub fn images() -> Tensor {
    table(|n, p| 0.5 + 0.45 * (2.0 * n + 1.3 * n * p + p + 1.0).sin())
}

/// Their labels.
pub fn labels() -> Tensor {
    Tensor::from_slice(&[3i64, 4, 3, 0])
}

/// A value for each of 4 examples and 4 pixels.
pub fn table(f: impl Fn(f64, f64) -> f64) -> Tensor {
    let values: Vec<f32> = (0..16).map(|i| f(f64::from(i / 4), f64::from(i % 4)) as f32).collect();
    Tensor::from_slice(&values).view([4, 1, 2, 2])
}

/// Rows of 4 as a tensor like the images.
pub fn rows(values: &[[f32; 4]]) -> Tensor {
    Tensor::from_slice(values.as_flattened()).view([-1, 1, 2, 2])
}
