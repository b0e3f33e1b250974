//! Statistics: the correlations of the 29 published models, and closed forms.

use basin_core::measure::statistics::{
    Coefficient, Fit, Line, fisher, interval_of_table, kendall, mean, pearson, quantile, ranks, spearman,
    standard_deviation, standard_error, student_quantile,
};

/// A column of the published models; NaN where it is empty.
fn published(column: &str) -> Vec<f64> {
    let text = include_str!("../../../resources/published/models.csv");
    let mut lines = text.lines();
    let position = lines.next().unwrap().split(',').position(|name| name == column).unwrap();
    lines.map(|line| line.split(',').nth(position).unwrap().parse().unwrap_or(f64::NAN)).collect()
}

fn close(ours: f64, theirs: f64, tolerance: f64, what: &str) {
    assert!((ours - theirs).abs() <= tolerance, "{what}: {ours} instead of {theirs}");
}

/// Pairs, coefficients and line of the pairs in which both numbers are there.
fn correlate(x: &[f64], y: &[f64]) -> (usize, [f64; 3], Line) {
    let both = x.iter().zip(y).filter(|(x, y)| x.is_finite() && y.is_finite());
    let (x, y): (Vec<f64>, Vec<f64>) = both.map(|(x, y)| (*x, *y)).unzip();
    let values = Coefficient::ALL.map(|coefficient| coefficient.of(&x, &y).unwrap());
    (x.len(), values, Fit::of(&x, &y).unwrap().line)
}

/// x, y, pairs, Pearson, Spearman, Kendall, intercept, slope: as computed independently from the same table.
type Row = (&'static str, &'static str, usize, f64, f64, f64, f64, f64);

const TABLE: [Row; 8] = [
    ("average_flatness", "loss", 28, 0.959, 0.937, 0.794, 0.954, 2.048),
    ("worst_flatness", "loss", 29, 0.887, 0.772, 0.594, 1.325, 8.795),
    ("average_flatness", "gap", 28, 0.962, 0.958, 0.834, -0.149, 2.808),
    ("worst_flatness", "gap", 28, 0.860, 0.763, 0.578, 0.405, 11.580),
    ("average_flatness", "error_percent", 28, 0.727, 0.751, 0.574, 56.20, 4.363),
    ("worst_flatness", "error_percent", 29, 0.531, 0.446, 0.338, 57.45, 14.43),
    ("average_flatness", "worst_flatness", 28, 0.874, 0.761, 0.570, -0.011, 0.190),
    ("loss", "error_percent", 29, 0.720, 0.801, 0.609, 54.48, 1.973),
];

#[test]
fn correlations_of_the_published_models() {
    for (x, y, n, pearson, spearman, kendall, intercept, slope) in TABLE {
        let what = format!("{x} and {y}");
        let (count, values, line) = correlate(&published(x), &published(y));
        assert_eq!(count, n, "{what}");
        values
            .iter()
            .zip([pearson, spearman, kendall])
            .for_each(|(ours, its)| close(*ours, its, 0.002, &what));
        // Intercepts and slopes are printed with three to four digits.
        close(line.intercept, intercept, 0.006, &what);
        close(line.slope, slope, 0.006, &what);
    }
}

#[test]
fn correlations_on_both_sides_of_uniform_guessing() {
    let (loss, error) = (published("loss_2dp"), published("error_percent"));
    for (high, n, pearson, spearman, kendall, line) in [
        (false, 18, 0.778, 0.781, 0.594, Line { intercept: 46.23, slope: 6.577 }),
        (true, 11, 0.513, 0.598, 0.426, Line { intercept: 58.03, slope: 0.882 }),
    ] {
        let (x, y): (Vec<f64>, Vec<f64>) =
            loss.iter().zip(&error).filter(|(x, _)| (**x >= 2.3) == high).map(|(x, y)| (*x, *y)).unzip();
        let (count, values, found) = correlate(&x, &y);
        assert_eq!(count, n);
        values.iter().zip([pearson, spearman, kendall]).for_each(|(ours, its)| close(*ours, its, 0.002, "r"));
        close(found.intercept, line.intercept, 0.006, "intercept");
        close(found.slope, line.slope, 0.006, "slope");
    }
}

#[test]
fn closed_forms() {
    let values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
    close(mean(&values), 5.0, 1e-12, "mean");
    close(standard_deviation(&values).unwrap(), (32.0f64 / 7.0).sqrt(), 1e-12, "standard deviation");
    close(standard_error(&values).unwrap(), (4.0f64 / 7.0).sqrt(), 1e-12, "standard error");
    assert_eq!(standard_error(&[1.0]), None);
    assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0]);
    assert_eq!(quantile(&[4.0, 1.0, 3.0, 2.0], 0.5), Some(2.5));
    assert_eq!(quantile(&[], 0.5), None);

    let x = [1.0, 2.0, 3.0, 4.0];
    let Fit { line, .. } = Fit::of(&x, &[1.0, -1.0, -3.0, -5.0]).unwrap();
    close(line.intercept, 3.0, 1e-12, "intercept");
    close(line.slope, -2.0, 1e-12, "slope");
    close(pearson(&x, &[1.0, -1.0, -3.0, -5.0]).unwrap(), -1.0, 1e-12, "Pearson");
    // Any increasing function keeps the ranks.
    close(spearman(&x, &x.map(f64::exp)).unwrap(), 1.0, 1e-12, "Spearman");
    // One tie in y: 5 concordant pairs, of 6 in x and 5 in y.
    close(kendall(&x, &[1.0, 2.0, 2.0, 3.0]).unwrap(), 5.0 / 30.0f64.sqrt(), 1e-12, "Kendall");
    assert_eq!(pearson(&x, &[1.0; 4]), None, "no variation, no correlation");
    assert!(pearson(&[1.0], &[1.0]).is_none() && kendall(&[1.0], &[1.0]).is_none());
    assert!(kendall(&[1.0, 1.0], &[1.0, 2.0]).is_none() && Fit::of(&[1.0, 1.0], &[1.0, 2.0]).is_none());
}

#[test]
fn fishers_interval() {
    // Four pairs with r = 0: tanh(1.96 / sqrt(1)).
    let interval = fisher(0.0, 4).unwrap();
    close(interval.high, 1.959_964f64.tanh(), 1e-6, "upper end");
    close(interval.low, -interval.high, 1e-12, "symmetric at 0");
    // As narrow as a point, from few pairs: that is no interval.
    assert_eq!((fisher(1.0, 4), fisher(0.5, 3)), (None, None));
}

#[test]
fn quantiles_are_students() {
    for (freedom, value) in [(1, 12.706_205), (2, 4.302_653), (9, 2.262_157), (1000, 1.962_339)] {
        close(student_quantile(freedom).unwrap(), value, 1e-5, "table of the t distribution");
    }
    assert_eq!(student_quantile(0), None);
}

#[test]
fn intervals_of_tables_are_over_draws_and_examples() {
    // Draws that differ by constants and examples that do not vary: the t interval of the draws.
    let draws = [1.0, 2.0, 3.0];
    let rows = draws.map(|draw| vec![draw; 3]);
    let half = 4.302_653 * standard_error(&draws).unwrap();
    let found = interval_of_table(&rows).unwrap();
    close(found.high - mean(&draws), half, 1e-5, "over draws");
    close(mean(&draws) - found.low, half, 1e-5, "symmetric");
    // The other way about: that of the examples.
    let columns = vec![draws.to_vec(); 50];
    close(interval_of_table(&columns).unwrap().high - mean(&draws), half, 1e-5, "over examples");
    // Both: the root of the sum of squares.
    let both: Vec<Vec<f64>> = draws.map(|draw| draws.map(|example| draw + example).to_vec()).to_vec();
    let found = interval_of_table(&both).unwrap();
    close(found.high - 2.0 * mean(&draws), half * 2f64.sqrt(), 1e-5, "over both");
    // Where draws reach further up, so does the interval: by g (1 + 2 t^2) / (6 sqrt 3) with g = 0.381802.
    let skewed = [1.0, 2.0, 4.0];
    let found = interval_of_table(&skewed.map(|draw| vec![draw; 3])).unwrap();
    let error = standard_error(&skewed).unwrap();
    close(mean(&skewed) - found.low, 4.302_653 * error, 1e-5, "lower end");
    close(found.high - mean(&skewed), (4.302_653 + 1.397_020) * error, 1e-5, "upper end");
    // Nothing varies: a point. One draw, one example, rows that do not fit: none.
    let constant = interval_of_table(&[vec![2.0; 5], vec![2.0; 5]]).unwrap();
    assert_eq!((constant.low, constant.high), (2.0, 2.0));
    for rows in
        [vec![], vec![vec![]], vec![vec![1.0, 2.0]], vec![vec![1.0]; 4], vec![vec![1.0, 2.0], vec![1.0]]]
    {
        assert_eq!(interval_of_table(&rows), None, "{rows:?}");
    }
}
