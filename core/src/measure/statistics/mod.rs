//! Statistics of plain numbers: means and their uncertainty here, how two quantities go together in [`Relation`].
//!
//! Intervals are at the 95 % level. Nothing here knows what the numbers are.

mod bootstrap;
mod correlation;
mod line;
mod partial;
mod permutation;
mod point;
mod relate;
mod relation;
mod sign_error;
mod warnings;

pub use bootstrap::{FEWEST, RESAMPLES, bca};
pub use correlation::{Coefficient, fisher, kendall, pearson, ranks, spearman};
pub use line::{Fit, Line};
pub use partial::{Partial, dummies, partial, residuals};
pub use permutation::{PERMUTATIONS, permutation_p};
pub use point::Point;
pub use relate::{given, relate};
pub use relation::{Correlation, Relation, Without};
pub use sign_error::{SignError, SignErrors, sign_errors};
pub use warnings::{FAMILY_BOUND, FEW, OUTLIER_BOUND};

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF as _, StudentsT};

/// Share of the distribution inside every interval.
pub const LEVEL: f64 = 0.95;
/// The 97.5 % quantile of the standard normal distribution.
pub const NORMAL_QUANTILE: f64 = 1.959_963_984_540_054;

/// A 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Arithmetic mean; NaN of nothing.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Standard deviation with divisor `n - 1`; none for fewer than two values.
pub fn standard_deviation(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let centre = mean(values);
    let squares: f64 = values.iter().map(|v| (v - centre).powi(2)).sum();
    Some((squares / (values.len() - 1) as f64).sqrt())
}

/// Standard error of the mean of independent values; none for fewer than two.
pub fn standard_error(values: &[f64]) -> Option<f64> {
    standard_deviation(values).map(|deviation| deviation / (values.len() as f64).sqrt())
}

/// Normal interval of the mean of many independent values, such as losses of examples; none for fewer than two.
pub fn mean_interval(values: &[f64]) -> Option<Interval> {
    let (centre, half) = (mean(values), NORMAL_QUANTILE * standard_error(values)?);
    Some(Interval { low: centre - half, high: centre + half })
}

/// Wilson's interval of a share `p` of `count` examples; none of nothing.
pub fn share_interval(p: f64, count: usize) -> Option<Interval> {
    let (n, z) = (count as f64, NORMAL_QUANTILE);
    let centre = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    (count > 0).then_some(Interval { low: centre - half, high: centre + half })
}

/// The `share` quantile (0 to 1) with linear interpolation between order statistics; none of nothing.
pub fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let position = share.clamp(0.0, 1.0) * sorted.len().checked_sub(1)? as f64;
    let (below, part) = (position.floor() as usize, position.fract());
    let above = (below + 1).min(sorted.len() - 1);
    Some(sorted[below] + part * (sorted[above] - sorted[below]))
}

/// The 97.5 % quantile of Student's t distribution with `freedom` degrees of freedom; none for 0.
pub fn student_quantile(freedom: usize) -> Option<f64> {
    let distribution = StudentsT::new(0.0, 1.0, freedom as f64).ok()?;
    Some(distribution.inverse_cdf((1.0 + LEVEL) / 2.0))
}

/// An independent part of the variance of an estimate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// What it adds to the variance.
    pub variance: f64,
    /// Degrees of freedom that it is known with.
    pub freedom: usize,
    /// Skewness of the values that it is from.
    pub skewness: f64,
}

impl Part {
    /// Of the mean of independent values; none for fewer than two.
    pub fn of_mean(values: &[f64]) -> Option<Self> {
        let error = standard_error(values)?;
        let skewness = skewness(values);
        Some(Self { variance: error * error, freedom: values.len() - 1, skewness })
    }

    /// The same of the negative of the estimate.
    pub fn negative(self) -> Self {
        Self { skewness: -self.skewness, ..self }
    }

    /// Squares of the distances to the lower and the upper end of an interval with this part alone.
    fn squares(&self) -> Option<[f64; 2]> {
        let quantile = student_quantile(self.freedom)?;
        let longer =
            self.skewness * (1.0 + 2.0 * quantile * quantile) / (6.0 * ((self.freedom + 1) as f64).sqrt());
        Some([-longer, longer].map(|longer| (quantile + longer.max(0.0)).powi(2) * self.variance))
    }
}

/// Third central moment over the cube of the standard deviation (divisor `n`); 0 where nothing varies.
pub fn skewness(values: &[f64]) -> f64 {
    let centre = mean(values);
    let moment =
        |power: i32| values.iter().map(|v| (v - centre).powi(power)).sum::<f64>() / values.len() as f64;
    let deviation = moment(2).sqrt();
    if deviation > 0.0 { moment(3) / deviation.powi(3) } else { 0.0 }
}

/// Interval of an estimate whose variance has these parts: the half widths of t intervals of each, combined as root of
/// the sum of squares (Zou and Donner 2008, "method of variance estimates recovery").
///
/// On the side where values reach further the t quantile is larger, by `g (1 + 2 t^2) / (6 sqrt(n))` with `g` the
/// skewness of `n` values (Hall 1992, first order); few skewed values would give an interval that is too low. Unlike a single quantile for Satterthwaite's degrees of freedom, it does not come out short where a part that is known
/// from few values happens to look small. None without parts, or if one has no degree of freedom.
pub fn interval_of_parts(estimate: f64, parts: &[Part]) -> Option<Interval> {
    let squares = parts.iter().map(Part::squares).collect::<Option<Vec<[f64; 2]>>>()?;
    let [below, above] = [0, 1].map(|side| squares.iter().map(|squares| squares[side]).sum::<f64>().sqrt());
    (!squares.is_empty()).then_some(Interval { low: estimate - below, high: estimate + above })
}

/// Interval of the mean of a table `[draw][example]` over draws and examples together: of what other draws and other
/// examples would have given.
///
/// Both parts of the variance, of the means of rows and of the means of columns, hold what depends on draw and example
/// together, so that the interval is slightly wide rather than narrow. None with fewer than two draws or examples, or
/// rows of unequal length.
pub fn interval_of_table(rows: &[Vec<f64>]) -> Option<Interval> {
    let means: Vec<f64> = rows.iter().map(|row| mean(row)).collect();
    let parts = [Part::of_mean(&means)?, Part::of_mean(&column_means(rows)?)?];
    interval_of_parts(mean(&means), &parts)
}

/// Mean of every column of a table; none if its rows have unequal length.
pub fn column_means(rows: &[Vec<f64>]) -> Option<Vec<f64>> {
    let mut sums = vec![0.0; rows.first()?.len()];
    for row in rows {
        if row.len() != sums.len() {
            return None;
        }
        sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    }
    Some(sums.into_iter().map(|sum| sum / rows.len() as f64).collect())
}
