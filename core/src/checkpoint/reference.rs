//! A checkpoint with what is assumed of it: `file.pt::weights=ema`.
//!
//! Wherever a checkpoint is named (options, jobs, records, the window), what was chosen goes with its path, so that
//! two networks of one file are two checkpoints with records of their own.

use std::path::{Path, PathBuf};

use super::is_bundled;
use crate::error::{Error, Result};

/// What stands between the path and what is assumed.
const MARK: &str = "::";

/// What is assumed where a file leaves it open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Assumptions {
    /// Which of several networks of a file is meant.
    pub weights: Option<String>,
}

impl Assumptions {
    /// Reads `weights=NAME`.
    ///
    /// # Errors
    /// Something else is to be assumed; one sentence with the remedy.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut found = Self::default();
        for part in text.split(',') {
            match part.split_once('=') {
                Some(("weights", name)) if !name.is_empty() => found.weights = Some(name.to_owned()),
                _ => {
                    return Err(format!(
                        "{part:?} cannot be assumed; use weights=NAME, with a name that inspect shows"
                    ));
                }
            }
        }
        Ok(found)
    }

    /// As it stands behind a path; empty where nothing is assumed.
    pub fn suffix(&self) -> String {
        self.weights.as_ref().map_or_else(String::new, |name| format!("{MARK}weights={name}"))
    }
}

/// The checkpoint at `path` with what is assumed of it.
pub fn assuming(path: &Path, assumed: &Assumptions) -> PathBuf {
    let mut whole = split(path).map_or_else(|_| path.to_owned(), |(file, _)| file).into_os_string();
    whole.push(assumed.suffix());
    whole.into()
}

/// File and assumptions of a checkpoint; a file that has the whole text as its name comes first.
///
/// # Errors
/// What follows the path cannot be assumed.
pub fn split(path: &Path) -> Result<(PathBuf, Assumptions)> {
    let Some((file, assumed)) = cut(path).filter(|_| !path.exists()) else {
        return Ok((path.to_owned(), Assumptions::default()));
    };
    let assumed = Assumptions::parse(&assumed)
        .map_err(|reason| Error::invalid(format!("{}: {reason}", file.display())))?;
    Ok((file, assumed))
}

/// Whether the file of a checkpoint is there, or it is the bundled one.
pub fn is_there(path: &Path) -> bool {
    is_bundled(path) || split(path).is_ok_and(|(file, _)| file.is_file())
}

/// What stands before and behind the last mark.
#[cfg(unix)]
fn cut(path: &Path) -> Option<(PathBuf, String)> {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let bytes = path.as_os_str().as_bytes();
    let at = bytes.windows(MARK.len()).rposition(|window| window == MARK.as_bytes())?;
    let assumed = std::str::from_utf8(&bytes[at + MARK.len()..]).ok()?;
    Some((OsStr::from_bytes(&bytes[..at]).into(), assumed.to_owned()))
}

#[cfg(not(unix))]
fn cut(path: &Path) -> Option<(PathBuf, String)> {
    let (file, assumed) = path.to_str()?.rsplit_once(MARK)?;
    Some((file.into(), assumed.to_owned()))
}
