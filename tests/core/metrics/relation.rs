//! How two quantities go together over models, against scipy, statsmodels and pingouin.
//!
//! `reference/statistics/cases.json`: the published models, the points of the paper's poster and random numbers, with
//! ties and with measurement errors; coefficients, BCa intervals of 20,000 to 40,000 resamples, lines, partial
//! correlations and p-values of those programs (scipy 1.17, statsmodels 0.14, pingouin 0.6). Intervals of 5,000
//! resamples differ by chance.

use basin_core::measure::statistics::{Coefficient, PERMUTATIONS};
use basin_core::measure::statistics::{
    Interval, Point, Relation, bca, dummies, given, partial, permutation_p, relate, residuals,
};
use serde_json::Value;

const CASES: &str = include_str!("../../reference/statistics/cases.json");

fn cases() -> Vec<Value> {
    serde_json::from_str(CASES).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn points(case: &Value) -> Vec<Point> {
    let (x, y) = (numbers(&case["x"]), numbers(&case["y"]));
    let error = |key: &str, i: usize| case.get(key).map(|errors| errors[i].as_f64().unwrap());
    let group = |i: usize| case.get("groups").map(|groups| groups[i].as_str().unwrap().to_owned());
    let point = |i: usize| Point {
        name: format!("model {i}"),
        group: group(i),
        training: None,
        x: x[i],
        y: y[i],
        x_error: error("x_error", i),
        y_error: error("y_error", i),
    };
    (0..x.len()).map(point).collect()
}

fn close(ours: f64, theirs: &Value, tolerance: f64, what: &str) {
    let theirs = theirs.as_f64().unwrap();
    assert!((ours - theirs).abs() <= tolerance, "{what}: {ours} instead of {theirs}");
}

fn interval_close(ours: Option<Interval>, theirs: &Value, tolerance: f64, what: &str) {
    let ours = ours.unwrap_or_else(|| panic!("{what}: no interval"));
    close(ours.low, &theirs[0], tolerance, &format!("{what}, lower end"));
    close(ours.high, &theirs[1], tolerance, &format!("{what}, upper end"));
}

fn related(points: &[Point]) -> Relation {
    relate(points).unwrap()
}

#[test]
fn coefficients_lines_and_intervals_are_those_of_other_programs() {
    for case in cases() {
        let name = case["name"].as_str().unwrap();
        let found = related(&points(&case));
        assert_eq!(found.n, case["x"].as_array().unwrap().len(), "{name}");
        let all = [("pearson", found.pearson), ("spearman", found.spearman), ("kendall", found.kendall)];
        for (key, correlation) in all {
            let what = format!("{name}, {key}");
            close(correlation.value, &case[key], 1e-9, &what);
            if let Some(theirs) = case.get(format!("{key}_bca")) {
                interval_close(correlation.interval, theirs, 0.035, &what);
            }
            if let Some(theirs) = case.get(format!("p_{key}")) {
                // Exact for six pairs; else of 10,000 permutations against 100,000.
                let tolerance = if found.n == 6 { 1e-9 } else { 0.012 };
                close(correlation.p.unwrap(), theirs, tolerance, &what);
            }
            assert_eq!(correlation.interval_with_errors.is_some(), case.get("x_error").is_some(), "{what}");
        }
        if let Some(theirs) = case.get("pearson_bca_errors") {
            interval_close(found.pearson.interval_with_errors, theirs, 0.02, name);
        }
        let fit = &found.fit;
        close(fit.line.intercept, &case["intercept"], 1e-9, name);
        close(fit.line.slope, &case["slope"], 1e-9, name);
        interval_close(fit.slope_interval, &case["slope_interval"], 1e-8, name);
        close(fit.residual_deviation.unwrap(), &case["residual_deviation"], 1e-9, name);
        for (at, theirs) in numbers(&case["band_at"]).into_iter().zip(case["band"].as_array().unwrap()) {
            interval_close(fit.band(at), theirs, 1e-8, &format!("{name}, band at {at}"));
        }
    }
}

#[test]
fn partial_correlations_are_those_of_other_programs() {
    for case in cases() {
        let (name, points) = (case["name"].as_str().unwrap(), points(&case));
        if let Some(z) = case.get("z") {
            let found = given(&points, "z", &numbers(z)).unwrap();
            assert_eq!((found.fixed, &*found.given), (1, "z"));
            close(found.pearson, &case["partial_pearson"], 1e-9, name);
            close(found.spearman, &case["partial_spearman"], 1e-9, name);
            // Intervals are printed with two digits.
            interval_close(found.pearson_interval, &case["partial_pearson_interval"], 0.0051, name);
            interval_close(found.spearman_interval, &case["partial_spearman_interval"], 0.0051, name);
        }
        if let Some(pearson) = case.get("within_pearson") {
            let found = related(&points).within_groups.unwrap();
            close(found.pearson, pearson, 1e-9, name);
            close(found.spearman, &case["within_spearman"], 1e-9, name);
        }
    }
}

#[test]
fn sign_errors_and_relations_without_a_group_are_counted() {
    for case in cases().iter().filter(|case| case.get("groups").is_some()) {
        let (name, found) = (case["name"].as_str().unwrap(), related(&points(case)));
        let signs = found.sign_error.unwrap();
        close(signs.all.value, &case["sign_error"], 1e-9, name);
        close(signs.coupled.clone().unwrap().value, &case["coupled"], 1e-9, name);
        let pairs = [signs.all.pairs, signs.coupled.unwrap().pairs].map(Value::from);
        assert_eq!(pairs, [case["sign_error_pairs"].clone(), case["coupled_pairs"].clone()], "{name}");
        let per_group = case["per_group"].as_object().unwrap();
        assert_eq!(signs.per_group.len(), per_group.len());
        signs.per_group.iter().for_each(|(group, error)| close(error.value, &per_group[group], 1e-9, group));
        let worst = per_group.values().map(|value| value.as_f64().unwrap()).fold(0.0, f64::max);
        assert!((signs.worst.unwrap().1.value - worst).abs() < 1e-9, "{name}");
        let without = case["without_group"].as_object().unwrap();
        assert_eq!(found.without_group.len(), without.len());
        for left in found.without_group {
            let theirs = &without[&left.left_out];
            let ours = [left.pearson, left.spearman, left.kendall];
            (0..3).for_each(|i| close(ours[i].unwrap(), &theirs[i], 1e-9, &left.left_out));
        }
    }
}

#[test]
fn pairs_that_do_not_differ_beyond_their_errors_do_not_count() {
    let mut points: Vec<Point> = (0..4)
        .map(|i| Point {
            name: i.to_string(),
            x: f64::from(i),
            y: [0.0, 1.0, 1.1, 3.0][i as usize],
            group: Some("a".into()),
            ..Point::default()
        })
        .collect();
    let signs = |points: &[Point]| related(points).sign_error.unwrap();
    assert_eq!((signs(&points).all.value, signs(&points).all.pairs), (0.0, 6));
    points.iter_mut().for_each(|point| point.y_error = Some(0.1));
    assert_eq!(signs(&points).all.pairs, 5, "1.0 and 1.1 are the same within their errors");
    // Equal x tells nothing, which is half wrong.
    points[1].x = 0.0;
    assert_eq!(signs(&points).all.value, 0.1);
}

#[test]
fn few_perfect_and_constant_points_have_no_interval() {
    let of = |values: &[(f64, f64)]| -> Option<Relation> {
        let point = |(x, y): &(f64, f64)| Point { x: *x, y: *y, ..Point::default() };
        relate(&values.iter().map(point).collect::<Vec<_>>())
    };
    assert_eq!(of(&[(1.0, 1.0)]), None);
    assert_eq!(of(&[(1.0, 1.0), (1.0, 2.0), (1.0, 3.0)]), None);
    let few = of(&[(1.0, 1.0), (2.0, 3.0), (3.0, 2.0), (f64::NAN, 1.0)]).unwrap();
    assert_eq!((few.n, few.pearson.interval, few.pearson.p), (3, None, None));
    assert!(few.warnings[0].starts_with("3 models are few"), "{:?}", few.warnings);
    let perfect: Vec<(f64, f64)> = (0..12).map(|i| (f64::from(i), 2.0 * f64::from(i))).collect();
    let perfect = of(&perfect).unwrap();
    assert_eq!((perfect.kendall.value, perfect.spearman.interval), (1.0, None));
    assert_eq!(perfect.pearson.p, Some(1.0 / (PERMUTATIONS + 1) as f64));
    assert_eq!(bca(1.0, &[1.0; 9], &[1.0; 3]), None);
    assert_eq!(permutation_p(Coefficient::Pearson, &[1.0, 2.0, 3.0], &[1.0, 2.0, 4.0]), None);
    // Nothing is left of what a column explains.
    let x = [1.0, 2.0, 3.0, 5.0, 8.0];
    assert_eq!(
        partial(&x, &[2.0, 1.0, 4.0, 3.0, 9.0], "x", &[x.map(|x| 2.0 * x + 1.0).to_vec()], true),
        None
    );
    // Means of groups, by columns of zeros and ones.
    let left = residuals(&[1.0, 3.0, 10.0, 12.0], &dummies(&["a", "a", "b", "b"]));
    assert!(left.iter().zip([-1.0, 1.0, -1.0, 1.0]).all(|(ours, theirs)| (ours - theirs).abs() < 1e-12));
}

#[test]
fn warnings_name_what_a_correlation_rests_on() {
    let cloud =
        [(0.0, 0.4), (0.3, 0.1), (0.1, 0.0), (0.4, 0.3), (0.2, 0.35), (0.25, 0.2), (0.05, 0.2), (0.35, 0.15)];
    let point = |i: usize, (x, y): (f64, f64), group: &str| Point {
        name: format!("{group}-{i}"),
        group: Some(group.into()),
        x,
        y,
        ..Point::default()
    };
    let mut points: Vec<Point> = cloud.iter().enumerate().map(|(i, at)| point(i, *at, "TRADES")).collect();
    points.push(point(0, (5.0, 5.0), "AT"));
    points.push(point(1, (0.1, 0.3), "MART"));
    points.push(point(2, (0.3, 0.25), "MART"));
    let warnings = related(&points).warnings;
    let says = |warnings: &[String], start: &str| warnings.iter().any(|warning| warning.starts_with(start));
    assert!(
        says(&warnings, "the correlation depends on one model: without AT-0, Pearson is "),
        "{warnings:?}"
    );
    // Three of them are a family.
    points.push(point(1, (5.1, 5.2), "AT"));
    points.push(point(2, (5.2, 4.9), "AT"));
    let warnings = related(&points).warnings;
    let start = "the correlation depends on one group: without the 3 models of AT, Pearson is ";
    assert!(says(&warnings, start), "{warnings:?}");
    // Points of one training.
    points.iter_mut().take(4).for_each(|point| point.training = Some("runs/at".into()));
    let warnings = related(&points).warnings;
    assert!(
        warnings[0].starts_with(
            "4 of 13 points are snapshots of one training (runs/at), so they are not independent"
        ),
        "{warnings:?}"
    );
    points.iter_mut().for_each(|point| point.group = Some("AT".into()));
    let warnings = related(&points).warnings;
    assert!(warnings[1].starts_with("all models are of one group (AT)"), "{warnings:?}");
    // Within each of two groups it falls, over both it rises.
    let reversed: Vec<Point> = (0..12)
        .map(|i| {
            let (group, step) = (if i < 6 { "a" } else { "b" }, f64::from(i % 6));
            let shift = if i < 6 { 0.0 } else { 10.0 };
            point(i as usize, (shift + step, shift - step), group)
        })
        .collect();
    let warnings = related(&reversed).warnings;
    assert!(
        warnings.iter().any(|w| w.starts_with("within groups the relation is reversed: Pearson -1.00")),
        "{warnings:?}"
    );
}

#[test]
fn the_same_points_have_the_same_intervals() {
    let points = points(&cases()[3]);
    assert_eq!(related(&points), related(&points));
    let text = serde_json::to_string(&related(&points)).unwrap();
    assert_eq!(
        serde_json::from_str::<Relation>(&text).unwrap().kendall.value,
        related(&points).kendall.value
    );
}
