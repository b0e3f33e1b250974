//! `basin pick`: the network of a training that is best by an evaluation, afterwards.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Result;
use basin_core::Error;
use basin_core::job::Job;
use basin_core::record::Record;
use basin_core::run::{RunOptions, run};
use clap::{Args, ValueEnum};

use super::{Destination, open};
use crate::cli::args::Threads;
use crate::cli::attacks::Attacks;
use crate::cli::failure::usage;
use crate::cli::measures;
use crate::cli::networks::{Networks, OneOfMany};
use crate::cli::printing::print;
use crate::cli::terminal::Terminal;
use crate::headline;
use crate::settings::options::{Evaluate, Options};

/// What is lowest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    /// Clean error.
    Clean,
    /// Robust error, under the attack.
    Robust,
    /// Robust loss, under the attack.
    Loss,
}

/// Which training, what counts, and where to.
#[derive(Debug, Args)]
pub struct PickArgs {
    /// Folder of a training that kept snapshots.
    #[arg(value_name = "TRAINING")]
    training: PathBuf,
    /// Which of its snapshots; without it, all.
    #[command(flatten)]
    networks: Networks,
    /// The network of the lowest clean error, robust error or robust loss is picked; of equal ones the earliest.
    #[arg(long, value_enum, default_value = "robust")]
    by: By,
    #[command(flatten)]
    attacks: Attacks,
    #[command(flatten)]
    options: Options<Evaluate>,
    #[command(flatten)]
    threads: Threads,
    #[command(flatten)]
    destination: Destination,
}

impl PickArgs {
    /// Evaluates the networks, and writes the best one.
    ///
    /// # Errors
    /// The folder is none of a training; as the evaluation; the file cannot be written or is there already.
    pub fn run(self) -> Result<()> {
        let Self { training, networks, by, attacks, options, threads, destination } = self;
        let format = destination.check()?;
        let several = networks.or_all().of(&training)?.1.unwrap_or_default();
        let job = measures::evaluate(options, &attacks, several[0].clone())?;
        let is_attacked =
            matches!(&job, Job::Evaluate(job) if job.is_attacked()) || matches!(job, Job::Attack(_));
        if by != By::Clean && !is_attacked {
            return Err(usage("the robust error needs an attack; add --attack pgd, or pick --by clean"));
        }
        job.check().map_err(usage)?;
        let mut terminal = Terminal::new()?;
        let options = RunOptions { threads: threads.threads, ..RunOptions::default() };
        let (mut table, mut best) = (String::new(), None::<(f64, PathBuf)>);
        for (number, path) in several.iter().enumerate() {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let of = format!("{} of {}, {stem}", number + 1, several.len());
            let progress = &mut OneOfMany { of, terminal: &mut terminal };
            let record = run(&job.clone().on(path), &options, progress);
            let record =
                record.and_then(
                    |record| if record.provenance.complete { Ok(record) } else { Err(Error::Cancelled) },
                );
            let record = record.inspect_err(|_| terminal.finish())?;
            let _ = writeln!(table, "{stem:<20}  {}", headline::long(&record.headline()));
            if let Some(value) = value(&record, by)
                && best.as_ref().is_none_or(|(lowest, _)| value < *lowest)
            {
                best = Some((value, path.clone()));
            }
        }
        terminal.finish();
        let Some((value, path)) = best else {
            return Err(usage("nothing was measured that tells which is best"));
        };
        let what = match by {
            By::Clean => format!("clean error {:.1} %", 100.0 * value),
            By::Robust => format!("robust error {:.1} %", 100.0 * value),
            By::Loss => format!("robust loss {value:.4}"),
        };
        let _ = writeln!(table, "\n{} has the lowest {what}", path.display());
        let opened = open(&path, &mut terminal)?;
        table += &destination.write(&opened, format)?;
        print(&table)
    }
}

fn value(record: &Record, by: By) -> Option<f64> {
    let headline = record.headline();
    match by {
        By::Clean => Some(headline.clean?.error),
        By::Robust => Some(headline.robust?.error),
        By::Loss => Some(headline.robust?.loss),
    }
}
