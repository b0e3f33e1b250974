//! From points to their [`Relation`].

use super::bootstrap::{FEWEST, bca, resampled};
use super::correlation::Coefficient;
use super::line::Fit;
use super::partial::{Partial, dummies, partial};
use super::permutation::permutation_p;
use super::point::Point;
use super::relation::{Correlation, Relation, Without};
use super::sign_error::sign_errors;
use super::{Interval, warnings};

/// The relation over points; those with a number that is not finite are left out.
///
/// None with fewer than two points, or where one quantity is the same in all of them.
pub fn relate(points: &[Point]) -> Option<Relation> {
    let points: Vec<Point> = points.iter().filter(|p| p.x.is_finite() && p.y.is_finite()).cloned().collect();
    let (x, y) = columns(&points);
    let fit = Fit::of(&x, &y)?;
    let values = Coefficient::ALL.map(|coefficient| coefficient.of(&x, &y));
    let [Some(pearson), Some(spearman), Some(kendall)] = values else { return None };
    let without: Vec<Without> =
        points.iter().enumerate().map(|(i, point)| without(&points, &point.name, |j, _| j != i)).collect();
    let errors = errors(&points);
    let over_models = intervals(&x, &y, None, [pearson, spearman, kendall], &without);
    let with_errors = match &errors {
        Some([of_x, of_y]) => intervals(&x, &y, Some([of_x, of_y]), [pearson, spearman, kendall], &without),
        None => [None; 3],
    };
    let correlation = |index: usize, value: f64| Correlation {
        value,
        interval: over_models[index],
        interval_with_errors: with_errors[index],
        p: permutation_p(Coefficient::ALL[index], &x, &y),
    };
    let mut relation = Relation {
        n: points.len(),
        pearson: correlation(0, pearson),
        spearman: correlation(1, spearman),
        kendall: correlation(2, kendall),
        fit,
        sign_error: sign_errors(&points),
        within_groups: within_groups(&points, &x, &y),
        given: Vec::new(),
        without_group: without_groups(&points),
        without_model: most_influential([pearson, spearman], without),
        warnings: Vec::new(),
    };
    relation.warnings = warnings::of(&relation, &points);
    Some(relation)
}

/// Partial correlations given a further quantity of the same points; none where they are not defined.
pub fn given(points: &[Point], name: &str, values: &[f64]) -> Option<Partial> {
    let finite =
        points.iter().zip(values).filter(|(p, z)| p.x.is_finite() && p.y.is_finite() && z.is_finite());
    let (points, z): (Vec<Point>, Vec<f64>) = finite.map(|(p, z)| (p.clone(), *z)).unzip();
    let (x, y) = columns(&points);
    partial(&x, &y, name, &[z], true)
}

fn columns(points: &[Point]) -> (Vec<f64>, Vec<f64>) {
    points.iter().map(|point| (point.x, point.y)).unzip()
}

/// Standard errors of x and y, 0 where they are not known; none if none is known.
fn errors(points: &[Point]) -> Option<[Vec<f64>; 2]> {
    let of = |error: fn(&Point) -> Option<f64>| -> Vec<f64> {
        points.iter().map(|p| error(p).filter(|error| error.is_finite()).unwrap_or(0.0)).collect()
    };
    let both = [of(|p| p.x_error), of(|p| p.y_error)];
    both.iter().flatten().any(|error| *error > 0.0).then_some(both)
}

/// Intervals of the coefficients by resampling; none for too few points.
fn intervals(
    x: &[f64],
    y: &[f64],
    errors: Option<[&[f64]; 2]>,
    values: [f64; 3],
    without: &[Without],
) -> [Option<Interval>; 3] {
    if x.len() < FEWEST {
        return [None; 3];
    }
    let resampled = resampled(x, y, errors, Coefficient::ALL);
    let jackknife: [Option<Vec<f64>>; 3] = [
        without.iter().map(|w| w.pearson).collect(),
        without.iter().map(|w| w.spearman).collect(),
        without.iter().map(|w| w.kendall).collect(),
    ];
    std::array::from_fn(|i| bca(values[i], resampled[i].as_ref()?, jackknife[i].as_ref()?))
}

/// The coefficients over the points that stay.
fn without(points: &[Point], left_out: &str, stays: impl Fn(usize, &Point) -> bool) -> Without {
    let stay = points.iter().enumerate().filter(|(i, point)| stays(*i, point));
    let (x, y): (Vec<f64>, Vec<f64>) = stay.map(|(_, point)| (point.x, point.y)).unzip();
    let [pearson, spearman, kendall] = Coefficient::ALL.map(|coefficient| coefficient.of(&x, &y));
    Without { left_out: left_out.to_owned(), n: x.len(), pearson, spearman, kendall }
}

fn without_groups(points: &[Point]) -> Vec<Without> {
    let mut groups: Vec<&str> = points.iter().filter_map(|point| point.group.as_deref()).collect();
    let mut seen: Vec<&str> = Vec::new();
    groups.retain(|group| {
        !seen.contains(group) && {
            seen.push(group);
            true
        }
    });
    if groups.len() < 2 {
        return Vec::new();
    }
    groups
        .iter()
        .map(|group| without(points, group, |_, point| point.group.as_deref() != Some(group)))
        .collect()
}

/// Given the group; a model without one is a group by itself.
fn within_groups(points: &[Point], x: &[f64], y: &[f64]) -> Option<Partial> {
    let groups: Vec<(Option<&str>, usize)> = points
        .iter()
        .enumerate()
        .map(|(i, point)| (point.group.as_deref(), if point.group.is_some() { 0 } else { i }))
        .collect();
    let columns = dummies(&groups);
    if columns.is_empty() { None } else { partial(x, y, "group", &columns, false) }
}

/// Of all models the one without which a coefficient changes most.
fn most_influential(values: [f64; 2], without: Vec<Without>) -> Option<Without> {
    let change = |one: &Without| {
        let of = |left: Option<f64>, value: f64| left.map_or(0.0, |left| (left - value).abs());
        of(one.pearson, values[0]).max(of(one.spearman, values[1]))
    };
    without.into_iter().max_by(|a, b| change(a).total_cmp(&change(b)))
}
