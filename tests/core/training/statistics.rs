//! Statistics of weights and gradients, against the plainest computation.

use basin_core::checkpoint;
use basin_core::train::{Optimizer, Schedule, Summary, Train, Trainer};
use tch::Device;

use super::{oracle_batches, settings};
use crate::support::{max_abs_difference, reference};

#[test]
fn statistics_are_those_of_the_values() {
    let network = checkpoint::open(&reference("checkpoints/lenet_tiny.pth.tar")).unwrap().network;
    let sgd = Optimizer::Sgd { learning_rate: 0.5, momentum: 0.0, nesterov: false, weight_decay: 0.0 };
    let job = Train { optimizer: sgd, schedule: Schedule::Constant, as_in_paper: false, ..settings() };
    let step = |job: Train| {
        let mut trainer = Trainer::new(job, &network, Device::Cpu).unwrap();
        let before = trainer.learner.weights().flat().copy();
        let mut batches = oracle_batches();
        let rate = trainer.rate(0, 3);
        trainer.step(0, rate, &mut || Ok(batches.next().unwrap()), &mut || Ok(())).unwrap();
        (trainer, before)
    };
    assert!(step(job.clone()).0.statistics().is_empty(), "only where they are asked for");
    let (trainer, before) = step(Train { tensor_statistics: true, ..job });
    let after = trainer.learner.weights();
    let gradient = trainer.gradient.as_ref().unwrap();
    assert!(max_abs_difference(gradient, &((before - after.flat()) / 0.5)) < 1e-12, "that of the step");
    let found = trainer.statistics();
    let entries = &after.layout().entries;
    assert_eq!(found.len(), entries.len());
    for (entry, found) in entries.iter().zip(&found) {
        assert_eq!(found.name, entry.name);
        for (flat, found) in [(after.flat(), found.weight), (gradient, found.gradient)] {
            let mut values = Vec::<f64>::try_from(flat.narrow(0, entry.offset, entry.len)).unwrap();
            values.sort_by(f64::total_cmp);
            let n = values.len() as f64;
            let sum_abs: f64 = values.iter().map(|value| value.abs()).sum();
            let rank = |share: f64| values[(share * (n - 1.0)).round_ties_even() as usize];
            let largest = rank(0.0).abs().max(rank(1.0).abs());
            let expected = Summary {
                norm: values.iter().map(|value| value * value).sum::<f64>().sqrt(),
                mean: values.iter().sum::<f64>() / n,
                mean_abs: sum_abs / n,
                sum_abs,
                min: rank(0.0),
                q25: rank(0.25),
                median: rank(0.5),
                q75: rank(0.75),
                max: rank(1.0),
                relevant: sum_abs / (largest * n),
            };
            for ((name, found), (_, expected)) in found.named().into_iter().zip(expected.named()) {
                let scale = expected.abs().max(1.0);
                assert!(
                    (found - expected).abs() < 1e-12 * scale,
                    "{}: {name} {found}, not {expected}",
                    entry.name
                );
            }
        }
    }
}
