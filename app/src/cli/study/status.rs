//! `basin study status`.

use anyhow::Result;
use basin_core::study::{Row, State, status};
use clap::Args;
use serde_json::json;

use super::folder::{FolderArg, columns, counted, load, shown};
use crate::cli::failure::say;
use crate::cli::printing::print;

/// Options of `basin study status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    #[command(flatten)]
    folder: FolderArg,
    /// Print as JSON on standard output: models[] with the state of each measure, records and checkpoints that belong to
    /// no model, and files that cannot be used.
    #[arg(long)]
    json: bool,
}

impl StatusArgs {
    pub fn run(self) -> Result<()> {
        let (study, entries) = load(&self.folder.folder)?;
        let rows = status(&study, &entries);
        let measures: Vec<&str> = study.measures.iter().map(|measure| &*measure.name).collect();
        if self.json {
            let value = json!({
                "measures": measures,
                "models": rows,
                "records_of_no_model": entries.strangers,
                "broken": entries.broken.iter().map(|(path, why)| json!({"file": path, "problem": why})).collect::<Vec<_>>(),
                "not_in_the_study": entries.unlisted,
            });
            return print(&format!("{value:#}\n"));
        }
        let header = ["model", "group"].into_iter().chain(measures).chain(["records"]).map(str::to_owned);
        let line = |row: &Row| {
            let states = row.measures.iter().map(|state| words(state).to_owned());
            let first = [row.name.clone(), row.group.clone().unwrap_or_default()];
            let others = if row.numbers > 0 {
                format!("{}, {}", row.records, counted(row.numbers, "number"))
            } else {
                row.records.to_string()
            };
            first.into_iter().chain(states).chain([others]).collect::<Vec<_>>()
        };
        print(&columns(&std::iter::once(header.collect()).chain(rows.iter().map(line)).collect::<Vec<_>>()))?;
        for row in &rows {
            row.problems.iter().for_each(|problem| say(format!("note: {}: {problem}", row.name)));
        }
        entries.broken.iter().for_each(|(_, problem)| say(format!("note: {problem}")));
        let all: Vec<&State> = rows.iter().flat_map(|row| &row.measures).collect();
        let measured = all.iter().filter(|state| matches!(state, State::Measured { .. })).count();
        say(format!("{}, {measured} of {} measures", counted(rows.len(), "model"), all.len()));
        let examples = |paths: &[std::path::PathBuf]| {
            let shown: Vec<String> = paths.iter().take(3).map(|path| path.display().to_string()).collect();
            let more = if paths.len() > shown.len() { ", …" } else { "" };
            shown.join(", ") + more
        };
        if !entries.unlisted.is_empty() {
            let count = entries.unlisted.len();
            say(format!(
                "not in the study: {}; basin study init {} adds {}",
                examples(&entries.unlisted),
                shown(&self.folder.folder),
                if count == 1 { "it" } else { "them" }
            ));
        }
        if !entries.strangers.is_empty() {
            let count = counted(entries.strangers.len(), "record");
            say(format!("of no model of the study: {count} ({})", examples(&entries.strangers)));
        }
        Ok(())
    }
}

fn words(state: &State) -> &'static str {
    match state {
        State::Measured { .. } => "measured",
        State::Changed { .. } => "checkpoint changed",
        State::Unfinished { .. } => "unfinished",
        State::OtherSettings { .. } => "other settings",
        State::Broken { .. } => "broken",
        State::Missing => "missing",
        State::NoCheckpoint => "no checkpoint",
    }
}
