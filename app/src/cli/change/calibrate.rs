//! `basin calibrate`: the running statistics of batch normalization computed anew.

use anyhow::Result;
use basin_core::Error;
use basin_core::checkpoint::Checkpoint;
use basin_core::job::Examples;
use basin_core::model::Network;
use basin_core::run::change::{images_for, with_statistics_of};
use clap::Args;

use super::{Destination, open};
use crate::cli::args::CheckpointArgs;
use crate::cli::failure::usage;
use crate::cli::printing::print;
use crate::cli::terminal::Terminal;

/// How statistics are computed.
#[derive(Debug, Args)]
pub struct Calibration {
    /// Data set of these examples.
    #[arg(long, default_value = "bundled")]
    data: String,
    /// Images of a batch whose statistics are one value of the mean.
    #[arg(long, value_name = "N", default_value_t = 100)]
    batch_size: usize,
    /// As the paper's program: running statistics with momentum 0.1, in which a part of the neutral values is left.
    #[arg(long)]
    as_in_paper: bool,
}

impl Calibration {
    /// The network with statistics of the images that `examples` select.
    pub fn calibrated(&self, opened: &Checkpoint, network: &Network, examples: &Examples) -> Result<Network> {
        if self.batch_size == 0 {
            return Err(usage("--batch-size 0 is not possible; use 1 or more"));
        }
        let dataset = images_for(opened, &self.data, examples)?;
        with_statistics_of(network, &dataset, self.batch_size, self.as_in_paper).ok_or_else(|| {
            let reason = "has no batch normalization, and so no running statistics to calibrate";
            Error::file(&opened.summary.path, reason).into()
        })
    }
}

/// Which checkpoint, on which images, and where to.
#[derive(Debug, Args)]
pub struct CalibrateArgs {
    #[command(flatten)]
    checkpoint: CheckpointArgs,
    /// Images whose statistics are taken.
    #[arg(long, value_name = "EXAMPLES", default_value = "train:0..2000")]
    examples: Examples,
    #[command(flatten)]
    calibration: Calibration,
    #[command(flatten)]
    destination: Destination,
}

impl CalibrateArgs {
    /// Writes the calibrated network.
    ///
    /// # Errors
    /// The checkpoint cannot be opened, the images do not fit, or the file cannot be written or is there already.
    pub fn run(self) -> Result<()> {
        let Self { checkpoint, examples, calibration, destination } = self;
        let format = destination.check()?;
        let mut opened = open(&checkpoint.path(), &mut Terminal::new()?)?;
        opened.network = calibration.calibrated(&opened, &opened.network, &examples)?;
        print(&destination.write(&opened, format)?)
    }
}
