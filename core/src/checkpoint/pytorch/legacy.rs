//! What `torch.save` wrote up to version 1.5, and plain pickles.
//!
//! Five pickles (a magic number, a version, the machine, the value, the keys of the storages), then per storage the
//! number of its elements (int64) and its bytes.

use std::collections::HashMap;

use super::container::{BIG_ENDIAN, Container, ENDS_EARLY, damaged};
use super::element::Element;
use crate::checkpoint::source::Storage;
use crate::pickle::{Fault, Pickle, Value};

/// The magic number, little-endian, and as text.
const MAGIC: [&[u8]; 2] = [b"\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", b"L119547037146038801333356L"];
/// Bytes read at first; more, if the pickles are longer.
const FIRST: u64 = 1 << 20;

/// The pickles of a file: where they begin and end.
struct Pickles {
    bytes: Vec<u8>,
    /// Ends, one after the other; one alone where the file has no magic number.
    ends: Vec<usize>,
}

/// Reads the directory of a file; the error is the end of a sentence about it.
pub fn open(file: &Storage) -> Result<Container, String> {
    let Pickles { mut bytes, ends } = pickles(file)?;
    let [_, _, before, value, keys] = ends[..] else {
        // A file that pickle.dump wrote has its numbers within.
        let (name, storages, tensors) = ("pickle", HashMap::new(), HashMap::new());
        return Ok(Container { name, pickle: bytes, storages, tensors });
    };
    let list = Pickle::parse(&bytes[value..keys]).map_err(damaged)?;
    let elements = elements(&Pickle::parse(&bytes[before..value]).map_err(damaged)?)?;
    let mut at = keys as u64;
    let mut storages = HashMap::new();
    for &key in list.items(list.root()).unwrap_or_default() {
        let key = super::key::key(&list, key).ok_or("is damaged (a storage has no name); fetch it again")?;
        let head = file.read(at..at + 8).map_err(|_| ENDS_EARLY)?;
        let count = head.iter().rev().fold(0u64, |value, &byte| value << 8 | u64::from(byte));
        let size = elements
            .get(&key)
            .copied()
            .ok_or("is damaged (it stores numbers of no known type); fetch it again")?;
        let end = count.checked_mul(size).and_then(|bytes| bytes.checked_add(at + 8));
        let end = end.filter(|&end| end <= file.len).ok_or(ENDS_EARLY)?;
        storages.insert(key, file.part(at + 8..end));
        at = end;
    }
    bytes.truncate(value);
    bytes.drain(..before);
    Ok(Container { name: "PyTorch legacy", pickle: bytes, storages, tensors: HashMap::new() })
}

/// Finds the pickles, reading more of the file as long as they go on.
fn pickles(file: &Storage) -> Result<Pickles, String> {
    let mut length = FIRST.min(file.len);
    loop {
        let bytes = file.read(0..length).map_err(|_| ENDS_EARLY)?;
        match ends(&bytes) {
            Ok(ends) => return Ok(Pickles { bytes, ends }),
            Err(fault) if fault.ends_early && length < file.len => length = (4 * length).min(file.len),
            Err(_) if !is_pickle(&bytes) => {
                return Err(
                    "is no PyTorch checkpoint and no safetensors file; give a file written by torch.save or by Basin"
                        .into(),
                );
            }
            Err(fault) if fault.reason == BIG_ENDIAN => return Err(BIG_ENDIAN.into()),
            Err(fault) => return Err(damaged(fault)),
        }
    }
}

fn is_pickle(bytes: &[u8]) -> bool {
    matches!(bytes, [0x80, 1..=5, ..]) || MAGIC.iter().any(|magic| bytes.starts_with(magic))
}

/// Where the pickles end: five of a file with a magic number, else one.
fn ends(bytes: &[u8]) -> Result<Vec<usize>, Fault> {
    let first = Pickle::parse(bytes)?;
    let mut ends = vec![first.len()];
    let number = &bytes[..first.len().min(64)];
    if !MAGIC.iter().any(|magic| number.windows(magic.len()).any(|window| window == *magic)) {
        return Ok(ends);
    }
    for which in 1..5 {
        let start = ends[which - 1];
        let pickle = Pickle::parse(&bytes[start..])?;
        let little = pickle.entry("little_endian").map(|value| pickle.get(value));
        if which == 2 && matches!(little, Some(Value::Bool(false))) {
            return Err(BIG_ENDIAN.into());
        }
        ends.push(start + pickle.len());
    }
    Ok(ends)
}

/// Bytes of an element of each storage that a pickle refers to.
fn elements(pickle: &Pickle) -> Result<HashMap<String, u64>, String> {
    let mut sizes = HashMap::new();
    for value in pickle.values() {
        let Value::Persistent(name) = value else { continue };
        let Some(&[_, class, key, ..]) = pickle.items(*name) else { continue };
        let (Some(class), Some(key)) = (pickle.global(class), super::key::key(pickle, key)) else {
            continue;
        };
        let element = Element::of_storage(&class.name)
            .ok_or_else(|| format!("stores numbers of the type {}, which Basin does not know", class.name))?;
        sizes.insert(key, element.size);
    }
    Ok(sizes)
}
