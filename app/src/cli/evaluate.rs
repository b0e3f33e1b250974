//! `basin evaluate`: loss and error, clean, under attack, and on stored adversarial examples.

use std::path::PathBuf;

use anyhow::Result;
use basin_core::job::{DataSelection, Evaluate, Examples, Job};
use basin_core::record::Record;
use clap::Args;

use super::args::{Attack, Common};
use super::attack::named;
use super::failure::usage;

/// What an evaluation attacks with besides PGD's options, and what it keeps.
#[derive(Debug, Args)]
#[command(next_help_heading = "Attack")]
pub struct EvaluateArgs {
    /// Evaluate on the adversarial examples that an earlier record kept, perhaps of another network (a transfer attack):
    /// the record, or its file of examples. Without --data and --examples, on the images of that record.
    #[arg(long, value_name = "RECORD.json|FILE", conflicts_with = "attack")]
    adversarial: Option<PathBuf>,
    /// Keep the adversarial examples beside the record, in RECORD.json.examples.safetensors.
    #[arg(long)]
    keep_examples: bool,
    /// Keep those of every restart of every attack there, not only of the worst one per example.
    #[arg(long)]
    keep_attempts: bool,
    /// Keep the probabilities of all classes, clean and of every restart, in RECORD.json.probabilities.safetensors.
    #[arg(long)]
    keep_probabilities: bool,
    /// Note mean loss and error at every iteration of the attack in the record: basin plot --figure attack-steps.
    #[arg(long)]
    log_steps: bool,
}

impl EvaluateArgs {
    /// The job that the options describe.
    ///
    /// # Errors
    /// Options that contradict each other; a record that cannot be read.
    pub fn job(self, checkpoint: PathBuf, attack: &Attack, common: &Common) -> Result<Job> {
        attack.check_evaluation().map_err(usage)?;
        if let Some(name) = attack.autoattack() {
            let only_pgd = [
                ("--keep-attempts", self.keep_attempts),
                ("--keep-probabilities", self.keep_probabilities),
                ("--log-steps", self.log_steps),
            ];
            if let Some((option, _)) = only_pgd.iter().find(|(_, given)| *given) {
                return Err(usage(format!("{option} is for PGD, and {name} is AutoAttack; leave it out")));
            }
            let job = named(name, checkpoint, self.keep_examples, common).map_err(usage)?;
            return Ok(Job::Attack(job));
        }
        let mut attacks = attack.all();
        let first = (!attacks.is_empty()).then(|| attacks.remove(0));
        if first.is_none() && self.adversarial.is_none() {
            let useless = [
                ("there are no adversarial examples to keep", self.keep_examples || self.keep_attempts),
                ("there are no iterations to log", self.log_steps),
            ];
            if let Some((what, _)) = useless.iter().find(|(_, given)| *given) {
                return Err(usage(format!("without an attack {what}; add --attack pgd")));
            }
        }
        Ok(Job::Evaluate(Evaluate {
            checkpoint,
            data: self.data(attack.examples(), common)?,
            attack: first,
            more_attacks: attacks,
            adversarial: self.adversarial,
            keep_examples: self.keep_examples || self.keep_attempts,
            keep_attempts: self.keep_attempts,
            keep_probabilities: self.keep_probabilities,
            log_steps: self.log_steps,
            compute: common.compute(),
        }))
    }

    /// The images that are given, else those of the stored adversarial examples.
    fn data(&self, usual: Examples, common: &Common) -> Result<DataSelection> {
        let stored = self.adversarial.as_ref().filter(|path| {
            (common.examples.is_none() || common.data.is_none())
                && path.extension().is_none_or(|ending| ending != "safetensors")
        });
        let Some(stored) = stored else { return Ok(common.data_or(usual)) };
        let DataSelection { name, examples } = Record::load(stored)?.job.data();
        Ok(DataSelection {
            name: common.data.clone().unwrap_or(name),
            examples: common.examples.unwrap_or(examples),
        })
    }
}
