//! What came out: a record is the job, its provenance and the outcome, in one JSON object.
//!
//! Plots are made from records alone. Field names are relied on by other programs.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::files::{read_text, write_atomically};
use crate::job::Job;

/// Version of the record format; readers accept every version up to their own.
pub const FORMAT: u32 = 1;

/// One finished (or cancelled) job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
}

/// Everything needed to judge and repeat a number.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
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
    /// Short name of the model, e.g. `ResNet-18, 8 channels, rebn`.
    pub model: String,
    /// Start, RFC 3339 in UTC.
    pub started: String,
    /// Seconds of computing, over all runs of the job.
    pub duration_s: f64,
    /// Mean loss of the adversarial examples as the search saw it, minus as measured: what searching in
    /// low precision costs in exactness of the search.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search_difference: Option<f64>,
    /// Whether every unit of work was finished.
    pub complete: bool,
    /// What the user should know about these numbers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// The numbers of one job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Outcome {
    /// Of an evaluation.
    Evaluate(Evaluation),
    /// Of a landscape.
    Landscape(LandscapeOutcome),
}

/// Loss and error on clean images and under attack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// On the images as they are.
    pub clean: Evaluated,
    /// Under attack: the worst restart per example.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub robust: Option<Evaluated>,
}

/// Loss and error of one set of inputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluated {
    /// Mean cross-entropy (natural logarithm).
    pub loss: f64,
    /// Share of examples that are wrong, 0 to 1. Robust: wrong clean or attacked.
    pub error: f64,
    /// One entry per example, in the order of the selection.
    pub per_example: PerExample,
}

/// Columns, one entry per example.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PerExample {
    /// Index in the split.
    pub index: Vec<usize>,
    /// True class.
    pub label: Vec<i64>,
    /// Cross-entropy.
    pub loss: Vec<f32>,
    /// Predicted class.
    pub predicted: Vec<i64>,
    /// Probability of the predicted class.
    pub confidence: Vec<f32>,
}

/// Loss (mean cross-entropy) and error (0 to 1) at one point.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Mean cross-entropy.
    pub loss: f64,
    /// Share of wrong examples.
    pub error: f64,
}

/// Values on the grid: `[x]` in 1-D, `[y][x]` in 2-D; `null` where not computed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Values {
    /// 1-D.
    Line(Vec<Option<f64>>),
    /// 2-D, rows along y.
    Plane(Vec<Vec<Option<f64>>>),
}

impl Values {
    /// All `null`; `ny` of `None` means 1-D.
    pub fn empty(nx: usize, ny: Option<usize>) -> Self {
        match ny {
            None => Self::Line(vec![None; nx]),
            Some(ny) => Self::Plane(vec![vec![None; nx]; ny]),
        }
    }

    /// Value at `x` (and `y`, 0 in 1-D); none where not computed or outside the grid.
    pub fn get(&self, x: usize, y: usize) -> Option<f64> {
        match self {
            Self::Line(line) => *line.get(x)?,
            Self::Plane(rows) => *rows.get(y)?.get(x)?,
        }
    }

    /// Sets the value at `x` (and `y`, 0 in 1-D); ignores points outside the grid.
    pub fn set(&mut self, x: usize, y: usize, value: f64) {
        let cell = match self {
            Self::Line(line) => line.get_mut(x),
            Self::Plane(rows) => rows.get_mut(y).and_then(|row| row.get_mut(x)),
        };
        if let Some(cell) = cell {
            *cell = Some(value);
        }
    }

    /// Every value, row by row.
    pub fn iter(&self) -> Box<dyn Iterator<Item = Option<f64>> + '_> {
        match self {
            Self::Line(line) => Box::new(line.iter().copied()),
            Self::Plane(rows) => Box::new(rows.iter().flatten().copied()),
        }
    }
}

/// Loss and error on a grid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Grid {
    /// Mean cross-entropy.
    pub loss: Values,
    /// Share of wrong examples, 0 to 1.
    pub error: Values,
}

impl Grid {
    /// Nothing computed yet.
    pub fn empty(nx: usize, ny: Option<usize>) -> Self {
        Self { loss: Values::empty(nx, ny), error: Values::empty(nx, ny) }
    }

    /// Stores one point.
    pub fn set(&mut self, x: usize, y: usize, point: Point) {
        self.loss.set(x, y, point.loss);
        self.error.set(x, y, point.error);
    }
}

/// What one direction is, in numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DirectionSummary {
    /// e.g. `random`.
    pub name: String,
    /// Euclidean norm of step 1 over the whole model.
    pub norm: f64,
    /// That norm relative to the norm of the moved weights.
    pub relative_norm: f64,
    /// Per moved tensor: name and the relative L2 norm of step 1.
    pub layers: Vec<LayerNorm>,
}

/// Relative size of a direction in one tensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerNorm {
    /// The tensor's name in the checkpoint.
    pub name: String,
    /// L2 norm of step 1 divided by the L2 norm of the weights.
    pub relative_l2: f64,
}

/// A loss landscape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LandscapeOutcome {
    /// Steps along the first direction.
    pub x: Vec<f64>,
    /// Steps along the second direction; absent in 1-D.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y: Option<Vec<f64>>,
    /// On clean images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clean: Option<Grid>,
    /// Under attack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub robust: Option<Grid>,
    /// The directions, x first.
    #[serde(default)]
    pub directions: Vec<DirectionSummary>,
    /// Cosine of the angle between the two directions (2-D).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cosine: Option<f64>,
}

impl Record {
    /// Reads a record.
    ///
    /// # Errors
    /// The file cannot be read, is not a record, or was written by a newer Basin.
    pub fn load(path: &Path) -> Result<Self> {
        let text = read_text(path, "a Basin record")?;
        Self::parse(&text).map_err(|reason| Error::file(path, reason))
    }

    /// Reads a record from JSON text; the error says what is wrong.
    ///
    /// # Errors
    /// A sentence without the path.
    pub fn parse(text: &str) -> std::result::Result<Self, String> {
        let value: serde_json::Value = serde_json::from_str(text)
            .map_err(|e| format!("is not a Basin record (not JSON: {e}); give the file that --out wrote"))?;
        match value.get("format").and_then(serde_json::Value::as_u64) {
            None => {
                return Err("is not a Basin record (no \"format\"); give the file that --out wrote".into());
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

    /// The record as indented JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a record has only string keys and plain values")
    }
}
