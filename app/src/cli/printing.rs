//! Text and records on standard output.

use std::io::Write as _;

use anyhow::{Context as _, Result};
use basin_core::record::Record;

use super::args::Output;
use super::failure::say;
use super::report;

/// Shows a record; what was told while the job ran is not told again.
pub fn show(record: &Record, output: &Output, told: &[String]) -> Result<()> {
    for warning in &record.provenance.warnings {
        if !told.iter().any(|known| warning.ends_with(&**known)) {
            say(format!("note: {warning}"));
        }
    }
    if output.json {
        return print(&(record.to_json() + "\n"));
    }
    print(&report::record(record))
}

/// Prints to standard output; a reader that closed the pipe is no error.
pub fn print(text: &str) -> Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => result.context("cannot write to standard output"),
    }
}
