//! A study: a folder with many models, their trainings and records, and `study.json`, which says what is compared.
//!
//! ```json
//! {
//!   "format": 1,
//!   "models": [
//!     {"name": "AT", "group": "AT", "checkpoint": "at/final.safetensors", "training": "at",
//!      "records": ["earlier/at-pgd.json"], "numbers": {"clean_error": 0.18}}
//!   ],
//!   "groups": {"AT": {"color": "#1f78b4", "marker": "circle"}},
//!   "measures": [{"name": "test", "job": {"kind": "evaluate", "checkpoint": "", "attack": {"steps": 20}}}]
//! }
//! ```
//!
//! All but `format` and the names may be absent. Paths are relative to the folder. Records lie in
//! `measures/MODEL/MEASURE.json`; records elsewhere in the folder count, too, if they are of a model's checkpoint (by
//! content, else by path), and so do those that `records` lists. `numbers` are those of tables: columns by name.
//! `measures` are jobs without a checkpoint: what every model is to be measured by.

mod digest;
mod entries;
mod export;
mod filter;
mod find;
mod hashes;
pub mod import;
mod index;
mod init;
mod plan;
mod quantities;
mod reader;
mod status;
mod table;
mod thumbnail;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use digest::{Digest, Digested, Kind};
pub use entries::{Entries, OfModel};
pub use export::{TableFormat, write_models, write_records};
pub use filter::{Facts, Filter, FilterError};
pub use find::{Found, find};
pub use hashes::Hashes;
pub use init::{Added, init, usual_measures};
pub use plan::{Planned, job_file_name, missing, seconds};
pub use quantities::{Quantity, Value};
pub use reader::{Look, Reader, Step, index_file};
pub use status::{Row, State, status};
pub use table::{Column, ModelRow, Table};
pub use thumbnail::Thumbnail;

use crate::error::{Error, Result};
use crate::files::{not_json, read_text, write_atomically};
use crate::job::Job;
use crate::record::training::SNAPSHOTS;
use crate::settings::suggestion;

/// Version of the format of `study.json`.
pub const FORMAT: u32 = 1;
/// Name of the file that makes a folder a study.
pub const FILE: &str = "study.json";
/// Folder of the records that a study measures.
pub const MEASURES: &str = "measures";
/// In the folder of measures, the hashes of checkpoints.
const HASHES: &str = "hashes.json";

/// What a study is made of.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Study {
    /// Version of the format, [`FORMAT`].
    pub format: u32,
    /// The models, in the order of tables.
    #[serde(default)]
    pub models: Vec<Model>,
    /// How groups are drawn.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<String, GroupLook>,
    /// What every model is to be measured by.
    #[serde(default)]
    pub measures: Vec<PlannedMeasure>,
}

/// A model of a study.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// What it is called; no two are called alike.
    pub name: String,
    /// Method family.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The checkpoint; absent: there are numbers or records only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<PathBuf>,
    /// The training that it comes from: models of one training are snapshots of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<PathBuf>,
    /// Records that belong to it wherever they come from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<PathBuf>,
    /// Numbers from tables, by the name of their column.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub numbers: BTreeMap<String, f64>,
}

impl Model {
    /// The epoch of a snapshot, from the name of its file: `epoch-0010.safetensors`, `classifier.pth.tar.10`, `epoch=10.ckpt`.
    pub fn epoch(&self) -> Option<u64> {
        let name = self.checkpoint.as_ref().map_or(Path::new(&self.name), |path| path);
        let name = name.file_name()?.to_str()?.to_lowercase();
        let digits = |text: &str| -> Option<u64> {
            let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
            text[..end].parse().ok()
        };
        let after = name.rsplit_once("epoch").map(|(_, rest)| rest.trim_start_matches(['-', '_', '=', ' ']));
        let numbered = || digits(name.rsplit_once('.')?.1.trim()).filter(|_| name.contains(".pt"));
        // Trainings of Basin count their snapshots from 0.
        let path = self.checkpoint.as_deref().unwrap_or(Path::new(""));
        let from_zero = path.parent().and_then(Path::file_name).is_some_and(|folder| folder == SNAPSHOTS);
        let epoch = after.and_then(digits).or_else(numbered)?;
        Some(epoch + u64::from(from_zero))
    }
}

/// How a group is drawn in figures.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupLook {
    /// `#rrggbb`; absent: the next colour of the palette.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    /// `circle`, `square`, `triangle`, `diamond`, `pentagon` or `star`; absent: the next one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}

/// Symbols that a group can have.
pub const MARKERS: [&str; 6] = ["circle", "square", "diamond", "triangle", "pentagon", "star"];

/// A measure by its name in file names and tables.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedMeasure {
    /// Its name: that of its records' files.
    pub name: String,
    /// The job; its checkpoint is replaced by that of each model.
    pub job: Job,
}

impl Study {
    /// Whether a folder is a study.
    pub fn is_at(folder: &Path) -> bool {
        folder.join(FILE).is_file()
    }

    /// Reads the study of a folder.
    ///
    /// # Errors
    /// The folder is no study, or its file is damaged, of a newer version, or names two models or measures alike.
    pub fn load(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        if !path.is_file() {
            if !folder.is_dir() {
                let reason =
                    if folder.exists() { "is a file, not the folder of a study" } else { "does not exist" };
                return Err(Error::file(folder, format!("{reason}; check the path")));
            }
            let remedy = format!("make a study of it with `basin study init {}`", folder.display());
            return Err(Error::file(folder, format!("has no {FILE}, so it is no study; {remedy}")));
        }
        let text = read_text(&path, "a study")?;
        let wrong = |reason: String| Error::file(&path, reason);
        let value: serde_json::Value = serde_json::from_str(&text)
            .map_err(|e| wrong(format!("is no study: it {}; mend it in a text editor, or delete it and make it again with `basin study init`", not_json(&text, &e))))?;
        match value.get("format").and_then(serde_json::Value::as_u64) {
            None => return Err(wrong("is no study: it has no \"format\"; write 1".into())),
            Some(v) if v > u64::from(FORMAT) => {
                return Err(wrong(format!(
                    "was written by a newer Basin (study format {v}, this one reads up to {FORMAT}); update Basin"
                )));
            }
            Some(_) => {}
        }
        let study: Self = serde_json::from_value(value)
            .map_err(|e| wrong(format!("is a damaged study ({e}); mend it in a text editor")))?;
        study.check().map_err(wrong)?;
        Ok(study)
    }

    /// Writes the study into its folder.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn save(&self, folder: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self).expect("a study is plain data") + "\n";
        write_atomically(&folder.join(FILE), text.as_bytes())
    }

    /// No two names that are files alike, and jobs that can be run.
    fn check(&self) -> std::result::Result<(), String> {
        let mut names = BTreeSet::new();
        for model in &self.models {
            if model.name.trim().is_empty() || !names.insert(file_name(&model.name)) {
                return Err(format!("has two models called {:?}, or like it; rename one", model.name));
            }
        }
        for (group, look) in &self.groups {
            let is_color = |text: &String| {
                text.len() == 7 && text.starts_with('#') && text[1..].chars().all(|c| c.is_ascii_hexdigit())
            };
            if let Some(color) = look.color.as_ref().filter(|color| !is_color(color)) {
                return Err(format!("has the colour {color:?} for group {group:?}; write it as \"#1f78b4\""));
            }
            if let Some(marker) = look.marker.as_ref().filter(|marker| !MARKERS.contains(&marker.as_str())) {
                let known = MARKERS.join(", ");
                return Err(format!("has the marker {marker:?} for group {group:?}; use {known}"));
            }
        }
        let mut names = BTreeSet::new();
        for measure in &self.measures {
            if measure.name.trim().is_empty() || !names.insert(file_name(&measure.name)) {
                return Err(format!("has two measures called {:?}, or like it; rename one", measure.name));
            }
            if matches!(measure.job, Job::Train(_)) {
                return Err(format!("has a training as measure {:?}; use basin train", measure.name));
            }
            measure
                .job
                .check()
                .map_err(|e| format!("has a measure {:?} that cannot be run: {e}", measure.name))?;
        }
        Ok(())
    }

    /// The model of a name.
    ///
    /// # Errors
    /// There is none; the message has the nearest.
    pub fn model(&self, name: &str) -> Result<&Model> {
        self.models.iter().find(|model| model.name == name).ok_or_else(|| {
            let known: Vec<String> = self.models.iter().map(|model| model.name.clone()).collect();
            Error::invalid(format!("the study has no model {name:?}{}", suggestion(name, &known)))
        })
    }
}

/// A name as that of a file or folder: letters, digits, dots, dashes and underscores.
pub fn file_name(name: &str) -> String {
    let kept = |c: char| if c.is_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '-' };
    let text: String = name.trim().chars().map(kept).collect();
    // A leading dot would hide it.
    if text.starts_with('.') { format!("_{text}") } else { text }
}
