//! MNIST, Fashion-MNIST and everything else in IDX files, gzipped or not.
//!
//! Images: big-endian 0x00000803, count, rows, columns, then one byte a pixel. Labels: 0x00000801,
//! count, then one byte a label.

use std::fs::File;
use std::io::{BufReader, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::check::{AGAIN, check_range, check_rest, gunzip, impostor, missing, truncated, unpacking};
use super::examples::{Examples, Split};
use super::selection::{Selection, unit};
use crate::error::{Error, Result};

/// Number of images in a split.
pub(super) fn count(folder: &Path, split: Split) -> Result<usize> {
    Ok(Idx::open(find(folder, prefix(split), "images", "idx3")?, 3)?.sizes[0])
}

/// Whether a folder has a split.
pub(super) fn has(folder: &Path, split: Split) -> bool {
    find(folder, prefix(split), "images", "idx3").is_ok()
}

/// What the names of a split's files begin with.
pub(super) fn prefix(split: Split) -> &'static str {
    match split {
        Split::Train => "train",
        Split::Test => "t10k",
    }
}

/// Reads a range of grey images.
pub(super) fn read(folder: &Path, examples: &Examples) -> Result<Selection> {
    let (split, range) = (examples.split, examples.range());
    let prefix = prefix(split);
    let mut images = Idx::open(find(folder, prefix, "images", "idx3")?, 3)?;
    let mut labels = Idx::open(find(folder, prefix, "labels", "idx1")?, 1)?;
    let (count, rows, columns) = (images.sizes[0], images.sizes[1], images.sizes[2]);
    if labels.sizes[0] != count {
        let (found, path) = (labels.sizes[0], images.path.display());
        return Err(Error::file(
            &labels.path,
            format!("has {found} labels, but {path} has {count} images; {AGAIN}"),
        ));
    }
    check_range(folder, examples, count)?;
    if rows * columns == 0 {
        return Err(Error::file(&images.path, format!("has images of {rows} x {columns} pixels; {AGAIN}")));
    }
    let labels = labels.items(0..count, 1)?;
    let pixels = images.items(range.clone(), rows * columns)?;
    Ok(Selection {
        shape: [1, rows, columns],
        pixels: pixels.into_iter().map(unit).collect(),
        classes: labels.iter().max().map_or(0, |&label| usize::from(label) + 1),
        labels: labels[range].iter().map(|&label| i64::from(label)).collect(),
    })
}

/// The file in one of the spellings in use: `train-images-idx3-ubyte`, `train-images.idx3-ubyte`, with
/// `.gz` or not, and `t10k-labels-idx-ubyte.gz` as the paper's program expects it.
fn find(folder: &Path, prefix: &str, what: &str, kind: &str) -> Result<PathBuf> {
    let stem = format!("{prefix}-{what}");
    let names = [format!("{stem}-{kind}-ubyte"), format!("{stem}.{kind}-ubyte"), format!("{stem}-idx-ubyte")];
    let files = names.iter().flat_map(|name| ["", ".gz"].map(|gz| folder.join(format!("{name}{gz}"))));
    files.into_iter().find(|file| file.is_file()).ok_or_else(|| missing(&folder.join(&names[0])))
}

/// An IDX file behind its header.
struct Idx {
    path: PathBuf,
    sizes: Vec<usize>,
    /// What follows the header, unpacked.
    content: Box<dyn Read>,
}

impl Idx {
    /// Opens a file and reads its header; an uncompressed file must have exactly the length it promises.
    fn open(path: PathBuf, dimensions: usize) -> Result<Self> {
        let cannot = |error| Error::io("cannot read", &path, error);
        let mut file = BufReader::new(File::open(&path).map_err(cannot)?);
        let length = file.get_ref().metadata().map_err(cannot)?.len();
        let mut start = Vec::new();
        file.by_ref().take(256).read_to_end(&mut start).map_err(cannot)?;
        if let Some(reason) = impostor(&start) {
            return Err(Error::file(&path, reason));
        }
        let zipped = start.starts_with(&[0x1f, 0x8b]);
        let source = std::io::Cursor::new(start).chain(file);
        let mut content: Box<dyn Read> = if zipped { Box::new(gunzip(source)) } else { Box::new(source) };

        let mut header = Vec::new();
        let header_length = 4 + 4 * dimensions as u64;
        (&mut content)
            .take(header_length)
            .read_to_end(&mut header)
            .map_err(|error| unpacking(&path, error))?;
        if (header.len() as u64) < header_length {
            return Err(truncated(&path, header_length, header.len() as u64));
        }
        let mut words =
            header.chunks_exact(4).map(|word| u32::from_be_bytes([word[0], word[1], word[2], word[3]]));
        let (magic, expected) = (words.next().unwrap_or(0), 0x800 + dimensions as u32);
        if magic != expected {
            let what = if dimensions == 3 { "images" } else { "labels" };
            let reason = format!(
                "is no IDX file of {what} (starts with 0x{magic:08x} instead of 0x{expected:08x}); {AGAIN}"
            );
            return Err(Error::file(&path, reason));
        }
        let sizes: Vec<usize> = words.map(|size| size as usize).collect();
        let promised = sizes.iter().try_fold(1u64, |product, &size| product.checked_mul(size as u64));
        let promised = promised.and_then(|bytes| bytes.checked_add(header_length));
        let Some(promised) = promised else {
            return Err(Error::file(&path, format!("has an impossible size, {sizes:?}; {AGAIN}")));
        };
        if !zipped && promised > length {
            return Err(truncated(&path, promised, length));
        }
        if !zipped && promised < length {
            let reason = format!("is too long: {promised} bytes expected, {length} found; {AGAIN}");
            return Err(Error::file(&path, reason));
        }
        Ok(Self { path, sizes, content })
    }

    /// A range of items of `size` bytes each; the rest is read for its checksum and length. Called once.
    fn items(&mut self, range: Range<usize>, size: usize) -> Result<Vec<u8>> {
        let (skip, wanted) = ((range.start * size) as u64, (range.len() * size) as u64);
        let failed = |error| unpacking(&self.path, error);
        let skipped =
            std::io::copy(&mut (&mut self.content).take(skip), &mut std::io::sink()).map_err(failed)?;
        let mut bytes = Vec::new();
        (&mut self.content).take(wanted).read_to_end(&mut bytes).map_err(failed)?;
        let found = skipped + bytes.len() as u64 + check_rest(&self.path, &mut self.content)?;
        let all = self.sizes.iter().product::<usize>() as u64;
        if found != all {
            let what = if found < all { "truncated" } else { "too long" };
            let header = 4 + 4 * self.sizes.len() as u64;
            let (all, found) = (header + all, header + found);
            let reason = format!("is {what}: {all} bytes (unpacked) expected, {found} found; {AGAIN}");
            return Err(Error::file(&self.path, reason));
        }
        Ok(bytes)
    }
}
