//! What `torch.save` writes since version 1.6: a zip archive with `NAME/data.pkl` and `NAME/data/KEY` for each storage.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Error, ErrorKind, Read as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use ::zip::read::{ArchiveOffset, Config};
use ::zip::{CompressionMethod, ZipArchive};
use flate2::Crc;

use super::container::{BIG_ENDIAN, Container, ENDS_EARLY};
use crate::checkpoint::source::{Source, Storage};

/// Largest pickle that is believed, in bytes.
const LARGEST_PICKLE: u64 = 1 << 28;

type Archive = Arc<Mutex<ZipArchive<BufReader<File>>>>;

/// Reads the directory of an archive; the error is the end of a sentence about it.
pub fn open(path: &Path, source: &Arc<Source>) -> Result<Container, String> {
    // Without being told where the archive begins, the crate guesses, and is wrong where its guess happens to hit an
    // entry.
    let config = Config { archive_offset: ArchiveOffset::Known(0) };
    let file = File::open(path).map_err(|e| format!("cannot be read ({e})"))?;
    let archive = ZipArchive::with_config(config, BufReader::new(file)).map_err(|error| {
        let text = error.to_string();
        if text.to_lowercase().contains("eocd") {
            return ENDS_EARLY.to_owned();
        }
        format!("is damaged or incomplete ({text}); fetch it again")
    })?;
    let names: Vec<String> = archive.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();
    let root = root(&names)?;
    let archive = Arc::new(Mutex::new(archive));
    let entry = |name: &str| storage(&archive, source, &format!("{root}{name}"));
    let whole = |storage: Storage| storage.read(0..storage.len);
    let order = entry("byteorder").filter(|order| order.len < 100).and_then(|order| whole(order).ok());
    if order.is_some_and(|order| order.trim_ascii() == b"big") {
        return Err(BIG_ENDIAN.into());
    }
    let pickle = entry("data.pkl").filter(|pickle| pickle.len <= LARGEST_PICKLE);
    let pickle = pickle.ok_or("is damaged (its data.pkl cannot be found); fetch it again")?;
    let pickle = whole(pickle).map_err(|e| format!("is damaged (data.pkl: {e}); fetch it again"))?;
    let folder = format!("{root}data/");
    let keys = names.iter().filter_map(|name| name.strip_prefix(&folder));
    let storages = keys
        .filter_map(|key| Some((key.to_owned(), entry(&format!("data/{key}"))?)))
        .collect::<HashMap<_, _>>();
    Ok(Container { name: "PyTorch zip", pickle, storages, tensors: HashMap::new() })
}

/// What stands before `data.pkl`; the error says what else the archive is.
fn root(names: &[String]) -> Result<String, String> {
    let pickles = names.iter().filter_map(|name| name.strip_suffix("data.pkl"));
    let root = pickles.filter(|root| root.is_empty() || root.ends_with('/')).min_by_key(|root| root.len());
    let has = |part: &str| names.iter().any(|name| name.contains(part));
    match root {
        Some(root) if names.iter().any(|name| name.starts_with(&format!("{root}code/"))) => Err(
            "is a TorchScript archive (torch.jit.save), which holds a program; load it with torch.jit.load and save \
             torch.save(model.state_dict(), …)"
                .into(),
        ),
        Some(root) => Ok(root.to_owned()),
        None if !names.is_empty() && names.iter().all(|name| name.ends_with(".npy")) => Err(
            "is a NumPy archive (.npz), not a checkpoint; save the tensors with torch.save or as safetensors".into(),
        ),
        None if has(".data/") => Err(
            "is a torch.package archive, which holds a program; load it with torch.package and save \
             torch.save(model.state_dict(), …)"
                .into(),
        ),
        None => {
            let first = names.first().map_or_else(|| "nothing".into(), |name| format!("{name:?}"));
            Err(format!(
                "is a zip archive with {first} in it, not a checkpoint; unpack it, or save model.state_dict() with \
                 torch.save"
            ))
        }
    }
}

/// An entry of the archive; none: there is no such entry.
fn storage(archive: &Archive, source: &Arc<Source>, name: &str) -> Option<Storage> {
    let mut opened = archive.lock().unwrap_or_else(PoisonError::into_inner);
    let index = opened.index_for_name(name)?;
    let entry = opened.by_index_raw(index).ok()?;
    let (size, checksum) = (entry.size(), entry.crc32());
    if entry.compression() != CompressionMethod::Stored || entry.encrypted() {
        // Numbers hardly get smaller, so a much larger size than the packed one is a lie.
        let is_believable = size / 200 <= entry.compressed_size() + 10_000;
        drop(entry);
        return is_believable.then(|| packed(archive, index, size));
    }
    let start = entry.data_start()?;
    let end = start.checked_add(size).filter(|_| entry.compressed_size() == size)?;
    let within = Storage::within(source, start..end);
    Some(Storage::new(size, move |range| {
        let bytes = within.read(range)?;
        // torch.save can leave checksums out.
        if bytes.len() as u64 == size && checksum != 0 {
            let mut found = Crc::new();
            found.update(&bytes);
            if found.sum() != checksum {
                return Err(Error::new(ErrorKind::InvalidData, "its checksum does not match"));
            }
        }
        Ok(bytes)
    }))
}

/// A compressed entry: unpacked when a part of it is first read, and kept until another one is.
fn packed(archive: &Archive, index: usize, size: u64) -> Storage {
    let archive = archive.clone();
    let kept: Mutex<Option<Arc<Vec<u8>>>> = Mutex::new(None);
    Storage::new(size, move |range| {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = match &*kept {
            Some(bytes) => bytes.clone(),
            None => {
                let mut archive = archive.lock().unwrap_or_else(PoisonError::into_inner);
                let entry = archive.by_index(index).map_err(Error::other)?;
                let mut bytes = Vec::new();
                entry.take(size.saturating_add(1)).read_to_end(&mut bytes)?;
                if bytes.len() as u64 != size {
                    return Err(Error::new(ErrorKind::InvalidData, "it has another size than it says"));
                }
                let bytes = Arc::new(bytes);
                let whole = range.end - range.start == size;
                if !whole {
                    *kept = Some(bytes.clone());
                }
                bytes
            }
        };
        Ok(bytes[range.start as usize..range.end as usize].to_vec())
    })
}
