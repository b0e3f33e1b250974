//! The least squares line and what is known of it.

use serde::{Deserialize, Serialize};

use super::correlation::moments;
use super::{Interval, mean, student_quantile};

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

/// The least squares line of y over x, with what its confidence band needs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Fit {
    /// The line.
    #[serde(flatten)]
    pub line: Line,
    /// Interval of the slope; absent for fewer than three pairs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slope_interval: Option<Interval>,
    /// Standard deviation of y about the line, with divisor `n - 2`; absent for fewer than three pairs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub residual_deviation: Option<f64>,
    /// Pairs.
    pub n: usize,
    /// Mean of x.
    pub mean_x: f64,
    /// Sum of squares of x about its mean.
    pub squares_x: f64,
}

impl Fit {
    /// The line through these pairs; none with fewer than two, or one `x` only.
    pub fn of(x: &[f64], y: &[f64]) -> Option<Self> {
        let (xx, xy, _) = moments(x, y)?;
        if xx <= 0.0 {
            return None;
        }
        let slope = xy / xx;
        let line = Line { intercept: mean(y) - slope * mean(x), slope };
        let squares: f64 = x.iter().zip(y).map(|(x, y)| (y - line.at(*x)).powi(2)).sum();
        let n = x.len();
        let freedom = n - 2;
        let residual_deviation = (freedom > 0).then(|| (squares / freedom as f64).sqrt());
        let half = residual_deviation.and_then(|s| Some(student_quantile(freedom)? * s / xx.sqrt()));
        let slope_interval = half.map(|half| Interval { low: slope - half, high: slope + half });
        Some(Self { line, slope_interval, residual_deviation, n, mean_x: mean(x), squares_x: xx })
    }

    /// Interval of the mean of y at `x`: of the line, not of single points. None for fewer than three pairs.
    pub fn band(&self, x: f64) -> Option<Interval> {
        let scale = student_quantile(self.n.checked_sub(2)?)? * self.residual_deviation?;
        let half = scale * (1.0 / self.n as f64 + (x - self.mean_x).powi(2) / self.squares_x).sqrt();
        let middle = self.line.at(x);
        Some(Interval { low: middle - half, high: middle + half })
    }
}
