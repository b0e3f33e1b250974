//! Groups and results of `basin benchmark`.

use std::fmt::Write as _;

use basin_core::attack::names::{GROUPS, group};
use basin_core::record::{BenchmarkOutcome, Outcome};

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
        let _ = writeln!(text, "{}\n  {}", entry.name, main_number(&entry.outcome));
        for warning in &entry.warnings {
            let _ = writeln!(text, "  note: {warning}");
        }
    }
}

/// The main number of a measure in a line; empty for those that have none.
pub fn main_number(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Evaluate(e) => match &e.robust {
            Some(robust) => {
                format!("robust loss {:.4}, error {:.1} %", robust.loss, 100.0 * robust.error)
            }
            None => format!("loss {:.4}, error {:.1} %", e.clean.loss, 100.0 * e.clean.error),
        },
        Outcome::Attack(a) => format!("robust error {:.1} %", 100.0 * a.robust_error),
        Outcome::Flatness(f) => {
            let at = f.radii.iter().map(|at| {
                let interval = at.interval.map(|[low, high]| format!(" [{low:.4}, {high:.4}]"));
                format!("flatness {:.4}{}", at.flatness, interval.unwrap_or_default())
            });
            at.collect::<Vec<_>>().join(", ")
        }
        Outcome::Landscape(_) | Outcome::Benchmark(_) | Outcome::Train(_) => String::new(),
    }
}
