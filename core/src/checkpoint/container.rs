//! Files as named tensors and plain values, whatever container they come in. Never runs code from a file.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use pytorch_reader::{DType, FileFormat, PickleValue, PytorchError, PytorchReader};
use serde_json::Value;
use tch::{Kind, Tensor};

use super::native;
use crate::error::{Error, Result};
use crate::files::is_web_page;

/// A tensor whose bytes are read when asked for.
pub struct RawTensor {
    /// Shape.
    pub shape: Vec<i64>,
    /// Element type.
    pub kind: Kind,
    read: Box<dyn Fn() -> std::io::Result<Vec<u8>> + Send>,
}

impl RawTensor {
    /// A tensor with a way to get its little-endian, row-major bytes.
    pub fn new(
        shape: Vec<i64>,
        kind: Kind,
        read: impl Fn() -> std::io::Result<Vec<u8>> + Send + 'static,
    ) -> Self {
        Self { shape, kind, read: Box::new(read) }
    }

    /// Reads the values.
    ///
    /// # Errors
    /// The file changed, ended early or is damaged; a sentence without the path.
    pub fn load(&self) -> std::result::Result<Tensor, String> {
        Ok(Tensor::from_data_size(&self.bytes()?, &self.shape, self.kind))
    }

    /// Reads the values as float32, row by row.
    ///
    /// # Errors
    /// As [`RawTensor::load`].
    pub fn floats(&self) -> std::result::Result<Vec<f32>, String> {
        if self.kind == Kind::Float {
            let bytes = self.bytes()?;
            return Ok(bytes.as_chunks().0.iter().map(|number| f32::from_le_bytes(*number)).collect());
        }
        let tensor = self.load()?.to_kind(Kind::Float);
        let mut values = vec![0.0; tensor.numel()];
        tensor.copy_data(&mut values, tensor.numel());
        Ok(values)
    }

    fn bytes(&self) -> std::result::Result<Vec<u8>, String> {
        let bytes = (self.read)().map_err(|e| format!("is damaged or incomplete ({e}); fetch it again"))?;
        let expected = self.shape.iter().product::<i64>() as usize * self.kind.elt_size_in_bytes();
        if bytes.len() != expected {
            return Err(format!(
                "is incomplete ({} of {expected} bytes of a tensor); fetch it again",
                bytes.len()
            ));
        }
        Ok(bytes)
    }
}

/// What a file holds.
pub struct Raw {
    /// `PyTorch zip`, `PyTorch legacy`, `safetensors`, …
    pub container: &'static str,
    /// Tensors by their full dotted names.
    pub tensors: BTreeMap<String, RawTensor>,
    /// Everything that is not a tensor; `null` where the container has nothing else.
    pub values: Value,
}

/// Reads the directory of any container.
///
/// # Errors
/// The file is missing, empty, truncated, or not a checkpoint at all; the message says what it looks like.
pub fn read(path: &Path) -> Result<Raw> {
    if path.is_dir() {
        return Err(Error::file(path, "is a folder; give a checkpoint file such as classifier.pth.tar"));
    }
    let mut file = std::fs::File::open(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => Error::file(path, "does not exist; check the path"),
        _ => Error::io("cannot read", path, e),
    })?;
    let mut head = Vec::new();
    file.by_ref().take(512).read_to_end(&mut head).map_err(|e| Error::io("cannot read", path, e))?;
    if let Some(reason) = not_a_checkpoint(&head) {
        return Err(Error::file(path, reason));
    }
    if native::looks_like_safetensors(&head) { native::read(path) } else { read_pytorch(path) }
}

/// What files that are no checkpoints usually are.
fn not_a_checkpoint(head: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(head);
    let start = text.trim_start_matches('\u{feff}').trim_start();
    if head.is_empty() {
        return Some("is empty; fetch or save it again".into());
    }
    if start.starts_with("version https://git-lfs") {
        return Some(
            "is a Git LFS pointer, not the checkpoint itself; run `git lfs pull` in its folder".into(),
        );
    }
    if is_web_page(head) {
        return Some(
            "is a web page (HTML), not a checkpoint; the download failed or needs a confirmation, fetch it again"
                .into(),
        );
    }
    if start.starts_with('{') {
        return Some("is JSON, not a checkpoint; a record goes to `basin plot`, a job to `basin run`".into());
    }
    if head.starts_with(b"\x89HDF") {
        return Some(
            "is an HDF5 file with results or data, not a checkpoint; open classifier.pth.tar beside it"
                .into(),
        );
    }
    if head.starts_with(b"\x1f\x8b") {
        return Some("is compressed with gzip; unpack it first (gunzip)".into());
    }
    None
}

fn read_pytorch(path: &Path) -> Result<Raw> {
    let reader = PytorchReader::new(path).map_err(|e| pytorch_error(path, &e))?;
    let container = match reader.metadata().format_type {
        FileFormat::Zip => "PyTorch zip",
        FileFormat::Legacy => "PyTorch legacy",
        FileFormat::Tar => "PyTorch tar",
        FileFormat::Pickle => "pickle",
    };
    let values = PytorchReader::read_pickle_data(path, None).map_err(|e| pytorch_error(path, &e))?;
    let mut tensors = BTreeMap::new();
    for (name, tensor) in reader.into_tensors() {
        let kind = kind_of(tensor.dtype()).ok_or_else(|| {
            Error::file(
                path,
                format!("{name} has elements of type {:?}, which Basin cannot use", tensor.dtype()),
            )
        })?;
        let shape = tensor.shape().iter().map(|n| *n as i64).collect();
        tensors.insert(name, RawTensor::new(shape, kind, move || tensor.read()));
    }
    Ok(Raw { container, tensors, values: to_json(values) })
}

/// How the reader's messages tell that a file stops before its content does, in lower case.
const ENDS_EARLY: [&str; 6] = [
    "failed to fill whole buffer",
    "extends beyond the end",
    "could not find eocd",
    "unexpected end",
    "bytes, found",
    "eof",
];

fn pytorch_error(path: &Path, error: &PytorchError) -> Error {
    let text = error.to_string().to_lowercase();
    let says = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
    let reason = if says(&["not a pytorch checkpoint"]) {
        "is no PyTorch checkpoint and no safetensors file; give a file written by torch.save or by Basin"
            .into()
    } else if says(&["big-endian", "'big'"]) {
        "was written on a big-endian machine; load and save it again on a usual one".into()
    } else if says(&ENDS_EARLY) {
        "ends early: the download or copy is incomplete; fetch it again".into()
    } else if says(&["expected a dictionary", "no tensor data is available", "no data.pkl"]) {
        format!("holds no state dictionary ({error}); save model.state_dict() instead")
    } else {
        format!("is damaged or incomplete ({error}); fetch it again")
    };
    Error::file(path, reason)
}

fn kind_of(dtype: DType) -> Option<Kind> {
    Some(match dtype {
        DType::F64 => Kind::Double,
        DType::F32 => Kind::Float,
        DType::F16 => Kind::Half,
        DType::BF16 => Kind::BFloat16,
        DType::I64 => Kind::Int64,
        DType::I32 => Kind::Int,
        DType::I16 => Kind::Int16,
        DType::I8 => Kind::Int8,
        DType::U8 => Kind::Uint8,
        DType::Bool => Kind::Bool,
        DType::U64 | DType::U32 | DType::U16 => return None,
    })
}

fn to_json(value: PickleValue) -> Value {
    match value {
        PickleValue::None | PickleValue::Bytes(_) => Value::Null,
        PickleValue::Bool(b) => b.into(),
        PickleValue::Int(i) => i.into(),
        PickleValue::Float(f) => f.into(),
        PickleValue::String(s) => s.into(),
        PickleValue::List(items) => items.into_iter().map(to_json).collect(),
        PickleValue::Dict(map) => map.into_iter().map(|(k, v)| (k, to_json(v))).collect(),
        PickleValue::Unsupported(name) => serde_json::json!({ "unsupported": name }),
    }
}
