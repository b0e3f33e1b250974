//! Where the window keeps records: in a folder beside the checkpoint, or, where that cannot be written,
//! in the user's data folder.

use std::path::{Path, PathBuf};

use basin_core::Error;
use basin_core::checkpoint::{bundled_path, is_bundled};
use basin_core::job::Job;

/// The file for the record of `job`; the same job gets the same file, so that a cancelled one goes on.
/// Creates the folder.
///
/// # Errors
/// No folder can be written.
pub fn record_path(job: &Job) -> Result<PathBuf, Error> {
    let mut refusal = None;
    let checkpoint =
        job.checkpoint().ok_or_else(|| Error::invalid("a training needs a folder; choose one"))?;
    for folder in folders(checkpoint) {
        match make_writable(&folder) {
            Ok(()) => return Ok(folder.join(file_name(job))),
            Err(error) => refusal = Some(Error::io("cannot write records to", &folder, error)),
        }
    }
    Err(refusal.unwrap_or_else(|| Error::invalid("there is no folder to keep records in")))
}

/// Every record file of a checkpoint, in the order of their names.
pub fn records_of(checkpoint: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = folders(checkpoint)
        .into_iter()
        .filter_map(|folder| std::fs::read_dir(folder).ok())
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect();
    found.sort();
    found
}

/// Where records of a checkpoint may be, the preferred folder first.
fn folders(checkpoint: &Path) -> Vec<PathBuf> {
    if is_bundled(checkpoint) {
        // It lies in the user's data folder already, or in a temporary one.
        return bundled_path().map(|file| beside(&file)).into_iter().collect();
    }
    let name = checkpoint.file_name().unwrap_or_default().to_string_lossy();
    let absolute = std::path::absolute(checkpoint).unwrap_or_else(|_| checkpoint.to_owned());
    let key = fingerprint(&absolute.to_string_lossy());
    let data = eframe::storage_dir("basin")
        .map(|data| data.join("records").join(format!("{}-{key:08x}", name.replace("::", "-"))));
    std::iter::once(beside(checkpoint)).chain(data).collect()
}

fn beside(checkpoint: &Path) -> PathBuf {
    let name = checkpoint.file_name().unwrap_or_default().to_string_lossy();
    // A network that was chosen of a file, `file.pt::weights=ema`, has a folder of its own.
    checkpoint.with_file_name(format!("{}.basin", name.replace("::", "-")))
}

/// Creates the folder and a file in it, to be sure.
fn make_writable(folder: &Path) -> std::io::Result<()> {
    let existed = folder.is_dir();
    std::fs::create_dir_all(folder)?;
    let tried = tempfile::Builder::new().prefix(".basin-").tempfile_in(folder);
    if tried.is_err() && !existed {
        let _ = std::fs::remove_dir(folder);
    }
    tried.map(drop)
}

/// e.g. `landscape-2d-robust-9f86d081.json`.
fn file_name(job: &Job) -> String {
    let what = job.summary().stem;
    let asked = serde_json::to_string(job).unwrap_or_default();
    format!("{what}-{:08x}.json", fingerprint(&asked))
}

/// FNV-1a, folded to 32 bits: stable between versions, short enough for a file name.
fn fingerprint(text: &str) -> u32 {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    (hash ^ (hash >> 32)) as u32
}
