//! Basin's own checkpoints: safetensors with the topology as metadata.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tch::{Kind, Tensor};

use super::raw::{Raw, RawTensor};
use super::source::Storage;
use crate::error::{Error, Result};
use crate::files::write_atomically;
use crate::model::{Network, Topology};

/// Key of the metadata entry.
const KEY: &str = "basin";

/// Version of [`Metadata`]; readers accept every version up to their own.
pub const FORMAT: u32 = 1;

/// What Basin writes beside the tensors.
#[derive(Debug, Serialize, Deserialize)]
pub struct Metadata {
    /// Version of this structure, [`FORMAT`].
    pub format: u32,
    /// The network.
    pub topology: Topology,
    /// Epoch, if known.
    pub epoch: Option<i64>,
}

/// Whether a file begins like safetensors: a length, then JSON.
pub fn looks_like_safetensors(head: &[u8]) -> bool {
    let Some(length) = head.first_chunk::<8>() else { return false };
    u64::from_le_bytes(*length) <= 100_000_000 && head.get(8) == Some(&b'{')
}

/// Reads a safetensors file. Basin's metadata, if there, is at `basin` of the values.
///
/// # Errors
/// The file is damaged or incomplete.
pub fn read(path: &Path) -> Result<Raw> {
    let bytes = Arc::new(std::fs::read(path).map_err(|e| Error::io("cannot read", path, e))?);
    let damaged = |e| Error::file(path, format!("is damaged or incomplete ({e}); fetch or save it again"));
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(damaged)?;
    let mut values = serde_json::Map::new();
    if let Some(text) = header.metadata().as_ref().and_then(|m| m.get(KEY)) {
        let value: Value = serde_json::from_str(text)
            .map_err(|e| Error::file(path, format!("has damaged Basin metadata ({e}); save it again")))?;
        values.insert(KEY.into(), value);
    }
    let tensors = SafeTensors::deserialize(&bytes).map_err(damaged)?;
    let mut raw = BTreeMap::new();
    for (name, view) in tensors.iter() {
        let Some(kind) = kind_of(view.dtype()) else {
            let reason = format!("has elements of type {:?}, which Basin cannot use", view.dtype());
            raw.insert(name.to_owned(), RawTensor::unreadable(reason));
            continue;
        };
        let shape = view.shape().iter().map(|n| *n as i64).collect();
        let start = view.data().as_ptr() as usize - bytes.as_ptr() as usize;
        let range = start..start + view.data().len();
        let (bytes, length) = (bytes.clone(), range.len() as u64);
        let storage = Storage::new(length, move |part| {
            Ok(bytes[range.start + part.start as usize..range.start + part.end as usize].to_vec())
        });
        raw.insert(name.to_owned(), RawTensor::new(shape, kind, storage));
    }
    Ok(Raw { container: "safetensors", tensors: raw, values: Value::Object(values), objects: Vec::new() })
}

/// Writes a network. Reading it back gives the same bits.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, network: &Network, epoch: Option<i64>) -> Result<()> {
    write_as(path, &network.topology, network.state_dict(), epoch)
}

/// Writes the state dictionary of a network, of whatever element type.
///
/// # Errors
/// The file cannot be written.
pub fn write_as(
    path: &Path,
    topology: &Topology,
    state_dict: Vec<(String, Tensor)>,
    epoch: Option<i64>,
) -> Result<()> {
    let metadata = Metadata { format: FORMAT, topology: topology.clone(), epoch };
    let metadata = serde_json::to_value(metadata).expect("a topology is plain data");
    write_tensors(path, state_dict, &metadata)
}

/// Writes any tensors, with `metadata` at `basin` of the file's own.
///
/// # Errors
/// The file cannot be written.
pub fn write_tensors(
    path: &Path,
    tensors: impl IntoIterator<Item = (String, Tensor)>,
    metadata: &Value,
) -> Result<()> {
    let owned: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = tensors
        .into_iter()
        .map(|(name, tensor)| {
            let shape = tensor.size().iter().map(|n| *n as usize).collect();
            (name, dtype_of(tensor.kind()), shape, bytes_of(&tensor))
        })
        .collect();
    let mut views = Vec::with_capacity(owned.len());
    for (name, dtype, shape, bytes) in &owned {
        let view = safetensors::tensor::TensorView::new(*dtype, shape.clone(), bytes)
            .map_err(|e| Error::file(path, format!("cannot be written ({e})")))?;
        views.push((name.as_str(), view));
    }
    let bytes = safetensors::serialize(views, Some(HashMap::from([(KEY.to_owned(), metadata.to_string())])))
        .map_err(|e| Error::file(path, format!("cannot be written ({e})")))?;
    write_atomically(path, &bytes)
}

/// Reads what [`write_tensors`] wrote.
///
/// # Errors
/// The file is damaged, incomplete, or something else.
pub fn read_tensors(path: &Path) -> Result<(BTreeMap<String, Tensor>, Value)> {
    let raw = read(path)?;
    let tensors = raw.tensors.iter().map(|(name, tensor)| {
        let tensor = tensor.load().map_err(|reason| Error::file(path, format!("{name} {reason}")))?;
        Ok((name.clone(), tensor))
    });
    Ok((tensors.collect::<Result<_>>()?, raw.values.get(KEY).cloned().unwrap_or_default()))
}

/// The elements of a tensor, row by row, little-endian.
pub fn bytes_of(tensor: &Tensor) -> Vec<u8> {
    let tensor = tensor.to_device(tch::Device::Cpu).contiguous();
    let size = tensor.numel() * tensor.kind().elt_size_in_bytes();
    let mut bytes = vec![0; size];
    tensor.copy_data_u8(&mut bytes, tensor.numel());
    bytes
}

fn dtype_of(kind: Kind) -> Dtype {
    match kind {
        Kind::Double => Dtype::F64,
        Kind::Int64 => Dtype::I64,
        Kind::Half => Dtype::F16,
        Kind::BFloat16 => Dtype::BF16,
        _ => Dtype::F32,
    }
}

fn kind_of(dtype: Dtype) -> Option<Kind> {
    Some(match dtype {
        Dtype::F64 => Kind::Double,
        Dtype::F32 => Kind::Float,
        Dtype::F16 => Kind::Half,
        Dtype::BF16 => Kind::BFloat16,
        Dtype::I64 => Kind::Int64,
        Dtype::I32 => Kind::Int,
        Dtype::I16 => Kind::Int16,
        Dtype::I8 => Kind::Int8,
        Dtype::U8 => Kind::Uint8,
        Dtype::BOOL => Kind::Bool,
        _ => return None,
    })
}
