//! Whole trainings in folders, on the bundled images: what is kept, going on after interruptions, divergence.

mod edited;
mod evaluation;
mod study;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use basin_core::attack::weights::Tensors;
use basin_core::attack::{Objective, Pgd};
use basin_core::checkpoint;
use basin_core::data::{Augmentation, Examples, Layout, Split, convert};
use basin_core::device::Precision;
use basin_core::job::Job;
use basin_core::model::{Architecture, Family, LeNet, Mlp, Norm, ResNet};
use basin_core::progress::{Cancelled, Event, Progress, Silent};
use basin_core::record::Record;
use basin_core::run::{Observer, RunOptions, estimate, read_job, resolved, run, train};
use basin_core::train::{
    Average, Awp, Curriculum, EntropySgd, Epoch, Extra, Labels, LogLine, Method, Optimizer, Schedule,
    Sharpness, Statistics, Train, TrainData,
};

use crate::support::process::passed_in_own_process;

fn examples(split: Split, start: usize, end: isize) -> Examples {
    Examples { split, start, end }
}

/// A few steps of a tiny network.
fn tiny() -> Train {
    Train {
        name: "tiny".into(),
        data: TrainData {
            train: examples(Split::Train, 0, 52),
            test: examples(Split::Test, 0, 20),
            held_out: examples(Split::Test, 40, 20),
            augmentation: Augmentation::CropFlip,
            ..TrainData::bundled()
        },
        architecture: Architecture {
            family: Family::LeNet(LeNet { channels: 4, linear: 16 }),
            normalization: Some(Norm::Batch),
            dropout: true,
            ..Architecture::default()
        },
        attack: Pgd { epsilon: 0.0314, steps: 2, ..Pgd::default() },
        schedule: Schedule::MultiStep { milestones: vec![2], gamma: 0.1 },
        epochs: 3,
        batch_size: 16,
        snapshot_every: 2,
        device: "cpu".into(),
        precision: Precision::F32,
        ..Train::default()
    }
}

/// Whatever the network: behind linear layers, or where a ResNet has strided an image down to one pixel.
#[test]
fn a_batch_of_one_image_is_refused_where_it_has_no_variance() {
    let folder = tempfile::tempdir().unwrap();
    let mut job = Train { epochs: 1, ..tiny() };
    let result = |job: &Train, name: &str| train(job, &folder.path().join(name), &mut Silent);
    let mlp = Family::Mlp(Mlp { units: vec![8] });
    let deep = Family::ResNet(ResNet { blocks: vec![1; 6], bottleneck: false, channels: 1 });
    job.architecture.dropout = false;
    for (name, family) in [("mlp", mlp), ("deep", deep)] {
        job.architecture.family = family;
        job.data.train = examples(Split::Train, 0, 33);
        let told = result(&job, name).unwrap_err().to_string();
        assert!(
            told.contains("the smallest training batch has one image (33 training images, batch_size 16)"),
            "{told}"
        );
        assert!(!folder.path().join(name).exists(), "nothing is begun");
        assert_eq!(estimate(&Job::Train(Box::new(job.clone()))).unwrap_err().to_string(), told);
        job.data.train = examples(Split::Train, 0, 34);
        assert!(result(&job, name).is_ok());
    }
    // Images have many pixels per channel.
    job.architecture.family = tiny().architecture.family;
    job.data.train = examples(Split::Train, 0, 33);
    assert!(result(&job, "lenet").is_ok());
}

/// Everything that is carried from step to step at once.
fn everything() -> Train {
    let awp = Awp { population: 1, curriculum: Curriculum::Threshold(2.3), ..Awp::default() };
    Train {
        sharpness: Sharpness::Awp(awp),
        average: Some(Average { tau: 0.9, ..Average::default() }),
        labels: Labels::Noisy(0.2),
        clipping: Some(0.5),
        early_stopping: true,
        ..tiny()
    }
}

/// Dies without a word at an event, as a killed process does.
struct Dying(usize);

impl Progress for Dying {
    fn report(&mut self, _: Event) -> Result<(), Cancelled> {
        assert!(self.0 > 0, "killed");
        self.0 -= 1;
        Ok(())
    }
}

impl Observer for Dying {}

/// Trains until killed after so many events; false if it was over before.
fn killed(job: &Train, folder: &Path, after: usize) -> bool {
    dies(|| train(job, folder, &mut Dying(after)).map(drop))
}

/// Whether some work is killed.
fn dies(work: impl FnOnce() -> basin_core::Result<()>) -> bool {
    static QUIET: std::sync::Once = std::sync::Once::new();
    QUIET.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if panic.payload().downcast_ref::<&str>() != Some(&"killed") {
                usual(panic);
            }
        }));
    });
    catch_unwind(AssertUnwindSafe(work)).is_err()
}

/// Counts events; asks to stop at the given one.
struct Stopping {
    at: usize,
    seen: usize,
}

impl Progress for Stopping {
    fn report(&mut self, _: Event) -> Result<(), Cancelled> {
        self.seen += 1;
        if self.seen >= self.at { Err(Cancelled) } else { Ok(()) }
    }
}

impl Observer for Stopping {}

const RESULTS: [&str; 4] =
    ["final.safetensors", "average.safetensors", "average-calibrated.safetensors", "best.safetensors"];

fn results(folder: &Path) -> Vec<Vec<u8>> {
    RESULTS.iter().map(|name| std::fs::read(folder.join(name)).unwrap()).collect()
}

fn log(folder: &Path) -> Vec<LogLine> {
    let text = std::fs::read_to_string(folder.join("log.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn epochs(folder: &Path) -> Vec<Epoch> {
    let lines = log(folder).into_iter();
    lines.filter_map(|line| if let LogLine::Epoch(epoch) = line { Some(epoch) } else { None }).collect()
}

/// The log without its times.
fn timeless(folder: &Path) -> Vec<LogLine> {
    let mut lines = log(folder);
    for line in &mut lines {
        if let LogLine::Epoch(epoch) = line {
            epoch.seconds = 0.0;
        }
    }
    lines
}

#[test]
fn killed_at_any_moment_training_goes_on_to_the_same_bits() {
    let job = everything();
    let home = tempfile::tempdir().unwrap();
    let whole = home.path().join("whole");
    let mut counting = Stopping { at: usize::MAX, seen: 0 };
    train(&job, &whole, &mut counting).unwrap();
    let expected = results(&whole);
    let (events, moments) = (counting.seen, 20);
    for moment in 0..moments {
        let folder = home.path().join(format!("killed-{moment}"));
        let first = 1 + moment * (events - 2) / moments;
        // Killed, and killed again while going on.
        for after in [first, 1 + events / 3] {
            if !killed(&job, &folder, after) {
                break;
            }
        }
        train(&job, &folder, &mut Silent).unwrap();
        assert!(results(&folder) == expected, "killed after {first} of {events} events: other weights");
        assert_eq!(
            timeless(&folder),
            timeless(&whole),
            "killed after {first} of {events} events: another log"
        );
    }
}

/// Trainings that carry something else from step to step each.
fn carrying() -> Vec<(&'static str, Train)> {
    let adversarial = |fraction, ignore_incorrect, prevent_label_leaking| Method::Adversarial {
        fraction,
        ignore_incorrect,
        prevent_label_leaking,
    };
    let entropy = EntropySgd { inner_steps: 2, momentum: 0.9, scoping: 0.5, ..EntropySgd::default() };
    let average = |statistics| Some(Average { tau: 0.9, statistics, warm_up: false });
    let paper_entropy =
        Train { optimizer: Optimizer::EntropySgd(entropy.clone()), as_in_paper: true, ..tiny() };
    let rotation = Method::Rotation { weight: 0.5, fraction: 0.5 };
    let mut extra = Train { average: average(Statistics::Averaged), ..tiny() };
    extra.data.extra =
        Some(Extra { name: "bundled".into(), examples: examples(Split::Train, 100, 150), share: 0.7 });
    let mut trades =
        Train { method: Method::Trades { weight: 6.0 }, labels: Labels::Smoothed(0.1), ..tiny() };
    (trades.attack.objective, trades.data.augmentation) = (Objective::BatchKl, Augmentation::AutoAugment);
    let random = Awp {
        attack: basin_core::train::WeightAttack::Random {
            ball: basin_core::attack::weights::Ball::layerwise(0.3),
            sampling: basin_core::attack::weights::Sampling::Sphere,
        },
        population: 2,
        ..Awp::default()
    };
    let rebn = Architecture { normalization: Some(Norm::Reparameterized), ..tiny().architecture };
    vec![
        (
            "entropy",
            Train {
                average: average(Statistics::Newest),
                optimizer: paper_entropy.optimizer.clone(),
                ..tiny()
            },
        ),
        ("entropy-as-in-paper", paper_entropy),
        (
            "adam",
            Train { optimizer: Optimizer::adam(0.01), average: average(Statistics::Averaged), ..tiny() },
        ),
        ("rotation", Train { method: rotation, early_stopping: true, ..tiny() }),
        ("extra", extra),
        (
            "guessing",
            Train {
                method: adversarial(0.5, true, true),
                as_in_paper: true,
                average: average(Statistics::Newest),
                ..tiny()
            },
        ),
        ("trades", trades),
        ("mart", Train { method: Method::Mart { weight: 6.0 }, architecture: rebn, ..tiny() }),
        ("random-weights", Train { sharpness: Sharpness::Awp(random), early_stopping: true, ..tiny() }),
        (
            "adaptive-sam",
            Train {
                sharpness: Sharpness::Sam { radius: 0.5, adaptive: true },
                clipping: Some(0.3),
                ..tiny()
            },
        ),
        ("cyclic", Train { schedule: Schedule::Cyclic { low: 0.0, high: 0.1, up: 1, down: 2 }, ..tiny() }),
    ]
}

/// All networks that a training leaves, by name, snapshots included.
fn networks(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for below in ["", "snapshots"] {
        for entry in std::fs::read_dir(folder.join(below)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if name.ends_with(".safetensors") && name != "state.safetensors" {
                found.push((name, std::fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

/// Whatever a variant carries from step to step is kept within epochs (cancelled) and between them (killed).
#[test]
fn every_variant_goes_on_to_the_same_bits() {
    let home = tempfile::tempdir().unwrap();
    for (name, job) in carrying() {
        let (whole, broken) = (home.path().join(name), home.path().join(format!("{name}-broken")));
        let mut counting = Stopping { at: usize::MAX, seen: 0 };
        train(&job, &whole, &mut counting).unwrap_or_else(|error| panic!("{name}: {error}"));
        // Once killed, and then cancelled again and again.
        assert!(killed(&job, &broken, counting.seen / 2), "{name} was over before it was killed");
        let mut cancelled = 0;
        while let Err(error) = train(&job, &broken, &mut Stopping { at: counting.seen / 7, seen: 0 }) {
            assert!(matches!(error, basin_core::Error::Cancelled), "{name}: {error}");
            cancelled += 1;
            assert!(cancelled < 50, "{name}: no step is ever finished");
        }
        assert!(cancelled > 1, "{name} was not cancelled");
        let (ours, expected) = (networks(&broken), networks(&whole));
        assert_eq!(
            ours.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            expected.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            "{name}"
        );
        for ((file, ours), (_, expected)) in ours.iter().zip(&expected) {
            assert!(ours == expected, "{name}: {file} differs after {cancelled} cancellations");
        }
        let ends = |folder: &Path| {
            let timeless =
                |epoch: Epoch| (epoch.epoch, epoch.step, epoch.test, epoch.average, epoch.held_out);
            epochs(folder).into_iter().map(timeless).collect::<Vec<_>>()
        };
        assert_eq!(ends(&broken), ends(&whole), "{name}: another log");
    }
}

#[test]
fn cancelled_training_keeps_every_finished_step() {
    let job = Train { early_stopping: false, ..everything() };
    let home = tempfile::tempdir().unwrap();
    let (whole, cancelled) = (home.path().join("whole"), home.path().join("cancelled"));
    train(&job, &whole, &mut Silent).unwrap();
    let mut times = 0;
    loop {
        let result = train(&job, &cancelled, &mut Stopping { at: 9, seen: 0 });
        match result {
            Err(basin_core::Error::Cancelled) => times += 1,
            other => {
                other.unwrap();
                break;
            }
        }
        assert!(times < 100, "no step is ever finished");
    }
    assert!(times > 3);
    for name in &RESULTS[..3] {
        let read = |folder: &Path| std::fs::read(folder.join(name)).unwrap();
        assert!(read(&cancelled) == read(&whole), "{name} differs after {times} cancellations");
    }
}

#[test]
fn a_finished_folder_holds_what_was_asked() {
    let job = Train { epochs: 6, ..everything() };
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("run");
    let trained = train(&job, &folder, &mut Silent).unwrap();
    let snapshots = |suffix: &str| -> Vec<i64> {
        (0..6)
            .filter(|e| folder.join(format!("snapshots/epoch-{e:04}{suffix}.safetensors")).is_file())
            .collect()
    };
    assert_eq!((snapshots(""), snapshots("-average")), (vec![0, 2, 4, 5], vec![0, 2, 4, 5]));
    let epochs = epochs(&folder);
    assert_eq!(
        epochs.iter().map(|epoch| (epoch.epoch, epoch.step)).collect::<Vec<_>>(),
        (0..6).map(|e| (e, 4 * e + 4)).collect::<Vec<_>>()
    );
    // The rate that was used, also where a milestone follows.
    for line in log(&folder) {
        if let LogLine::Steps(steps) = line {
            assert_eq!(steps.learning_rate, job.schedule.rate(0.05, steps.step - 1, 4).learning_rate);
        }
    }
    assert!(epochs.iter().all(|epoch| epoch.test.examples == 20), "all test images are tested");
    // The last epoch's network is the final one.
    assert_eq!(epochs[5].test, trained.last);
    assert_eq!(epochs[5].average, trained.average);
    let held_out: Vec<(u64, f64)> =
        epochs.iter().filter_map(|epoch| Some((epoch.epoch, epoch.held_out?.robust_error))).collect();
    assert_eq!(held_out.iter().map(|(epoch, _)| *epoch).collect::<Vec<_>>(), [0, 2, 4, 5]);
    let lowest = held_out.iter().map(|(_, error)| *error).fold(f64::INFINITY, f64::min);
    let earliest = held_out.iter().find(|(_, error)| *error == lowest).unwrap().0;
    assert_eq!(trained.best.unwrap().0, earliest);
    let best = std::fs::read(folder.join("best.safetensors")).unwrap();
    assert!(
        best == std::fs::read(folder.join(format!("snapshots/epoch-{earliest:04}.safetensors"))).unwrap()
    );
    for name in RESULTS {
        let opened = checkpoint::open(&folder.join(name)).unwrap();
        let bound = opened.network.weights.flat().narrow(0, 6, opened.network.layout().len - 6).abs().max();
        assert!(name.starts_with("average") || bound.double_value(&[]) <= 0.5, "{name} is not clipped");
    }
    // The calibrated average differs from the plain one in its statistics alone.
    let open = |name| checkpoint::open(&folder.join(name)).unwrap().network;
    let (plain, calibrated) = (open("average.safetensors"), open("average-calibrated.safetensors"));
    assert_eq!(plain.weights.flat(), calibrated.weights.flat());
    assert!(plain.buffers.iter().zip(&calibrated.buffers).any(|(a, b)| a.1 != b.1));
    assert_eq!(read_job(&folder).unwrap(), Job::Train(Box::new(resolved(&job).unwrap())));
}

#[test]
fn a_diverging_training_says_where_and_what_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("run");
    let optimizer = Optimizer::Sgd { learning_rate: 1e-3, momentum: 0.0, nesterov: false, weight_decay: 0.0 };
    let exploding = |epoch| Schedule::MultiStep { milestones: vec![epoch], gamma: 1e30 };
    let job = Train { optimizer, epochs: 3, schedule: exploding(0), ..tiny() };
    let diverged = |job: &Train, folder: &Path| train(job, folder, &mut Silent).unwrap_err().to_string();
    // The attack of the second step notices what the first weight step did.
    let error = diverged(&job, &folder);
    let step =
        "training diverged in step 1 (epoch 1 of 3, learning rate 1e27), in its weight step: it left weights";
    assert!(error.starts_with(step) && !error.contains("PGD"), "{error}");
    assert!(error.contains("there is no snapshot yet"), "{error}");
    assert!(!folder.join("final.safetensors").exists());
    let folder = folder.with_file_name("late");
    let late = Train { schedule: exploding(2), ..job.clone() };
    let error = diverged(&late, &folder);
    let step =
        "training diverged in step 9 (epoch 3 of 3, learning rate 1e27), in its weight step: it left weights";
    assert!(error.starts_with(step), "{error}");
    let snapshot = folder.join("snapshots/epoch-0000.safetensors");
    assert!(error.contains(&format!("the last good snapshot is {}", snapshot.display())), "{error}");
    checkpoint::open(&snapshot).unwrap();
    // Without an attack the loss of the next step is the first to tell.
    let normal = Train { method: Method::Normal, schedule: exploding(0), ..job.clone() };
    let error = diverged(&normal, &folder.with_file_name("normal"));
    assert!(error.contains("learning rate 1e27), in "), "{error}");
    assert!(!error.contains("attack") && error.contains("weight step"), "{error}");
    // After the only step of an epoch, the test is what fails.
    let tested = Train { steps_per_epoch: Some(1), epochs: 1, ..job };
    let error = diverged(&tested, &folder.with_file_name("tested"));
    assert!(
        error.starts_with(
            "training diverged in step 1 (epoch 1 of 1, learning rate 1e27), in the test after it: the loss of example 0 is "
        ),
        "{error}"
    );
}

#[test]
fn weights_perturbed_beyond_measure_are_told_apart_from_the_weight_step() {
    let home = tempfile::tempdir().unwrap();
    let random = basin_core::train::WeightAttack::Random {
        ball: basin_core::attack::weights::Ball::layerwise(1e6),
        sampling: basin_core::attack::weights::Sampling::Sphere,
    };
    let random = Awp { attack: random, ..Awp::default() };
    for (name, sharpness) in
        [("awp", Sharpness::Awp(random)), ("sam", Sharpness::Sam { radius: 1e30, adaptive: false })]
    {
        // Deep, and nothing keeps the activations small.
        let family = Family::Mlp(Mlp { units: vec![32; 8] });
        let architecture = Architecture { family, normalization: None, ..tiny().architecture };
        let job = Train { sharpness, architecture, ..tiny() };
        let error = train(&job, &home.path().join(name), &mut Silent).unwrap_err().to_string();
        assert!(
            error.starts_with("training diverged in step 1 (epoch 1 of 3, learning rate 0.05), in the perturbation of its weights: "),
            "{name}: {error}"
        );
        assert!(
            error.ends_with("use smaller perturbations of the weights, or a smaller learning rate"),
            "{error}"
        );
    }
}

/// What a training says at its beginning.
#[derive(Default)]
struct Listening(Vec<String>);

impl Progress for Listening {
    fn report(&mut self, event: Event) -> Result<(), Cancelled> {
        if let Event::Warning(text) = event {
            self.0.push(text);
        }
        Ok(())
    }
}

impl Observer for Listening {}

#[test]
fn a_damaged_state_names_the_ways_out() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("run");
    let job = tiny();
    train(&job, &folder, &mut Stopping { at: 25, seen: 0 }).unwrap_err();
    let state = folder.join("state.safetensors");
    let whole = std::fs::read(&state).unwrap();
    let snapshot = folder.join("snapshots/epoch-0000.safetensors");
    assert!(snapshot.is_file(), "an epoch is finished");
    let page = b"<!DOCTYPE html><html><body>404</body></html>".to_vec();
    let network = std::fs::read(&snapshot).unwrap();
    let log = log(&folder);
    let damages = [
        (whole[..whole.len() / 2].to_vec(), "is damaged or incomplete"),
        (whole[..40].to_vec(), "is damaged or incomplete"),
        (vec![7; 500], "is damaged or incomplete"),
        (page, "is a web page (HTML)"),
        (Vec::new(), "is empty"),
        (network, "is not what a training writes"),
    ];
    for (bytes, reason) in damages {
        std::fs::write(&state, bytes).unwrap();
        let error = train(&job, &folder, &mut Silent).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{}: {reason}, so", state.display())), "{error}");
        let remedy =
            format!("--set initial={} --out NEW`, or remove {}", snapshot.display(), folder.display());
        assert!(error.contains(&remedy), "{error}");
        assert_eq!(self::log(&folder), log, "the log is as it was");
    }
    // What the message says works.
    let again = job.with(&format!("initial={}", snapshot.display())).unwrap();
    train(&Train { epochs: 1, ..again }, &home.path().join("again"), &mut Silent).unwrap();
    std::fs::remove_dir_all(folder.join("snapshots")).unwrap();
    let error = train(&job, &folder, &mut Silent).unwrap_err().to_string();
    assert!(error.ends_with(&format!("; remove {} and train again", folder.display())), "{error}");
    std::fs::write(&state, whole).unwrap();
    train(&job, &folder, &mut Silent).unwrap();
}

/// Before any of its work is saved, a training that is killed knows on how many threads it is to go on.
#[test]
fn killed_in_its_first_epoch_it_goes_on_with_as_many_threads() {
    if passed_in_own_process("training_runs::killed_in_its_first_epoch_it_goes_on_with_as_many_threads") {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let job = Job::Train(Box::new(tiny()));
    let options = |name: &str, threads| {
        let out = Some(home.path().join(name));
        RunOptions { out, threads, ..RunOptions::default() }
    };
    let whole = run(&job, &options("whole", Some(1)), &mut Silent).unwrap();
    assert!(dies(|| run(&job, &options("killed", Some(1)), &mut Dying(3)).map(drop)));
    let kept = |name: &str| std::fs::read(home.path().join("killed").join(name));
    assert!(kept("log.jsonl").is_ok_and(|log| log.is_empty()), "nothing is logged yet");
    let again = run(&job, &options("killed", None), &mut Silent).unwrap();
    assert_eq!(networks(&home.path().join("killed")), networks(&home.path().join("whole")));
    assert!(whole.provenance.device.contains("1 thread"), "{}", whole.provenance.device);
    assert_eq!(again.provenance.device, whole.provenance.device);
    assert!(again.provenance.warnings.is_empty(), "{:?}", again.provenance.warnings);
    // On other threads it begins anew, and says so where the numbers come from.
    assert!(dies(|| run(&job, &options("other", Some(1)), &mut Dying(3)).map(drop)));
    let other = run(&job, &options("other", Some(2)), &mut Silent).unwrap();
    assert!(other.provenance.device.contains("2 threads") && other.provenance.warnings.is_empty());
}

#[test]
fn a_log_that_lost_its_end_is_told() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("run");
    let job = tiny();
    train(&job, &folder, &mut Stopping { at: 25, seen: 0 }).unwrap_err();
    let log = std::fs::read_to_string(folder.join("log.jsonl")).unwrap();
    let shorter: Vec<&str> = log.split_inclusive('\n').take(2).collect();
    std::fs::write(folder.join("log.jsonl"), shorter.concat()).unwrap();
    let mut said = Listening::default();
    train(&job, &folder, &mut said).unwrap();
    let [told] = &said.0[..] else { panic!("{:?}", said.0) };
    assert!(told.starts_with("log.jsonl lacks the last "), "{told}");
    assert_eq!(Record::load(&folder).unwrap().provenance.warnings, *std::slice::from_ref(told));
}

#[test]
fn images_both_learned_from_and_tested_on_are_refused_or_told() {
    let home = tempfile::tempdir().unwrap();
    let mut job = Train { epochs: 1, ..tiny() };
    let begin = |job: &Train, name: &str| {
        let mut said = Listening::default();
        let result =
            train(job, &home.path().join(name), &mut said).map(drop).map_err(|error| error.to_string());
        (result, said.0)
    };
    job.data.train = examples(Split::Test, 10, 62);
    let (refused, _) = begin(&job, "refused");
    assert!(refused.is_err_and(|text| text.contains("share test:10..20")), "by their names");
    assert!(!home.path().join("refused").exists());
    // The same images under another name, some of them twice.
    let copy = home.path().join("copy");
    convert(&[], "bundled", Layout::Hdf5, &copy, false, &mut Silent).unwrap();
    job.data.train = tiny().data.train;
    let twice =
        Extra { name: copy.display().to_string(), examples: examples(Split::Test, 15, 65), share: 0.5 };
    job.data.extra = Some(twice);
    let (trained, said) = begin(&job, "told");
    assert_eq!(trained, Ok(()));
    let sentence = "5 of the 20 test images are also among those trained on, so the test errors are too low";
    assert_eq!(said, [sentence]);
    assert_eq!(Record::load(&home.path().join("told")).unwrap().provenance.warnings, [sentence]);
    // The held-out images count with early stopping.
    job.early_stopping = true;
    let (trained, said) = begin(&job, "stopping");
    assert_eq!(trained, Ok(()));
    assert_eq!(said.len(), 2);
    assert!(said[1].starts_with("20 of the 20 held-out images are also among those trained on"), "{said:?}");
    job.data.extra = None;
    job.data.held_out = examples(Split::Test, 25, 15);
    let (_, said) = begin(&job, "overlapping");
    let [said] = &said[..] else { panic!("{said:?}") };
    assert!(said.starts_with("4 of the 10 held-out images are also among the test images"), "{said}");
}

/// An estimate looks at a data set once: files that are gone since then are not missed.
#[test]
fn estimates_read_images_once() {
    let home = tempfile::tempdir().unwrap();
    let copy = home.path().join("copy");
    convert(&[], "bundled", Layout::Hdf5, &copy, false, &mut Silent).unwrap();
    let mut job = tiny();
    job.data.name = copy.display().to_string();
    let of = |job: &Train| estimate(&Job::Train(Box::new(job.clone())));
    let first = of(&job).unwrap();
    assert_eq!(first.units, 3 * 4);
    assert!(first.seconds > 0.0);
    std::fs::remove_dir_all(&copy).unwrap();
    job.epochs = 6;
    assert_eq!(of(&job).unwrap().units, 6 * 4);
    job.data.train = examples(Split::Train, 0, 53);
    assert!(of(&job).is_err(), "other images are other files");
    let mut beyond = tiny();
    beyond.data.train = examples(Split::Train, 3000, 2500);
    let error = of(&beyond).unwrap_err().to_string();
    assert!(
        error.contains(
            "has 2000 train images, so train:3000..2500 (counting down from 3000 to 2501) is not possible"
        ),
        "{error}"
    );
}

#[test]
fn a_folder_belongs_to_one_job() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("run");
    let job = Train { epochs: 1, ..tiny() };
    train(&job, &folder, &mut Silent).unwrap();
    let error = train(&Train { seed: 1, ..job.clone() }, &folder, &mut Silent).unwrap_err().to_string();
    assert!(error.contains("holds another training"), "{error}");
    // Without the state it is still worth keeping, as in a folder that somebody has shared.
    std::fs::remove_file(folder.join("state.safetensors")).unwrap();
    let before = log(&folder);
    let error = train(&Train { seed: 1, ..job.clone() }, &folder, &mut Silent).unwrap_err().to_string();
    assert!(error.contains("holds another training"), "{error}");
    let error = train(&job, &folder, &mut Silent).unwrap_err().to_string();
    assert!(
        error.contains("state.safetensors: is missing, so the training cannot go on from it")
            && log(&folder) == before,
        "{error}"
    );
    let busy = home.path().join("busy");
    std::fs::create_dir(&busy).unwrap();
    std::fs::write(busy.join("thesis.tex"), "").unwrap();
    let error = train(&job, &busy, &mut Silent).unwrap_err().to_string();
    assert!(error.contains("no folder of a training"), "{error}");
    // Nothing was trained where a first try failed: its folder is free for a better one.
    let early = home.path().join("early");
    let mut missing = job.clone();
    missing.data.name = home.path().join("nowhere").display().to_string();
    assert!(train(&missing, &early, &mut Silent).is_err());
    train(&job, &early, &mut Silent).unwrap();
    let wrong = Train { batch_size: 0, ..job };
    let error = train(&wrong, &home.path().join("new"), &mut Silent).unwrap_err().to_string();
    assert!(error.contains("batch size 0 is not possible") && !home.path().join("new").exists(), "{error}");
}

/// Every variant makes two steps, leaves a network that opens, and changed its weights.
#[test]
fn every_variant_trains() {
    let home = tempfile::tempdir().unwrap();
    let base = Train { epochs: 1, steps_per_epoch: Some(2), ..tiny() };
    let adversarial = |ignore_incorrect, prevent_label_leaking| Method::Adversarial {
        fraction: 0.5,
        ignore_incorrect,
        prevent_label_leaking,
    };
    let method = |method| Train { method, ..base.clone() };
    let mut trades = method(Method::Trades { weight: 6.0 });
    trades.attack.objective = Objective::Kl;
    let mut extra = base.clone();
    extra.data.extra =
        Some(Extra { name: "bundled".into(), examples: examples(Split::Train, 100, 150), share: 0.7 });
    let mut tau = base.clone();
    tau.attack.tau = Some(1);
    let mut automatic = base.clone();
    automatic.data.augmentation = Augmentation::AutoAugment;
    let random = basin_core::train::WeightAttack::Random {
        ball: basin_core::attack::weights::Ball::layerwise(0.3),
        sampling: basin_core::attack::weights::Sampling::Sphere,
    };
    let random = Awp { attack: random, population: 2, tensors: Tensors::NoBias, ..Awp::default() };
    let entropy = EntropySgd { inner_steps: 2, ..EntropySgd::default() };
    let resnet = Architecture {
        family: Family::ResNet(ResNet { blocks: vec![1, 1], bottleneck: false, channels: 4 }),
        ..Architecture::default()
    };
    let jobs = [
        ("normal", method(Method::Normal)),
        ("ignoring", method(adversarial(true, false))),
        ("guessing", method(adversarial(false, true))),
        ("trades", trades),
        ("mart", method(Method::Mart { weight: 6.0 })),
        ("rotation", method(Method::Rotation { weight: 0.5, fraction: 0.5 })),
        ("extra", extra),
        ("tau", tau),
        ("auto-augment", automatic),
        ("smoothed", Train { labels: Labels::Smoothed(0.3), ..base.clone() }),
        ("sam", Train { sharpness: Sharpness::Sam { radius: 0.05, adaptive: false }, ..base.clone() }),
        ("asam", Train { sharpness: Sharpness::Sam { radius: 0.5, adaptive: true }, ..base.clone() }),
        ("random-weights", Train { sharpness: Sharpness::Awp(random), ..base.clone() }),
        ("adam", Train { optimizer: Optimizer::adam(0.01), ..base.clone() }),
        ("entropy", Train { optimizer: Optimizer::EntropySgd(entropy), ..base.clone() }),
        ("ema", Train { average: Some(Average::ema(0.9)), ..base.clone() }),
        ("resnet", Train { architecture: resnet, ..base.clone() }),
        ("bf16", Train { step_precision: Precision::Bf16, ..base.clone() }),
    ];
    let fresh = |job: &Train| {
        let mut architecture = job.architecture.clone();
        (architecture.classes, architecture.resolution) = (10, [3, 32, 32]);
        basin_core::model::Network::fresh(architecture.topology().unwrap(), job.seed)
    };
    for (name, job) in jobs {
        let folder = home.path().join(name);
        let trained = train(&job, &folder, &mut Silent).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(trained.last.robust_error >= trained.last.error, "{name}");
        let network = checkpoint::open(&folder.join("final.safetensors")).unwrap().network;
        let (before, after) = (fresh(&job), network.weights.flat());
        let moved = (after - before.weights.flat()).narrow(0, 6, before.layout().len - 6);
        let moved = moved.norm().double_value(&[]);
        assert!(moved > 1e-4 && moved < 100.0, "{name}: weights moved by {moved}");
    }
    // Fine-tuning goes on from a checkpoint.
    let initial = home.path().join("resnet/final.safetensors");
    let optimizer = Optimizer::Sgd { learning_rate: 1e-9, momentum: 0.0, nesterov: false, weight_decay: 0.0 };
    let job = Train { initial: Some(initial.clone()), optimizer, ..base };
    train(&job, &home.path().join("tuned"), &mut Silent).unwrap();
    let open = |path: &Path| checkpoint::open(path).unwrap().network.weights;
    let (before, after) = (open(&initial), open(&home.path().join("tuned/final.safetensors")));
    assert!((before.flat() - after.flat()).abs().max().double_value(&[]) < 1e-5);
}

/// Training helps: on images it can learn by heart, loss and robust error fall.
#[test]
fn training_learns() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("run");
    let mut job = Train { epochs: 12, snapshot_every: 100, schedule: Schedule::Constant, ..tiny() };
    job.architecture.dropout = false;
    job.data.augmentation = Augmentation::None;
    job.data.train = examples(Split::Train, 0, 32);
    job.attack.epsilon = 2.0 / 255.0;
    train(&job, &folder, &mut Silent).unwrap();
    let epochs = epochs(&folder);
    let (first, last) = (&epochs[0].train, &epochs[11].train);
    assert!(last["robust_loss"] < 0.7 * first["robust_loss"], "{first:?} to {last:?}");
    assert!(last["robust_error"] < 0.75 * first["robust_error"], "{first:?} to {last:?}");
}
