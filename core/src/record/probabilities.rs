//! Probabilities of all classes kept beside a record: `<record>.probabilities.safetensors`, named in the record.
//!
//! Tensors `clean` (float32, `N x K`), `attempts` (float32, `A x N x K`, of every restart of every attack, in the order
//! of the record's attempts), `indices` and `labels` (int64, `N`).

use std::path::{Path, PathBuf};

use super::arrays::{self, Arrays, Values, damaged};
use crate::error::Result;
use crate::measure::Probabilities;

/// What the file holds, in words.
const WHAT: &str = "probabilities of classes";

impl Probabilities {
    /// Where the probabilities of the record at `record` are.
    pub fn path_beside(record: &Path) -> PathBuf {
        arrays::path_beside(record, "probabilities")
    }

    /// Writes the file: to a temporary one, synced, then renamed.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let count = self.labels.len();
        let attempts = self.attempts.len().checked_div(self.clean.len()).unwrap_or_default();
        let floats = |shape: &[usize], values: &[f32]| (shape.to_vec(), Values::Floats(values.to_vec()));
        let integers = |values: &[i64]| (vec![count], Values::Integers(values.to_vec()));
        let mut arrays = vec![
            ("clean", floats(&[count, self.classes], &self.clean)),
            ("indices", integers(&self.indices)),
            ("labels", integers(&self.labels)),
        ];
        if attempts > 0 {
            arrays.push(("attempts", floats(&[attempts, count, self.classes], &self.attempts)));
        }
        arrays::save(path, &arrays)
    }

    /// Reads the file.
    ///
    /// # Errors
    /// It is missing, or not what [`Probabilities::save`] writes.
    pub fn load(path: &Path) -> Result<Self> {
        let taken = |mut arrays: Arrays| {
            let (shape, clean) = arrays.floats("clean")?;
            let [count, classes] = shape.as_slice().try_into().ok()?;
            let (several, attempts) = arrays.floats("attempts").unwrap_or_default();
            let (indices, labels) = (arrays.integers("indices")?, arrays.integers("labels")?);
            let whole = (several.is_empty() || several.get(1..) == Some(&shape))
                && [&indices, &labels].iter().all(|values| values.len() == count);
            whole.then_some(Self { classes, clean, attempts, indices, labels })
        };
        taken(Arrays::load(path, WHAT)?).ok_or_else(|| damaged(path, WHAT))
    }
}
