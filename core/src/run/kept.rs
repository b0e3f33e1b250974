//! Adversarial examples on their way to a file: from journals to arrays beside records.

use std::path::Path;

use tch::{Kind, Tensor};

use crate::bits::{from_hex, to_hex};
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::files::is_special;
use crate::record::KeptExamples;

/// A perturbation from a journal.
///
/// # Errors
/// The journal is damaged.
pub fn from_journal(text: &str) -> Result<Vec<f32>> {
    from_hex(text)
        .ok_or_else(|| Error::invalid("the journal beside the record is damaged; remove it and run again"))
}

/// The bits of float32 values for a journal.
///
/// # Errors
/// libtorch refuses to hand them over.
pub fn to_journal(values: &Tensor) -> Result<String> {
    let values: Vec<f32> = Vec::try_from(values.to_kind(Kind::Float).contiguous().view([-1]))?;
    Ok(to_hex(&values))
}

/// The data with what was added to its images: at the worst, and by every attempt where these are kept.
///
/// # Errors
/// libtorch refuses to hand the images over.
pub fn kept(dataset: &Dataset, perturbations: Vec<f32>, attempts: Vec<f32>) -> Result<KeptExamples> {
    let size = dataset.image_shape();
    let flat = |t: &tch::Tensor| t.contiguous().view([-1]);
    Ok(KeptExamples {
        shape: [dataset.len(), size[0] as usize, size[1] as usize, size[2] as usize],
        images: Vec::try_from(flat(&dataset.images.to_kind(Kind::Float)))?,
        perturbations,
        attempts,
        indices: dataset.indices.iter().map(|index| *index as i64).collect(),
        labels: Vec::try_from(flat(&dataset.labels))?,
    })
}

/// Refuses to keep something where there is no file to keep it beside.
///
/// # Errors
/// No `out`, or it is no plain file; the message says `what` is kept where, and which `option` asked for it.
pub fn check(out: Option<&Path>, what: &str, option: &str) -> Result<()> {
    match out {
        Some(out) if !is_special(out) => Ok(()),
        _ => Err(Error::invalid(format!(
            "{what} beside the record; add --out RECORD.json, or leave out {option}"
        ))),
    }
}
