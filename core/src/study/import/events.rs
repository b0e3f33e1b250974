//! Event logs of trainings as CSV: `tag,step,value`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::pickle::Pickle;

/// The logs of an experiment in a folder: `…/NAME/logs/<time>/events.pkl`, sorted.
pub fn find(folder: &Path, name: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(folder, name, 8, &mut found);
    found.sort();
    found
}

fn collect(folder: &Path, name: &str, depth: usize, found: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()).filter(|path| path.is_dir()) {
        let logs = path.join("logs");
        if path.file_name().is_some_and(|file| file == name) && logs.is_dir() {
            let times = std::fs::read_dir(&logs).into_iter().flatten().flatten();
            found.extend(times.map(|time| time.path().join("events.pkl")).filter(|file| file.is_file()));
        } else if depth > 0 {
            collect(&path, name, depth - 1, found);
        }
    }
}

/// The scalars of a log, one after the other as they were written: appended pickles, each a dictionary of lists of step
/// and value. Texts and histograms are left out.
///
/// # Errors
/// The file cannot be read, or is no log.
pub fn scalars(file: &Path) -> Result<Vec<(String, i64, f64)>> {
    let bytes = std::fs::read(file).map_err(|e| Error::io("cannot read", file, e))?;
    let (mut from, mut all) = (0, Vec::new());
    while from < bytes.len() {
        let pickle = match Pickle::parse(&bytes[from..]) {
            Ok(pickle) => pickle,
            // The end of a log that was being written.
            Err(fault) if fault.ends_early && !all.is_empty() => break,
            Err(fault) => {
                let reason =
                    format!("is no event log of the paper's program ({}); copy it again", fault.reason);
                return Err(Error::file(file, reason));
            }
        };
        for (tag, list) in pickle.entries(pickle.root()).unwrap_or_default() {
            let Some(tag) = pickle.content(tag).map(|text| String::from_utf8_lossy(&text).into_owned())
            else {
                continue;
            };
            for pair in pickle.items(list).unwrap_or_default() {
                let Some(&[step, value]) = pickle.items(*pair) else { continue };
                if let (Some(step), Some(value)) = (pickle.number_of(step), pickle.float_of(value)) {
                    all.push((tag.clone(), step, value));
                }
            }
        }
        from += pickle.len().max(1);
    }
    Ok(all)
}

/// The scalars as text.
pub fn csv(scalars: &[(String, i64, f64)]) -> String {
    let mut text = String::from("tag,step,value\n");
    for (tag, step, value) in scalars {
        let value = if value.is_finite() { value.to_string() } else { String::new() };
        let _ = writeln!(text, "{tag},{step},{value}");
    }
    text
}
