//! The scatter figure: one point per model from records in any order, the published correlations, what is missing in
//! words, labels that cover nothing; on the command line and in the window.

mod attacks;
mod command;
mod figure;
mod names;
mod records;
mod window;
