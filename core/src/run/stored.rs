//! Adversarial examples of an earlier record, read.

use std::path::Path;

use crate::checkpoint::hash_file;
use crate::error::{Error, Result};
use crate::job::Job;
use crate::record::{ExampleSource, KeptExamples, Outcome, Record};

/// Whether the stored examples that a record was measured on are still the same.
pub fn is_unchanged(record: &Record) -> bool {
    let (Job::Evaluate(job), Outcome::Evaluate(outcome)) = (&record.job, &record.outcome) else {
        return true;
    };
    let (Some(path), Some(source)) = (&job.adversarial, &outcome.source) else { return true };
    read(path).is_ok_and(|(_, now)| now.hash == source.hash)
}

/// The examples of a record, or of a file of examples, and where they come from.
///
/// # Errors
/// The file cannot be read, or the record kept none.
pub fn read(path: &Path) -> Result<(KeptExamples, ExampleSource)> {
    if path.extension().is_some_and(|ending| ending == "safetensors") {
        let kept = KeptExamples::load(path)?;
        let source =
            ExampleSource { hash: hash_file(path)?, attempts: kept.count(), ..ExampleSource::default() };
        return Ok((kept, source));
    }
    let record = Record::load(path)?;
    let Some(kept) = record.load_examples(path)? else {
        return Err(Error::file(
            path,
            "kept no adversarial examples; run its job again with --keep-examples or --keep-attempts",
        ));
    };
    let name = record.examples.as_deref().unwrap_or_default();
    let attack = match &record.job {
        Job::Evaluate(job) => Some(job.attacks().map(ToString::to_string).collect::<Vec<_>>().join(" and ")),
        Job::Attack(job) => Some(job.attack.to_string()),
        _ => None,
    };
    let earlier = match record.outcome {
        Outcome::Evaluate(outcome) => outcome.source,
        _ => None,
    };
    // Kept again from stored ones, they are still of the network that was attacked.
    let known = earlier.unwrap_or(ExampleSource {
        checkpoint: record.job.checkpoint().map(|path| path.to_string_lossy().into_owned().into()),
        checkpoint_hash: Some(record.provenance.checkpoint_hash).filter(|hash| !hash.is_empty()),
        attack: attack.filter(|words| !words.is_empty()),
        ..ExampleSource::default()
    });
    let hash = hash_file(&path.with_file_name(name))?;
    let attempts = kept.count();
    Ok((kept, ExampleSource { hash, attempts, ..known }))
}
