//! Flatness: the reference program's numbers on its trained checkpoint, mathematics, and jobs that can be split, stopped
//! and repeated.

mod equal;
mod kept;
mod logits;
mod precision;

use std::path::{Path, PathBuf};
use std::time::Duration;

use basin_core::checkpoint;
use basin_core::job::{
    Bookkeeping, Case, Compute, DataSelection, Descent, Evaluate, Flatness, FlatnessLoss, Job, Pgd,
    Precision, Sampling, Scope, Tensors, WeightNorm,
};
use basin_core::loss::cross_entropy;
use basin_core::measure::flatness::Losses;
use basin_core::measure::statistics::interval_of_table;
use basin_core::model::{Layer, Mode, Network, Topology, logits};
use basin_core::progress::{Cancelled, Event, Progress, Silent};
use basin_core::record::{AtRadius, FlatnessOutcome, KeptLosses, Outcome, Record};
use basin_core::run::{Observer, RunOptions, compare_files, estimate, run};
use tch::{Kind, Tensor};

use crate::support::process::passed_in_own_process;
use crate::support::{count, crafted, json, number, reference};

fn checkpoint_path(name: &str) -> PathBuf {
    reference(&format!("checkpoints/{name}.pth.tar"))
}

/// A network of the bundled study.
fn study(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../resources/study/{name}/final.safetensors"))
}

fn compute() -> Compute {
    Compute { device: "cpu".into(), precision: Precision::F32, seed: 5, batch_size: None }
}

fn images(name: &str, range: &str) -> DataSelection {
    DataSelection { name: name.into(), examples: range.parse().unwrap() }
}

/// On the images of the stored results, with their attack.
fn stored(loss: FlatnessLoss, case: Case) -> Flatness {
    let settings = &json("flatness/results.json")["settings"];
    let attack = Pgd {
        epsilon: number(settings, &["eps"]),
        step_size: number(settings, &["pgd_lr"]),
        steps: count(settings, &["pgd_iterations"]),
        ..Pgd::default()
    };
    let descent = Descent {
        bookkeeping: Bookkeeping::Exact,
        epochs: count(settings, &["worst_epochs"]),
        step_size: number(settings, &["weight_lr"]),
        ..Descent::default()
    };
    Flatness {
        data: images("bundled", &crate::support::images(&settings["test_indices"])),
        attack,
        reference_restarts: Some(1),
        descent,
        compute: compute(),
        ..Flatness::new(checkpoint_path("resnet_rebn_trained"), loss, case)
    }
}

/// On a dozen images, with a quick attack and search.
fn small(loss: FlatnessLoss, case: Case) -> Flatness {
    Flatness {
        data: images("bundled", "test:0..12"),
        draws: 3,
        attack: Pgd { steps: 3, ..Pgd::default() },
        reference_restarts: Some(2),
        descent: Descent { epochs: 2, search_batch: 7, ..Descent::default() },
        ..stored(loss, case)
    }
}

const ALL: [(FlatnessLoss, Case); 4] = [
    (FlatnessLoss::Clean, Case::Average),
    (FlatnessLoss::Clean, Case::Worst),
    (FlatnessLoss::Robust, Case::Average),
    (FlatnessLoss::Robust, Case::Worst),
];

fn record(job: &Flatness) -> Record {
    run(&Job::Flatness(job.clone()), &RunOptions::default(), &mut Silent).unwrap()
}

fn outcome(record: &Record) -> &FlatnessOutcome {
    let Outcome::Flatness(outcome) = &record.outcome else { panic!("not flatness") };
    outcome
}

fn measured(job: &Flatness) -> FlatnessOutcome {
    outcome(&record(job)).clone()
}

fn refusal(job: &Flatness) -> String {
    run(&Job::Flatness(job.clone()), &RunOptions::default(), &mut Silent).unwrap_err().to_string()
}

/// Mean and standard deviation of single draws (or of seeds) in the stored results.
fn law(measure: &str, what: &str) -> (f64, f64) {
    let entry = &json("flatness/results.json")["summary"][measure][what];
    (entry["mean"].as_f64().unwrap(), entry["std"].as_f64().unwrap())
}

/// Radii that the results have of a measure, the largest first.
fn radii(measure: &str) -> Vec<f64> {
    let stored = json("flatness/results.json");
    let names = stored["summary"].as_object().unwrap().keys();
    let radius = |name: &String| name.strip_prefix(measure)?.strip_prefix('_')?.parse().ok();
    let mut radii: Vec<f64> = names.filter_map(radius).collect();
    radii.sort_by(|a, b| b.total_cmp(a));
    assert!(!radii.is_empty(), "no {measure}");
    radii
}

/// The mean of draws against the stored single draws, within four standard errors and `rounding`.
fn check(measure: &str, at: &AtRadius, rounding: f64) {
    let (mean, deviation) = law(measure, "per_draw");
    let allowed = 4.0 * deviation / (at.draws.len() as f64).sqrt() + rounding;
    assert!((at.mean - mean).abs() <= allowed, "{measure}: {} and {mean} within {allowed:e}", at.mean);
}

#[test]
fn average_clean_flatness_is_that_of_the_reference_program() {
    let radii = radii("clean_average");
    let job = Flatness { radii: radii.clone(), draws: 40, ..stored(FlatnessLoss::Clean, Case::Average) };
    let found = measured(&job);
    let stored = json("flatness/results.json");
    let loss = stored["clean_loss_validation_0"].as_f64().unwrap();
    assert!((found.reference_loss - loss).abs() < 1e-5, "{} and {loss}", found.reference_loss);
    assert!((found.reference_error - stored["clean_error"].as_f64().unwrap()).abs() < 1e-9);
    for at in &found.radii {
        check(&format!("clean_average_{}", at.radius), at, 0.0);
    }
    let spread = law(&format!("clean_average_{}", radii[0]), "per_draw").1;
    let error = found.radii[0].standard_error.unwrap() * 40f64.sqrt();
    assert!(error > 0.3 * spread && error < 3.0 * spread, "standard deviation {error}, stored {spread}");
}

#[test]
fn average_robust_flatness_is_that_of_the_reference_program() {
    let radii = radii("robust_average");
    let job = Flatness { radii, draws: 1, ..stored(FlatnessLoss::Robust, Case::Average) };
    let found = measured(&job);
    let (loss, _) = law("robust_reference", "loss");
    assert!((found.reference_loss - loss).abs() < 1e-3, "{} and {loss}", found.reference_loss);
    let (error, _) = law("robust_reference", "robust_error");
    let examples = job.data.examples.end as usize - job.data.examples.start;
    assert!(
        (found.reference_error - error).abs() <= 1.5 / examples as f64,
        "{} and {error}",
        found.reference_error
    );
    for at in &found.radii {
        check(&format!("robust_average_{}", at.radius), at, 0.0);
    }
}

#[test]
fn worst_clean_flatness_is_that_of_the_reference_program() {
    let radii = radii("clean_worst");
    let mut job = Flatness { radii, draws: 1, ..stored(FlatnessLoss::Clean, Case::Worst) };
    job.descent.bookkeeping = Bookkeeping::Paper;
    let paper = measured(&job);
    for at in &paper.radii {
        check(&format!("clean_worst_{}", at.radius), at, 1.4e-4 * at.flatness);
    }
    // Looking at the last update as well changes little here.
    let smallest = paper.radii.last().unwrap();
    job.radii = vec![smallest.radius];
    job.descent.bookkeeping = Bookkeeping::Exact;
    let exact = measured(&job);
    let rise = exact.radii[0].loss - smallest.loss;
    assert!(rise > -1e-5 && rise < 0.01 * smallest.flatness, "{rise}");
}

#[test]
fn worst_robust_flatness_is_that_of_the_reference_program() {
    let radii = radii("robust_worst");
    let job = Flatness { radii, draws: 1, ..stored(FlatnessLoss::Robust, Case::Worst) };
    for at in &measured(&job).radii {
        check(&format!("robust_worst_{}", at.radius), at, 5e-4 * at.flatness);
    }
}

/// A linear classifier with known Hessian, trained until the gradient is nearly zero. Its file, and the folder of its
/// images.
fn linear_classifier(folder: &Path) -> (Network, Tensor, Tensor) {
    let (side, count) = (4, 60);
    let labels: Vec<u8> = (0..count).map(|i| ((i * i + i / 7) % 10) as u8).collect();
    crafted::idx(folder, side, &labels);
    let topology = Topology {
        family: "MLP".into(),
        title: "linear".into(),
        classes: 10,
        resolution: [1, side as i64, side as i64],
        layers: vec![
            Layer::Flatten,
            Layer::Linear { name: "logits".into(), input: (side * side) as i64, output: 10, bias: true },
        ],
    };
    let network = Network::fresh(topology, 1);
    let pixels: Vec<u8> = (0..count * side * side).map(|i| (i * 37 % 251) as u8).collect();
    let images = Tensor::from_slice(&pixels).to_kind(Kind::Float) / 255.0;
    let images = images.view([count as i64, 1, side as i64, side as i64]);
    let labels = Tensor::from_slice(&labels).to_kind(Kind::Int64);
    for _ in 0..3000 {
        let (params, leaves) = network.leaves(&network.weights, &[0, 1]);
        let loss = cross_entropy(&logits(&network.topology, &params, &images, Mode::Evaluate), &labels);
        let gradients = Tensor::run_backward(&[loss.mean(Kind::Float)], &leaves, false, false);
        tch::no_grad(|| {
            for (index, gradient) in gradients.iter().enumerate() {
                let _ = network.weights.view(index).g_sub_(&(gradient * 0.3));
            }
        });
    }
    checkpoint::save(&folder.join("linear.safetensors"), &network, None).unwrap();
    (network, images, labels)
}

#[test]
fn near_a_minimum_average_flatness_is_half_the_trace_of_the_hessian() {
    let folder = tempfile::tempdir().unwrap();
    let (network, images, _) = linear_classifier(folder.path());
    let _guard = tch::no_grad_guard();
    let outputs = logits(&network.topology, &network.params(&network.weights), &images, Mode::Evaluate);
    let p = outputs.to_kind(Kind::Double).softmax(-1, Kind::Double);
    let curvature = (&p * (1.0f64 - &p)).sum_dim_intlist([1i64].as_slice(), false, Kind::Double);
    let pixels = images.flatten(1, -1).to_kind(Kind::Double);
    let squares = pixels.square().sum_dim_intlist([1i64].as_slice(), false, Kind::Double);
    // The traces of the two diagonal blocks: of the matrix and of the biases.
    let traces = [
        (&curvature * squares).mean(Kind::Double).double_value(&[]),
        curvature.mean(Kind::Double).double_value(&[]),
    ];
    let expected = |radius: f64| -> f64 {
        let entries = network.layout().entries.iter().enumerate();
        entries
            .map(|(index, entry)| {
                // On the sphere of radius r in n dimensions E nu nu' = r^2 / n.
                let size = radius * network.weights.view(index).norm().double_value(&[]);
                0.5 * size * size / entry.len as f64 * traces[index]
            })
            .sum()
    };
    let radii = vec![0.02, 0.05, 0.1];
    let job = Flatness {
        checkpoint: folder.path().join("linear.safetensors"),
        data: images_in(folder.path(), 60),
        radii: radii.clone(),
        draws: 400,
        ..stored(FlatnessLoss::Clean, Case::Average)
    };
    let found = measured(&job);
    for (radius, at) in radii.iter().zip(&found.radii) {
        let (wanted, error) = (expected(*radius), at.standard_error.unwrap());
        assert!(error < 0.2 * wanted, "radius {radius}: standard error {error} of {wanted}");
        let difference = (at.flatness - wanted).abs();
        assert!(difference <= 3.0 * error, "radius {radius}: {} and {wanted} within {error}", at.flatness);
    }
}

fn images_in(folder: &Path, count: usize) -> DataSelection {
    images(&folder.display().to_string(), &format!("test:0..{count}"))
}

#[test]
fn radius_zero_is_exactly_no_flatness() {
    for (loss, case) in ALL {
        let job = Flatness { radii: vec![0.0], per_layer: true, draws: 2, ..small(loss, case) };
        let found = measured(&job);
        let layers = found.layers.iter().flat_map(|layer| &layer.radii);
        for at in found.radii.iter().chain(layers) {
            let average = case == Case::Average;
            assert_eq!((at.flatness, at.standard_error), (0.0, average.then_some(0.0)));
            assert_eq!(
                (at.interval, at.spread),
                if average { (Some([0.0; 2]), None) } else { (None, Some([0.0; 2])) }
            );
            assert_eq!(
                (at.loss, at.mean, at.worst),
                (found.reference_loss, found.reference_loss, found.reference_loss)
            );
            assert!(at.draws.iter().all(|draw| draw.loss == found.reference_loss));
        }
        assert_eq!(found.layers.len(), 26);
    }
}

#[test]
fn statistics_say_what_they_are() {
    for case in [Case::Average, Case::Worst] {
        let found = measured(&Flatness { radii: vec![0.02, 0.1], ..small(FlatnessLoss::Clean, case) });
        for at in &found.radii {
            let losses: Vec<f64> = at.draws.iter().map(|draw| draw.loss).collect();
            let mean = losses.iter().sum::<f64>() / losses.len() as f64;
            let worst = losses.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            assert!((at.mean - mean).abs() < 1e-12 && (at.worst - worst).abs() < 1e-12);
            assert_eq!(at.loss, if case == Case::Average { at.mean } else { at.worst });
            assert!((at.flatness - (at.loss - found.reference_loss)).abs() < 1e-12);
            let (interval, spread) = (at.interval, at.spread);
            match case {
                Case::Average => {
                    let [low, high] = interval.unwrap();
                    assert!(
                        low < at.flatness
                            && at.flatness < high
                            && spread.is_none()
                            && at.standard_error > Some(0.0)
                    );
                }
                // Nothing is known of a maximum but that it is at least that large.
                Case::Worst => {
                    assert_eq!((interval, at.standard_error), (None, None));
                    let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
                    let [low, high] = spread.unwrap();
                    assert!((low - (least - found.reference_loss)).abs() < 1e-12 && high == at.flatness);
                }
            }
            assert!(at.draws.iter().all(|draw| draw.error >= found.reference_error));
        }
    }
    let single = Flatness { draws: 1, ..small(FlatnessLoss::Clean, Case::Average) };
    let single = &measured(&single).radii[0];
    assert_eq!((single.standard_error, single.interval), (None, None));
}

#[test]
fn the_worst_case_is_worse_than_the_average_and_grows_with_the_radius() {
    for loss in [FlatnessLoss::Clean, FlatnessLoss::Robust] {
        let radii = vec![0.001, 0.01];
        let average = measured(&Flatness { radii: radii.clone(), ..small(loss, Case::Average) });
        let mut job = Flatness { radii, draws: 1, ..small(loss, Case::Worst) };
        job.descent.epochs = 5;
        let worst = measured(&job);
        for (average, worst) in average.radii.iter().zip(&worst.radii) {
            assert!(
                worst.loss > average.worst,
                "{loss:?} at {}: {} and {}",
                worst.radius,
                worst.loss,
                average.worst
            );
        }
        assert!(worst.radii.windows(2).all(|w| w[1].loss > w[0].loss));
    }
}

#[test]
fn a_layer_alone_is_measured_as_if_it_were_the_only_one() {
    for (loss, case) in ALL {
        let radii = vec![if case == Case::Average { 0.5 } else { 0.01 }];
        let tensors = Tensors::from("conv1.weight,logits.*");
        let job = Flatness { per_layer: true, draws: 2, radii, tensors, ..small(loss, case) };
        let all = measured(&job);
        let names: Vec<&str> = all.layers.iter().map(|layer| layer.name.as_str()).collect();
        assert_eq!(names, ["conv1.weight", "logits.weight", "logits.bias"]);
        let only = Flatness { per_layer: false, tensors: Tensors::from("logits.weight"), ..job };
        assert_eq!(measured(&only).radii, all.layers[1].radii);
        assert_ne!(all.radii, all.layers[1].radii);
    }
}

#[test]
fn every_kind_of_ball_and_draw_works() {
    let base = small(FlatnessLoss::Clean, Case::Average);
    let flatness = |job: &Flatness| measured(job).radii[0].flatness;
    let layer = flatness(&base);
    for scope in [Scope::Filter, Scope::Global] {
        let found = flatness(&Flatness { scope, ..base.clone() });
        assert!(found.is_finite() && found != layer, "{scope:?}");
    }
    let absolute = Flatness { scope: Scope::Global, absolute: true, radii: vec![1.5], ..base.clone() };
    assert!(flatness(&absolute).is_finite());
    for sampling in [Sampling::Ball, Sampling::UniformNorm] {
        let found = flatness(&Flatness { sampling, ..base.clone() });
        assert!(found.is_finite() && found != layer, "{sampling:?}");
    }
    // Half as far on average.
    let draws = 40;
    let sphere = measured(&Flatness { draws, ..base.clone() }).radii[0].mean;
    let inside = measured(&Flatness { draws, sampling: Sampling::UniformNorm, ..base }).radii[0].mean;
    assert!(inside < sphere);
}

#[test]
fn the_search_may_look_at_other_images() {
    for loss in [FlatnessLoss::Clean, FlatnessLoss::Robust] {
        let mut own = Flatness { draws: 1, radii: vec![0.01], ..small(loss, Case::Worst) };
        (own.descent.epochs, own.descent.search_batch) = (8, 30);
        let other = Flatness { search_data: Some(images("bundled", "test:30..60")), ..own.clone() };
        let (own, other) = (measured(&own), measured(&other));
        assert_eq!(own.reference_loss, other.reference_loss);
        if loss == FlatnessLoss::Clean {
            assert!(other.radii[0].loss < own.radii[0].loss);
        }
        assert!(other.radii[0].flatness > 0.0, "{loss:?}: {}", other.radii[0].flatness);
    }
}

fn all_losses(outcome: &FlatnessOutcome) -> Vec<f64> {
    let layers = outcome.layers.iter().flat_map(|layer| &layer.radii);
    let draws = outcome.radii.iter().chain(layers).flat_map(|at| &at.draws);
    std::iter::once(outcome.reference_loss).chain(draws.map(|draw| draw.loss)).collect()
}

#[test]
fn batch_size_and_threads_change_nothing_beyond_rounding() {
    if passed_in_own_process("flatness::batch_size_and_threads_change_nothing_beyond_rounding") {
        return;
    }
    for (loss, case) in ALL {
        let job = |batch_size| {
            let compute = Compute { batch_size, ..compute() };
            Flatness { compute, draws: 2, ..small(loss, case) }
        };
        tch::set_num_threads(2);
        let whole = measured(&job(None));
        let split = measured(&job(Some(5)));
        tch::set_num_threads(1);
        let single = run(&Job::Flatness(job(None)), &RunOptions::default(), &mut Silent);
        tch::set_num_threads(2);
        for other in [&split, outcome(&single.unwrap())] {
            assert_eq!(other.radii[0].draws.len(), whole.radii[0].draws.len());
            for (a, b) in all_losses(&whole).iter().zip(all_losses(other)) {
                // A rounding difference can flip the sign of a tiny gradient, which moves a pixel by a step.
                assert!((a - b).abs() <= 2e-3 * a.max(1.0), "{loss:?} {case:?}: {a} and {b}");
            }
        }
        assert_eq!(measured(&job(None)), whole, "the same job gives the same bits");
    }
}

#[test]
fn halves_of_the_images_make_the_whole() {
    for loss in [FlatnessLoss::Clean, FlatnessLoss::Robust] {
        let of = |range: &str| {
            let data = images("bundled", range);
            all_losses(&measured(&Flatness { data, ..small(loss, Case::Average) }))
        };
        let (whole, first, second) = (of("test:0..12"), of("test:0..6"), of("test:6..12"));
        for ((whole, first), second) in whole.iter().zip(first).zip(second) {
            assert!(
                (whole - f64::midpoint(first, second)).abs() <= 2e-3,
                "{loss:?}: {whole}, {first}, {second}"
            );
        }
    }
}

#[test]
fn networks_and_radii_share_their_draws() {
    let job = Flatness { radii: vec![0.1, 0.2], ..small(FlatnessLoss::Clean, Case::Average) };
    let seeds = |outcome: &FlatnessOutcome| -> Vec<Vec<u64>> {
        outcome.radii.iter().map(|at| at.draws.iter().map(|draw| draw.seed).collect()).collect()
    };
    let one = measured(&job);
    let other = measured(&Flatness { checkpoint: checkpoint_path("resnet_rebn_init"), ..job.clone() });
    assert_eq!(seeds(&one), seeds(&other));
    assert_eq!(seeds(&one)[0], seeds(&one)[1]);
    // More draws go on where fewer end.
    let more = measured(&Flatness { draws: 5, ..job.clone() });
    assert_eq!(more.radii[0].draws[..3], one.radii[0].draws[..]);
    let mut elsewhere = job;
    elsewhere.compute.seed = 6;
    assert_ne!(seeds(&measured(&elsewhere)), seeds(&one));
}

/// Cancels after a number of finished units, or at the n-th sign of life.
struct Stop {
    units: u64,
    alive: u64,
}

impl Progress for Stop {
    fn report(&mut self, event: Event) -> Result<(), Cancelled> {
        match event {
            Event::Step { done, .. } if done >= self.units => Err(Cancelled),
            Event::Alive if self.alive == 0 => Err(Cancelled),
            Event::Alive => {
                self.alive -= 1;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl Observer for Stop {}

#[test]
fn a_cancelled_measure_goes_on_to_the_same_bits() {
    // With how many units one draw is finished, but not all are.
    let some = [
        (FlatnessLoss::Robust, Case::Average, false, 14),
        (FlatnessLoss::Clean, Case::Worst, false, 6),
        (FlatnessLoss::Robust, Case::Average, true, 150),
    ];
    for (loss, case, levels, units_of_some) in some {
        let folder = tempfile::tempdir().unwrap();
        let options = RunOptions { out: Some(folder.path().join("record.json")), ..RunOptions::default() };
        let mut measure = Flatness { radii: vec![0.002, 0.01], ..small(loss, case) };
        measure.compute.batch_size = Some(5);
        measure.levels = levels.then(|| measure.usual_levels()).flatten();
        let straight = measured(&measure);
        let job = Job::Flatness(measure);
        let mut partial = 0;
        for (units, alive) in [(2, u64::MAX), (u64::MAX, 2), (units_of_some, u64::MAX)] {
            match run(&job, &options, &mut Stop { units, alive }) {
                Ok(record) if !record.provenance.complete => {
                    partial += 1;
                    let known: usize = outcome(&record).radii.iter().map(|at| at.draws.len()).sum();
                    assert!((1..6).contains(&known), "{known} draws");
                    assert_eq!(Record::load(options.out.as_ref().unwrap()).unwrap(), record);
                }
                Ok(_) => {}
                Err(error) => assert!(matches!(error, basin_core::Error::Cancelled), "{error}"),
            }
        }
        assert!(partial > 0, "{loss:?} {case:?}");
        let finished = run(&job, &options, &mut Silent).unwrap();
        assert!(finished.provenance.complete);
        let without_file = FlatnessOutcome { losses: None, ..outcome(&finished).clone() };
        assert_eq!(without_file, straight);
        let names: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "no journal is left: {names:?}");
        let kept = finished.load_losses(options.out.as_ref().unwrap()).unwrap().unwrap();
        check_losses(outcome(&finished), &kept);
    }
}

/// The losses beside a record are those of its numbers.
fn check_losses(outcome: &FlatnessOutcome, kept: &KeptLosses) {
    let mean =
        |losses: &Losses| losses.loss.iter().map(|l| f64::from(*l)).sum::<f64>() / losses.loss.len() as f64;
    assert!((mean(&kept.tables["reference"][0]) - outcome.reference_loss).abs() < 1e-9);
    for (number, at) in outcome.radii.iter().enumerate() {
        let rows = &kept.tables[&format!("radii.{number}")];
        assert_eq!(rows.len(), at.draws.len());
        for (row, draw) in rows.iter().zip(&at.draws) {
            assert!((mean(row) - draw.loss).abs() < 1e-9);
        }
        let cheap = |level: &str| kept.tables.get(&format!("radii.{number}.{level}")).map(Vec::len);
        let draws = at.levels.as_ref().map(|levels| levels.draws);
        let expected = (draws.map(|draws| draws.short), draws.map(|draws| draws.clean));
        assert_eq!((cheap("short"), cheap("clean")), expected);
    }
}

#[test]
fn cheap_levels_are_the_attack_s_first_steps_and_clean_images() {
    let folder = tempfile::tempdir().unwrap();
    let mut job = Flatness { radii: vec![0.5], draws: 5, ..small(FlatnessLoss::Robust, Case::Average) };
    job.attack.steps = 8;
    job.attack.restarts = 2;
    let plain = measured(&job);
    job.levels = job.usual_levels();
    let numbers = job.numbers();
    assert!(numbers.full == 5 && numbers.short > 5 && numbers.clean > numbers.short, "{numbers:?}");
    let options = RunOptions { out: Some(folder.path().join("record.json")), ..RunOptions::default() };
    let record = run(&Job::Flatness(job.clone()), &options, &mut Silent).unwrap();
    let at = &outcome(&record).radii[0];
    let levels = at.levels.as_ref().unwrap();
    assert_eq!((levels.draws, levels.steps), (numbers, 2));
    // The draws under the whole attack are those of the plain measure.
    let of = &plain.radii[0];
    assert_eq!((&at.draws, at.mean, at.worst), (&of.draws, of.mean, of.worst));
    assert_eq!(
        (levels.plain.flatness, levels.plain.standard_error, levels.plain.interval),
        (of.flatness, of.standard_error, of.interval)
    );
    assert_ne!(at.flatness, of.flatness);
    // Every level is what a job of its own measures.
    let kept = record.load_losses(options.out.as_ref().unwrap()).unwrap().unwrap();
    check_losses(outcome(&record), &kept);
    let mean =
        |losses: &Losses| losses.loss.iter().map(|l| f64::from(*l)).sum::<f64>() / losses.loss.len() as f64;
    let same = |table: &str, alone: &Flatness| {
        let rows = &kept.tables[table];
        let alone = measured(&Flatness { draws: rows.len(), levels: None, ..alone.clone() });
        for (row, draw) in rows.iter().zip(&alone.radii[0].draws) {
            assert!((mean(row) - draw.loss).abs() < 1e-6, "{table}: {} and {}", mean(row), draw.loss);
        }
    };
    same("radii.0.clean", &Flatness { loss: FlatnessLoss::Clean, ..job.clone() });
    let mut short = job.clone();
    short.attack.steps = 2;
    same("radii.0.short", &short);
    // Batches change nothing but rounding.
    let mut small = job.clone();
    small.compute.batch_size = Some(5);
    let other = &measured(&small).radii[0];
    assert!((other.flatness - at.flatness).abs() < 1e-5);
    // No perturbation, no flatness, whatever the level.
    let still = measured(&Flatness { radii: vec![0.0], ..job });
    assert_eq!((still.radii[0].flatness, still.radii[0].standard_error), (0.0, Some(0.0)));
}

#[test]
fn draws_are_added_until_the_standard_error_is_reached() {
    for loss in [FlatnessLoss::Clean, FlatnessLoss::Robust] {
        let mut job = Flatness { radii: vec![0.5], draws: 8, ..small(loss, Case::Average) };
        job.levels = job.usual_levels();
        let first = measured(&Flatness { until: None, ..job.clone() }).radii[0].standard_error.unwrap();
        job.draws = 60;
        job.until = Some(0.6 * first);
        let found = record(&job);
        let at = &outcome(&found).radii[0];
        assert!(found.provenance.complete && at.standard_error.unwrap() <= 0.6 * first, "{at:?}");
        assert!(at.draws.len() >= 5 && at.draws.len() <= 60, "{}", at.draws.len());
        // The most draws are the most.
        let few = record(&Flatness { draws: 9, until: Some(1e-9), ..job });
        assert_eq!(outcome(&few).radii[0].draws.len(), 9);
        assert!(few.provenance.warnings.iter().any(|text| text.contains("--draws")), "{:?}", few.provenance);
    }
}

#[test]
fn networks_are_compared_draw_by_draw() {
    let folder = tempfile::tempdir().unwrap();
    let measure = |name: &str, network: &str, change: &dyn Fn(&mut Flatness)| {
        let mut job = Flatness {
            checkpoint: checkpoint_path(network),
            draws: 4,
            ..small(FlatnessLoss::Clean, Case::Average)
        };
        change(&mut job);
        let out = folder.path().join(name);
        run(
            &Job::Flatness(job),
            &RunOptions { out: Some(out.clone()), ..RunOptions::default() },
            &mut Silent,
        )
        .unwrap();
        out
    };
    let a = measure("a.json", "resnet_rebn_trained", &|_| ());
    let b = measure("b.json", "resnet_rebn_init", &|_| ());
    let found = compare_files(&a, &b).unwrap();
    let it = &found.differences[0];
    assert_eq!((it.paired_draws, it.paired_examples), (Some(4), 12));
    // The t interval of the table of differences.
    let table = |path: &Path| {
        let kept = Record::load(path).unwrap().load_losses(path).unwrap().unwrap();
        let base = &kept.tables["reference"][0];
        kept.tables["radii.0"].iter().map(|row| row.above(base)).collect::<Vec<_>>()
    };
    let minus = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| b - a).collect::<Vec<f64>>();
    let rows: Vec<Vec<f64>> = table(&a).iter().zip(&table(&b)).map(|(a, b)| minus(a, b)).collect();
    let wanted = interval_of_table(&rows).unwrap();
    let [low, high] = it.interval.unwrap();
    assert!((low - wanted.low).abs() < 1e-9 && (high - wanted.high).abs() < 1e-9, "{it:?} {wanted:?}");
    // With itself: nothing.
    let same = &compare_files(&a, &a).unwrap().differences[0];
    assert_eq!((same.difference, same.interval, same.excludes_zero()), (0.0, Some([0.0; 2]), Some(false)));
    // Other draws and other examples are not paired, fewer are paired as far as they go.
    let other = measure("c.json", "resnet_rebn_trained", &|job| {
        job.compute.seed = 9;
        job.data = images("bundled", "train:0..12");
    });
    let apart = &compare_files(&a, &other).unwrap().differences[0];
    assert_eq!((apart.paired_draws, apart.paired_examples), (Some(0), 0));
    assert!(apart.interval.unwrap()[1] > apart.difference);
    let fewer = measure("d.json", "resnet_rebn_init", &|job| {
        job.draws = 3;
        job.data = images("bundled", "test:4..20");
    });
    let part = &compare_files(&a, &fewer).unwrap().differences[0];
    assert_eq!((part.paired_draws, part.paired_examples), (Some(3), 8));
    // Of other measures, and without losses: a sentence.
    let robust = measure("e.json", "resnet_rebn_trained", &|job| job.loss = FlatnessLoss::Robust);
    assert!(compare_files(&a, &robust).unwrap_err().to_string().contains("different measures"));
    std::fs::remove_file(folder.path().join("b.json.losses.safetensors")).unwrap();
    assert!(compare_files(&a, &b).unwrap_err().to_string().contains("b.json.losses.safetensors"));
}

/// Everything that is reported, and every partial outcome.
#[derive(Default)]
struct Log(Vec<Event>, Vec<FlatnessOutcome>);

impl Progress for Log {
    fn report(&mut self, event: Event) -> Result<(), Cancelled> {
        self.0.push(event);
        Ok(())
    }
}

impl Observer for Log {
    fn interval(&self) -> Option<Duration> {
        Some(Duration::ZERO)
    }

    fn so_far(&mut self, outcome: Outcome) {
        let Outcome::Flatness(outcome) = outcome else { panic!("not of flatness") };
        self.1.push(outcome);
    }
}

#[test]
fn progress_counts_every_unit_and_shows_the_record_so_far() {
    for (loss, case) in ALL {
        let job = Flatness { radii: vec![0.01, 0.02], draws: 3, ..small(loss, case) };
        let mut log = Log::default();
        let record = run(&Job::Flatness(job.clone()), &RunOptions::default(), &mut log).unwrap();
        let found = outcome(&record);
        let steps: Vec<(u64, u64)> = log
            .0
            .iter()
            .filter_map(
                |event| if let Event::Step { done, total } = event { Some((*done, *total)) } else { None },
            )
            .collect();
        let total = estimate(&Job::Flatness(job.clone())).unwrap().units;
        assert_eq!(steps, (1..=total).map(|done| (done, total)).collect::<Vec<_>>());
        // With every draw there is more, at last everything; and each is what the record of so many draws is.
        assert_eq!(log.1.last().unwrap().radii, found.radii);
        let fewer = measured(&Flatness { draws: 2, ..job.clone() });
        let draws =
            |so_far: &FlatnessOutcome| so_far.radii.iter().map(|at| at.draws.len()).collect::<Vec<_>>();
        let mut known: Vec<Vec<usize>> = log.1.iter().map(draws).collect();
        known.dedup();
        assert_eq!(known, [vec![1], vec![1, 1], vec![2, 1], vec![2, 2], vec![3, 2], vec![3, 3]]);
        assert_eq!(log.1.iter().find(|so_far| draws(so_far) == [2, 2]), Some(&fewer));
        assert!(log.1.iter().all(|so_far| so_far.reference_loss == found.reference_loss));
    }
}

#[test]
fn low_precision_search_reports_float32_losses_and_what_it_misses() {
    for (loss, case) in ALL {
        let mut job = Flatness { draws: 2, radii: vec![0.003], ..small(loss, case) };
        let exact = record(&job);
        job.compute.precision = Precision::Bf16;
        let fast = record(&job);
        assert_eq!(fast.provenance.measure_precision, "f32");
        assert_eq!(exact.provenance.search_cost, None);
        if (loss, case) == (FlatnessLoss::Clean, Case::Average) {
            assert_eq!(outcome(&fast), outcome(&exact), "nothing is searched");
        } else {
            let cost = fast.provenance.search_cost.unwrap();
            assert!(
                cost.value.abs() < 0.05 && cost.standard_error.unwrap() > 0.0,
                "{loss:?} {case:?}: {cost:?}"
            );
            assert_eq!(cost.examples, 12);
            for (a, b) in all_losses(outcome(&exact)).iter().zip(all_losses(outcome(&fast))) {
                assert!((a - b).abs() <= 0.02 * a, "{loss:?} {case:?}: {a} and {b}");
            }
        }
    }
}

type Change = fn(&mut Flatness);

#[test]
fn settings_that_make_no_sense_are_refused() {
    let base = small(FlatnessLoss::Clean, Case::Average);
    let with = |change: Change| {
        let mut job = base.clone();
        change(&mut job);
        refusal(&job)
    };
    let cases: [(Change, &str); 19] = [
        (|job| job.radii = vec![-0.1], "radius -0.1 is not possible"),
        (|job| job.radii = vec![0.1, f64::NAN], "radius NaN is not possible"),
        (|job| job.radii = vec![f64::INFINITY], "radius inf is beyond the upper limit"),
        (|job| job.radii = Vec::new(), "give at least one"),
        (|job| job.radii = vec![0.1, 0.1], "radius 0.1 is given twice"),
        (|job| job.draws = 0, "0 draws are not possible"),
        (|job| job.draws = usize::MAX, "too many"),
        (|job| (job.draws, job.worst_of) = (2000, 2000), "too many"),
        (|job| job.worst_of = 0, "the worst of 0 perturbations"),
        (|job| (job.case, job.worst_of) = (Case::Worst, 3), "use more draws"),
        (|job| (job.case, job.descent.epochs) = (Case::Worst, 1_000_001), "1000001 epochs are too many"),
        (|job| (job.case, job.descent.early_stopping) = (Case::Worst, true), "give the loss bound"),
        (|job| job.absolute = true, "use scope global"),
        (|job| job.search_data = Some(images("bundled", "test:0..3")), "worst case"),
        (|job| job.tensors = Tensors::from("nothing.*"), "no trained tensor is called \"nothing.*\""),
        (|job| job.tensors = Tensors::Named(Vec::new()), "none of these"),
        (|job| (job.case, job.descent.step_size) = (Case::Worst, -1.0), "weight step size -1"),
        (
            |job| (job.loss, job.case, job.descent.momentum) = (FlatnessLoss::Robust, Case::Worst, 0.9),
            "joint attack",
        ),
        (|job| (job.loss, job.reference_restarts) = (FlatnessLoss::Robust, Some(0)), "reference restarts"),
    ];
    for (change, words) in cases {
        let message = with(change);
        assert!(message.contains(words) && !message.contains('\n'), "{message}");
    }
    let other = Flatness { search_data: Some(images("bundled", "test:0..9999")), case: Case::Worst, ..base };
    assert!(refusal(&other).contains("test:0..1000"), "{}", refusal(&other));
}

#[test]
fn zero_layers_and_single_classes_give_the_right_number_or_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let (network, ..) = linear_classifier(folder.path());
    let job = |network: &Network, name: &str| {
        let path = folder.path().join(name);
        checkpoint::save(&path, network, None).unwrap();
        Flatness {
            checkpoint: path,
            data: images_in(folder.path(), 60),
            ..small(FlatnessLoss::Clean, Case::Average)
        }
    };
    let unbiased = network.copy();
    let _ = unbiased.weights.view(1).zero_();
    let some = Flatness { per_layer: true, ..job(&unbiased, "unbiased.safetensors") };
    let found = record(&some);
    let warning = "left out, because a relative radius does not move tensors of zeros: logits.bias";
    assert_eq!(found.provenance.warnings, [warning]);
    let [weight] = &outcome(&found).layers[..] else { panic!("one layer: {:?}", outcome(&found).layers) };
    assert_eq!((&*weight.name, &outcome(&found).radii), ("logits.weight", &weight.radii));
    let _ = unbiased.weights.view(0).zero_();
    let none = job(&unbiased, "zero.safetensors");
    assert!(refusal(&none).contains("all weights that could move are zero"), "{}", refusal(&none));
    let absolute = Flatness { scope: Scope::Global, absolute: true, radii: vec![1.0], ..none };
    assert!(measured(&absolute).radii[0].flatness > 0.0, "an absolute radius moves zeros");

    let uniform = tempfile::tempdir().unwrap();
    crafted::idx(uniform.path(), 4, &[9; 20]);
    let single = Flatness { data: images_in(uniform.path(), 20), ..job(&network, "linear.safetensors") };
    let found = measured(&single);
    assert!(found.reference_loss > 0.0 && found.radii[0].flatness.is_finite());
}

#[test]
fn weights_are_kept_in_their_box() {
    let folder = tempfile::tempdir().unwrap();
    let (network, ..) = linear_classifier(folder.path());
    let job = |weight_box: Option<&str>, loss, case| Flatness {
        checkpoint: folder.path().join("linear.safetensors"),
        data: images_in(folder.path(), 60),
        weight_box: weight_box.map(|text| text.parse().unwrap()),
        radii: vec![0.1],
        ..small(loss, case)
    };
    // A box of nothing but zero pulls all weights towards it, as far as their ball lets them: to 0.9 of themselves.
    let smaller = network.copy();
    let _ = smaller.weights.flat().shallow_clone().g_mul_scalar_(0.9);
    checkpoint::save(&folder.path().join("smaller.safetensors"), &smaller, None).unwrap();
    for (loss, case) in ALL {
        let zero = measured(&job(Some("0..0"), loss, case));
        if loss == FlatnessLoss::Clean {
            let checkpoint = folder.path().join("smaller.safetensors");
            let expected = measured(&Flatness { checkpoint, ..job(None, loss, case) }).reference_loss;
            assert!((zero.radii[0].loss - expected).abs() < 1e-6, "{case:?}: {}", zero.radii[0].loss);
        }
        // One that holds the whole ball changes nothing.
        let (wide, without) =
            (measured(&job(Some("-9..9,-9..9"), loss, case)), measured(&job(None, loss, case)));
        assert!((wide.radii[0].loss - without.radii[0].loss).abs() < 1e-5, "{loss:?} {case:?}");
    }
    // Without upper bound only, layer by layer, in the range of each tensor.
    for text in ["..0.01", "reference-layer", "-9..9,0..0"] {
        let own = Flatness { per_layer: true, ..job(Some(text), FlatnessLoss::Clean, Case::Average) };
        let found = measured(&own);
        assert_eq!(found.layers.len(), 2);
        let free = measured(&Flatness { weight_box: None, ..own.clone() });
        assert_ne!(found.radii[0].loss, free.radii[0].loss, "{text}");
        let written = serde_json::to_value(&own).unwrap();
        assert_eq!(written["weight_box"], text);
        assert_eq!(serde_json::from_value::<Flatness>(written).unwrap(), own);
    }
    let three = job(Some("0..1,0..1,0..1"), FlatnessLoss::Clean, Case::Average);
    assert!(refusal(&three).contains("3 boxes of weights for 2 perturbed tensors"), "{}", refusal(&three));
}

#[test]
fn a_ball_may_be_that_of_the_largest_entry() {
    let folder = tempfile::tempdir().unwrap();
    let (network, ..) = linear_classifier(folder.path());
    let largest: Vec<f64> = (0..2).map(|at| network.weights.view(at).abs().max().double_value(&[])).collect();
    // The filters of the matrix are its rows.
    let rows = network.weights.view(0).abs().amax([1i64].as_slice(), true);
    let same = |bound: f64| Tensor::from(bound).to_kind(Kind::Float);
    let job = |scope, absolute, radius| Flatness {
        checkpoint: folder.path().join("linear.safetensors"),
        data: images_in(folder.path(), 60),
        weight_norm: WeightNorm::Linf,
        weight_box: Some("0..0".parse().unwrap()),
        radii: vec![radius],
        scope,
        absolute,
        ..small(FlatnessLoss::Clean, Case::Average)
    };
    // A box of nothing but zero pulls every weight towards it, as far as the ball lets it: by its radius at most.
    let whole = largest[0].max(largest[1]);
    for (job, bounds) in [
        (job(Scope::Layer, false, 0.2), [same(0.2 * largest[0]), same(0.2 * largest[1])]),
        (job(Scope::Filter, false, 0.2), [rows * 0.2, same(0.2 * largest[1])]),
        (job(Scope::Global, false, 0.2), [same(0.2 * whole), same(0.2 * whole)]),
        (job(Scope::Global, true, 0.05), [same(0.05), same(0.05)]),
    ] {
        let smaller = network.copy();
        for (at, bound) in bounds.iter().enumerate() {
            let mut view = smaller.weights.view(at);
            let _ = view.g_sub_(&view.minimum(bound).maximum(&-bound));
        }
        let checkpoint = folder.path().join("smaller.safetensors");
        checkpoint::save(&checkpoint, &smaller, None).unwrap();
        let expected = measured(&Flatness { checkpoint, weight_box: None, ..job.clone() }).reference_loss;
        for case in [Case::Average, Case::Worst] {
            let found = measured(&Flatness { case, ..job.clone() }).radii[0].loss;
            assert!((found - expected).abs() < 1e-6, "{} {case:?}: {found}", job.perturbations());
        }
    }
    // Every loss and case; the search beats chance.
    for (loss, case) in ALL {
        let free = Flatness { weight_box: None, loss, case, ..job(Scope::Layer, false, 0.1) };
        assert!(measured(&free).radii[0].loss.is_finite(), "{loss:?} {case:?}");
        assert!(free.perturbations().contains("radius in L-inf, relative per layer"));
    }
    let free = Flatness { weight_box: None, ..job(Scope::Layer, false, 0.1) };
    let mut searched = Flatness { case: Case::Worst, ..free.clone() };
    searched.descent.gradient = basin_core::job::WeightGradient::LayerRelativeLinf;
    assert!(measured(&searched).radii[0].worst > measured(&free).radii[0].worst);
}

#[test]
fn the_worst_of_more_perturbations_is_worse() {
    let draws = |loss, worst_of| {
        let job = Flatness { worst_of, ..small(loss, Case::Average) };
        measured(&job).radii[0].draws.iter().map(|draw| draw.loss).collect::<Vec<_>>()
    };
    let [one, two, five] = [1, 2, 5].map(|worst_of| draws(FlatnessLoss::Clean, worst_of));
    for draw in 0..one.len() {
        // The first perturbation is that of the draw alone, which the ball may shrink by a rounding.
        assert!(one[draw] <= two[draw] + 1e-6 && two[draw] <= five[draw] + 1e-6, "draw {draw}");
    }
    assert!(one.iter().zip(&five).any(|(one, five)| five > &(one + 1e-3)), "{one:?} {five:?}");
    // Chosen on clean images, measured under attack; also on other images, and the same for all batch sizes.
    let robust = Flatness { worst_of: 3, ..small(FlatnessLoss::Robust, Case::Average) };
    let mut apart = robust.clone();
    apart.compute.batch_size = Some(5);
    let (whole, parts) = (measured(&robust), measured(&apart));
    assert!((whole.radii[0].loss - parts.radii[0].loss).abs() < 1e-5);
    let elsewhere = Flatness { search_data: Some(images("bundled", "test:20..29")), ..robust };
    assert!(measured(&elsewhere).radii[0].flatness.is_finite());
}

#[test]
fn early_stopping_refuses_steps_beyond_the_bound() {
    let mut job = Flatness { radii: vec![0.02], ..small(FlatnessLoss::Clean, Case::Worst) };
    // One batch, so that the loss of a batch is the loss.
    (job.descent.search_batch, job.descent.epochs) = (12, 10);
    let free = measured(&job);
    let bound = 0.5 * (free.reference_loss + free.radii[0].loss);
    job.descent.loss_bound = Some(bound);
    job.descent.step_divisor = 2.0;
    let late = measured(&job).radii[0].loss;
    job.descent.early_stopping = true;
    let early = measured(&job).radii[0].loss;
    assert!(early <= bound + 1e-5 && early > free.reference_loss, "{early} within {bound}");
    assert!(late <= free.radii[0].loss + 1e-5 && late >= early, "{late}");
    assert!(job.descent.to_string().contains(&format!("early stopping beyond loss {bound}")));
}

#[test]
fn jobs_written_before_there_were_other_balls_stay_readable() {
    let job = Flatness::new("a.pth".into(), FlatnessLoss::Robust, Case::Average);
    let mut written = serde_json::to_value(&job).unwrap();
    let fields = written.as_object_mut().unwrap();
    for field in ["weight_norm", "worst_of"] {
        assert!(fields.remove(field).is_some(), "{field}");
    }
    assert_eq!(serde_json::from_value::<Flatness>(written).unwrap(), job);
}

#[test]
fn images_need_not_be_square() {
    let folder = tempfile::tempdir().unwrap();
    let (height, width, count) = (3i64, 5i64, 20);
    let labels: Vec<u8> = (0..count).map(|i| (i % 10) as u8).collect();
    crafted::idx_of(folder.path(), [height as usize, width as usize], &labels);
    let network = |height: i64, width: i64| {
        let layers = vec![
            Layer::Conv {
                name: "conv".into(),
                input: 1,
                output: 2,
                kernel: 3,
                stride: 1,
                padding: 1,
                groups: 1,
                bias: true,
            },
            Layer::Flatten,
            Layer::Linear { name: "logits".into(), input: 2 * height * width, output: 10, bias: true },
        ];
        let (family, title) = ("MLP".into(), "small".into());
        Network::fresh(Topology { family, title, classes: 10, resolution: [1, height, width], layers }, 1)
    };
    let right = network(height, width);
    let job = |network: &Network, name: &str| {
        checkpoint::save(&folder.path().join(name), network, None).unwrap();
        Flatness {
            checkpoint: folder.path().join(name),
            data: images_in(folder.path(), count),
            ..small(FlatnessLoss::Clean, Case::Average)
        }
    };
    let job_of = job(&right, "right.safetensors");
    let pixels: Vec<u8> = (0..count as i64 * height * width).map(|i| (i * 37 % 251) as u8).collect();
    let images =
        (Tensor::from_slice(&pixels).to_kind(Kind::Float) / 255.0).view([count as i64, 1, height, width]);
    let labels = Tensor::from_slice(&labels).to_kind(Kind::Int64);
    let logits = logits(&right.topology, &right.params(&right.weights), &images, Mode::Evaluate);
    let expected = cross_entropy(&logits, &labels).mean(Kind::Double).double_value(&[]);
    let found = measured(&job_of);
    assert!((found.reference_loss - expected).abs() < 1e-5, "{} and {expected}", found.reference_loss);
    for (loss, case) in ALL {
        assert!(measured(&Flatness { loss, case, ..job_of.clone() }).radii[0].flatness.is_finite());
    }
    let turned = job(&network(width, height), "turned.safetensors");
    assert!(refusal(&turned).contains("expects images of 1 x 5 x 3"), "{}", refusal(&turned));
}

#[test]
fn a_radius_that_overflows_is_left_out_and_told() {
    let mut job = Flatness { radii: vec![0.1, 1e6], draws: 2, ..small(FlatnessLoss::Clean, Case::Average) };
    // Ten convolutions of this size are beyond float32.
    job.tensors = Tensors::All;
    let found = record(&job);
    let radii: Vec<f64> = outcome(&found).radii.iter().map(|at| at.radius).collect();
    assert_eq!(radii, [0.1], "{:?}", found.provenance.warnings);
    assert!(found.provenance.warnings.iter().any(|w| w.contains("radius 1000000 is left out")));
    assert!(found.provenance.complete);
    job.radii = vec![1e6];
    assert!(refusal(&job).contains("overflows"), "{}", refusal(&job));
}

#[test]
fn the_reference_is_the_evaluation_also_where_predictions_are_saturated() {
    // So sure of wrong classes that -log p without the 1e-12 is beyond 27.631.
    let job = Flatness {
        data: images("bundled", "test:0..16"),
        attack: Pgd { steps: 5, ..Pgd::default() },
        reference_restarts: Some(1),
        draws: 1,
        radii: vec![0.0],
        ..Flatness {
            checkpoint: checkpoint_path("resnet_bn_silu"),
            ..small(FlatnessLoss::Robust, Case::Average)
        }
    };
    let asked = Evaluate {
        checkpoint: job.checkpoint.clone(),
        data: job.data.clone(),
        attack: Some(job.attack.clone()),
        compute: job.compute.clone(),
        ..Evaluate::default()
    };
    let evaluated = run(&Job::Evaluate(asked), &RunOptions::default(), &mut Silent).unwrap();
    let Outcome::Evaluate(evaluation) = &evaluated.outcome else { panic!("not an evaluation") };
    let robust = evaluation.robust.as_ref().unwrap();
    let found = measured(&job);
    assert!(
        (found.reference_loss - robust.loss).abs() < 1e-12,
        "{} and {}",
        found.reference_loss,
        robust.loss
    );
    assert_eq!(found.reference_error, robust.error);

    let highest = robust.per_example.loss.iter().copied().fold(0.0, f32::max);
    assert!(highest > 27.5 && highest < 27.632, "no example is saturated: {highest}");
}
