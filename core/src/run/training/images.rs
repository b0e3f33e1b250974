//! The images of a training: loaded, and looked through for what is both learned from and tested on.

use std::sync::{Mutex, PoisonError};

use crate::data::{self, Dataset, Examples};
use crate::error::Result;
use crate::train::Train;

/// Everything a training looks at.
pub struct Images {
    pub train: Dataset,
    pub test: Dataset,
    /// Where early stopping looks at them.
    pub held_out: Option<Dataset>,
    /// Pseudo-labelled images.
    pub extra: Option<Dataset>,
}

impl Images {
    /// Loads all that a job asks for.
    pub fn load(job: &Train) -> Result<Self> {
        Self::with(job, &mut data::load)
    }

    /// The first `count` images of each kind: enough for a trial. A data set is read once in the life of the process.
    pub fn few(job: &Train, count: usize) -> Result<Self> {
        Self::with(job, &mut |name, examples| few(name, examples, count))
    }

    fn with(job: &Train, load: &mut dyn FnMut(&str, &Examples) -> Result<Dataset>) -> Result<Self> {
        let name = &job.data.name;
        Ok(Self {
            train: load(name, &job.data.train)?,
            test: load(name, &job.data.test)?,
            held_out: job.early_stopping.then(|| load(name, &job.data.held_out)).transpose()?,
            extra: job.data.extra.as_ref().map(|extra| load(&extra.name, &extra.examples)).transpose()?,
        })
    }

    /// What the user should know: images that are both learned from and tested on, found by their pixels.
    pub fn warnings(&self) -> Vec<String> {
        let learned: Vec<&Dataset> = [Some(&self.train), self.extra.as_ref()].into_iter().flatten().collect();
        let mut found = Vec::new();
        let mut look = |role: &str, tested: &Dataset, others: &[&Dataset], what: &str| {
            let (all, twice) = (tested.len(), tested.count_in(others));
            if twice > 0 {
                found.push(format!("{twice} of the {all} {role} images are also among {what}"));
            }
        };
        look("test", &self.test, &learned, "those trained on, so the test errors are too low");
        if let Some(held_out) = &self.held_out {
            look("held-out", held_out, &learned, "those trained on, so early stopping may choose too late");
            let what = "the test images, so the test errors of the best network are too low";
            look("held-out", held_out, &[&self.test], what);
        }
        found
    }
}

/// The largest number of images that is kept of each selection.
const KEPT: usize = 64;

/// The first images of a selection, which is read and checked as a whole once.
fn few(name: &str, examples: &Examples, count: usize) -> Result<Dataset> {
    static KNOWN: Mutex<Vec<(String, Examples, Dataset)>> = Mutex::new(Vec::new());
    let lock = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let find = |known: &[(String, Examples, Dataset)]| {
        let found = known.iter().find(|(other, range, _)| other == name && range == examples);
        found.map(|(_, _, images)| images.first(count))
    };
    if let Some(images) = find(&lock()) {
        return Ok(images);
    }
    // Nobody waits for the lock while files are read.
    let images = data::load(name, examples)?.first(KEPT.max(count));
    let few = images.first(count);
    lock().push((name.to_owned(), *examples, images));
    Ok(few)
}
