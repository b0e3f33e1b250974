//! Correlation coefficients of pairs of numbers.

use serde::{Deserialize, Serialize};

use super::{Interval, NORMAL_QUANTILE, mean};

/// A correlation coefficient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Coefficient {
    /// Pearson's r: how close to a straight line.
    Pearson,
    /// Spearman's rho: Pearson's r of the ranks, ties averaged.
    Spearman,
    /// Kendall's tau-b: concordant minus discordant pairs, corrected for ties.
    Kendall,
}

impl Coefficient {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Pearson, Self::Spearman, Self::Kendall];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pearson => "Pearson",
            Self::Spearman => "Spearman",
            Self::Kendall => "Kendall",
        }
    }

    /// Its value; none with fewer than two pairs, or where one quantity does not vary.
    pub fn of(self, x: &[f64], y: &[f64]) -> Option<f64> {
        match self {
            Self::Pearson => pearson(x, y),
            Self::Spearman => spearman(x, y),
            Self::Kendall => kendall(x, y),
        }
    }
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
///
/// Pairs are counted by a merge sort (Knight 1966), in the order of `n log n`.
pub fn kendall(x: &[f64], y: &[f64]) -> Option<f64> {
    if x.len() < 2 || x.len() != y.len() {
        return None;
    }
    let mut pairs: Vec<(f64, f64)> = x.iter().copied().zip(y.iter().copied()).collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let all = pairs_of(x.len());
    let tied_x = ties(pairs.iter().map(|pair| pair.0));
    // Adding zero makes one of the two zeros.
    let tied_both = ties_by(pairs.iter().map(|pair| (pair.0 + 0.0, pair.1 + 0.0)));
    let mut sorted: Vec<f64> = pairs.iter().map(|pair| pair.1).collect();
    let discordant = inversions(&mut sorted);
    let tied_y = ties(sorted.into_iter());
    let (untied_x, untied_y) = ((all - tied_x) as f64, (all - tied_y) as f64);
    let balance = all as f64 - tied_x as f64 - tied_y as f64 + tied_both as f64 - 2.0 * discordant as f64;
    (untied_x > 0.0 && untied_y > 0.0).then(|| (balance / (untied_x * untied_y).sqrt()).clamp(-1.0, 1.0))
}

fn pairs_of(count: usize) -> u64 {
    let count = count as u64;
    count * count.saturating_sub(1) / 2
}

/// Pairs of equal values among sorted ones.
fn ties(sorted: impl Iterator<Item = f64>) -> u64 {
    ties_by(sorted.map(|value| value + 0.0))
}

fn ties_by<T: PartialEq>(sorted: impl Iterator<Item = T>) -> u64 {
    let (mut pairs, mut run) = (0, 0);
    let mut before = None;
    for value in sorted {
        if before.as_ref() != Some(&value) {
            run = 0;
        }
        pairs += run;
        run += 1;
        before = Some(value);
    }
    pairs
}

/// Sorts the values; how many pairs were in the wrong order.
fn inversions(values: &mut [f64]) -> u64 {
    let middle = values.len() / 2;
    if middle == 0 {
        return 0;
    }
    let (left, right) = values.split_at_mut(middle);
    let mut count = inversions(left) + inversions(right);
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut i, mut j) = (0, 0);
    while i < left.len() && j < right.len() {
        if right[j] < left[i] {
            count += (left.len() - i) as u64;
            merged.push(right[j]);
            j += 1;
        } else {
            merged.push(left[i]);
            i += 1;
        }
    }
    merged.extend_from_slice(&left[i..]);
    merged.extend_from_slice(&right[j..]);
    values.copy_from_slice(&merged);
    count
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

/// Interval of a correlation of `n` pairs: normal after Fisher's transformation, with variance `1 / (n - 3)`.
///
/// That of a perfect one would be a point, however few the pairs: it says nothing and is none.
pub fn fisher(r: f64, n: usize) -> Option<Interval> {
    if n < 4 || r.abs() > 1.0 - 1e-12 {
        return None;
    }
    let width = NORMAL_QUANTILE / ((n - 3) as f64).sqrt();
    Some(Interval { low: (r.atanh() - width).tanh(), high: (r.atanh() + width).tanh() })
}

/// Sums of squares and products about the means: `xx`, `xy`, `yy`; none with fewer than two pairs.
pub(super) fn moments(x: &[f64], y: &[f64]) -> Option<(f64, f64, f64)> {
    if x.len() < 2 || x.len() != y.len() {
        return None;
    }
    let (mx, my) = (mean(x), mean(y));
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in x.iter().zip(y) {
        let (dx, dy) = (x - mx, y - my);
        xx += dx * dx;
        xy += dx * dy;
        yy += dy * dy;
    }
    Some((xx, xy, yy))
}
