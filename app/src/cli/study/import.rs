//! `basin study import`.

use std::path::PathBuf;

use anyhow::Result;
use basin_core::study::import::import;
use clap::Args;

use super::folder::{counted, shown};
use crate::cli::failure::say;

/// Options of `basin study import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// A folder with experiments of the paper's program (folders with classifier.pth.tar and probabilities.h5), one with
    /// trainings of robust_overfitting or AT-AWP (output.log, model_*.pth), or a table as CSV: a line per model with the
    /// columns name, perhaps group and training, and any numbers.
    #[arg(value_name = "FOLDER|TABLE.csv")]
    source: PathBuf,
    /// Folder of the study, which is made; checkpoints stay where they are.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// Data set of the experiments, whose labels are needed: a name or a folder.
    #[arg(long, value_name = "NAME|DIR", default_value = "cifar10")]
    data: String,
}

impl ImportArgs {
    pub fn run(self) -> Result<()> {
        let imported = import(&self.source, &self.out, &self.data)?;
        imported.notes.iter().for_each(|note| say(format!("note: {note}")));
        let numbers = imported.study.models.iter().map(|model| model.numbers.len()).sum();
        say(format!(
            "{} with {} and {}; next: basin study status {}",
            counted(imported.study.models.len(), "model"),
            counted(imported.records, "record"),
            counted(numbers, "number"),
            shown(&self.out)
        ));
        Ok(())
    }
}
