//! A spectral density from quadratures of several random vectors.

use std::f64::consts::TAU;

use super::outcome::{Density, Quadrature};

/// Points of the density.
const POINTS: usize = 400;
/// Standard deviation of the smoothing, as a share of the spectrum's extent.
const WIDTH: f64 = 0.01;

/// The mean over vectors, with one standard error to both sides; none of fewer than two vectors.
pub fn density(vectors: Vec<Quadrature>) -> Option<Density> {
    if vectors.len() < 2 {
        return None;
    }
    let nodes = || vectors.iter().flat_map(|vector| vector.nodes.iter().copied());
    let (low, high) = (nodes().fold(f64::INFINITY, f64::min), nodes().fold(f64::NEG_INFINITY, f64::max));
    let extent = (high - low).max(1e-12 * low.abs().max(high.abs())).max(f64::MIN_POSITIVE.sqrt());
    let (width, margin) = (WIDTH * extent, 4.0 * WIDTH * extent);
    let step = (extent + 2.0 * margin) / (POINTS - 1) as f64;
    let x: Vec<f64> = (0..POINTS).map(|at| low - margin + step * at as f64).collect();
    let count = vectors.len() as f64;
    let at = |x: f64| {
        let values: Vec<f64> = vectors.iter().map(|vector| smoothed(vector, x, width)).collect();
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
        (mean, (variance / count).sqrt())
    };
    let (y, errors): (Vec<f64>, Vec<f64>) = x.iter().map(|x| at(*x)).unzip();
    let pairs = || y.iter().zip(&errors);
    let low = pairs().map(|(y, error)| (y - error).max(0.0)).collect();
    let high = pairs().map(|(y, error)| y + error).collect();
    Some(Density { low, high, x, y, width, vectors })
}

/// Density of one quadrature.
fn smoothed(vector: &Quadrature, x: f64, width: f64) -> f64 {
    let parts = vector.nodes.iter().zip(&vector.weights);
    let scale = (TAU.sqrt() * width).recip();
    parts.map(|(node, weight)| weight * scale * (-0.5 * ((x - node) / width).powi(2)).exp()).sum()
}
