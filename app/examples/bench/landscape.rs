//! A clean landscape of 51 x 51 points of a ResNet-18 with 64 channels, computed where it bends, against the plain loop
//! over all points.

use std::time::Instant;

use anyhow::{Context as _, bail};
use basin_core::checkpoint;
use basin_core::data::load;
use basin_core::job::{Compute, DataSelection, DirectionKind, Job, Landscape, LandscapeLoss, Precision};
use basin_core::loss::cross_entropy;
use basin_core::measure::landscape::direction::{random, scale};
use basin_core::model::{Mode, Weights, logits};
use basin_core::progress::Silent;
use basin_core::record::Outcome;
use basin_core::run::{RunOptions, run as run_job};
use tch::Kind;

use super::pairs::median;
use super::{Results, widened};

/// Points of the plain loop that are timed, and compared.
const TIMED: usize = 12;

pub fn run(results: &mut Results) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("wide.safetensors");
    let network = widened::network()?;
    checkpoint::save(&path, &network, None)?;
    let job = Landscape {
        checkpoint: path,
        data: DataSelection { name: "bundled".into(), examples: "test:0..64".parse().expect("a range") },
        direction: DirectionKind::Random(0),
        second: Some(DirectionKind::Random(1)),
        loss: LandscapeLoss::Clean,
        refine: Some(0.01),
        compute: Compute { device: "cpu".into(), precision: Precision::F32, ..Compute::default() },
        ..Landscape::default()
    };
    let begun = Instant::now();
    let record = run_job(&Job::Landscape(job.clone()), &RunOptions::default(), &mut Silent)?;
    let ours = begun.elapsed().as_secs_f64();
    let Outcome::Landscape(found) = record.outcome else { bail!("the job is a landscape") };
    let grid = found.clean.context("a clean landscape")?;

    let images = load(&job.data.name, &job.data.examples)?;
    let which = job.tensors.select(network.layout())?;
    let direction = |draw: u64| {
        let raw = random(network.layout(), &which, job.compute.seed, draw, 0);
        scale(&raw, &network.weights, &which, &job.normalize, job.radius)
    };
    let (first, second) = (direction(0)?, direction(1)?);
    let losses: Vec<f64> = grid.loss.iter().flatten().collect();
    let ends = losses.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(*v), b.max(*v)));
    let steps = found.x.len();
    let (mut times, mut worst) = (Vec::new(), 0.0_f64);
    for number in 0..TIMED {
        // Spread over the grid.
        let at = (number * 2 + 1) * steps * steps / (2 * TIMED);
        let (x, y) = (at % steps, at / steps);
        let begun = Instant::now();
        let moves: [(f64, &Weights); 2] = [(found.x[x], &first), (found.x[y], &second)];
        let weights = network.weights.moved(&moves);
        let loss = tch::no_grad(|| {
            let output = logits(&network.topology, &network.params(&weights), &images.images, Mode::Evaluate);
            cross_entropy(&output, &images.labels).mean(Kind::Double).double_value(&[])
        });
        times.push(begun.elapsed().as_secs_f64());
        worst = worst.max((grid.loss.get(x, y).context("a loss")? - loss).abs());
    }
    let naive = median(times) * (steps * steps) as f64;
    let outcome = super::pairs::Outcome { ours, naive, ratio: naive / ours };
    results.compare("clean landscape 51 x 51, ResNet-18", &outcome);
    results.figure("  points computed", (steps * steps - found.interpolated) as f64, "of 2601");
    results.figure("  worst difference, of the height", 100.0 * worst / (ends.1 - ends.0), "%");
    Ok(())
}
