//! A data set in another layout, block by block. For HDF5 a whole split is in memory once (the 500k pseudo-labelled
//! images: 6 GB, and twice the size of their pickle).

use std::path::{Path, PathBuf};

use super::write::{Finished, Layout, Writer, names};
use super::{Dataset, Examples, Split, count, is_whole, load_from};
use crate::error::{Error, Result};
use crate::progress::{Cancelled, Event, Progress};

/// Images that are read at a time. Archives and pickles are unpacked anew for each block.
const BLOCK: usize = 20_000;
/// Images that are written between two reports.
const PART: usize = 500;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Converted {
    /// Names of the files.
    pub files: Vec<String>,
    /// Training and test images.
    pub images: [usize; 2],
}

/// Writes the data set `name` (as in [`load_from`]) in `layout` into `folder`, which is made if need be. Every split
/// it has is converted. The files get their names when all are complete. Progress counts images.
///
/// # Errors
/// The data set cannot be read, does not fit the layout, or the folder cannot be written; files are there already,
/// unless `replace`; [`Error::Cancelled`]. Nothing is left in all these cases.
pub fn convert(
    folders: &[PathBuf],
    name: &str,
    layout: Layout,
    folder: &Path,
    replace: bool,
    progress: &mut dyn Progress,
) -> Result<Converted> {
    let images = [count(folders, name, Split::Train)?, count(folders, name, Split::Test)?];
    if let Some(missing) = [Split::Train, Split::Test].into_iter().zip(images).find(|(_, count)| *count == 0)
        && is_whole(folders, name)?
    {
        // The sentence of whoever wants an image of it.
        load_from(folders, name, &Examples { split: missing.0, start: 0, end: 1 })?;
    }
    let splits = || [Split::Train, Split::Test].into_iter().zip(images).filter(|(_, count)| *count > 0);
    let total = images.iter().sum::<usize>() as u64;
    if total == 0 {
        return Err(Error::invalid(format!("{name} has no images; nothing is to be converted")));
    }
    let there = splits().flat_map(|(split, _)| names(layout, split)).find(|name| folder.join(name).exists());
    if let Some(there) = there
        && !replace
    {
        let reason = "is there already; choose another folder, or replace it with --force";
        return Err(Error::file(&folder.join(there), reason));
    }
    let is_new = !folder.exists();
    std::fs::create_dir_all(folder).map_err(|error| Error::io("cannot create", folder, error))?;
    progress.report(Event::Started { label: format!("converting {name}"), done: 0, total })?;
    let mut done = 0;
    let mut told = |more: usize| {
        done += more as u64;
        progress.report(Event::Step { done, total })
    };
    let finished = splits()
        .map(|(split, count)| written(folders, name, layout, folder, (split, count), &mut told))
        .collect::<Result<Vec<Finished>>>();
    let finished = finished.inspect_err(|_| {
        if is_new {
            let _ = std::fs::remove_dir(folder);
        }
    })?;
    let mut files = Vec::new();
    for split in finished {
        files.extend(split.keep(folder)?);
    }
    Ok(Converted { files, images })
}

/// Writes one split to files that have no names yet.
fn written(
    folders: &[PathBuf],
    name: &str,
    layout: Layout,
    folder: &Path,
    (split, count): (Split, usize),
    told: &mut dyn FnMut(usize) -> Result<(), Cancelled>,
) -> Result<Finished> {
    let mut writer = None;
    for start in (0..count).step_by(BLOCK) {
        let end = (start + BLOCK).min(count);
        let block = load_from(folders, name, &Examples { split, start, end: end as isize })?;
        let shape = block.image_shape().map(|size| size as usize);
        let writer = match &mut writer {
            Some(writer) => writer,
            none => none.insert(Writer::new(layout, folder, split, count, shape)?),
        };
        for at in (0..block.len()).step_by(PART) {
            let part = block.part(at, PART.min(block.len() - at));
            writer.append(&part)?;
            told(part.len())?;
        }
    }
    writer.expect("a split has images").finish()
}

impl Dataset {
    /// The examples from `start` on.
    fn part(&self, start: usize, length: usize) -> Self {
        let (from, size) = (start as i64, length as i64);
        Self {
            name: self.name.clone(),
            origin: self.origin.clone(),
            split: self.split,
            images: self.images.narrow(0, from, size),
            labels: self.labels.narrow(0, from, size),
            indices: self.indices[start..start + length].to_vec(),
            classes: self.classes,
            class_names: self.class_names.clone(),
        }
    }
}
