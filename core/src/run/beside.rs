//! A record and the files beside it, written.

use std::path::Path;

use super::driver::Driven;
use super::earlier;
use crate::error::{Error, Result};
use crate::files::is_special;
use crate::job::{Job, Keeps};
use crate::record::{FORMAT, KeptExamples, KeptLosses, Outcome, Probabilities, Provenance, Record};

/// The record of a job, written to `out` with what is kept beside it, if there is a place; `replaced`: the record that was
/// there.
///
/// # Errors
/// A file cannot be written.
pub fn save(
    job: &Job,
    driven: Driven,
    mut provenance: Provenance,
    out: Option<&Path>,
    replaced: Option<&Record>,
) -> Result<Record> {
    let Driven { assembled, kept, complete } = driven;
    provenance.complete = complete;
    provenance.search_cost = assembled.search_cost;
    provenance.warnings.extend(assembled.warnings);
    let mut record =
        Record { format: FORMAT, job: job.clone(), provenance, outcome: assembled.outcome, examples: None };
    let Some(out) = out else { return Ok(record) };
    if let Some(examples) = &kept.examples {
        let path = KeptExamples::path_beside(out);
        examples.save(&path)?;
        record.examples = name_of(&path);
    }
    if let (Some(probabilities), Outcome::Evaluate(outcome)) = (&kept.probabilities, &mut record.outcome) {
        let path = Probabilities::path_beside(out);
        probabilities.save(&path)?;
        outcome.probabilities = name_of(&path);
    }
    if let (Some(losses), Outcome::Flatness(outcome), false) =
        (&kept.losses, &mut record.outcome, is_special(out))
    {
        let path = KeptLosses::path_beside(out);
        losses.save(&path)?;
        outcome.losses = name_of(&path);
    }
    record.save(out)?;
    if let Some(replaced) = replaced {
        earlier::remove_files(replaced, &record, out);
    }
    Ok(record)
}

fn name_of(path: &Path) -> Option<String> {
    path.file_name().map(|name| name.to_string_lossy().into_owned())
}

/// Checks that what a job keeps beside its record has a place there.
///
/// # Errors
/// Adversarial examples, probabilities or networks are to be kept, and `out` is none or no plain file.
pub fn check_out(job: &Job, out: Option<&Path>) -> Result<()> {
    let (what, option) = match job.keeps() {
        None => return Ok(()),
        Some(Keeps::Examples) => ("examples are kept in a file", "--keep-examples"),
        Some(Keeps::Networks) => ("networks are kept in a folder", "--keep-networks"),
        Some(Keeps::Eigenvectors) => ("eigenvectors are kept in a folder", "--keep-eigenvectors"),
        Some(Keeps::Probabilities) => ("probabilities are kept in a file", "--keep-probabilities"),
    };
    match out {
        Some(out) if !is_special(out) => Ok(()),
        _ => Err(Error::invalid(format!(
            "{what} beside the record; add --out RECORD.json, or leave out {option}"
        ))),
    }
}
