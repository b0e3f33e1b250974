//! What a measure is: settings, and the work that they ask for.

use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::context::{Context, Cost};
use super::kept::Kept;
use super::search_cost::SearchCost;
use super::summary::{Headline, Summary};
use super::units::{Plan, UnitRunner, Units};
use crate::attack::Pgd;
use crate::checkpoint::Checkpoint;
use crate::data::DataSelection;
use crate::device::Compute;
use crate::error::Result;
use crate::model::Topology;

/// Settings that every measure has.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The checkpoint that is measured.
    pub checkpoint: &'a Path,
    /// The images that it is measured on.
    pub data: &'a DataSelection,
    /// Where, how exactly and with which seed.
    pub compute: &'a Compute,
}

/// The target of settings with the fields `checkpoint`, `data` and `compute`.
macro_rules! target_fields {
    () => {
        fn target(&self) -> crate::measure::work::Target<'_> {
            let Self { checkpoint, data, compute, .. } = self;
            crate::measure::work::Target { checkpoint, data, compute }
        }

        fn target_mut(
            &mut self,
        ) -> (&mut std::path::PathBuf, &mut crate::data::DataSelection, &mut crate::device::Compute) {
            (&mut self.checkpoint, &mut self.data, &mut self.compute)
        }
    };
}
pub(crate) use target_fields;

/// Files that a job keeps beside its record, each kind by the option that asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeps {
    /// Adversarial examples.
    Examples,
    /// Perturbed networks.
    Networks,
    /// Eigenvectors of the Hessian.
    Eigenvectors,
    /// Probabilities of all classes.
    Probabilities,
}

/// Where other networks are that a measure looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fellows<'a> {
    /// A checkpoint, or the folder of a training, for its final network.
    One(&'a Path),
    /// The folder of a training, for the networks that it kept, by epoch.
    Kept(&'a Path),
}

/// Settings of a measure, and what can be done with them.
pub trait Measure: Clone + PartialEq + Serialize + DeserializeOwned + JsonSchema {
    /// Its name on the command line and in files, e.g. `flatness`.
    const KIND: &'static str;
    /// What it is called, e.g. `Flatness`.
    const TITLE: &'static str;
    /// Its numbers.
    type Outcome;
    /// The work on a checkpoint.
    type Work<'a>: Work<Outcome = Self::Outcome>
    where
        Self: 'a;

    /// What is usual, of a checkpoint that is still to be chosen.
    fn usual() -> Self;

    /// PGD on inputs, if it has such an attack.
    fn input_attack(&self) -> Option<&Pgd>;

    /// What is measured, on which images, how.
    fn target(&self) -> Target<'_>;

    /// The same, to be changed: checkpoint, images, computing.
    fn target_mut(&mut self) -> (&mut std::path::PathBuf, &mut DataSelection, &mut Compute);

    /// Checks every setting of its own.
    ///
    /// # Errors
    /// [`crate::Error::Invalid`] naming the setting, its value and what is allowed.
    fn check(&self) -> Result<()>;

    /// Checks that its attacks exist for networks with this many classes.
    ///
    /// # Errors
    /// [`crate::Error::Invalid`] with what to use instead.
    fn check_classes(&self, classes: usize) -> Result<()>;

    /// Checks that another network fits the checkpoint.
    ///
    /// # Errors
    /// It does not; with its path.
    fn check_fellow(&self, _: &Checkpoint, _: &Checkpoint) -> Result<()> {
        Ok(())
    }

    /// The network whose losses count, for that of the checkpoint: of the same tensors, such as with other logits.
    fn measured(&self, checkpoint: Topology) -> Topology {
        checkpoint
    }

    /// Whether gradients of weights are needed.
    fn searches_weights(&self) -> bool {
        false
    }

    /// Images that search, where they are others than those that are measured.
    fn search_data(&self) -> Option<&DataSelection> {
        None
    }

    /// Other networks that it looks at.
    fn fellows(&self) -> Vec<Fellows<'_>> {
        Vec::new()
    }

    /// Adversarial examples of an earlier record that it is measured on.
    fn stored(&self) -> Option<&Path> {
        None
    }

    /// What is kept beside the record.
    fn keeps(&self) -> Option<Keeps> {
        None
    }

    /// Whether a record is written of a part of the work when it is stopped. The units are kept anyway.
    fn has_partial_record(&self) -> bool {
        true
    }

    /// What is being done, for a line of progress: `average-case robust flatness`.
    fn label(&self) -> String;

    /// What it is, in words.
    fn summary(&self) -> Summary;

    /// The numbers of its outcome that stand first.
    fn headline(&self, outcome: &Self::Outcome) -> Headline;

    /// Begins the work, or opens it to assemble what others have computed; cheap.
    ///
    /// # Errors
    /// The settings do not fit the network.
    fn begin<'a>(&'a self, context: &'a Context) -> Result<Self::Work<'a>>;
}

/// The work of a measure on a checkpoint.
pub trait Work {
    /// Its numbers.
    type Outcome;

    /// All groups of units, in the order in which they are best computed, as far as they follow from those that are
    /// finished; when all are, they are all there are.
    ///
    /// # Errors
    /// Units that do not fit together.
    fn plan(&self, units: &Units) -> Result<Plan>;

    /// Computes what is missing of a group.
    ///
    /// # Errors
    /// A loss is not finite; a unit cannot be kept; or the runner wants to stop.
    fn compute(&self, group: &str, runner: &mut dyn UnitRunner) -> Result<()>;

    /// The outcome of the units there are; none if there is nothing to be said yet.
    ///
    /// # Errors
    /// Units that do not fit together; nothing of the whole plan is finite.
    fn assemble(&self, units: &Units) -> Result<Option<Assembled<Self::Outcome>>>;

    /// What is kept beside the record of the units there are.
    ///
    /// # Errors
    /// Units that do not fit together.
    fn kept(&self, _: &Units) -> Result<Kept> {
        Ok(Kept::default())
    }

    /// What the user should know before the work begins.
    fn notices(&self) -> Vec<String> {
        Vec::new()
    }

    /// Units of the whole work, and seconds for them, given what steps cost.
    ///
    /// # Errors
    /// The settings do not fit the network.
    fn seconds(&self, cost: &Cost) -> Result<(u64, f64)>;
}

/// Numbers, and what to know about them.
#[derive(Debug)]
pub struct Assembled<O> {
    /// The numbers.
    pub outcome: O,
    /// What a search in low precision misses.
    pub search_cost: Option<SearchCost>,
    /// What the user should know about the numbers.
    pub warnings: Vec<String>,
}
