//! The twelve bundled trainings: their names say what they are, and all are evaluated under the same attack.

use std::path::{Path, PathBuf};

use basin_core::attack::Pgd;
use basin_core::data::Augmentation;
use basin_core::job::{Job, Train};
use basin_core::record::{Outcome, Record};
use basin_core::run::{read_job, resolved};
use basin_core::train::preset::preset;

use super::evaluation::evaluated;

fn folders() -> Vec<(String, PathBuf)> {
    let study = Path::new(env!("CARGO_MANIFEST_DIR")).join("../resources/study");
    let entries = std::fs::read_dir(study).unwrap().map(|entry| entry.unwrap().path());
    let is_training = |path: &PathBuf| path.join("job.json").is_file();
    let mut found: Vec<PathBuf> = entries.filter(is_training).collect();
    found.sort();
    found.into_iter().map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), path)).collect()
}

#[test]
fn names_say_what_was_trained() {
    let folders = folders();
    assert_eq!(folders.len(), 12);
    for (folder, path) in folders {
        let Job::Train(job) = read_job(&path).unwrap() else { panic!("{folder} is no training") };
        // All is in the name, but for what makes it small, and AutoAugment, for which the paper's names have no word.
        let mut named = preset(&job.name).unwrap_or_else(|error| panic!("{folder}: {error}")).train;
        named.use_data("bundled");
        named.use_epochs(30);
        named.architecture.family.set_channels(8).unwrap();
        (named.data.held_out, named.snapshot_every) = (job.data.held_out, job.snapshot_every);
        named.device.clone_from(&job.device);
        if !job.method.attacks() {
            named.attack = job.attack.clone();
        }
        named.data.augmentation = match &*folder {
            "autoaugment" => Augmentation::AutoAugment,
            _ => Augmentation::None,
        };
        let whole = |job: &Train| serde_json::to_value(resolved(job).unwrap()).unwrap();
        assert_eq!(whole(&job), whole(&named), "{folder}");
    }
}

#[test]
fn all_are_evaluated_under_the_same_attack() {
    let paper = Pgd { epsilon: 0.0314, steps: 7, step_size: 0.007, ..Pgd::default() };
    for (folder, path) in folders() {
        let record = Record::load(&path).unwrap();
        let (Job::Train(job), Outcome::Train(outcome)) = (&record.job, &record.outcome) else { panic!() };
        let result = outcome.result.as_ref().expect("it is finished");
        assert_eq!(result.attack.as_ref(), Some(&paper), "{folder}");
        assert_eq!(job.test_attack(), paper, "{folder}");
        let train = result.train.unwrap_or_else(|| panic!("{folder} has no scores of training images"));
        assert_eq!((result.last.examples, train.examples), (500, 500), "{folder}");
        assert!(result.last.robust_loss > train.robust_loss, "{folder}: no robust overfitting");
    }
}

/// By the training's own attack on its divergence, this one looked like the best of all: robust loss 1.7041, error 69 %.
#[test]
fn basin_evaluate_finds_the_evaluation_of_trades() {
    let (_, path) = folders().into_iter().find(|(folder, _)| folder == "trades").unwrap();
    let record = Record::load(&path).unwrap();
    let (Job::Train(job), Outcome::Train(outcome)) = (&record.job, &record.outcome) else { panic!() };
    let last = outcome.result.as_ref().unwrap().last;
    let found = evaluated(&path.join("final.safetensors"), job.data.test, &job.test_attack(), job);
    // Other processors round differently.
    assert!(
        (found[2] - last.robust_loss).abs() < 1e-3 && (found[3] - last.robust_error).abs() < 0.005,
        "{found:?}"
    );
    assert!(found[2] > 2.2 && found[3] > 0.8, "{found:?}");
}
