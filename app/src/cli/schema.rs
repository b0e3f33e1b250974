//! The formats of jobs and records as JSON schema.

use std::path::PathBuf;

use anyhow::Result;
use basin_core::files::write_atomically;
use basin_core::job::Job;
use basin_core::record::Record;
use basin_core::settings::document_of;
use clap::{Args, ValueEnum};

use super::printing::print;

/// Arguments of `basin schema`.
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// Which format.
    #[arg(value_enum)]
    format: Format,
    /// File to write; without it, standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// A job: what a measure or a training is asked to do; `basin run` reads it.
    Job,
    /// A record: job, provenance and numbers; --out writes it.
    Record,
}

impl SchemaArgs {
    /// Prints or writes the schema.
    pub fn run(&self) -> Result<()> {
        let schema = match self.format {
            Format::Job => document_of::<Job>("Basin job"),
            Format::Record => document_of::<Record>("Basin record"),
        };
        let text = serde_json::to_string_pretty(&schema)? + "\n";
        match &self.out {
            Some(file) => Ok(write_atomically(file, text.as_bytes())?),
            None => print(&text),
        }
    }
}
