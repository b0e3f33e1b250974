//! One measure on several networks of a training's folder: a job and a record for each.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use basin_core::Error;
use basin_core::job::Job;
use basin_core::progress::{Cancelled, Event, Progress};
use basin_core::record::training::{FINAL, is_training, snapshots};
use basin_core::record::{Outcome, Record};
use basin_core::run::{Observer, RunOptions, check_out, run};
use clap::Args;
use clap::builder::ValueParser;

use super::args::Output;
use super::failure::{say, usage};
use super::printing::print;
use super::terminal::Terminal;
use crate::headline;

/// Which networks of a training's folder.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Networks of a training")]
pub struct Networks {
    /// CHECKPOINT is the folder of a training: measure the networks that it kept of these epochs, a record for each in
    /// the folder --out. Numbers are those of the files in snapshots/, from 0: 12, 0,5,10, 0..30 or 0..30:5 (30 not
    /// included). Without it and --snapshots, a folder stands for its final network.
    #[arg(long, value_name = "N|A..B:STEP", value_parser = ValueParser::new(|text: &str| text.parse::<Epochs>()))]
    epoch: Option<Epochs>,
    /// The same of all networks that it kept on its way, running averages too.
    #[arg(long, conflicts_with = "epoch")]
    snapshots: bool,
}

/// Epochs by their numbers from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Epochs {
    /// Each of these.
    List(Vec<u64>),
    /// Those of a range that are there: from, up to but without, in steps.
    Range(u64, u64, u64),
}

impl std::str::FromStr for Epochs {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} selects no epochs; write e.g. 12, 0,5,10 or 0..30:5");
        let number = |text: &str| text.trim().parse::<u64>().map_err(|_| wrong());
        let Some((from, rest)) = text.split_once("..") else {
            return Ok(Self::List(text.split(',').map(number).collect::<Result<_, _>>()?));
        };
        let (to, step) = rest.split_once(':').unwrap_or((rest, "1"));
        let (from, to, step) = (number(from)?, number(to)?, number(step)?);
        if from < to && step > 0 { Ok(Self::Range(from, to, step)) } else { Err(wrong()) }
    }
}

impl Networks {
    /// The same, or all snapshots where none are chosen.
    pub fn or_all(self) -> Self {
        let snapshots = self.snapshots || self.epoch.is_none();
        Self { snapshots, ..self }
    }

    /// The network to measure, the first of several, and those to measure one by one; none: it is one job, on the
    /// checkpoint or the final network of a folder.
    ///
    /// # Errors
    /// The checkpoint is no folder of a training, or the training did not keep these networks.
    pub fn of(&self, checkpoint: &Path) -> Result<(PathBuf, Option<Vec<PathBuf>>)> {
        if self.epoch.is_none() && !self.snapshots {
            return Ok((network_of(checkpoint)?, None));
        }
        let several = self.several(checkpoint)?;
        Ok((several[0].clone(), Some(several)))
    }

    /// The networks that the options select in a folder, at least one.
    fn several(&self, checkpoint: &Path) -> Result<Vec<PathBuf>> {
        if !is_training(checkpoint) {
            let option = if self.snapshots { "--snapshots" } else { "--epoch" };
            return Err(usage(format!(
                "{} is not the folder of a training, which {option} is for; leave {option} out",
                checkpoint.display()
            )));
        }
        let kept = snapshots(checkpoint);
        let numbers: Vec<u64> =
            kept.iter().filter(|network| !network.average).map(|network| network.epoch).collect();
        let is_wanted = |epoch: u64| match &self.epoch {
            None => true,
            Some(Epochs::List(list)) => list.contains(&epoch),
            Some(Epochs::Range(from, to, step)) => {
                (*from..*to).contains(&epoch) && (epoch - from).is_multiple_of(*step)
            }
        };
        let missing = match &self.epoch {
            Some(Epochs::List(list)) => list.iter().find(|epoch| !numbers.contains(epoch)),
            _ => None,
        };
        let wanted: Vec<PathBuf> = (kept.iter())
            .filter(|network| is_wanted(network.epoch) && (self.snapshots || !network.average))
            .map(|network| checkpoint.join(&network.file))
            .collect();
        let there = || match numbers.as_slice() {
            [] => "it has kept none so far".to_owned(),
            numbers => {
                let words: Vec<String> = numbers.iter().map(ToString::to_string).collect();
                format!("it kept those of epochs {}", words.join(", "))
            }
        };
        match missing {
            Some(epoch) => Err(Error::file(
                checkpoint,
                format!("has no network of epoch {epoch} in snapshots/; {}", there()),
            )
            .into()),
            None if wanted.is_empty() => {
                let reason = format!("has no network of these epochs in snapshots/; {}", there());
                Err(Error::file(checkpoint, reason).into())
            }
            None => Ok(wanted),
        }
    }
}

/// A checkpoint as it was given; of a training's folder its final network.
fn network_of(checkpoint: &Path) -> Result<PathBuf> {
    if !checkpoint.is_dir() || !is_training(checkpoint) {
        return Ok(checkpoint.to_owned());
    }
    let last = checkpoint.join(FINAL);
    if last.is_file() {
        return Ok(last);
    }
    let reason = format!("is a training without {FINAL} so far; choose networks with --epoch or --snapshots");
    Err(Error::file(checkpoint, reason).into())
}

/// Runs a job on each of several networks; what is finished is shown again, what is not resumes.
///
/// # Errors
/// As one job; the records of the networks before stay.
pub fn compute(job: &Job, networks: &[PathBuf], output: &Output, threads: Option<u16>) -> Result<()> {
    if let Some(folder) = &output.out {
        if folder.is_file() {
            return Err(usage(format!(
                "{} is a file, but several networks have a record each; give a folder with --out",
                folder.display()
            )));
        }
        std::fs::create_dir_all(folder).map_err(|e| Error::io("cannot create", folder, e))?;
    }
    let mut terminal = Terminal::new()?;
    let mut records: Vec<Record> = Vec::new();
    let mut table = String::new();
    for (number, network) in networks.iter().enumerate() {
        let stem = network.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let job = job.clone().on(network);
        let out = output.out.as_ref().map(|folder| folder.join(format!("{}-{stem}.json", job.kind())));
        check_out(&job, out.as_deref()).map_err(usage)?;
        let options = RunOptions { out, replace: output.force, threads, ..RunOptions::default() };
        let of = format!("{} of {}, {stem}", number + 1, networks.len());
        let record = run(&job, &options, &mut OneOfMany { of, terminal: &mut terminal });
        let record = record
            .and_then(|record| if record.provenance.complete { Ok(record) } else { Err(Error::Cancelled) });
        let record = record.inspect_err(|error| {
            terminal.finish();
            if matches!(error, Error::Cancelled) {
                let how = if output.out.is_some() { "the same command resumes" } else { "nothing is kept" };
                say(format!("cancelled at {stem}, {} of {}; {how}", number + 1, networks.len()));
            }
        })?;
        for warning in &record.provenance.warnings {
            say(format!("note: {stem}: {warning}"));
        }
        let _ = writeln!(table, "{stem:<20}  {}", headline::long(&record.headline()));
        records.push(record);
    }
    terminal.finish();
    if output.json {
        return print(&(serde_json::to_string_pretty(&records)? + "\n"));
    }
    print(&table)
}

/// Says which network is at work.
pub struct OneOfMany<'a> {
    /// Which, before what is being done.
    pub of: String,
    /// Where it is told.
    pub terminal: &'a mut Terminal,
}

impl Progress for OneOfMany<'_> {
    fn report(&mut self, event: Event) -> Result<(), Cancelled> {
        self.terminal.report(match event {
            Event::Started { label, done, total } => {
                Event::Started { label: format!("{}: {label}", self.of), done, total }
            }
            Event::AlreadyDone => {
                say(format!("{}: done already", self.of));
                Event::Alive
            }
            event => event,
        })
    }
}

impl Observer for OneOfMany<'_> {
    fn interval(&self) -> Option<Duration> {
        self.terminal.interval()
    }

    fn so_far(&mut self, outcome: Outcome) {
        self.terminal.so_far(outcome);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_are_numbers_lists_and_ranges() {
        for (text, epochs) in [
            ("12", Epochs::List(vec![12])),
            ("0,5, 10", Epochs::List(vec![0, 5, 10])),
            ("0..30", Epochs::Range(0, 30, 1)),
            ("0..30:5", Epochs::Range(0, 30, 5)),
        ] {
            assert_eq!(text.parse(), Ok(epochs), "{text}");
        }
        for text in ["", "a", "5..5", "9..3", "0..9:0", "..3", "1,", "-1"] {
            assert!(text.parse::<Epochs>().is_err(), "{text}");
        }
    }
}
