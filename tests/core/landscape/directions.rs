//! Where directions come from: each against what it promises.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use basin_core::attack::weights::Scope;
use basin_core::checkpoint;
use basin_core::job::{
    Compute, DataSelection, DirectionKind, Evaluate, Hessian, Job, Landscape, LandscapeLoss, Normalization,
    Precision, Range, RunningStatistics, Tensors,
};
use basin_core::measure::landscape::direction::{components, cosine, orthogonal, random};
use basin_core::model::{Mode, Network, Weights, calibrate, logits};
use basin_core::progress::Silent;
use basin_core::record::{LandscapeOutcome, ORIGIN, Outcome, Point, Record};
use basin_core::run::{RunOptions, run};
use tch::{Kind, Tensor};

use super::{checkpoint_path, landscape, open, small_job};
use crate::support::reference;

fn outcome(job: &Landscape) -> LandscapeOutcome {
    landscape(&measured(job).unwrap()).clone()
}

fn measured(job: &Landscape) -> basin_core::Result<Record> {
    run(&Job::Landscape(job.clone()), &RunOptions::default(), &mut Silent)
}

fn why(job: &Landscape) -> String {
    measured(job).unwrap_err().to_string()
}

/// A curve in float64 along a direction as it is, of a network without kinks: across these the loss bends more than its
/// second derivatives say.
fn curve(direction: &str, loss: LandscapeLoss, radius: f64) -> Landscape {
    Landscape {
        direction: direction.parse().unwrap(),
        normalize: Normalization::None,
        radius,
        steps: 3,
        checkpoint: checkpoint_path("mlp_rebn_softplus_dropout"),
        data: DataSelection {
            name: reference("mnist").to_str().unwrap().into(),
            examples: "test:0..32".parse().unwrap(),
        },
        compute: Compute { precision: Precision::F64, ..small_job(loss, false).compute },
        ..small_job(loss, false)
    }
}

fn losses(outcome: &LandscapeOutcome, robust: bool) -> Vec<f64> {
    let grid = if robust { &outcome.robust } else { &outcome.clean };
    grid.as_ref().unwrap().loss.iter().map(Option::unwrap).collect()
}

#[test]
fn slope_and_curvature_along_a_direction_are_the_gradient_and_the_eigenvalue() {
    const RADIUS: f64 = 1e-3;
    // On fixed adversarial examples the loss that is differentiated is the loss that is shown.
    for (loss, robust) in [(LandscapeLoss::Clean, false), (LandscapeLoss::RobustFixed, true)] {
        let steep = outcome(&curve("gradient", loss, RADIUS));
        let slope = steep.directions[0].gradient.unwrap();
        let [before, _, after] = losses(&steep, robust)[..] else { panic!("three points") };
        let measured = (after - before) / (2.0 * RADIUS * slope);
        assert!((measured - slope).abs() <= 1e-2 * slope, "{loss:?}: slope {measured}, not {slope}");
        let length = steep.directions[0].norm;
        assert!((length - RADIUS * slope).abs() <= 1e-6 * length, "step 1 is the gradient times the radius");

        let radius = 0.03;
        for (direction, sign) in [("hessian:1", 1.0), ("hessian:2", 1.0), ("hessian:-1", -1.0)] {
            let mut job = curve(direction, loss, radius);
            job.tensors = Tensors::Weights;
            let bent = outcome(&job);
            let value = bent.directions[0].eigenvalue.unwrap().value;
            let [before, middle, after] = losses(&bent, robust)[..] else { panic!("three points") };
            let measured = (before + after - 2.0 * middle) / (radius * radius);
            assert!(sign * value > 0.0, "{direction} has eigenvalue {value}");
            assert!((measured - value).abs() <= 0.01 * value.abs(), "{direction}: {measured}, not {value}");
        }
    }
}

#[test]
fn an_eigenvector_is_that_of_the_hessian_measure() {
    let job = Landscape { tensors: Tensors::Weights, ..curve("hessian:2", LandscapeLoss::Clean, 0.01) };
    let value = outcome(&job).directions[0].eigenvalue.unwrap().value;
    let hessian = Hessian {
        checkpoint: job.checkpoint.clone(),
        data: job.data.clone(),
        bottom: 0,
        compute: job.compute.clone(),
        ..Hessian::default()
    };
    let record = run(&Job::Hessian(hessian), &RunOptions::default(), &mut Silent).unwrap();
    let Outcome::Hessian(found) = record.outcome else { panic!("a Hessian") };
    let wanted = found.largest[1].value;
    assert!((value - wanted).abs() <= 2e-3 * wanted, "{value}, not {wanted}");
}

#[test]
fn a_worst_case_direction_rises_more_than_random_ones_and_starts_tell_them_apart() {
    let along = |direction: &str| {
        let mut job = small_job(LandscapeLoss::Clean, false);
        (job.direction, job.radius, job.steps) = (direction.parse().unwrap(), 0.05, 3);
        job.search.epochs = 3;
        let found = outcome(&job);
        (losses(&found, false)[2] - losses(&found, false)[1], found.directions[0].name.clone())
    };
    let (worst, name) = along("worst");
    let (other, _) = along("worst:1");
    let random = [along("random").0, along("random:1").0, along("random:2").0];
    assert_eq!(name, "worst");
    assert!(random.iter().all(|rise| worst > 2.0 * rise.abs()), "{worst} and {random:?}");
    assert!(worst != other && other > 0.0, "{worst} and {other}");
}

fn evaluated(job: &Landscape, checkpoint: &Path) -> (Point, Point) {
    let evaluate = Evaluate {
        checkpoint: checkpoint.to_owned(),
        data: job.data.clone(),
        attack: Some(job.attack.clone()),
        compute: job.compute.clone(),
        ..Evaluate::default()
    };
    let record = run(&Job::Evaluate(evaluate), &RunOptions::default(), &mut Silent).unwrap();
    let headline = record.headline();
    (headline.clean.unwrap(), headline.robust.unwrap())
}

#[test]
fn a_curve_toward_another_checkpoint_has_both_evaluations_at_its_ends_and_a_barrier() {
    let other = checkpoint_path("resnet_rebn_init");
    for range in [None, Range::new(0.0, 1.0)] {
        let mut job = small_job(LandscapeLoss::Robust, false);
        (job.direction, job.range, job.steps) = (DirectionKind::Toward(other.clone()), range, 6);
        let found = outcome(&job);
        let (clean, robust) = evaluated(&job, &job.checkpoint);
        assert_eq!((found.origin(false).unwrap(), found.origin(true).unwrap()), (clean, robust));
        let (there, attacked) = evaluated(&job, &other);
        let end = found.landmarks.iter().find(|landmark| landmark.name.contains("resnet_rebn_init")).unwrap();
        assert_eq!((end.x, end.clean.unwrap(), end.robust.unwrap()), (1.0, there, attacked));
        match range {
            None => {
                assert_eq!((found.x[0], found.x[5]), (-0.5, 1.5));
                assert!(found.landmarks.iter().any(|landmark| landmark.name == ORIGIN), "no step is 0");
            }
            Some(_) => {
                let at = |grid: &Option<basin_core::record::Grid>| grid.as_ref().unwrap().get(5, 0).unwrap();
                // The same weights and statistics, but for the rounding of the step.
                assert!((at(&found.clean).loss - there.loss).abs() < 1e-4);
                assert!((at(&found.robust).loss - attacked.loss).abs() < 1e-3);
                let line = |x: f64| clean.loss + x * (there.loss - clean.loss);
                let inner = found.x.iter().zip(losses(&found, false));
                let wanted = inner.map(|(x, loss)| loss - line(*x)).fold(0.0, f64::max);
                let barrier = found.barrier.unwrap();
                assert!((barrier.clean - wanted).abs() < 1e-4, "{} and {wanted}", barrier.clean);
                assert!(barrier.robust.is_some());
            }
        }
        let (own, its) = (open("resnet_rebn_trained"), open("resnet_rebn_init"));
        let distance = (own.weights.flat() - its.weights.flat()).norm().double_value(&[]);
        assert!((found.directions[0].norm - distance).abs() < 1e-4 * distance, "it is not scaled");
    }
}

#[test]
fn running_statistics_move_stay_or_are_estimated() {
    let job = |statistics| {
        let mut job = small_job(LandscapeLoss::Clean, false);
        job.direction = DirectionKind::Toward(checkpoint_path("resnet_rebn_init"));
        (job.range, job.steps, job.statistics) = (Range::new(0.0, 1.0), 3, statistics);
        job
    };
    let at_end = |statistics| losses(&outcome(&job(statistics)), false)[2];
    let moved = at_end(RunningStatistics::Moved);
    assert_ne!(moved, at_end(RunningStatistics::Kept));
    // By hand: the network at the other end, with the statistics of the images of the job.
    let network = open("resnet_rebn_init").copy();
    let batches = basin_core::data::load("bundled", &"test:0..12".parse().unwrap()).unwrap();
    let params = network.params(&network.weights);
    calibrate(&network.buffers, std::iter::once(batches.images.shallow_clone()), false, |images| {
        let _ = logits(&network.topology, &params, images, Mode::Train { seed: 0 });
    });
    let params = network.params(&network.weights);
    let outputs = logits(&network.topology, &params, &batches.images, Mode::Evaluate);
    let by_hand =
        outputs.cross_entropy_loss::<Tensor>(&batches.labels, None, tch::Reduction::Mean, -100, 0.0);
    let estimated = at_end(RunningStatistics::Estimated);
    assert!((estimated - by_hand.double_value(&[])).abs() < 1e-4, "{estimated} and {by_hand:?}");
    let mut other = job(RunningStatistics::Estimated);
    other.statistics_data =
        Some(DataSelection { name: "bundled".into(), examples: "train:0..20".parse().unwrap() });
    assert_ne!(losses(&outcome(&other), false)[2], estimated);
}

/// Weights, and networks on a known plane through them.
fn on_a_plane(steps: &[(f64, f64)]) -> (Network, Vec<Network>, [Weights; 2]) {
    let network = open("lenet_bn_trained");
    let everything: Vec<usize> = (0..network.layout().entries.len()).collect();
    let drawn = |draw| {
        let direction = random(network.layout(), &everything, 3, draw, 0);
        let unit = direction.flat() / direction.norm();
        Weights::from_flat(network.layout().clone(), unit)
    };
    let directions = [drawn(0), drawn(1)];
    let at = |(x, y): &(f64, f64)| Network {
        weights: network.weights.moved(&[(*x, &directions[0]), (*y, &directions[1])]),
        ..network.copy()
    };
    let there = steps.iter().map(at).collect();
    (network, there, directions)
}

#[test]
fn principal_components_are_those_of_the_points_of_a_plane() {
    // With the origin their mean is (1.5, 0), and the axes are principal.
    let steps = [(3.0, 0.0), (3.0, 0.5), (0.0, 0.5), (3.0, -0.5), (0.0, -0.5)];
    let (network, there, directions) = on_a_plane(&steps);
    let networks: Vec<&Network> = there.iter().collect();
    let found = components(&networks, &network.weights, 2).unwrap();
    // Sums of squares along both, of six points.
    let (long, short) = (6.0 * 1.5 * 1.5, 4.0 * 0.25);
    assert!((found.shares[0] - long / (long + short)).abs() < 0.01, "{:?}", found.shares);
    assert!((found.shares.iter().sum::<f64>() - 1.0).abs() < 1e-3);
    let component = |number: usize| {
        let mut flat = network.weights.flat().zeros_like();
        for (other, factor) in networks.iter().zip(&found.factors[number]) {
            flat += (other.weights.flat() - network.weights.flat()) * *factor;
        }
        Weights::from_flat(network.layout().clone(), flat)
    };
    let first = component(0);
    assert!((cosine(&first, &directions[0]) - 1.0).abs() < 1e-3, "it points to the far networks");
    assert!((first.norm() - 3.0).abs() < 0.01, "which are one step away: {}", first.norm());
    assert!(components(&networks, &network.weights, 3).unwrap_err().to_string().contains("2 dimensions"));
    assert!(components(&networks[..0], &network.weights, 1).is_err());
}

#[test]
fn a_trajectory_lies_in_the_plane_of_its_components_with_losses_of_its_own() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../resources/study/at");
    let mut job = small_job(LandscapeLoss::Clean, true);
    job.checkpoint = folder.join("final.safetensors");
    (job.direction, job.second) = (DirectionKind::Component(1), Some(DirectionKind::Component(2)));
    (job.trajectory, job.steps) = (Some(folder.clone()), 3);
    let found = outcome(&job);
    let path: Vec<_> = found.landmarks.iter().filter(|landmark| landmark.path).collect();
    let epochs = checkpoint_names(&folder);
    assert_eq!(path.len(), epochs.len());
    assert_eq!(path[0].name, "epoch 0");
    let farthest = path.iter().map(|step| step.x.abs()).fold(0.0, f64::max);
    assert!((farthest - 1.0).abs() < 1e-4, "the farthest network is one step away: {farthest}");
    let last = path.last().unwrap();
    assert!(last.x.abs() < 0.02 && last.y.unwrap().abs() < 0.02, "the last one is the checkpoint: {last:?}");
    let shares: Vec<f64> = found.directions.iter().map(|direction| direction.variance.unwrap()).collect();
    assert!(shares[0] > shares[1] && shares[0] + shares[1] < 1.0 + 1e-9, "{shares:?}");
    assert!(found.cosine.unwrap().abs() < 1e-3, "components are orthogonal");
    for (step, file) in path.iter().zip(&epochs).take(2) {
        let (clean, _) = evaluated(&job, file);
        assert_eq!(step.clean.unwrap(), clean, "{}", step.name);
    }
    assert!(path.iter().any(|step| step.outside > 0.05), "they are not all in the plane");
}

fn checkpoint_names(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder.join("snapshots")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn a_second_direction_is_made_orthogonal_in_every_piece_that_is_scaled() {
    let network = open("resnet_rebn_trained");
    let which = network.layout().movable();
    let first = random(network.layout(), &which, 1, 0, 0);
    let tilted = Weights::from_flat(
        network.layout().clone(),
        random(network.layout(), &which, 1, 1, 0).flat() + first.flat(),
    );
    for scope in [Scope::Layer, Scope::Filter, Scope::Global] {
        assert!(cosine(&orthogonal(&tilted, &first, &which, scope), &first).abs() < 1e-6, "{scope:?}");
    }
    for normalize in ["layer", "filter", "global", "none"] {
        let mut job = small_job(LandscapeLoss::Clean, true);
        (job.direction, job.second) = (DirectionKind::Gradient, Some(DirectionKind::Worst(0)));
        (job.normalize, job.steps, job.search.epochs) = (normalize.parse().unwrap(), 3, 1);
        job.radius = if normalize == "none" { 1e-3 } else { 0.05 };
        let askew = outcome(&job).cosine.unwrap();
        job.orthogonal = true;
        let straight = outcome(&job).cosine.unwrap();
        assert!(askew.abs() > 0.05, "{normalize}: {askew}");
        assert!(straight.abs() < 1e-4, "{normalize}: {straight}");
    }
}

#[test]
fn several_draws_are_averaged_and_kept() {
    let mut job = small_job(LandscapeLoss::Robust, false);
    (job.steps, job.draws) = (3, 3);
    let found = outcome(&job);
    assert_eq!(found.draws.len(), 3);
    let alone = outcome(&small_job(LandscapeLoss::Robust, false));
    let first = found.draws[0].robust.as_ref().unwrap();
    assert_eq!(
        first.loss.get(0, 0),
        alone.robust.as_ref().unwrap().loss.get(0, 0),
        "the first is that of one draw"
    );
    for at in 0..3 {
        let of: Vec<f64> =
            (found.draws.iter()).map(|draw| draw.robust.as_ref().unwrap().loss.get(at, 0).unwrap()).collect();
        let mean = of.iter().sum::<f64>() / 3.0;
        assert!((losses(&found, true)[at] - mean).abs() < 1e-12);
        assert_eq!(at == 1, of[0] == of[1] && of[1] == of[2], "draws share the origin alone: {of:?}");
    }
}

#[test]
fn every_kind_of_normalization_has_its_size() {
    let network = open("resnet_rebn_trained");
    let which = network.layout().movable();
    let direction = random(network.layout(), &which, 1, 0, 0);
    let scaled = |rule: Normalization| {
        let found = basin_core::measure::landscape::direction::scale;
        found(&direction, &network.weights, &which, &rule, 0.25).unwrap()
    };
    let as_is = scaled(Normalization::None);
    assert!((as_is.norm() - 0.25 * direction.norm()).abs() < 1e-4);
    let by_weight = scaled(Normalization::Weight);
    let index = which[0];
    let ratio = (by_weight.view(index).abs() / network.weights.view(index).abs()).to_kind(Kind::Double);
    assert!((ratio - 0.25).abs().max().double_value(&[]) < 1e-6);
}

#[test]
fn what_is_no_direction_is_told_in_a_sentence() {
    let base = || small_job(LandscapeLoss::Clean, false);
    let with = |kind: DirectionKind| Landscape { direction: kind, ..base() };
    let toward = |path: PathBuf| with(DirectionKind::Toward(path));
    let same = why(&toward(checkpoint_path("resnet_rebn_trained")));
    assert!(same.contains("has the same weights"), "{same}");
    let other = why(&toward(checkpoint_path("resnet_bn_silu")));
    assert!(other.contains("between different architectures there is no line"), "{other}");
    assert!(why(&toward("no/such.pt".into())).contains("no/such.pt"));
    let path = why(&with(DirectionKind::Component(1)));
    assert!(path.contains("give its folder with trajectory"), "{path}");
    let folder = tempfile::tempdir().unwrap();
    let mut empty = with(DirectionKind::Component(1));
    empty.trajectory = Some(folder.path().to_owned());
    assert!(why(&empty).contains("not that of a training"));
    for files in [&[][..], &["epoch-0003.safetensors"]] {
        std::fs::write(folder.path().join("job.json"), "{}").unwrap();
        std::fs::write(folder.path().join("log.jsonl"), "").unwrap();
        std::fs::create_dir_all(folder.path().join("snapshots")).unwrap();
        for file in files {
            let network = checkpoint::open(&checkpoint_path("resnet_rebn_trained")).unwrap().network;
            checkpoint::save(&folder.path().join("snapshots").join(file), &network, None).unwrap();
        }
        assert!(why(&empty).contains("--snapshot-every"), "{}", why(&empty));
    }
    let many = with("hessian:90".parse().unwrap());
    let few = Landscape { tensors: Tensors::Named(vec!["logits.bias".into()]), ..many };
    assert!(why(&few).contains("does not exist: the Hessian has"), "{}", why(&few));
    for text in ["hessian:0", "hessian:x", "component:0", "random:x", "toward:", "toward", "gradient:2", ""] {
        assert!(text.parse::<DirectionKind>().is_err(), "{text}");
    }
    for text in
        ["random", "random:3", "gradient", "worst:2", "hessian", "hessian:-2", "toward:a/b:c", "component:2"]
    {
        let kind: DirectionKind = text.parse().unwrap();
        assert_eq!(kind.to_string().parse::<DirectionKind>().unwrap(), kind, "{text}");
    }
    let twice = Landscape { second: Some(DirectionKind::Random(0)), ..base() };
    assert!(why(&twice).contains("is the first direction, too"));
    let draws = Landscape { draws: 2, ..with(DirectionKind::Gradient) };
    assert!(why(&draws).contains("gradient is always the same direction"));
}

#[test]
fn ranges_end_where_they_say_and_meet_zero_exactly() {
    let steps = |text: &str, count| text.parse::<Range>().unwrap().steps(count);
    assert_eq!(steps("1", 5), [-1.0, -0.5, 0.0, 0.5, 1.0]);
    assert_eq!(steps("-0.5..1.5", 5), [-0.5, 0.0, 0.5, 1.0, 1.5]);
    assert_eq!(steps("-1/4..1", 6)[1], 0.0);
    assert_eq!(steps("0..1", 51)[50], 1.0);
    let uneven = steps("-0.3..0.7", 11);
    assert!(uneven.contains(&0.0) && uneven[0] == -0.3 && uneven[10] == 0.7);
    for text in ["", "0", "-1", "1..1", "2..1", "a..b", "NaN", "0..inf"] {
        assert!(text.parse::<Range>().is_err(), "{text}");
    }
    let job = |range: &str| serde_json::json!({ "checkpoint": "x", "direction": "random", "loss": "clean", "range": range });
    let read = |value| serde_json::from_value::<Landscape>(value);
    assert_eq!(read(job("-0.5..2")).unwrap().axes()[0][0], -0.5);
    // An even number of points has no middle: the network itself is measured besides.
    let mut even = small_job(LandscapeLoss::Clean, true);
    even.steps = 4;
    let found = outcome(&even);
    let (clean, _) = evaluated(&even, &even.checkpoint);
    assert_eq!(found.origin(false).unwrap(), clean);
    assert_eq!(found.landmarks[0].name, ORIGIN);
}

#[test]
fn directions_share_the_layout_of_the_network() {
    let network = open("lenet_bn_trained");
    let direction = random(network.layout(), &network.layout().movable(), 1, 0, 0);
    assert!(Arc::ptr_eq(direction.layout(), network.layout()));
}
