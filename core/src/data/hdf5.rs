//! The HDF5 layout of the paper's program: `train_images.h5`, `train_labels.h5` and the same for test,
//! each with one data set named `tensor`: images `N x H x W x C` float32 in `0..=1`, labels `N x 1`.

use std::ops::Range;
use std::path::{Path, PathBuf};

use hdf5_pure::{DType, Dataset, File};

use super::check::{AGAIN, check_range, impostor, missing};
use super::examples::{Examples, Split};
use super::selection::{Selection, unit};
use crate::error::{Error, Result};

/// Values unpacked at a time (256 MiB of float32).
const BLOCK: usize = 1 << 26;
/// More images, values in an image, or classes are a damaged file rather than a data set.
const MOST_IMAGES: usize = 1 << 27;
const MOST_VALUES: usize = 1 << 24;
const MOST_CLASSES: i64 = 1 << 20;

/// Number of images in a split.
pub(super) fn count(folder: &Path, split: Split) -> Result<usize> {
    Ok(Tensor::open(folder.join(format!("{split}_images.h5")))?.shape.first().copied().unwrap_or(0))
}

/// Whether a folder has a split.
pub(super) fn has(folder: &Path, split: Split) -> bool {
    folder.join(format!("{split}_images.h5")).is_file()
}

/// Reads a range of images; only the chunks that hold them are unpacked.
pub(super) fn read(folder: &Path, examples: &Examples) -> Result<Selection> {
    let (split, range) = (examples.split, examples.range());
    let images = Tensor::open(folder.join(format!("{split}_images.h5")))?;
    let labels = Tensor::open(folder.join(format!("{split}_labels.h5")))?;
    let [count, height, width, channels] = images.shape[..] else {
        let shape = &images.shape;
        return Err(
            images.wrong(format!("has the shape {shape:?}, expected is count x height x width x channels"))
        );
    };
    if !matches!(labels.shape[..], [found] | [found, 1] if found == count) {
        let (shape, images) = (&labels.shape, images.path.display());
        return Err(
            labels.wrong(format!("has labels of the shape {shape:?}, but {images} has {count} images"))
        );
    }
    check_range(folder, examples, count)?;
    let labels = labels.labels(count)?;
    let pixels = images.pixels(&range, [height, width, channels])?;
    let classes = labels.iter().max().map_or(0, |&label| label as usize + 1);
    Ok(Selection { shape: [channels, height, width], pixels, labels: labels[range].to_vec(), classes })
}

/// The data set `tensor` of a file.
struct Tensor {
    path: PathBuf,
    content: Dataset,
    shape: Vec<usize>,
}

impl Tensor {
    fn open(path: PathBuf) -> Result<Self> {
        if !path.is_file() {
            return Err(missing(&path));
        }
        let file = match File::open_streaming(&path) {
            Ok(file) => file,
            Err(error) => {
                let mut start = vec![0; 256];
                let read = std::fs::File::open(&path)
                    .and_then(|mut file| std::io::Read::read(&mut file, &mut start));
                start.truncate(read.map_err(|error| Error::io("cannot read", &path, error))?);
                return Err(impostor(&start)
                    .map_or_else(|| damaged(&path, &error), |reason| Error::file(&path, reason)));
            }
        };
        let content = file.dataset("tensor").map_err(|_| {
            let others = match file.root().datasets().unwrap_or_default().join(", ") {
                names if names.is_empty() => String::new(),
                names => format!("it has {names}; "),
            };
            let reason = "has no readable data set named tensor, as the paper's files do";
            let remedy = "store the numbers themselves under that name";
            Error::file(
                &path,
                format!("{reason} ({others}soft and external links are not followed); {remedy}"),
            )
        })?;
        let shape = content.shape().map_err(|error| damaged(&path, &error))?;
        let shape = shape.into_iter().map(|size| usize::try_from(size).unwrap_or(usize::MAX)).collect();
        Ok(Self { path, content, shape })
    }

    fn wrong(&self, reason: String) -> Error {
        Error::file(&self.path, reason)
    }

    fn incomplete(&self) -> Error {
        self.wrong(format!("holds less than its shape {:?} says; {AGAIN}", self.shape))
    }

    fn labels(&self, count: usize) -> Result<Vec<i64>> {
        let kind = self.content.dtype().map_err(|error| damaged(&self.path, &error))?;
        if !matches!(
            kind,
            DType::I64
                | DType::I32
                | DType::I16
                | DType::I8
                | DType::U64
                | DType::U32
                | DType::U16
                | DType::U8
        ) {
            return Err(self.wrong(format!("holds {kind}; labels must be integers")));
        }
        let labels = self.content.read_i64().map_err(|error| damaged(&self.path, &error))?;
        if labels.len() != count {
            return Err(self.incomplete());
        }
        match labels.iter().position(|label| !(0..MOST_CLASSES).contains(label)) {
            Some(at) => {
                Err(self.wrong(format!("has a label {} (image {at}); labels count from 0", labels[at])))
            }
            None => Ok(labels),
        }
    }

    /// Images in the order of axes that networks take: channel, row, column.
    fn pixels(&self, range: &Range<usize>, [height, width, channels]: [usize; 3]) -> Result<Vec<f32>> {
        let size = [height, width, channels].into_iter().try_fold(1, usize::checked_mul);
        let size = size.filter(|size| (1..=MOST_VALUES).contains(size) && self.shape[0] <= MOST_IMAGES);
        let mut pixels = Vec::new();
        let room =
            size.and_then(|size| size.checked_mul(range.len())).map(|all| pixels.try_reserve_exact(all));
        let (Some(size), Some(Ok(()))) = (size, room) else {
            let shape = &self.shape;
            return Err(self
                .wrong(format!("has the shape {shape:?}: impossible, or more than the memory here holds")));
        };
        let step = (BLOCK / size).max(1);
        for start in range.clone().step_by(step) {
            let count = step.min(range.end - start);
            let rows = self.rows(start as u64, count as u64)?;
            if rows.len() != count * size {
                return Err(self.incomplete());
            }
            if let Some(at) = rows.iter().position(|value| !(0.0..=1.0).contains(value)) {
                let (value, image) = (rows[at], start + at / size);
                let expected = "images must be between 0 and 1 (bytes divided by 255)";
                return Err(self.wrong(format!("has a value {value} (image {image}); {expected}")));
            }
            for image in rows.chunks_exact(size) {
                for channel in 0..channels {
                    pixels.extend(image.iter().skip(channel).step_by(channels));
                }
            }
        }
        Ok(pixels)
    }

    /// Images as stored.
    fn rows(&self, start: u64, count: u64) -> Result<Vec<f32>> {
        let rows = match self.content.dtype() {
            Ok(DType::U8) => {
                self.content.read_u8_rows(start, count).map(|bytes| bytes.into_iter().map(unit).collect())
            }
            Ok(DType::F32 | DType::F64) => self.content.read_f32_rows(start, count),
            Ok(other) => return Err(self.wrong(format!("holds {other}; images must be float32 (or bytes)"))),
            Err(error) => Err(error),
        };
        rows.map_err(|error| damaged(&self.path, &error))
    }
}

/// The sentence for a file that the reader refuses: for what it holds, or for what it lacks.
fn damaged(path: &Path, error: &hdf5_pure::Error) -> Error {
    /// How the reader's messages tell of what it has not learned.
    const UNKNOWN: [&str; 5] = [
        "not supported",
        "unsupported",
        "cannot be enumerated",
        "does not follow",
        "invalid data layout version",
    ];
    let text = error.to_string();
    if UNKNOWN.iter().any(|part| text.contains(part)) {
        let remedy = "write it again with h5py.File(path, \"w\") and create_dataset(\"tensor\", data=x)";
        return Error::file(path, format!("uses a part of HDF5 that Basin does not read ({text}); {remedy}"));
    }
    Error::file(path, format!("is truncated, damaged or no HDF5 file ({text}); {AGAIN}"))
}
