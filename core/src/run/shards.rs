//! Jobs that several processes compute together, on one machine or many: each has a journal of its own in a folder that
//! all see, and their units together are the job.
//!
//! Seeds make the processes agree, hashes identify checkpoint and data wherever they are mounted, and a scheduler
//! (Slurm, `xargs -P`, GNU parallel) starts them. The folder holds `job.json` and a journal for each share,
//! `shard-0003-of-0016.journal`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::beside;
use super::clock;
use super::driver::{Driven, Driver, assembled};
use super::earlier;
use super::inspect::probing;
use super::job_file::read_job;
use super::journal::{Journal, Other, Remedies, difference};
use super::observer::Observer;
use super::open::{Manner, open, open_telling};
use super::provenance;
use super::share::Share;
use super::suite;
use crate::device::{self, Threads};
use crate::error::{Error, Result};
use crate::files::{check_destination, write_atomically};
use crate::job::{Job, Outcome};
use crate::measure::{Assembled, Context, Plan, Units};
use crate::progress::Event;
use crate::record::{Provenance, Record, Shard, network_folder};

/// The job in a folder of shares.
const JOB: &str = "job.json";
/// What perturbed networks are kept beside until a record is there.
const KEPT: &str = "kept";
/// How many shares a message names.
const NAMED: usize = 12;

/// What a share notes of itself when it begins.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Begun {
    number: usize,
    of: usize,
    host: String,
    process: u32,
    device: String,
    started: String,
}

/// Computes a share of a job in `folder`, which is made; a share that was stopped or killed goes on.
///
/// # Errors
/// As [`super::run`]; the folder holds shares of another job; the share is being computed.
pub fn run_share(
    job: &Job,
    share: Share,
    folder: &Path,
    threads: Option<u16>,
    observer: &mut dyn Observer,
) -> Result<()> {
    job.check()?;
    if let Job::Import(_) = job {
        return Err(Error::invalid(
            "an import computes nothing to be shared; run it as a whole, without --shard",
        ));
    }
    if let Job::Train(_) = job {
        return Err(Error::invalid(
            "a training cannot be shared, as each step follows from the last; run it as a whole, without --shard",
        ));
    }
    let _threads = Threads::of(threads);
    let begun = Instant::now();
    create_shards(job, folder)?;
    let context = open_telling(job, Some(&folder.join(KEPT)), None, &mut probing(observer))?;
    let path = folder.join(file_name(share));
    check_destination(&path)?;
    let remedies = Remedies {
        locked: "wait for it, or run another shard",
        other: "remove this journal to compute its shard again, or choose another --out",
    };
    let mut journal = Journal::at(&path, &path, &identity(job, &context), false, remedies)?;
    let before = journal.seconds();
    let me = Begun {
        number: share.number,
        of: share.of,
        host: gethostname::gethostname().to_string_lossy().into_owned(),
        process: std::process::id(),
        device: device::describe(context.device),
        started: clock::now(),
    };
    journal.remark(&json!({ "shard": me }))?;
    journal.is_watched();
    // What others have finished need not be computed again, and tells what else there is to do.
    for (other, shard) in shards(folder)? {
        if other != path
            && let Ok(shard) = shard
            && shard.identity == identity(job, &context)
        {
            journal.know(&shard.units);
        }
    }
    let done = match job {
        Job::Benchmark(benchmark) => suite::run_share(benchmark, share, &mut journal, observer),
        job => {
            let whole = |assembled: Assembled<Outcome>| assembled.outcome;
            let label = |label: String| format!("{label}, shard {share}");
            let driver =
                Driver { label: &label, whole: &whole, share: Some(share), journal: &mut journal, observer };
            driver.compute(job, &context)
        }
    };
    let noted = journal.note_seconds(before + begun.elapsed().as_secs_f64());
    done?;
    noted?;
    journal.remark(&json!({ "finished": true }))
}

/// Makes the folder of the shards of a job, and keeps the job there for those who merge.
///
/// # Errors
/// The folder cannot be written, or holds shards of another job.
pub fn create_shards(job: &Job, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|e| Error::io("cannot create", folder, e))?;
    let path = folder.join(JOB);
    if !path.is_file() {
        return write_atomically(&path, job.to_json().as_bytes());
    }
    if portable(&read_job(&path)?) == portable(job) {
        return Ok(());
    }
    Err(Error::file(folder, "holds shards of another job; choose another --out, or remove the folder"))
}

/// A job without the places of its checkpoint and data, which may be mounted elsewhere on another machine.
fn portable(job: &Job) -> Job {
    job.clone().on(Path::new("")).with_data("")
}

fn identity(job: &Job, context: &Context) -> Value {
    provenance::identity(&portable(job), context)
}

fn file_name(share: Share) -> String {
    format!("shard-{:04}-of-{:04}.journal", share.number, share.of)
}

/// Share of a journal's name.
fn share_of(path: &Path) -> Option<Share> {
    let name = path.file_name()?.to_str()?.strip_prefix("shard-")?.strip_suffix(".journal")?;
    let (number, of) = name.split_once("-of-")?;
    Share::new(number.parse().ok()?, of.parse().ok()?)
}

/// The journals in a folder, by their names.
fn shards(folder: &Path) -> Result<BTreeMap<PathBuf, Result<Other>>> {
    let entries = std::fs::read_dir(folder).map_err(|e| Error::io("cannot read", folder, e))?;
    let paths = entries.flatten().map(|entry| entry.path()).filter(|path| share_of(path).is_some());
    Ok(paths.map(|path| (path.clone(), Other::read(&path))).collect())
}

/// Where a share is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShardState {
    /// All its units are there.
    Finished,
    /// A process computes it.
    Running,
    /// It was begun and is not being computed.
    Stopped,
    /// It was never begun.
    Missing,
}

/// A share of a job, as far as it has come.
#[derive(Debug, Clone, PartialEq)]
pub struct ShardStatus {
    /// Which.
    pub share: Share,
    /// Where it is.
    pub state: ShardState,
    /// What it notes of itself; of a missing one its number alone.
    pub shard: Shard,
    /// Finished share of its work, 0 to 1, where that is known.
    pub fraction: Option<f64>,
}

/// A job that is computed in shares.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// The job.
    pub job: Job,
    /// All its shares.
    pub shards: Vec<ShardStatus>,
}

/// How far the shares in a folder are.
///
/// # Errors
/// The folder cannot be read, or holds no shares.
pub fn status(folder: &Path) -> Result<Status> {
    let job = job_of(folder)?;
    let found = shards(folder)?;
    let mut all = Vec::new();
    for of in counts(&found) {
        for number in 1..=of {
            let share = Share::new(number, of).expect("from 1 to all");
            let journal = found.get(&folder.join(file_name(share))).and_then(|shard| shard.as_ref().ok());
            all.push(match journal {
                Some(journal) => status_of(share, journal),
                None => {
                    let shard = Shard { number, of, ..Shard::default() };
                    ShardStatus { share, state: ShardState::Missing, shard, fraction: None }
                }
            });
        }
    }
    Ok(Status { job, shards: all })
}

fn status_of(share: Share, journal: &Other) -> ShardStatus {
    // What was noted since it last began.
    let begun = journal.remarks.iter().rposition(|remark| remark.get("shard").is_some()).unwrap_or(0);
    let since = &journal.remarks[begun.min(journal.remarks.len())..];
    let finished = since.iter().any(|remark| remark["finished"] == true);
    let progress = since.iter().rev().find_map(|remark| {
        let (done, total) = (remark["done"].as_f64()?, remark["total"].as_f64()?);
        (total > 0.0).then_some(done / total)
    });
    let state = match (finished, journal.locked) {
        (true, _) => ShardState::Finished,
        (false, true) => ShardState::Running,
        (false, false) => ShardState::Stopped,
    };
    let fraction = if finished { Some(1.0) } else { progress };
    ShardStatus { share, state, shard: shard_of(share, journal), fraction }
}

/// What a journal says of its share.
fn shard_of(share: Share, journal: &Other) -> Shard {
    let begun = journal.remarks.iter().find_map(|remark| Begun::deserialize(remark.get("shard")?).ok());
    let last = journal.remarks.iter().rev().find_map(|remark| Begun::deserialize(remark.get("shard")?).ok());
    let (first, last) = (begun.unwrap_or_default(), last.unwrap_or_default());
    Shard {
        number: share.number,
        of: share.of,
        host: last.host,
        device: last.device,
        started: first.started,
        duration_s: journal.seconds,
        units: journal.units.len(),
    }
}

/// How many shares there are; several numbers if the job was shared in several ways.
fn counts(found: &BTreeMap<PathBuf, Result<Other>>) -> Vec<usize> {
    let mut counts: Vec<usize> =
        found.keys().filter_map(|path| share_of(path)).map(|share| share.of).collect();
    counts.sort_unstable();
    counts.dedup();
    counts
}

fn job_of(folder: &Path) -> Result<Job> {
    let path = folder.join(JOB);
    if !path.is_file() {
        let reason = format!(
            "holds no shards of a job; compute one with `basin run JOB.json --shard 1/2 --out {}`",
            folder.display()
        );
        return Err(Error::file(folder, reason));
    }
    read_job(&path)
}

/// How shares become a record.
#[derive(Debug, Clone, Default)]
pub struct Merge {
    /// Where the record is written.
    pub out: PathBuf,
    /// The record that is there may be replaced.
    pub replace: bool,
    /// The checkpoint, where it is not where the job says.
    pub checkpoint: Option<PathBuf>,
    /// Name or folder of the data, where they are not where the job says.
    pub data: Option<String>,
    /// Compute what is missing.
    pub finish: bool,
    /// Write the record of what there is.
    pub partial: bool,
    /// CPU threads for what is missing.
    pub threads: Option<u16>,
}

/// A record of shares.
#[derive(Debug)]
pub struct Merged {
    /// The record, which is written.
    pub record: Record,
    /// How many units of work of the shares are in it; none: the finished record was there.
    pub units: Option<usize>,
    /// What the user should know about the shares.
    pub notes: Vec<String>,
}

/// Assembles the record of the shares in `folder`: that of a single process, bit for bit, but for where and when it was
/// computed. A finished record of the same job that is there already stays.
///
/// # Errors
/// Shares are missing, being computed or of different versions; checkpoint or data are others; files cannot be read or
/// written.
pub fn merge(folder: &Path, options: &Merge, observer: &mut dyn Observer) -> Result<Merged> {
    let mut job = job_of(folder)?;
    if let Some(checkpoint) = &options.checkpoint {
        job = job.on(checkpoint);
    }
    if let Some(data) = &options.data {
        job = job.with_data(data);
    }
    check_destination(&options.out)?;
    let there = earlier::at(&options.out, &job, options.replace)?;
    let mut found = Vec::new();
    for (path, journal) in shards(folder)? {
        let share = share_of(&path).expect("listed by its name");
        found.push((share, journal?));
    }
    let Some((first, journal)) = found.first() else {
        return Err(Error::file(folder, "has no shard that has begun; wait for them, or run them"));
    };
    let identity = journal.identity.clone();
    for (share, other) in &found {
        if other.identity != identity {
            let reason = format!(
                "has shards that do not fit together: {share} is {} than {first}; remove the journal of one of them, and run that shard again",
                difference(&other.identity, &identity)
            );
            return Err(Error::file(folder, reason));
        }
    }
    let running: Vec<String> =
        found.iter().filter(|(_, other)| other.locked).map(|(share, _)| share.to_string()).collect();
    if !running.is_empty() && !options.partial {
        let reason =
            format!("has shards that are still being computed: {}; wait for them", running.join(", "));
        return Err(Error::file(folder, reason));
    }
    let mut notes = Vec::new();
    let (units, twice) = union(&found);
    notes.extend(twice);
    let _threads = Threads::of(options.threads);
    let context = context_of(&job, folder, &identity, &options.out)?;
    if let Some(record) = &there
        && !options.replace
        && earlier::is_done(record, &options.out, &job, &context)
    {
        observer.report(Event::AlreadyDone)?;
        return Ok(Merged { record: record.clone(), units: None, notes });
    }
    let kept = folder.join(KEPT);
    if network_folder(&kept).is_dir() {
        if !options.finish && !options.partial {
            let (plan, _) = assembled(&job, &context_of(&job, folder, &identity, &kept)?, &units)?;
            Lacking::of(&plan, &found, 0).map_or(Ok(()), |lacking| Err(lacking.error(folder)))?;
        }
        take_networks(&kept, &options.out)?;
    }
    let count = units.len();
    let driven = finished(&job, &context, units, &found, options, observer)?
        .map_err(|lacking| lacking.error(folder))?;
    let shards: Vec<Shard> = found.iter().map(|(share, other)| shard_of(*share, other)).collect();
    let devices = distinct(shards.iter().map(|shard| shard.device.clone()));
    let provenance = Provenance {
        device: devices.join("; "),
        started: shards.iter().map(|shard| shard.started.clone()).min().unwrap_or_default(),
        duration_s: shards.iter().map(|shard| shard.duration_s).sum(),
        shards,
        ..provenance::provenance(&job, &context)
    };
    let record = beside::save(&job, driven, provenance, Some(&options.out), there.as_ref())?;
    Ok(Merged { record, units: Some(count), notes })
}

/// Checkpoint and data of the shares, as they were computed.
fn context_of(job: &Job, folder: &Path, identity: &Value, record: &Path) -> Result<Context> {
    let manner: Manner = Manner::deserialize(identity)
        .map_err(|_| Error::file(folder, "has damaged shards; remove their journals, and run them again"))?;
    let context = open(job, Some(record), Some(manner))?;
    if identity["checkpoint"] != context.checkpoint.summary.hash.as_str() {
        let path = &context.checkpoint.summary.path;
        return Err(Error::file(path, "is not the checkpoint of the shards; give that with --checkpoint"));
    }
    if identity["data"] != context.fingerprint.as_str() {
        let reason = format!(
            "has shards of other images than those of {}; give their folder with --data",
            context.dataset.name
        );
        return Err(Error::file(folder, reason));
    }
    Ok(context)
}

/// All units, and a sentence about those that were computed more than once with different results.
fn union(found: &[(Share, Other)]) -> (Units, Option<String>) {
    let mut units = Units::default();
    let mut known: BTreeMap<&str, &Value> = BTreeMap::new();
    let mut different = 0;
    for (_, other) in found {
        for (name, value) in other.units.iter() {
            let earlier = *known.entry(name).or_insert(value);
            different += usize::from(!is_same(earlier, value));
        }
        units.extend(&other.units);
    }
    let sentence = (different > 0).then(|| {
        format!("{different} units of work were computed by several shards with different results; those of the first count")
    });
    (units, sentence)
}

/// Whether two results of a unit are the same, whatever time they took.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one.as_object(), other.as_object()) {
        (Some(one), Some(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| key == "seconds" || other.get(key) == Some(value))
        }
        _ => one == other,
    }
}

/// The whole job from its units; or what is lacking.
fn finished(
    job: &Job,
    context: &Context,
    mut units: Units,
    found: &[(Share, Other)],
    options: &Merge,
    observer: &mut dyn Observer,
) -> Result<std::result::Result<Driven, Lacking>> {
    let Job::Benchmark(benchmark) = job else {
        return one(job, context, &units, found, 0, "", options, observer);
    };
    let (mut entries, mut complete) = (Vec::new(), true);
    let mut all_lacking = Lacking::default();
    for (part, (name, job)) in benchmark.entries()?.into_iter().enumerate() {
        let scope = suite::scope(&name);
        units.scope(&scope);
        let of_entry = open(&job, None, Some(Manner::of(context)))?;
        let label = format!("{name}: ");
        match one(&job, &of_entry, &units, found, part, &label, options, observer)? {
            Ok(driven) => {
                complete &= driven.complete;
                entries.push(suite::entry(name, job, driven.assembled));
            }
            Err(_) if options.partial => complete = false,
            Err(lacking) => all_lacking.add(lacking),
        }
    }
    if all_lacking.groups > 0 {
        return Ok(Err(all_lacking));
    }
    if entries.is_empty() {
        return Err(Error::invalid(NOTHING));
    }
    Ok(Ok(suite::driven_of(entries, complete)))
}

/// One measure from its units; or what is lacking.
#[expect(clippy::too_many_arguments, reason = "a part of `finished`, for one of several measures")]
fn one(
    job: &Job,
    context: &Context,
    units: &Units,
    found: &[(Share, Other)],
    part: usize,
    label: &str,
    options: &Merge,
    observer: &mut dyn Observer,
) -> Result<std::result::Result<Driven, Lacking>> {
    let (plan, driven) = assembled(job, context, units)?;
    if plan.is_finished() {
        return driven.map(Ok).ok_or_else(|| Error::invalid(NOTHING));
    }
    if options.finish {
        let here = open(job, Some(&options.out), None)?;
        if Manner::of(&here) != Manner::of(context) {
            return Err(Error::invalid(
                "the rest cannot be computed here: the shards had another device, precision or batch size; run the missing shards where the others ran",
            ));
        }
        let mut journal = Journal::in_memory();
        journal.know(units);
        journal.scope(units.current());
        let whole = |assembled: Assembled<Outcome>| assembled.outcome;
        let label = |of: String| format!("{label}{of}");
        let driver = Driver { label: &label, whole: &whole, share: None, journal: &mut journal, observer };
        return driver.run(job, &here).map(Ok);
    }
    match driven {
        Some(driven) if options.partial => Ok(Ok(driven)),
        _ => Lacking::of(&plan, found, part).map(Err).ok_or_else(|| Error::invalid(NOTHING)),
    }
}

/// Not even a part of a record can be made.
const NOTHING: &str = "the shards hold too little for a record yet; wait for them, or run them";

/// What shares lack of a job.
#[derive(Debug, Default)]
struct Lacking {
    /// Numbers of the shares with groups that are not finished.
    shares: BTreeSet<usize>,
    /// How many shares there are.
    of: usize,
    /// Groups of units that are not finished.
    groups: usize,
}

impl Lacking {
    /// None: the plan is finished.
    fn of(plan: &Plan, found: &[(Share, Other)], part: usize) -> Option<Self> {
        let groups = plan.groups.iter().filter(|group| group.left > 0).count();
        if plan.is_finished() {
            return None;
        }
        let of = found.iter().map(|(share, _)| share.of).max().unwrap_or(1);
        let lacks = |share: &Share| share.of_part(part).of(plan).iter().any(|at| plan.groups[*at].left > 0);
        let shares = (1..=of).filter_map(|number| Share::new(number, of)).filter(lacks);
        Some(Self { shares: shares.map(|share| share.number).collect(), of, groups })
    }

    /// That of another part of the job as well.
    fn add(&mut self, other: Self) {
        self.shares.extend(other.shares);
        self.of = other.of;
        self.groups += other.groups;
    }

    fn error(&self, folder: &Path) -> Error {
        let named: Vec<String> =
            self.shares.iter().take(NAMED).map(|number| format!("{number}/{}", self.of)).collect();
        let others = match self.shares.len().saturating_sub(NAMED) {
            0 => String::new(),
            others => format!(" and {others} more"),
        };
        let (shards, them) = if self.shares.len() == 1 { ("shard", "it") } else { ("shards", "them") };
        let reason = format!(
            "lacks work of {shards} {}{others}; run {them}, compute the rest here with --finish, or write the record of what there is with --partial",
            named.join(", ")
        );
        Error::file(folder, reason)
    }
}

/// Perturbed networks that shares have kept, put beside the record as well.
fn take_networks(from: &Path, record: &Path) -> Result<()> {
    let (from, to) = (network_folder(from), network_folder(record));
    let Ok(entries) = std::fs::read_dir(&from) else { return Ok(()) };
    std::fs::create_dir_all(&to).map_err(|e| Error::io("cannot create", &to, e))?;
    for entry in entries.flatten() {
        let (old, new) = (entry.path(), to.join(entry.file_name()));
        let _ = std::fs::remove_file(&new);
        if std::fs::hard_link(&old, &new).is_err() {
            // Another file system, or one without links.
            std::fs::copy(&old, &new).map_err(|e| Error::io("cannot write", &new, e))?;
        }
    }
    Ok(())
}

fn distinct(all: impl Iterator<Item = String>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for one in all.filter(|one| !one.is_empty()) {
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}
