//! The window and the command line of Basin: two ways to make a job and two ways to watch it.

pub mod cli;
pub mod gpu;
pub mod plot;
pub mod ui;
