//! A checkpoint with what is assumed of it: `file.pt::weights=ema`.
//!
//! Wherever a checkpoint is named (options, jobs, records, the window), what was chosen goes with its path, so that
//! two networks of one file are two checkpoints with records of their own.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
use crate::model::{Choices, InputNormalization};

/// What stands between the path and what is assumed.
const MARK: &str = "::";

/// What is assumed where a file leaves it open.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Assumptions {
    /// Which of several networks of a file is meant.
    pub weights: Option<String>,
    /// How images are normalized.
    pub normalization: Option<InputNormalization>,
    /// What keys and shapes leave open.
    pub choices: Choices,
    /// Height and width of images, of a network that takes any.
    pub resolution: Option<i64>,
}

/// What can be assumed.
const USAGE: &str = "use weights=NAME, normalization=NAME or MEAN,…/STD,…, shortcut=plain, activated, none or padded, activation=NAME, \
                     pooling=none or max, resolution=PIXELS";

impl Assumptions {
    /// Reads `weights=NAME,normalization=cifar10,…`.
    ///
    /// # Errors
    /// Something else is to be assumed; one sentence with the remedy.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut found = Self::default();
        let mut parts: Vec<String> = Vec::new();
        for part in text.split(',') {
            // Means and deviations are separated by commas, too.
            match parts.last_mut() {
                Some(before) if !part.contains('=') => *before += &format!(",{part}"),
                _ => parts.push(part.to_owned()),
            }
        }
        for part in parts {
            let wrong = || format!("{part:?} cannot be assumed; {USAGE}");
            let (what, value) = part.split_once('=').ok_or_else(wrong)?;
            if value.is_empty() {
                return Err(wrong());
            }
            match what.trim() {
                "weights" => found.weights = Some(value.to_owned()),
                "normalization" => found.normalization = Some(InputNormalization::parse(value)?),
                "shortcut" => found.choices.shortcut = Some(named(value).ok_or_else(wrong)?),
                "pooling" => found.choices.pooling = Some(named(value).ok_or_else(wrong)?),
                "activation" => {
                    let name = if value == "swish" { "silu" } else { value };
                    found.choices.activation = Some(named(name).ok_or_else(wrong)?);
                }
                "resolution" => {
                    let side = value.parse().ok().filter(|side| (1..=4096).contains(side));
                    found.resolution = Some(side.ok_or_else(wrong)?);
                }
                _ => return Err(wrong()),
            }
        }
        Ok(found)
    }

    /// As [`Assumptions::parse`] reads it; empty where nothing is assumed.
    pub fn text(&self) -> String {
        let Self { weights, normalization, choices: Choices { shortcut, activation, pooling }, resolution } =
            self;
        let parts = [
            weights.as_ref().map(|name| format!("weights={name}")),
            normalization.as_ref().map(|normalization| format!("normalization={normalization}")),
            shortcut.map(|shortcut| format!("shortcut={}", serde_name(&shortcut))),
            activation.map(|activation| format!("activation={}", serde_name(&activation))),
            pooling.map(|pooling| format!("pooling={}", serde_name(&pooling))),
            resolution.map(|side| format!("resolution={side}")),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(",")
    }

    /// As it stands behind a path; empty where nothing is assumed.
    pub fn suffix(&self) -> String {
        let text = self.text();
        if text.is_empty() { text } else { format!("{MARK}{text}") }
    }
}

/// The value that serde reads from this name.
fn named<T: DeserializeOwned>(name: &str) -> Option<T> {
    serde_json::from_value(name.into()).ok()
}

/// The name that serde gives a value.
fn serde_name<T: Serialize>(value: &T) -> String {
    let value = serde_json::to_value(value).ok();
    value.and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
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

/// What the bundled checkpoint is called in jobs and on the command line.
pub const BUNDLED: &str = "bundled";

/// Whether a path means the bundled checkpoint: a file of that name comes first.
pub fn is_bundled(path: &Path) -> bool {
    path.as_os_str() == BUNDLED && !path.exists()
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
