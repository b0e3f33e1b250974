//! In which precision weights and inputs are searched, and what low precision misses.

use basin_core::device::Precision;
use basin_core::job::{Case, Evaluate, Flatness, FlatnessLoss, Job, Pgd};
use basin_core::model::{Layer, Topology};
use basin_core::progress::Silent;
use basin_core::record::Outcome;
use basin_core::run::{RunOptions, run};
use tch::Device;

use crate::{checkpoint_path, compute, images, outcome, record, stored};

#[test]
fn worst_weights_are_searched_in_float32_on_every_device() {
    let wide = Layer::Conv {
        name: "conv".into(),
        input: 3,
        output: 64,
        kernel: 3,
        stride: 1,
        padding: 1,
        bias: true,
    };
    let topology = Topology {
        family: "ResNet".into(),
        title: "wide".into(),
        classes: 10,
        resolution: [3, 32, 32],
        layers: vec![wide],
    };
    let auto = |weights, device| Precision::Auto.resolve_search(weights, device, &topology).unwrap();
    for device in [Device::Cpu, Device::Cuda(0)] {
        assert_eq!(auto(true, device), Precision::F32, "{device:?}");
    }
    assert_eq!(auto(false, Device::Cuda(0)), Precision::Bf16);
    let asked = Precision::Tf32.resolve_search(true, Device::Cuda(0), &topology).unwrap();
    assert_eq!(asked, Precision::Tf32, "on request");
}

#[test]
fn worst_weights_searched_in_bf16_are_weaker_and_the_record_says_so() {
    let mut job = Flatness { radii: vec![0.01], draws: 1, ..stored(FlatnessLoss::Robust, Case::Worst) };
    job.reference_restarts = None;
    let exact = record(&job);
    job.compute.precision = Precision::Bf16;
    let low = record(&job);
    let loss = |record| outcome(record).radii[0].loss;
    eprintln!(
        "exact {} low {} cost {:?} {:?}",
        loss(&exact),
        loss(&low),
        low.provenance.search_cost,
        low.provenance.warnings
    );
    assert!(loss(&exact) > loss(&low));
}

/// The cost on the sample is what two evaluations of it, one searched in float32 and one in bf16, differ by.
#[test]
fn the_search_cost_is_that_of_repeating_the_search() {
    let evaluated = |range: &str, precision| {
        let mut job = Evaluate {
            checkpoint: checkpoint_path("resnet_rebn_trained"),
            data: images("bundled", range),
            attack: Some(Pgd { steps: 5, restarts: 2, ..Pgd::default() }),
            keep_examples: false,
            compute: compute(),
        };
        job.compute.precision = precision;
        let record = run(&Job::Evaluate(job), &RunOptions::default(), &mut Silent).unwrap();
        let Outcome::Evaluate(evaluation) = &record.outcome else { panic!("no evaluation") };
        (evaluation.robust.as_ref().unwrap().per_example.loss.clone(), record.provenance.search_cost)
    };
    let (low, cost) = evaluated("test:0..24", Precision::Bf16);
    let (exact, none) = evaluated("test:0..24", Precision::F32);
    assert_eq!(none, None);
    // 16 of the 24, evenly spread.
    let differences: Vec<f64> =
        (0..16).map(|i| i * 24 / 16).map(|at| f64::from(exact[at]) - f64::from(low[at])).collect();
    let mean = differences.iter().sum::<f64>() / 16.0;
    let squares: f64 = differences.iter().map(|d| (d - mean).powi(2)).sum();
    let cost = cost.unwrap();
    assert_eq!(cost.examples, 16);
    assert!((cost.value - mean).abs() < 1e-5 && mean != 0.0, "{} and {mean}", cost.value);
    assert!((cost.standard_error.unwrap() - (squares / 15.0 / 16.0).sqrt()).abs() < 1e-5, "{cost:?}");
}
