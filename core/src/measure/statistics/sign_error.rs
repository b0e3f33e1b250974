//! Sign error: how often the order of x tells the order of y wrongly, as coupled networks are compared by Dziugaite et
//! al. 2020 ("In search of robust measures of generalization").
//!
//! Of a pair of models it is `(1 - sgn(x1 - x2) sgn(y1 - y2)) / 2`: 0 if both quantities order them alike, 1 if not, 1/2
//! where x is equal. An environment is a set of pairs; the sign error in it is the mean over its pairs, and the robust
//! sign error is the largest over environments. Networks are coupled if they differ in one setting only: here, if they
//! are of one group, so that each group is an environment. A pair whose y do not differ by more than their measurement
//! error (1.96 standard errors of the difference; without known errors: at all) does not count. Dziugaite et al. weigh
//! pairs by Hoeffding's bound on that error instead, and every single setting is an environment of theirs.

use serde::{Deserialize, Serialize};

use super::NORMAL_QUANTILE;
use super::point::Point;

/// The sign error over some pairs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignError {
    /// Mean over the pairs, 0 to 1; 0.5 is that of a coin.
    pub value: f64,
    /// Pairs whose y differ.
    pub pairs: usize,
}

/// Sign errors over all pairs and over coupled ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignErrors {
    /// Over all pairs.
    pub all: SignError,
    /// Over pairs within groups; absent where no group has such a pair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coupled: Option<SignError>,
    /// The largest over groups, with its group: the robust sign error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worst: Option<(String, SignError)>,
    /// Within each group that has a pair.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub per_group: Vec<(String, SignError)>,
}

/// Sign errors of the points; none if no two differ in y.
pub fn sign_errors(points: &[Point]) -> Option<SignErrors> {
    let mut groups: Vec<&str> = Vec::new();
    for group in points.iter().filter_map(|point| point.group.as_deref()) {
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    let all = over(points.iter())?;
    let per_group: Vec<(String, SignError)> = groups
        .into_iter()
        .filter_map(|group| {
            let members = points.iter().filter(|point| point.group.as_deref() == Some(group));
            Some((group.to_owned(), over(members)?))
        })
        .collect();
    let pairs: usize = per_group.iter().map(|(_, error)| error.pairs).sum();
    let wrong: f64 = per_group.iter().map(|(_, error)| error.value * error.pairs as f64).sum();
    let coupled = (pairs > 0).then(|| SignError { value: wrong / pairs as f64, pairs });
    let worst = per_group.iter().max_by(|a, b| a.1.value.total_cmp(&b.1.value)).cloned();
    Some(SignErrors { all, coupled, worst, per_group })
}

/// Over all pairs of these points.
fn over<'a>(points: impl Iterator<Item = &'a Point>) -> Option<SignError> {
    let points: Vec<&Point> = points.collect();
    let (mut sum, mut pairs) = (0.0, 0);
    for (i, one) in points.iter().enumerate() {
        for other in &points[..i] {
            let difference = one.y - other.y;
            let error = one.y_error.unwrap_or(0.0).hypot(other.y_error.unwrap_or(0.0));
            if difference == 0.0 || difference.abs() <= NORMAL_QUANTILE * error {
                continue;
            }
            pairs += 1;
            sum += (1.0 - sign(one.x - other.x) * sign(difference)) / 2.0;
        }
    }
    (pairs > 0).then(|| SignError { value: sum / f64::from(pairs), pairs: pairs as usize })
}

/// Sign of a number, 0 of 0.
fn sign(value: f64) -> f64 {
    if value == 0.0 { 0.0 } else { value.signum() }
}
