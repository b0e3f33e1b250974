//! What checkpoints are called, and that two are never called alike.

use std::path::Path;

use basin_core::job::{Job, Train};
use basin_core::record::names::{of_file, of_files, of_records};
use basin_core::record::{Outcome, TrainingOutcome};

use super::records::evaluation;

fn names(paths: &[&str]) -> Vec<String> {
    of_files(&paths.iter().map(Path::new).collect::<Vec<_>>())
}

#[test]
fn a_checkpoint_is_called_by_its_file_or_by_its_folder() {
    for (path, name) in [
        ("runs/at.pth.tar", "at"),
        ("runs/trades-beta-0.5.pth", "trades-beta-0.5"),
        ("x/resnet-18.safetensors", "resnet-18"),
        ("x/model2.pt", "model2"),
        ("bundled", "bundled"),
        // The file says nothing of the network.
        ("runs/at_ln05/classifier.pth.tar", "at_ln05"),
        ("study/at/final.safetensors", "at"),
        ("/a/at/model_last.pt", "at"),
        // It says which state of the network.
        ("study/at/best.safetensors", "at best"),
        ("study/at/model_best.pth.tar", "at best"),
        ("study/at/average-calibrated.safetensors", "at average calibrated"),
        ("study/at/epoch_10.pt", "at epoch 10"),
        ("study/at/checkpoints/epoch_010.pt", "at epoch 10"),
        ("study/at/classifier.pth.tar.30", "at 30"),
        // Basin's own snapshots count from 0.
        ("study/at/snapshots/epoch-0009.safetensors", "at epoch 10"),
        ("study/at/snapshots/epoch-0009-average.safetensors", "at epoch 10 average"),
        // There is no folder.
        ("classifier.pth.tar", "classifier"),
        ("./final.safetensors", "final"),
        ("../final.safetensors", "final"),
        ("models/at/final.pt", "at"),
        ("models/final.pt", "models"),
    ] {
        assert_eq!(of_file(Path::new(path)), name, "{path}");
    }
}

#[test]
fn no_two_are_called_alike() {
    let at = "study/at/final.safetensors";
    assert_eq!(names(&[at, "study/trades/final.safetensors"]), ["at", "trades"]);
    let states = [at, "study/at/best.safetensors", "study/at/snapshots/epoch-0009.safetensors"];
    assert_eq!(names(&states), ["at", "at best", "at epoch 10"]);
    assert_eq!(names(&["one/at.pt", "two/at.pt", "two/awp.pt"]), ["one/at", "two/at", "awp"]);
    assert_eq!(names(&["one/x/at.pt", "two/x/at.pt"]), ["one/x/at", "two/x/at"]);
    assert_eq!(
        names(&["1/at/snapshots/epoch-0000.pt", "2/at/snapshots/epoch-0000.pt"]),
        ["1/at epoch 1", "2/at epoch 1"]
    );
    assert_eq!(names(&["study/at", at]), ["at", "at final"], "a training and its network");
    assert_eq!(names(&["at/final.pt", "at/model.pt"]), ["at final", "at model"]);
    assert_eq!(names(&["x/at.pt", "x/at.pth"]), ["x/at.pt", "x/at.pth"]);
    assert_eq!(names(&[at, at]), ["at", "at (2)"]);
    assert_eq!(names(&[]), Vec::<String>::new());
}

#[test]
fn records_are_called_by_the_content_of_their_checkpoint() {
    let record = |path: &str, hash: &str| {
        let mut record = evaluation("x", "test:0..1", &[1.0]);
        record.provenance.checkpoint_hash = hash.into();
        if let Job::Evaluate(job) = &mut record.job {
            job.checkpoint = path.into();
        }
        record
    };
    let of = |records: &[_]| of_records(&records.iter().collect::<Vec<_>>());
    let (at, moved) = ("study/at/final.pt", "elsewhere/adversarial.pt");
    assert_eq!(of(&[record(at, "1"), record(moved, "1"), record(at, "1")]), ["at", "at", "at"]);
    assert_eq!(of(&[record(at, "1"), record(at, "2")]), ["at", "at (2)"], "trained again in its place");
    assert_eq!(of(&[record(at, ""), record(at, ""), record(moved, "")]), ["at", "at", "adversarial"]);
    // A training is not one of the networks that it left, and may have the name of the last.
    let mut training = record("", "");
    training.job = Job::Train(Box::new(Train { name: "at".into(), ..Train::default() }));
    training.outcome =
        Outcome::Train(TrainingOutcome { folder: "study/at".into(), ..TrainingOutcome::default() });
    assert_eq!(of(&[record(at, "1"), training, record("study/at/best.pt", "2")]), ["at", "at", "at best"]);
}
