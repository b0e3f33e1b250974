//! Groups and results of `basin benchmark`.

use std::fmt::Write as _;

use basin_core::attack::names::{GROUPS, group};
use basin_core::record::BenchmarkOutcome;

use crate::headline;

/// Groups with their members, for people.
pub fn list() -> String {
    let mut text = String::new();
    for (name, what) in GROUPS {
        let _ = writeln!(text, "{name}: {what}");
        for member in group(name).unwrap_or_default() {
            let _ = writeln!(text, "  {member}");
        }
        text.push('\n');
    }
    text.push_str("Every other attack name of the paper is accepted too.\n");
    text
}

/// The main number of every entry.
pub fn report(text: &mut String, outcome: &BenchmarkOutcome) {
    for entry in &outcome.entries {
        let _ = writeln!(text, "{}\n  {}", entry.name, headline::long(&entry.outcome.headline(&entry.job)));
        for warning in &entry.warnings {
            let _ = writeln!(text, "  note: {warning}");
        }
    }
}
