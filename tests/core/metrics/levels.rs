//! The multilevel estimate: what it is without cheap levels, and how many draws it takes.

use basin_core::measure::flatness::multilevel::{Costs, Numbers, estimate, numbers_for};
use basin_core::measure::statistics::{interval_of_table, mean, standard_deviation};
use basin_core::seed::generator;
use rand::Rng as _;

type Table = Vec<Vec<f64>>;

#[test]
fn without_cheap_draws_the_estimate_is_the_plain_mean() {
    let table: Table = [1.0, 2.0, 4.0, 4.5, 6.0, 9.0].map(|draw| vec![draw, 2.0 * draw]).to_vec();
    let other: Table = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0].map(|draw| vec![draw; 2]).to_vec();
    let found = estimate(&table, &other, &other).unwrap();
    let draws: Vec<f64> = table.iter().map(|row| mean(row)).collect();
    assert!((found.value - mean(&draws)).abs() < 1e-12);
    let plain = standard_deviation(&draws).unwrap() / 6f64.sqrt();
    assert!((found.standard_error().unwrap() - plain).abs() < 1e-12);
    let (found, wanted) = (found.interval().unwrap(), interval_of_table(&table).unwrap());
    assert!((found.low - wanted.low).abs() < 1e-9 && (found.high - wanted.high).abs() < 1e-9);
    assert_eq!(estimate(&table, &other[..5], &other), None, "fewer draws on a cheap level");
    assert_eq!(estimate(&[], &[], &[]), None);
}

#[test]
fn cheap_levels_take_at_most_a_third_more_passes() {
    for (steps, restarts) in [(20, 1), (20, 10), (7, 1), (2, 1), (100, 2)] {
        let costs = Costs::of_attack(steps, steps.div_ceil(4), restarts);
        for full in [1, 3, 10, 50] {
            let Numbers { full: _, short, clean } = costs.numbers(full);
            assert!(full <= short && short <= clean);
            let cheap = (short - full) as f64 * costs.short + (clean - short) as f64 * costs.clean;
            let more = cheap + full as f64 * (costs.full - costs.alone);
            let third = full as f64 * costs.alone / 3.0;
            assert!(more <= third || clean == full, "{steps} steps, {full} draws: {more} and {third}");
        }
    }
    let usual = Costs::of_attack(20, 5, 1).numbers(10);
    assert_eq!((usual.short, usual.clean), (14, 85), "of ten draws under PGD-20");
}

#[test]
fn numbers_follow_variances_and_costs() {
    // Full and short attack agree but for a little, clean images explain none of it: draws go to the short attack.
    let noise = |seed: u64| {
        let mut rng = generator(seed, "numbers", &[]);
        move || rng.random::<f64>() - 0.5
    };
    let (mut y, mut small, mut other) = (noise(1), noise(2), noise(3));
    let short: Table = (0..200).map(|_| vec![y()]).collect();
    let full: Table = short.iter().map(|row| vec![row[0] + 0.1 * small()]).collect();
    let clean: Table = (0..200).map(|_| vec![other()]).collect();
    let costs = Costs { alone: 60.0, full: 60.0, short: 15.0, clean: 1.0 };
    let found = numbers_for(0.01, &full[..20], &short[..50], &clean, costs);
    // Variances 0.01 / 12 and 1 / 12, of which 1e-4 is to be left.
    assert!((35..90).contains(&found.full), "{found:?}");
    assert!((700..1500).contains(&found.short), "{found:?}");
    assert!(found.clean >= found.short, "{found:?}");
    let more = numbers_for(0.005, &full[..20], &short[..50], &clean, costs);
    assert!((3.5..4.5).contains(&(more.short as f64 / found.short as f64)), "{found:?} {more:?}");
}
