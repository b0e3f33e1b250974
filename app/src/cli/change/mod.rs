//! Commands that make a checkpoint of others: converted, rescaled, averaged, calibrated, picked.

mod average;
mod calibrate;
mod convert;
mod pick;
mod rescale;

use std::path::{Path, PathBuf};

use anyhow::Result;
use basin_core::Error;
use basin_core::checkpoint::{Checkpoint, ElementType, Format, convert as write};
use basin_core::files::check_destination;
use basin_core::run::open_probed;
use clap::Args;

use super::failure::{say, usage};
use super::networks::Networks;
use super::terminal::Terminal;
use super::word::word;
pub use average::AverageArgs;
pub use calibrate::CalibrateArgs;
pub use convert::ConvertArgs;
pub use pick::PickArgs;
pub use rescale::RescaleArgs;

/// Where a network is written.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
struct Destination {
    /// The new file. A .pt or .pth is a bare state dictionary, with the names and the order of the original class, for
    /// torch.load and load_state_dict; a .safetensors has the same names and opens in Basin without assumptions.
    #[arg(long, value_name = "X.safetensors|X.pt")]
    out: PathBuf,
    /// Type of the elements: float32, float16 or bfloat16.
    #[arg(long, value_name = "TYPE", default_value = "float32", value_parser = word::<ElementType>)]
    dtype: ElementType,
    /// Replace the file if it is there.
    #[arg(long)]
    force: bool,
}

impl Destination {
    /// Refuses what could not be written, before anything is computed; the format.
    fn check(&self) -> Result<Format> {
        let Some(format) = Format::of(&self.out) else {
            let name = self.out.display();
            return Err(usage(format!(
                "--out {name} ends in no known format; use .safetensors, .pt or .pth"
            )));
        };
        check_destination(&self.out)?;
        if self.out.exists() && !self.force {
            let reason = "is there already; choose another name, or replace it with --force";
            return Err(Error::file(&self.out, reason).into());
        }
        Ok(format)
    }

    /// Writes a network, and says on standard error what its tensors cannot; a line about the file.
    fn write(&self, opened: &Checkpoint, format: Format) -> Result<String> {
        let converted = write(opened, &self.out, format, self.dtype)?;
        for note in opened.summary.notices.iter().chain(&converted.notes) {
            say(format!("note: {note}"));
        }
        let (out, tensors) = (self.out.display(), converted.tensors);
        Ok(format!("{out}: {tensors} tensors of {}, {}\n", opened.network.topology.title, self.dtype.name()))
    }
}

/// Opens a network: of a training's folder the final one.
fn open(path: &Path, terminal: &mut Terminal) -> Result<Checkpoint> {
    let (path, _) = Networks::default().of(path)?;
    let opened = open_probed(&path, terminal);
    terminal.finish();
    Ok(opened?)
}
