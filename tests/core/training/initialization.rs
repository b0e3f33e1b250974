//! Fresh weights: their scale, and where residual blocks start.

use basin_core::model::{Architecture, Evaluator, Family, Initialization, LeNet, Network, Norm, ResNet};
use basin_core::train::Train;
use tch::{Device, Kind, Tensor};

use crate::support::max_abs_difference;

fn deviation(network: &Network, name: &str) -> f64 {
    let index = network.layout().entries.iter().position(|entry| entry.name == name).unwrap();
    network.weights.view(index).std(true).double_value(&[])
}

/// The deviations that the paper's own test expects of a LeNet of 256 channels.
#[test]
fn weights_are_drawn_with_the_deviation_of_their_scale() {
    let family = Family::LeNet(LeNet { channels: 256, linear: 1024 });
    let topology = Architecture { family, normalization: None, whiten: false, ..Architecture::default() }
        .topology()
        .unwrap();
    for scale in [1.0, 0.5] {
        let initialization = Initialization { scale, ..Initialization::default() };
        let network = Network::initialized(topology.clone(), &initialization, 0);
        for (name, expected) in [
            ("conv0.weight", (2.0f64 / 75.0).sqrt()),
            ("conv1.weight", (2.0f64 / 6400.0).sqrt()),
            ("conv2.weight", (2.0f64 / 12_800.0).sqrt()),
            ("fc2.weight", (2.0f64 / 16_384.0).sqrt()),
            ("logits.weight", (2.0f64 / 1024.0).sqrt()),
        ] {
            let found = deviation(&network, name) / (scale * expected);
            assert!((found - 1.0).abs() < 0.03, "{name} at scale {scale}: {found} times what is expected");
        }
    }
}

/// At zero a block is its shortcut, so the kernels inside do not matter; a re-parameterized one starts at scale 1 anyway.
#[test]
fn residual_blocks_start_at_zero_where_they_can_and_are_asked_to() {
    let network = |norm, zero_residuals| {
        let family = Family::ResNet(ResNet { blocks: vec![1, 1], bottleneck: false, channels: 4 });
        let architecture =
            Architecture { family, normalization: Some(norm), whiten: false, ..Architecture::default() };
        let initialization = Initialization { zero_residuals, ..Initialization::default() };
        Network::initialized(architecture.topology().unwrap(), &initialization, 0)
    };
    let matters = |network: &Network| {
        let images = Tensor::linspace(0.0, 1.0, 2 * 3072, (Kind::Float, Device::Cpu)).view([2, 3, 32, 32]);
        let logits = || Evaluator::plain(network, &network.weights, Device::Cpu).logits(&images);
        let before = logits();
        for (index, entry) in network.layout().entries.iter().enumerate() {
            if entry.name.starts_with("block") && entry.name.ends_with("conv1.weight") {
                let _ = network.weights.view(index).g_mul_scalar_(-0.7);
            }
        }
        max_abs_difference(&before, &logits()) > 1e-4
    };
    for (norm, zero, expected) in [
        (Norm::Batch, true, false),
        (Norm::Batch, false, true),
        (Norm::Reparameterized, true, true),
        (Norm::Reparameterized, false, true),
    ] {
        assert_eq!(matters(&network(norm, zero)), expected, "{norm:?}, zero_residuals {zero}");
    }
}

#[test]
fn settings_of_fresh_weights_are_settings_of_a_training() {
    let job = Train::default().with("initialization.scale=1/2").unwrap();
    let job = job.with("initialization.zero_residuals=false").unwrap();
    assert_eq!(job.initialization, Initialization { scale: 0.5, zero_residuals: false });
    job.check().unwrap();
    let told = |setting: &str| job.with(setting).unwrap().check().unwrap_err().to_string();
    assert!(told("initialization.scale=0").starts_with("initialization.scale 0 is not possible"));
    assert!(told("initial=some.safetensors").contains("leave one out"));
    assert!(job.with("initialization.scal=2").unwrap_err().contains("did you mean scale?"));
}
