//! Perturbed networks in files beside a record.

use std::path::{Path, PathBuf};

use tch::{Device, Kind};

use crate::checkpoint;
use crate::error::{Error, Result};
use crate::measure::{Context, KeptExamples, NetworkStore};
use crate::model::{Network, Weights};
use crate::record::{network_file, network_folder};

/// The folder of networks beside a record.
pub struct NetworkFolder {
    record: PathBuf,
}

impl NetworkFolder {
    /// Beside the record at `record`.
    pub fn beside(record: &Path) -> Self {
        Self { record: record.to_owned() }
    }

    fn folder(&self) -> PathBuf {
        network_folder(&self.record)
    }

    /// A file in the folder, which is made if it is not there.
    fn path(&self, file: &str) -> Result<PathBuf> {
        let folder = self.folder();
        std::fs::create_dir_all(&folder).map_err(|e| Error::io("cannot create", &folder, e))?;
        network_file(&self.record, file)
            .ok_or_else(|| Error::invalid(format!("{file:?} is no name of a file")))
    }
}

impl NetworkStore for NetworkFolder {
    fn file(&self, name: &str) -> String {
        let folder = self.folder();
        format!("{}/{name}", folder.file_name().unwrap_or_default().to_string_lossy())
    }

    fn place(&self) -> String {
        self.folder().display().to_string()
    }

    fn has(&self, file: &str) -> bool {
        network_file(&self.record, file).is_some_and(|path| path.is_file())
    }

    fn keep_network(&self, file: &str, weights: &Weights, context: &Context) -> Result<()> {
        let checkpoint = &context.checkpoint;
        let kept = Network { weights: weights.to(Device::Cpu, Kind::Float), ..checkpoint.network.copy() };
        checkpoint::save(&self.path(file)?, &kept, checkpoint.summary.epoch)
    }

    fn keep_examples(&self, file: &str, perturbations: Vec<f32>, context: &Context) -> Result<()> {
        KeptExamples::of(&context.dataset, perturbations, Vec::new())?.save(&self.path(file)?)
    }
}
