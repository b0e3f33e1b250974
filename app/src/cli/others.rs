//! Measures whose options are their settings and nothing else: a subcommand for each, from the registry.

use anyhow::Result;
use basin_core::job::Job;
use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand};

use super::args::{CheckpointArgs, Output, Threads};
use super::attacks::Attacks;
use super::compute::compute_asked;
use super::measures;
use super::networks::Networks;
use crate::settings::{Given, Measure, options};

/// A measure as it is asked for.
#[derive(Debug)]
pub struct Other {
    measure: Measure,
    checkpoint: CheckpointArgs,
    networks: Networks,
    given: Given,
    attacks: Option<Attacks>,
    threads: Threads,
    output: Output,
}

/// Those without a subcommand of their own.
fn all() -> impl Iterator<Item = Measure> {
    use Measure::{Attack, Benchmark, Evaluate, Flatness, Landscape};
    let own = [Attack, Benchmark, Evaluate, Flatness, Landscape];
    Measure::ALL.iter().copied().filter(move |measure| !own.contains(measure))
}

fn has_attack(measure: Measure) -> bool {
    measure.usual().input_attack().is_some()
}

impl Other {
    /// Computes what is asked for.
    ///
    /// # Errors
    /// The options make no sense, or as the job.
    pub fn run(self) -> Result<()> {
        let (checkpoint, several) = self.networks.of(&self.checkpoint.path())?;
        let job: Job = measures::other(self.measure, self.given, self.attacks.as_ref(), checkpoint)?;
        compute_asked(&job, several.as_deref(), &self.output, self.threads.threads)
    }
}

impl Subcommand for Other {
    fn augment_subcommands(command: Command) -> Command {
        all().fold(command, |command, measure| {
            let one = Command::new(measure.name());
            let one =
                options::augmented(Networks::augment_args(CheckpointArgs::augment_args(one)), measure, None);
            let one = if has_attack(measure) { Attacks::augment_args(one) } else { one };
            let one = Output::augment_args(Threads::augment_args(one));
            // Last, as each group of options would say what it is.
            command.subcommand(one.about(measure.about().trim_end_matches('.')).long_about(None::<&str>))
        })
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        all().any(|measure| measure.name() == name)
    }
}

impl FromArgMatches for Other {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let found = matches.subcommand();
        let found = found.and_then(|(name, of)| Some((all().find(|measure| measure.name() == name)?, of)));
        let (measure, of) =
            found.ok_or_else(|| clap::Error::new(clap::error::ErrorKind::InvalidSubcommand))?;
        Ok(Self {
            measure,
            checkpoint: CheckpointArgs::from_arg_matches(of)?,
            networks: Networks::from_arg_matches(of)?,
            given: options::given(of, measure),
            attacks: has_attack(measure).then(|| Attacks::from_arg_matches(of)).transpose()?,
            threads: Threads::from_arg_matches(of)?,
            output: Output::from_arg_matches(of)?,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
