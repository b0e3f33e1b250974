//! Metrics and the selection of the worst restart, in the records of evaluations.

use basin_core::checkpoint::bundled_path;
use basin_core::job::{Compute, DataSelection, Evaluate, Job, Pgd, Selection};
use basin_core::progress::Silent;
use basin_core::record::{Evaluation, Outcome};
use basin_core::run::{RunOptions, run};

fn evaluate(selection: Selection) -> Evaluation {
    let job = Job::Evaluate(Evaluate {
        checkpoint: bundled_path().unwrap(),
        data: DataSelection { name: "bundled".into(), examples: "test:0..60".parse().unwrap() },
        attack: Some(Pgd { steps: 3, restarts: 4, selection, ..Pgd::default() }),
        compute: Compute::default(),
        ..Evaluate::default()
    });
    match run(&job, &RunOptions::default(), &mut Silent).unwrap().outcome {
        Outcome::Evaluate(evaluation) => evaluation,
        _ => panic!("an evaluation gives an evaluation"),
    }
}

#[test]
fn the_worst_restart_is_the_one_of_highest_loss_or_of_highest_wrong_confidence() {
    let by_loss = evaluate(Selection::Loss);
    let by_confidence = evaluate(Selection::WrongClassConfidence);
    assert_eq!(by_loss.clean, by_confidence.clean);
    let (loss, confidence) =
        (&by_loss.robust.unwrap().per_example, &by_confidence.robust.unwrap().per_example);
    assert_ne!(loss, confidence, "four restarts of 60 examples differ somewhere");
    for example in 0..loss.label.len() {
        assert!(loss.loss[example] >= confidence.loss[example], "the highest loss is the highest");
        let wrong = |rows: &basin_core::record::PerExample| {
            (rows.predicted[example] != rows.label[example]).then_some(rows.confidence[example])
        };
        // Where both are wrong, their confidence is the wrong class's.
        if let (Some(a), Some(b)) = (wrong(loss), wrong(confidence)) {
            assert!(b >= a, "example {example}: {b} is not the highest wrong confidence, {a} is there");
        }
    }
}

#[test]
fn metrics_say_what_the_rows_say() {
    let evaluation = evaluate(Selection::Loss);
    let robust = evaluation.robust.unwrap();
    let (clean_rows, rows) = (&evaluation.clean.per_example, &robust.per_example);
    let (clean, attacked) = (evaluation.clean.metrics.unwrap(), robust.metrics.unwrap());
    let examples = rows.label.len();
    let correct: Vec<usize> =
        (0..examples).filter(|i| clean_rows.predicted[*i] == clean_rows.label[*i]).collect();
    assert!(!correct.is_empty() && correct.len() < examples);

    let fooled = correct.iter().filter(|i| rows.predicted[**i] != rows.label[**i]).count();
    assert_eq!(attacked.success_rate, Some(fooled as f64 / correct.len() as f64));
    let share = 1.0 - correct.len() as f64 / examples as f64;
    assert!((robust.error - share - fooled as f64 / examples as f64).abs() < 1e-12);
    // The mean loss is made of the correct and the others.
    let mixed = (1.0 - share) * attacked.correct_loss.unwrap() + share * attacked.wrong_loss.unwrap();
    assert!((mixed - robust.loss).abs() < 1e-9, "{mixed} instead of {}", robust.loss);
    let mean = clean_rows.confidence.iter().map(|c| f64::from(*c)).sum::<f64>() / examples as f64;
    assert!((clean.confidence - mean).abs() < 1e-9);
    assert_eq!(clean.success_rate, None, "there is no attack on clean images");

    // The area is the share of pairs (right, wrong) that confidence orders rightly, ties half.
    let (mut ordered, mut pairs) = (0.0, 0.0);
    for right in &correct {
        for wrong in (0..examples).filter(|i| !correct.contains(i)) {
            let (a, b) = (clean_rows.confidence[*right], clean_rows.confidence[wrong]);
            ordered += if a > b {
                1.0
            } else if a == b {
                0.5
            } else {
                0.0
            };
            pairs += 1.0;
        }
    }
    assert!((clean.area_under_curve - ordered / pairs).abs() < 1e-9);

    // Thresholds come from the last tenth; the more is rejected, the higher they are.
    let threshold = clean.rejecting[0].confidence;
    let lowest =
        correct.iter().filter(|i| **i >= 54).map(|i| clean_rows.confidence[*i]).min_by(f32::total_cmp);
    assert_eq!(Some(threshold), lowest, "99 % of six correct predictions are all of them");
    for metrics in [&clean, &attacked] {
        let thresholds: Vec<f32> = metrics.rejecting.iter().map(|row| row.confidence).collect();
        assert_eq!(thresholds.len(), 3);
        assert!(thresholds.is_sorted());
    }
    assert_eq!(clean.rejecting[0].confidence, attacked.rejecting[0].confidence);
    let kept: Vec<usize> = (0..54).filter(|i| clean_rows.confidence[*i] >= threshold).collect();
    let wrong = kept.iter().filter(|i| !correct.contains(i)).count();
    assert_eq!(clean.rejecting[0].error, wrong as f64 / kept.len() as f64);
}
