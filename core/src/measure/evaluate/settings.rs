//! Asking for an evaluation.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attack::Pgd;
use crate::data::DataSelection;
use crate::device::Compute;
use crate::error::{Error, Result};

/// Clean, and with an attack robust, loss and error of one checkpoint.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Evaluate {
    /// The checkpoint file.
    #[serde(with = "crate::files::as_text")]
    #[schemars(with = "String")]
    pub checkpoint: PathBuf,
    /// Images to evaluate on.
    #[serde(default)]
    #[schemars(extend("x-group" = "Images"))]
    pub data: DataSelection,
    /// The attack; none: clean only.
    #[serde(default)]
    #[schemars(extend("x-group" = "Input attack"))]
    pub attack: Option<Pgd>,
    /// Further attacks, each PGD as above but for what it says, such as `objective=dlr,restarts=5`. The worst of all
    /// attacks counts per example.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>", extend("x-group" = "Input attack", "x-label" = "Further attacks", "x-flag" = "attack", "x-hint" = "objective=dlr; restarts=5", "x-format" = "attacks"))]
    pub more_attacks: Vec<Pgd>,
    /// Adversarial examples that an earlier record kept, perhaps of another network (a transfer attack), in place of an
    /// attack: the record, or its file of examples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("x-group" = "Input attack", "x-label" = "Record or file", "x-flag" = "adversarial", "x-hint" = "none"))]
    pub adversarial: Option<PathBuf>,
    /// Keep the adversarial examples beside the record, in RECORD.json.examples.safetensors.
    #[serde(default)]
    #[schemars(extend("x-group" = "Output", "x-label" = "Keep adversarial examples", "x-flag" = "keep-examples"))]
    pub keep_examples: bool,
    /// Keep the adversarial examples of every restart of every attack, not only of the worst one per example: what a
    /// transfer to other networks needs.
    #[serde(default, skip_serializing_if = "is_false")]
    #[schemars(extend("x-group" = "Output", "x-label" = "Keep those of every restart", "x-flag" = "keep-attempts", "x-advanced" = true))]
    pub keep_attempts: bool,
    /// Keep the probabilities of all classes, clean and of every restart, beside the record, in
    /// RECORD.json.probabilities.safetensors.
    #[serde(default, skip_serializing_if = "is_false")]
    #[schemars(extend("x-group" = "Output", "x-flag" = "keep-probabilities", "x-advanced" = true))]
    pub keep_probabilities: bool,
    /// Note mean loss and error at every iteration of the attack in the record, for the attack-steps figure.
    #[serde(default, skip_serializing_if = "is_false")]
    #[schemars(extend("x-group" = "Output", "x-label" = "Log every iteration", "x-flag" = "log-steps", "x-advanced" = true))]
    pub log_steps: bool,
    /// Device, precision, seed, batch size.
    #[serde(default)]
    #[schemars(extend("x-group" = "Computing"))]
    pub compute: Compute,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

impl Evaluate {
    /// All attacks in order.
    pub fn attacks(&self) -> impl Iterator<Item = &Pgd> {
        self.attack.iter().chain(&self.more_attacks)
    }

    /// Whether there are adversarial examples, made or stored.
    pub fn is_attacked(&self) -> bool {
        self.attack.is_some() || self.adversarial.is_some()
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// A setting of an attack is not possible, or settings contradict each other.
    pub fn check(&self) -> Result<()> {
        if let Some(attack) = &self.attack {
            attack.check().map_err(|error| error.about("attack"))?;
        }
        let further = self.more_attacks.iter().try_for_each(Pgd::check);
        further.map_err(|error| Error::invalid(error.to_string()).about("more_attacks"))?;
        if let Some(stored) = self.adversarial.as_ref().filter(|path| path.to_str().is_none()) {
            let reason =
                "has a name that is not Unicode, which records of stored examples cannot hold; rename it";
            return Err(Error::file(stored, reason));
        }
        let Some(first) = &self.attack else {
            let useless = [
                ("more_attacks", "further attacks", !self.more_attacks.is_empty()),
                ("log_steps", "a log of iterations", self.log_steps),
                ("keep_attempts", "keeping examples of every attempt", self.keep_attempts),
            ];
            return match useless.iter().find(|(_, _, given)| *given) {
                Some((name, what, _)) => {
                    Err(Error::invalid(format!("{what} needs an attack; choose one")).about(name))
                }
                None => Ok(()),
            };
        };
        if self.adversarial.is_some() {
            return Err(Error::invalid(
                "stored adversarial examples take the place of an attack; leave out one of the two",
            )
            .about("adversarial"));
        }
        if self.more_attacks.iter().any(|attack| attack.selection != first.selection) {
            return Err(Error::invalid(
                "the attacks choose their worst restart by different rules (loss, wrong-class confidence), so they cannot be \
                 pooled; use one rule for all",
            )
            .about("more_attacks"));
        }
        Ok(())
    }
}
