//! The paper's names of models as a grammar: a name is a training.
//!
//! ```text
//! name    = [clip] ("normal_training" | method pgd ["_f100"] | curriculum "_awit_" weights "_" pgd "_pop" n) {"_" variant}
//! pgd     = "linf_gd_normalized_lr0007_mom0_i" steps "_e" code          (also with other numbers)
//! clip    = code "p_"                                                     e.g. 0005p_: weights within 0.005
//! method  = "at_" ["pll_" | "ii_" | "ssl" code "_" | "tau" n "_"] | "trades" n "_" | "mart" n "_"
//! ```
//!
//! where variants need `_f100` after the attack, `ssl` code is also a variant of `normal_training`, and `_es` may stand
//! behind any name. A code is a number without its point: `0314` is 0.314, `00314` is 0.0314.
//! Variants may be combined in any order, which the paper never does; two that decide the same setting are refused.
//! Where the paper's program ignores a number of a name, the name counts, unless its registry is asked for
//! ([`registered`]); [`Preset::notes`] tells.

mod list;
mod parse;
mod variant;

pub use list::{Group, groups};

use super::Train;
use crate::error::Result;

/// A name with what it stands for.
#[derive(Debug, Clone, PartialEq)]
pub struct Preset {
    /// The training.
    pub train: Train,
    /// Where the name and the paper's program differ, in sentences.
    pub notes: Vec<String>,
}

/// The training of a name, on the full CIFAR-10.
///
/// # Errors
/// The name is not one of the grammar; the sentence says which part is not understood.
pub fn preset(name: &str) -> Result<Preset> {
    parse::parse(name, false)
}

/// The training of a name by the numbers of the paper's registry, which ignores those of `wa098`, `cyc2`, `wd005` and
/// their like.
///
/// # Errors
/// As [`preset`].
pub fn registered(name: &str) -> Result<Preset> {
    parse::parse(name, true)
}

/// The number of a code: `0` and digits is a fraction, anything else a whole number.
pub fn decode(code: &str) -> Option<f64> {
    if code.is_empty() || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match code.strip_prefix('0') {
        Some(digits) if !digits.is_empty() => format!("0.{digits}").parse().ok(),
        _ => code.parse().ok(),
    }
}
