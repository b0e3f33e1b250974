//! Interleaved pairs and medians.

use std::time::Instant;

/// Medians in seconds, and the median of the ratios pair by pair.
pub struct Outcome {
    /// Our way.
    pub ours: f64,
    /// The naive way.
    pub naive: f64,
    /// How many times faster ours is.
    pub ratio: f64,
}

/// Median of some numbers.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    if n % 2 == 1 { values[n / 2] } else { f64::midpoint(values[n / 2 - 1], values[n / 2]) }
}

/// Seconds of one call.
pub fn seconds(f: &mut dyn FnMut()) -> f64 {
    let begun = Instant::now();
    f();
    begun.elapsed().as_secs_f64()
}

/// Times several ways in turn, `rounds` times after one round to warm up; the times of each way, in rounds.
pub fn interleave(rounds: usize, ways: &mut [&mut dyn FnMut()]) -> Vec<Vec<f64>> {
    let mut times = vec![Vec::new(); ways.len()];
    for round in 0..=rounds {
        for (way, times) in ways.iter_mut().zip(&mut times) {
            let elapsed = seconds(*way);
            if round > 0 {
                times.push(elapsed);
            }
        }
    }
    times
}

/// Compares one way with the naive one, given their times in rounds.
pub fn compare(ours: &[f64], naive: &[f64]) -> Outcome {
    let ratios = naive.iter().zip(ours).map(|(n, o)| n / o).collect();
    Outcome { ours: median(ours.to_vec()), naive: median(naive.to_vec()), ratio: median(ratios) }
}
