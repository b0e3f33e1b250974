//! Asking for AutoAttack.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Compute, DataSelection};
use crate::attack::autoattack::AutoAttack;

/// Every example's verdict under an ensemble of attacks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attack {
    /// The checkpoint file.
    #[serde(with = "crate::files::as_text")]
    pub checkpoint: PathBuf,
    /// Images to attack.
    #[serde(default)]
    pub data: DataSelection,
    /// Which attacks, and their settings.
    #[serde(default)]
    pub attack: AutoAttack,
    /// Keep the adversarial examples in a file beside the record.
    #[serde(default)]
    pub keep_examples: bool,
    /// Device, precision, seed, batch size.
    #[serde(default)]
    pub compute: Compute,
}
