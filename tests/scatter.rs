//! The scatter figure: one point per model from records in any order, the published correlations, what is missing in
//! words, and labels that cover nothing.

#[path = "scatter/command.rs"]
mod command;
#[path = "scatter/figure.rs"]
mod figure;
#[path = "support/program.rs"]
mod program;
#[path = "scatter/records.rs"]
mod records;
