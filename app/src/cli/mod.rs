//! The command line: arguments to jobs, records to files. Never needs a display.
//!
//! Exit codes: 0 done, 1 failed (one line says why), 2 wrong usage, 130 cancelled.

mod args;
mod failure;
mod flatness;
pub mod plot;
mod report;
mod surface;
mod terminal;
mod word;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use basin_core::Error;
use basin_core::checkpoint;
use basin_core::job::{Evaluate, Flatness, Job, Landscape, LandscapeLoss};
use basin_core::record::Record;
use basin_core::run::{RunOptions, estimate, run};
use clap::{Parser, Subcommand};

use args::{Attack, AttackName, Common, LandscapeArgs, Output};
use failure::{one_line, say};
use flatness::FlatnessArgs;
use plot::PlotArgs;
use terminal::Terminal;
pub use word::spelled;

/// How flat is the robust loss around a network?
///
/// Without a command, opens the window on the given checkpoints, records and folders.
#[derive(Debug, Parser)]
#[command(name = "basin", version, args_conflicts_with_subcommands = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,

    /// Checkpoints, records and folders to open in the window.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say what a checkpoint is: container, family, topology, normalization, what had to be assumed.
    Inspect {
        /// Checkpoint file, or `bundled`.
        checkpoint: PathBuf,
        /// Print the summary as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Loss and error of a checkpoint, clean and under attack.
    Evaluate {
        /// Checkpoint file, or `bundled`.
        checkpoint: PathBuf,
        #[command(flatten)]
        attack: Attack,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        output: Output,
    },
    /// How much the loss rises when weights are perturbed: average or worst case, clean or robust.
    Flatness {
        /// Checkpoint file, or `bundled`.
        checkpoint: PathBuf,
        #[command(flatten)]
        flatness: FlatnessArgs,
        #[command(flatten)]
        attack: Attack,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        output: Output,
    },
    /// Loss along one or two directions in weight space.
    Landscape {
        /// Checkpoint file, or `bundled`.
        checkpoint: PathBuf,
        #[command(flatten)]
        landscape: LandscapeArgs,
        #[command(flatten)]
        attack: Attack,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        output: Output,
    },
    /// Run a job file (or the job of a record again).
    Run {
        /// Job or record, JSON.
        job: PathBuf,
        /// Print the resolved job and its cost, and stop.
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        output: Output,
    },
    /// Draw records as a figure.
    Plot(PlotArgs),
}

/// Parses the arguments and does what they say.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    // The window reports its own failures; a command has one line for them.
    let result = if cli.command.is_some() { failure::guarded(|| dispatch(cli)) } else { dispatch(cli) };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if matches!(error.downcast_ref(), Some(Error::Cancelled)) => ExitCode::from(130),
        Err(error) => {
            say(format!("basin: {}", one_line(&error)));
            ExitCode::FAILURE
        }
    }
}

fn dispatch(cli: Cli) -> Result<()> {
    match cli.command {
        None => crate::ui::open(cli.paths.into_iter().map(resolve).collect::<Result<_>>()?),
        Some(Command::Inspect { checkpoint, json }) => {
            let summary = checkpoint::inspect(&resolve(checkpoint)?)?;
            print(&if json {
                serde_json::to_string_pretty(&summary)? + "\n"
            } else {
                report::summary(&summary)
            })
        }
        Some(Command::Evaluate { checkpoint, attack, common, output }) => {
            attack.check()?;
            let job = Evaluate {
                checkpoint: resolve(checkpoint)?,
                attack: attack.choose(false),
                data: common.data_or(attack.examples()),
                compute: common.compute(),
            };
            compute(&Job::Evaluate(job), &output, common.threads)
        }
        Some(Command::Flatness { checkpoint, flatness, attack, common, output }) => {
            let job = flatness.job(resolve(checkpoint)?, &attack, &common)?;
            compute(&Job::Flatness(job), &output, common.threads)
        }
        Some(Command::Landscape { checkpoint, landscape, attack, common, output }) => {
            if landscape.loss != LandscapeLoss::Clean && attack.attack == Some(AttackName::None) {
                bail!(
                    "a robust loss and --attack none contradict each other; use --loss clean, or --attack pgd"
                );
            }
            attack.check_name()?;
            let job = Landscape {
                checkpoint: resolve(checkpoint)?,
                data: common.data_or(attack.examples()),
                second: landscape.second(),
                direction: landscape.direction,
                normalize: landscape.normalize,
                radius: landscape.radius,
                range: landscape.range,
                steps: landscape.steps,
                loss: landscape.loss,
                attack: attack.choose(true).unwrap_or_default(),
                compute: common.compute(),
            };
            compute(&Job::Landscape(job), &output, common.threads)
        }
        Some(Command::Run { job, dry_run, output }) => {
            let mut job = args::read_job(&job)?;
            match &mut job {
                Job::Evaluate(Evaluate { checkpoint, .. })
                | Job::Flatness(Flatness { checkpoint, .. })
                | Job::Landscape(Landscape { checkpoint, .. }) => {
                    *checkpoint = resolve(std::mem::take(checkpoint))?;
                }
            }
            if dry_run {
                job.check()?;
                let cost = estimate(&job)?;
                say(format!("about {}", report::duration(cost.seconds)));
                return print(&(serde_json::to_string_pretty(&job)? + "\n"));
            }
            compute(&job, &output, None)
        }
        Some(Command::Plot(plot)) => plot::run(&plot),
    }
}

/// `bundled` is the checkpoint that comes with Basin; anything else is a file.
fn resolve(checkpoint: PathBuf) -> Result<PathBuf> {
    if checkpoint.as_os_str() == "bundled" && !checkpoint.exists() {
        return Ok(checkpoint::bundled_path()?);
    }
    Ok(checkpoint)
}

fn compute(job: &Job, output: &Output, threads: Option<u16>) -> Result<()> {
    if let Some(threads) = threads {
        basin_core::device::set_threads(threads);
    }
    let options = RunOptions { out: output.out.clone() };
    let mut terminal = Terminal::new()?;
    let record = run(job, &options, &mut terminal);
    terminal.finish();
    let record = record.inspect_err(|error| {
        if let (Error::Cancelled, Some(out)) = (error, &output.out) {
            say(format!("cancelled; the same command goes on with what is kept beside {}", out.display()));
        }
    })?;
    show(&record, output)?;
    if !record.provenance.complete {
        match &output.out {
            Some(out) => {
                say(format!("cancelled; the same command goes on from what is in {}", out.display()))
            }
            None => say("cancelled; with --out the same command would go on from here"),
        }
        return Err(Error::Cancelled.into());
    }
    Ok(())
}

fn show(record: &Record, output: &Output) -> Result<()> {
    for warning in &record.provenance.warnings {
        say(format!("note: {warning}"));
    }
    if output.json {
        return print(&(record.to_json() + "\n"));
    }
    print(&report::record(record))
}

/// Prints to standard output; a reader that closed the pipe is no error.
fn print(text: &str) -> Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => result.context("cannot write to standard output"),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn options_are_consistent() {
        <super::Cli as clap::CommandFactory>::command().debug_assert();
    }
}
