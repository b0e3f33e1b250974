//! The HDF5 layout of the paper's program: `train_images.h5`, `train_labels.h5` and the same for test,
//! each with one data set named `tensor`: images `N x H x W x C` float32 in `0..=1`, labels `N x 1`.

use std::ops::Range;
use std::path::Path;

use hdf5_pure::{DType, Dataset, File};

use super::check::{AGAIN, check_range, impostor, missing};
use super::{Selection, Split, unit};
use crate::error::{Error, Result};

/// Reads a range of images; only the chunks that hold them are unpacked.
pub(super) fn read(folder: &Path, split: Split, range: Range<usize>) -> Result<Selection> {
    let images_path = folder.join(format!("{split}_images.h5"));
    let labels_path = folder.join(format!("{split}_labels.h5"));
    let images = open(&images_path)?;
    let labels = open(&labels_path)?;
    let shape = sizes(&images_path, &images)?;
    let [count, height, width, channels] = shape[..] else {
        let reason = format!("has images of the shape {shape:?}; expected count x height x width x channels");
        return Err(Error::file(&images_path, reason));
    };
    let label_shape = sizes(&labels_path, &labels)?;
    if label_shape.iter().product::<usize>() != count || label_shape.first() != Some(&count) {
        let reason = format!(
            "has labels of the shape {label_shape:?}, but {} has {count} images",
            images_path.display()
        );
        return Err(Error::file(&labels_path, reason));
    }
    check_range(folder, split, &range, count)?;

    let labels = labels.read_i64().map_err(|error| damaged(&labels_path, &error))?;
    if let Some(at) = labels.iter().position(|&label| !(0..1 << 20).contains(&label)) {
        let label = labels[at];
        return Err(Error::file(
            &labels_path,
            format!("has a label {label} (image {at}); labels count from 0"),
        ));
    }
    let classes = labels.iter().max().map_or(0, |&label| label as usize + 1);
    let rows = rows(&images_path, &images, &range)?;
    let size = height * width * channels;
    if rows.len() != range.len() * size || labels.len() != count {
        return Err(Error::file(&images_path, format!("holds less than its shape {shape:?} says; {AGAIN}")));
    }
    if let Some(at) = rows.iter().position(|value| !(0.0..=1.0).contains(value)) {
        let (value, image) = (rows[at], range.start + at / size);
        let reason = format!(
            "has a value {value} (image {image}); images must be between 0 and 1 (bytes divided by 255)"
        );
        return Err(Error::file(&images_path, reason));
    }
    let mut pixels = Vec::with_capacity(rows.len());
    for image in rows.chunks_exact(size.max(1)) {
        for channel in 0..channels {
            pixels.extend(image.iter().skip(channel).step_by(channels));
        }
    }
    Ok(Selection { shape: [channels, height, width], pixels, labels: labels[range].to_vec(), classes })
}

fn open(path: &Path) -> Result<Dataset> {
    if !path.is_file() {
        return Err(missing(path));
    }
    let file = match File::open_streaming(path) {
        Ok(file) => file,
        Err(error) => {
            let mut start = vec![0; 256];
            let read =
                std::fs::File::open(path).and_then(|mut file| std::io::Read::read(&mut file, &mut start));
            start.truncate(read.map_err(|error| Error::io("cannot read", path, error))?);
            return Err(
                impostor(&start).map_or_else(|| damaged(path, &error), |reason| Error::file(path, reason))
            );
        }
    };
    file.dataset("tensor").map_err(|error| {
        Error::file(path, format!("has no readable data set named tensor, as the paper's files do ({error})"))
    })
}

fn sizes(path: &Path, dataset: &Dataset) -> Result<Vec<usize>> {
    let shape = dataset.shape().map_err(|error| damaged(path, &error))?;
    Ok(shape.into_iter().map(|size| usize::try_from(size).unwrap_or(usize::MAX)).collect())
}

/// The images as stored, row by row of pixels.
fn rows(path: &Path, images: &Dataset, range: &Range<usize>) -> Result<Vec<f32>> {
    let (start, count) = (range.start as u64, range.len() as u64);
    let rows = match images.dtype() {
        Ok(DType::U8) => images.read_u8_rows(start, count).map(|bytes| bytes.into_iter().map(unit).collect()),
        Ok(_) => images.read_f32_rows(start, count),
        Err(error) => Err(error),
    };
    rows.map_err(|error| damaged(path, &error))
}

fn damaged(path: &Path, error: &hdf5_pure::Error) -> Error {
    Error::file(path, format!("is truncated, damaged or no HDF5 file ({error}); {AGAIN}"))
}
