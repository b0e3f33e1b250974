//! Writing a state dictionary as `torch.save` does since version 1.6, so that `torch.load(weights_only=True)` reads it.

use std::fs::File;
use std::io::{BufWriter, Result, Write as _};
use std::path::Path;

use ::zip::write::SimpleFileOptions;
use ::zip::{CompressionMethod, ZipWriter};
use tch::{Kind, Tensor};

use super::element::Element;
use crate::checkpoint::native::bytes_of;
use crate::error::Error;
use crate::files::write_atomically_with;

/// Storages begin at multiples of so many bytes, as PyTorch has them, so that they can be mapped into memory.
const ALIGNMENT: u16 = 64;
/// Entries from this size on have their sizes in 64 bits.
const LARGE: u64 = u32::MAX as u64;

/// Writes tensors by name, in this order.
///
/// # Errors
/// The file cannot be written; nothing is then left behind.
pub fn write(path: &Path, tensors: &[(String, Tensor)]) -> crate::Result<()> {
    if let Some((name, tensor)) =
        tensors.iter().find(|(_, tensor)| Element::storage_of(tensor.kind()).is_none())
    {
        let reason = format!("cannot be written, because {name} has elements of type {:?}", tensor.kind());
        return Err(Error::file(path, reason));
    }
    write_atomically_with(path, &mut |file| archive(file, tensors))
}

fn archive(file: &mut File, tensors: &[(String, Tensor)]) -> Result<()> {
    let mut archive = ZipWriter::new(BufWriter::with_capacity(1 << 20, file));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut entry = |name: &str, bytes: &[u8]| {
        let options = stored.with_alignment(ALIGNMENT).large_file(bytes.len() as u64 >= LARGE);
        archive.start_file(format!("archive/{name}"), options)?;
        archive.write_all(bytes)
    };
    entry("data.pkl", &pickle(tensors))?;
    entry("byteorder", b"little")?;
    for (number, (_, tensor)) in tensors.iter().enumerate() {
        entry(&format!("data/{number}"), &bytes_of(tensor))?;
    }
    entry("version", b"3\n")?;
    archive.finish()?.flush()
}

/// An `OrderedDict` of names and calls of `torch._utils._rebuild_tensor_v2`, in protocol 2.
fn pickle(tensors: &[(String, Tensor)]) -> Vec<u8> {
    let mut pickle = Pickle(vec![PROTO, 2]);
    pickle.ordered_dict();
    pickle.0.push(MARK);
    for (number, (name, tensor)) in tensors.iter().enumerate() {
        pickle.text(name);
        pickle.global("torch._utils", "_rebuild_tensor_v2");
        pickle.0.push(MARK);
        pickle.storage(number, tensor.kind(), tensor.numel());
        pickle.integer(0);
        let shape = tensor.size();
        pickle.integers(&shape);
        pickle.integers(&row_by_row(&shape));
        // Of no gradient; without hooks.
        pickle.0.push(NEWFALSE);
        pickle.ordered_dict();
        pickle.0.extend([TUPLE, REDUCE]);
    }
    pickle.0.extend([SETITEMS, STOP]);
    pickle.0
}

/// Steps from one element to the next along each axis, the last axis fastest.
fn row_by_row(shape: &[i64]) -> Vec<i64> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis].max(1);
    }
    strides
}

const PROTO: u8 = 0x80;
const MARK: u8 = b'(';
const TUPLE: u8 = b't';
const EMPTY_TUPLE: u8 = b')';
const REDUCE: u8 = b'R';
const SETITEMS: u8 = b'u';
const STOP: u8 = b'.';
const NEWFALSE: u8 = 0x89;
const GLOBAL: u8 = b'c';
const BINUNICODE: u8 = b'X';
const BINPERSID: u8 = b'Q';
const BININT1: u8 = b'K';
const BININT: u8 = b'J';
const LONG1: u8 = 0x8a;

/// A pickle while it is written.
struct Pickle(Vec<u8>);

impl Pickle {
    fn global(&mut self, module: &str, name: &str) {
        self.0.push(GLOBAL);
        self.0.extend(format!("{module}\n{name}\n").bytes());
    }

    /// An empty dictionary that remembers its order.
    fn ordered_dict(&mut self) {
        self.global("collections", "OrderedDict");
        self.0.extend([EMPTY_TUPLE, REDUCE]);
    }

    fn text(&mut self, text: &str) {
        self.0.push(BINUNICODE);
        self.0.extend((text.len() as u32).to_le_bytes());
        self.0.extend(text.bytes());
    }

    fn integer(&mut self, value: i64) {
        if let Ok(byte) = u8::try_from(value) {
            self.0.extend([BININT1, byte]);
        } else if let Ok(value) = i32::try_from(value) {
            self.0.push(BININT);
            self.0.extend(value.to_le_bytes());
        } else {
            self.0.extend([LONG1, 8]);
            self.0.extend(value.to_le_bytes());
        }
    }

    fn integers(&mut self, values: &[i64]) {
        self.0.push(MARK);
        values.iter().for_each(|value| self.integer(*value));
        self.0.push(TUPLE);
    }

    /// What PyTorch finds a storage by: `("storage", class, key, device, number of elements)`.
    fn storage(&mut self, number: usize, kind: Kind, elements: usize) {
        self.0.push(MARK);
        self.text("storage");
        let class = Element::storage_of(kind).unwrap_or("FloatStorage");
        self.global("torch", class);
        self.text(&number.to_string());
        self.text("cpu");
        self.integer(elements as i64);
        self.0.extend([TUPLE, BINPERSID]);
    }
}
