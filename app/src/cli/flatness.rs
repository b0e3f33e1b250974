//! Results of `basin flatness`.

use std::fmt::Write as _;

use basin_core::job::{Case, FlatnessLoss, Job, JointSearch};
use basin_core::record::{AtRadius, FlatnessOutcome};

/// The numbers as a table.
pub fn report(text: &mut String, outcome: &FlatnessOutcome, job: &Job) {
    let Job::Flatness(job) = job else { return };
    let attack = match job.loss {
        FlatnessLoss::Clean => String::new(),
        FlatnessLoss::Robust => format!(", {}", job.attack),
    };
    let _ = writeln!(text, "{}: {}{attack}", job.label(), job.perturbations());
    if job.case == Case::Worst {
        let then = if job.joint == JointSearch::Sequential { ", then the inputs" } else { "" };
        let _ = writeln!(text, "weights searched for {}{then}", job.descent);
    }
    let restarts = match (job.loss, job.restarts_of_reference(), job.restarts_of_draws()) {
        (FlatnessLoss::Clean, ..) => String::new(),
        (_, 1, 1) => " at 1 restart".to_owned(),
        (_, n, m) if n == m => format!(" at the worst of {n} restarts"),
        (_, n, m) => format!(" at the worst of {n} restarts (perturbed networks: {m})"),
    };
    let error = 100.0 * outcome.reference_error;
    let _ = writeln!(text, "reference loss {:.4}, error {error:.1} %{restarts}\n", outcome.reference_loss);
    let head = if job.case == Case::Worst { "restarts" } else { "95 % interval" };
    let _ = writeln!(text, "{:>8}  {:>8}  {:>8}  {:<9}  {head}", "radius", "loss", "flatness", "");
    outcome.radii.iter().for_each(|at| row(text, at, ""));
    let error = outcome.radii.iter().any(|at| at.standard_error.is_some());
    let error = if error { "± standard error over draws; " } else { "" };
    let _ = writeln!(text, "\n{error}{}", outcome.certainty(job.case));
    outcome.radii.iter().filter_map(multilevel).for_each(|line| text.push_str(&line));
    if !outcome.layers.is_empty() {
        let _ = writeln!(text, "\none tensor at a time");
    }
    for layer in &outcome.layers {
        layer.radii.iter().for_each(|at| row(text, at, &layer.name));
    }
}

/// What a multilevel estimate is made of, and what the plain mean over its draws is.
fn multilevel(at: &AtRadius) -> Option<String> {
    let levels = at.levels.as_ref()?;
    let correlation = levels.correlations.map_or_else(String::new, |r| {
        format!("; correlation with the whole attack {:.3} and {:.3}", r.short, r.clean)
    });
    let error = levels.plain.standard_error.map_or_else(String::new, |error| format!(" ± {}", short(error)));
    Some(format!(
        "radius {}: multilevel estimate from {} draws under the whole attack, {} under PGD-{}, {} on clean images{correlation}; plain mean {}{error}\n",
        at.radius,
        levels.draws.full,
        levels.draws.short,
        levels.steps,
        levels.draws.clean,
        short(levels.plain.flatness),
    ))
}

fn row(text: &mut String, at: &AtRadius, name: &str) {
    let error = at.standard_error.map_or_else(String::new, |error| format!("± {}", short(error)));
    let between = |[low, high]: [f64; 2]| format!("{} to {}", short(low), short(high));
    // Of records of earlier versions the worst case has an interval instead.
    let interval = at.spread.or(at.interval).map_or_else(|| "none".to_owned(), between);
    let interval = if name.is_empty() { interval } else { format!("{interval:<18}  {name}") };
    let flatness = short(at.flatness);
    let _ = writeln!(text, "{:>8}  {:>8.4}  {flatness:>8}  {error:<9}  {interval}", at.radius, at.loss);
}

/// Four digits after the point, or two in all of what would vanish.
fn short(value: f64) -> String {
    if value == 0.0 || value.abs() >= 1e-3 { format!("{value:.4}") } else { format!("{value:.1e}") }
}
