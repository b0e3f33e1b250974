//! `basin study export`.

use std::path::PathBuf;

use anyhow::Result;
use basin_core::files::write_atomically;
use basin_core::study::{Table, TableFormat, status, write_models, write_records};
use clap::{Args, ValueEnum};

use super::folder::{FolderArg, chosen, counted, load};
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
    /// Of a row per model only these numbers, in this order, by their names: clean_error,robust_error,average_flatness.
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',', conflicts_with = "rows")]
    columns: Vec<String>,
    /// Only models of which this is true, e.g. 'group = AT and robust error < 60 %': names of columns with =, !=, <, <=, >,
    /// >= or ~ (contains), joined by and, or, not and parentheses; words alone are looked for in names and groups.
    #[arg(long = "where", value_name = "EXPRESSION")]
    chosen: Option<String>,
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
        let folder = &self.folder.folder;
        let (mut study, mut entries) = load(folder)?;
        let mut table = Table::of(&study, &entries);
        let chosen = chosen(self.chosen.as_deref(), &table, &status(&study, &entries), &entries)?;
        keep(&mut study.models, &chosen);
        keep(&mut entries.models, &chosen);
        keep(&mut table.rows, &chosen);
        let usual = match format {
            TableFormat::Csv | TableFormat::Json if self.columns.is_empty() => Rows::Measure,
            _ => Rows::Model,
        };
        if !self.columns.is_empty() {
            table = table.with(&self.columns)?;
        }
        let text = match self.rows.unwrap_or(usual) {
            Rows::Model => write_models(&table, format),
            Rows::Measure => write_records(&study, &entries.clone().load_records(folder), format),
        };
        write_atomically(&self.out, text.as_bytes())?;
        for (model, of) in study.models.iter().zip(&entries.models) {
            of.problems.iter().for_each(|problem| say(format!("note: {}: {problem}", model.name)));
        }
        say(format!("written: {} ({})", self.out.display(), counted(study.models.len(), "model")));
        Ok(())
    }
}

/// Keeps those that are chosen.
fn keep<T>(all: &mut Vec<T>, chosen: &[bool]) {
    let mut chosen = chosen.iter();
    all.retain(|_| chosen.next().is_some_and(|chosen| *chosen));
}
