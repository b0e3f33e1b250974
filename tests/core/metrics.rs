//! Statistics and evaluation metrics against published numbers, the paper's program and closed forms.

mod attempts;
mod coverage;
mod golden;
mod job;
mod levels;
mod levels_sim;
mod reference;
mod relation;
mod statistics;
