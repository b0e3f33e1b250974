//! Running a job that was asked for, and saying what came of it.

use std::path::PathBuf;

use anyhow::Result;
use basin_core::Error;
use basin_core::job::Job;
use basin_core::run::{RunOptions, check_out, estimate, has_unfinished, resolved, run, warnings};

use super::args::Output;
use super::failure::{say, usage};
use super::networks;
use super::printing::{print, show};
use super::report;
use super::terminal::Terminal;

/// What a job would take, and the job as a file; of a benchmark also what its entries are.
///
/// # Errors
/// As [`estimate`].
pub fn tell_cost(job: &Job) -> Result<()> {
    job.check()?;
    if let Job::Train(_) = job {
        say("measuring some steps to tell the time…");
    }
    let cost = estimate(job)?;
    let about = if cost.seconds < 1.0 { "" } else { "about " };
    let steps = if let Job::Train(_) = job { format!("{} steps, ", cost.units) } else { String::new() };
    let mut job = job.clone();
    if let Job::Train(train) = &mut job {
        **train = resolved(train)?;
        say(report::images(train));
        warnings(train)?.into_iter().for_each(|warning| say(format!("warning: {warning}")));
    }
    let tests = match cost.tests / cost.seconds {
        share if share > 0.0 => format!(", {:.0} % of it for tests", 100.0 * share),
        _ => String::new(),
    };
    say(format!("{steps}{about}{}{tests}", report::duration(cost.seconds)));
    if let Job::Benchmark(benchmark) = &job {
        benchmark.entries()?.iter().for_each(|(name, _)| say(name));
    }
    print(&job.to_json())
}

/// Runs a job that was asked for by options, perhaps on several networks: settings that are not possible are invalid usage.
pub fn compute_asked(
    job: &Job,
    networks: Option<&[PathBuf]>,
    output: &Output,
    threads: Option<u16>,
) -> Result<()> {
    job.check().map_err(usage)?;
    if output.dry_run {
        return tell_cost(job);
    }
    if let Some(networks) = networks {
        return networks::compute(job, networks, output, threads);
    }
    check_out(job, output.out.as_deref()).map_err(usage)?;
    compute(job, output, threads)
}

/// Runs a job.
///
/// # Errors
/// As the job; it is cancelled.
pub fn compute(job: &Job, output: &Output, threads: Option<u16>) -> Result<()> {
    let reuse = output.reuse.clone();
    let options = RunOptions { out: folder_of(job, output)?, replace: output.force, reuse, threads };
    let mut terminal = Terminal::new()?;
    let record = run(job, &options, &mut terminal);
    terminal.finish();
    let record = record.inspect_err(|error| match (error, &output.out) {
        (Error::Cancelled, Some(out)) if has_unfinished(out) => {
            say(format!("cancelled; the same command resumes with what is kept beside {}", out.display()));
        }
        (Error::Cancelled, Some(_)) => say("cancelled before anything was finished; nothing is kept"),
        (Error::Cancelled, None) => say("cancelled; with --out, what is finished would have been kept"),
        _ => {}
    })?;
    if let (Job::Train(_), false, Some(folder)) = (job, record.provenance.complete, &options.out) {
        say(format!("cancelled; `basin train {}` resumes", folder.display()));
        return Err(Error::Cancelled.into());
    }
    show(&record, output, terminal.warned())?;
    if !record.provenance.complete {
        match &output.out {
            Some(out) => {
                say(format!("cancelled; the same command resumes from what is in {}", out.display()))
            }
            None => say("cancelled; nothing is kept without --out"),
        }
        return Err(Error::Cancelled.into());
    }
    Ok(())
}

/// Endings of files that Basin or others write: no folder is meant to have them.
const FILE_ENDINGS: [&str; 8] = ["json", "jsonl", "safetensors", "pt", "pth", "tar", "txt", "csv"];

/// Where the job keeps its results: a training in a folder of its name, if nothing else was said.
fn folder_of(job: &Job, output: &Output) -> Result<Option<PathBuf>> {
    let names_file = |out: &PathBuf| {
        let ending = out.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        !out.is_dir() && ending.is_some_and(|ending| FILE_ENDINGS.contains(&ending.as_str()))
    };
    match job {
        Job::Train(_) if output.force => {
            Err(usage("--force replaces no training; remove its folder yourself, or choose another --out"))
        }
        Job::Train(_) if output.out.as_ref().is_some_and(names_file) => {
            let out = output.out.clone().unwrap_or_default();
            let folder = out.with_extension("");
            let (out, folder) = (out.display(), folder.display());
            Err(usage(format!(
                "a training writes a folder, and {out} is the name of a file; use --out {folder}"
            )))
        }
        Job::Train(train) => Ok(Some(output.out.clone().unwrap_or_else(|| PathBuf::from(&train.name)))),
        _ => Ok(output.out.clone()),
    }
}
