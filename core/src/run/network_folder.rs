//! Perturbed networks in files beside a record.

use std::path::{Path, PathBuf};

use tch::{Device, Kind};

use crate::checkpoint;
use crate::error::{Error, Result};
use crate::measure::{Context, KeptExamples, NetworkStore};
use crate::model::{Network, Weights};
use crate::record::KeptNetwork;

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
        KeptNetwork::folder_beside(&self.record)
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

    fn has(&self, network: &KeptNetwork) -> bool {
        network.paths(&self.record).iter().all(|path| path.is_file())
    }

    fn keep(
        &self,
        network: &KeptNetwork,
        weights: &Weights,
        perturbations: Option<Vec<f32>>,
        context: &Context,
    ) -> Result<()> {
        let folder = self.folder();
        std::fs::create_dir_all(&folder).map_err(|e| Error::io("cannot create", &folder, e))?;
        let checkpoint = &context.checkpoint;
        let kept = Network { weights: weights.to(Device::Cpu, Kind::Float), ..checkpoint.network.copy() };
        let paths = network.paths(&self.record);
        checkpoint::save(&paths[0], &kept, checkpoint.summary.epoch)?;
        if let (Some(path), Some(perturbations)) = (paths.get(1), perturbations) {
            KeptExamples::of(&context.dataset, perturbations, Vec::new())?.save(path)?;
        }
        Ok(())
    }
}
