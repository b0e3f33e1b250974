//! Arrays that a measure gives back beside its numbers, to be kept in files.

use std::collections::BTreeMap;

use tch::{Kind, Tensor};

use super::flatness::Losses;
use crate::bits::{from_hex, to_hex};
use crate::data::Dataset;
use crate::error::{Error, Result};

/// What there is of a measure.
#[derive(Debug, Default)]
pub struct Kept {
    /// Adversarial examples.
    pub examples: Option<KeptExamples>,
    /// Of flatness, the losses of every draw and example.
    pub losses: Option<KeptLosses>,
    /// Probabilities of all classes.
    pub probabilities: Option<Probabilities>,
}

/// Images with what an attack adds to them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct KeptExamples {
    /// Number of images, channels, height, width.
    pub shape: [usize; 4],
    /// Values from 0 to 1, row by row.
    pub images: Vec<f32>,
    /// What the worst attempt adds to each image; of AutoAttack 0 where an image was wrong without.
    pub perturbations: Vec<f32>,
    /// What every attempt adds to the images, attempt after attempt; empty: not kept.
    pub attempts: Vec<f32>,
    /// Index of each image in its split.
    pub indices: Vec<i64>,
    /// True class of each image.
    pub labels: Vec<i64>,
}

impl KeptExamples {
    /// The data with what was added to its images: at the worst, and by every attempt where these are kept.
    ///
    /// # Errors
    /// libtorch refuses to hand the images over.
    pub fn of(dataset: &Dataset, perturbations: Vec<f32>, attempts: Vec<f32>) -> Result<Self> {
        let size = dataset.image_shape();
        let flat = |t: &Tensor| t.contiguous().view([-1]);
        Ok(Self {
            shape: [dataset.len(), size[0] as usize, size[1] as usize, size[2] as usize],
            images: Vec::try_from(flat(&dataset.images.to_kind(Kind::Float)))?,
            perturbations,
            attempts,
            indices: dataset.indices.iter().map(|index| *index as i64).collect(),
            labels: Vec::try_from(flat(&dataset.labels))?,
        })
    }

    /// How many attempts are kept; one if only the worst.
    pub fn count(&self) -> usize {
        self.attempts.len().checked_div(self.images.len()).unwrap_or_default().max(1)
    }

    /// What attempt `number` adds to the images; the worst one where only that is kept.
    pub fn attempt(&self, number: usize) -> &[f32] {
        let size = self.images.len();
        self.attempts.get(number * size..(number + 1) * size).unwrap_or(&self.perturbations)
    }
}

/// Losses and errors of every draw and example of a flatness record.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct KeptLosses {
    /// Index of each example in its split.
    pub index: Vec<usize>,
    /// By name, one entry per draw.
    pub tables: BTreeMap<String, Vec<Losses>>,
}

/// Probabilities of all classes, as the measuring network gives them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Probabilities {
    /// Number of classes.
    pub classes: usize,
    /// On the images as they are, row by row.
    pub clean: Vec<f32>,
    /// On the adversarial examples, attempt after attempt; empty without an attack.
    pub attempts: Vec<f32>,
    /// Index of each image in its split.
    pub indices: Vec<i64>,
    /// True class of each image.
    pub labels: Vec<i64>,
}

/// float32 values of a unit.
///
/// # Errors
/// The journal that they are from is damaged.
pub fn from_bits(text: &str) -> Result<Vec<f32>> {
    from_hex(text)
        .ok_or_else(|| Error::invalid("the journal beside the record is damaged; remove it and run again"))
}

/// The bits of float32 values for a unit.
///
/// # Errors
/// libtorch refuses to hand them over.
pub fn to_bits(values: &Tensor) -> Result<String> {
    let values: Vec<f32> = Vec::try_from(values.to_kind(Kind::Float).contiguous().view([-1]))?;
    Ok(to_hex(&values))
}
