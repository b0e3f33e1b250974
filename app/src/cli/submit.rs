//! `basin submit`: jobs to Slurm, as an array of shards and a merge that waits for them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use basin_core::Error;
use basin_core::job::Job;
use basin_core::run::{create_shards, read_job};
use clap::Args;

use super::failure::{say, usage};
use super::printing::print;

/// Options of `basin submit`.
#[derive(Debug, Args)]
pub struct SubmitArgs {
    /// Jobs as JSON, or records whose job is to be run again. A training is run as a whole.
    #[arg(value_name = "JOB.json", required = true)]
    jobs: Vec<PathBuf>,
    /// How many processes share each job: tasks of the job array.
    #[arg(long, value_name = "N", default_value_t = 1)]
    shards: usize,
    /// Folder for the results, which all nodes see: JOB.record.json for each job, and JOB.shards while it is computed
    /// [default: the current folder].
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Print the scripts, and stop.
    #[arg(long)]
    dry_run: bool,
    /// Replace records that are there.
    #[arg(long)]
    force: bool,
    /// Partition to run in.
    #[arg(long, value_name = "NAME", help_heading = "Slurm")]
    partition: Option<String>,
    /// Account to charge.
    #[arg(long, value_name = "NAME", help_heading = "Slurm")]
    account: Option<String>,
    /// Longest time of a task, e.g. 2:00:00. A task that ends early loses the unit of work in hand; submit again to
    /// resume.
    #[arg(long, value_name = "TIME", help_heading = "Slurm")]
    time: Option<String>,
    /// Resources of a task, e.g. gpu:1.
    #[arg(long, value_name = "LIST", help_heading = "Slurm")]
    gres: Option<String>,
    /// CPU cores of a task.
    #[arg(long, value_name = "N", help_heading = "Slurm")]
    cpus_per_task: Option<u16>,
    /// Memory of a task, e.g. 16G.
    #[arg(long, value_name = "SIZE", help_heading = "Slurm")]
    mem: Option<String>,
    /// Any other options of sbatch, behind --: -- --constraint=a100 --nice.
    #[arg(value_name = "SBATCH OPTIONS", last = true, help_heading = "Slurm")]
    others: Vec<String>,
}

/// A job on its way to Slurm.
struct Submission {
    /// Name of the job's file, without its ending.
    name: String,
    job: Job,
    /// What computes: an array of shards, or a training.
    work: Script,
    /// What writes the record when all shards are finished; none: a training writes its own.
    merge: Option<Script>,
    /// Where the result will be.
    result: PathBuf,
    /// The folder of the shards, to be looked at meanwhile.
    shards: Option<PathBuf>,
}

struct Script {
    path: PathBuf,
    text: String,
}

impl SubmitArgs {
    /// Writes the scripts and hands them to Slurm.
    ///
    /// # Errors
    /// A job cannot be read, the scripts cannot be written, or Slurm is not there or refuses them.
    pub fn run(self) -> Result<()> {
        if self.shards == 0 {
            return Err(usage("0 shards compute nothing; use 1 or more"));
        }
        let home = std::path::absolute(self.out.clone().unwrap_or_else(|| PathBuf::from(".")))
            .context("cannot tell where the current folder is")?;
        let mut submissions: Vec<Submission> = Vec::new();
        for file in &self.jobs {
            let job = read_job(file)?;
            job.check().map_err(|error| Error::file(file, error.to_string()))?;
            let submission = self.submission(file, &job, &home)?;
            if submissions.iter().any(|other| other.name == submission.name) {
                return Err(usage(format!(
                    "two jobs are called {}, so their results would have the same name; rename one of the files",
                    submission.name
                )));
            }
            submissions.push(submission);
        }
        if self.dry_run {
            let scripts = submissions.iter().flat_map(|job| std::iter::once(&job.work).chain(&job.merge));
            let text: Vec<String> =
                scripts.map(|script| format!("# {}\n{}", script.path.display(), script.text)).collect();
            return print(&text.join("\n"));
        }
        find_slurm()?;
        submissions.iter().try_for_each(submit)
    }

    fn submission(&self, file: &Path, job: &Job, home: &Path) -> Result<Submission> {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let program = std::env::current_exe().context("cannot tell where basin is")?;
        let file = std::path::absolute(file).context("cannot tell where the job is")?;
        let program = quoted(&program)?;
        if let Job::Train(_) = job {
            let result = home.join(&name);
            let command = format!("exec {program} run {} --out {}", quoted(&file)?, quoted(&result)?);
            let log = log(home, &format!("{}.slurm-%j.log", literal(&name)))?;
            let text = self.script(&format!("basin {name}"), &log, None, &command)?;
            let work = Script { path: home.join(format!("{name}.slurm.sh")), text };
            return Ok(Submission { name, job: job.clone(), work, merge: None, result, shards: None });
        }
        let (folder, result) =
            (home.join(format!("{name}.shards")), home.join(format!("{name}.record.json")));
        if result.exists() && !self.force {
            let reason =
                "is there already; leave that job out, choose another --out, or replace it with --force";
            return Err(Error::file(&result, reason).into());
        }
        let shards = quoted(&folder)?;
        let command = format!(
            "exec {program} run {} --shard \"$SLURM_ARRAY_TASK_ID/{}\" --out {shards}",
            quoted(&file)?,
            self.shards
        );
        let array = format!("1-{}", self.shards);
        let text =
            self.script(&format!("basin {name}"), &log(&folder, "slurm-%A_%a.log")?, Some(&array), &command)?;
        let work = Script { path: folder.join("shards.sh"), text };
        let force = if self.force { " --force" } else { "" };
        let command = format!("exec {program} merge {shards} --out {} --finish{force}", quoted(&result)?);
        let log = log(&folder, "slurm-%j-merge.log")?;
        let text = self.script(&format!("basin {name} merge"), &log, None, &command)?;
        let merge = Some(Script { path: folder.join("merge.sh"), text });
        Ok(Submission { name, job: job.clone(), work, merge, result, shards: Some(folder) })
    }

    /// A script that runs a command. A node that fails gives its task to another one.
    fn script(&self, name: &str, log: &str, array: Option<&str>, command: &str) -> Result<String> {
        let mut options = vec![
            format!("--job-name={}", word(name)?),
            format!("--output={}", word(log)?),
            "--open-mode=append".to_owned(),
            "--requeue".to_owned(),
        ];
        options.extend(array.map(|array| format!("--array={array}")));
        let given = [
            ("partition", self.partition.clone()),
            ("account", self.account.clone()),
            ("time", self.time.clone()),
            ("gres", self.gres.clone()),
            ("cpus-per-task", self.cpus_per_task.map(|cpus| cpus.to_string())),
            ("mem", self.mem.clone()),
        ];
        for (option, value) in given {
            if let Some(value) = value {
                options.push(format!("--{option}={}", word(&value)?));
            }
        }
        for option in &self.others {
            options.push(word(option)?);
        }
        let options: Vec<String> = options.iter().map(|option| format!("#SBATCH {option}\n")).collect();
        Ok(format!("#!/bin/bash\n{}\n{command}\n", options.concat()))
    }
}

/// Hands a job to Slurm, and says how to follow it.
fn submit(job: &Submission) -> Result<()> {
    let folder = job.work.path.parent().unwrap_or(Path::new("."));
    match &job.shards {
        // Another job's shards are found here, and not when each task fails.
        Some(folder) => create_shards(&job.job, folder)?,
        None => std::fs::create_dir_all(folder).map_err(|e| Error::io("cannot create", folder, e))?,
    }
    for script in std::iter::once(&job.work).chain(&job.merge) {
        let failed = |e| Error::io("cannot write", &script.path, e);
        std::fs::write(&script.path, &script.text).map_err(failed)?;
    }
    let work = sbatch(&job.work.path, &[])?;
    let Some(merge) = &job.merge else {
        say(format!(
            "queued {} as Slurm job {work}: it trains in {}; scancel {work} stops it, and submitting again resumes",
            job.name,
            job.result.display()
        ));
        return Ok(());
    };
    let dependency = [format!("--dependency=afterok:{work}"), "--kill-on-invalid-dep=yes".to_owned()];
    let merge = sbatch(&merge.path, &dependency).with_context(|| {
        format!("Slurm job {work} computes {} but is not merged; `scancel {work}` stops it", job.name)
    })?;
    let shards = job.shards.as_deref().unwrap_or(folder).display();
    say(format!(
        "queued {} as Slurm job {work}, merged by job {merge} into {}; follow with `basin status {shards}`, stop with `scancel {work} {merge}`; submitting again resumes",
        job.name,
        job.result.display()
    ));
    Ok(())
}

/// Checks that Slurm is there before anything is written.
fn find_slurm() -> Result<()> {
    match Command::new("sbatch").arg("--version").output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Error::invalid(
            "Slurm's sbatch is not on PATH; submit from a login node of the cluster, or run the shards without Slurm: seq N | xargs -P N -I K basin run JOB.json --shard K/N --threads 1 --out FOLDER",
        )
        .into()),
        output => output.map(drop).context("cannot run sbatch"),
    }
}

/// Number of the job that Slurm makes of a script.
fn sbatch(script: &Path, options: &[String]) -> Result<String> {
    let output = Command::new("sbatch").arg("--parsable").args(options).arg(script).output();
    let output = output.context("cannot run sbatch")?;
    let told = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if !output.status.success() {
        return Err(Error::invalid(format!("Slurm refuses {}: {told}", script.display())).into());
    }
    // `123`, or `123;cluster`.
    let number = String::from_utf8_lossy(&output.stdout);
    Ok(number.trim().split(';').next().unwrap_or_default().to_owned())
}

fn text_of(path: &Path) -> Result<String> {
    let text = path.to_str().map(str::to_owned);
    text.ok_or_else(|| {
        Error::file(path, "has a name that is not Unicode, which Slurm cannot take; rename it").into()
    })
}

/// Where Slurm writes what a task says: a name with Slurm's placeholders, in a folder.
fn log(folder: &Path, name: &str) -> Result<String> {
    Ok(format!("{}/{name}", literal(&text_of(folder)?)))
}

/// Text without placeholders for Slurm.
fn literal(text: &str) -> String {
    text.replace('%', "%%")
}

/// A path as one word of a shell.
fn quoted(path: &Path) -> Result<String> {
    Ok(format!("'{}'", text_of(path)?.replace('\'', r"'\''")))
}

/// A value on a line of options of sbatch, in quotes where it needs them.
fn word(text: &str) -> Result<String> {
    if text.contains('\n') {
        return Err(usage(format!("sbatch cannot take {text:?}; leave out line ends")));
    }
    let plain = !text.contains([' ', '\t', '#', '\'', '"', '\\']);
    let escaped = || text.replace('\\', r"\\").replace('"', r#"\""#);
    Ok(if plain { text.to_owned() } else { format!("\"{}\"", escaped()) })
}
