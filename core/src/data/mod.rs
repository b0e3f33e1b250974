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
mod dataset;
mod download;
mod examples;
mod fetch;
mod hdf5;
mod idx;
mod list;
mod locate;
mod pseudo_labelled;
mod selection;
mod twins;
mod write;

use std::path::PathBuf;

pub use augment::Augmentation;
pub use catalogue::{Facts, RemoteFile, Source};
pub use convert::{Converted, convert};
pub use dataset::Dataset;
pub use examples::{DataSelection, Examples, Split};
pub use fetch::{Fetched, fetch};
pub use list::{Entry, list};
pub use locate::{Known, search_folders};
pub use write::Layout;

use crate::error::Result;
use locate::{Format, Found};

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
