//! Eigenvectors that are kept beside the numbers.

use super::lanczos::Eigenpairs;
use super::products::Curvature;
use super::settings::Hessian;
use crate::error::Result;
use crate::measure::context::{Context, NetworkStore, size_of_kept};
use crate::model::Weights;

/// Keeps the unit eigenvectors of a job, each as a file with the tensors of the network; tensors that the matrix is not of
/// are 0.
pub struct Keeper<'a> {
    job: &'a Hessian,
    context: &'a Context,
    network_store: &'a dyn NetworkStore,
}

impl<'a> Keeper<'a> {
    /// None if the job keeps no eigenvectors, or there is no place for them.
    pub fn new(job: &'a Hessian, context: &'a Context) -> Option<Self> {
        let network_store = context.network_store.as_deref().filter(|_| job.keep_eigenvectors)?;
        Some(Self { job, context, network_store })
    }

    /// A sentence about the size of the files, if they are large.
    pub fn size(&self) -> Option<String> {
        let bytes = 4 * self.context.checkpoint.network.layout().len as u64;
        let count = self.job.top + self.job.bottom;
        size_of_kept("eigenvectors", count, bytes, self.network_store)
    }

    /// The files of so many eigenvectors of the largest and of the smallest eigenvalues, as a record names them.
    pub fn files(&self, largest: usize, smallest: usize) -> Vec<String> {
        let of = |end: &str, number: usize| {
            self.network_store.file(&format!("eigenvector-{end}-{number}.safetensors"))
        };
        let largest = (1..=largest).map(|number| of("largest", number));
        largest.chain((1..=smallest).map(|number| of("smallest", number))).collect()
    }

    /// Whether a file is there.
    pub fn has(&self, file: &str) -> bool {
        self.network_store.has(file)
    }

    /// Keeps all vectors.
    ///
    /// # Errors
    /// They cannot be written, e.g. because the disk is full.
    pub fn save(&self, curvature: &Curvature, found: &Eigenpairs) -> Result<()> {
        let files = self.files(found.largest.len(), found.smallest.len());
        for (row, file) in files.iter().enumerate() {
            let flat = curvature.expand(&found.vectors.get(row as i64));
            let vector = Weights::from_flat(self.context.checkpoint.network.layout().clone(), flat);
            self.network_store.keep_network(file, &vector, self.context)?;
        }
        Ok(())
    }
}
