//! Adversarial examples of an earlier record, for a network that they were perhaps not made for.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;

use tch::{Device, Kind, Tensor};

use super::outcome::ExampleSource;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::measure::kept::KeptExamples;
use crate::model::channels_last;

/// Stored examples that fit the images of a job.
pub struct Stored {
    kept: KeptExamples,
    /// Where they come from.
    pub source: ExampleSource,
    /// Position of every image of the job among them.
    positions: Vec<usize>,
}

impl Stored {
    /// Checks that examples are of the images of a job; `path` is where they come from, for what is said if not.
    ///
    /// # Errors
    /// They are of other images.
    pub fn new(path: &Path, kept: KeptExamples, source: ExampleSource, dataset: &Dataset) -> Result<Self> {
        let positions = fit(path, &kept, dataset)?;
        Ok(Self { kept, source, positions })
    }

    /// Number of attempts that are kept.
    pub fn attempts(&self) -> usize {
        self.kept.count()
    }

    /// What an attempt adds to a range of the images of the job.
    pub fn perturbation(&self, attempt: usize, examples: Range<usize>, device: Device) -> Tensor {
        let [_, c, h, w] = self.kept.shape;
        let size = c * h * w;
        let all = self.kept.attempt(attempt);
        let positions = &self.positions[examples];
        let values: Vec<f32> =
            positions.iter().flat_map(|at| &all[at * size..(at + 1) * size]).copied().collect();
        let shape = [positions.len(), c, h, w].map(|size| size as i64);
        channels_last(&Tensor::from_slice(&values).view(shape).to_device(device))
    }
}

/// Where every image of the job is among the stored ones.
fn fit(path: &Path, kept: &KeptExamples, data: &Dataset) -> Result<Vec<usize>> {
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
