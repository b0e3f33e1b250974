//! `basin convert`: a checkpoint as a state dictionary that the original class of its family loads.

use std::path::PathBuf;

use anyhow::Result;
use basin_core::Error;
use basin_core::checkpoint::{ElementType, Format, convert};
use basin_core::files::check_destination;
use basin_core::run::open_probed;
use clap::Args;

use super::args::CheckpointArgs;
use super::failure::{say, usage};
use super::networks::Networks;
use super::printing::print;
use super::terminal::Terminal;
use super::word::word;

/// Which checkpoint, and where to.
#[derive(Debug, Args)]
pub struct ConvertArgs {
    #[command(flatten)]
    checkpoint: CheckpointArgs,
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

impl ConvertArgs {
    /// Writes the file, and says on standard error what its tensors cannot.
    ///
    /// # Errors
    /// The checkpoint cannot be opened, or the file cannot be written or is there already.
    pub fn run(self) -> Result<()> {
        let Self { checkpoint, out, dtype, force } = self;
        let Some(format) = Format::of(&out) else {
            let name = out.display();
            return Err(usage(format!(
                "--out {name} ends in no known format; use .safetensors, .pt or .pth"
            )));
        };
        check_destination(&out)?;
        if out.exists() && !force {
            let reason = "is there already; choose another name, or replace it with --force";
            return Err(Error::file(&out, reason).into());
        }
        let (path, _) = Networks::default().of(&checkpoint.path())?;
        let mut terminal = Terminal::new()?;
        let opened = open_probed(&path, &mut terminal);
        terminal.finish();
        let opened = opened?;
        let converted = convert(&opened, &out, format, dtype)?;
        for note in opened.summary.notices.iter().chain(&converted.notes) {
            say(format!("note: {note}"));
        }
        print(&format!(
            "{}: {} tensors of {}, {}\n",
            out.display(),
            converted.tensors,
            opened.network.topology.title,
            dtype.name()
        ))
    }
}
