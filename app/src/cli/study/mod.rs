//! `basin study`: a folder of models, measured alike and compared.

mod export;
mod import;
mod init;
mod measure;
mod stats;
mod status;

use std::path::{Path, PathBuf};

use anyhow::Result;
use basin_core::study::{Entries, Study};
use clap::Subcommand;

/// What is done with a study.
#[derive(Debug, Subcommand)]
pub enum StudyCommand {
    /// Make a study of a folder: find checkpoints, trainings and records in it, name and group them, and write study.json.
    ///
    /// Weights are not opened. Names, groups and measures can be changed in study.json. Run again, it adds what has
    /// appeared and changes nothing else.
    Init(init::InitArgs),
    /// Make a study of results of others: experiments of the paper's program, or a table. Nothing is computed.
    Import(import::ImportArgs),
    /// A row for each model: what is measured, what is missing, what has changed, which files are broken.
    Status(status::StatusArgs),
    /// Compute what is missing; what is finished stays, what was cancelled resumes.
    Measure(measure::MeasureArgs),
    /// Write the numbers of all models as a table: CSV, JSON, LaTeX (booktabs) or Markdown.
    Export(export::ExportArgs),
    /// How two numbers go together over the models: correlations with intervals, and what they rest on.
    Stats(stats::StatsArgs),
}

impl StudyCommand {
    /// Whether it runs networks.
    pub fn computes(&self) -> bool {
        matches!(self, Self::Measure(_))
    }

    /// Does it.
    ///
    /// # Errors
    /// One sentence: the study or a file of it cannot be read or written, or what was asked for is not there.
    pub fn run(self) -> Result<()> {
        match self {
            Self::Init(args) => args.run(),
            Self::Import(args) => args.run(),
            Self::Status(args) => args.run(),
            Self::Measure(args) => args.run(),
            Self::Export(args) => args.run(),
            Self::Stats(args) => args.run(),
        }
    }
}

/// A study and the records of its models.
fn load(folder: &Path) -> Result<(Study, Entries)> {
    let study = Study::load(folder)?;
    let entries = Entries::load(folder, &study)?;
    Ok((study, entries))
}

/// `1 model`, `2 models`.
fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// Lines of cells in columns as wide as their widest.
fn columns(rows: &[Vec<String>]) -> String {
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
struct FolderArg {
    /// Folder of the study.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}
