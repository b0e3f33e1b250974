//! Adversarial examples kept beside a record: `<record>.examples.safetensors`, named in the record.
//!
//! Tensors `images` and `perturbations` (float32, `N x C x H x W`), `indices` and `labels` (int64, `N`), in the
//! order of the record's examples.

use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::error::{Error, Result};
use crate::files::write_atomically;

/// Images with what an attack adds to them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct KeptExamples {
    /// Number of images, channels, height, width.
    pub shape: [usize; 4],
    /// Values from 0 to 1, row by row.
    pub images: Vec<f32>,
    /// What is added to the images; 0 where an image was wrong without.
    pub perturbations: Vec<f32>,
    /// Index of each image in its split.
    pub indices: Vec<i64>,
    /// True class of each image.
    pub labels: Vec<i64>,
}

impl KeptExamples {
    /// Where the examples of the record at `record` are.
    pub fn path_beside(record: &Path) -> PathBuf {
        let mut name = record.file_name().unwrap_or_default().to_owned();
        name.push(".examples.safetensors");
        record.with_file_name(name)
    }

    /// Writes the file: to a temporary one, synced, then renamed.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let floats = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        let integers = |values: &[i64]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        let count = vec![self.shape[0]];
        let parts = [
            ("images", Dtype::F32, self.shape.to_vec(), floats(&self.images)),
            ("perturbations", Dtype::F32, self.shape.to_vec(), floats(&self.perturbations)),
            ("indices", Dtype::I64, count.clone(), integers(&self.indices)),
            ("labels", Dtype::I64, count, integers(&self.labels)),
        ];
        let views: Vec<(&str, TensorView)> = parts
            .iter()
            .map(|(name, kind, shape, bytes)| {
                (*name, TensorView::new(*kind, shape.clone(), bytes).expect("shape and values agree"))
            })
            .collect();
        let bytes = safetensors::serialize(views, None).expect("plain tensors");
        write_atomically(path, &bytes)
    }

    /// Reads the file.
    ///
    /// # Errors
    /// It is missing, or not what [`KeptExamples::save`] writes.
    pub fn load(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|e| Error::io("cannot read", path, e))?;
        Self::parse(&bytes).ok_or_else(|| {
            Error::file(path, "is damaged or holds no kept examples; run the record's job again")
        })
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let file = SafeTensors::deserialize(bytes).ok()?;
        let part = |name: &str, kind: Dtype| file.tensor(name).ok().filter(|view| view.dtype() == kind);
        let floats = |name: &str| {
            let view = part(name, Dtype::F32)?;
            let values =
                view.data().chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().expect("4 bytes")));
            Some((view.shape().to_vec(), values.collect::<Vec<f32>>()))
        };
        let integers = |name: &str| {
            let view = part(name, Dtype::I64)?;
            let values =
                view.data().chunks_exact(8).map(|b| i64::from_le_bytes(b.try_into().expect("8 bytes")));
            Some(values.collect::<Vec<i64>>())
        };
        let (shape, images) = floats("images")?;
        let (other_shape, perturbations) = floats("perturbations")?;
        let shape: [usize; 4] = shape.try_into().ok()?;
        let kept =
            Self { shape, images, perturbations, indices: integers("indices")?, labels: integers("labels")? };
        let whole = other_shape == shape && [&kept.indices, &kept.labels].iter().all(|v| v.len() == shape[0]);
        whole.then_some(kept)
    }
}
