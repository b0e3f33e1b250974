//! Networks that are kept beside a record (perturbed ones, eigenvectors), in the folder `<record>.networks`.

use std::path::{Path, PathBuf};

use super::Outcome;

/// The folder of the networks of the record at `record`.
pub fn network_folder(record: &Path) -> PathBuf {
    let mut name = record.file_name().unwrap_or_default().to_owned();
    name.push(".networks");
    record.with_file_name(name)
}

/// Where a file is that the record at `record` names; none: that is no name. A record does not point elsewhere than into
/// its own folder.
pub fn network_file(record: &Path, name: &str) -> Option<PathBuf> {
    Some(network_folder(record).join(Path::new(name).file_name()?))
}

impl Outcome {
    /// The files in the folder of networks, as the record names them.
    pub fn network_files(&self) -> Vec<&str> {
        match self {
            Self::Flatness(outcome) => {
                let files =
                    outcome.networks.iter().flat_map(|kept| kept.examples.iter().chain([&kept.network]));
                files.map(String::as_str).collect()
            }
            Self::Hessian(outcome) => outcome.eigenvectors.iter().map(String::as_str).collect(),
            _ => Vec::new(),
        }
    }
}
