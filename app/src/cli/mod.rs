//! The command line: arguments to jobs, records to files. Never needs a display.

pub mod plot;
