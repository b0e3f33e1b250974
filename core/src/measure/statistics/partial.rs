//! How two quantities go together when others are held fixed.

use serde::{Deserialize, Serialize};

use super::correlation::{fisher, pearson, ranks};
use super::{Interval, mean};

/// Correlations of what is left of two quantities once others are regressed out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Partial {
    /// What is held fixed.
    pub given: String,
    /// Pairs.
    pub n: usize,
    /// Numbers that are held fixed; of groups their number minus one.
    pub fixed: usize,
    /// Pearson's r of the residuals.
    pub pearson: f64,
    /// Its interval by Fisher's transformation with `n - fixed` pairs; absent for fewer than four of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pearson_interval: Option<Interval>,
    /// Pearson's r of the residuals of ranks: Spearman's partial correlation.
    pub spearman: f64,
    /// Its interval, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spearman_interval: Option<Interval>,
}

/// Partial correlations of x and y given the columns, of which `ranked` ones are replaced by their ranks for Spearman's.
///
/// None with fewer than `columns + 3` pairs, or where nothing is left of x or y.
pub fn partial(x: &[f64], y: &[f64], given: &str, columns: &[Vec<f64>], ranked: bool) -> Option<Partial> {
    let n = x.len();
    let fixed = independent(columns, n);
    if n < fixed + 3 {
        return None;
    }
    let of = |x: &[f64], y: &[f64], columns: &[Vec<f64>]| {
        let (rx, ry) = (residuals(x, columns), residuals(y, columns));
        // What is left of a number that the columns explain is rounding.
        let vanishes = |values: &[f64], left: &[f64]| {
            let size = |v: &[f64]| v.iter().map(|v| v * v).sum::<f64>();
            size(left) <= 1e-20 * size(values)
        };
        if vanishes(x, &rx) || vanishes(y, &ry) { None } else { pearson(&rx, &ry) }
    };
    let of_ranks: Vec<Vec<f64>> =
        if ranked { columns.iter().map(|column| ranks(column)).collect() } else { columns.to_vec() };
    let (pearson, spearman) = (of(x, y, columns)?, of(&ranks(x), &ranks(y), &of_ranks)?);
    Some(Partial {
        given: given.to_owned(),
        n,
        fixed,
        pearson,
        pearson_interval: fisher(pearson, n - fixed),
        spearman,
        spearman_interval: fisher(spearman, n - fixed),
    })
}

/// What is left of `values` once a constant and the columns are regressed out by least squares.
pub fn residuals(values: &[f64], columns: &[Vec<f64>]) -> Vec<f64> {
    let mut left = centred(values);
    for direction in basis(columns) {
        let along: f64 = direction.iter().zip(&left).map(|(d, v)| d * v).sum();
        left.iter_mut().zip(&direction).for_each(|(v, d)| *v -= along * d);
    }
    left
}

/// A column of zeros and ones for every group but the first, in the order of their first member.
pub fn dummies<T: PartialEq>(groups: &[T]) -> Vec<Vec<f64>> {
    let mut known: Vec<&T> = Vec::new();
    for group in groups {
        if !known.contains(&group) {
            known.push(group);
        }
    }
    let column = |one: &&T| groups.iter().map(|group| f64::from(u8::from(group == *one))).collect();
    known.iter().skip(1).map(column).collect()
}

fn centred(values: &[f64]) -> Vec<f64> {
    let centre = mean(values);
    values.iter().map(|value| value - centre).collect()
}

/// Orthonormal directions of the centred columns, without those that others already span.
fn basis(columns: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let mut basis: Vec<Vec<f64>> = Vec::new();
    for column in columns {
        let mut left = centred(column);
        let size = |v: &[f64]| v.iter().map(|v| v * v).sum::<f64>().sqrt();
        let whole = size(&left);
        // Twice is enough to be orthogonal to rounding.
        for _ in 0..2 {
            for direction in &basis {
                let along: f64 = direction.iter().zip(&left).map(|(d, v)| d * v).sum();
                left.iter_mut().zip(direction).for_each(|(v, d)| *v -= along * d);
            }
        }
        let rest = size(&left);
        if rest > 1e-10 * whole {
            basis.push(left.into_iter().map(|v| v / rest).collect());
        }
    }
    basis
}

fn independent(columns: &[Vec<f64>], n: usize) -> usize {
    if n == 0 { 0 } else { basis(columns).len() }
}
