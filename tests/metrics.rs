//! Statistics and evaluation metrics against published numbers, the paper's program and closed forms.

mod support;

#[path = "metrics/statistics.rs"]
mod statistics;
