//! Asking for an evaluation.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Compute, DataSelection};
use crate::attack::Pgd;

/// Clean, and with an attack robust, loss and error of one checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluate {
    /// The checkpoint file.
    #[serde(with = "crate::files::as_text")]
    pub checkpoint: PathBuf,
    /// Images to evaluate on.
    #[serde(default)]
    pub data: DataSelection,
    /// The attack; none: clean only.
    #[serde(default)]
    pub attack: Option<Pgd>,
    /// Keep the adversarial examples in a file beside the record.
    #[serde(default)]
    pub keep_examples: bool,
    /// Device, precision, seed, batch size.
    #[serde(default)]
    pub compute: Compute,
}
