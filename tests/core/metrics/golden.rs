//! The worked example of ten images and three classes, and the properties every evaluation has.

use basin_core::measure::metrics::{
    AdversarialEvaluation, Attempts, CleanEvaluation, Convention, Reduction, Scored, Statistics,
    WeightEvaluation, scored,
};

const LABELS: [i64; 10] = [0, 1, 2, 1, 1, 2, 0, 0, 2, 0];
const CLEAN: &str =
    ".7 .2 .1 .3 .6 .1 .2 .2 .6 .5 .3 .2 .1 .8 .1 .1 .3 .6 .45 .35 .2 .25 .5 .25 .05 .05 .9 .34 .33 .33";
const FIRST: &str =
    ".4 .5 .1 .2 .7 .1 .5 .2 .3 .8 .1 .1 .6 .3 .1 .2 .2 .6 .3 .4 .3 .2 .6 .2 .1 .3 .6 .2 .5 .3";
const SECOND: &str = ".6 .3 .1 .5 .4 .1 .1 .2 .7 .6 .2 .2 .3 .4 .3 .2 .5 .3 .5 .3 .2 .6 .3 .1 0 0 1 .1 .1 .8";

fn rows(text: &str) -> Vec<Scored> {
    let values: Vec<f32> = text.split(' ').map(|v| v.parse().unwrap()).collect();
    scored(&values, 3, &LABELS[..values.len() / 3]).unwrap()
}

fn close(ours: impl Into<Option<f64>>, theirs: f64) {
    let ours = ours.into().unwrap();
    assert!((ours - theirs).abs() < 1e-6, "{ours} instead of {theirs}");
}

fn clean(validation: f64) -> CleanEvaluation {
    CleanEvaluation::new(rows(CLEAN), validation, Convention::default()).unwrap()
}

fn attacked(counting: Attempts) -> AdversarialEvaluation {
    let attempts = [rows(FIRST), rows(SECOND)];
    AdversarialEvaluation::new(rows(CLEAN), &attempts, counting, 0.0, Convention::default()).unwrap()
}

#[test]
fn clean_numbers() {
    let all = clean(0.0);
    close(all.error(), 0.2);
    close(all.loss(), 0.668524);
    close(all.roc().area, 0.75);
    close(all.error_at_confidence(0.5), 0.25);
    close(all.error_at_confidence(0.6), 0.0);
    close(all.tpr_at_confidence(0.5), 0.75);
    close(all.tpr_at_confidence(0.9), 0.125);
    close(all.fpr_at_confidence(0.5), 1.0);
    close(all.fpr_at_confidence(0.6), 0.0);
    let split = clean(0.3);
    close(split.error(), 1.0 / 7.0);
    close(split.loss(), 0.587825);
    for (tpr, threshold) in [(0.5, 0.9), (0.9, 0.34), (1.0, 0.34)] {
        close(split.confidence_at_tpr(tpr).map(f64::from).map(|c| (c * 1e6).round() / 1e6), threshold);
    }
    assert_eq!(split.confidence_at_tpr(0.0), None);
    let usual = clean(0.1);
    close(usual.loss(), 0.622937);
    close(usual.error(), 2.0 / 9.0);
}

#[test]
fn averaged_attempts() {
    let found = attacked(Attempts::Average);
    assert_eq!(found.rows(), 20);
    close(found.robust_error(), 0.6);
    close(found.robust_loss(), 1.022402);
    close(found.robust_correct_loss(), 0.900985);
    close(found.success_rate(), 0.5);
    close(found.roc().area, 0.625);
    for (threshold, error) in [(0.5, 0.611111), (0.6, 0.153846), (0.7, 0.142857)] {
        close(found.robust_error_at_confidence(threshold), error);
    }
    close(found.fpr_at_confidence(0.0), 0.55);
    close(found.fpr_at_confidence(0.5), 0.5);
}

#[test]
fn worst_attempts_by_error_and_by_wrong_class_confidence() {
    let log_probabilities: Vec<Vec<f64>> =
        [FIRST, SECOND].map(|text| rows(text).iter().map(|row| -row.loss()).collect()).to_vec();
    for counting in [Attempts::WorstByError(&log_probabilities), Attempts::WorstByWrongConfidence] {
        let found = attacked(counting);
        assert_eq!(found.rows(), 10);
        close(found.robust_error(), 0.9);
        close(found.robust_loss(), 1.337391);
        close(found.robust_correct_loss(), 1.182735);
        close(found.success_rate(), 0.875);
        close(found.roc().area, 0.614286);
        for (threshold, error) in [(0.5, 0.888889), (0.6, 0.285714), (0.7, 0.25)] {
            close(found.robust_error_at_confidence(threshold), error);
        }
    }
    // Equal errors: the first attempt.
    let equal = vec![vec![0.0; 10]; 2];
    let first = AdversarialEvaluation::new(
        rows(CLEAN),
        &[rows(FIRST)],
        Attempts::Average,
        0.0,
        Convention::default(),
    );
    assert_eq!(attacked(Attempts::WorstByError(&equal)), first.unwrap());
}

#[test]
fn fewer_attacked_than_clean_examples() {
    let attempts = [rows(FIRST)[..7].to_vec(), rows(SECOND)[..7].to_vec()];
    let found =
        AdversarialEvaluation::new(rows(CLEAN), &attempts, Attempts::Average, 0.3, Convention::default())
            .unwrap();
    assert_eq!(found.rows(), 14);
    close(found.clean().error(), 1.0 / 7.0);
    close(found.robust_error(), 4.0 / 7.0);
    for (tpr, include_wrong, threshold) in
        [(0.9, false, 0.34), (0.5, false, 0.9), (0.9, true, 0.34), (0.5, true, 0.5)]
    {
        assert_eq!(found.confidence_at_tpr(tpr, include_wrong), Some(threshold));
    }
}

#[test]
fn perturbed_weights() {
    let evaluation = |text| WeightEvaluation::new(rows(CLEAN), rows(text), Convention::default()).unwrap();
    let (first, second) = (evaluation(FIRST), evaluation(SECOND));
    close(first.robust_error(), 0.7);
    close(second.robust_error(), 0.5);
    close(first.robust_loss(), 1.142800);
    close(second.robust_loss(), 0.902005);
    close(first.robust_correct_loss(), 0.939496);
    close(second.robust_correct_loss(), 0.862473);
    close(first.confidence(), 0.599);
    close(first.robust_confidence(), 0.58);
    close(second.robust_confidence(), 0.62);

    let six = WeightEvaluation::new(rows(CLEAN), rows(FIRST)[..6].to_vec(), Convention::default()).unwrap();
    close(six.loss(), 0.668524);
    close(six.reference_loss(), 0.552711);
    close(six.robust_loss(), 1.082387);
    close(six.robust_error(), 2.0 / 3.0);

    let both = Statistics(vec![Some(first), None, Some(second)]);
    let (loss, count) = both.of(WeightEvaluation::robust_loss, Reduction::Mean).unwrap();
    close(loss, 1.022402);
    assert_eq!(count, 2);
    close(both.of(WeightEvaluation::robust_loss, Reduction::Largest).unwrap().0, 1.142800);
    close(both.of(WeightEvaluation::robust_loss, Reduction::Deviation(1)).unwrap().0, 0.170267);
}

#[test]
fn a_probability_of_zero() {
    let zero = CLEAN.replacen(".7 .2 .1", "0 1 0", 1);
    let infinite = CleanEvaluation::new(rows(&zero), 0.0, Convention::Paper).unwrap();
    assert_eq!(infinite.loss(), Some(f64::INFINITY));
    let ours = CleanEvaluation::new(rows(&zero), 0.0, Convention::Consistent).unwrap();
    close(ours.loss(), 3.395959);
    let perturbed = WeightEvaluation::new(rows(CLEAN), rows(&zero), Convention::Paper).unwrap();
    close(perturbed.robust_loss(), 3.395959);
}

#[test]
fn the_two_conventions_split_128_examples_differently() {
    let many: Vec<Scored> = rows(CLEAN).into_iter().cycle().take(128).collect();
    let test = |convention| {
        let attempts = [many[..100].to_vec()];
        AdversarialEvaluation::new(many.clone(), &attempts, Attempts::Average, 0.1, convention)
            .unwrap()
            .clean()
            .test()
            .len()
    };
    assert_eq!((test(Convention::Consistent), test(Convention::Paper)), (116, 115));
    for convention in [Convention::Consistent, Convention::Paper] {
        assert_eq!(CleanEvaluation::new(many.clone(), 0.1, convention).unwrap().test().len(), 116);
    }
}

/// An example of ten classes whose prediction has this confidence.
fn example(wrong: bool, confidence: f32) -> Scored {
    let rest = (1.0 - confidence) / 9.0;
    let (truth, other) = if wrong { (rest, confidence) } else { (confidence, rest) };
    Scored { wrong, confidence, wrong_confidence: other, true_probability: truth }
}

#[test]
fn thresholds_round_true_positive_rates_up() {
    let half: Vec<Scored> =
        (5..10).flat_map(|c| [example(false, c as f32 / 10.0), example(true, 1.0)]).collect();
    let both = [half.clone(), half].concat();
    let found = CleanEvaluation::new(both, 0.5, Convention::default()).unwrap();
    for (tpr, threshold) in [(0.2, 0.9), (0.4, 0.8), (0.6, 0.7), (0.8, 0.6), (1.0, 0.5)] {
        assert_eq!(found.confidence_at_tpr(tpr), Some(threshold));
    }
    for (asked, got) in [(0.81, 1.0), (0.8, 0.8), (0.61, 0.8), (0.41, 0.6), (0.01, 0.2)] {
        close(found.tpr_at_confidence(found.confidence_at_tpr(asked).unwrap()), got);
    }
    for threshold in [0.0, 0.5, 1.0] {
        assert_eq!(found.fpr_at_confidence(threshold), Some(1.0));
    }
}

#[test]
fn errors_at_thresholds_count_attacks_that_are_confident_enough() {
    let attacked: Vec<Scored> = (0..10).map(|i| example(true, 0.4 + 0.05 * i as f32)).collect();
    let evaluation = |confidence: f32| {
        let clean = vec![example(false, confidence); 10];
        AdversarialEvaluation::new(
            clean,
            std::slice::from_ref(&attacked),
            Attempts::Average,
            0.0,
            Convention::default(),
        )
        .unwrap()
    };
    let (sure, unsure) = (evaluation(1.0), evaluation(0.7));
    for (threshold, error) in [(0.0, 1.0), (0.4, 1.0), (0.42, 0.9), (0.62, 0.5), (0.82, 0.1), (0.9, 0.0)] {
        close(sure.robust_error_at_confidence(threshold), error);
    }
    for (threshold, error) in [(0.4, 1.0), (0.62, 0.5), (0.72, 1.0), (0.82, 1.0), (0.9, 0.0)] {
        close(unsure.robust_error_at_confidence(threshold), error);
    }
    // Nothing is wrong without an attack, so nothing is a negative of the clean curve.
    assert_eq!(sure.clean().roc().area, 1.0);
    assert_eq!(sure.clean().fpr_at_confidence(0.0), None);
}

#[test]
fn nothing_correct_has_no_success_rate() {
    let clean = vec![example(true, 0.9); 4];
    let found =
        AdversarialEvaluation::new(clean.clone(), &[clean], Attempts::Average, 0.0, Convention::default())
            .unwrap();
    assert_eq!(found.robust_error(), Some(1.0));
    assert_eq!(found.success_rate(), None);
    assert_eq!(found.robust_correct_loss(), None);
    assert_eq!(found.roc().area, 1.0);
}

#[test]
fn bad_arrays_are_refused_in_words() {
    let refused = |values: &[f32], classes, labels: &[i64], part: &str| {
        let message = scored(values, classes, labels).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    };
    refused(&[0.5, 0.5], 2, &[0, 1], "2 probabilities are not 2 examples of 2 classes");
    refused(&[0.5, 0.5], 2, &[2], "label 2 of row 0");
    refused(&[0.5, 0.5], 2, &[-1], "label -1 of row 0");
    refused(&[0.5, 0.4], 2, &[0], "row 0 of the probabilities");
    refused(&[f32::NAN, 1.0], 2, &[0], "row 0 of the probabilities");
    refused(&[1.5, -0.5], 2, &[0], "row 0 of the probabilities");
    // The labels need not contain the last class.
    assert_eq!(scored(&[0.5, 0.3, 0.2], 3, &[0]).unwrap().len(), 1);

    assert!(CleanEvaluation::new(rows(CLEAN), 1.0, Convention::default()).is_err());
    assert!(CleanEvaluation::new(rows(CLEAN), f64::NAN, Convention::default()).is_err());
    let all = [rows(FIRST)];
    assert!(
        AdversarialEvaluation::new(rows(CLEAN), &all, Attempts::Average, 0.3, Convention::default()).is_err(),
        "validation examples must not be attacked ones"
    );
    let uneven = [rows(FIRST), rows(SECOND)[..5].to_vec()];
    assert!(
        AdversarialEvaluation::new(rows(CLEAN), &uneven, Attempts::Average, 0.0, Convention::default())
            .is_err()
    );
}
