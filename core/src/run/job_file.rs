//! Jobs from files: a job, the job of a record, or that of a training's folder.

use std::path::Path;

use serde_json::Value;

use crate::error::{Error, Result};
use crate::files::{is_empty_folder, not_json, read_text};
use crate::job::Job;
use crate::record::{Record, training};
use crate::settings::{read, suggestion, unknown};

const EXAMPLE: &str =
    "see the \"job\" of any record, or `basin train --preset NAME --dry-run`, for an example";

/// Reads a job file, the job of a record, or that of a training's folder. Settings that are not given have their
/// defaults.
///
/// # Errors
/// The file cannot be read, is neither, or has a setting that no such job has.
pub fn read_job(path: &Path) -> Result<Job> {
    let file = path.join(training::JOB);
    if path.is_dir() && !file.is_file() {
        let remedy = match is_empty_folder(path) {
            true => format!(
                "begin a training in it with `basin train --preset NAME --out {}`, or give a job file",
                path.display()
            ),
            false => "give the folder of a training, or a job file".to_owned(),
        };
        return Err(training::not_a_training(path, &remedy));
    }
    let is_folder = path.is_dir();
    let path = if is_folder { &file } else { path };
    let text = read_text(path, "a job or record")?;
    let wrong = |reason: String| Error::file(path, format!("{reason}; {EXAMPLE}"));
    let value: Value = serde_json::from_str(&text)
        .map_err(|e| wrong(format!("is neither job nor record: it {}", not_json(&text, &e))))?;
    if value.get("format").is_some() {
        return Ok(Record::parse(&text).map_err(|reason| Error::file(path, reason))?.job);
    }
    if !value.is_object() {
        return Err(wrong("is no job: it is JSON, but no group of settings".into()));
    }
    let value = if is_folder { training::as_written_earlier(value) } else { value };
    let job: Job =
        read(value.clone()).map_err(|sentence| wrong(format!("is no job that can be run: {sentence}")))?;
    // A setting with a slip in its name would silently keep its default.
    match unknown(&value, &serde_json::to_value(&job).expect("a job is plain data")) {
        Some((name, known)) => {
            Err(wrong(format!("has a setting {name:?} that no such job has{}", suggestion(&name, &known))))
        }
        None => Ok(job),
    }
}
