//! Statistics and evaluation metrics against published numbers, the paper's program and closed forms.

mod support;

#[path = "metrics/attempts.rs"]
mod attempts;
#[path = "metrics/coverage.rs"]
mod coverage;
#[path = "metrics/golden.rs"]
mod golden;
#[path = "metrics/job.rs"]
mod job;
#[path = "metrics/levels.rs"]
mod levels;
#[path = "metrics/levels_sim.rs"]
mod levels_sim;
#[path = "metrics/reference.rs"]
mod reference;
#[path = "metrics/statistics.rs"]
mod statistics;
