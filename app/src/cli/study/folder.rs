//! The folder of a study on the command line, and how its rows are printed.

use std::path::{Path, PathBuf};

use anyhow::Result;
use basin_core::study::{Entries, Study};

/// A study and the records of its models.
pub fn load(folder: &Path) -> Result<(Study, Entries)> {
    let study = Study::load(folder)?;
    let entries = Entries::load(folder, &study)?;
    Ok((study, entries))
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
