//! Made-up records of a few models.

use basin_core::job::{Case, Compute, DataSelection, Evaluate, Flatness, FlatnessLoss, Job, Pgd};
use basin_core::record::{
    AtRadius, Draw, Evaluated, Evaluation, FORMAT, FlatnessOutcome, Outcome, PerExample, Provenance, Record,
};

fn record(model: &str, job: Job, outcome: Outcome) -> Record {
    let provenance = Provenance {
        checkpoint_hash: format!("hash of {model}"),
        data: "bundled".into(),
        model: "ResNet-18".into(),
        complete: true,
        ..Provenance::default()
    };
    Record { format: FORMAT, job, provenance, outcome, examples: None }
}

fn data(examples: &str) -> DataSelection {
    DataSelection { examples: examples.parse().unwrap(), ..DataSelection::default() }
}

/// Flatness of the robust loss at several radii.
pub fn flatness(model: &str, case: Case, radii: &[(f64, f64)]) -> Record {
    let mut job = Flatness::new(format!("{model}.pt").into(), FlatnessLoss::Robust, case);
    job.radii = radii.iter().map(|(radius, _)| *radius).collect();
    job.data = data("test:0..4");
    job.attack.restarts = 10;
    let at = |(radius, flatness): &(f64, f64)| AtRadius {
        radius: *radius,
        loss: 2.0 + flatness,
        flatness: *flatness,
        standard_error: None,
        interval: Some([flatness - 0.1, flatness + 0.2]),
        spread: None,
        levels: None,
        mean: 2.0 + flatness,
        worst: 2.0 + flatness,
        draws: vec![Draw { seed: 0, loss: 2.0 + flatness, error: 0.5 }],
    };
    let outcome = FlatnessOutcome {
        reference_loss: 2.0,
        reference_error: 0.5,
        radii: radii.iter().map(at).collect(),
        layers: Vec::new(),
        resamples: 0,
        networks: Vec::new(),
        losses: None,
    };
    record(model, Job::Flatness(job), Outcome::Flatness(outcome))
}

/// On training images, so that it says nothing of the robust loss on test images.
pub fn on_training_images(mut flatness: Record) -> Record {
    if let Job::Flatness(job) = &mut flatness.job {
        job.data = data("train:0..4");
    }
    flatness
}

/// An evaluation under attack whose robust losses are these.
pub fn evaluation(model: &str, examples: &str, losses: &[f32]) -> Record {
    let n = losses.len();
    let rows = |loss: &[f32]| PerExample {
        index: (0..n).collect(),
        label: vec![0; n],
        loss: loss.to_vec(),
        predicted: (0..n as i64).map(|i| i % 2).collect(),
        confidence: vec![0.5; n],
        ..PerExample::default()
    };
    let evaluated = |loss: &[f32]| Evaluated {
        loss: loss.iter().map(|l| f64::from(*l)).sum::<f64>() / n as f64,
        error: 0.5,
        metrics: None,
        per_example: rows(loss),
    };
    let job = Evaluate {
        checkpoint: format!("{model}.pt").into(),
        data: data(examples),
        // As the reference of flatness records.
        attack: Some(Pgd { restarts: 10, ..Pgd::default() }),
        compute: Compute::default(),
        ..Evaluate::default()
    };
    let evaluation = Evaluation {
        clean: evaluated(&vec![0.5; n]),
        robust: Some(evaluated(losses)),
        ..Evaluation::default()
    };
    record(model, Job::Evaluate(job), Outcome::Evaluate(evaluation))
}

/// Three models with everything, records of one model apart from each other.
pub fn three() -> Vec<Record> {
    vec![
        flatness("a", Case::Average, &[(0.25, 0.1), (0.5, 0.2)]),
        flatness("b", Case::Average, &[(0.5, 0.4)]),
        evaluation("c", "test:0..4", &[3.0, 3.0, 3.5, 3.5]),
        evaluation("a", "test:0..4", &[1.0, 1.0, 1.5, 1.5]),
        evaluation("a", "train:0..4", &[1.0, 1.0, 1.0, 1.0]),
        evaluation("b", "test:0..4", &[2.0, 2.0, 2.5, 2.5]),
        evaluation("b", "train:0..4", &[1.0, 1.0, 1.0, 1.0]),
        flatness("c", Case::Average, &[(0.5, 0.6)]),
        evaluation("c", "train:0..4", &[0.5, 0.5, 0.5, 0.5]),
    ]
}
