//! Opening and writing checkpoints.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// What a checkpoint is, in words and numbers: what `basin inspect` prints and the window shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The file.
    pub path: PathBuf,
    /// SHA-256 of the file, hex.
    pub hash: String,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// `PyTorch zip`, `PyTorch legacy`, `safetensors`, …
    pub container: String,
    /// `ResNet`, `LeNet`, `MLP`.
    pub family: String,
    /// Short name, e.g. `ResNet-18, 8 channels, rebn`.
    pub model: String,
    /// `bn`, `rebn`, `fixedbn`, `gn`, `fixedgn` or `none`.
    pub normalization: String,
    /// `relu`, `silu`, …
    pub activation: String,
    /// Number of classes.
    pub classes: usize,
    /// Channels, height, width of an input image.
    pub resolution: [usize; 3],
    /// Epoch the checkpoint says it is from.
    pub epoch: Option<i64>,
    /// Number of trainable parameters.
    pub parameters: usize,
    /// How inputs are prepared, e.g. `clamp to [0, 1], whiten`.
    pub preprocessing: String,
    /// One line per layer of the topology, indented, for reading.
    pub topology: Vec<String>,
    /// Every tensor of the network, in order.
    pub tensors: Vec<TensorSummary>,
    /// What the user should know: what was ignored, guessed or repaired.
    pub notices: Vec<String>,
}

/// One tensor of a checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TensorSummary {
    /// Name in the state dictionary.
    pub name: String,
    /// Shape.
    pub shape: Vec<i64>,
    /// Role.
    pub role: Role,
    /// L2 norm.
    pub l2_norm: f64,
}

/// What a tensor is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Trainable and moved by directions and weight attacks by default.
    Weight,
    /// Trainable, of a normalization layer: not moved by default.
    Normalization,
    /// Not trained (whitening).
    Frozen,
    /// Running statistics.
    Buffer,
}

/// Reads a checkpoint far enough to say what it is. Never runs code from the file.
///
/// # Errors
/// The file is missing, empty, truncated, no checkpoint, or of a network Basin does not know.
pub fn inspect(path: &Path) -> Result<Summary> {
    Err(Error::file(path, "not built yet"))
}
