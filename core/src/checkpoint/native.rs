//! Basin's own checkpoints: safetensors with the topology as metadata.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use safetensors::Dtype;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tch::{Kind, Tensor};

use super::raw::{Raw, RawTensor};
use super::source::{Source, Storage};
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

/// Largest header that is believed, in bytes: safetensors' own limit.
const LARGEST_HEADER: u64 = 100_000_000;

/// Whether a file begins like safetensors: a length, then JSON. No text begins so: its first eight letters are a larger
/// number.
pub fn looks_like_safetensors(head: &[u8]) -> bool {
    let Some(length) = head.first_chunk::<8>() else { return false };
    u64::from_le_bytes(*length) < 1 << 40 && head.get(8) == Some(&b'{')
}

/// Reads the header of a safetensors file. Basin's metadata, if there, is at `basin` of the values.
///
/// # Errors
/// The file is damaged or incomplete.
pub fn read(path: &Path) -> Result<Raw> {
    let unread = |e| Error::io("cannot read", path, e);
    let damaged = |reason: String| {
        Error::file(path, format!("is damaged or incomplete ({reason}); fetch or save it again"))
    };
    let short = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::UnexpectedEof => damaged(e.to_string()),
        _ => unread(e),
    };
    let source = Arc::new(Source::open(path).map_err(unread)?);
    let length = source.read(0..8).map_err(short)?;
    let length = length.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let most = source.len().saturating_sub(8).min(LARGEST_HEADER);
    if length > most {
        return Err(damaged(format!("its header claims {length} bytes, where at most {most} can be")));
    }
    let data = 8 + length;
    let header = source.read(8..data).map_err(short)?;
    let header: Map<String, Value> =
        serde_json::from_slice(&header).map_err(|e| damaged(format!("its header is no JSON: {e}")))?;
    let (mut tensors, mut values, mut end) = (BTreeMap::new(), Map::new(), 0);
    for (name, entry) in header {
        if name == "__metadata__" {
            if let Some(text) = entry.get(KEY).and_then(Value::as_str) {
                let value: Value = serde_json::from_str(text).map_err(|e| {
                    Error::file(path, format!("has damaged Basin metadata ({e}); save it again"))
                })?;
                values.insert(KEY.into(), value);
            }
            continue;
        }
        let entry = tensor(&entry, &source, data).map_err(|reason| damaged(format!("{name} {reason}")));
        let (tensor, its_end) = entry?;
        end = its_end.max(end);
        tensors.insert(name, tensor);
    }
    if data + end != source.len() {
        return Err(damaged(format!("{} bytes stand behind its last tensor", source.len() - data - end)));
    }
    Ok(Raw { container: "safetensors", tensors, values: Value::Object(values), objects: Vec::new() })
}

/// What a header says of a tensor.
#[derive(Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<u64>,
    /// From the end of the header on.
    data_offsets: [u64; 2],
}

/// The tensor of an entry of the header, and where it ends; the error goes on a sentence that begins with its name.
fn tensor(entry: &Value, source: &Arc<Source>, data: u64) -> Result<(RawTensor, u64), String> {
    let Entry { dtype, shape, data_offsets: [start, end] } =
        Entry::deserialize(entry).map_err(|e| format!("is not described as a tensor: {e}"))?;
    let all = source.len() - data;
    if start > end || end > all {
        return Err(format!("reaches to byte {end} of {all}"));
    }
    let Some(kind) = kind_of(&dtype) else {
        let reason = format!("has elements of type {dtype}, which Basin cannot use");
        return Ok((RawTensor::unreadable(reason), end));
    };
    let size = kind.elt_size_in_bytes() as u64;
    let needed = shape.iter().try_fold(size, |bytes, n| bytes.checked_mul(*n));
    if needed != Some(end - start) {
        return Err(format!(
            "claims the shape {shape:?} of {dtype}, but {} bytes are stored for it",
            end - start
        ));
    }
    let shape = shape.into_iter().map(|n| i64::try_from(n).unwrap_or(i64::MAX)).collect();
    Ok((RawTensor::new(shape, kind, Storage::within(source, data + start..data + end)), end))
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

fn kind_of(dtype: &str) -> Option<Kind> {
    Some(match dtype {
        "F64" => Kind::Double,
        "F32" => Kind::Float,
        "F16" => Kind::Half,
        "BF16" => Kind::BFloat16,
        "I64" => Kind::Int64,
        "I32" => Kind::Int,
        "I16" => Kind::Int16,
        "I8" => Kind::Int8,
        "U8" => Kind::Uint8,
        "BOOL" => Kind::Bool,
        _ => return None,
    })
}
