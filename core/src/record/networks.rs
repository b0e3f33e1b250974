//! Perturbed networks kept beside a record, in the folder `<record>.networks`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// One perturbed network of a flatness measure, in files named relative to the record's folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptNetwork {
    /// The tensor that alone is perturbed; none: all that take part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<String>,
    /// The radius.
    pub radius: f64,
    /// Number of the draw.
    pub draw: usize,
    /// The network, a checkpoint.
    pub network: String,
    /// The images and what the attack adds to them there, as [`super::KeptExamples`]; in the worst case of the robust
    /// loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub examples: Option<String>,
}

impl KeptNetwork {
    /// The folder of the networks of the record at `record`.
    pub fn folder_beside(record: &Path) -> PathBuf {
        let mut name = record.file_name().unwrap_or_default().to_owned();
        name.push(".networks");
        record.with_file_name(name)
    }

    /// Where its files are, given the record's path. A record does not point elsewhere than into its own folder.
    pub fn paths(&self, record: &Path) -> Vec<PathBuf> {
        let folder = Self::folder_beside(record);
        let names = std::iter::once(&self.network).chain(&self.examples);
        names.filter_map(|name| Path::new(name).file_name()).map(|name| folder.join(name)).collect()
    }
}
