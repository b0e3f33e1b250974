//! Named arrays in a `.safetensors` file beside a record.

use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::error::{Error, Result};
use crate::files::write_atomically;

/// Values of an array, row by row.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// float32.
    Floats(Vec<f32>),
    /// int64.
    Integers(Vec<i64>),
}

/// An array with its shape.
pub type Array = (Vec<usize>, Values);

/// `<record>.<kind>.safetensors`, the file beside the record at `record`.
pub fn path_beside(record: &Path, kind: &str) -> PathBuf {
    let mut name = record.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{kind}.safetensors"));
    record.with_file_name(name)
}

/// Writes arrays: to a temporary file, synced, then renamed.
///
/// # Errors
/// The file cannot be written.
pub fn save(path: &Path, arrays: &[(&str, Array)]) -> Result<()> {
    let bytes: Vec<(Dtype, Vec<u8>)> = arrays
        .iter()
        .map(|(_, (_, values))| match values {
            Values::Floats(values) => (Dtype::F32, values.iter().flat_map(|v| v.to_le_bytes()).collect()),
            Values::Integers(values) => (Dtype::I64, values.iter().flat_map(|v| v.to_le_bytes()).collect()),
        })
        .collect();
    let views = arrays.iter().zip(&bytes).map(|((name, (shape, _)), (kind, bytes))| {
        (*name, TensorView::new(*kind, shape.clone(), bytes).expect("shape and values agree"))
    });
    let bytes = safetensors::serialize(views, None).expect("plain tensors");
    write_atomically(path, &bytes)
}

/// A file of arrays that is read.
pub struct Arrays(Vec<(String, Array)>);

impl Arrays {
    /// Reads a file; arrays of other types are skipped.
    ///
    /// # Errors
    /// It is missing, or damaged; `what` it should hold.
    pub fn load(path: &Path, what: &str) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|e| Error::io("cannot read", path, e))?;
        let file = SafeTensors::deserialize(&bytes).map_err(|_| damaged(path, what))?;
        let array = |view: TensorView| {
            let chunks = |size| view.data().chunks_exact(size);
            let values = match view.dtype() {
                Dtype::F32 => Values::Floats(
                    chunks(4).map(|b| f32::from_le_bytes(b.try_into().expect("4 bytes"))).collect(),
                ),
                Dtype::I64 => Values::Integers(
                    chunks(8).map(|b| i64::from_le_bytes(b.try_into().expect("8 bytes"))).collect(),
                ),
                _ => return None,
            };
            Some((view.shape().to_vec(), values))
        };
        let arrays = file.tensors().into_iter().filter_map(|(name, view)| Some((name, array(view)?)));
        Ok(Self(arrays.collect()))
    }

    fn take(&mut self, name: &str) -> Option<Array> {
        let at = self.0.iter().position(|(other, _)| other == name)?;
        Some(self.0.swap_remove(at).1)
    }

    /// Takes an array of float32.
    pub fn floats(&mut self, name: &str) -> Option<(Vec<usize>, Vec<f32>)> {
        match self.take(name)? {
            (shape, Values::Floats(values)) => Some((shape, values)),
            _ => None,
        }
    }

    /// Takes an array of int64.
    pub fn integers(&mut self, name: &str) -> Option<Vec<i64>> {
        match self.take(name)? {
            (_, Values::Integers(values)) => Some(values),
            _ => None,
        }
    }
}

/// What to say of a file that does not hold what it should.
pub fn damaged(path: &Path, what: &str) -> Error {
    Error::file(path, format!("is damaged or holds no {what}; run the record's job again"))
}
