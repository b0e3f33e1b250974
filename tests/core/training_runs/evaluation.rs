//! Networks are evaluated by an attack of their own, whatever they were trained with, and so that `basin evaluate` finds
//! the same.

use std::path::Path;

use basin_core::attack::{InputNorm, Objective, Pgd, Selection};
use basin_core::job::{Compute, DataSelection, Evaluate, Job};
use basin_core::progress::Silent;
use basin_core::record::training::TrainingOutcome;
use basin_core::record::{Outcome, Record, Trained};
use basin_core::run::{RunOptions, resolved, run, train};
use basin_core::train::preset::preset;
use basin_core::train::{LogLine, Method, Scores, Train};

use super::{epochs, examples, tiny};
use basin_core::data::{Examples, Split};

/// Loss, error, robust loss and robust error.
fn numbers(scores: &Scores) -> [f64; 4] {
    [scores.loss, scores.error, scores.robust_loss, scores.robust_error]
}

/// What `basin evaluate` finds of a network.
pub fn evaluated(network: &Path, examples: Examples, attack: &Pgd, job: &Train) -> [f64; 4] {
    let job = Evaluate {
        checkpoint: network.to_owned(),
        data: DataSelection { name: job.data.name.clone(), examples },
        attack: Some(attack.clone()),
        compute: Compute { device: "cpu".into(), precision: job.precision, seed: job.seed, batch_size: None },
        ..Evaluate::default()
    };
    let record = run(&Job::Evaluate(job), &RunOptions::default(), &mut Silent).unwrap();
    let Outcome::Evaluate(found) = record.outcome else { panic!("no evaluation") };
    let robust = found.robust.expect("an attack");
    [found.clean.loss, found.clean.error, robust.loss, robust.error]
}

fn assert_same(ours: [f64; 4], theirs: [f64; 4], what: &str) {
    for (ours, theirs) in ours.into_iter().zip(theirs) {
        assert!((ours - theirs).abs() < 1e-6, "{what}: {ours} instead of {theirs}");
    }
}

/// Trainings whose own attack is no measure of robustness.
fn leaking() -> Vec<(&'static str, Train)> {
    let mut trades = Train { method: Method::Trades { weight: 6.0 }, seed: 3, ..tiny() };
    trades.attack.objective = Objective::Kl;
    // Slowly, so that the network does not end with one answer for all images.
    let mut tau = tiny().with("optimizer.learning_rate=0.01").unwrap();
    tau.attack.tau = Some(0);
    let fraction =
        Method::Adversarial { fraction: 0.5, ignore_incorrect: false, prevent_label_leaking: false };
    let mut weak = Train { method: fraction, early_stopping: true, ..tiny() };
    (weak.attack.steps, weak.attack.step_size, weak.evaluation.restarts) = (1, 0.001, 2);
    vec![("trades", trades), ("tau", tau), ("fraction", weak)]
}

#[test]
fn basin_evaluate_finds_what_a_training_ends_with() {
    let home = tempfile::tempdir().unwrap();
    for (name, job) in leaking() {
        let job = Train { epochs: 2, ..job };
        let folder = home.path().join(name);
        let trained = train(&job, &folder, &mut Silent).unwrap();
        let written: Trained =
            serde_json::from_str(&std::fs::read_to_string(folder.join("evaluation.json")).unwrap()).unwrap();
        assert_eq!(written, trained);
        let attack = written.attack.expect("evaluation.json says its attack");
        assert_eq!(attack, job.test_attack());
        let find = |file: &str, examples, attack: &Pgd| evaluated(&folder.join(file), examples, attack, &job);
        let last = "final.safetensors";
        assert_same(numbers(&trained.last), find(last, job.data.test, &attack), name);
        let subset = job.tested_training_images().unwrap();
        let on_train = trained.train.expect("training images are tested");
        assert_eq!((on_train.examples, subset), (52, job.data.train), "all there are, of up to 500");
        assert_same(numbers(&on_train), find(last, subset, &attack), name);
        let epochs = epochs(&folder);
        assert_eq!(epochs[1].train_scores, Some(on_train));
        assert_eq!(epochs[1].robust_gap(), Some(trained.last.robust_loss - on_train.robust_loss));
        if let Some((epoch, best)) = trained.best {
            assert_same(numbers(&best), find("best.safetensors", job.data.test, &attack), name);
            let held_out = epochs[epoch as usize].held_out.expect("a snapshot was taken");
            let theirs = find("best.safetensors", job.data.held_out, &job.held_out_attack());
            assert_same(numbers(&held_out), theirs, "held out");
        }
        // The training's own attack would have said something else.
        let own = find(last, job.data.test, &Pgd { restarts: 1, ..job.attack.clone() });
        assert!(own[2] < trained.last.robust_loss - 1e-4, "{name}: {own:?} and {:?}", trained.last);
    }
}

#[test]
fn the_attack_of_tests_is_that_of_the_threat_model() {
    let of = |name: &str| preset(name).unwrap().train;
    let paper = Pgd { epsilon: 0.0314, steps: 7, step_size: 0.007, ..Pgd::default() };
    // Whatever the method's objective, steps and step size, tau, or epsilon.
    for name in [
        "normal_training",
        "at_linf_gd_normalized_lr0007_mom0_i7_e00314_f100",
        "at_linf_gd_normalized_lr0015_mom0_i3_e00392_f100",
        "at_tau1_linf_gd_normalized_lr0007_mom0_i7_e00314_f100",
        "trades6_linf_gd_normalized_lr0007_mom05_i20_e00353_f100_es",
        "mart6_linf_gd_normalized_lr0007_mom0_i7_e00157_f100",
        "simple_awit_nonb_l2_gd_lwrl2normalized_lr001_mom0_i1_e0005_linf_gd_normalized_lr0007_mom0_i7_e00314_pop1",
    ] {
        let job = of(name);
        assert_eq!(job.test_attack(), paper, "{name}");
        let held_out = Pgd { restarts: 5, selection: Selection::WrongClassConfidence, ..paper.clone() };
        assert_eq!(job.held_out_attack(), held_out, "{name}");
    }
    // A training's own norm and radius are the threat model, unless it is told.
    let with = |settings: &[&str]| {
        settings.iter().fold(tiny(), |job, setting| job.with(setting).unwrap()).test_attack()
    };
    assert_eq!(with(&["attack.epsilon=4/255"]), Pgd { epsilon: 4.0 / 255.0, ..paper.clone() });
    assert_eq!(with(&["attack.epsilon=12/255", "evaluation.epsilon=0.0314"]), paper);
    let l2 = with(&["attack.norm=l2", "attack.epsilon=0.5"]);
    assert_eq!((l2.norm, l2.epsilon, l2.step_size), (InputNorm::L2, 0.5, 2.5 * 0.5 / 7.0));
    let transferred = with(&["evaluation.norm=l2"]);
    assert_eq!((transferred.norm, transferred.epsilon), (InputNorm::L2, 0.5), "no radius of another norm");
    // Of digits: seven steps cross the ball.
    let digits = with(&["attack.epsilon=0.3", "attack.step_size=0.01", "attack.steps=40"]);
    assert_eq!((digits.epsilon, digits.steps), (0.3, 7));
    assert!((digits.step_size - 0.45 / 7.0).abs() < 1e-12, "{}", digits.step_size);
    assert_eq!(with(&["evaluation.steps=20", "evaluation.step_size=0.002"]).step_size, 0.002);
    // Nothing is left open in the job of a folder.
    let resolved = resolved(&tiny()).unwrap();
    assert_eq!(resolved.test_attack(), tiny().test_attack());
    assert_eq!(resolved.evaluation.epsilon, Some(0.0314));
    assert_eq!(Train { attack: Pgd::default(), ..resolved }.test_attack().epsilon, 0.0314);
}

#[test]
fn other_objectives_and_impossible_settings_are_refused() {
    for (setting, words) in [
        ("evaluation.objective=kl", "there is no setting \"evaluation.objective\""),
        ("evaluation.tau=1", "there is no setting \"evaluation.tau\""),
    ] {
        let told = tiny().with(setting).unwrap_err();
        assert!(told.contains(words), "{told}");
    }
    for (setting, words) in [
        ("evaluation.restarts=0", "evaluation: 0 restarts are not possible"),
        ("evaluation.epsilon=-1", "evaluation: "),
        ("evaluation.held_out_restarts=0", "0 evaluation.held_out_restarts are not possible"),
    ] {
        let told = tiny().with(setting).unwrap().check().unwrap_err().to_string();
        assert!(told.starts_with(words), "{told}");
    }
}

#[test]
fn no_training_images_are_tested_where_none_are_asked_for() {
    let home = tempfile::tempdir().unwrap();
    let mut job = Train { epochs: 1, ..tiny() };
    job.evaluation.train_images = 0;
    let trained = train(&job, &home.path().join("none"), &mut Silent).unwrap();
    assert_eq!((trained.train, job.tested_training_images()), (None, None));
    assert_eq!(epochs(&home.path().join("none"))[0].robust_gap(), None);
    job.evaluation.train_images = 7;
    job.data.train = examples(Split::Train, 60, 20);
    assert_eq!(job.tested_training_images(), Some(examples(Split::Train, 60, 53)));
    let trained = train(&job, &home.path().join("seven"), &mut Silent).unwrap();
    assert_eq!(trained.train.unwrap().examples, 7);
}

/// What earlier versions wrote can be read, and is said to be tested by the training's own attack.
#[test]
fn folders_of_earlier_versions_open() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/field-reports/25-edited-job");
    let record = Record::load(&folder).unwrap();
    let (Job::Train(job), Outcome::Train(outcome)) = (&record.job, &record.outcome) else { panic!() };
    assert!(outcome.is_older(job) && outcome.epochs.iter().all(|epoch| epoch.robust_gap().is_none()));
    assert_eq!(outcome.test_attack(job), job.attack);
    let mut newer = TrainingOutcome::default();
    let measured = epochs_with(outcome, outcome.epochs[0].test);
    measured.into_iter().for_each(|line| newer.push(line));
    assert!(!newer.is_older(job));
    assert_eq!(newer.test_attack(job).steps, 7);
}

/// Epochs with measured training images.
fn epochs_with(outcome: &TrainingOutcome, scores: Scores) -> Vec<LogLine> {
    let measured = outcome.epochs.iter().cloned();
    measured
        .map(|mut epoch| {
            epoch.train_scores = Some(scores);
            LogLine::Epoch(epoch)
        })
        .collect()
}
