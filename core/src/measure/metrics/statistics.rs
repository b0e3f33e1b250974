//! One number for several evaluations, of which some may be missing.

use super::mean;
use crate::measure::statistics::quantile;

/// How values become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reduction {
    /// Arithmetic mean.
    Mean,
    /// Middle value.
    Median,
    /// Smallest.
    Smallest,
    /// Largest.
    Largest,
    /// Standard deviation, divided by the number of values minus this (0 or 1).
    Deviation(u8),
}

/// Several evaluations of the same kind, such as one per weight perturbation.
#[derive(Debug, Clone, PartialEq)]
pub struct Statistics<E>(pub Vec<Option<E>>);

impl<E> Statistics<E> {
    /// The reduced `metric`, and how many evaluations it is made of: those that are there and have the metric.
    /// None if there are none.
    pub fn of(&self, metric: impl Fn(&E) -> Option<f64>, reduction: Reduction) -> Option<(f64, usize)> {
        let values: Vec<f64> = self.0.iter().flatten().filter_map(metric).collect();
        let center = mean(values.iter().copied())?;
        let value = match reduction {
            Reduction::Mean => center,
            Reduction::Median => quantile(&values, 0.5)?,
            Reduction::Smallest => values.iter().copied().fold(f64::INFINITY, f64::min),
            Reduction::Largest => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            Reduction::Deviation(lost) => {
                let left = values.len().checked_sub(usize::from(lost)).filter(|left| *left > 0)?;
                (values.iter().map(|v| (v - center).powi(2)).sum::<f64>() / left as f64).sqrt()
            }
        };
        Some((value, values.len()))
    }
}
