//! `basin study measure`.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use basin_core::Error;
use basin_core::files::write_atomically;
use basin_core::record::Record;
use basin_core::run::{RunOptions, estimate, run};
use basin_core::study::{MEASURES, Planned, State, Study, job_file_name, missing, seconds, status};
use clap::Args;

use super::folder::{FolderArg, counted, load};
use crate::cli::args::Threads;
use crate::cli::failure::{say, usage};
use crate::cli::networks::OneOfMany;
use crate::cli::report;
use crate::cli::terminal::Terminal;
use crate::headline;

/// Options of `basin study measure`.
#[derive(Debug, Args)]
pub struct MeasureArgs {
    #[command(flatten)]
    folder: FolderArg,
    /// Only this measure of study.json; several can be given.
    #[arg(long = "measure", value_name = "NAME")]
    measures: Vec<String>,
    /// Only this model; several can be given.
    #[arg(long = "model", value_name = "NAME")]
    models: Vec<String>,
    /// Say what is missing and how long it would take, and stop.
    #[arg(long)]
    dry_run: bool,
    /// Write what is missing as job files into this folder, for `basin submit FOLDER/*.json --out STUDY/measures`, and stop.
    #[arg(long, value_name = "FOLDER", conflicts_with = "dry_run")]
    jobs: Option<PathBuf>,
    /// Replace records that were measured with other settings, or that are broken.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    threads: Threads,
}

impl MeasureArgs {
    pub fn run(self) -> Result<()> {
        let folder = &self.folder.folder;
        let (study, entries) = load(folder)?;
        let rows = status(&study, &entries);
        for row in &rows {
            row.problems.iter().for_each(|problem| say(format!("note: {}: {problem}", row.name)));
        }
        let planned = self.chosen(&study, missing(folder, &study, &rows, self.force)?)?;
        let other = rows.iter().flat_map(|row| &row.measures);
        let other = other.filter(|state| matches!(state, State::OtherSettings { .. })).count();
        if other > 0 && !self.force {
            let (records, are) = (counted(other, "record"), if other == 1 { "is" } else { "are" });
            say(format!("{records} {are} of other settings than study.json has; --force measures again"));
        }
        let broken = rows.iter().flat_map(|row| &row.measures);
        let broken = broken.filter(|state| matches!(state, State::Broken { .. })).count();
        if broken > 0 && !self.force {
            let what =
                if broken == 1 { "1 record is broken" } else { &format!("{broken} records are broken") };
            say(format!("{what}; --force measures again, in place of the file"));
        }
        if planned.is_empty() {
            say(if study.measures.is_empty() {
                "study.json has no measures, so there is nothing to compute; write some under \"measures\""
            } else {
                "nothing is missing"
            });
            return Ok(());
        }
        if let Some(out) = &self.jobs {
            return write_jobs(&planned, out, folder);
        }
        let about = seconds(&planned, |job| estimate(job).map(|cost| cost.seconds).ok());
        say(format!(
            "{} to be computed, about {}",
            counted(planned.len(), "record"),
            report::duration(about)
        ));
        if self.dry_run {
            for one in &planned {
                say(format!("{}: {}", one.model, one.measure));
            }
            return Ok(());
        }
        self.compute(&planned)
    }

    /// Those of the models and measures that are asked for.
    fn chosen(&self, study: &Study, planned: Vec<Planned>) -> Result<Vec<Planned>> {
        for name in &self.models {
            study.model(name).map_err(usage)?;
        }
        for name in &self.measures {
            if study.measures.iter().all(|measure| measure.name != *name) {
                let known: Vec<&str> = study.measures.iter().map(|measure| &*measure.name).collect();
                return Err(usage(format!("the study has no measure {name:?}; it has {}", known.join(", "))));
            }
        }
        let is_among = |names: &[String], name: &String| names.is_empty() || names.contains(name);
        let is_wanted =
            |one: &Planned| is_among(&self.models, &one.model) && is_among(&self.measures, &one.measure);
        Ok(planned.into_iter().filter(is_wanted).collect())
    }

    /// Computes one after the other; what fails is told and does not stop the others.
    fn compute(&self, planned: &[Planned]) -> Result<()> {
        let mut terminal = Terminal::new()?;
        let mut failed: Vec<String> = Vec::new();
        for (number, one) in planned.iter().enumerate() {
            let of = format!("{} of {}, {}, {}", number + 1, planned.len(), one.model, one.measure);
            let parent = one.out.parent().unwrap_or(&one.out);
            std::fs::create_dir_all(parent).map_err(|e| Error::io("cannot create", parent, e))?;
            let options = RunOptions {
                out: Some(one.out.clone()),
                replace: self.force && one.replaces,
                threads: self.threads.threads,
                ..RunOptions::default()
            };
            if options.replace && one.out.is_file() && Record::load(&one.out).is_err() {
                // A broken record is nothing that a run would keep or replace.
                std::fs::remove_file(&one.out).map_err(|e| Error::io("cannot replace", &one.out, e))?;
            }
            match run(&one.job, &options, &mut OneOfMany { of: of.clone(), terminal: &mut terminal }) {
                Ok(record) if record.provenance.complete => {
                    terminal.finish();
                    say(format!("{of}: {}", headline::long(&record.headline())));
                    record.provenance.warnings.iter().for_each(|w| say(format!("note: {}: {w}", one.model)));
                }
                Ok(_) | Err(Error::Cancelled) => {
                    terminal.finish();
                    say(format!("cancelled at {of}; the same command resumes"));
                    return Err(Error::Cancelled.into());
                }
                Err(error) => {
                    terminal.finish();
                    say(format!("{of}: {error}"));
                    failed.push(format!("{} of {}", one.measure, one.model));
                }
            }
        }
        terminal.finish();
        match failed.as_slice() {
            [] => Ok(()),
            failed => Err(Error::invalid(format!(
                "{} of {} could not be computed ({}); the sentences above say why",
                failed.len(),
                counted(planned.len(), "record"),
                failed.join(", ")
            ))
            .into()),
        }
    }
}

/// A job file for each; `basin submit` takes them together.
fn write_jobs(planned: &[Planned], out: &std::path::Path, study: &std::path::Path) -> Result<()> {
    let measures = study.join(MEASURES);
    for folder in [out, &measures] {
        std::fs::create_dir_all(folder).map_err(|e| Error::io("cannot create", folder, e))?;
    }
    for one in planned {
        let path = out.join(job_file_name(one));
        write_atomically(&path, one.job.to_json().as_bytes()).context("cannot write the jobs")?;
    }
    say(format!(
        "{} in {}; basin submit {}/*.json --out {} hands them to Slurm",
        counted(planned.len(), "job"),
        out.display(),
        out.display(),
        measures.display()
    ));
    Ok(())
}
