//! `basin study`: a folder of models, measured alike and compared.

mod export;
mod folder;
mod import;
mod init;
mod measure;
mod report;
mod report_text;
mod stats;
mod status;

use anyhow::Result;
use clap::Subcommand;
pub use report::ReportArgs;

/// What is done with a study.
#[derive(Debug, Subcommand)]
pub enum StudyCommand {
    /// Make a study of a folder: find checkpoints, trainings and records in it, name and group them, and write study.json.
    ///
    /// Weights are not opened. Names, groups and measures can be changed in study.json. Run again, it adds what has
    /// appeared and changes nothing else.
    Init(init::InitArgs),
    /// Import results of others as a study: experiments of the paper's program, or a table. Nothing is computed.
    Import(import::ImportArgs),
    /// Show a row for each model: what is measured, what is missing, what has changed, which files are broken.
    Status(status::StatusArgs),
    /// Compute what is missing; what is finished stays, what was cancelled resumes.
    Measure(measure::MeasureArgs),
    /// Write the numbers of all models as a table: CSV, JSON, LaTeX (booktabs) or Markdown.
    Export(export::ExportArgs),
    /// Correlate two numbers over the models: coefficients with intervals, and warnings.
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
