//! The folder of a study on the command line, and how its rows are printed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use basin_core::study::{Digest, Entries, Facts, Filter, Row, Study, Table};

use crate::cli::failure::usage;
use crate::settings::quoted;

/// A study and the digests of its models' records.
pub fn load(folder: &Path) -> Result<(Study, Entries<Arc<Digest>>)> {
    let study = Study::load(folder)?;
    let entries = Entries::digests(folder, &study)?;
    Ok((study, entries))
}

/// Which models are chosen by an expression; without one, all.
///
/// # Errors
/// The expression cannot be understood: one sentence that shows where.
pub fn chosen(
    expression: Option<&str>,
    table: &Table,
    rows: &[Row],
    entries: &Entries<Arc<Digest>>,
) -> Result<Vec<bool>> {
    let Some(text) = expression else { return Ok(vec![true; rows.len()]) };
    let filter = Filter::parse(text, table).map_err(|error| {
        let part = text.get(error.at.clone()).filter(|part| !part.is_empty());
        let place = part.map_or_else(|| "at its end".to_owned(), |part| format!("at {part:?}"));
        usage(format!("--where {text:?} cannot be understood {place}: {error}"))
    })?;
    let models = table.rows.iter().zip(rows).zip(&entries.models);
    Ok(models.map(|((row, state), of)| filter.accepts(row, Facts::of(state, of))).collect())
}

/// The folder as it was given, for a shell.
pub fn shown(folder: &Path) -> String {
    quoted(&folder.display().to_string())
}

/// `1 model`, `2 models`.
pub fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// Lines of cells in columns as wide as their widest.
pub fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |i: usize| {
        rows.iter().filter_map(|row| row.get(i)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..count).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

/// The folder of a study as an argument.
#[derive(Debug, clap::Args)]
pub struct FolderArg {
    /// Folder of the study.
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
}
