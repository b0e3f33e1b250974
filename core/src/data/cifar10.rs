//! CIFAR-10 as published: five training batches and one test batch, binary or pickled, unpacked or in
//! the archive as downloaded.
//!
//! Binary batch: per image one byte label, then 1024 bytes each of red, green and blue. Pickled batch:
//! a dictionary with `data` (numpy bytes, `N x 3072`, same order of planes) and `labels`.

use std::collections::HashMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::check::{
    AGAIN, check_range, check_rest, gunzip, impostor, missing, read_file, truncated, unpacking,
};
use super::examples::{Examples, Split};
use super::locate::Format;
use super::selection::{Selection, unit};
use crate::error::{Error, Result};
use crate::pickle::Pickle;

const PIXELS: usize = 3 * 32 * 32;
const RECORD: usize = 1 + PIXELS;
const OFFICIAL_BATCH: usize = 10_000;

/// One batch in memory.
struct Batch {
    /// `N x 3072`.
    pixels: Vec<u8>,
    labels: Vec<u8>,
}

/// Reads a range of images; only the batches it touches (and the first, for their size) are read.
pub(super) fn read(path: &Path, format: Format, examples: &Examples) -> Result<Selection> {
    let (split, range) = (examples.split, examples.range());
    let names = names(format, split);
    let mut files = Files::open(path, &names)?;
    let mut load = |name: &str| files.batch(name, format);
    let (first_file, first) = load(&names[0])?;
    let size = first.labels.len();
    check_range(path, examples, size * names.len())?;
    let (mut pixels, mut labels) =
        (Vec::with_capacity(range.len() * PIXELS), Vec::with_capacity(range.len()));
    let mut first = Some((first_file, first));
    for (i, name) in names.iter().enumerate() {
        let part = range.start.clamp(i * size, (i + 1) * size) - i * size
            ..range.end.clamp(i * size, (i + 1) * size) - i * size;
        if part.is_empty() {
            continue;
        }
        let (file, batch) = match first.take_if(|_| i == 0) {
            Some(first) => first,
            None => load(name)?,
        };
        if batch.labels.len() != size {
            let found = batch.labels.len();
            return Err(Error::file(
                &file,
                format!("has {found} images, the batch before it {size}; {AGAIN}"),
            ));
        }
        if let Some(at) = batch.labels.iter().position(|&label| label > 9) {
            let label = batch.labels[at];
            return Err(Error::file(
                &file,
                format!("image {at} has label {label}, CIFAR-10 has 0 to 9; the file is damaged, {AGAIN}"),
            ));
        }
        pixels.extend(batch.pixels[part.start * PIXELS..part.end * PIXELS].iter().map(|&byte| unit(byte)));
        labels.extend(batch.labels[part].iter().map(|&label| i64::from(label)));
    }
    Ok(Selection { shape: [3, 32, 32], pixels, labels, classes: 10 })
}

/// Number of images in a split.
pub(super) fn count(path: &Path, format: Format, split: Split) -> Result<usize> {
    let names = names(format, split);
    let (_, first) = Files::open(path, &names)?.batch(&names[0], format)?;
    Ok(first.labels.len() * names.len())
}

/// Whether a folder has a split; an archive always has both.
pub(super) fn has(path: &Path, format: Format, split: Split) -> bool {
    path.is_file() || names(format, split).iter().any(|name| path.join(name).is_file())
}

/// The batches of a split.
fn names(format: Format, split: Split) -> Vec<String> {
    let suffix = if format == Format::CifarBinary { ".bin" } else { "" };
    match split {
        Split::Train => (1..=5).map(|i| format!("data_batch_{i}{suffix}")).collect(),
        Split::Test => vec![format!("test_batch{suffix}")],
    }
}

fn binary(path: &Path, bytes: &[u8]) -> Result<Batch> {
    let count = bytes.len() / RECORD;
    if !bytes.len().is_multiple_of(RECORD) {
        // Batches of other sizes than the official one are allowed: then only the last image is cut.
        let whole = if count < OFFICIAL_BATCH { OFFICIAL_BATCH } else { count + 1 };
        return Err(truncated(path, (whole * RECORD) as u64, bytes.len() as u64));
    }
    let mut batch = Batch { pixels: Vec::with_capacity(count * PIXELS), labels: Vec::with_capacity(count) };
    for record in bytes.chunks_exact(RECORD) {
        batch.labels.push(record[0]);
        batch.pixels.extend_from_slice(&record[1..]);
    }
    Ok(batch)
}

fn python(path: &Path, bytes: &[u8]) -> Result<Batch> {
    let damaged = |reason: &str| Error::file(path, format!("is not a CIFAR-10 batch ({reason}); {AGAIN}"));
    let pickle = Pickle::parse(bytes).map_err(|fault| damaged(&fault.reason))?;
    let other = |reason: String| {
        let remedy =
            "expected are data, numpy bytes of N x 3072, and labels, N numbers, as in the published batches";
        Error::file(path, format!("is not a CIFAR-10 batch ({reason}); {remedy}"))
    };
    let (shape, pixels) = pickle.byte_array("data").map_err(other)?;
    let labels = pickle.integers("labels").map_err(other)?;
    let count = labels.len();
    if (shape != [count, PIXELS] && shape != [count, 3, 32, 32]) || pixels.len() != count * PIXELS {
        return Err(other(format!(
            "its data has the shape {shape:?}, with {count} labels it should be [{count}, {PIXELS}]"
        )));
    }
    let labels = labels.into_iter().map(|label| u8::try_from(label).unwrap_or(u8::MAX)).collect();
    Ok(Batch { pixels: pixels.into_owned(), labels })
}

/// The files of one split: read when asked for, or taken from an archive in one pass.
enum Files {
    Folder(PathBuf),
    Archive(PathBuf, HashMap<String, Vec<u8>>),
}

impl Files {
    fn open(path: &Path, names: &[String]) -> Result<Self> {
        if path.is_dir() {
            return match names.iter().map(|name| path.join(name)).find(|file| !file.is_file()) {
                Some(file) => Err(missing(&file)),
                None => Ok(Self::Folder(path.into())),
            };
        }
        let file = std::fs::File::open(path).map_err(|error| Error::io("cannot read", path, error))?;
        let mut start = Vec::new();
        (&file).take(256).read_to_end(&mut start).map_err(|error| Error::io("cannot read", path, error))?;
        if let Some(reason) = impostor(&start) {
            return Err(Error::file(path, reason));
        }
        let mut archive = tar::Archive::new(gunzip(std::io::Read::chain(&start[..], file)));
        let mut batches = HashMap::new();
        for entry in archive.entries().map_err(|error| unpacking(path, error))? {
            let mut entry = entry.map_err(|error| unpacking(path, error))?;
            let name = entry.path().ok().and_then(|path| Some(path.file_name()?.to_str()?.to_owned()));
            let Some(name) = name.filter(|name| names.contains(name)) else { continue };
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).map_err(|error| unpacking(path, error))?;
            batches.insert(name, bytes);
        }
        check_rest(path, &mut archive.into_inner())?;
        match names.iter().find(|name| !batches.contains_key(*name)) {
            Some(name) => Err(Error::file(path, format!("has no {name} in it; {AGAIN}"))),
            None => Ok(Self::Archive(path.into(), batches)),
        }
    }

    /// Name for messages and content of one batch.
    fn batch(&mut self, name: &str, format: Format) -> Result<(PathBuf, Batch)> {
        let (file, bytes) = self.take(name)?;
        let batch =
            if format == Format::CifarBinary { binary(&file, &bytes) } else { python(&file, &bytes) }?;
        Ok((file, batch))
    }

    /// Name for messages and content of one file.
    fn take(&mut self, name: &str) -> Result<(PathBuf, Vec<u8>)> {
        match self {
            Self::Folder(folder) => {
                let file = folder.join(name);
                let bytes = read_file(&file)?;
                Ok((file, bytes))
            }
            Self::Archive(path, batches) => {
                let file = path.join(name);
                Ok((file, batches.remove(name).expect("open found every name, and each is taken once")))
            }
        }
    }
}
