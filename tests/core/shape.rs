//! The shape of surfaces in numbers: against Landscaper and GUDHI, and against mathematics.

use basin_core::shape::{
    Curvature, Level, LevelSet, MergeTree, Rise, Shape, ShapeOptions, Smoothness, Surface,
};
use serde_json::Value;

use crate::support::json;

fn steps(count: usize, range: f64) -> Vec<f64> {
    basin_core::measure::landscape::Range::symmetric(range).unwrap().steps(count)
}

fn plane(count: usize, range: f64, f: impl Fn(f64, f64) -> f64) -> Surface {
    let axis = steps(count, range);
    let values = axis.iter().flat_map(|y| axis.iter().map(|x| Some(f(*x, *y))));
    Surface::new(&axis, Some(&axis), values.collect::<Vec<_>>()).unwrap()
}

fn curve(count: usize, range: f64, f: impl Fn(f64) -> f64) -> Surface {
    let axis = steps(count, range);
    Surface::new(&axis, None, axis.iter().map(|x| Some(f(*x))).collect::<Vec<_>>()).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(all) => all.iter().flat_map(numbers).collect(),
        value => value.as_f64().into_iter().collect(),
    }
}

/// Surfaces of `tests/reference/shape` with what other programs say of them.
fn cases() -> Vec<(Value, Surface)> {
    let file = json("shape/landscaper.json");
    let cases = file["cases"].as_array().unwrap().iter();
    let surface = |case: &Value| {
        let y = numbers(&case["y"]);
        let y = (!y.is_empty()).then_some(&*y);
        Surface::new(&numbers(&case["x"]), y, numbers(&case["loss"]).into_iter().map(Some)).unwrap()
    };
    cases.map(|case| (case.clone(), surface(case))).collect()
}

#[track_caller]
fn assert_close(found: f64, expected: f64, within: f64) {
    assert!((found - expected).abs() <= within, "{found}, expected {expected} within {within}");
}

#[test]
fn smoothness_is_that_of_landscaper() {
    let mut compared = 0;
    for (case, surface) in cases() {
        let Some(expected) = case["smad"].as_f64() else { continue };
        let found = Smoothness::of(&surface).unwrap();
        assert_close(found.distance, expected, 1e-12);
        assert_close(found.normalized, case["normalized"].as_f64().unwrap(), 1e-12);
        compared += 1;
    }
    assert_eq!(compared, 4);
}

#[test]
fn persistence_is_that_of_gudhi() {
    for (case, surface) in cases() {
        let mut expected: Vec<(f64, Option<f64>)> = (case["pairs"].as_array().unwrap().iter())
            .map(|pair| (pair[0].as_f64().unwrap(), pair[1].as_f64()))
            .collect();
        let tree = MergeTree::of(&surface);
        let value = |point: usize| surface.place(point).unwrap().value;
        let mut found: Vec<(f64, Option<f64>)> =
            tree.branches().iter().map(|branch| (value(branch.minimum), branch.saddle.map(value))).collect();
        expected.sort_by(|a, b| a.0.total_cmp(&b.0));
        found.sort_by(|a, b| a.0.total_cmp(&b.0));
        assert_eq!(found, expected, "{}", case["name"]);
    }
}

#[test]
fn branches_stand_after_those_they_merge_into() {
    for (_, surface) in cases() {
        let tree = MergeTree::of(&surface);
        for (number, branch) in tree.branches().iter().enumerate() {
            assert_eq!(branch.parent.is_none(), branch.saddle.is_none());
            assert!(branch.parent.is_none_or(|parent| parent < number));
        }
        let few = tree.simplified(0.1, 3);
        assert!(few.branches().len() <= 3);
        assert!(few.branches().iter().all(|b| b.saddle.is_none() || b.persistence >= 0.1));
    }
}

#[test]
fn two_wells_have_one_saddle_between_them() {
    // (x² − 1)² has its minima at ±1; the tilt makes the left one lower.
    let double = curve(81, 1.5, |x| (x * x - 1.0).powi(2) + 0.1 * x);
    let shape = Shape::of(&double, &ShapeOptions::default()).unwrap();
    let [low, high] = &shape.minima[..] else { panic!("{:?}", shape.minima) };
    assert!(low.at.x < 0.0 && low.saddle.is_none() && high.at.x > 0.0);
    let saddle = high.saddle.unwrap();
    assert!(saddle.x.abs() < 0.05);
    assert_close(high.persistence, saddle.value - high.at.value, 1e-15);
    assert_eq!(shape.maxima.len(), 3, "both ends and the middle");
    assert_eq!(shape.minima_above(0.5), 1);
}

#[test]
fn a_bowl_is_as_its_formula_says() {
    // Second derivatives 6, 2 and (mixed) 1.
    let bowl = |x: f64, y: f64| 1.5 + 3.0 * x * x + y * y + x * y;
    let surface = plane(41, 1.0, bowl);
    let shape = Shape::of(&surface, &ShapeOptions { radius: Some(0.5), level: Level::At(2.0) }).unwrap();
    assert_eq!((shape.origin, shape.lowest.value), (Some(1.5), 1.5));
    assert_eq!((shape.lowest.x, shape.lowest.y), (0.0, Some(0.0)));
    assert_close(shape.highest.value, 6.5, 1e-12);
    assert_eq!(shape.minima.len(), 1);
    let curvature = shape.curvature.unwrap();
    assert_close(curvature.xx, 6.0, 1e-9);
    assert_close(curvature.xy, 1.0, 1e-9);
    assert_close(curvature.yy.unwrap(), 2.0, 1e-9);
    let [largest, smallest] = curvature.principal();
    assert_close(largest, 4.0 + 5.0_f64.sqrt(), 1e-9);
    assert_close(smallest, 4.0 - 5.0_f64.sqrt(), 1e-9);
    // The mean of 3 x² + y² + x y over a circle of radius r is 2 r².
    assert_close(shape.rise.unwrap().mean, 0.5, 2e-3);
    // An ellipse of area 2 π (level − 1.5) / √det H.
    assert_close(shape.level_set.area, std::f64::consts::TAU * 0.5 / 11.0_f64.sqrt(), 4e-3);
    assert_close(shape.level_set.share, shape.level_set.area / 4.0, 1e-12);
}

#[test]
fn curvature_is_exact_up_to_fourth_degree_and_keeps_small_differences() {
    let fourth = |x: f64, y: f64| 1e4 + 1e-3 * (x * x - 2.0 * y * y + x.powi(4) + x * x * y * y + x.powi(3));
    let found = Curvature::of(&plane(21, 1.0, fourth)).unwrap();
    assert_close(found.xx, 2e-3, 1e-7);
    assert_close(found.yy.unwrap(), -4e-3, 1e-7);
    let wave = Curvature::of(&curve(51, 1.0, |x| (3.0 * x).cos())).unwrap();
    assert_close(wave.xx, -9.0, 1e-3);
    assert_eq!((wave.yy, wave.xy), (None, 0.0));
}

#[test]
fn curvature_per_weight_does_not_depend_on_the_directions() {
    // In the plane of orthonormal u and v the Hessian is diag(7, 3); the directions are 2 u and u + v.
    let surface = plane(21, 1.0, |x, y| {
        let (u, v) = (2.0 * x + y, y);
        0.5 * (7.0 * u * u + 3.0 * v * v)
    });
    let norms = [2.0, 2.0_f64.sqrt()];
    let [largest, smallest] =
        Curvature::of(&surface).unwrap().principal_in(norms, std::f64::consts::FRAC_1_SQRT_2);
    assert_close(largest, 7.0, 1e-9);
    assert_close(smallest, 3.0, 1e-9);
}

#[test]
fn what_is_missing_has_no_numbers() {
    let axis = steps(5, 1.0);
    let with = |values: Vec<Option<f64>>| Surface::new(&axis, Some(&axis), values).unwrap();
    assert_eq!(Shape::of(&with(vec![None; 25]), &ShapeOptions::default()), None);
    // A column without values divides the grid: two components, of which neither merges into the other.
    let split = with((0..25).map(|at| (at % 5 != 2).then_some(f64::from(at))).collect());
    let shape = Shape::of(&split, &ShapeOptions::default()).unwrap();
    assert_eq!((shape.origin, shape.rise, shape.curvature), (None, None, None));
    assert_eq!(shape.minima.iter().filter(|minimum| minimum.saddle.is_none()).count(), 2);
    assert_close(LevelSet::of(&split, f64::INFINITY).area, 2.0, 1e-12);
    // A constant surface has one minimum and no saddle.
    let flat = Shape::of(&plane(5, 1.0, |_, _| 2.0), &ShapeOptions::default()).unwrap();
    assert_eq!((flat.minima.len(), flat.maxima.len()), (1, 1));
    assert_eq!(flat.smoothness.map(|found| found.distance), Some(0.0));
    assert_close(flat.level_set.share, 1.0, 0.0);
    // Steps that do not fit are refused.
    assert_eq!(Surface::new(&axis, None, vec![Some(1.0); 4]), None);
    assert_eq!(Surface::new(&[0.0, 0.0], None, vec![Some(1.0); 2]), None);
}

#[test]
fn the_origin_need_not_be_a_grid_point() {
    let axis = [-0.75, -0.25, 0.25, 0.75];
    let values = axis.map(|x| Some(x * x));
    let surface = Surface::new(&axis, None, values).unwrap();
    assert_eq!(Shape::of(&surface, &ShapeOptions::default()).unwrap().origin, None);
    let shape = Shape::of(&surface.with_origin(Some(0.0)), &ShapeOptions::default()).unwrap();
    assert_eq!((shape.origin, shape.level_set.level), (Some(0.0), 0.5));
    assert_close(shape.rise.unwrap().mean, 0.5625, 1e-12);
    assert_close(shape.curvature.unwrap().xx, 2.0, 1e-9);
}

#[test]
fn the_rise_stays_within_the_grid() {
    let surface = plane(21, 0.4, |x, y| x * x + y * y);
    let found = Rise::of(&surface, None).unwrap();
    assert_eq!(found.radius, 0.4, "the largest circle");
    assert_close(found.mean, 0.16, 1e-3);
    assert_eq!(Rise::of(&surface, Some(0.41)), None);
    let sides = Rise::of(&curve(21, 2.0, |x| x * x + x), None).unwrap();
    assert_eq!((sides.radius, sides.mean, sides.largest), (1.0, 1.0, 2.0));
}
