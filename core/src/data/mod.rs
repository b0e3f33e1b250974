//! Images with labels, wherever they come from.
//!
//! [`load`] gives a [`Dataset`]: the selected `N x C x H x W` images in `0..=1` and their labels, in the
//! selected order. Each format has its own file; a loader reads only what is selected, as an ascending
//! range, and hands over a `Selection`, which is checked and turned into tensors here.

pub mod augment;
mod bundled;
mod catalogue;
mod check;
mod cifar10;
mod convert;
mod download;
mod examples;
mod fetch;
mod hdf5;
mod idx;
mod list;
mod locate;
mod pseudo_labelled;
mod twins;
mod write;

use std::path::PathBuf;

use sha2::{Digest as _, Sha256};
use tch::Tensor;

pub use augment::Augmentation;
pub use catalogue::{Facts, RemoteFile, Source};
pub use convert::{Converted, convert};
pub use examples::{DataSelection, Examples, Split};
pub use fetch::{Fetched, fetch};
pub use list::{Entry, list};
pub use locate::{Known, search_folders};
pub use write::Layout;

use crate::error::{Error, Result};
use locate::{Format, Found};

/// Selected images with their labels.
#[derive(Debug)]
pub struct Dataset {
    /// `bundled`, `cifar10`, `mnist`, `fashion-mnist`; for a folder with anything else, its path.
    pub name: String,
    /// The folder or archive the images were read from; none: they are bundled.
    pub origin: Option<PathBuf>,
    /// Split the examples are from.
    pub split: Split,
    /// `N x C x H x W`, float32, in `0..=1`, on the CPU.
    pub images: Tensor,
    /// Class of each image, int64, on the CPU.
    pub labels: Tensor,
    /// Index of each image in its split.
    pub indices: Vec<usize>,
    /// Number of classes; every label is below it.
    pub classes: usize,
    /// Name of each class.
    pub class_names: Vec<String>,
}

impl Dataset {
    /// Number of images.
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// Channels, height and width of an image.
    pub fn image_shape(&self) -> [i64; 3] {
        let size = self.images.size();
        [size[1], size[2], size[3]]
    }

    /// The first `count` images, or all there are, in memory of their own.
    pub fn first(&self, count: usize) -> Self {
        let count = count.min(self.len());
        let part = |tensor: &Tensor| tensor.narrow(0, 0, count as i64).copy();
        Self {
            name: self.name.clone(),
            origin: self.origin.clone(),
            split: self.split,
            images: part(&self.images),
            labels: part(&self.labels),
            indices: self.indices[..count].to_vec(),
            classes: self.classes,
            class_names: self.class_names.clone(),
        }
    }

    /// First 16 hex digits of the SHA-256 over the shape (int64), the images (float32) and the labels
    /// (int64), little-endian: the same images have the same fingerprint, whichever file held them.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for size in self.images.size() {
            hash.update(size.to_le_bytes());
        }
        // One image at a time, so that no second copy of a large set is made.
        let size = self.image_shape().iter().product::<i64>() as usize;
        let mut image = vec![0f32; size];
        for i in 0..self.len() as i64 {
            self.images.get(i).copy_data(&mut image, size);
            let bytes: Vec<u8> = image.iter().flat_map(|value| value.to_le_bytes()).collect();
            hash.update(&bytes);
        }
        let mut labels = vec![0i64; self.len()];
        self.labels.copy_data(&mut labels, self.len());
        for label in labels {
            hash.update(label.to_le_bytes());
        }
        hash.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Loads the selected examples of `bundled`, `cifar10`, `mnist`, `fashion-mnist` (looked for in
/// [`search_folders`]), or of the data set in a folder or archive.
///
/// # Errors
/// The data set is not there, a file of it is missing, truncated or something else, or it has fewer
/// examples than selected.
pub fn load(name: &str, examples: &Examples) -> Result<Dataset> {
    load_from(&search_folders(), name, examples)
}

/// As [`load`], with the folders in which data sets known by name are looked for.
///
/// # Errors
/// As [`load`].
pub fn load_from(folders: &[PathBuf], name: &str, examples: &Examples) -> Result<Dataset> {
    if name == "bundled" {
        let selection = bundled::read(examples)?;
        return selection.into_dataset("bundled".into(), None, Some(Known::Cifar10), examples);
    }
    let Found { path, format, known } = find(folders, name)?;
    let selection = match format {
        Format::CifarBinary | Format::CifarPython => cifar10::read(&path, format, examples)?,
        Format::Idx => idx::read(&path, examples)?,
        Format::Hdf5 => hdf5::read(&path, examples)?,
        Format::PseudoLabelled => pseudo_labelled::read(&path, examples)?,
    };
    let name = known.map_or_else(|| path.display().to_string(), |known| known.name().into());
    selection.into_dataset(name, Some(path), known, examples)
}

/// Number of images in a split of a data set, named as for [`load_from`]; 0: it has no such split.
///
/// # Errors
/// The data set is not there, or a file of it is damaged.
pub fn count(folders: &[PathBuf], name: &str, split: Split) -> Result<usize> {
    if name == "bundled" {
        return Ok(bundled::count(split));
    }
    let Found { path, format, .. } = find(folders, name)?;
    match format {
        Format::CifarBinary | Format::CifarPython if cifar10::has(&path, format, split) => {
            cifar10::count(&path, format, split)
        }
        Format::Idx if idx::has(&path, split) => idx::count(&path, split),
        Format::Hdf5 if hdf5::has(&path, split) => hdf5::count(&path, split),
        Format::PseudoLabelled if split == Split::Train => pseudo_labelled::count(&path),
        _ => Ok(0),
    }
}

/// Whether a data set is of a kind that always has training and test images.
///
/// # Errors
/// The data set is not there.
fn is_whole(folders: &[PathBuf], name: &str) -> Result<bool> {
    let whole = |format| matches!(format, Format::CifarBinary | Format::CifarPython | Format::Idx);
    Ok(name == "bundled" || whole(find(folders, name)?.format))
}

/// The data set of a name, or in a folder or archive.
fn find(folders: &[PathBuf], name: &str) -> Result<Found> {
    match Known::from_name(name) {
        Some(known) => locate::find_known(known, folders),
        None => locate::find_at(name),
    }
}

/// What a loader found in an ascending range of indices.
struct Selection {
    /// Channels, height, width.
    shape: [usize; 3],
    /// Values in `0..=1`, `N x C x H x W`.
    pixels: Vec<f32>,
    /// One per image.
    labels: Vec<i64>,
    /// One more than the largest label that the loader saw (it may see more than was selected).
    classes: usize,
}

impl Selection {
    fn into_dataset(
        mut self,
        name: String,
        origin: Option<PathBuf>,
        known: Option<Known>,
        examples: &Examples,
    ) -> Result<Dataset> {
        if let Some(known) = known {
            let names = known.class_names();
            if self.classes > names.len() {
                return Err(Error::invalid(format!(
                    "{name}: has a label {}, but {} has {} classes (0 to {}); this is damaged or another data set",
                    self.classes - 1,
                    known.title(),
                    names.len(),
                    names.len() - 1
                )));
            }
            self.classes = names.len();
        }
        let [c, h, w] = self.shape;
        assert_eq!(self.labels.len(), examples.len(), "a loader gives what was selected");
        assert_eq!(self.pixels.len(), examples.len() * c * h * w, "a loader gives whole images");
        let size = [examples.len() as i64, c as i64, h as i64, w as i64];
        let mut images = Tensor::f_from_slice(&self.pixels)?.f_view(size)?;
        if examples.descending() {
            images = images.f_flip([0])?;
            self.labels.reverse();
        }
        let class_names = match known {
            Some(known) => known.class_names().iter().map(|&class| class.into()).collect(),
            None => (0..self.classes).map(|class| class.to_string()).collect(),
        };
        Ok(Dataset {
            name,
            origin,
            split: examples.split,
            images,
            labels: Tensor::f_from_slice(&self.labels)?,
            indices: examples.indices(),
            classes: self.classes,
            class_names,
        })
    }
}

/// The float32 value of a byte: `byte / 255`, as numpy and torchvision compute it.
fn unit(byte: u8) -> f32 {
    f32::from(byte) / 255.0
}
