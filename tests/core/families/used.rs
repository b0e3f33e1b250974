//! Networks of other programs measured and trained like the paper's own.

use basin_core::checkpoint;
use basin_core::data::{Examples, Split};
use basin_core::device::Precision;
use basin_core::job::{Case, DataSelection, Evaluate, Flatness, FlatnessLoss, Job, Pgd};
use basin_core::model::{Architecture, DenseNet, Family, InputNormalization, ResNeXt, Role, Shortcut, Vgg};
use basin_core::progress::Silent;
use basin_core::record::{Outcome, Record};
use basin_core::run::{RunOptions, resolved, run, train};
use basin_core::train::{Method, Train, TrainData};

use super::file;

fn images(count: isize) -> DataSelection {
    DataSelection { name: "bundled".into(), examples: Examples { split: Split::Test, start: 0, end: count } }
}

fn measured(job: &Job) -> Record {
    run(job, &RunOptions { threads: Some(1), ..RunOptions::default() }, &mut Silent).unwrap()
}

fn few() -> Pgd {
    Pgd { steps: 2, ..Pgd::default() }
}

#[test]
fn records_say_how_a_checkpoint_was_read() {
    let job = |checkpoint: std::path::PathBuf| {
        Job::Evaluate(Evaluate { checkpoint, data: images(100), attack: Some(few()), ..Evaluate::default() })
    };
    let path = file("trained_resnet18");
    let record = measured(&job(path.clone()));
    let told = record.provenance.warnings.join(" ");
    assert!(
        told.contains("found by trying 6 readings") && told.contains("normalization=cifar10-2023"),
        "{told}"
    );
    assert!(record.provenance.checkpoint_hash.ends_with("::normalization=cifar10-2023"));
    let probe = record.provenance.probe.as_ref().unwrap();
    assert_eq!((record.provenance.assumed.as_str(), probe.tried.len()), ("normalization=cifar10-2023", 6));
    // The same where it is said, without a probe, and other numbers for another reading.
    let said = |assumed: &str| measured(&job(format!("{}::{assumed}", path.display()).into()));
    let same = said("normalization=cifar10-2023");
    assert_eq!(outcome_of(&same), outcome_of(&record));
    assert_eq!(same.provenance.checkpoint_hash, record.provenance.checkpoint_hash);
    let other = said("normalization=none");
    assert_ne!(outcome_of(&other), outcome_of(&record));
    assert_ne!(other.provenance.checkpoint_hash, record.provenance.checkpoint_hash);
}

fn outcome_of(record: &Record) -> serde_json::Value {
    serde_json::to_value(&record.outcome).unwrap()
}

/// What vanishes with the radius does so whatever the network, and what is perturbed are weights, by their role.
#[test]
fn flatness_is_measured_on_every_family() {
    for name in
        ["f1_normalizer_inside", "f2_preact18_awp", "f3_wrn10_2_nobias", "f5_dm_preact18", "f7_gll_vgg9"]
    {
        let of = |radius: f64| {
            let job = Job::Flatness(Flatness {
                data: images(16),
                radii: vec![radius],
                draws: 1,
                ..Flatness::new(file(name), FlatnessLoss::Clean, Case::Average)
            });
            match measured(&job).outcome {
                Outcome::Flatness(flatness) => flatness.radii[0].flatness,
                _ => unreachable!("a flatness job"),
            }
        };
        let (tiny, large) = (of(1e-6), of(0.5));
        assert!(tiny.abs() < 1e-4, "{name}: {tiny}");
        assert!(large.abs() > 1e-3, "{name}: {large}");
    }
}

/// A short training.
fn quick(architecture: Architecture) -> Train {
    let examples = |split, start, end| Examples { split, start, end };
    Train {
        name: "quick".into(),
        data: TrainData {
            train: examples(Split::Train, 0, 32),
            test: examples(Split::Test, 0, 10),
            held_out: examples(Split::Test, 40, 50),
            ..TrainData::bundled()
        },
        architecture,
        attack: Pgd { steps: 1, ..Pgd::default() },
        epochs: 1,
        batch_size: 16,
        device: "cpu".into(),
        precision: Precision::F32,
        ..Train::default()
    }
}

#[test]
fn networks_of_every_family_are_trained_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let named = |name: &str| Architecture::named(name).unwrap();
    let narrow = |name: &str| {
        let mut architecture = named(name);
        architecture.family.set_channels(4).unwrap();
        architecture
    };
    let with = |family, name: &str| Architecture { family, ..named(name) };
    let vgg = Vgg { convolutions: vec![1, 1], widths: vec![4, 8], hidden: 8 };
    let dense = DenseNet { blocks: vec![1, 1], growth: 4 };
    for (at, architecture) in [
        narrow("resnet18"),
        narrow("preact-resnet18"),
        narrow("dm-preact-resnet18"),
        named("wrn-10-1"),
        named("dm-wrn-10-1"),
        with(
            Family::ResNeXt(ResNeXt { blocks: vec![1, 1], channels: 4, cardinality: 2, width: 8 }),
            "resnext29",
        ),
        with(Family::Vgg(vgg), "vgg9"),
        with(Family::DenseNet(dense), "densenet121"),
    ]
    .into_iter()
    .enumerate()
    {
        let title = architecture.topology().unwrap().title;
        let folder = folder.path().join(at.to_string());
        let job = quick(architecture.clone());
        train(&job, &folder, &mut Silent).unwrap_or_else(|error| panic!("{title}: {error}"));
        let opened = checkpoint::open(&folder.join("final.safetensors")).unwrap();
        assert_eq!(opened.network.topology, architecture.topology().unwrap(), "{title}");
        let finite = opened.network.weights.flat().isfinite().all();
        assert!(bool::try_from(finite).unwrap(), "{title}");
    }
    let refused = Architecture::named("wrn-28").unwrap_err().to_string();
    assert!(refused.contains("no architecture \"wrn-28\"") && refused.contains("wrn-28-10"), "{refused}");
}

#[test]
fn networks_of_other_programs_are_fine_tuned_as_they_were_read() {
    let folder = tempfile::tempdir().unwrap();
    let initial = file("trained_preact_activated");
    let job = Train {
        initial: Some(initial.clone()),
        method: Method::Rotation { fraction: 1.0, weight: 0.5 },
        ..quick(Architecture::default())
    };
    let job = resolved(&job).unwrap();
    let Family::PreActResNet(family) = &job.architecture.family else { panic!("{:?}", job.architecture) };
    assert_eq!(family.shortcut, Shortcut::Activated);
    assert_eq!(job.architecture.input, InputNormalization::named("cifar10", 3).unwrap());
    train(&job, &folder.path().join("tuned"), &mut Silent).unwrap();
    let tuned = checkpoint::open(&folder.path().join("tuned/final.safetensors")).unwrap().network;
    let before = checkpoint::open_probed(&initial, &mut |_| Ok(())).unwrap().network;
    assert_eq!(tuned.topology, before.topology);
    let moved = (tuned.weights.flat() - before.weights.flat()).abs().max().double_value(&[]);
    assert!(moved > 0.0 && moved < 1.0, "{moved}");
    assert!(tuned.layout().entries.iter().all(|entry| entry.role != Role::Frozen));
}
