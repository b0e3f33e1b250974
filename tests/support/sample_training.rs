//! The folder of a made-up training that overfits: robust test loss is lowest two thirds of the way.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use basin_core::job::{Examples, Job, Split, Train};
use basin_core::record::Trained;
use basin_core::record::training::{EVALUATION, JOB, LOG, SNAPSHOTS};
use basin_core::train::{Epoch, LogLine, Scores, Steps};

/// Steps of an epoch, in four groups.
pub const STEPS: u64 = 40;

/// A training of 15 epochs.
pub fn job() -> Train {
    let mut job = Train { name: "at_pgd7".into(), epochs: 15, batch_size: 50, ..Train::default() };
    job.data.train = Examples { split: Split::Train, start: 0, end: 2000 };
    job
}

/// Loss and error after an epoch.
pub fn scores(job: &Train, epoch: u64) -> Scores {
    let t = epoch as f64 / job.epochs as f64;
    let better = 1.25 * (-3.0 * t).exp();
    let overfit = 1.6 * (t - 0.62).max(0.0).powf(1.3) + 0.01 * job.seed as f64;
    Scores {
        examples: 500,
        loss: 0.95 + better + 0.4 * overfit,
        error: 0.32 + 0.4 * better / 1.25,
        confidence: 0.4,
        robust_loss: 1.42 + 0.8 * better + overfit,
        robust_error: 0.52 + 0.28 * better + 0.12 * overfit,
    }
}

/// On held-out images the error is lowest after epoch 6, long before the loss on the test images.
pub const STOPPED: u64 = 5;

fn held_out(job: &Train, epoch: u64) -> Scores {
    Scores { robust_error: 0.5 + 0.01 * epoch.abs_diff(STOPPED) as f64, ..scores(job, epoch) }
}

fn training(job: &Train, t: f64) -> BTreeMap<String, f64> {
    let t = t / job.epochs as f64;
    let loss = 0.55 + 1.75 * (-1.9 * t).exp();
    BTreeMap::from(
        [("loss", loss), ("robust_loss", loss), ("robust_error", 0.3 * loss + 0.1)]
            .map(|(k, v)| (k.into(), v)),
    )
}

/// Training images measured like the test images: learned by heart.
pub fn train_scores(job: &Train, epoch: u64) -> Scores {
    let values = training(job, epoch as f64 + 0.5);
    let (robust_loss, robust_error) = (values["robust_loss"], values["robust_error"]);
    Scores {
        loss: 0.9 * robust_loss,
        error: 0.5 * robust_error,
        robust_loss,
        robust_error,
        ..scores(job, epoch)
    }
}

/// The lines of an epoch: four groups of steps, and its end.
pub fn lines(job: &Train, epoch: u64) -> Vec<LogLine> {
    let rate = if epoch * 3 < 2 * job.epochs as u64 { 0.05 } else { 0.005 };
    let group = |number: u64| {
        let values = training(job, epoch as f64 + number as f64 / 4.0);
        let step = STEPS * epoch + number * STEPS / 4;
        let count = STEPS / 4;
        LogLine::Steps(Steps {
            epoch,
            step,
            count,
            learning_rate: rate,
            momentum: None,
            population: None,
            values,
        })
    };
    let end = Epoch {
        epoch,
        step: STEPS * (epoch + 1),
        learning_rate: None,
        train: training(job, epoch as f64 + 0.5),
        test: scores(job, epoch),
        train_scores: Some(train_scores(job, epoch)),
        average: None,
        held_out: (job.early_stopping && epoch.is_multiple_of(5)).then(|| held_out(job, epoch)),
        tensors: Vec::new(),
        seconds: 21.0 * (epoch + 1) as f64,
    };
    (1..=4).map(group).chain([LogLine::Epoch(end)]).collect()
}

/// Begins the folder.
pub fn begin(folder: &Path, job: &Train) {
    std::fs::create_dir_all(folder.join(SNAPSHOTS)).unwrap();
    std::fs::write(folder.join(JOB), Job::Train(Box::new(job.clone())).to_json()).unwrap();
    write(folder, "");
}

/// Appends text to the log.
pub fn write(folder: &Path, text: &str) {
    let mut log = std::fs::OpenOptions::new().create(true).append(true).open(folder.join(LOG)).unwrap();
    log.write_all(text.as_bytes()).unwrap();
}

/// Appends lines to the log.
pub fn log(folder: &Path, lines: &[LogLine]) {
    for line in lines {
        write(folder, &(serde_json::to_string(line).unwrap() + "\n"));
    }
}

/// Appends an epoch; every fifth leaves a snapshot.
pub fn epoch(folder: &Path, job: &Train, epoch: u64) {
    log(folder, &lines(job, epoch));
    if epoch.is_multiple_of(5) {
        snapshot(folder, epoch);
    }
}

pub fn snapshot(folder: &Path, epoch: u64) {
    std::fs::write(folder.join(SNAPSHOTS).join(format!("epoch-{epoch:04}.safetensors")), "weights").unwrap();
}

/// Ends the training.
pub fn finish(folder: &Path, job: &Train) {
    let last = scores(job, job.epochs as u64 - 1);
    let best = job.early_stopping.then(|| (STOPPED, scores(job, STOPPED)));
    let trained = Trained {
        attack: Some(job.test_attack()),
        last,
        train: Some(train_scores(job, job.epochs as u64 - 1)),
        average: None,
        calibrated: None,
        best,
        seconds: 21.0 * job.epochs as f64,
    };
    std::fs::write(folder.join("final.safetensors"), "weights").unwrap();
    std::fs::write(folder.join(EVALUATION), serde_json::to_string(&trained).unwrap()).unwrap();
}

/// The folder of a whole training.
pub fn whole(folder: &Path, job: &Train) {
    begin(folder, job);
    (0..job.epochs as u64).for_each(|number| epoch(folder, job, number));
    finish(folder, job);
}
