//! Other networks that a measure looks at, opened.

use std::path::{Path, PathBuf};

use crate::checkpoint::{self, Checkpoint};
use crate::error::{Error, Result};
use crate::job::{Job, Outcome, Visitor};
use crate::measure::{Fellow, Fellows, Measure};
use crate::record::training::{FINAL, is_training, snapshots};

struct Wanted;

impl Visitor for Wanted {
    type Output = Vec<(PathBuf, bool)>;

    fn visit<M: Measure>(self, job: &M) -> Self::Output
    where
        M::Outcome: Into<Outcome>,
    {
        let wanted = |fellows: Fellows<'_>| match fellows {
            Fellows::One(path) => (path.to_owned(), false),
            Fellows::Kept(folder) => (folder.to_owned(), true),
        };
        job.fellows().into_iter().map(wanted).collect()
    }
}

struct Check<'a>(&'a Checkpoint, &'a Checkpoint);

impl Visitor for Check<'_> {
    type Output = Result<()>;

    fn visit<M: Measure>(self, job: &M) -> Self::Output
    where
        M::Outcome: Into<Outcome>,
    {
        job.check_fellow(self.0, self.1)
    }
}

/// The other networks of a job by their paths, checked against its checkpoint: of a file one, of the folder of a
/// training those that it kept, by epoch. `probing` hears how far trying the readings of an ambiguous file is.
///
/// # Errors
/// A file cannot be read or does not fit; a training kept no network.
pub fn open(
    job: &Job,
    checkpoint: &Checkpoint,
    probing: &mut dyn FnMut(f64) -> Result<()>,
) -> Result<Vec<(PathBuf, Vec<Fellow>)>> {
    let mut all = Vec::new();
    for (path, is_path) in job.visit(Wanted).unwrap_or_default() {
        let found = match (is_path, path.is_dir()) {
            (true, _) => kept(&path)?,
            (false, true) => vec![(name_of(&path), last(&path)?)],
            (false, false) => vec![(name_of(&path), path.clone())],
        };
        let mut fellows = Vec::new();
        for (name, file) in found {
            let other = checkpoint::open_probed(&file, probing)?;
            job.visit(Check(checkpoint, &other)).transpose()?;
            fellows.push(Fellow { name, checkpoint: other });
        }
        all.push((path, fellows));
    }
    Ok(all)
}

/// The final network of a training.
fn last(folder: &Path) -> Result<PathBuf> {
    let file = folder.join(FINAL);
    if file.is_file() {
        return Ok(file);
    }
    let reason =
        format!("is a folder without {FINAL}; give a checkpoint file, or the folder of a finished training");
    Err(Error::file(folder, reason))
}

/// The networks that a training kept, by epoch, without averages.
fn kept(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    if !is_training(folder) {
        let reason = "is a folder, but not that of a training; give a checkpoint file, or a folder that `basin train` wrote";
        return Err(Error::file(folder, reason));
    }
    let found: Vec<(String, PathBuf)> = snapshots(folder)
        .into_iter()
        .filter(|kept| !kept.average)
        .map(|kept| (format!("epoch {}", kept.epoch), folder.join(&kept.file)))
        .collect();
    if found.len() < 2 {
        let reason = match found.len() {
            0 => "kept no snapshots on the way; train again with --snapshot-every 1".to_owned(),
            _ => "kept a single snapshot, which is no path; train again with --snapshot-every 1".to_owned(),
        };
        return Err(Error::file(folder, reason));
    }
    Ok(found)
}

fn name_of(path: &Path) -> String {
    path.file_name().map_or(path.to_string_lossy(), |name| name.to_string_lossy()).into_owned()
}
