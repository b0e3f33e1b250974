//! Jobs and outcomes of every kind: the registry of measures, and what is asked of any of them.
//!
//! A job is plain data, saved as JSON, filled by flags, forms and files alike. Field names are those of the JSON; the doc
//! comments of the fields are the help texts. Measures are registered in [`crate::measure`].

mod benchmark;
mod import;
mod paper;

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::attack::autoattack::{AutoAttack, Tuning, Version};
pub use crate::attack::objective::TargetClass;
pub use crate::attack::weights::{
    Bookkeeping, Descent, Sampling, Scope, Tensors, WeightBox, WeightGradient, WeightNorm,
};
pub use crate::attack::{GradientRule, InputNorm, Objective, Pgd, Projection, Selection, Start};
pub use crate::data::{DataSelection, Examples, Split};
use crate::device;
pub use crate::device::{Compute, Precision};
use crate::error::{Error, Result};
pub use crate::measure::Keeps;
pub use crate::measure::autoattack::Attack;
pub use crate::measure::evaluate::Evaluate;
pub use crate::measure::flatness::{Case, Flatness, FlatnessLoss, JointSearch, Levels, Logits};
pub use crate::measure::hessian::{Hessian, HessianLoss, Matrix};
pub use crate::measure::landscape::direction::{DirectionKind, Normalization, PaperToken};
pub use crate::measure::landscape::{Landscape, LandscapeLoss, Range, RunningStatistics};
use crate::measure::{self, Headline, Measure, Point, Summary, Target, all_measures};
use crate::model::Topology;
use crate::settings::{Setting, settings_of};
pub use crate::train::Train;
use crate::train::TrainingOutcome;
pub use benchmark::{Benchmark, BenchmarkOutcome, Entry};
pub use import::Import;

/// Does something with the measure of a job, whichever it is.
pub trait Visitor {
    /// What comes of it.
    type Output;

    /// Does it with the settings of a measure.
    fn visit<M: Measure>(self, job: &M) -> Self::Output
    where
        M::Outcome: Into<Outcome>;
}

macro_rules! measures {
    ($($(#[doc = $doc:expr])* $name:ident($module:ident::$settings:ident) gives $of:ident::$outcome:ident;)*) => {
        /// Any job.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "kind", rename_all = "kebab-case")]
        pub enum Job {
            $($(#[doc = $doc])* $name(measure::$module::$settings),)*
            /// Many attacks of the paper on one checkpoint.
            Benchmark(Benchmark),
            /// A network is trained; what comes out is a folder.
            Train(Box<Train>),
            /// A landscape of another program is opened.
            Import(Import),
        }

        /// The numbers of one job.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "kind", rename_all = "kebab-case")]
        pub enum Outcome {
            $($(#[doc = $doc])* $name(measure::$of::$outcome),)*
            /// Of a benchmark.
            Benchmark(BenchmarkOutcome),
            /// Of a training.
            Train(TrainingOutcome),
        }

        /// A kind of measure.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Kind {
            $($(#[doc = $doc])* $name,)*
            /// Many attacks of the paper on one checkpoint.
            Benchmark,
        }

        impl Kind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)* Self::Benchmark];

            /// Its name on the command line and in files, e.g. `flatness`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => <measure::$module::$settings as Measure>::KIND,)*
                    Self::Benchmark => "benchmark",
                }
            }

            /// What it is called, e.g. `Flatness`.
            pub fn title(self) -> &'static str {
                match self {
                    $(Self::$name => <measure::$module::$settings as Measure>::TITLE,)*
                    Self::Benchmark => "Benchmark",
                }
            }

            /// What it measures, in a sentence.
            pub fn about(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($doc),*).trim_ascii(),)*
                    Self::Benchmark => "Every measure of the paper on one checkpoint, or others of its attacks by name.",
                }
            }

            /// A job of this kind with what is usual.
            pub fn usual(self) -> Job {
                match self {
                    $(Self::$name => Job::$name(Measure::usual()),)*
                    Self::Benchmark => Job::Benchmark(Benchmark::new(PathBuf::new())),
                }
            }

            /// The settings of a job of this kind.
            pub fn settings_of(self, job: &serde_json::Value) -> Vec<Setting> {
                match self {
                    $(Self::$name => settings_of::<measure::$module::$settings>(job),)*
                    Self::Benchmark => settings_of::<Benchmark>(job),
                }
            }
        }

        impl Outcome {
            /// The numbers that stand first, of the outcome of a job.
            pub fn headline(&self, job: &Job) -> Headline {
                match (job, self) {
                    $((Job::$name(job), Self::$name(outcome)) => job.headline(outcome),)*
                    (_, Self::Benchmark(outcome)) => outcome.headline(),
                    (_, Self::Train(outcome)) => of_training(outcome),
                    _ => Headline::default(),
                }
            }
        }

        $(impl From<measure::$of::$outcome> for Outcome {
            fn from(outcome: measure::$of::$outcome) -> Self {
                Self::$name(outcome)
            }
        })*

        impl Job {
            /// Does something with its measure; none: it is a benchmark, which has several, or a training or an import,
            /// which have none.
            pub fn visit<V: Visitor>(&self, visitor: V) -> Option<V::Output> {
                match self {
                    $(Self::$name(job) => Some(visitor.visit(job)),)*
                    Self::Benchmark(_) | Self::Train(_) | Self::Import(_) => None,
                }
            }

            /// Checkpoint, images and computing; none: it is a training or an import.
            fn target(&self) -> Option<Target<'_>> {
                match self {
                    $(Self::$name(job) => Some(job.target()),)*
                    Self::Benchmark(job) => Some(job.target()),
                    Self::Train(_) | Self::Import(_) => None,
                }
            }

            /// The same, to be changed.
            fn target_mut(&mut self) -> Option<(&mut PathBuf, &mut DataSelection, &mut Compute)> {
                match self {
                    $(Self::$name(job) => Some(job.target_mut()),)*
                    Self::Benchmark(job) => Some((&mut job.checkpoint, &mut job.data, &mut job.compute)),
                    Self::Train(_) | Self::Import(_) => None,
                }
            }

            /// Its kind; none of a training or an import.
            pub fn measure(&self) -> Option<Kind> {
                match self {
                    $(Self::$name(_) => Some(Kind::$name),)*
                    Self::Benchmark(_) => Some(Kind::Benchmark),
                    Self::Train(_) | Self::Import(_) => None,
                }
            }

            /// Short name of the kind of job: `evaluate`, `attack`, `flatness`, `landscape`, `benchmark`, `train`,
            /// `import`.
            pub fn kind(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => <measure::$module::$settings as Measure>::KIND,)*
                    Self::Benchmark(_) => "benchmark",
                    Self::Train(_) => "train",
                    Self::Import(_) => "import",
                }
            }
        }
    };
}

all_measures!(measures);

macro_rules! visitors {
    ($($visitor:ident -> $output:ty: |$this:ident, $job:ident| $body:expr;)*) => {
        $(impl Visitor for $visitor {
            type Output = $output;

            fn visit<M: Measure>($this, $job: &M) -> $output
            where
                M::Outcome: Into<Outcome>,
            {
                $body
            }
        })*
    };
}

struct Check;
struct CheckClasses(usize);
struct Measured(Topology);
struct WhatItKeeps;
struct Label;
struct SearchesWeights;
struct InWords;
struct InputAttack;

visitors! {
    Check -> Result<()>: |self, job| job.check();
    CheckClasses -> Result<()>: |self, job| job.check_classes(self.0);
    Measured -> Topology: |self, job| job.measured(self.0);
    WhatItKeeps -> Option<Keeps>: |self, job| job.keeps();
    Label -> String: |self, job| job.label();
    SearchesWeights -> bool: |self, job| job.searches_weights();
    InWords -> Summary: |self, job| job.summary();
    InputAttack -> Option<Pgd>: |self, job| job.input_attack().cloned();
}

impl Job {
    /// The checkpoint that is measured; a training has none.
    pub fn checkpoint(&self) -> Option<&Path> {
        self.target().map(|target| target.checkpoint)
    }

    /// The same job for another checkpoint; a training stays as it is.
    pub fn on(mut self, checkpoint: &Path) -> Self {
        if let Some((place, ..)) = self.target_mut() {
            checkpoint.clone_into(place);
        }
        self
    }

    /// The same job on images of another folder or name; a training stays as it is.
    pub fn with_data(mut self, name: &str) -> Self {
        let before = self.data().name;
        if let Some((_, data, _)) = self.target_mut() {
            name.clone_into(&mut data.name);
        }
        // Images that search are mostly of the same folder.
        if let Self::Flatness(Flatness { search_data: Some(data), .. }) = &mut self
            && data.name == before
        {
            name.clone_into(&mut data.name);
        }
        self
    }

    /// What the job is about, as something to be called by: its checkpoint, the name of the network to be trained, or
    /// the file that is imported.
    pub fn subject(&self) -> &Path {
        match self {
            Self::Train(job) => Path::new(&job.name),
            Self::Import(job) => &job.file,
            job => job.checkpoint().unwrap_or(Path::new("")),
        }
    }

    /// The images that are looked at; of a training those that it learns from.
    pub fn data(&self) -> DataSelection {
        match (self, self.target()) {
            (_, Some(target)) => target.data.clone(),
            (Self::Train(job), _) => DataSelection { name: job.data.name.clone(), examples: job.data.train },
            _ => DataSelection::default(),
        }
    }

    /// How the job is to be computed.
    pub fn compute(&self) -> Compute {
        match (self, self.target()) {
            (_, Some(target)) => target.compute.clone(),
            (Self::Train(job), _) => Compute {
                device: job.device.clone(),
                precision: job.precision,
                seed: job.seed,
                batch_size: Some(job.batch_size),
            },
            _ => Compute::default(),
        }
    }

    /// What is being done, for a line of progress: `average-case robust flatness`.
    pub fn label(&self) -> String {
        self.visit(Label).unwrap_or_else(|| self.kind().to_owned())
    }

    /// What it is, in words. The number of images stands last in the details.
    pub fn summary(&self) -> Summary {
        let mut summary = match self {
            Self::Import(job) => return job.summary(),
            Self::Benchmark(job) => job.summary(),
            Self::Train(job) => Summary {
                title: "Training".into(),
                details: vec![job.method.title().to_string(), format!("{} epochs", job.epochs)],
                stem: "train".into(),
            },
            job => job.visit(InWords).unwrap_or_default(),
        };
        let images = self.data().examples.len();
        summary.details.push(if images == 1 { "1 image".into() } else { format!("{images} images") });
        summary
    }

    /// The network whose losses count, for that of the checkpoint.
    pub fn measured(&self, checkpoint: Topology) -> Topology {
        self.visit(Measured(checkpoint.clone())).unwrap_or(checkpoint)
    }

    /// PGD on inputs, if it has such an attack.
    pub fn input_attack(&self) -> Option<Pgd> {
        self.visit(InputAttack).flatten()
    }

    /// What is kept in files beside its record.
    pub fn keeps(&self) -> Option<Keeps> {
        self.visit(WhatItKeeps).flatten()
    }

    /// Whether adversarial examples are to be kept in a file beside the record.
    pub fn keeps_examples(&self) -> bool {
        self.keeps() == Some(Keeps::Examples)
    }

    /// Checks that its attack exists for networks with this many classes.
    ///
    /// # Errors
    /// [`Error::Invalid`] with what to use instead.
    pub fn check_classes(&self, classes: usize) -> Result<()> {
        match self {
            Self::Benchmark(job) => job.entries()?.iter().try_for_each(|(_, job)| job.check_classes(classes)),
            Self::Train(job) => job.attack.objective.check_classes(classes),
            job => job.visit(CheckClasses(classes)).unwrap_or(Ok(())),
        }
    }

    /// The job as the text of a file.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a job is plain data") + "\n"
    }

    /// Whether gradients of weights are needed.
    pub fn searches_weights(&self) -> bool {
        self.visit(SearchesWeights).unwrap_or(false)
    }

    /// Checks every setting before any work is done.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the setting, its value and what is allowed.
    pub fn check(&self) -> Result<()> {
        match self {
            Self::Benchmark(job) => job.check()?,
            Self::Train(job) => job.check()?,
            job => job.visit(Check).unwrap_or(Ok(()))?,
        }
        let compute = self.compute();
        let place = |name: &str| match self {
            Self::Train(_) => name.to_owned(),
            _ => format!("compute.{name}"),
        };
        device::check_name(&compute.device).map_err(|error| error.about(&place("device")))?;
        if compute.batch_size == Some(0) {
            let error = Error::invalid("batch size 0 is not possible; use 1 or more, or auto");
            return Err(error.about(&place("batch_size")));
        }
        Ok(())
    }
}

/// On its test images, after the last epoch.
fn of_training(outcome: &TrainingOutcome) -> Headline {
    let Some(test) = outcome.epochs.last().map(|epoch| epoch.test) else { return Headline::default() };
    Headline {
        numbers: Vec::new(),
        clean: Some(Point { loss: test.loss, error: test.error }),
        robust: Some(Point { loss: test.robust_loss, error: test.robust_error }),
    }
}

impl Default for Kind {
    fn default() -> Self {
        Self::Landscape
    }
}
