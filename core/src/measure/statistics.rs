//! Statistics of plain numbers: means and their uncertainty, and how two quantities go together.
//!
//! Intervals are at the 95 % level. Nothing here knows what the numbers are.

use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Share of the distribution inside every interval.
pub const LEVEL: f64 = 0.95;
/// Resamples of a bootstrap interval: its ends are then known to about 3 % of its width.
pub const RESAMPLES: usize = 2000;
/// The 97.5 % quantile of the standard normal distribution.
const NORMAL_QUANTILE: f64 = 1.959_963_984_540_054;

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

/// The `share` quantile (0 to 1) with linear interpolation between order statistics; none of nothing.
pub fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let position = share.clamp(0.0, 1.0) * sorted.len().checked_sub(1)? as f64;
    let (below, part) = (position.floor() as usize, position.fract());
    let above = (below + 1).min(sorted.len() - 1);
    Some(sorted[below] + part * (sorted[above] - sorted[below]))
}

/// Percentile interval of `statistic`, computed on [`RESAMPLES`] resamples drawn by itself from the generator.
///
/// Resamples on which it is not finite are left out; none if that leaves fewer than two.
pub fn bootstrap(
    rng: &mut ChaCha8Rng,
    mut statistic: impl FnMut(&mut ChaCha8Rng) -> f64,
) -> Option<Interval> {
    let values: Vec<f64> = (0..RESAMPLES).map(|_| statistic(rng)).filter(|v| v.is_finite()).collect();
    let tail = (1.0 - LEVEL) / 2.0;
    (values.len() > 1)
        .then(|| Some(Interval { low: quantile(&values, tail)?, high: quantile(&values, 1.0 - tail)? }))?
}

/// `count` indices below `count`, drawn with replacement.
pub fn resample(rng: &mut ChaCha8Rng, count: usize) -> Vec<usize> {
    (0..count).map(|_| rng.random_range(0..count)).collect()
}

/// What is made of several draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// Their mean: the average case.
    Mean,
    /// Their largest: the worst case.
    Worst,
}

/// Bootstrap interval over draws and examples of a table `[draw][example]`: each resample draws rows and,
/// independently, columns with replacement, takes the mean of each row, and of these the mean or the largest.
///
/// For flatness the entries are the loss of the example under the draw minus its reference loss, so that the
/// examples' common part drops out. Resampling both is slightly wide rather than narrow (Owen, "The pigeonhole
/// bootstrap", 2007). The largest of resampled draws never exceeds the largest of all on the same examples, so
/// that interval leans low. None for an empty table, rows of unequal length, or a single number.
pub fn bootstrap_table(rows: &[Vec<f64>], over: Over, rng: &mut ChaCha8Rng) -> Option<Interval> {
    let examples = rows.first()?.len();
    if examples == 0 || rows.iter().any(|row| row.len() != examples) || rows.len() * examples < 2 {
        return None;
    }
    bootstrap(rng, |rng| {
        let mut weights = vec![0.0; examples];
        resample(rng, examples).into_iter().for_each(|column| weights[column] += 1.0);
        let mut means: Vec<Option<f64>> = vec![None; rows.len()];
        let drawn = resample(rng, rows.len()).into_iter().map(|row| {
            *means[row].get_or_insert_with(|| {
                rows[row].iter().zip(&weights).map(|(value, weight)| value * weight).sum::<f64>()
                    / examples as f64
            })
        });
        match over {
            Over::Mean => drawn.sum::<f64>() / rows.len() as f64,
            Over::Worst => drawn.fold(f64::NEG_INFINITY, f64::max),
        }
    })
}

/// A straight line `intercept + slope * x`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Value at `x = 0`.
    pub intercept: f64,
    /// Change per unit of `x`.
    pub slope: f64,
}

impl Line {
    /// Value at `x`.
    pub fn at(&self, x: f64) -> f64 {
        self.intercept + self.slope * x
    }
}

/// How two quantities go together over `n` pairs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Correlation {
    /// Pairs in which both numbers are finite.
    pub n: usize,
    /// Pearson's r.
    pub pearson: f64,
    /// Interval of Pearson's r by Fisher's transformation; none for fewer than four pairs or an r of 1 or -1.
    pub pearson_interval: Option<Interval>,
    /// Spearman's rho, ties averaged.
    pub spearman: f64,
    /// Interval of Spearman's rho (Bonett and Wright 2000); none for fewer than four pairs or a rho of 1 or -1.
    pub spearman_interval: Option<Interval>,
    /// Kendall's tau-b.
    pub kendall: f64,
    /// Least squares line of y over x.
    pub line: Line,
}

/// Correlations of `x` and `y`; pairs with a number that is not finite are left out.
///
/// None with fewer than two pairs, or where one quantity is the same in all of them.
pub fn correlate(x: &[f64], y: &[f64]) -> Option<Correlation> {
    let (x, y): (Vec<f64>, Vec<f64>) =
        x.iter().zip(y).filter(|(x, y)| x.is_finite() && y.is_finite()).map(|(x, y)| (*x, *y)).unzip();
    let pearson = pearson(&x, &y)?;
    let spearman = self::pearson(&ranks(&x), &ranks(&y))?;
    let n = x.len();
    Some(Correlation {
        n,
        pearson,
        pearson_interval: fisher(pearson, n, 1.0),
        spearman,
        spearman_interval: fisher(spearman, n, 1.0 + spearman * spearman / 2.0),
        kendall: kendall(&x, &y)?,
        line: least_squares(&x, &y)?,
    })
}

/// Pearson's r; none with fewer than two pairs or without variation.
pub fn pearson(x: &[f64], y: &[f64]) -> Option<f64> {
    let (xx, xy, yy) = moments(x, y)?;
    let scale = (xx * yy).sqrt();
    (scale > 0.0).then(|| (xy / scale).clamp(-1.0, 1.0))
}

/// Spearman's rho with averaged ranks of ties; none with fewer than two pairs or without variation.
pub fn spearman(x: &[f64], y: &[f64]) -> Option<f64> {
    pearson(&ranks(x), &ranks(y))
}

/// Kendall's tau-b: concordant minus discordant pairs over the geometric mean of the pairs not tied in x and in y.
pub fn kendall(x: &[f64], y: &[f64]) -> Option<f64> {
    let (mut balance, mut untied_x, mut untied_y) = (0i64, 0i64, 0i64);
    for i in 0..x.len().min(y.len()) {
        for j in 0..i {
            let (a, b) = (order(x[i], x[j]), order(y[i], y[j]));
            balance += a * b;
            untied_x += a.abs();
            untied_y += b.abs();
        }
    }
    (untied_x > 0 && untied_y > 0).then(|| balance as f64 / ((untied_x as f64) * (untied_y as f64)).sqrt())
}

/// Least squares line of `y` over `x`; none with fewer than two pairs or one `x` only.
pub fn least_squares(x: &[f64], y: &[f64]) -> Option<Line> {
    let (xx, xy, _) = moments(x, y)?;
    (xx > 0.0).then(|| {
        let slope = xy / xx;
        Line { intercept: mean(y) - slope * mean(x), slope }
    })
}

/// Ranks from 1; equal values get the mean of their ranks.
pub fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut from = 0;
    while from < order.len() {
        let value = values[order[from]];
        let to = from + order[from..].iter().take_while(|i| values[**i] == value).count().max(1);
        order[from..to].iter().for_each(|i| ranks[*i] = (from + 1 + to) as f64 / 2.0);
        from = to;
    }
    ranks
}

/// Interval of a correlation: normal after Fisher's transformation, with variance `factor / (n - 3)`. That of a perfect
/// one would be a point, however few the pairs: it says nothing and is none.
fn fisher(r: f64, n: usize, factor: f64) -> Option<Interval> {
    if n < 4 || r.abs() > 1.0 - 1e-12 {
        return None;
    }
    let width = NORMAL_QUANTILE * (factor / (n - 3) as f64).sqrt();
    Some(Interval { low: (r.atanh() - width).tanh(), high: (r.atanh() + width).tanh() })
}

/// Sums of squares and products about the means.
fn moments(x: &[f64], y: &[f64]) -> Option<(f64, f64, f64)> {
    if x.len() < 2 || x.len() != y.len() {
        return None;
    }
    let (mx, my) = (mean(x), mean(y));
    let sum =
        |term: &dyn Fn(f64, f64) -> f64| -> f64 { x.iter().zip(y).map(|(x, y)| term(x - mx, y - my)).sum() };
    Some((sum(&|x, _| x * x), sum(&|x, y| x * y), sum(&|_, y| y * y)))
}

fn order(a: f64, b: f64) -> i64 {
    i64::from(a > b) - i64::from(a < b)
}
