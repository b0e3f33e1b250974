//! Average-case robust flatness (PGD-20, ResNet-18 with 64 channels, 64 examples), one draw at a time: the
//! naive way against ours; and what searching in low precision does to the measured robust loss.

use std::time::Instant;

use basin_core::attack::Pgd;
use basin_core::device::Precision;
use basin_core::job::{Case, Compute, DataSelection, Evaluate, Flatness, FlatnessLoss, Job};
use basin_core::measure::evaluation::{Batch, SearchAndMeasure, attack};
use basin_core::measure::landscape::direction::{Normalization, random, scale};
use basin_core::model::{Architecture, Evaluator, Network, Weights, channels_last};
use basin_core::progress::Silent;
use basin_core::record::{AtRadius, Evaluation, Outcome};
use basin_core::run::RunOptions;
use basin_core::seed::{generator, normal};
use tch::{Device, Kind, Tensor};

use super::pairs::{self, compare, interleave};
use super::{Results, naive};

const EXAMPLES: i64 = 64;
const DRAWS: usize = 3;
/// Relative size of the perturbation.
const RADIUS: f64 = 0.5;

pub fn run(results: &mut Results) -> anyhow::Result<()> {
    let network = Network::fresh(Architecture::default().topology()?, 1);
    let mut rng = generator(3, "bench", &[]);
    let images = Tensor::from_slice(&normal(&mut rng, (EXAMPLES * 3072) as usize));
    let images = images.view([EXAMPLES, 3, 32, 32]).sigmoid();
    let labels = Tensor::arange(EXAMPLES, (Kind::Int64, Device::Cpu)).remainder(10);
    let batch = Batch {
        images: channels_last(&images),
        labels: labels.copy(),
        indices: (0..EXAMPLES as usize).collect(),
    };
    let kind = Precision::Auto.resolve(Device::Cpu, &network.topology)?.search_kind();
    let pgd = Pgd::default();
    let (mut first, mut second) = (0, 0);
    let mut naive_draw = || {
        first += 1;
        let weights = perturbed(&network, first);
        naive::pgd(&network, &weights, &images, &labels, &pgd);
    };
    let mut our_draw = || {
        second += 1;
        let weights = perturbed(&network, second);
        let evaluator = |kind| Evaluator::new(&network, &weights, Device::Cpu, kind, false);
        let search = (kind != Kind::Float).then(|| evaluator(kind));
        let pair = SearchAndMeasure { search, measure: evaluator(Kind::Float) };
        assert!(attack(&pair, &pgd, &batch, 0, &mut || Ok(())).is_ok());
    };
    let times = interleave(DRAWS, &mut [&mut naive_draw, &mut our_draw]);
    results.compare("average robust flatness, one draw", &compare(&times[1], &times[0]));
    low_precision(results)
}

/// Time to the same standard error of average robust flatness: the multilevel estimate against plain draws.
///
/// How many plain draws it takes follows from the variance over draws and the standard error reached; what one takes is
/// timed.
pub fn levels(results: &mut Results) -> anyhow::Result<()> {
    const DRAWS: usize = 12;
    for name in ["at", "awp", "trades"] {
        for radius in [0.25, 0.5] {
            let study = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../resources/study");
            let checkpoint = study.join(name).join("final.safetensors");
            let job = Flatness {
                data: DataSelection {
                    examples: "test:0..32".parse().map_err(anyhow::Error::msg)?,
                    ..Default::default()
                },
                radii: vec![radius],
                ..Flatness::new(checkpoint, FlatnessLoss::Robust, Case::Average)
            };
            let measured = |job: Flatness| -> anyhow::Result<(f64, AtRadius)> {
                let begun = Instant::now();
                let record = basin_core::run::run(&Job::Flatness(job), &RunOptions::default(), &mut Silent)?;
                let Outcome::Flatness(outcome) = record.outcome else { anyhow::bail!("no flatness") };
                Ok((begun.elapsed().as_secs_f64(), outcome.radii[0].clone()))
            };
            let (few, _) = measured(Flatness { draws: 2, ..job.clone() })?;
            let (more, _) = measured(Flatness { draws: 4, ..job.clone() })?;
            let (seconds, at) =
                measured(Flatness { draws: DRAWS, levels: job.usual_levels(), ..job.clone() })?;
            let (Some(error), Some(levels)) = (at.standard_error, &at.levels) else {
                anyhow::bail!("a multilevel estimate has a standard error");
            };
            let plain = levels.plain.standard_error.unwrap_or(f64::NAN);
            let needed = DRAWS as f64 * (plain / error).powi(2);
            let per_draw = (more - few) / 2.0;
            let naive = few - 2.0 * per_draw + needed * per_draw;
            let outcome = pairs::Outcome { ours: seconds, naive, ratio: naive / seconds };
            results.compare(&format!("equal standard error, {name} at {radius}"), &outcome);
            results.figure("  plain draws for that", needed, "");
        }
    }
    Ok(())
}

/// What searching in bfloat16 changes in the robust loss of a trained network, measured in float32.
fn low_precision(results: &mut Results) -> anyhow::Result<()> {
    let robust = |precision| -> anyhow::Result<Vec<f64>> {
        let job = Job::Evaluate(Evaluate {
            checkpoint: basin_core::checkpoint::bundled_path()?,
            data: DataSelection {
                examples: "test:0..500".parse().map_err(anyhow::Error::msg)?,
                ..Default::default()
            },
            attack: Some(Pgd::default()),
            compute: Compute { precision, ..Compute::default() },
            ..Evaluate::default()
        });
        let record = basin_core::run::run(&job, &RunOptions::default(), &mut Silent)?;
        let Outcome::Evaluate(Evaluation { robust: Some(robust), .. }) = record.outcome else {
            anyhow::bail!("an attacked evaluation has a robust loss");
        };
        Ok(robust.per_example.loss.iter().map(|loss| f64::from(*loss)).collect())
    };
    let (exact, low) = (robust(Precision::F32)?, robust(Precision::Bf16)?);
    let count = exact.len() as f64;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / count;
    let (loss, difference) = (mean(&exact), mean(&low) - mean(&exact));
    let variance = exact.iter().map(|value| (value - loss).powi(2)).sum::<f64>() / (count - 1.0);
    let standard_error = (variance / count).sqrt();
    results.figure("robust loss, searched in bf16 minus in f32", 100.0 * difference / loss, "%");
    results.figure("the same in standard errors of that loss", difference / standard_error, "");
    Ok(())
}

fn perturbed(network: &Network, draw: u64) -> Weights {
    let which = network.layout().movable();
    let direction = random(network.layout(), &which, 0, draw, 0);
    let direction = scale(&direction, &network.weights, &which, &Normalization::Layer, RADIUS)
        .expect("fresh weights can be scaled");
    network.weights.moved(&[(1.0, &direction)])
}
