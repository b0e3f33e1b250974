//! Opening a landscape that another program computed.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::measure::Summary;

/// Reads a landscape from a file of another program (see [`crate::exchange`]). Nothing is computed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Import {
    /// The file.
    #[serde(with = "crate::files::as_text")]
    #[schemars(with = "String")]
    pub file: PathBuf,
}

impl Import {
    /// What it is, in words.
    pub(super) fn summary(&self) -> Summary {
        let file = self.file.file_name().unwrap_or(self.file.as_os_str()).to_string_lossy().into_owned();
        Summary {
            title: "Imported landscape".into(),
            details: vec![format!("from {file}")],
            stem: "import".into(),
        }
    }
}
