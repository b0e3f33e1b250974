//! How often chance alone gives a correlation as large.

use rand::seq::SliceRandom as _;

use super::bootstrap::SEED;
use super::correlation::{Coefficient, ranks};
use crate::seed::generator;

/// Random permutations behind a p-value; with few pairs all permutations are tried instead.
pub const PERMUTATIONS: usize = 9_999;
/// Pairs up to which all permutations are tried: 5040.
const ALL_UP_TO: usize = 7;

/// Two-sided p-value of a coefficient: the share of permutations of y that give one at least as large in absolute value.
///
/// Random permutations count the observed order as one of them, so that the value is never 0. None where the
/// coefficient is not defined, or with fewer than four pairs, of which none could be unlikely.
pub fn permutation_p(coefficient: Coefficient, x: &[f64], y: &[f64]) -> Option<f64> {
    let n = x.len();
    let observed = coefficient.of(x, y)?.abs();
    if n < 4 {
        return None;
    }
    // Ranks of permuted values are permuted ranks.
    let (coefficient, x, mut y) = match coefficient {
        Coefficient::Spearman => (Coefficient::Pearson, ranks(x), ranks(y)),
        other => (other, x.to_vec(), y.to_vec()),
    };
    let is_as_large = |y: &[f64]| coefficient.of(&x, y).is_some_and(|value| value.abs() >= observed - 1e-12);
    if n <= ALL_UP_TO {
        let (mut large, mut all) = (0usize, 0usize);
        permuted(&mut y, n, &mut |y| {
            all += 1;
            large += usize::from(is_as_large(y));
        });
        return Some(large as f64 / all as f64);
    }
    let mut random = generator(SEED, "permutation", &[]);
    let mut large = 1;
    for _ in 0..PERMUTATIONS {
        y.shuffle(&mut random);
        large += usize::from(is_as_large(&y));
    }
    Some(large as f64 / (PERMUTATIONS + 1) as f64)
}

/// Calls `visit` with every order of the first `count` values (Heap's algorithm).
fn permuted(values: &mut [f64], count: usize, visit: &mut dyn FnMut(&[f64])) {
    if count <= 1 {
        return visit(values);
    }
    for i in 0..count {
        permuted(values, count - 1, visit);
        let other = if count.is_multiple_of(2) { i } else { 0 };
        if i + 1 < count {
            values.swap(other, count - 1);
        }
    }
}
