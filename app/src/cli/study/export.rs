//! `basin study export`.

use std::path::PathBuf;

use anyhow::Result;
use basin_core::files::write_atomically;
use basin_core::study::{Table, TableFormat, write_models, write_records};
use clap::{Args, ValueEnum};

use super::folder::{FolderArg, counted, load};
use crate::cli::failure::say;

/// Options of `basin study export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    #[command(flatten)]
    folder: FolderArg,
    /// The table; its ending says what to write: .csv, .json, .tex (booktabs) or .md.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// A row per model and measure with the numbers that stand first in its record, or a row per model with all its
    /// numbers in columns [default: measure in .csv and .json, model in .tex and .md].
    #[arg(long, value_enum)]
    rows: Option<Rows>,
}

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Rows {
    /// A model.
    Model,
    /// A measure of a model.
    Measure,
}

impl ExportArgs {
    pub fn run(self) -> Result<()> {
        let format = TableFormat::of(&self.out)?;
        let (study, entries) = load(&self.folder.folder)?;
        let usual = match format {
            TableFormat::Csv | TableFormat::Json => Rows::Measure,
            TableFormat::Tex | TableFormat::Markdown => Rows::Model,
        };
        let text = match self.rows.unwrap_or(usual) {
            Rows::Model => write_models(&Table::of(&study, &entries), format),
            Rows::Measure => write_records(&study, &entries, format),
        };
        write_atomically(&self.out, text.as_bytes())?;
        for (model, of) in study.models.iter().zip(&entries.models) {
            of.problems.iter().for_each(|problem| say(format!("note: {}: {problem}", model.name)));
        }
        say(format!("written: {} ({})", self.out.display(), counted(study.models.len(), "model")));
        Ok(())
    }
}
