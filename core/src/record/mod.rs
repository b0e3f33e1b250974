//! What came out: a record is the job, its provenance and the outcome, in one JSON object.
//!
//! Plots are made from records alone. Field names are relied on by other programs.

mod arrays;
pub mod attacks;
mod benchmark;
mod examples;
mod losses;
pub mod names;
mod networks;
mod probabilities;
pub mod training;

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::checkpoint::Probe;
use crate::error::{Error, Result};
use crate::exchange::{self, Imported};
use crate::files::{not_json, read_text, write_atomically};
pub use crate::job::{BenchmarkOutcome, Entry, Outcome};
use crate::job::{Import, Job};
pub use crate::measure::autoattack::{AttackFlags, AttackOutcome, AttackRow, AttackedExamples};
pub use crate::measure::evaluate::{
    AttackSteps, Attempt, AttemptAverage, Evaluated, Evaluation, ExampleSource, Metrics, Rejecting, Spread,
};
pub use crate::measure::flatness::{
    AtRadius, Draw, FlatnessOutcome, KeptNetwork, LayerFlatness, LevelsOutcome, OnLevels, PlainMean,
};
pub use crate::measure::hessian::{Density, Eigenvalue, HessianOutcome, LayerCurvature, Quadrature, Trace};
pub use crate::measure::landscape::{
    Barrier, Correction, CurvatureGrid, DirectionSummary, Grid, Landmark, LandscapeDraw, LandscapeOutcome,
    LayerNorm, ORIGIN, ReducedPrecision, Values, WarmGap,
};
pub use crate::measure::{
    Headline, KeptExamples, KeptLosses, Number, PerExample, Point, Probabilities, Quantity, SearchCost,
    Summary,
};
pub use networks::{network_file, network_folder};

pub use crate::train::{Snapshot, Trained, TrainingOutcome};

/// Version of the record format; readers accept every version up to their own.
pub const FORMAT: u32 = 1;

/// What to do about a file that is no record.
const GIVE: &str = "give the file that --out wrote, or the folder of a training";

/// One finished (or cancelled) job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Record {
    /// Version of the format, [`FORMAT`].
    pub format: u32,
    /// What was asked.
    pub job: Job,
    /// Where the numbers come from.
    #[serde(default)]
    pub provenance: Provenance,
    /// The numbers.
    pub outcome: Outcome,
    /// Name of the file beside the record with the adversarial examples, see [`KeptExamples`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub examples: Option<String>,
}

/// Everything needed to judge and repeat a number.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Provenance {
    /// Version of the program.
    pub version: String,
    /// Seed of all random numbers.
    pub seed: u64,
    /// Where it was computed, e.g. `cpu (2 threads)`, `cuda:0 (NVIDIA H100)`.
    pub device: String,
    /// Precision in which attacks searched: `f32`, `tf32`, `bf16`.
    pub search_precision: String,
    /// Precision of every reported loss: `f32`.
    pub measure_precision: String,
    /// Images at a time.
    pub batch_size: usize,
    /// Name of the data set.
    pub data: String,
    /// SHA-256 over the selected images and labels, first 16 hex digits.
    pub data_fingerprint: String,
    /// SHA-256 of the checkpoint file, hex.
    pub checkpoint_hash: String,
    /// SHA-256 of the other networks that the measure looked at, if any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fellows: Vec<String>,
    /// Short name of the model, e.g. `ResNet-18, 8 channels, rebn`.
    pub model: String,
    /// What was assumed where the checkpoint's file does not say how it is read, as `--assume` takes it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub assumed: String,
    /// The readings that were tried, the best first, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probe: Option<Probe>,
    /// Start, RFC 3339 in UTC.
    pub started: String,
    /// Seconds of computing, over all runs of the job.
    pub duration_s: f64,
    /// What searching in low precision misses; absent where the search is as exact as the measuring. (Records of
    /// earlier versions have `search_difference` instead: the loss of the same perturbations in both precisions.)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search_cost: Option<SearchCost>,
    /// Whether every unit of work was finished.
    pub complete: bool,
    /// The shares of a job that several processes computed, by their number; empty: one computed all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shards: Vec<Shard>,
    /// Of an import: what the numbers were read from. Nothing else is known of how they were computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub imported: Option<Imported>,
    /// What the user should know about these numbers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// A share of a job that a process computed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Shard {
    /// Its number, from 1.
    pub number: usize,
    /// How many shares there were.
    pub of: usize,
    /// The machine.
    pub host: String,
    /// What it was computed on, e.g. `cpu (2 threads)`.
    pub device: String,
    /// Start, RFC 3339 in UTC.
    pub started: String,
    /// Seconds of computing, over all runs of the share.
    pub duration_s: f64,
    /// Units of work it finished.
    pub units: usize,
}

impl Record {
    /// Reads a record; that of a training is its folder. A landscape of another program becomes one, see
    /// [`crate::exchange`].
    ///
    /// # Errors
    /// The file cannot be read, is not a record, or was written by a newer Basin.
    pub fn load(path: &Path) -> Result<Self> {
        if path.is_dir() {
            return training::read(path);
        }
        if exchange::is_named_so(path) {
            return Self::import(path);
        }
        let text = read_text(path, "a Basin record")?;
        Self::parse(&text).map_err(|reason| Error::file(path, reason))
    }

    fn import(path: &Path) -> Result<Self> {
        let exchange::Landscape { outcome, imported, warnings } = exchange::read(path)?;
        Ok(Self {
            format: FORMAT,
            job: Job::Import(Import { file: path.to_owned() }),
            provenance: Provenance {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                imported: Some(imported),
                complete: true,
                warnings,
                ..Provenance::default()
            },
            outcome: Outcome::Landscape(outcome),
            examples: None,
        })
    }

    /// Reads a record from JSON text; the error says what is wrong.
    ///
    /// # Errors
    /// A sentence without the path.
    pub fn parse(text: &str) -> std::result::Result<Self, String> {
        // Twice as fast as by way of a value, which says better what is wrong.
        if let Ok(record) = serde_json::from_str::<Self>(text)
            && record.format <= FORMAT
        {
            return Ok(record);
        }
        let value: serde_json::Value = serde_json::from_str(text)
            .map_err(|e| format!("is not a Basin record: it {}; {GIVE}", not_json(text, &e)))?;
        match value.get("format").and_then(serde_json::Value::as_u64) {
            None => {
                return Err(format!("is not a Basin record: it has no \"format\"; {GIVE}"));
            }
            Some(v) if v > u64::from(FORMAT) => {
                return Err(format!(
                    "was written by a newer Basin (record format {v}, this one reads up to {FORMAT}); update Basin"
                ));
            }
            Some(_) => {}
        }
        serde_json::from_value(value)
            .map_err(|e| format!("is a damaged or unknown Basin record ({e}); run its job again"))
    }

    /// Writes the record: to a temporary file, synced, then renamed.
    ///
    /// # Errors
    /// The folder does not exist or cannot be written, or the disk is full.
    pub fn save(&self, path: &Path) -> Result<()> {
        write_atomically(path, self.to_json().as_bytes())
    }

    /// Reads the adversarial examples kept beside the record at `path`; none if it kept none.
    ///
    /// # Errors
    /// The file is missing or damaged.
    pub fn load_examples(&self, path: &Path) -> Result<Option<KeptExamples>> {
        // A name only: a record does not point elsewhere.
        let Some(name) = self.examples.as_deref().and_then(|name| Path::new(name).file_name()) else {
            return Ok(None);
        };
        KeptExamples::load(&path.with_file_name(name)).map(Some)
    }

    /// Reads the losses per draw and example kept beside the record of flatness at `path`; none if it kept none.
    ///
    /// # Errors
    /// The file is missing or damaged.
    pub fn load_losses(&self, path: &Path) -> Result<Option<KeptLosses>> {
        let Outcome::Flatness(outcome) = &self.outcome else { return Ok(None) };
        let Some(name) = outcome.losses.as_deref().and_then(|name| Path::new(name).file_name()) else {
            return Ok(None);
        };
        KeptLosses::load(&path.with_file_name(name)).map(Some)
    }

    /// The numbers that stand first.
    pub fn headline(&self) -> Headline {
        self.outcome.headline(&self.job)
    }

    /// The record as indented JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a record has only string keys and plain values")
    }
}
