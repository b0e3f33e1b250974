//! Several restarts and attacks on the same examples: the worst, the average, what is kept of each, and transfer.

use std::path::{Path, PathBuf};

use basin_core::checkpoint::bundled_path;
use basin_core::job::{DataSelection, Evaluate, Job, Pgd, Selection, Start};
use basin_core::measure::evaluation::{Attacked, robust_error_rate, worst_of};
use basin_core::measure::metrics::{
    AdversarialEvaluation, Attempts, CleanEvaluation, Convention, Scored, scored,
};
use basin_core::progress::Silent;
use basin_core::record::{Evaluation, KeptExamples, Outcome, PerExample, Probabilities, Record};
use basin_core::run::{RunOptions, run};
use tch::{Kind, Tensor};

use crate::support::reference as reference_path;

const EXAMPLES: usize = 40;

/// PGD that is weak enough for restarts to differ.
fn weak(restarts: usize) -> Pgd {
    Pgd { steps: 2, epsilon: 3.0 / 255.0, restarts, ..Pgd::default() }
}

fn job(attack: Option<Pgd>) -> Evaluate {
    Evaluate {
        checkpoint: bundled_path().unwrap(),
        data: DataSelection {
            name: "bundled".into(),
            examples: format!("test:0..{EXAMPLES}").parse().unwrap(),
        },
        attack,
        ..Evaluate::default()
    }
}

fn done(job: &Evaluate, out: Option<&Path>) -> Evaluation {
    let options = RunOptions { out: out.map(Path::to_owned), ..RunOptions::default() };
    match run(&Job::Evaluate(job.clone()), &options, &mut Silent).unwrap().outcome {
        Outcome::Evaluate(evaluation) => evaluation,
        _ => panic!("an evaluation gives an evaluation"),
    }
}

fn refused(job: &Evaluate) -> String {
    run(&Job::Evaluate(job.clone()), &RunOptions::default(), &mut Silent).unwrap_err().to_string()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn what_any_attempt_misclassifies_is_broken_whatever_its_loss() {
    let attempts: [(&[f32], &[bool]); 3] = [
        (&[0.9, 0.2, 1.0, 0.5], &[false, false, true, false]),
        (&[0.8, 0.3, 1.0, 0.5], &[true, false, false, false]),
        (&[0.7, 0.1, 0.9, 0.6], &[false, true, false, false]),
    ];
    // The highest loss, the first of equals; broken by any.
    assert_eq!(worst_of(&attempts), [(0, true), (1, true), (0, true), (2, false)]);
    assert_eq!(worst_of(&[]), []);
}

/// One attempt on two examples of class 0 out of three.
fn attempt(probabilities: [[f32; 3]; 2]) -> Attacked {
    let logits = Tensor::from_slice(&probabilities.concat()).view([2, 3]).log();
    let predicted: Vec<i64> = Vec::try_from(logits.argmax(1, false)).unwrap();
    let confidence = probabilities.map(|row| row.into_iter().fold(0.0, f32::max));
    let broken: Vec<bool> = predicted.iter().map(|class| *class != 0).collect();
    let loss: Vec<f32> = probabilities.iter().map(|row| -row[0].ln()).collect();
    Attacked {
        badness: loss.clone(),
        per_example: PerExample {
            index: vec![0, 1],
            label: vec![0, 0],
            loss,
            broken_confidence: (0..2).map(|i| if broken[i] { confidence[i] } else { 0.0 }).collect(),
            predicted,
            confidence: confidence.to_vec(),
            broken,
        },
        perturbation: Tensor::full(
            [2, 1, 1, 1],
            f64::from(probabilities[0][0]),
            (Kind::Float, tch::Device::Cpu),
        ),
        logits,
    }
}

#[test]
fn the_robust_error_counts_a_restart_of_lower_loss_that_breaks_an_example() {
    // The first restart has the higher loss of the first example, which it does not break; the second breaks it.
    let right = attempt([[0.4, 0.3, 0.3], [0.9, 0.1, 0.0]]);
    let wrong = attempt([[0.45, 0.55, 0.0], [0.8, 0.1, 0.1]]);
    let clean = PerExample {
        index: vec![0, 1],
        label: vec![0, 0],
        loss: vec![0.1; 2],
        predicted: vec![0, 0],
        confidence: vec![0.9; 2],
        ..PerExample::default()
    };
    for (first, second) in [(right, wrong), {
        (attempt([[0.45, 0.55, 0.0], [0.8, 0.1, 0.1]]), attempt([[0.4, 0.3, 0.3], [0.9, 0.1, 0.0]]))
    }] {
        let worst = second.or_worse(Some(first));
        let rows = &worst.per_example;
        assert_eq!(robust_error_rate(&clean, rows), 0.5, "one of two is broken");
        assert_eq!((rows.loss[0], rows.loss[1]), (-0.4_f32.ln(), -0.8_f32.ln()), "the largest losses");
        assert_eq!((rows.predicted[0], rows.confidence[0]), (0, 0.4), "of the restart of largest loss");
        assert_eq!((&*rows.broken, &*rows.broken_confidence), (&[true, false][..], &[0.55, 0.0][..]));
        let truth: Vec<f32> = Vec::try_from(worst.logits.exp().select(1, 0)).unwrap();
        let perturbation: Vec<f32> = Vec::try_from(worst.perturbation.view([-1])).unwrap();
        assert!((truth[0] - 0.4).abs() < 1e-6 && (truth[1] - 0.8).abs() < 1e-6);
        assert!((perturbation[0] - 0.4).abs() < 1e-6 && (perturbation[1] - 0.45).abs() < 1e-6);
    }
}

/// The attempts of a record from its file of probabilities.
fn attempts(path: &Path, count: usize) -> (Vec<Scored>, Vec<Vec<Scored>>) {
    let kept = Probabilities::load(&Probabilities::path_beside(path)).unwrap();
    let size = EXAMPLES * kept.classes;
    assert_eq!((kept.classes, kept.clean.len(), kept.attempts.len()), (10, size, count * size));
    let rows = |values: &[f32]| scored(values, kept.classes, &kept.labels).unwrap();
    (rows(&kept.clean), kept.attempts.chunks(size).map(rows).collect())
}

#[test]
fn a_record_agrees_with_the_probabilities_of_all_its_attempts() {
    let folder = tempfile::tempdir().unwrap();
    for selection in [Selection::Loss, Selection::WrongClassConfidence] {
        let out = folder.path().join("x.json");
        let asked = Evaluate { keep_probabilities: true, ..job(Some(Pgd { selection, ..weak(4) })) };
        let found = done(&asked, Some(&out));
        assert_eq!(found.probabilities.as_deref(), Some("x.json.probabilities.safetensors"));
        let (clean, attempts) = attempts(&out, 4);
        let robust = found.robust.unwrap();
        let rows = &robust.per_example;
        for (example, clean) in clean.iter().enumerate() {
            let of = |attempt: &Vec<Scored>| attempt[example];
            assert_eq!(rows.broken[example], attempts.iter().any(|attempt| of(attempt).wrong));
            let deciding = |scored: Scored| match selection {
                Selection::Loss => -scored.true_probability,
                Selection::WrongClassConfidence => scored.wrong_confidence,
            };
            let worst = attempts.iter().map(of).max_by(|a, b| deciding(*a).total_cmp(&deciding(*b))).unwrap();
            assert!((f64::from(rows.loss[example]) - worst.loss()).abs() < 1e-5);
            assert_eq!(clean.wrong, found.clean.per_example.is_wrong(example));
        }
        let wrong = (0..EXAMPLES).filter(|i| clean[*i].wrong || rows.broken[*i]).count();
        assert_eq!(robust.error, wrong as f64 / EXAMPLES as f64);

        // Averaged over attempts, by the evaluation of the paper's program.
        let evaluation = AdversarialEvaluation::new(
            clean.clone(),
            &attempts,
            Attempts::Average,
            0.0,
            Convention::default(),
        )
        .unwrap();
        let average = found.average.unwrap();
        assert!((average.error.mean - evaluation.robust_error().unwrap()).abs() < 1e-12);
        assert!((average.loss.mean - evaluation.robust_loss().unwrap()).abs() < 1e-6);
        let losses: Vec<f64> = found.attempts.iter().map(|attempt| attempt.loss).collect();
        let squares: Vec<f64> = losses.iter().map(|loss| (loss - mean(&losses)).powi(2)).collect();
        assert!((average.loss.deviation - (squares.iter().sum::<f64>() / 3.0).sqrt()).abs() < 1e-12);
        assert_eq!(average.loss.highest, losses.iter().copied().fold(0.0, f64::max));
        assert_eq!(found.attempts.iter().map(|attempt| attempt.restart).collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert!(
            robust.error >= average.error.highest && robust.loss >= average.loss.highest
                || selection != Selection::Loss
        );
        let alone = CleanEvaluation::new(clean, 0.0, Convention::default()).unwrap();
        assert_eq!(alone.error(), Some(found.clean.error));
        std::fs::remove_file(&out).unwrap();
    }
}

#[test]
fn several_attacks_count_together_as_the_worst_per_example() {
    let one = weak(2);
    let other = Pgd { steps: 1, step_size: 3.0 / 255.0, start: Start::Zero, ..weak(1) };
    let pooled = done(&Evaluate { more_attacks: vec![other.clone()], ..job(Some(one.clone())) }, None);
    let [first, second] = [one, other].map(|attack| done(&job(Some(attack)), None));
    let [a, b] = [&first, &second].map(|found| found.robust.as_ref().unwrap());
    let robust = pooled.robust.as_ref().unwrap();
    for example in 0..EXAMPLES {
        let loss = a.per_example.loss[example].max(b.per_example.loss[example]);
        assert_eq!(robust.per_example.loss[example], loss);
        let broken = a.per_example.broken[example] || b.per_example.broken[example];
        assert_eq!(robust.per_example.broken[example], broken);
    }
    let alone: Vec<(f64, f64)> = pooled.per_attack.iter().map(|point| (point.loss, point.error)).collect();
    assert_eq!(alone, [(a.loss, a.error), (b.loss, b.error)]);
    assert!(robust.loss > a.loss && robust.loss > b.loss, "each is the stronger one somewhere");
    let of: Vec<(usize, usize)> = pooled.attempts.iter().map(|a| (a.attack, a.restart)).collect();
    assert_eq!(of, [(0, 0), (0, 1), (1, 0)]);

    let by_confidence = Pgd { selection: Selection::WrongClassConfidence, ..weak(1) };
    let mixed = refused(&Evaluate { more_attacks: vec![by_confidence], ..job(Some(weak(1))) });
    assert!(mixed.contains("cannot be pooled"), "{mixed}");
}

#[test]
fn stored_adversarial_examples_are_evaluated_again_and_transfer() {
    let folder = tempfile::tempdir().unwrap();
    let [out, again] = ["a.json", "b.json"].map(|name| folder.path().join(name));
    let asked = Evaluate { keep_attempts: true, keep_examples: true, ..job(Some(weak(3))) };
    let made = done(&asked, Some(&out));
    let file = KeptExamples::path_beside(&out);
    let kept = KeptExamples::load(&file).unwrap();
    assert_eq!((kept.count(), kept.attempts.len()), (3, 3 * EXAMPLES * 3072));

    // The same network says the same again, on all images or some of them.
    let stored = |path: &Path, examples: &str| Evaluate {
        adversarial: Some(path.to_owned()),
        data: DataSelection { name: "bundled".into(), examples: examples.parse().unwrap() },
        ..job(None)
    };
    let found = done(&Evaluate { keep_examples: true, ..stored(&out, "test:0..40") }, Some(&again));
    let (made, same) = (made.robust.unwrap(), found.robust.unwrap());
    assert_eq!((made.error, made.loss), (same.error, same.loss));
    assert_eq!(made.per_example, same.per_example);
    let source = found.source.unwrap();
    assert_eq!(source.attack, Some(weak(3).to_string()));
    assert_eq!((source.attempts, source.checkpoint), (3, Some(bundled_path().unwrap())));
    let part = done(&stored(&file, "test:10..30"), None);
    let robust = part.robust.unwrap();
    for (row, loss) in robust.per_example.loss.iter().enumerate() {
        assert!((loss - same.per_example.loss[10 + row]).abs() < 1e-4);
    }
    assert_eq!(part.source.unwrap().hash, source.hash);

    // Kept again, they are still those of the network that was attacked.
    let other = Evaluate { checkpoint: checkpoint("resnet_bn_silu"), ..stored(&again, "test:0..40") };
    let transferred = done(&other, None);
    let (clean, robust) = (&transferred.clean, transferred.robust.as_ref().unwrap());
    assert!(robust.error >= clean.error && robust.loss != same.loss);
    assert_eq!(transferred.source.unwrap().checkpoint, Some(bundled_path().unwrap()));

    // What does not fit is told.
    for (job, parts) in [
        (stored(&out, "test:20..60"), ["no adversarial example of image 40", "0 to 39"]),
        (stored(&out, "train:0..40"), ["made of other images", "image 0"]),
    ] {
        let told = refused(&job);
        assert!(parts.iter().all(|part| told.contains(part)), "{told}");
    }
    let without = folder.path().join("c.json");
    done(&job(Some(weak(1))), Some(&without));
    assert!(refused(&stored(&without, "test:0..40")).contains("--keep-examples"));
    assert!(
        refused(&Evaluate { attack: Some(weak(1)), ..stored(&out, "test:0..40") }).contains("take the place")
    );
}

fn checkpoint(name: &str) -> PathBuf {
    reference_path(&format!("checkpoints/{name}.pth.tar"))
}

#[test]
fn a_log_of_iterations_is_a_mean_over_all_batches() {
    let log = |batch| {
        let mut asked = Evaluate { log_steps: true, ..job(Some(Pgd { steps: 4, ..weak(2) })) };
        asked.compute.batch_size = Some(batch);
        done(&asked, None)
    };
    let (whole, parts) = (log(EXAMPLES), log(15));
    for (whole, parts) in whole.attempts.iter().zip(&parts.attempts) {
        let (whole, parts) = (whole.steps.as_ref().unwrap(), parts.steps.as_ref().unwrap());
        assert_eq!((whole.loss.len(), whole.error.len()), (5, 5), "the start and four updates");
        for (a, b) in whole.loss.iter().zip(&parts.loss).chain(whole.objective.iter().zip(&parts.loss)) {
            assert!((a - b).abs() < 1e-4, "{a} {b}: cross-entropy is what this attack maximizes");
        }
        assert_eq!(whole.error, parts.error);
        assert!(whole.loss[4] > whole.loss[0], "the loss rises");
    }
    // The best point per example is at least as bad as the last one.
    let last = whole.attempts[0].steps.as_ref().unwrap().loss[4];
    assert!(whole.attempts[0].loss >= last - 1e-5);
    let Ok(record) = Record::parse(&record_of(whole)) else { panic!("it opens again") };
    assert!(matches!(record.outcome, Outcome::Evaluate(e) if e.attempts.len() == 2));
}

fn record_of(evaluation: Evaluation) -> String {
    let record = Record {
        format: basin_core::record::FORMAT,
        job: Job::Evaluate(job(None)),
        provenance: basin_core::record::Provenance::default(),
        outcome: Outcome::Evaluate(evaluation),
        examples: None,
    };
    record.to_json()
}
