//! Images with labels in memory.

use std::path::PathBuf;

use sha2::{Digest as _, Sha256};
use tch::Tensor;

use super::examples::Split;

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
