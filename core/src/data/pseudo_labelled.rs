//! The paper's 500,000 pseudo-labelled images as their authors offer them (Carmon et al. 2019): a pickled
//! dictionary with `data` (numpy bytes, `N x 32 x 32 x 3`) and `extrapolated_targets` (one integer each).

use std::path::Path;

use super::check::{AGAIN, check_range, read_file};
use super::examples::{Examples, Split};
use super::selection::{Selection, unit};
use crate::error::{Error, Result};
use crate::pickle::Pickle;

const SIDE: usize = 32;
const CHANNELS: usize = 3;
const PIXELS: usize = CHANNELS * SIDE * SIDE;
const CLASSES: i64 = 10;

/// Reads a range of images. The whole file has to be read for it.
pub(super) fn read(path: &Path, examples: &Examples) -> Result<Selection> {
    let (split, range) = (examples.split, examples.range());
    let damaged = |reason: String| {
        Error::file(path, format!("is no pickle of pseudo-labelled images ({reason}); {AGAIN}"))
    };
    let bytes = read_file(path)?;
    let pickle = Pickle::parse(&bytes).map_err(|fault| damaged(fault.reason))?;
    let (shape, pixels) = pickle.byte_array("data").map_err(damaged)?;
    let labels = pickle.integers("extrapolated_targets").map_err(damaged)?;
    let count = labels.len();
    if shape != [count, SIDE, SIDE, CHANNELS] || pixels.len() != count * PIXELS {
        return Err(damaged(format!(
            "data has the shape {shape:?}, with {count} labels it should be [{count}, {SIDE}, {SIDE}, {CHANNELS}]"
        )));
    }
    check_range(path, examples, if split == Split::Train { count } else { 0 })?;
    if let Some(at) = labels.iter().position(|label| !(0..CLASSES).contains(label)) {
        return Err(damaged(format!("image {at} has label {}, expected is 0 to 9", labels[at])));
    }
    let mut values = Vec::with_capacity(range.len() * PIXELS);
    for image in pixels[range.start * PIXELS..range.end * PIXELS].chunks_exact(PIXELS) {
        for channel in 0..CHANNELS {
            values.extend(image.iter().skip(channel).step_by(CHANNELS).map(|&byte| unit(byte)));
        }
    }
    Ok(Selection {
        shape: [CHANNELS, SIDE, SIDE],
        pixels: values,
        labels: labels[range].to_vec(),
        classes: CLASSES as usize,
    })
}

/// Number of images.
pub(super) fn count(path: &Path) -> Result<usize> {
    let bytes = read_file(path)?;
    let labels = Pickle::parse(&bytes)
        .ok()
        .and_then(|pickle| Some(pickle.integers("extrapolated_targets").ok()?.len()));
    labels.ok_or_else(|| Error::file(path, format!("is no pickle of pseudo-labelled images; {AGAIN}")))
}
