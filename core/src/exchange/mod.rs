//! Landscapes in files of other programs: reading and writing.
//!
//! | file | layout |
//! | --- | --- |
//! | HDF5 | of [loss-landscape](https://github.com/tomgoldstein/loss-landscape), read and written; of the paper's program, read |
//! | NPZ | Basin's own, read and written; of Landscaper, read |
//! | CSV | a row per grid point: x, y, loss, error; read |

mod csv;
mod hdf5;
mod npz;
mod table;

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::checkpoint::hash_file;
use crate::error::{Error, Result};
use crate::measure::landscape::LandscapeOutcome;
pub use hdf5::hdf5;
pub use npz::npz;

/// Endings of files that hold landscapes, lower case.
pub const ENDINGS: [&str; 4] = ["h5", "hdf5", "npz", "csv"];

/// What a landscape of another program was read from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Imported {
    /// Name of the file.
    pub file: String,
    /// Which program's files are so, e.g. `HDF5 of loss-landscape`.
    pub layout: String,
    /// SHA-256 of the file, hex.
    pub hash: String,
}

/// A landscape of another program.
#[derive(Debug, Clone, PartialEq)]
pub struct Landscape {
    /// Its numbers.
    pub outcome: LandscapeOutcome,
    /// Where they come from.
    pub imported: Imported,
    /// What the user should know about them.
    pub warnings: Vec<String>,
}

/// Whether a file's name is that of a landscape of another program.
pub fn is_named_so(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or("");
    ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known))
}

/// Reads a landscape of another program, by its name's ending.
///
/// # Errors
/// The file cannot be read, or holds no landscape; one sentence says what it lacks.
pub fn read(path: &Path) -> Result<Landscape> {
    if path.is_dir() {
        return Err(Error::file(path, "is a folder, not a landscape; give a file"));
    }
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::file(path, "does not exist; check the path"),
        _ => Error::io("cannot read", path, error),
    };
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or("").to_ascii_lowercase();
    let table = match ending.as_str() {
        "npz" => npz::read(&std::fs::read(path).map_err(failed)?),
        "csv" => csv::read(&std::fs::read(path).map_err(failed)?),
        _ => {
            // A data set in HDF5 may be larger than the memory.
            std::fs::File::open(path).map_err(failed)?;
            hdf5::read(path)
        }
    };
    let wrong = |reason: String| Error::file(path, reason);
    let table = table.map_err(wrong)?;
    let (layout, mut warnings) = (table.layout.to_owned(), table.warnings.clone());
    let (outcome, missing) = table.outcome().map_err(wrong)?;
    warnings.extend(missing);
    let hash = hash_file(path)?;
    let file = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    Ok(Landscape { outcome, imported: Imported { file, layout, hash }, warnings })
}
