//! Adversarial examples of an earlier record, for a network that they were perhaps not made for.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;

use tch::{Kind, Tensor};

use super::setup::Setup;
use crate::checkpoint::hash_file;
use crate::error::{Error, Result};
use crate::job::Job;
use crate::model::channels_last;
use crate::record::{ExampleSource, KeptExamples, Outcome, Record};

/// Stored examples that fit the images of a job.
pub struct Stored {
    kept: KeptExamples,
    /// Where they come from.
    pub source: ExampleSource,
    /// Position of every image of the job among them.
    positions: Vec<usize>,
}

impl Stored {
    /// Reads the examples of a record, or a file of examples, and checks that they are of the images of the job.
    ///
    /// # Errors
    /// The file cannot be read, the record kept none, or they are of other images.
    pub fn open(path: &Path, setup: &Setup) -> Result<Self> {
        let (kept, source) = read(path)?;
        let positions = fit(path, &kept, setup)?;
        Ok(Self { kept, source, positions })
    }

    /// Number of attempts that are kept.
    pub fn attempts(&self) -> usize {
        self.kept.count()
    }

    /// What an attempt adds to a range of the images of the job.
    pub fn perturbation(&self, attempt: usize, examples: Range<usize>, setup: &Setup) -> Tensor {
        let [_, c, h, w] = self.kept.shape;
        let size = c * h * w;
        let all = self.kept.attempt(attempt);
        let positions = &self.positions[examples];
        let values: Vec<f32> =
            positions.iter().flat_map(|at| &all[at * size..(at + 1) * size]).copied().collect();
        let shape = [positions.len(), c, h, w].map(|size| size as i64);
        channels_last(&Tensor::from_slice(&values).view(shape).to_device(setup.device))
    }
}

/// Whether the stored examples that a record was measured on are still the same.
pub fn is_unchanged(record: &Record) -> bool {
    let (Job::Evaluate(job), Outcome::Evaluate(outcome)) = (&record.job, &record.outcome) else {
        return true;
    };
    let (Some(path), Some(source)) = (&job.adversarial, &outcome.source) else { return true };
    read(path).is_ok_and(|(_, now)| now.hash == source.hash)
}

fn read(path: &Path) -> Result<(KeptExamples, ExampleSource)> {
    if path.extension().is_some_and(|ending| ending == "safetensors") {
        let kept = KeptExamples::load(path)?;
        let source =
            ExampleSource { hash: hash_file(path)?, attempts: kept.count(), ..ExampleSource::default() };
        return Ok((kept, source));
    }
    let record = Record::load(path)?;
    let Some(kept) = record.load_examples(path)? else {
        return Err(Error::file(
            path,
            "kept no adversarial examples; run its job again with --keep-examples or --keep-attempts",
        ));
    };
    let name = record.examples.as_deref().unwrap_or_default();
    let attack = match &record.job {
        Job::Evaluate(job) => Some(job.attacks().map(ToString::to_string).collect::<Vec<_>>().join(" and ")),
        Job::Attack(job) => Some(job.attack.to_string()),
        _ => None,
    };
    let earlier = match record.outcome {
        Outcome::Evaluate(outcome) => outcome.source,
        _ => None,
    };
    // Kept again from stored ones, they are still of the network that was attacked.
    let known = earlier.unwrap_or(ExampleSource {
        checkpoint: record.job.checkpoint().map(|path| path.to_string_lossy().into_owned().into()),
        checkpoint_hash: Some(record.provenance.checkpoint_hash).filter(|hash| !hash.is_empty()),
        attack: attack.filter(|words| !words.is_empty()),
        ..ExampleSource::default()
    });
    let hash = hash_file(&path.with_file_name(name))?;
    let attempts = kept.count();
    Ok((kept, ExampleSource { hash, attempts, ..known }))
}

/// Where every image of the job is among the stored ones.
fn fit(path: &Path, kept: &KeptExamples, setup: &Setup) -> Result<Vec<usize>> {
    let data = &setup.dataset;
    let [count, c, h, w] = kept.shape;
    let wanted = data.image_shape();
    if [c as i64, h as i64, w as i64] != wanted {
        let [a, b, d] = wanted;
        return Err(Error::file(
            path,
            format!(
                "has adversarial examples of {c} x {h} x {w}, but {} has images of {a} x {b} x {d}; choose other data",
                data.name
            ),
        ));
    }
    let places: HashMap<i64, usize> =
        kept.indices.iter().enumerate().map(|(position, index)| (*index, position)).collect();
    let size = c * h * w;
    let images: Vec<f32> = Vec::try_from(data.images.to_kind(Kind::Float).contiguous().view([-1]))?;
    let labels: Vec<i64> = Vec::try_from(data.labels.contiguous())?;
    let position = |(row, index): (usize, &usize)| {
        let Some(at) = places.get(&(*index as i64)).copied() else {
            let (least, most) = (kept.indices.iter().min(), kept.indices.iter().max());
            let range = match (least, most) {
                (Some(least), Some(most)) => format!(" of the images {least} to {most}"),
                _ => String::new(),
            };
            return Err(Error::file(
                path,
                format!(
                    "has no adversarial example of image {index}, but {count}{range}; select examples among those"
                ),
            ));
        };
        let same = images[row * size..(row + 1) * size] == kept.images[at * size..(at + 1) * size]
            && labels[row] == kept.labels[at];
        if same {
            Ok(at)
        } else {
            Err(Error::file(
                path,
                format!(
                    "was made of other images: image {index} is not that of {}; choose the data and split of the attack",
                    data.name
                ),
            ))
        }
    };
    data.indices.iter().enumerate().map(position).collect()
}
