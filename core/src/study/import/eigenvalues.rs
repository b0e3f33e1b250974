//! Eigenvalues of Hessians.

use std::path::Path;

use super::evaluations::{Images, provenance, record};
use crate::data::{DataSelection, Examples, Split};
use crate::error::{Error, Result};
use crate::job::{Hessian, Job};
use crate::pickle::Pickle;
use crate::record::{Eigenvalue, HessianOutcome, Outcome, Record};

/// The program takes so many test images, the last ones.
const IMAGES: usize = 500;
/// Relative tolerance of the program's eigenvalues.
const TOLERANCE: f64 = 1e-2;

/// The record of a file `eigenvalues_K.pkl`: a numpy array, from both ends of the spectrum.
///
/// # Errors
/// The file is damaged, or there are no images.
pub fn eigenvalues(file: &Path, checkpoint: &Path, count: usize, images: &mut Images) -> Result<Record> {
    let bytes = std::fs::read(file).map_err(|e| Error::io("cannot read", file, e))?;
    let damaged = |reason: &str| {
        Error::file(file, format!("is no pickled array of eigenvalues ({reason}); copy it again"))
    };
    let pickle = Pickle::parse(&bytes).map_err(|fault| damaged(&fault.reason))?;
    let mut values = pickle
        .array(pickle.root())
        .and_then(|array| array.floats())
        .ok_or_else(|| damaged("it holds no numbers"))?;
    values.sort_by(f64::total_cmp);
    let found = |value: &f64| Eigenvalue { value: *value, residual: TOLERANCE * value.abs() };
    let largest: Vec<Eigenvalue> = values.iter().rev().filter(|value| **value > 0.0).map(found).collect();
    let smallest: Vec<Eigenvalue> = values.iter().filter(|value| **value <= 0.0).map(found).collect();
    let ratio =
        largest.first().map(|largest| smallest.first().map_or(0.0, |s| s.value.abs()) / largest.value);
    let start = count.saturating_sub(IMAGES);
    let examples = Examples { start, ..images.selection(Split::Test, count).examples };
    let data = DataSelection { examples, ..images.selection(Split::Test, count) };
    let job = Hessian {
        checkpoint: checkpoint.to_owned(),
        data,
        top: largest.len(),
        bottom: smallest.len(),
        ..Hessian::default()
    };
    let outcome = HessianOutcome { largest, smallest, convexity_ratio: ratio, ..HessianOutcome::default() };
    let dataset = images.range(Split::Test, start, count)?;
    let mut provenance = provenance(file, checkpoint, dataset);
    provenance.warnings.push(format!(
        "the other program adds batches: its values are larger by the number of batches, and accurate to {TOLERANCE}; residuals are that tolerance"
    ));
    Ok(record(Job::Hessian(job), Outcome::Hessian(outcome), provenance))
}
