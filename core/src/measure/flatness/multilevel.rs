//! The mean over draws, from few that are measured well and many that are measured cheaply (control variates).
//!
//! A draw's rise in loss under the full attack goes with its rise under the first steps of that attack, and this with its
//! rise on clean images. Multilevel Monte Carlo (Giles, "Multilevel Monte Carlo path simulation", 2008) with fitted
//! coefficients and nested draws (Peherstorfer, Willcox and Gunzburger, "Optimal model management for multifidelity Monte
//! Carlo estimation", 2016):
//!
//! `mean_full(Y2) + a (mean_short(Y1) - mean_full(Y1)) + a b (mean_clean(Y0) - mean_short(Y0))`
//!
//! with `Y2`, `Y1`, `Y0` the rises on the three levels, each mean over the draws of the level in its name. The draws of a
//! level are the first ones of those of the next cheaper level.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::measure::statistics::{
    Interval, Part, interval_of_parts, mean, pearson, skewness, standard_deviation,
};

/// Draws that a slope is fitted to, at least; of fewer it is 1, as in plain multilevel Monte Carlo.
const FEWEST: usize = 5;
/// A fitted slope is drawn towards 1 as if this many draws more had it.
const PRIOR: f64 = 2.0;

/// How many draws are measured on each level: the first `full` of the first `short` of `clean`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Numbers {
    /// Under the full attack.
    pub full: usize,
    /// Under its first steps.
    pub short: usize,
    /// On clean images.
    pub clean: usize,
}

impl Numbers {
    /// No more draws on cheap levels than under the full attack.
    pub fn plain(draws: usize) -> Self {
        Self { full: draws, short: draws, clean: draws }
    }

    /// The larger of each.
    pub fn or_more(self, other: Self) -> Self {
        Self {
            full: self.full.max(other.full),
            short: self.short.max(other.short),
            clean: self.clean.max(other.clean),
        }
    }
}

/// What one draw costs on each level, in any unit: the more expensive levels measure the cheaper ones along.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Costs {
    /// Under the full attack, were there no cheap levels.
    pub alone: f64,
    /// Under the full attack and the cheap levels.
    pub full: f64,
    /// Under its first steps.
    pub short: f64,
    /// On clean images.
    pub clean: f64,
}

impl Costs {
    /// Passes through the network: 1 forward, 2 more for the gradient of the inputs. Making a perturbed network counts as
    /// half a pass.
    pub fn of_attack(steps: usize, short: usize, restarts: usize) -> Self {
        let attack = |steps: usize| (restarts * (3 * steps + 2)) as f64;
        Self {
            alone: attack(steps),
            // What it takes to look at the first steps as well: a pass for each restart.
            full: attack(steps) + restarts as f64 + 1.5,
            short: attack(short) + 1.5,
            clean: 1.5,
        }
    }

    /// Numbers of draws whose cheap levels take at most a third more than `full` draws under the full attack alone: half
    /// of it each for short attacks and clean images.
    pub fn numbers(&self, full: usize) -> Numbers {
        let along = self.full - self.alone;
        let budget = full as f64 * (self.alone / 3.0 - along).max(0.0);
        let short = full + (0.5 * budget / self.short) as usize;
        let rest = budget - (short - full) as f64 * self.short;
        Numbers { full, short, clean: short + (rest / self.clean) as usize }
    }
}

/// A multilevel estimate of a mean over draws and examples.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// The mean.
    pub value: f64,
    /// Parts of its variance over draws, one per level that has draws of its own.
    pub draws: Vec<Part>,
    /// Its variance over examples.
    pub examples: Option<Part>,
    /// Mean coefficient of the short attack, `a`.
    pub short: f64,
    /// Mean coefficient of clean images, `a b`.
    pub clean: f64,
    /// Pearson correlation over draws of the full attack with the short one; absent for fewer than two draws.
    pub short_correlation: Option<f64>,
    /// The same with clean images.
    pub clean_correlation: Option<f64>,
    /// Contribution of every draw, of mean 0: what the variance over draws is computed from.
    pub contributions: Contributions,
    /// The mean of every example.
    pub columns: Vec<f64>,
}

/// What single draws contribute to the deviation of an estimate, by the most expensive level that has them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Contributions {
    /// Of the draws under the full attack.
    pub full: Vec<f64>,
    /// Of all draws of the short attack, with the weights of those that only it has; and how many these are.
    pub short: (Vec<f64>, usize),
    /// Of all draws on clean images, with the weights of those that have nothing else; and how many these are.
    pub clean: (Vec<f64>, usize),
}

impl Contributions {
    /// Variances of the sums. None with a single draw on a level that counts.
    pub fn parts(&self) -> Option<Vec<Part>> {
        let part = |values: &[f64], count: usize| {
            let variance = count as f64 * standard_deviation(values)?.powi(2);
            Some(Part { variance, freedom: values.len() - 1, skewness: skewness(values) })
        };
        let mut parts = vec![part(&self.full, self.full.len())?];
        for (values, count) in [&self.short, &self.clean] {
            if *count > 0 {
                parts.push(part(values, *count)?);
            }
        }
        Some(parts)
    }
}

impl Estimate {
    /// Standard error over draws; none if a level has a single draw.
    pub fn standard_error(&self) -> Option<f64> {
        let sum: f64 = self.draws.iter().map(|part| part.variance).sum();
        (!self.draws.is_empty()).then(|| sum.sqrt())
    }

    /// 95 % interval over draws and examples.
    pub fn interval(&self) -> Option<Interval> {
        let parts: Vec<Part> = self.draws.iter().copied().chain(self.examples).collect();
        let known = !self.draws.is_empty() && self.examples.is_some();
        known.then(|| interval_of_parts(self.value, &parts)).flatten()
    }
}

/// A table `[draw][example]` of rises in loss.
pub type Table = [Vec<f64>];

/// The estimate from the tables of the three levels. `short` has at least as many draws as `full`, and `clean` as
/// `short`; the draws are the same ones in the same order.
///
/// Coefficients of a draw are fitted to the other draws alone, so that they are independent of it and the estimate is
/// without bias. None without a draw.
pub fn estimate(full: &Table, short: &Table, clean: &Table) -> Option<Estimate> {
    let means = |table: &Table| table.iter().map(|row| mean(row)).collect::<Vec<f64>>();
    let (y2, y1, y0) = (means(full), means(short), means(clean));
    let (n2, n1, n0) = (y2.len(), y1.len(), y0.len());
    if n2 == 0 || n1 < n2 || n0 < n1 {
        return None;
    }
    let a = slopes(&y1[..n2], &y2);
    let b = slopes(&y0[..n1], &y1);
    // The coefficient of clean images where draw `j` is left out of everything that is fitted.
    let ab: Vec<f64> = (0..n1).map(|j| a.without.get(j).unwrap_or(&a.all) * b.without[j]).collect();
    let share = |more: usize, fewer: usize| (more - fewer) as f64 / more as f64;
    let (f, g) = (share(n1, n2), share(n0, n1));
    let (mean_a, mean_ab) = (mean(&a.without), mean(&ab));
    // Weight of every draw on every level: those of one cheap level add up to 0.
    let w2 = vec![1.0 / n2 as f64; n2];
    let inner: Vec<f64> = a.without.iter().map(|a| -f * a / n2 as f64).collect();
    let outer = mean_a / n1 as f64;
    let w1: Vec<f64> = inner.iter().copied().chain((n2..n1).map(|_| outer)).collect();
    let inner: Vec<f64> = ab.iter().map(|ab| -g * ab / n1 as f64).collect();
    let last = mean_ab / n0 as f64;
    let w0: Vec<f64> = inner.iter().copied().chain((n1..n0).map(|_| last)).collect();
    let mut columns = vec![0.0; full[0].len()];
    for (table, weights) in [(full, &w2), (short, &w1), (clean, &w0)] {
        for (row, weight) in table.iter().zip(weights) {
            columns.iter_mut().zip(row).for_each(|(sum, value)| *sum += weight * value);
        }
    }
    let centred = |y: &[f64]| {
        let centre = mean(y);
        y.iter().map(|y| y - centre).collect::<Vec<f64>>()
    };
    let (c2, c1, c0) = (centred(&y2), centred(&y1), centred(&y0));
    let contributions = Contributions {
        full: (0..n2).map(|d| w2[d] * c2[d] + w1[d] * c1[d] + w0[d] * c0[d]).collect(),
        short: ((0..n1).map(|d| outer * c1[d] + w0[d] * c0[d]).collect(), n1 - n2),
        clean: (c0.iter().map(|c| last * c).collect(), n0 - n1),
    };
    Some(Estimate {
        value: mean(&columns),
        draws: contributions.parts().unwrap_or_default(),
        examples: Part::of_mean(&columns),
        short: mean_a,
        clean: mean_ab,
        short_correlation: pearson(&y1[..n2], &y2),
        clean_correlation: pearson(&y0[..n2], &y2),
        contributions,
        columns,
    })
}

/// Slopes of a regression of `y` over `x`.
struct Slopes {
    /// Fitted to all draws.
    all: f64,
    /// Fitted to all draws but the one at that place.
    without: Vec<f64>,
}

fn slopes(x: &[f64], y: &[f64]) -> Slopes {
    let count = x.len();
    if count < FEWEST {
        return Slopes { all: 1.0, without: vec![1.0; count] };
    }
    let n = count as f64;
    let (mx, my) = (mean(x), mean(y));
    let xx: f64 = x.iter().map(|x| (x - mx).powi(2)).sum();
    let xy: f64 = x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum();
    let slope = |xx: f64, xy: f64, n: f64| {
        let prior = PRIOR * xx / (n - 1.0);
        if xx > 0.0 { (xy + prior) / (xx + prior) } else { 1.0 }
    };
    let without = x.iter().zip(y).map(|(x, y)| {
        let (dx, dy) = (x - mx, y - my);
        let factor = n / (n - 1.0);
        slope((xx - factor * dx * dx).max(0.0), xy - factor * dx * dy, n - 1.0)
    });
    Slopes { all: slope(xx, xy, n), without: without.collect() }
}

/// Numbers of draws that reach a standard error at the least cost, given what a first few draws have shown. Never fewer
/// than those that are there.
///
/// `n_l = sqrt(v_l / c_l) sum_k sqrt(v_k c_k) / error^2` with `v_l` the variance that level `l` leaves and `c_l` its cost
/// (Giles 2008, equation 12; Peherstorfer et al. 2016, theorem 3.4).
pub fn numbers_for(error: f64, full: &Table, short: &Table, clean: &Table, costs: Costs) -> Numbers {
    let there = Numbers { full: full.len(), short: short.len(), clean: clean.len() };
    let means = |table: &Table| table.iter().map(|row| mean(row)).collect::<Vec<f64>>();
    let (y2, y1, y0) = (means(full), means(short), means(clean));
    let (a, b) = (slopes(&y1[..y2.len()], &y2), slopes(&y0[..y1.len()], &y1));
    let variance = |values: Vec<f64>| standard_deviation(&values).map_or(0.0, |deviation| deviation.powi(2));
    let rest = |y: &[f64], x: &[f64], slopes: &Slopes| {
        variance(y.iter().zip(x).zip(&slopes.without).map(|((y, x), slope)| y - slope * x).collect())
    };
    let left =
        [rest(&y2, &y1, &a), a.all.powi(2) * rest(&y1, &y0, &b), (a.all * b.all).powi(2) * variance(y0)];
    // What one draw more costs beyond being measured on the next cheaper level.
    let extra = [costs.full - costs.short, costs.short - costs.clean, costs.clean].map(|cost| cost.max(1e-9));
    let sum: f64 = left.iter().zip(extra).map(|(left, extra)| (left * extra).sqrt()).sum();
    let [n2, n1, n0] = std::array::from_fn(|level| {
        let number = (left[level] / extra[level]).sqrt() * sum / (error * error);
        number.ceil().min(1e9) as usize
    });
    Numbers { full: n2, short: n1.max(n2), clean: n0.max(n1).max(n2) }.or_more(there)
}
