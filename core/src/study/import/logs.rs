//! Trainings of robust_overfitting (Rice et al. 2020), AT-AWP (Wu et al. 2020) and programs after them: `output.log` with a
//! row of numbers for each epoch, and `model_N.pth`, `model_best.pth` beside it.
//!
//! Rows are told by the line of names before them, `Epoch`, …, `Test Robust Acc`, between tabs; epochs count from 0.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::imported::{Imported, stored};
use crate::error::{Error, Result};
use crate::files::read_text;
use crate::study::{FORMAT, Model, Study, file_name};

/// The log of a training.
const LOG: &str = "output.log";
/// What stands before each line: `[2020/01/31 12:00:00] - `.
const AFTER_TIME: &str = "] - ";
/// Folders are looked into so deep.
const DEPTH: usize = 8;
/// Columns and keys of checkpoints, what they are called here, and whether they are accuracies.
const NUMBERS: [(&str, &str, &str, bool); 8] = [
    ("test loss", "test_loss", "clean_loss", false),
    ("test acc", "test_acc", "clean_error", true),
    ("test robust loss", "test_robust_loss", "robust_loss", false),
    ("test robust acc", "test_robust_acc", "robust_error", true),
    ("train loss", "train_loss", "train_clean_loss", false),
    ("train acc", "train_acc", "train_clean_error", true),
    ("train robust loss", "train_robust_loss", "train_robust_loss", false),
    ("train robust acc", "train_robust_acc", "train_robust_error", true),
];

type Numbers = BTreeMap<String, f64>;

/// Logs of trainings below a folder, sorted.
pub fn find(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    collect(folder, DEPTH, &mut found)?;
    found.sort();
    Ok(found)
}

fn collect(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<()> {
    let entries = std::fs::read_dir(folder).map_err(|e| Error::io("cannot read", folder, e))?;
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() && depth > 0 {
            collect(&path, depth - 1, found)?;
        } else if path.ends_with(LOG) && read_text(&path, "a log").is_ok_and(|text| !epochs(&text).is_empty())
        {
            found.push(path);
        }
    }
    Ok(())
}

/// The trainings of these logs as models: a model for each checkpoint, and the last epoch in any case.
///
/// # Errors
/// A log or its folder cannot be read.
pub fn trainings(logs: &[PathBuf], out: &Path) -> Result<Imported> {
    let mut imported =
        Imported { study: Study { format: FORMAT, ..Study::default() }, ..Imported::default() };
    for log in logs {
        training(log, out, logs.len() > 1, &mut imported)?;
    }
    imported.notes.push(
        "numbers on training images are running means of the training itself, on augmented images: a gap to the \
         test numbers is not quite that of one network"
            .into(),
    );
    Ok(imported)
}

fn training(log: &Path, out: &Path, several: bool, imported: &mut Imported) -> Result<()> {
    let folder = log.parent().unwrap_or(log);
    let full = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let called =
        full.file_name().map_or_else(|| "training".to_owned(), |name| name.to_string_lossy().into_owned());
    let epochs = epochs(&read_text(log, "a log")?);
    let last = epochs.keys().next_back().copied().unwrap_or_default();
    let robust = |numbers: &Numbers| numbers.get("robust_error").copied().unwrap_or(f64::INFINITY);
    let best = epochs.iter().min_by(|a, b| robust(a.1).total_cmp(&robust(b.1))).map(|(epoch, _)| *epoch);
    let mut models: Vec<(String, Option<PathBuf>, Numbers)> = Vec::new();
    for (epoch, numbers) in &epochs {
        let file = Some(folder.join(format!("model_{epoch}.pth"))).filter(|file| file.is_file());
        if file.is_some() || *epoch == last {
            let name = if *epoch == last { called.clone() } else { format!("{called} epoch {}", epoch + 1) };
            models.push((name, file, numbers.clone()));
        }
    }
    let file = folder.join("model_best.pth");
    if file.is_file() {
        let mut numbers = best.and_then(|best| epochs.get(&best)).cloned().unwrap_or_default();
        match crate::checkpoint::inspect(&file) {
            // Without those of training images, which are not of this network alone.
            Ok(summary) => take(summary.stored.iter().map(|(name, value)| (&**name, &**value)), &mut numbers),
            Err(error) => imported.notes.push(error.to_string()),
        }
        models.push((format!("{called} best"), Some(file), numbers));
    }
    for (name, file, mut numbers) in models {
        differences(&mut numbers);
        let taken = |name: &str| imported.study.models.iter().any(|m| file_name(&m.name) == file_name(name));
        let name = std::iter::once(name.clone())
            .chain((2..).map(|number| format!("{name} ({number})")))
            .find(|name| !taken(name))
            .unwrap_or_default();
        imported.study.models.push(Model {
            name,
            group: several.then(|| called.clone()),
            checkpoint: file.map(|file| stored(&file, out)),
            training: Some(stored(folder, out)),
            records: Vec::new(),
            numbers,
        });
    }
    Ok(())
}

/// The numbers of each epoch of a log; of an epoch that was run again the last ones.
fn epochs(text: &str) -> BTreeMap<u64, Numbers> {
    let mut header: Vec<String> = Vec::new();
    let mut epochs = BTreeMap::new();
    for line in text.lines() {
        let line = line.split_once(AFTER_TIME).map_or(line, |(_, line)| line);
        let cells: Vec<&str> = line.split('\t').map(str::trim).filter(|cell| !cell.is_empty()).collect();
        if cells.first() == Some(&"Epoch") {
            header = cells.iter().map(|cell| cell.to_lowercase()).collect();
            continue;
        }
        let Some(Ok(epoch)) = cells.first().map(|cell| cell.parse::<u64>()) else { continue };
        if cells.len() == header.len() && header.iter().any(|name| name == "test robust acc") {
            let mut numbers = Numbers::new();
            take(header.iter().map(|name| &**name).zip(cells), &mut numbers);
            epochs.insert(epoch, numbers);
        }
    }
    epochs
}

/// Takes the numbers whose names are known.
fn take<'a>(named: impl Iterator<Item = (&'a str, &'a str)>, numbers: &mut Numbers) {
    for (name, value) in named {
        let known = NUMBERS.iter().find(|(column, key, ..)| name == *column || name == *key);
        let (Some((.., name, is_accuracy)), Ok(value)) = (known, value.parse::<f64>()) else { continue };
        if value.is_finite() {
            numbers.insert((*name).to_owned(), if *is_accuracy { 1.0 - value } else { value });
        }
    }
}

/// Losses on test minus on training images.
fn differences(numbers: &mut Numbers) {
    for (gap, test, train) in
        [("clean_gap", "clean_loss", "train_clean_loss"), ("robust_gap", "robust_loss", "train_robust_loss")]
    {
        if let (Some(test), Some(train)) = (numbers.get(test), numbers.get(train)) {
            numbers.insert(gap.to_owned(), test - train);
        }
    }
}
