//! Perturbed networks kept beside a record, in the folder `<record>.networks`.

use std::path::{Path, PathBuf};

use super::KeptNetwork;

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
