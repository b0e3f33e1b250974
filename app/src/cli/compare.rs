//! `basin compare`: the difference of two records, paired by draw and example.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Result;
use basin_core::run::{Comparison, Difference, compare_files};
use clap::Args;
use serde_json::json;

use super::printing::print;

/// Two records.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// First record, A.
    #[arg(value_name = "A.json")]
    first: PathBuf,
    /// Second record, B, of the same measure.
    #[arg(value_name = "B.json")]
    second: PathBuf,
    /// Print the differences as JSON.
    #[arg(long)]
    json: bool,
}

impl CompareArgs {
    /// Prints the comparison.
    ///
    /// # Errors
    /// A file is no record, or the two cannot be compared.
    pub fn run(&self) -> Result<()> {
        let found = compare_files(&self.first, &self.second)?;
        if self.json {
            let Comparison { measure, differences, notes } = &found;
            let value = json!({
                "measure": measure,
                "first": self.first,
                "second": self.second,
                "differences": differences,
                "notes": notes,
            });
            return print(&(serde_json::to_string_pretty(&value)? + "\n"));
        }
        let (first, second) = (self.first.display(), self.second.display());
        print(&format!("A  {first}\nB  {second}\n\n{}", words(&found)))
    }
}

/// The comparison as text, for people.
pub fn words(found: &Comparison) -> String {
    let mut text = format!("{}, B minus A\n\n", found.measure);
    let width = found.differences.iter().map(|it| it.name.len()).max().unwrap_or(0);
    let _ = writeln!(text, "{:<width$}  {:>9}  {:>9}  {:>9}  95 % interval", "", "A", "B", "B - A");
    for it in &found.differences {
        let interval =
            it.interval.map_or_else(|| "none".to_owned(), |[low, high]| format!("{low:.4} to {high:.4}"));
        let _ = writeln!(
            text,
            "{:<width$}  {:>9.4}  {:>9.4}  {:>9.4}  {interval}",
            it.name, it.first, it.second, it.difference
        );
    }
    text.push('\n');
    for it in &found.differences {
        let _ = writeln!(text, "{}: {}.", it.name, verdict(it));
    }
    if let Some(it) = found.differences.first() {
        let _ = writeln!(text, "{}.", pairing(it));
    }
    for note in &found.notes {
        let _ = writeln!(text, "note: {note}");
    }
    text
}

/// Whether the two differ, in words.
pub fn verdict(it: &Difference) -> String {
    let (above, size) = (if it.difference > 0.0 { "above" } else { "below" }, it.difference.abs());
    match it.excludes_zero() {
        None => format!("B is {size:.4} {above} A; no interval is known, so that this may be chance"),
        Some(true) => format!("B is {size:.4} {above} A; the interval excludes 0"),
        Some(false) => "the interval holds 0: A and B cannot be told apart by this".to_owned(),
    }
}

/// What is paired, in words.
fn pairing(it: &Difference) -> String {
    let many =
        |count: usize, what: &str| if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") };
    let examples = match it.paired_examples {
        0 => "examples are not paired, because the two records have others".to_owned(),
        n => format!("{} paired", many(n, "example")),
    };
    match it.paired_draws {
        None => examples,
        Some(0) => format!("draws are not paired, because their seeds differ; {examples}"),
        Some(n) => format!("{} and {examples}", many(n, "draw")),
    }
}
