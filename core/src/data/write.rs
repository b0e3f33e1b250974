//! Writing data sets: the paper's HDF5, CIFAR-10's binary batches, IDX. Files have temporary names until all of
//! them are complete.

use std::io::{BufWriter, Write as _};
use std::path::Path;

use hdf5_pure::{Datatype, FileBuilder, make_f32_type, make_i64_type};
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};
use tempfile::NamedTempFile;

use super::{Dataset, Split, idx};
use crate::error::{Error, Result};

/// Images per chunk of the paper's files.
const CHUNK: usize = 10;
/// How hard they are compressed (h5py's default).
const DEFLATE: u32 = 4;

/// How a data set is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// The paper's HDF5: `train_images.h5`, `train_labels.h5` and the same for test, each with one data set
    /// `tensor`, gzipped in chunks of ten images: float32 `N x H x W x C` in `0..=1`, int64 `N x 1`.
    #[default]
    Hdf5,
    /// CIFAR-10's binary batches: `data_batch_1.bin` to `_5`, `test_batch.bin`.
    Cifar10,
    /// MNIST's IDX files, not zipped.
    Idx,
}

/// The files of one split, being written.
pub(super) struct Writer {
    split: Split,
    /// Images written so far, and of all.
    done: usize,
    count: usize,
    files: Files,
}

/// Temporary files with the names they will have.
type Named = (String, NamedTempFile);

enum Files {
    /// Little-endian values of the whole split: hdf5-pure writes a data set at once.
    Hdf5 {
        files: [Named; 2],
        pixels: Vec<u8>,
        labels: Vec<u8>,
        image: [usize; 3],
    },
    Cifar10(Vec<Named>),
    Idx([Named; 2]),
}

impl Writer {
    /// Makes the files of a split of `count` images of the given shape (channels, height, width).
    pub(super) fn new(
        layout: Layout,
        folder: &Path,
        split: Split,
        count: usize,
        shape: [usize; 3],
    ) -> Result<Self> {
        let temporary = |name: String| {
            let made = tempfile::Builder::new().prefix(".basin-").suffix(".tmp").tempfile_in(folder);
            made.map(|file| (name, file)).map_err(|error| Error::io("cannot write", folder, error))
        };
        let [channels, height, width] = shape;
        let files = match layout {
            Layout::Hdf5 => Files::Hdf5 {
                files: [temporary(format!("{split}_images.h5"))?, temporary(format!("{split}_labels.h5"))?],
                pixels: Vec::with_capacity(4 * count * channels * height * width),
                labels: Vec::with_capacity(8 * count),
                image: [height, width, channels],
            },
            Layout::Cifar10 => {
                let batches = if split == Split::Train { 5 } else { 1 };
                if shape != [3, 32, 32] || !count.is_multiple_of(batches) {
                    return Err(Error::invalid(format!(
                        "{count} {split} images of {height} x {width} pixels in {channels} channels do not fit CIFAR-10's \
                         {batches} batches of 32 x 32 colour images; use --to hdf5"
                    )));
                }
                let name = |i| match split {
                    Split::Train => format!("data_batch_{}.bin", i + 1),
                    Split::Test => "test_batch.bin".to_owned(),
                };
                Files::Cifar10((0..batches).map(|i| temporary(name(i))).collect::<Result<_>>()?)
            }
            Layout::Idx => {
                if channels != 1 {
                    return Err(Error::invalid(
                        "IDX files of MNIST's kind hold grey images, these are coloured; use --to hdf5 or --to cifar10",
                    ));
                }
                let prefix = idx::prefix(split);
                let mut files = [
                    temporary(format!("{prefix}-images-idx3-ubyte"))?,
                    temporary(format!("{prefix}-labels-idx1-ubyte"))?,
                ];
                put(&mut files[0], &header(0x803, &[count, height, width]))?;
                put(&mut files[1], &header(0x801, &[count]))?;
                Files::Idx(files)
            }
        };
        Ok(Self { split, done: 0, count, files })
    }

    /// Writes the next images.
    pub(super) fn append(&mut self, part: &Dataset) -> Result<()> {
        let labels = Vec::<i64>::try_from(&part.labels)?;
        match &mut self.files {
            Files::Hdf5 { pixels, labels: targets, .. } => {
                let values = part.images.permute([0, 2, 3, 1]).contiguous().reshape([-1]);
                pixels.extend(Vec::<f32>::try_from(&values)?.into_iter().flat_map(f32::to_le_bytes));
                targets.extend(labels.iter().flat_map(|label| label.to_le_bytes()));
            }
            Files::Cifar10(files) => {
                let (pixels, labels) = (bytes(part, self.done)?, byte_labels(&labels, self.done)?);
                let size = pixels.len() / labels.len();
                for (i, (image, label)) in pixels.chunks_exact(size).zip(labels).enumerate() {
                    let file = &mut files
                        [(self.done + i) / (self.count / if self.split == Split::Train { 5 } else { 1 })];
                    put(file, &[&[label], image].concat())?;
                }
            }
            Files::Idx([images, targets]) => {
                put(images, &bytes(part, self.done)?)?;
                put(targets, &byte_labels(&labels, self.done)?)?;
            }
        }
        self.done += labels.len();
        Ok(())
    }

    /// Completes the files; [`Finished::keep`] gives them their names.
    pub(super) fn finish(self) -> Result<Finished> {
        assert_eq!(self.done, self.count, "all images were written");
        let files: Vec<Named> = match self.files {
            Files::Hdf5 { files, pixels, labels, image } => {
                tensor(&files[0].1, make_f32_type(), pixels, self.count, &image)?;
                tensor(&files[1].1, make_i64_type(), labels, self.count, &[1])?;
                files.into()
            }
            Files::Cifar10(files) => files,
            Files::Idx(files) => files.into(),
        };
        for (_, file) in &files {
            file.as_file().sync_all().map_err(|error| Error::io("cannot write", file.path(), error))?;
        }
        Ok(Finished(files))
    }
}

/// Complete files without their names.
pub(super) struct Finished(Vec<Named>);

impl Finished {
    /// Gives the files their names, in `folder`, and returns these.
    pub(super) fn keep(self, folder: &Path) -> Result<Vec<String>> {
        let keep = |(name, file): Named| {
            let path = folder.join(&name);
            let failed = |error| Error::io("cannot write", &path, error);
            crate::files::set_default_permissions(file.path()).map_err(failed)?;
            file.persist(&path).map_err(|error| failed(error.error))?;
            Ok(name)
        };
        self.0.into_iter().map(keep).collect()
    }
}

/// The names of a split's files.
pub(super) fn names(layout: Layout, split: Split) -> Vec<String> {
    match (layout, split) {
        (Layout::Hdf5, _) => vec![format!("{split}_images.h5"), format!("{split}_labels.h5")],
        (Layout::Cifar10, Split::Train) => (1..=5).map(|i| format!("data_batch_{i}.bin")).collect(),
        (Layout::Cifar10, Split::Test) => vec!["test_batch.bin".into()],
        (Layout::Idx, _) => {
            let prefix = idx::prefix(split);
            vec![format!("{prefix}-images-idx3-ubyte"), format!("{prefix}-labels-idx1-ubyte")]
        }
    }
}

/// Fills an HDF5 file with the data set `tensor`.
fn tensor(
    file: &NamedTempFile,
    kind: Datatype,
    values: Vec<u8>,
    count: usize,
    image: &[usize],
) -> Result<()> {
    let with = |first: usize| -> Vec<u64> {
        std::iter::once(first as u64).chain(image.iter().map(|&size| size as u64)).collect()
    };
    let elements = count * image.iter().product::<usize>();
    let mut builder = FileBuilder::new();
    builder
        .create_dataset("tensor")
        .with_raw_data(kind, values, elements as u64)
        .with_shape(&with(count))
        .with_chunks(&with(CHUNK.min(count)))
        .with_deflate(DEFLATE);
    let written = builder.finish_to(BufWriter::new(file.as_file()));
    written
        .map_err(|error| Error::file(file.path(), format!("cannot be written ({error}); is the disk full?")))
}

/// Images as bytes, which they must be 255ths of.
fn bytes(part: &Dataset, first: usize) -> Result<Vec<u8>> {
    let rounded = (&part.images * 255.0).round();
    let back = rounded.to_kind(Kind::Uint8).to_kind(Kind::Float) / 255.0;
    let differs = back.ne_tensor(&part.images).flatten(1, -1).any_dim(1, false);
    if differs.any().int64_value(&[]) != 0 {
        let at = first + Tensor::argmax(&differs.to_kind(Kind::Int), None, false).int64_value(&[]) as usize;
        return Err(Error::invalid(format!(
            "image {at} has values that are no bytes divided by 255, which only HDF5 can hold; use --to hdf5"
        )));
    }
    Ok(Vec::<u8>::try_from(rounded.to_kind(Kind::Uint8).contiguous().reshape([-1]))?)
}

fn byte_labels(labels: &[i64], first: usize) -> Result<Vec<u8>> {
    let byte = |(i, &label): (usize, &i64)| {
        u8::try_from(label).map_err(|_| {
            Error::invalid(format!(
                "image {} has label {label}, which does not fit a byte; use --to hdf5",
                first + i
            ))
        })
    };
    labels.iter().enumerate().map(byte).collect()
}

fn header(magic: u32, sizes: &[usize]) -> Vec<u8> {
    let words = std::iter::once(magic).chain(sizes.iter().map(|&size| size as u32));
    words.flat_map(u32::to_be_bytes).collect()
}

fn put((_, file): &mut Named, bytes: &[u8]) -> Result<()> {
    file.write_all(bytes).map_err(|error| Error::io("cannot write", file.path(), error))
}
