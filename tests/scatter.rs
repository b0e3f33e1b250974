//! The scatter figure: one point per model from records in any order, the published correlations, what is missing in
//! words, labels that cover nothing; on the command line and in the window.

#[path = "scatter/attacks.rs"]
mod attacks;
#[path = "support/bowl.rs"]
#[allow(dead_code, reason = "each test uses a part")]
mod bowl;
#[path = "scatter/command.rs"]
mod command;
#[path = "scatter/figure.rs"]
mod figure;
#[path = "scatter/names.rs"]
mod names;
#[path = "support/program.rs"]
mod program;
#[path = "scatter/records.rs"]
mod records;
#[path = "support/window.rs"]
#[allow(dead_code, reason = "each test uses a part")]
mod support;
#[path = "scatter/window.rs"]
mod window;
