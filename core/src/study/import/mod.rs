//! Results of others as studies: experiments of the paper's program, logs of trainings, and tables. Nothing is computed
//! anew.
//!
//! `tables` reads tables, `logs` those of robust_overfitting and AT-AWP. An experiment folder (`experiment`) becomes models (the final network, its averages, its
//! snapshots), and each result file in it one record of the same kind as Basin's own: probabilities are evaluated as the
//! paper's program evaluates them (`evaluations`), perturbed weights become flatness (`flatness`), visualizations
//! landscapes (`landscapes`), eigenvalues Hessians (`eigenvalues`), event logs CSV files (`events`). What a folder's name
//! does not tell, such as a radius, cannot be invented: then the numbers alone are kept.

mod arrays;
mod eigenvalues;
mod evaluations;
mod events;
mod experiment;
mod flatness;
mod imported;
mod landscapes;
mod logs;
mod results;
mod tables;

use std::path::Path;

use super::FILE;
use crate::error::{Error, Result};

use experiment::experiments;
pub use imported::Imported;
use tables::table;

/// Makes a study in `out` of a table, of a folder with trainings of robust_overfitting or AT-AWP, or of one with
/// experiments of the paper's program, whose images are those of the data set `data`.
///
/// # Errors
/// `out` has a study already, or the source is none of these or is damaged.
pub fn import(source: &Path, out: &Path, data: &str) -> Result<Imported> {
    if out.join(FILE).exists() {
        return Err(Error::file(out, "has a study already; choose another --out"));
    }
    if !source.exists() {
        return Err(Error::file(source, "does not exist; check the path"));
    }
    let is_new = !out.exists();
    std::fs::create_dir_all(out).map_err(|e| Error::io("cannot create", out, e))?;
    let imported = read(source, out, data).and_then(|imported| {
        imported.study.save(out)?;
        Ok(imported)
    });
    if imported.is_err() && is_new {
        // Only if nothing is in it.
        let _ = std::fs::remove_dir(out);
    }
    imported
}

fn read(source: &Path, out: &Path, data: &str) -> Result<Imported> {
    if !source.is_dir() {
        return table(source);
    }
    match logs::find(source)? {
        logs if logs.is_empty() => experiments(source, out, data),
        logs => logs::trainings(&logs, out),
    }
}
