//! What loaders find, before it is a data set.

use std::path::PathBuf;

use tch::Tensor;

use super::dataset::Dataset;
use super::examples::Examples;
use super::locate::Known;
use crate::error::{Error, Result};

/// What a loader found in an ascending range of indices.
pub struct Selection {
    /// Channels, height, width.
    pub shape: [usize; 3],
    /// Values in `0..=1`, `N x C x H x W`.
    pub pixels: Vec<f32>,
    /// One per image.
    pub labels: Vec<i64>,
    /// One more than the largest label that the loader saw (it may see more than was selected).
    pub classes: usize,
}

impl Selection {
    /// Checks it and makes tensors of it.
    ///
    /// # Errors
    /// A label is none of the data set's; or there is not enough memory.
    pub fn into_dataset(
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
pub fn unit(byte: u8) -> f32 {
    f32::from(byte) / 255.0
}
