//! Asking for AutoAttack.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attack::autoattack::AutoAttack;
use crate::data::DataSelection;
use crate::device::Compute;

/// Every example's verdict under an ensemble of attacks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attack {
    /// The checkpoint file.
    #[serde(with = "crate::files::as_text")]
    #[schemars(with = "String")]
    pub checkpoint: PathBuf,
    /// Images to attack.
    #[serde(default)]
    #[schemars(extend("x-group" = "Images"))]
    pub data: DataSelection,
    /// Which attacks, and their settings.
    #[serde(default)]
    #[schemars(extend("x-group" = "AutoAttack"))]
    pub attack: AutoAttack,
    /// Keep the adversarial examples beside the record, in RECORD.json.examples.safetensors.
    #[serde(default)]
    #[schemars(extend("x-group" = "Output", "x-label" = "Keep adversarial examples", "x-flag" = "keep-examples"))]
    pub keep_examples: bool,
    /// Device, precision, seed, batch size.
    #[serde(default)]
    #[schemars(extend("x-group" = "Computing"))]
    pub compute: Compute,
}
