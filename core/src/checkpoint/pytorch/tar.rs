//! What `torch.save` wrote before version 0.1.10: a tar archive of `pickle`, `storages` and `tensors`.
//!
//! `storages`: a count, per storage a pickled (key, location, class), the number of its elements and its bytes, then
//! the pickled views (key, key of the storage, offset, length). `tensors`: a count, per tensor a pickled (key, key of
//! its storage, class), its rank (int32, and 4 unused bytes), sizes, strides and offset (int64).

use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::container::{Container, ENDS_EARLY, Piece, damaged};
use super::element::Element;
use super::key::key;
use crate::checkpoint::source::{Source, Storage};
use crate::pickle::{Id, Pickle};

/// Largest description (all but the numbers) that is believed, in bytes.
const LARGEST: u64 = 1 << 28;
/// Bytes that are enough for the pickled description of a storage or tensor.
const DESCRIPTION: u64 = 1 << 16;

/// Reads the directory of an archive; the error is the end of a sentence about it.
pub fn open(path: &Path, source: &Arc<Source>) -> Result<Container, String> {
    let file = File::open(path).map_err(|e| format!("cannot be read ({e})"))?;
    let mut archive = ::tar::Archive::new(BufReader::new(file));
    let mut parts: HashMap<String, Range<u64>> = HashMap::new();
    let broken = |e: std::io::Error| format!("is damaged or incomplete ({e}); fetch it again");
    for entry in archive.entries().map_err(broken)? {
        let entry = entry.map_err(broken)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).trim_start_matches("./").to_owned();
        let start = entry.raw_file_position();
        let end = start.checked_add(entry.size()).filter(|&end| end <= source.len()).ok_or(ENDS_EARLY)?;
        parts.insert(name, start..end);
    }
    let part = |name: &str| {
        let range = parts.get(name).cloned();
        range.map(|range| Reader { source: source.clone(), at: range.start, end: range.end }).ok_or_else(
            || {
                let first = parts.keys().min().map_or_else(|| "nothing".into(), |name| format!("{name:?}"));
                format!("is a tar archive with {first} in it, not a checkpoint; unpack it and give the file")
            },
        )
    };
    let (mut pickle, mut storages, mut tensors) = (part("pickle")?, part("storages")?, part("tensors")?);
    let storages = storages.storages()?;
    let tensors = tensors.tensors(&storages)?;
    let pickle = pickle.take((pickle.end - pickle.at).min(LARGEST))?;
    let storages = HashMap::new();
    Ok(Container { name: "PyTorch tar", pickle, storages, tensors })
}

/// An entry of the archive from a place on.
struct Reader {
    source: Arc<Source>,
    at: u64,
    end: u64,
}

impl Reader {
    fn take(&mut self, length: u64) -> Result<Vec<u8>, String> {
        let end = self.at.checked_add(length).filter(|&end| end <= self.end).ok_or(ENDS_EARLY)?;
        let bytes = self.source.read(self.at..end).map_err(|_| ENDS_EARLY)?;
        self.at = end;
        Ok(bytes)
    }

    fn number(&mut self) -> Result<i64, String> {
        let bytes = self.take(8)?;
        Ok(bytes.first_chunk().copied().map_or(0, i64::from_le_bytes))
    }

    fn numbers(&mut self, count: u32) -> Result<Vec<i64>, String> {
        (0..count).map(|_| self.number()).collect()
    }

    /// A short pickle, read by `read`.
    fn pickle<T>(&mut self, read: impl Fn(&Pickle, Id) -> Option<T>) -> Result<T, String> {
        let mut length = DESCRIPTION.min(self.end - self.at);
        loop {
            let bytes = self.source.read(self.at..self.at + length).map_err(|_| ENDS_EARLY)?;
            match Pickle::parse(&bytes) {
                Err(fault) if fault.ends_early && length < (self.end - self.at).min(LARGEST) => {
                    length = (8 * length).min(self.end - self.at);
                }
                parsed => {
                    let pickle = parsed.map_err(damaged)?;
                    self.at += pickle.len() as u64;
                    return read(&pickle, pickle.root()).ok_or_else(|| {
                        "is damaged (a storage or tensor is not described as it should be); fetch it again".into()
                    });
                }
            }
        }
    }

    fn storages(&mut self) -> Result<HashMap<String, (Storage, Element)>, String> {
        let mut storages = HashMap::new();
        for _ in 0..self.pickle(|pickle, id| pickle.integer(id))? {
            let (key, element) = self.pickle(|pickle, id| {
                let &[name, _location, class] = pickle.items(id)? else { return None };
                Some((key(pickle, name)?, Element::of_storage(&pickle.global(class)?.name)?))
            })?;
            let bytes = u64::try_from(self.number()?).ok().and_then(|count| count.checked_mul(element.size));
            let end = bytes.and_then(|bytes| self.at.checked_add(bytes)).filter(|&end| end <= self.end);
            let end = end.ok_or(ENDS_EARLY)?;
            storages.insert(key, (Storage::within(&self.source, self.at..end), element));
            self.at = end;
        }
        let views = self.pickle(|pickle, id| {
            let view = |&view: &Id| {
                let &[name, root, offset, count] = pickle.items(view)? else { return None };
                let number = |id| u64::try_from(pickle.integer(id)?).ok();
                Some((key(pickle, name)?, key(pickle, root)?, number(offset)?, number(count)?))
            };
            pickle.items(id).unwrap_or_default().iter().map(view).collect::<Option<Vec<_>>>()
        })?;
        for (name, root, offset, count) in views {
            let Some((storage, element)) = storages.get(&root).cloned() else { continue };
            let start = offset.checked_mul(element.size);
            let end = start.and_then(|start| count.checked_mul(element.size)?.checked_add(start));
            let (Some(start), Some(end)) = (start, end.filter(|&end| end <= storage.len)) else {
                return Err("is damaged (a view is larger than its storage); fetch it again".into());
            };
            storages.insert(name, (storage.part(start..end), element));
        }
        Ok(storages)
    }

    fn tensors(
        &mut self,
        storages: &HashMap<String, (Storage, Element)>,
    ) -> Result<HashMap<String, Piece>, String> {
        let mut tensors = HashMap::new();
        for _ in 0..self.pickle(|pickle, id| pickle.integer(id))? {
            let (name, storage) = self.pickle(|pickle, id| {
                let &[name, storage, _class] = pickle.items(id)? else { return None };
                Some((key(pickle, name)?, key(pickle, storage)?))
            })?;
            let rank = self.take(8)?;
            let rank = rank.first_chunk().copied().map_or(0, u32::from_le_bytes);
            if rank > 64 {
                return Err("is damaged (a tensor has more than 64 axes); fetch it again".into());
            }
            let (shape, strides, offset) = (self.numbers(rank)?, self.numbers(rank)?, self.number()?);
            if let Some((storage, element)) = storages.get(&storage).cloned() {
                tensors.insert(name, Piece { storage, element, offset, shape, strides });
            }
        }
        Ok(tensors)
    }
}
