//! Receiver operating characteristic: how well the confidence tells two kinds of examples apart.

/// The curve, as scikit-learn gives it: thresholds descend, points on a straight line between their neighbours
/// are left out, and the first point accepts nothing (its threshold is infinite).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Roc {
    /// Share of negatives accepted; empty without negatives.
    pub false_positive_rate: Vec<f64>,
    /// Share of positives accepted.
    pub true_positive_rate: Vec<f64>,
    /// Scores of at least this are accepted.
    pub threshold: Vec<f32>,
    /// Area under the curve; 1 with one kind only.
    pub area: f64,
}

/// The curve for the scores of positives and negatives.
pub fn roc(positives: &[f32], negatives: &[f32]) -> Roc {
    if positives.is_empty() || negatives.is_empty() {
        return Roc { area: 1.0, ..Roc::default() };
    }
    let mut scores: Vec<(f32, bool)> =
        positives.iter().map(|s| (*s, true)).chain(negatives.iter().map(|s| (*s, false))).collect();
    scores.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut points: Vec<(i64, i64, f32)> = Vec::new();
    let (mut accepted, mut wrongly) = (0, 0);
    for (score, positive) in &scores {
        if *positive {
            accepted += 1;
        } else {
            wrongly += 1;
        }
        match points.last_mut() {
            Some(last) if last.2 == *score => *last = (wrongly, accepted, *score),
            _ => points.push((wrongly, accepted, *score)),
        }
    }
    let corners: Vec<_> = (0..points.len())
        .filter(|i| *i == 0 || *i + 1 == points.len() || is_corner(&points[i - 1..=i + 1]))
        .map(|i| points[i])
        .collect();
    let start = (0, 0, f32::INFINITY);
    let rates: Vec<(f64, f64)> = std::iter::once(&start)
        .chain(&corners)
        .map(|(x, y, _)| (*x as f64 / negatives.len() as f64, *y as f64 / positives.len() as f64))
        .collect();
    let area = rates.windows(2).map(|w| (w[1].0 - w[0].0) * (w[1].1 + w[0].1) / 2.0).sum();
    Roc {
        false_positive_rate: rates.iter().map(|r| r.0).collect(),
        true_positive_rate: rates.iter().map(|r| r.1).collect(),
        threshold: std::iter::once(&start).chain(&corners).map(|point| point.2).collect(),
        area,
    }
}

/// Whether the steps before and after the middle point differ.
fn is_corner(three: &[(i64, i64, f32)]) -> bool {
    let step = |i: usize| (three[i + 1].0 - three[i].0, three[i + 1].1 - three[i].1);
    step(0) != step(1)
}
