//! Jobs computed by several processes: `merge`, `status`, and `run --shard`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Result;
use basin_core::Error;
use basin_core::checkpoint::is_bundled;
use basin_core::job::Job;
use basin_core::record::Shard;
use basin_core::run::{Merge, ShardState, ShardStatus, Share, merge, run_share, status};
use clap::Args;
use clap::builder::ValueParser;

use super::args::{self, Output};
use super::failure::{say, usage};
use super::printing::{print, show};
use super::report::duration;
use super::terminal::Terminal;

/// Options of `basin merge`.
#[derive(Debug, Args)]
pub struct MergeArgs {
    /// Folder of the shards, as `run --shard … --out` was given it.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// Write the record there.
    #[arg(long, value_name = "RECORD.json", help_heading = "Output")]
    out: PathBuf,
    /// Replace the record that is there.
    #[arg(long, help_heading = "Output")]
    force: bool,
    /// Print the record as JSON on standard output.
    #[arg(long, help_heading = "Output")]
    json: bool,
    /// Compute here what the shards have not computed.
    #[arg(long, conflicts_with = "partial")]
    finish: bool,
    /// Write the record of what there is, even if shards are missing.
    #[arg(long)]
    partial: bool,
    /// The checkpoint, where it is not where the shards found it. Its content must be the same.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// The data, where they are not where the shards found them. The images must be the same.
    #[arg(long, value_name = "NAME|DIR")]
    data: Option<String>,
    /// Threads on the CPU for --finish; without it, one per core.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = ValueParser::new(args::threads))]
    threads: Option<u16>,
}

impl MergeArgs {
    /// Writes the record of all shards.
    ///
    /// # Errors
    /// As [`merge`].
    pub fn run(self) -> Result<()> {
        let options = Merge {
            out: self.out.clone(),
            replace: self.force,
            checkpoint: self.checkpoint,
            data: self.data,
            finish: self.finish,
            partial: self.partial,
            threads: self.threads,
        };
        let mut terminal = Terminal::new()?;
        let merged = merge(&self.folder, &options, &mut terminal);
        terminal.finish();
        let merged = merged?;
        if let Some(units) = merged.units {
            let count = merged.record.provenance.shards.len();
            let shards = if count == 1 { "shard" } else { "shards" };
            say(format!("merged {units} units of work of {count} {shards}"));
        }
        merged.notes.iter().for_each(|note| say(format!("note: {note}")));
        if !merged.record.provenance.complete {
            say("the record is incomplete; merge again when all shards are finished");
        }
        let output = Output { out: Some(self.out), force: self.force, json: self.json, ..Output::default() };
        show(&merged.record, &output, &[])
    }
}

/// Runs a share of a job in a folder.
///
/// # Errors
/// As [`run_share`].
pub fn run(job: &Job, share: Share, folder: &Path, threads: Option<u16>) -> Result<()> {
    let mut terminal = Terminal::new()?;
    let done = run_share(job, share, folder, threads, &mut terminal);
    terminal.finish();
    let folder = folder.display();
    match done {
        Err(Error::Cancelled) => {
            say(format!("cancelled; the same command resumes shard {share} in {folder}"));
            Err(Error::Cancelled.into())
        }
        Err(error) => Err(error.into()),
        Ok(()) => {
            say(format!(
                "shard {share} is finished; when all are, `basin merge {folder} --out RECORD.json` writes the record"
            ));
            Ok(())
        }
    }
}

/// How far the shards in a folder are, for people or as JSON.
///
/// # Errors
/// The folder holds no shards.
pub fn tell_status(folder: &Path, json: bool) -> Result<()> {
    let status = status(folder)?;
    if json {
        let shards: Vec<_> = status.shards.iter().map(as_json).collect();
        let text = serde_json::json!({ "job": status.job, "shards": shards });
        return print(&(serde_json::to_string_pretty(&text)? + "\n"));
    }
    let mut text = format!("{}\n\n", title(&status.job));
    if status.shards.is_empty() {
        text += "No shard has begun.\n";
        return super::print(&text);
    }
    let _ = writeln!(
        text,
        "{:<8}  {:<9}  {:>6}  {:>9}  {:>9}  host",
        "shard", "state", "done", "units", "computed"
    );
    for shard in &status.shards {
        let ShardStatus { share, state, shard, fraction } = shard;
        let done = fraction.map_or_else(String::new, |done| format!("{:.0} %", 100.0 * done));
        let Shard { host, device, units, duration_s, .. } = shard;
        let computed = if *duration_s > 0.0 { duration(*duration_s) } else { String::new() };
        let (units, host) = match state {
            ShardState::Missing => (String::new(), String::new()),
            _ => (units.to_string(), format!("{host}, {device}")),
        };
        let line = format!("{share:<8}  {:<9}  {done:>6}  {units:>9}  {computed:>9}  {host}", word(*state));
        let _ = writeln!(text, "{}", line.trim_end());
    }
    let finished = status.shards.iter().filter(|shard| shard.state == ShardState::Finished).count();
    let _ = writeln!(text, "\n{finished} of {} shards are finished.", status.shards.len());
    if finished == status.shards.len() {
        let _ = writeln!(text, "basin merge {} --out RECORD.json writes the record.", folder.display());
    }
    print(&text)
}

fn word(state: ShardState) -> &'static str {
    match state {
        ShardState::Finished => "finished",
        ShardState::Running => "running",
        ShardState::Stopped => "stopped",
        ShardState::Missing => "missing",
    }
}

fn as_json(shard: &ShardStatus) -> serde_json::Value {
    let ShardStatus { share, state, shard, fraction } = shard;
    serde_json::json!({
        "shard": share.to_string(),
        "state": word(*state),
        "fraction": fraction,
        "host": shard.host,
        "device": shard.device,
        "started": shard.started,
        "seconds": shard.duration_s,
        "units": shard.units,
    })
}

/// What is computed, of which network.
fn title(job: &Job) -> String {
    let subject = job.subject();
    let name = if is_bundled(subject) { "bundled".to_owned() } else { subject.display().to_string() };
    format!("{} of {name}", job.label())
}

/// A share on the command line, which needs a folder.
///
/// # Errors
/// There is no folder.
pub fn folder_of(share: Share, out: Option<PathBuf>) -> Result<PathBuf> {
    out.ok_or_else(|| usage(format!("--shard {share} needs the folder of all shards; add --out FOLDER")))
}
