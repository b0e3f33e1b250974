//! Intervals by resampling pairs: bias-corrected and accelerated bootstrap (Efron 1987).
//!
//! Of 7 to 30 normal pairs, 91 to 97 % of 95 % intervals of Pearson's r hold the true value (400 simulations each).

use rand::Rng as _;
use statrs::distribution::{ContinuousCDF as _, Normal};

use super::correlation::Coefficient;
use super::{Interval, LEVEL, mean, quantile};
use crate::seed::{generator, normal};

/// Resamples behind every interval.
pub const RESAMPLES: usize = 5_000;
/// Pairs below which nothing is resampled.
pub const FEWEST: usize = 5;
/// Seed of resamples and permutations: the same numbers give the same intervals.
pub(super) const SEED: u64 = 0;
/// Resamples in which a coefficient must exist for its interval to be told, as a share.
const DEFINED: f64 = 0.9;

/// The BCa interval of an estimate from its values in resamples and without one observation each (`jackknife`).
///
/// As `scipy.stats.bootstrap` has it: ties with the estimate count half in the bias correction, and quantiles are
/// interpolated linearly. None where the estimate never varies, or lies outside of all resamples.
pub fn bca(estimate: f64, resampled: &[f64], jackknife: &[f64]) -> Option<Interval> {
    let standard = Normal::standard();
    let (below, equal) = resampled.iter().fold((0usize, 0usize), |(below, equal), value| {
        (below + usize::from(*value < estimate), equal + usize::from(*value == estimate))
    });
    let share = (below as f64 + equal as f64 / 2.0) / resampled.len() as f64;
    if !(share > 0.0 && share < 1.0) || resampled.iter().all(|value| *value == resampled[0]) {
        return None;
    }
    let bias = standard.inverse_cdf(share);
    let centre = mean(jackknife);
    let powers = |power: i32| jackknife.iter().map(|value| (centre - value).powi(power)).sum::<f64>();
    let squares = powers(2);
    let acceleration = if squares > 0.0 { powers(3) / (6.0 * squares.powf(1.5)) } else { 0.0 };
    let end = |tail: f64| {
        let z = bias + standard.inverse_cdf(tail);
        let scale = 1.0 - acceleration * z;
        (scale > 0.0).then(|| quantile(resampled, standard.cdf(bias + z / scale))).flatten()
    };
    let tail = (1.0 - LEVEL) / 2.0;
    Some(Interval { low: end(tail)?, high: end(1.0 - tail)? })
}

/// Values of several coefficients of pairs in `RESAMPLES` resamples; where one is not defined, that resample is left out.
///
/// `errors` are standard errors of x and y: then each number of a resample is drawn anew from a normal distribution
/// around it.
pub(super) fn resampled<const K: usize>(
    x: &[f64],
    y: &[f64],
    errors: Option<[&[f64]; 2]>,
    coefficients: [Coefficient; K],
) -> [Option<Vec<f64>>; K] {
    let n = x.len();
    let mut values: [Vec<f64>; K] = std::array::from_fn(|_| Vec::with_capacity(RESAMPLES));
    let (mut xs, mut ys) = (vec![0.0; n], vec![0.0; n]);
    let mut draws = generator(SEED, "bootstrap", &[]);
    let mut noise = generator(SEED, "measurement error", &[]);
    for _ in 0..RESAMPLES {
        let around = errors.map(|_| normal(&mut noise, 2 * n));
        for i in 0..n {
            let from = draws.random_range(0..n);
            (xs[i], ys[i]) = (x[from], y[from]);
            if let (Some([of_x, of_y]), Some(around)) = (errors, &around) {
                xs[i] += of_x[from] * f64::from(around[2 * i]);
                ys[i] += of_y[from] * f64::from(around[2 * i + 1]);
            }
        }
        for (values, coefficient) in values.iter_mut().zip(coefficients) {
            values.extend(coefficient.of(&xs, &ys));
        }
    }
    values.map(|values| (values.len() as f64 >= DEFINED * RESAMPLES as f64).then_some(values))
}
