//! The command line: arguments to jobs, records to files. Never needs a display.
//!
//! Exit codes: see `EXIT_CODES`.

mod args;
mod attacks;
mod benchmark;
mod change;
pub mod compare;
mod compute;
mod data;
mod failure;
mod flatness;
mod measures;
mod networks;
mod others;
pub mod plot;
mod printing;
mod report;
mod scatter;
mod schema;
mod shape;
mod shards;
mod source;
mod statistics;
mod study;
mod submit;
mod terminal;
mod train;
mod word;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use basin_core::Error;
use basin_core::checkpoint::{self, is_there};
use basin_core::run::{Share, read_job};
use change::{AverageArgs, CalibrateArgs, ConvertArgs, PickArgs, RescaleArgs};
use clap::builder::ValueParser;
use clap::{CommandFactory as _, Parser, Subcommand};
use strsim::osa_distance;

use args::{AssumeArgs, CheckpointArgs, Output, Threads};
use attacks::{Attacks, Ensembles};
use compare::CompareArgs;
use compute::{compute, compute_asked, tell_cost};
use data::DataCommand;
use failure::{Usage, one_line, say, usage};
use networks::Networks;
use others::Other;
use plot::PlotArgs;
use printing::print;
pub use report::bounds;
use schema::SchemaArgs;
use shards::MergeArgs;
use study::{ReportArgs, StudyCommand};
use submit::SubmitArgs;
use terminal::Terminal;
use train::TrainArgs;

use crate::environment;
use crate::settings::options::{self, Options};
use crate::surface_picture;

const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    failed: a file, the data or this machine does not allow it; one line says why
  2    invalid usage: an option or a setting on the command line
  130  cancelled; with --out, the same command resumes";

/// How flat is the robust loss around a network?
///
/// Without a command, opens the window on the given checkpoints, records and folders.
#[derive(Debug, Parser)]
#[command(name = "basin", version, args_conflicts_with_subcommands = true, max_term_width = 100)]
#[command(after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,

    /// Checkpoints, records and folders to open in the window.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Describe a checkpoint: container, family, topology, normalization, what had to be assumed.
    Inspect {
        #[command(flatten)]
        checkpoint: CheckpointArgs,
        /// Try on labelled images what the file leaves open (input normalization, shortcut, activation), and rank the
        /// readings. Measures do this by themselves.
        #[arg(long)]
        probe: bool,
        /// Print the summary as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Write a checkpoint as a state dictionary that the original class of its family loads.
    Convert(ConvertArgs),
    /// Scale the layers of a network without changing its function, or to the size of another's.
    Rescale(RescaleArgs),
    /// Write the mean of the weights of several networks.
    Average(AverageArgs),
    /// Compute the running statistics of batch normalization anew.
    Calibrate(CalibrateArgs),
    /// Write the snapshot of a training that is best by an evaluation.
    Pick(PickArgs),
    /// Loss and error of a checkpoint, clean and under attack.
    Evaluate {
        #[command(flatten)]
        checkpoint: CheckpointArgs,
        #[command(flatten)]
        networks: Networks,
        #[command(flatten)]
        attacks: Attacks,
        #[command(flatten)]
        options: Options<options::Evaluate>,
        #[command(flatten)]
        threads: Threads,
        #[command(flatten)]
        output: Output,
    },
    /// Robust error under AutoAttack, an ensemble of attacks.
    Attack {
        #[command(flatten)]
        checkpoint: CheckpointArgs,
        #[command(flatten)]
        networks: Networks,
        #[command(flatten)]
        ensembles: Ensembles,
        #[command(flatten)]
        options: Options<options::Attack>,
        #[command(flatten)]
        threads: Threads,
        #[command(flatten)]
        output: Output,
    },
    /// How much the loss rises when weights are perturbed: average or worst case, clean or robust.
    Flatness {
        #[command(flatten)]
        checkpoint: CheckpointArgs,
        #[command(flatten)]
        networks: Networks,
        #[command(flatten)]
        options: Options<options::Flatness>,
        #[command(flatten)]
        attacks: Attacks,
        #[command(flatten)]
        threads: Threads,
        #[command(flatten)]
        output: Output,
    },
    /// Loss along one or two directions in weight space.
    Landscape {
        #[command(flatten)]
        checkpoint: CheckpointArgs,
        #[command(flatten)]
        networks: Networks,
        #[command(flatten)]
        options: Options<options::Landscape>,
        #[command(flatten)]
        attacks: Attacks,
        #[command(flatten)]
        threads: Threads,
        /// Take over the points of an earlier landscape of the same checkpoint, images and directions that are on this grid,
        /// too: a finer grid, a wider range or more draws compute only what is new.
        #[arg(long, value_name = "RECORD.json", help_heading = "Output", conflicts_with_all = ["epoch", "snapshots"])]
        reuse: Option<PathBuf>,
        #[command(flatten)]
        output: Output,
    },
    /// Every measure of the paper on one checkpoint, or others of its attacks by name; resumes.
    Benchmark {
        /// Checkpoint file, or `bundled`.
        #[arg(required_unless_present = "list")]
        checkpoint: Option<PathBuf>,
        #[command(flatten)]
        assume: AssumeArgs,
        /// Print the groups of attack names, and stop.
        #[arg(long)]
        list: bool,
        #[command(flatten)]
        options: Options<options::Benchmark>,
        #[command(flatten)]
        threads: Threads,
        #[command(flatten)]
        output: Output,
    },
    #[command(flatten)]
    Other(Other),
    /// Train a network, as the paper or otherwise.
    Train(TrainArgs),
    /// Run a job file, the job of a record again, or resume a training in its folder.
    Run {
        /// A job as JSON (`basin train --dry-run` prints one), a record, or the folder of a training.
        #[arg(value_name = "JOB.json|RECORD.json|FOLDER")]
        job: PathBuf,
        /// Print the resolved job and its cost, and stop.
        #[arg(long)]
        dry_run: bool,
        /// Compute share K of N, from 1, of the work in a journal in the folder --out; `basin merge` assembles the shares
        /// of all processes. Shares can run in any order, on any machines that see the folder, and resume.
        #[arg(long, value_name = "K/N", conflicts_with_all = ["dry_run", "force", "json"])]
        shard: Option<Share>,
        /// Threads on the CPU; without it, one per core, and a resumed training has as many as before.
        #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = ValueParser::new(args::threads))]
        threads: Option<u16>,
        /// Write the record there; of a training, the folder that it makes [default: no file; of a training, a folder of
        /// its name]. What was cancelled or killed resumes when run again; what is finished is shown.
        #[arg(long, value_name = "RECORD.json|FOLDER", help_heading = "Output")]
        out: Option<PathBuf>,
        /// Replace what --out holds: the record or unfinished work of another job, or this job's own record, computed
        /// again. Trainings are never replaced.
        #[arg(long, help_heading = "Output")]
        force: bool,
        /// Print the record as JSON on standard output.
        #[arg(long, help_heading = "Output")]
        json: bool,
    },
    /// Write the record of a job from the shards that several processes computed: that of a single process.
    Merge(MergeArgs),
    /// Show the progress of the shards of a job.
    Status {
        /// Folder of the shards.
        #[arg(value_name = "FOLDER")]
        folder: PathBuf,
        /// Print as JSON on standard output.
        #[arg(long)]
        json: bool,
    },
    /// Submit jobs to Slurm: an array of shards for each, and a merge that waits for them.
    Submit(SubmitArgs),
    /// Compare two records of the same measure, paired by draw and example, with an interval.
    Compare(CompareArgs),
    /// Measure and compare many models in a folder: tables, figures, correlations.
    #[command(subcommand)]
    Study(StudyCommand),
    /// Draw records as a figure.
    Plot(PlotArgs),
    /// Write everything about a study into one file: tables, figures, statistics, provenance, commands.
    Report(ReportArgs),
    /// List, fetch and convert data sets.
    #[command(subcommand)]
    Data(DataCommand),
    /// Print the format of jobs or records as JSON schema.
    Schema(SchemaArgs),
}

impl Command {
    /// Whether it runs a network for long.
    fn computes(&self) -> bool {
        if let Self::Study(command) = self {
            return command.computes();
        }
        !matches!(
            self,
            Self::Inspect { probe: false, .. }
                | Self::Plot(_)
                | Self::Report(_)
                | Self::Data(_)
                | Self::Compare(_)
                | Self::Status { .. }
                | Self::Submit(_)
                | Self::Schema(_)
        )
    }
}

/// The command line as clap knows it: every command with its arguments and options.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Parses the arguments and does what they say.
pub fn main() -> ExitCode {
    let arguments: Result<Vec<_>, Error> = std::env::args_os().map(args::with_home).collect();
    let cli = match arguments {
        Ok(arguments) => Cli::parse_from(arguments),
        Err(error) => {
            say(format!("basin: {error}"));
            return ExitCode::FAILURE;
        }
    };
    // The window reports its own failures; a command has one line for them.
    let result = if cli.command.is_some() { failure::guarded(|| dispatch(cli)) } else { dispatch(cli) };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if matches!(error.downcast_ref(), Some(Error::Cancelled)) => ExitCode::from(130),
        Err(error) => {
            say(format!("basin: {}", one_line(&error)));
            if error.is::<Usage>() { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}

fn dispatch(cli: Cli) -> Result<()> {
    if cli.command.as_ref().is_some_and(Command::computes) {
        environment::for_computing();
    }
    match cli.command {
        None => {
            check_paths(&cli.paths)?;
            crate::ui::open(cli.paths)
        }
        Some(Command::Inspect { checkpoint, probe, json }) => {
            let path = checkpoint.path();
            let summary = if probe {
                let mut terminal = Terminal::new()?;
                let summary = basin_core::run::probe(&path, &mut terminal);
                terminal.finish();
                summary?
            } else {
                checkpoint::inspect(&path)?
            };
            print(&if json {
                serde_json::to_string_pretty(&summary)? + "\n"
            } else {
                report::summary(&summary)
            })
        }
        Some(Command::Convert(args)) => args.run(),
        Some(Command::Rescale(args)) => args.run(),
        Some(Command::Average(args)) => args.run(),
        Some(Command::Calibrate(args)) => args.run(),
        Some(Command::Pick(args)) => args.run(),
        Some(Command::Evaluate { checkpoint, networks, attacks, options, threads, output }) => {
            let (checkpoint, several) = networks.of(&checkpoint.path())?;
            let job = measures::evaluate(options, &attacks, checkpoint)?;
            compute_asked(&job, several.as_deref(), &output, threads.threads)
        }
        Some(Command::Flatness { checkpoint, networks, attacks, options, threads, output }) => {
            let (checkpoint, several) = networks.of(&checkpoint.path())?;
            let job = measures::flatness(options, &attacks, checkpoint)?;
            compute_asked(&job, several.as_deref(), &output, threads.threads)
        }
        // There is but one ensemble.
        Some(Command::Attack { checkpoint, networks, ensembles: _, options, threads, output }) => {
            let (checkpoint, several) = networks.of(&checkpoint.path())?;
            let job = measures::attack(&options, checkpoint)?;
            compute_asked(&job, several.as_deref(), &output, threads.threads)
        }
        Some(Command::Landscape { checkpoint, networks, attacks, options, threads, reuse, output }) => {
            let (checkpoint, several) = networks.of(&checkpoint.path())?;
            let job = measures::landscape(options, &attacks, checkpoint)?;
            let output = Output { reuse, ..output };
            compute_asked(&job, several.as_deref(), &output, threads.threads)
        }
        Some(Command::Benchmark { list: true, .. }) => print(&benchmark::list()),
        Some(Command::Benchmark { checkpoint, assume, options, threads, output, .. }) => {
            let job = measures::benchmark(&options, assume.of(checkpoint.unwrap_or_default()))?;
            compute_asked(&job, None, &output, threads.threads)
        }
        Some(Command::Run { job: file, dry_run, shard, threads, out, force, json }) => {
            let job = read_job(&file)?;
            if let Some(share) = shard {
                return shards::run(&job, share, &shards::folder_of(share, out)?, threads);
            }
            let out = if file.is_dir() { out.or(Some(file)) } else { out };
            let output = Output { out, force, json, ..Output::default() };
            if dry_run {
                return tell_cost(&job);
            }
            compute(&job, &output, threads)
        }
        Some(Command::Other(other)) => other.run(),
        Some(Command::Merge(args)) => args.run(),
        Some(Command::Status { folder, json }) => shards::tell_status(&folder, json),
        Some(Command::Submit(args)) => args.run(),
        Some(Command::Compare(args)) => args.run(),
        Some(Command::Train(args)) => args.run(),
        Some(Command::Study(command)) => command.run(),
        Some(Command::Data(command)) => data::run(command),
        Some(Command::Schema(args)) => args.run(),
        Some(Command::Report(args)) => args.run(),
        Some(Command::Plot(plot)) => {
            if plot.figure.is_some_and(surface_picture::makes) {
                environment::for_drawing();
            }
            plot::run(&plot)
        }
    }
}

/// Refuses what is there neither as a command nor as a file, before a window is opened for it.
fn check_paths(paths: &[PathBuf]) -> Result<()> {
    let Some(missing) = paths.iter().find(|path| !path.exists() && !is_there(path)) else { return Ok(()) };
    let text = missing.to_string_lossy();
    // A name with a dot or a slash is meant as a path, and so is all that follows the first word.
    if text.contains(['.', '/', '\\']) || *missing != paths[0] {
        return Err(Error::file(missing, "does not exist; check the path").into());
    }
    let remedy = match similar(&text) {
        Some(command) => format!("did you mean basin {command}?"),
        None => "basin --help lists the commands".to_owned(),
    };
    Err(usage(format!("there is no command or file {text:?}; {remedy}")))
}

/// The command that a word was probably meant to be.
fn similar(word: &str) -> Option<String> {
    let commands = Cli::command();
    let known = commands
        .get_subcommands()
        .map(|command| (osa_distance(word, command.get_name()), command.get_name()));
    let (distance, name) = known.min()?;
    (distance <= 1 + name.len() / 5).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use basin_core::attack::names::{GROUPS, PaperAttack, group};
    use basin_core::job::{Compute, Evaluate, Job, Pgd};
    use clap::Parser as _;
    use serde_json::json;

    use super::*;
    use crate::settings::command_line;

    /// The job that a command of plain words asks for.
    fn asked(line: &str) -> Result<Job> {
        match Cli::try_parse_from(line.split_whitespace())?.command {
            Some(Command::Evaluate { checkpoint, attacks, options, .. }) => {
                measures::evaluate(options, &attacks, checkpoint.path())
            }
            Some(Command::Flatness { checkpoint, attacks, options, .. }) => {
                measures::flatness(options, &attacks, checkpoint.path())
            }
            Some(Command::Landscape { checkpoint, attacks, options, .. }) => {
                measures::landscape(options, &attacks, checkpoint.path())
            }
            Some(Command::Attack { checkpoint, options, .. }) => {
                measures::attack(&options, checkpoint.path())
            }
            Some(Command::Benchmark { checkpoint, options, .. }) => {
                measures::benchmark(&options, checkpoint.unwrap_or_default())
            }
            _ => anyhow::bail!("{line} asks for no measure"),
        }
    }

    #[test]
    fn the_command_line_of_a_job_asks_for_it() {
        let names = GROUPS.iter().flat_map(|(name, _)| group(name).unwrap_or_default());
        let mut jobs: Vec<Job> = names
            .map(|name| {
                let attack: PaperAttack = name.parse().unwrap();
                attack.job("net.pth".into(), "bundled", Compute::default())
            })
            .collect();
        for line in [
            "basin evaluate net.pth",
            "basin evaluate net.pth --attack pgd --norm l2 --attack-steps 40 --start uniform-sphere --objective target:3",
            "basin evaluate net.pth --attack pgd --attack pgd:objective=dlr,restarts=5 --attack pgd:norm=l1 --keep-attempts",
            "basin evaluate net.pth --attack pgd --attack pgd --epsilon 4/255 --backtrack --step-divisor 2 --tau 3",
            "basin evaluate net.pth --adversarial other.examples.safetensors --keep-probabilities",
            "basin attack net.pth --version apgd-ce,square --norm l1 --queries 9 --single-radius --batch-size 7",
            "basin flatness net.pth --loss clean --radius 0.1,0.2 --draws 3 --until 0.01 --tensors conv.weight,fc.bias",
            "basin flatness net.pth --levels 15,100 --worst-of 1 --weight-norm linf --weight-box -0.1..0.1",
            "basin flatness net.pth --levels off --scope global --absolute --sampling uniform-norm --per-layer",
            "basin flatness net.pth --worst-of 3 --search-examples test:5..9 --search-batch 4 --data mnist",
            "basin flatness net.pth --case worst --joint sequential --weight-start none --loss-bound 3 --weight-early-stopping",
            "basin flatness net.pth --case worst --attack-steps 1 --reference-restarts 10 --norm l2 --epsilon 0.25",
            "basin landscape net.pth --direction random:3 --second random --normalize global --loss robust-fixed",
            "basin landscape net.pth --second random --normalize layer_l2_05 --loss clean --device cpu --seed 18446744073709551615",
            "basin benchmark net.pth --attacks cifar10_epochs_benchmark,input_linf_aa_standard_e00314",
        ] {
            jobs.push(asked(line).unwrap_or_else(|error| panic!("{line}: {error}")));
        }
        let mut several =
            jobs.iter().filter(|job| matches!(job, Job::Evaluate(job) if job.more_attacks.len() == 2));
        assert!(several.next().is_some(), "several attacks are asked for");
        for job in jobs {
            let line = command_line(&job);
            let again = asked(&line).unwrap_or_else(|error| panic!("{line}: {error}"));
            assert_eq!(command_line(&again), line);
            // What has no effect on it is not asked for.
            let (mut again, mut job) = (json!(again), json!(job));
            if job["kind"] == "flatness" && job["loss"] == "clean" {
                [&mut again, &mut job].into_iter().for_each(|job| drop(job["reference_restarts"].take()));
            }
            assert_eq!(again, job, "{line}");
        }
    }

    #[test]
    fn what_options_leave_out_is_usual() {
        let Ok(Job::Evaluate(job)) = asked("basin evaluate net.pth --attack pgd --norm l2") else { panic!() };
        let attack =
            Pgd { norm: basin_core::job::InputNorm::L2, epsilon: 0.5, step_size: 0.0625, ..Pgd::default() };
        assert_eq!(
            job,
            Evaluate { checkpoint: "net.pth".into(), attack: Some(attack), ..Evaluate::default() }
        );
        let Ok(Job::Flatness(job)) = asked("basin flatness net.pth --case worst") else { panic!() };
        assert_eq!((job.radii.as_slice(), job.levels), ([0.003].as_slice(), None));
        let Ok(Job::Flatness(job)) = asked("basin flatness net.pth --until 0.1") else { panic!() };
        assert_eq!((job.draws, job.levels.map(|levels| levels.steps)), (100, Some(5)));
        let Ok(Job::Landscape(job)) = asked("basin landscape net.pth --second random") else { panic!() };
        assert_eq!((job.second.unwrap().to_string(), job.steps), ("random:1".to_owned(), 51));
    }

    #[test]
    fn options_are_consistent() {
        <super::Cli as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn slips_in_a_command_are_recognized() {
        for (word, command) in
            [("evalute", "evaluate"), ("landscpae", "landscape"), ("polt", "plot"), ("Run", "run")]
        {
            assert_eq!(super::similar(word).as_deref(), Some(command), "{word}");
        }
        for word in ["model.pth", "checkpoints", "results/plot", "a"] {
            assert_eq!(super::similar(word), None, "{word}");
        }
    }
}
