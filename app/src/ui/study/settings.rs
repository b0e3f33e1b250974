//! What of the table of a study is remembered between starts.

use serde::{Deserialize, Serialize};

use crate::study::Sort;

/// What of the table is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct StudySettings {
    /// Columns that are shown although they usually are not.
    pub shown: Vec<String>,
    /// Columns that are not shown although they usually are.
    pub hidden: Vec<String>,
    /// Order of the rows.
    pub sort: Option<Sort>,
}
