//! What any container holds: tensors by name whose values are read when asked for, and plain values.

use std::collections::BTreeMap;

use serde_json::Value;
use tch::{Kind, Tensor};

use super::source::Storage;

/// Tensors of a network by name.
pub type Named = BTreeMap<String, RawTensor>;

/// A tensor whose values are read when asked for.
pub struct RawTensor {
    /// Shape; empty where the tensor cannot be read.
    pub shape: Vec<i64>,
    /// Element type.
    pub kind: Kind,
    content: Result<Content, String>,
}

/// Where the elements of a tensor are.
struct Content {
    storage: Storage,
    /// Number of elements of the storage before the first one.
    offset: u64,
    /// Elements to go on by, per axis; none: one after the other, the last axis fastest.
    strides: Option<Vec<u64>>,
}

impl RawTensor {
    /// A tensor that fills a storage from its start on, row by row.
    pub fn new(shape: Vec<i64>, kind: Kind, storage: Storage) -> Self {
        Self { shape, kind, content: Ok(Content { storage, offset: 0, strides: None }) }
    }

    /// A tensor that cannot be read; the reason goes on a sentence that begins with its name.
    pub fn unreadable(reason: String) -> Self {
        Self { shape: Vec::new(), kind: Kind::Float, content: Err(reason) }
    }

    /// A tensor within a storage. One that reaches beyond it cannot be read.
    pub fn strided(storage: Storage, kind: Kind, offset: i64, shape: Vec<i64>, strides: &[i64]) -> Self {
        let reaches = reach(offset, &shape, strides);
        let size = kind.elt_size_in_bytes() as u64;
        if reaches.and_then(|reaches| reaches.checked_mul(size)).is_none_or(|bytes| bytes > storage.len) {
            return Self::unreadable(format!(
                "has the shape {shape:?}, which reaches beyond what is stored; the file is damaged, fetch it again"
            ));
        }
        let mut expected = 1;
        let row_by_row = shape.iter().zip(strides).rev().all(|(&size, &stride)| {
            let fits = size <= 1 || stride == expected;
            expected = size.max(1).saturating_mul(expected);
            fits
        });
        let strides = (!row_by_row).then(|| strides.iter().map(|&stride| stride.unsigned_abs()).collect());
        Self { shape, kind, content: Ok(Content { storage, offset: offset.unsigned_abs(), strides }) }
    }

    /// Why it cannot be read, if that is known already.
    pub fn problem(&self) -> Option<&str> {
        self.content.as_ref().err().map(String::as_str)
    }

    /// Number of elements.
    pub fn elements(&self) -> usize {
        self.shape.iter().product::<i64>().unsigned_abs() as usize
    }

    /// Reads the values.
    ///
    /// # Errors
    /// The file changed, ended early or is damaged, or the tensor is of a kind that cannot be read; the end of a
    /// sentence that begins with its name.
    pub fn load(&self) -> Result<Tensor, String> {
        Ok(Tensor::from_data_size(&self.bytes()?, &self.shape, self.kind))
    }

    /// Reads the values as float32, row by row.
    ///
    /// # Errors
    /// As [`RawTensor::load`].
    pub fn floats(&self) -> Result<Vec<f32>, String> {
        let mut values = Vec::new();
        self.append_floats(&mut values)?;
        Ok(values)
    }

    /// As [`RawTensor::floats`], behind what is in `values`.
    ///
    /// # Errors
    /// As [`RawTensor::load`].
    pub fn append_floats(&self, values: &mut Vec<f32>) -> Result<(), String> {
        if self.kind == Kind::Float {
            let bytes = self.bytes()?;
            values.extend(bytes.as_chunks().0.iter().map(|number| f32::from_le_bytes(*number)));
            return Ok(());
        }
        let tensor = self.load()?.to_kind(Kind::Float);
        let start = values.len();
        values.resize(start + tensor.numel(), 0.0);
        tensor.copy_data(&mut values[start..], tensor.numel());
        Ok(())
    }

    /// Little-endian bytes, row by row.
    fn bytes(&self) -> Result<Vec<u8>, String> {
        let Content { storage, offset, strides } = self.content.as_ref().map_err(Clone::clone)?;
        let size = self.kind.elt_size_in_bytes() as u64;
        let damaged = |e| format!("is damaged or incomplete ({e}); fetch the file again");
        let length = self.elements() as u64 * size;
        let Some(strides) = strides.as_ref().filter(|_| length > 0) else {
            return storage.read(offset * size..offset * size + length).map_err(damaged);
        };
        let axes: Vec<(u64, u64)> =
            self.shape.iter().map(|&n| n.unsigned_abs()).zip(strides.iter().copied()).collect();
        let reach = axes.iter().map(|(n, stride)| (n - 1) * stride).sum::<u64>() + 1;
        let stored = storage.read(offset * size..(offset + reach) * size).map_err(damaged)?;
        Ok(gathered(&stored, &axes, size as usize, length as usize))
    }
}

/// How many elements of a storage a tensor needs, from the start of the storage on.
fn reach(offset: i64, shape: &[i64], strides: &[i64]) -> Option<u64> {
    if shape.len() != strides.len()
        || shape.len() > 64
        || offset < 0
        || shape.iter().chain(strides).any(|&n| n < 0)
    {
        return None;
    }
    let count = shape.iter().try_fold(1i64, |count, &n| count.checked_mul(n))?;
    if count > i64::MAX / 16 {
        return None;
    }
    if count == 0 {
        return Some(0);
    }
    let last = shape
        .iter()
        .zip(strides)
        .try_fold(offset, |at, (n, stride)| at.checked_add((n - 1).checked_mul(*stride)?))?;
    last.checked_add(1).map(i64::unsigned_abs)
}

/// Elements that lie apart, one after the other.
fn gathered(stored: &[u8], axes: &[(u64, u64)], size: usize, length: usize) -> Vec<u8> {
    let mut result = Vec::with_capacity(length);
    let mut index = vec![0; axes.len()];
    let mut at = 0;
    while result.len() < length {
        result.extend_from_slice(&stored[at..at + size]);
        for (position, (n, stride)) in index.iter_mut().zip(axes).rev() {
            *position += 1;
            at += *stride as usize * size;
            if *position < *n {
                break;
            }
            at -= (*n * *stride) as usize * size;
            *position = 0;
        }
    }
    result
}

/// What a file holds.
pub struct Raw {
    /// `PyTorch zip`, `PyTorch legacy`, `safetensors`, …
    pub container: &'static str,
    /// Tensors by their full dotted names.
    pub tensors: BTreeMap<String, RawTensor>,
    /// Plain values; what is neither value nor tensor is null. `null` where the container has nothing else.
    pub values: Value,
    /// What is neither value nor tensor, at the outermost level: name and class.
    pub objects: Vec<(String, String)>,
}
