//! Reasons why a correlation may mean less than it seems to.

use std::collections::BTreeMap;

use super::point::Point;
use super::relation::{Relation, Without};

/// Models below which intervals are rough and tests say little.
pub const FEW: usize = 10;
/// Change of Pearson's r or Spearman's rho that a single model may make.
pub const OUTLIER_BOUND: f64 = 0.1;
/// Change of Pearson's r or Spearman's rho that a whole group may make.
pub const FAMILY_BOUND: f64 = 0.2;

/// The warnings about a relation, in sentences.
pub fn of(relation: &Relation, points: &[Point]) -> Vec<String> {
    let mut warnings = Vec::new();
    if relation.n < FEW {
        warnings.push(format!(
            "{} models are few: with fewer than {FEW}, intervals are rough and a single model decides",
            relation.n
        ));
    }
    warnings.extend(snapshots(points));
    warnings.extend(family(relation, points));
    if let Some(without) = &relation.without_model
        && let Some(change) = change(relation, without, OUTLIER_BOUND)
    {
        warnings
            .push(format!("the correlation depends on one model: without {}, {change}", without.left_out));
    }
    if let Some(within) = &relation.within_groups {
        let reversed = |all: f64, within: f64| all * within < 0.0 && within.abs() > OUTLIER_BOUND;
        if reversed(relation.pearson.value, within.pearson)
            && reversed(relation.spearman.value, within.spearman)
        {
            warnings.push(format!(
                "within groups the relation is reversed: Pearson {:.2} and Spearman {:.2} given the group",
                within.pearson, within.spearman
            ));
        }
    }
    warnings
}

/// Points that are not independent of each other.
fn snapshots(points: &[Point]) -> Option<String> {
    let mut trainings: BTreeMap<&str, usize> = BTreeMap::new();
    points.iter().filter_map(|p| p.training.as_deref()).for_each(|t| *trainings.entry(t).or_default() += 1);
    trainings.retain(|_, count| *count > 1);
    let count: usize = trainings.values().sum();
    let dependent = "so they are not independent, intervals are too narrow and p-values too small";
    match trainings.keys().collect::<Vec<_>>().as_slice() {
        [] => None,
        [one] => Some(format!(
            "{count} of {} points are snapshots of one training ({one}), {dependent}",
            points.len()
        )),
        several => Some(format!(
            "{count} of {} points are snapshots of {} trainings, {dependent}",
            points.len(),
            several.len()
        )),
    }
}

/// One method family decides.
fn family(relation: &Relation, points: &[Point]) -> Option<String> {
    let mut groups: BTreeMap<&str, usize> = BTreeMap::new();
    points.iter().filter_map(|p| p.group.as_deref()).for_each(|group| *groups.entry(group).or_default() += 1);
    if let Some((only, count)) = groups.iter().next()
        && groups.len() == 1
        && *count == points.len()
        && *count > 1
    {
        return Some(format!("all models are of one group ({only}): of other methods this says nothing"));
    }
    let several = |without: &&Without| groups.get(&*without.left_out).is_some_and(|count| *count > 1);
    let worst = relation.without_group.iter().filter(several).filter_map(|without| {
        let change = change(relation, without, FAMILY_BOUND)?;
        Some((moved(relation, without), without, change))
    });
    let (_, without, change) = worst.max_by(|a, b| a.0.total_cmp(&b.0))?;
    Some(format!(
        "the correlation depends on one group: without the {} models of {}, {change}",
        groups[&*without.left_out], without.left_out
    ))
}

fn moved(relation: &Relation, without: &Without) -> f64 {
    let of = |left: Option<f64>, value: f64| left.map_or(f64::INFINITY, |left| (left - value).abs());
    of(without.pearson, relation.pearson.value).max(of(without.spearman, relation.spearman.value))
}

/// In words, how a coefficient without some models flips its sign or moves by more than `bound`; none if none does.
fn change(relation: &Relation, without: &Without, bound: f64) -> Option<String> {
    let coefficients = [
        ("Pearson", without.pearson, relation.pearson.value),
        ("Spearman", without.spearman, relation.spearman.value),
    ];
    let moves = |(_, left, value): &(&str, Option<f64>, f64)| match left {
        Some(left) => left * value < 0.0 || (left - value).abs() > bound,
        None => true,
    };
    let words = |(name, left, value): &(&str, Option<f64>, f64)| match left {
        Some(left) => format!("{name} is {left:.2} instead of {value:.2}"),
        None => format!("{name} is not defined"),
    };
    let changed: Vec<String> = coefficients.iter().filter(|one| moves(one)).map(words).collect();
    (!changed.is_empty()).then(|| changed.join(" and "))
}
