//! `basin average`: the mean of the weights of several networks.

use std::path::PathBuf;

use anyhow::Result;
use basin_core::checkpoint::{Checkpoint, check_alike};
use basin_core::model::{Network, averaged};
use clap::Args;

use super::calibrate::Calibration;
use super::{Destination, open};
use crate::cli::failure::usage;
use crate::cli::printing::print;
use crate::cli::terminal::Terminal;

/// Which networks, how much of each, and where to.
#[derive(Debug, Args)]
pub struct AverageArgs {
    /// Checkpoints of one architecture, e.g. runs/small/snapshots/*.safetensors.
    #[arg(required = true, num_args = 2..)]
    checkpoints: Vec<PathBuf>,
    /// Share of each, separated by commas; they need not sum to 1 [default: the same for all].
    #[arg(long, value_name = "A,B,…", value_delimiter = ',')]
    shares: Vec<f64>,
    /// Compute the running statistics of batch normalization anew for the mean on these examples, such as train:0..2000.
    /// Without it, they are averaged as the weights are.
    #[arg(long, value_name = "EXAMPLES")]
    calibrate: Option<basin_core::job::Examples>,
    #[command(flatten)]
    calibration: Calibration,
    #[command(flatten)]
    destination: Destination,
}

impl AverageArgs {
    /// Writes the mean.
    ///
    /// # Errors
    /// A checkpoint cannot be opened or differs from the others; the file cannot be written or is there already.
    pub fn run(self) -> Result<()> {
        let Self { checkpoints, shares, calibrate, calibration, destination } = self;
        let shares = if shares.is_empty() { vec![1.0; checkpoints.len()] } else { shares };
        if shares.len() != checkpoints.len() {
            let (given, wanted) = (shares.len(), checkpoints.len());
            return Err(usage(format!(
                "--shares has {given} numbers for {wanted} checkpoints; give one for each"
            )));
        }
        if !shares.iter().all(|share| *share >= 0.0 && share.is_finite()) || shares.iter().sum::<f64>() <= 0.0
        {
            return Err(usage("--shares have to be numbers of at least 0, and not all 0"));
        }
        let format = destination.check()?;
        let mut terminal = Terminal::new()?;
        let mut opened: Vec<Checkpoint> = Vec::new();
        for path in &checkpoints {
            let checkpoint = open(path, &mut terminal)?;
            if let Some(first) = opened.first() {
                check_alike(first, &checkpoint)?;
            }
            opened.push(checkpoint);
        }
        let networks: Vec<&Network> = opened.iter().map(|checkpoint| &checkpoint.network).collect();
        let mut network = averaged(&networks, &shares);
        let mut first = opened.swap_remove(0);
        if let Some(examples) = calibrate {
            network = calibration.calibrated(&first, &network, &examples)?;
        }
        first.network = network;
        first.summary.epoch = None;
        print(&destination.write(&first, format)?)
    }
}
