//! Adversarial examples on their way to a file: as text in journals, as arrays beside records.

use std::fmt::Write as _;
use std::path::Path;

use tch::Kind;

use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::files::is_special;
use crate::record::KeptExamples;

/// The bits of float32 numbers, 8 hex digits each: exact, and a third of the size of decimals.
pub fn to_hex(values: &[f32]) -> String {
    values.iter().fold(String::with_capacity(8 * values.len()), |mut text, value| {
        let _ = write!(text, "{:08x}", value.to_bits());
        text
    })
}

/// What [`to_hex`] wrote.
///
/// # Errors
/// It did not write this.
pub fn from_hex(text: &str) -> Result<Vec<f32>> {
    let damaged = || Error::invalid("the journal beside the record is damaged; remove it and run again");
    text.as_bytes()
        .chunks(8)
        .map(|digits| {
            let digits = std::str::from_utf8(digits).map_err(|_| damaged())?;
            u32::from_str_radix(digits, 16).map(f32::from_bits).map_err(|_| damaged())
        })
        .collect()
}

/// The data with what was added to its images.
///
/// # Errors
/// libtorch refuses to hand the images over.
pub fn kept(dataset: &Dataset, perturbations: Vec<f32>) -> Result<KeptExamples> {
    let size = dataset.image_shape();
    let flat = |t: &tch::Tensor| t.contiguous().view([-1]);
    Ok(KeptExamples {
        shape: [dataset.len(), size[0] as usize, size[1] as usize, size[2] as usize],
        images: Vec::try_from(flat(&dataset.images.to_kind(Kind::Float)))?,
        perturbations,
        indices: dataset.indices.iter().map(|index| *index as i64).collect(),
        labels: Vec::try_from(flat(&dataset.labels))?,
    })
}

/// Refuses to keep examples where there is no file to keep them beside.
///
/// # Errors
/// No `out`, or it is no plain file.
pub fn check(out: Option<&Path>) -> Result<()> {
    match out {
        Some(out) if !is_special(out) => Ok(()),
        _ => Err(Error::invalid(
            "examples are kept in a file beside the record; add --out RECORD.json, or leave out --keep-examples",
        )),
    }
}
