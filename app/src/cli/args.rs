//! Options shared by subcommands that are no settings of a job.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use basin_core::checkpoint::{Assumptions, assuming};
use basin_core::files::expand_home;
use clap::Args;
use clap::builder::ValueParser;

/// A checkpoint, and what is assumed of it.
#[derive(Debug, Args)]
pub struct CheckpointArgs {
    /// Checkpoint file, or `bundled`.
    checkpoint: PathBuf,
    #[command(flatten)]
    assume: AssumeArgs,
}

/// What is assumed of a checkpoint.
#[derive(Debug, Args)]
pub struct AssumeArgs {
    /// What the file leaves open, separated by commas: normalization=NAME (none, half, cifar10, cifar10-2023, cifar100,
    /// imagenet, mnist, per-image) or MEAN,MEAN,MEAN/STD,STD,STD; shortcut=plain|activated, or none|padded of
    /// blocks without tensors for it; activation=NAME;
    /// pooling=none|max; resolution=PIXELS; weights=NAME takes one of several networks, by the name that inspect shows.
    /// Without it, labelled images tell. The same can stand behind the path: FILE::weights=NAME.
    #[arg(long, value_name = "WHAT=VALUE", value_parser = ValueParser::new(Assumptions::parse))]
    assume: Option<Assumptions>,
}

impl CheckpointArgs {
    /// The checkpoint as jobs name it.
    pub fn path(self) -> PathBuf {
        self.assume.of(self.checkpoint)
    }
}

impl AssumeArgs {
    /// A checkpoint with what is assumed of it.
    pub fn of(self, checkpoint: PathBuf) -> PathBuf {
        match self.assume {
            Some(assumed) => assuming(&checkpoint, &assumed),
            None => checkpoint,
        }
    }
}

/// An argument with the home folder in place of a `~` at its start or behind an equals sign, where shells leave it:
/// `--out=~/x`.
///
/// # Errors
/// The home folder is not known.
pub fn with_home(argument: OsString) -> basin_core::Result<OsString> {
    let Some(text) = argument.to_str() else { return Ok(argument) };
    let at = match text.rfind("=~") {
        _ if text.starts_with('~') => 0,
        Some(at) => at + 1,
        None => return Ok(argument),
    };
    let mut whole = OsString::from(&text[..at]);
    whole.push(expand_home(Path::new(&text[at..]))?);
    Ok(whole)
}

/// How much of the machine is used.
#[derive(Debug, Args)]
#[command(next_help_heading = "Computing")]
pub struct Threads {
    /// Threads on the CPU; without it, one per core.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = ValueParser::new(threads))]
    pub threads: Option<u16>,
}

/// A number of threads.
///
/// # Errors
/// It is none.
pub fn threads(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(n) if n > 0 => Ok(n),
        _ => Err(format!("{text:?} is not a number of threads; use a whole number from 1 to {}", u16::MAX)),
    }
}

/// Where the record goes.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Output")]
pub struct Output {
    /// Write the record there; of several networks, a folder for their records. A cancelled or killed job resumes
    /// when run again; a finished one is shown.
    #[arg(long, value_name = "RECORD.json")]
    pub out: Option<PathBuf>,
    /// Replace what --out holds: the record or unfinished work of another job, or this job's own record, computed again.
    #[arg(long)]
    pub force: bool,
    /// Print the record as JSON on standard output.
    #[arg(long)]
    pub json: bool,
    /// Of a landscape, an earlier one to take points from.
    #[arg(skip)]
    pub reuse: Option<PathBuf>,
    /// Print the job as JSON and its cost, and stop: `basin run` and `basin submit` take it as a file.
    #[arg(long, conflicts_with_all = ["out", "force", "json"])]
    pub dry_run: bool,
}

/// A whole number of at least 0.
///
/// # Errors
/// It is none.
pub fn whole<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.trim().parse().map_err(|_| format!("{text:?} is not a whole number; write e.g. 20"))
}
