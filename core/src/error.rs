//! What can go wrong, in words a user can act on: each message names the path or value and the remedy.

use std::path::{Path, PathBuf};

use crate::progress::Cancelled;

/// Result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error a caller can act on. One sentence, no backtrace needed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read or written.
    #[error("{action} {path}: {cause}")]
    Io {
        /// What was attempted, e.g. `cannot read`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        cause: std::io::Error,
    },
    /// A file is not what it should be (empty, truncated, HTML, another format).
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A setting, or a combination of settings, that makes no sense.
    #[error("{reason}")]
    Invalid {
        /// Which setting of the job, e.g. `attack.epsilon`; empty: several together.
        setting: String,
        /// What is wrong and what to use instead.
        reason: String,
    },
    /// A loss, gradient or weight became NaN or infinite.
    #[error("{0}")]
    NotFinite(String),
    /// libtorch refused an operation.
    #[error("libtorch: {0}")]
    Torch(String),
    /// The user stopped the job; what was finished is kept.
    #[error("cancelled")]
    Cancelled,
}

impl Error {
    /// An input/output error with its path.
    pub fn io(action: &'static str, path: &Path, cause: std::io::Error) -> Self {
        Self::Io { action, path: path.to_owned(), cause }
    }

    /// A file whose content is not usable, with the reason and the remedy.
    pub fn file(path: &Path, reason: impl Into<String>) -> Self {
        Self::File { path: path.to_owned(), reason: reason.into() }
    }

    /// Says in which part of the work a number became NaN or infinite; any other error stays as it is.
    pub fn in_stage(self, stage: &str) -> Self {
        match self {
            Self::NotFinite(reason) => Self::NotFinite(format!("{stage}: {reason}")),
            other => other,
        }
    }

    /// A setting that cannot be used.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid { setting: String::new(), reason: message.into() }
    }

    /// Says which setting is wrong, or in which group it is; errors of other kinds stay as they are.
    pub fn about(self, path: &str) -> Self {
        match self {
            Self::Invalid { setting, reason } if setting.is_empty() => {
                Self::Invalid { setting: path.to_owned(), reason }
            }
            Self::Invalid { setting, reason } => {
                Self::Invalid { setting: format!("{path}.{setting}"), reason }
            }
            other => other,
        }
    }

    /// The setting that is wrong, if it is one.
    pub fn setting(&self) -> Option<&str> {
        match self {
            Self::Invalid { setting, .. } if !setting.is_empty() => Some(setting),
            _ => None,
        }
    }
}

impl From<Cancelled> for Error {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

impl From<tch::TchError> for Error {
    fn from(error: tch::TchError) -> Self {
        // libtorch appends its C++ stack; the first line says what happened.
        let text = error.to_string();
        Self::Torch(text.lines().next().unwrap_or("unknown error").to_owned())
    }
}
