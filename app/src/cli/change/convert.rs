//! `basin convert`: a checkpoint as a state dictionary that the original class of its family loads.

use anyhow::Result;
use clap::Args;

use super::{Destination, open};
use crate::cli::args::CheckpointArgs;
use crate::cli::printing::print;
use crate::cli::terminal::Terminal;

/// Which checkpoint, and where to.
#[derive(Debug, Args)]
pub struct ConvertArgs {
    #[command(flatten)]
    checkpoint: CheckpointArgs,
    #[command(flatten)]
    destination: Destination,
}

impl ConvertArgs {
    /// Writes the file, and says on standard error what its tensors cannot.
    ///
    /// # Errors
    /// The checkpoint cannot be opened, or the file cannot be written or is there already.
    pub fn run(self) -> Result<()> {
        let Self { checkpoint, destination } = self;
        let format = destination.check()?;
        let opened = open(&checkpoint.path(), &mut Terminal::new()?)?;
        print(&destination.write(&opened, format)?)
    }
}
