//! How often 95 % intervals hold the truth, by simulation.
//!
//! The population is a two-way table with crossed effects: `draw + example + both`. Draw effects are skewed (gamma of
//! skewness 1, or log-normal of skewness 2: robust flatness of the bundled study's `at` over draws has 1.1 at radius 0.25
//! and 2.2 at 0.5), example effects as skewed as losses are (exponential), and what depends on both is normal. Their sizes
//! go from draws that decide all to examples that do.

use basin_core::measure::statistics::interval_of_table;
use basin_core::seed::{generator, normal};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, Exp1, Gamma, LogNormal};

const EXAMPLES: usize = 60;

/// Standard deviations of the effects of draws, of examples, and of both together.
type Sizes = [f64; 3];

/// A sample of the population, whose mean is 0.
fn table(rng: &mut ChaCha8Rng, draws: usize, [draw, example, both]: Sizes, skewed: bool) -> Vec<Vec<f64>> {
    // A gamma distribution of shape 4 has skewness 1; a log-normal one of sigma 0.53 skewness 2.
    let gamma = Gamma::new(4.0, 0.5).unwrap();
    let log_normal = LogNormal::new(0.0, 0.53).unwrap();
    let (centre, deviation) = (1.150_8, 0.655_3);
    let columns: Vec<f64> = (0..EXAMPLES)
        .map(|_| {
            let value: f64 = Exp1.sample(rng);
            example * (value - 1.0)
        })
        .collect();
    (0..draws)
        .map(|_| {
            let unit =
                if skewed { (log_normal.sample(rng) - centre) / deviation } else { gamma.sample(rng) - 2.0 };
            let row = draw * unit;
            let noise = normal(rng, EXAMPLES);
            columns.iter().zip(noise).map(|(column, noise)| row + column + both * f64::from(noise)).collect()
        })
        .collect()
}

#[test]
fn intervals_over_draws_and_examples_hold_the_truth() {
    const TIMES: usize = 2000;
    let populations = [[1.0, 1.0, 1.0], [1.0, 1.0, 2.0], [1.0, 5.0, 3.0], [1.0, 10.0, 3.0], [0.3, 10.0, 5.0]];
    for (sizes, skewed) in populations.into_iter().flat_map(|sizes| [(sizes, false), (sizes, true)]) {
        for draws in [2, 3, 5, 10, 20] {
            let mut rng = generator(7, "coverage", &[draws as u64]);
            let held = (0..TIMES).filter(|_| {
                let interval = interval_of_table(&table(&mut rng, draws, sizes, skewed)).unwrap();
                interval.low <= 0.0 && 0.0 <= interval.high
            });
            let share = held.count() as f64 / TIMES as f64;
            assert!(share >= 0.92, "{draws} draws of {sizes:?}, skewed {skewed}: {share}");
        }
    }
}
