//! Adversarial examples kept beside a record: `<record>.examples.safetensors`, named in the record.
//!
//! Tensors `images` and `perturbations` (float32, `N x C x H x W`), `indices` and `labels` (int64, `N`), in the
//! order of the record's examples; and `attempts` (float32, `A x N x C x H x W`), the perturbations of every attempt,
//! where these are kept.

use std::path::{Path, PathBuf};

use super::arrays::{self, Array, Arrays, Values, damaged};
use crate::error::Result;
use crate::measure::KeptExamples;

/// What the file holds, in words.
const WHAT: &str = "kept examples";

impl KeptExamples {
    /// Where the examples of the record at `record` are.
    pub fn path_beside(record: &Path) -> PathBuf {
        arrays::path_beside(record, "examples")
    }

    /// Writes the file: to a temporary one, synced, then renamed.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let floats =
            |shape: Vec<usize>, values: &[f32]| -> Array { (shape, Values::Floats(values.to_vec())) };
        let integers = |values: &[i64]| -> Array { (vec![self.shape[0]], Values::Integers(values.to_vec())) };
        let mut arrays = vec![
            ("images", floats(self.shape.to_vec(), &self.images)),
            ("perturbations", floats(self.shape.to_vec(), &self.perturbations)),
            ("indices", integers(&self.indices)),
            ("labels", integers(&self.labels)),
        ];
        if !self.attempts.is_empty() {
            let shape = [&[self.attempts.len() / self.images.len()], self.shape.as_slice()].concat();
            arrays.push(("attempts", floats(shape, &self.attempts)));
        }
        arrays::save(path, &arrays)
    }

    /// Reads the file.
    ///
    /// # Errors
    /// It is missing, or not what [`KeptExamples::save`] writes.
    pub fn load(path: &Path) -> Result<Self> {
        Self::taken(Arrays::load(path, WHAT)?).ok_or_else(|| damaged(path, WHAT))
    }

    fn taken(mut arrays: Arrays) -> Option<Self> {
        let (shape, images) = arrays.floats("images")?;
        let (other_shape, perturbations) = arrays.floats("perturbations")?;
        let (several_shape, attempts) = arrays.floats("attempts").unwrap_or_default();
        let several_fits = several_shape.is_empty() || several_shape.get(1..) == Some(&shape);
        let whole_shape: [usize; 4] = shape.clone().try_into().ok()?;
        let (indices, labels) = (arrays.integers("indices")?, arrays.integers("labels")?);
        let kept = Self { shape: whole_shape, images, perturbations, attempts, indices, labels };
        let whole = other_shape == shape
            && several_fits
            && [&kept.indices, &kept.labels].iter().all(|v| v.len() == shape[0]);
        whole.then_some(kept)
    }
}
