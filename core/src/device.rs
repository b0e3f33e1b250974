//! Where and how exactly to compute: CPU or CUDA, float32 or faster.

use serde::{Deserialize, Serialize};

/// Precision of the search for perturbations. Losses are always measured in float32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// The fastest that the device supports well: bf16 where the hardware has it, else f32.
    #[default]
    Auto,
    /// 32-bit floats throughout.
    F32,
    /// TensorFloat-32 in convolutions and products (CUDA).
    Tf32,
    /// bfloat16 networks, float32 perturbations.
    Bf16,
    /// 64-bit floats throughout: for checks, slow.
    F64,
}

impl std::fmt::Display for Precision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::F32 => "f32",
            Self::Tf32 => "tf32",
            Self::Bf16 => "bf16",
            Self::F64 => "f64",
        })
    }
}

impl std::str::FromStr for Precision {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "f32" => Ok(Self::F32),
            "tf32" => Ok(Self::Tf32),
            "bf16" => Ok(Self::Bf16),
            "f64" => Ok(Self::F64),
            _ => Err(format!("unknown precision {text:?}; use auto, f32, tf32, bf16 or f64")),
        }
    }
}
