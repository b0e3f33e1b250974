//! Every value of `tests/reference/evaluation/metrics.json`, computed by the paper's program.

use basin_core::measure::metrics::{
    AdversarialEvaluation, Attempts, CleanEvaluation, Convention, Curve, Reduction, Roc, Scored, Statistics,
    WeightEvaluation, scored,
};
use serde_json::Value;

use crate::support::{Npz, json, number};

struct Inputs {
    clean: Vec<Scored>,
    adversarial: Vec<Vec<Scored>>,
    errors: Vec<Vec<f64>>,
    weights: Vec<Vec<Scored>>,
}

fn inputs() -> Inputs {
    let file = Npz::open("evaluation/inputs.npz");
    let floats = |key: &str| Vec::<f32>::try_from(&file.get(key).flatten(0, -1)).unwrap();
    let labels = Vec::<i64>::try_from(&file.get("labels").to_kind(tch::Kind::Int64)).unwrap();
    let size = |key: &str, axis: usize| file.get(key).size()[axis] as usize;
    let classes = size("clean_probabilities", 1);
    // Attempts are on the first examples.
    let attempts = |key: &str| -> Vec<Vec<Scored>> {
        let count = size(key, 1);
        let of_one = |attempt: &[f32]| scored(attempt, classes, &labels[..count]).unwrap();
        floats(key).chunks(count * classes).map(of_one).collect()
    };
    Inputs {
        clean: scored(&floats("clean_probabilities"), classes, &labels).unwrap(),
        adversarial: attempts("adversarial_probabilities"),
        errors: Vec::<f64>::try_from(
            &file.get("adversarial_errors").to_kind(tch::Kind::Double).flatten(0, -1),
        )
        .unwrap()
        .chunks(size("adversarial_errors", 1))
        .map(<[f64]>::to_vec)
        .collect(),
        weights: attempts("weight_probabilities"),
    }
}

/// Errors and rates are ratios of counts and exact; losses, computed there in float32, agree to 1e-6.
fn agree(ours: Option<f64>, theirs: &Value, what: &str) {
    let (ours, theirs) = (ours.unwrap_or_else(|| panic!("{what}: none")), theirs.as_f64().unwrap());
    let tolerance = if what.contains("loss") { 1e-6 * theirs.abs().max(1.0) } else { 1e-12 };
    assert!((ours - theirs).abs() <= tolerance, "{what}: {ours} instead of {theirs}");
}

/// The mapping from threshold or TPR to value.
fn at_each(theirs: &Value, what: &str, ours: impl Fn(f64) -> Option<f64>) {
    let theirs = theirs.as_object().unwrap_or_else(|| panic!("{what}"));
    assert!(!theirs.is_empty());
    for (at, value) in theirs {
        agree(ours(at.parse().unwrap()), value, &format!("{what} {at}"));
    }
}

fn numbers(value: &Value) -> Vec<f64> {
    let number = |v: &Value| v.as_f64().or_else(|| v.as_str()?.parse().ok()).unwrap();
    value.as_array().unwrap().iter().map(number).collect()
}

fn same(ours: &[f64], theirs: &Value, what: &str) {
    let theirs = numbers(theirs);
    assert_eq!(ours.len(), theirs.len(), "{what}");
    for (position, (a, b)) in ours.iter().zip(&theirs).enumerate() {
        assert!(a == b || (a - b).abs() < 1e-12, "{what}, {position}: {a} instead of {b}");
    }
}

fn widened(values: &[f32]) -> Vec<f64> {
    values.iter().map(|v| f64::from(*v)).collect()
}

fn curve(ours: &Curve, theirs: &Value, what: &str) {
    same(&ours.values, &theirs[0], what);
    same(&widened(&ours.thresholds), &theirs[1], what);
}

fn roc(ours: &Roc, theirs: &Value, what: &str) {
    same(&ours.false_positive_rate, &theirs["receiver_operating_characteristic_curve"][0], what);
    same(&ours.true_positive_rate, &theirs["receiver_operating_characteristic_curve"][1], what);
    same(&widened(&ours.threshold), &theirs["receiver_operating_characteristic_curve"][2], what);
    agree(Some(ours.area), &theirs["receiver_operating_characteristic_auc"], what);
}

/// Names of a kind of evaluation, each with its share of validation examples.
fn with_validation(all: &Value, kind: &str) -> Vec<(String, f64)> {
    let share = |name: &str| name.strip_prefix(kind)?.strip_prefix("_validation_")?.parse().ok();
    let names = all.as_object().unwrap().keys();
    let found: Vec<_> = names.filter_map(|name| Some((name.clone(), share(name)?))).collect();
    assert!(found.len() >= 2, "{kind}: {found:?}");
    found
}

#[test]
fn clean_evaluation() {
    let all = json("evaluation/metrics.json");
    let rows = inputs().clean;
    for (name, validation) in with_validation(&all, "clean") {
        let (name, theirs) = (&*name, &all[&name]);
        for convention in [Convention::Consistent, Convention::Paper] {
            let ours = CleanEvaluation::new(rows.clone(), validation, convention).unwrap();
            agree(ours.error(), &theirs["test_error"], name);
            agree(ours.loss(), &theirs["loss"], &format!("{name} loss"));
            roc(&ours.roc(), theirs, name);
            curve(&ours.error_curve(), &theirs["test_error_curve"], name);
            at_each(&theirs["test_error_at_confidence"], name, |t| Some(ours.error_at_confidence(t as f32)));
            at_each(&theirs["tpr_at_confidence"], name, |t| ours.tpr_at_confidence(t as f32));
            at_each(&theirs["fpr_at_confidence"], name, |t| ours.fpr_at_confidence(t as f32));
            if validation == 0.0 {
                assert_eq!(ours.confidence_at_tpr(0.9), None, "thresholds need validation examples");
                assert_eq!(ours.validation_tpr_at_confidence(0.5), None);
            } else {
                at_each(&theirs["confidence_at_tpr"], name, |q| ours.confidence_at_tpr(q).map(f64::from));
                at_each(&theirs["validation_tpr_at_confidence"], name, |t| {
                    ours.validation_tpr_at_confidence(t as f32)
                });
            }
        }
    }
}

#[test]
fn adversarial_evaluation() {
    let all = json("evaluation/metrics.json");
    let inputs = inputs();
    let (four, one) = (&inputs.adversarial[..], &inputs.adversarial[..1]);
    let worst = Attempts::WorstByError(&inputs.errors);
    let first = Attempts::WorstByError(&inputs.errors[..1]);
    let usual = number(&json("evaluation/parameters.json"), &["validation"]);
    let mut cases = vec![
        ("adversarial_include_misclassifications".to_owned(), usual, four, Attempts::Average, true),
        ("adversarial_single_attempt_with_errors".to_owned(), usual, one, first, false),
    ];
    for (kind, counting) in [("adversarial", Attempts::Average), ("adversarial_worst_of_attempts", worst)] {
        let of_it = with_validation(&all, kind).into_iter();
        cases.extend(of_it.map(|(name, validation)| (name, validation, four, counting, false)));
    }
    for (name, validation, attempts, counting, include_wrong) in cases {
        let (name, theirs) = (&*name, &all[&name]);
        let evaluation = |convention| {
            AdversarialEvaluation::new(inputs.clean.clone(), attempts, counting, validation, convention)
        };
        for convention in [Convention::Consistent, Convention::Paper] {
            let ours = evaluation(convention).unwrap();
            agree(ours.robust_error(), &theirs["robust_test_error"], name);
            agree(ours.robust_loss(), &theirs["robust_loss"], &format!("{name} loss"));
            agree(ours.robust_correct_loss(), &theirs["robust_correct_loss"], &format!("{name} loss"));
            agree(ours.success_rate(), &theirs["success_rate"], name);
            agree(ours.clean().error(), &theirs["test_error"], name);
            agree(ours.clean().loss(), &theirs["loss"], &format!("{name} loss"));
            roc(&ours.roc(), theirs, name);
            curve(&ours.robust_error_curve(), &theirs["robust_test_error_curve"], name);
            curve(&ours.clean().error_curve(), &theirs["test_error_curve"], name);
            at_each(&theirs["robust_test_error_at_confidence"], name, |t| {
                Some(ours.robust_error_at_confidence(t as f32))
            });
            at_each(&theirs["test_error_at_confidence"], name, |t| {
                Some(ours.clean().error_at_confidence(t as f32))
            });
            at_each(&theirs["fpr_at_confidence"], name, |t| ours.fpr_at_confidence(t as f32));
            at_each(&theirs["tpr_at_confidence"], name, |t| ours.tpr_at_confidence(t as f32));
            if validation > 0.0 {
                at_each(&theirs["confidence_at_tpr"], name, |q| {
                    ours.confidence_at_tpr(q, include_wrong).map(f64::from)
                });
                at_each(&theirs["validation_tpr_at_confidence"], name, |t| {
                    ours.validation_tpr_at_confidence(t as f32, include_wrong)
                });
            } else {
                assert_eq!(ours.confidence_at_tpr(0.9, false), None);
            }
        }
    }
}

type Metric = fn(&WeightEvaluation) -> Option<f64>;

const METRICS: [(&str, Metric); 10] = [
    ("test_error", WeightEvaluation::error),
    ("reference_test_error", WeightEvaluation::reference_error),
    ("robust_test_error", WeightEvaluation::robust_error),
    ("loss", WeightEvaluation::loss),
    ("reference_loss", WeightEvaluation::reference_loss),
    ("robust_loss", WeightEvaluation::robust_loss),
    ("robust_correct_loss", WeightEvaluation::robust_correct_loss),
    ("confidence", WeightEvaluation::confidence),
    ("reference_confidence", WeightEvaluation::reference_confidence),
    ("robust_confidence", WeightEvaluation::robust_confidence),
];

#[test]
fn weight_evaluation_and_statistics() {
    let all = json("evaluation/metrics.json");
    let inputs = inputs();
    let evaluations: Vec<_> = inputs
        .weights
        .iter()
        .map(|rows| WeightEvaluation::new(inputs.clean.clone(), rows.clone(), Convention::default()).unwrap())
        .collect();
    for (attempt, evaluation) in evaluations.iter().enumerate() {
        for (name, metric) in METRICS {
            let what = format!("attempt {attempt}: {name}");
            // Mean confidences, like losses, are float32 means there.
            let tolerance = if name.contains("confidence") { "loss-like" } else { "" };
            let theirs = &all[&format!("weights_attempt_{attempt}")][name];
            agree(metric(evaluation), theirs, &format!("{what} {tolerance}"));
        }
    }
    let some: Vec<_> = evaluations.into_iter().map(Some).chain([None]).collect();
    let statistics = Statistics(some);
    let reductions = [
        ("mean", Reduction::Mean),
        ("median", Reduction::Median),
        ("min", Reduction::Smallest),
        ("max", Reduction::Largest),
        ("std", Reduction::Deviation(0)),
    ];
    for (name, metric) in METRICS {
        for (label, reduction) in reductions {
            let theirs = &all["statistics_with_one_missing"][name][label];
            let (value, count) = statistics.of(metric, reduction).unwrap();
            agree(Some(value), &theirs[0], &format!("{label} of {name}, loss-like"));
            assert_eq!(count as u64, theirs[1].as_u64().unwrap());
        }
    }
    assert_eq!(Statistics::<WeightEvaluation>(vec![None]).of(WeightEvaluation::loss, Reduction::Mean), None);
}
