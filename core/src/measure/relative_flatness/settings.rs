//! Asking for relative flatness.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attack::Pgd;
use crate::data::DataSelection;
use crate::device::Compute;

/// Relative flatness of the last linear layer, on clean and on adversarial examples (Petzka et al. 2021).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RelativeFlatness {
    /// The checkpoint file.
    #[serde(with = "crate::files::as_text")]
    #[schemars(with = "String")]
    pub checkpoint: PathBuf,
    /// Images that it is averaged over.
    #[serde(default)]
    #[schemars(extend("x-group" = "Images"))]
    pub data: DataSelection,
    /// The attack that makes the adversarial examples.
    #[serde(default)]
    #[schemars(extend("x-group" = "Input attack"))]
    pub attack: Pgd,
    /// Device, precision, seed, batch size.
    #[serde(default)]
    #[schemars(extend("x-group" = "Computing"))]
    pub compute: Compute,
}
