//! Eigenvalues along a landscape, directions from files, joint directions, and directions of images.

use basin_core::checkpoint;
use basin_core::data::load;
use basin_core::job::{
    Case, DirectionKind, Evaluate, Flatness, FlatnessLoss, Hessian, HessianLoss, InputNorm, Job, Landscape,
    LandscapeLoss, Matrix, Normalization, Range, Tensors,
};
use basin_core::measure::hessian::{Curvature, HessianOutcome};
use basin_core::progress::Silent;
use basin_core::record::{LandscapeOutcome, Outcome, Record};
use basin_core::run::{RunOptions, run};
use tch::{Device, Kind};

use super::{checkpoint_path, landscape, small_job};
use crate::support::reference;

fn outcome(job: &Landscape) -> LandscapeOutcome {
    landscape(&run(&Job::Landscape(job.clone()), &RunOptions::default(), &mut Silent).unwrap()).clone()
}

fn why(job: &Landscape) -> String {
    run(&Job::Landscape(job.clone()), &RunOptions::default(), &mut Silent).unwrap_err().to_string()
}

fn recorded(job: &Hessian, options: &RunOptions) -> (HessianOutcome, Record) {
    let record = run(&Job::Hessian(job.clone()), options, &mut Silent).unwrap();
    let Outcome::Hessian(found) = record.outcome.clone() else { panic!("a Hessian") };
    (found, record)
}

/// The Hessian that a landscape is of, at one of its networks.
fn hessian_of(job: &Landscape, name: &str, loss: HessianLoss) -> Hessian {
    Hessian {
        checkpoint: checkpoint_path(name),
        data: job.data.clone(),
        loss,
        top: 2,
        bottom: 2,
        attack: job.attack.clone(),
        tensors: job.tensors.clone(),
        compute: job.compute.clone(),
        ..Hessian::default()
    }
}

#[test]
fn eigenvalues_along_a_path_are_those_of_the_networks_at_its_ends() {
    for (shown, loss) in
        [(LandscapeLoss::Clean, HessianLoss::Clean), (LandscapeLoss::Robust, HessianLoss::Robust)]
    {
        let mut job = small_job(shown, false);
        job.data.examples = "test:0..6".parse().unwrap();
        job.direction = DirectionKind::Toward(checkpoint_path("resnet_rebn_init"));
        (job.range, job.steps, job.eigenvalues, job.tensors) = (Range::new(0.0, 1.0), 3, 2, Tensors::Weights);
        let found = outcome(&job).curvature.unwrap();
        assert_eq!((found.largest.len(), found.smallest.len()), (2, 2));
        for (at, name) in [(0, "resnet_rebn_trained"), (2, "resnet_rebn_init")] {
            let (hessian, _) = recorded(&hessian_of(&job, name, loss), &RunOptions::default());
            let pairs = hessian
                .largest
                .iter()
                .zip(&found.largest)
                .chain(hessian.smallest.iter().zip(&found.smallest));
            for (pair, grid) in pairs {
                let value = grid.get(at, 0).unwrap();
                assert!(
                    (value - pair.value).abs() <= 4e-3 * pair.value.abs(),
                    "{name}, {loss:?}: {value} for {}",
                    pair.value
                );
            }
        }
        assert!(found.largest[0].get(1, 0).unwrap() >= found.largest[1].get(1, 0).unwrap());
    }
    let mut job = small_job(LandscapeLoss::Clean, false);
    job.eigenvalues = 51;
    assert!(why(&job).starts_with("eigenvalues 51 is not possible; use 50 or fewer"), "{}", why(&job));
}

#[test]
fn eigenvectors_are_kept_as_they_are_reported_and_are_directions() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("h.json");
    let mut shown = small_job(LandscapeLoss::Clean, false);
    shown.data.name = reference("mnist").display().to_string();
    let job = Hessian {
        keep_eigenvectors: true,
        tensors: Tensors::Weights,
        ..hessian_of(&shown, "lenet_bn_trained", HessianLoss::Clean)
    };
    let options = RunOptions { out: Some(out.clone()), ..RunOptions::default() };
    let (found, _) = recorded(&job, &options);
    let files: Vec<_> = found.eigenvectors.iter().map(|file| folder.path().join(file)).collect();
    assert_eq!(files.len(), 4);
    assert_eq!(found.eigenvectors[3], "h.json.networks/eigenvector-smallest-2.safetensors");

    let network = checkpoint::open(&job.checkpoint).unwrap().network.to(Device::Cpu, Kind::Double);
    let images = load(&job.data.name, &job.data.examples).unwrap();
    let batches = [(images.images.to_kind(Kind::Double), images.labels.shallow_clone())];
    let which = Tensors::Weights.select(network.layout()).unwrap();
    let curvature = Curvature::new(&network, network.weights.copy(), which, &batches, Matrix::Hessian);
    for (pair, file) in found.largest.iter().chain(&found.smallest).zip(&files) {
        let kept = checkpoint::open(file).unwrap().network;
        let vector = curvature.compact(&kept.weights.flat().to_kind(Kind::Double));
        assert!((vector.norm().double_value(&[]) - 1.0).abs() < 1e-5, "a unit vector");
        let residual = (curvature.times(&vector, &mut || Ok(())).unwrap() - &vector * pair.value).norm();
        let residual = residual.double_value(&[]);
        let most = pair.residual + 1e-4 * found.largest[0].value;
        assert!(residual <= most, "{}: residual {residual}, reported {}", file.display(), pair.residual);
    }

    // As a direction, the file is the eigenvector.
    let mut along = Landscape {
        checkpoint: job.checkpoint.clone(),
        direction: DirectionKind::Along(files[0].clone()),
        tensors: Tensors::Weights,
        normalize: Normalization::None,
        radius: 0.1,
        ..shown
    };
    let from_file = outcome(&along);
    along.direction = DirectionKind::Hessian(1);
    let found_anew = outcome(&along);
    for (a, b) in from_file.clean.unwrap().loss.iter().zip(found_anew.clean.unwrap().loss.iter()) {
        assert!((a.unwrap() - b.unwrap()).abs() < 1e-4, "{a:?} and {b:?}");
    }
    assert!((from_file.directions[0].norm - 0.1).abs() < 1e-6);
    assert!(from_file.directions[0].checkpoint_hash.is_some(), "the record says which file it was");

    // One that is lost is computed again; a record without them takes them away.
    std::fs::remove_file(&files[1]).unwrap();
    let (again, _) = recorded(&job, &options);
    assert_eq!(again.largest, found.largest);
    assert!(files[1].is_file());
    let without = Hessian { keep_eigenvectors: false, ..job.clone() };
    let (plain, _) = recorded(&without, &RunOptions { replace: true, ..options });
    assert!(plain.eigenvectors.is_empty() && !folder.path().join("h.json.networks").exists());
    let error = run(&Job::Hessian(job), &RunOptions::default(), &mut Silent).unwrap_err().to_string();
    assert!(error.contains("eigenvectors are kept in a folder beside the record; add --out"), "{error}");
}

#[test]
fn a_joint_direction_is_what_worst_case_robust_flatness_finds() {
    let mut job = small_job(LandscapeLoss::Robust, false);
    job.direction = DirectionKind::Joint(0);
    (job.normalize, job.radius, job.steps, job.search_radius) = (Normalization::None, 1.0, 3, 0.01);
    (job.search.epochs, job.search.search_batch) = (3, 8);
    let found = outcome(&job);
    let flatness = Flatness {
        data: job.data.clone(),
        radii: vec![0.01],
        draws: 1,
        descent: job.search.clone(),
        attack: job.attack.clone(),
        tensors: job.tensors.clone(),
        compute: job.compute.clone(),
        ..Flatness::new(job.checkpoint.clone(), FlatnessLoss::Robust, Case::Worst)
    };
    let record = run(&Job::Flatness(flatness), &RunOptions::default(), &mut Silent).unwrap();
    let Outcome::Flatness(worst) = record.outcome else { panic!("flatness") };
    let wanted = worst.radii[0].draws[0].loss;
    let loss = found.robust.unwrap().loss.get(2, 0).unwrap();
    assert!((loss - wanted).abs() < 1e-5, "{loss} and {wanted}");
    assert_eq!(found.directions[0].name, "joint");
}

#[test]
fn images_move_along_what_the_attack_adds_to_them() {
    let mut job = small_job(LandscapeLoss::Clean, false);
    job.direction = DirectionKind::WorstInput;
    (job.range, job.steps) = (Range::new(0.0, 1.0), 3);
    let found = outcome(&job);
    let evaluate = Evaluate {
        checkpoint: job.checkpoint.clone(),
        data: job.data.clone(),
        attack: Some(job.attack.clone()),
        compute: job.compute.clone(),
        ..Evaluate::default()
    };
    let headline = run(&Job::Evaluate(evaluate), &RunOptions::default(), &mut Silent).unwrap().headline();
    let losses: Vec<f64> = found.clean.as_ref().unwrap().loss.iter().map(Option::unwrap).collect();
    assert_eq!(losses[0], headline.clean.unwrap().loss);
    assert!(
        (losses[2] - headline.robust.unwrap().loss).abs() < 1e-6,
        "at step 1 images are adversarial examples"
    );
    assert!(losses[0] < losses[1] && losses[1] < losses[2], "{losses:?}");
    assert!(found.directions[0].layers.is_empty() && found.directions[0].norm > 0.0);

    // Random numbers of the same size do less; with weights as the other axis they share no angle.
    let mut mixed = Landscape { second: Some(DirectionKind::Random(0)), ..job.clone() };
    mixed.direction = DirectionKind::RandomInput(0);
    let mixed = outcome(&mixed);
    let at = |x: usize, y: usize| mixed.clean.as_ref().unwrap().loss.get(x, y).unwrap();
    assert_eq!(at(0, 0), losses[0]);
    assert!((at(2, 0) - losses[0]).abs() < 0.5 * (losses[2] - losses[0]), "{} at {losses:?}", at(2, 0));
    assert!(at(0, 2) != losses[0] && at(2, 2) != at(0, 2));
    assert_eq!(mixed.cosine, None);
    let other = outcome(&Landscape { direction: DirectionKind::RandomInput(1), ..job.clone() });
    assert_ne!(other.clean.unwrap().loss.get(2, 0).unwrap(), at(2, 0), "another draw");
    let both = Landscape { second: Some(DirectionKind::RandomInput(0)), ..job.clone() };
    assert!(outcome(&both).cosine.unwrap().abs() < 0.2);

    // Within an L2 ball, random numbers have the length of its radius.
    let mut round = Landscape { direction: DirectionKind::RandomInput(0), ..job.clone() };
    (round.attack.norm, round.attack.epsilon) = (InputNorm::L2, 0.5);
    assert!((outcome(&round).directions[0].norm - 0.5).abs() < 1e-5);

    job.loss = LandscapeLoss::Robust;
    assert!(
        why(&job)
            .starts_with("worst-input moves the images, which an attack would move again; use --loss clean")
    );
}
