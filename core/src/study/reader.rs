//! Reading a study again and again: what is known at once, then what has changed, then what is missing.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::digest::Digest;
use super::entries::{Entries, OfModel, Owners};
use super::find::{Listed, Stamp, list};
use super::index::{Content, Index};
use super::{Hashes, MEASURES, Study, file_name};
use crate::error::Result;
use crate::record::Record;

/// Files that are read between two looks at the clock.
const PORTION: usize = 64;
/// What has been read is told about this often at most.
const EVERY: Duration = Duration::from_millis(400);
/// An index is kept from this number of files on; fewer are read in no time.
const WORTH_KEEPING: usize = 100;

/// Where the digests of a study's records are kept between runs; none: the user has no cache folder.
pub fn index_file(folder: &Path) -> Option<PathBuf> {
    Index::place(folder)
}

/// How far a look at a study has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Step {
    /// New or changed files that have been read.
    pub done: usize,
    /// New or changed files.
    pub total: usize,
}

/// What is known of a study's folder.
#[derive(Debug, Clone, Default)]
pub struct Look {
    /// Digests of the records by model.
    pub entries: Entries<Arc<Digest>>,
    /// How much of it has been read.
    pub step: Step,
}

/// Reads the folder of a study; a second look reads only what has changed.
#[derive(Debug)]
pub struct Reader {
    folder: PathBuf,
    place: Option<PathBuf>,
    index: Index,
    hashes: Hashes,
    /// What the last whole look was of.
    seen: Option<(Study, Listed, Vec<Checkpoint>)>,
}

/// A model's checkpoint: its hash if it is noted, none yet, or why it cannot be read; none: it has no checkpoint.
type Checkpoint = Option<std::result::Result<Option<String>, String>>;

impl Reader {
    /// Knows what the last one knew of the folder.
    pub fn open(folder: &Path) -> Self {
        Self::with_index(folder, Index::place(folder))
    }

    /// The same with the index in a file of its own; none: it is not kept.
    pub fn with_index(folder: &Path, place: Option<PathBuf>) -> Self {
        let index = place.as_deref().map(Index::load).unwrap_or_default();
        Self { folder: folder.to_owned(), place, index, hashes: Hashes::load(folder), seen: None }
    }

    /// Looks into the folder; none: nothing has changed since the last look. `each` gets what is known meanwhile, now and
    /// then, and says whether to go on; if not, what was read so far is the result.
    ///
    /// # Errors
    /// The folder cannot be read. Files that are damaged are problems of their model.
    pub fn look(&mut self, study: &Study, each: &mut dyn FnMut(Look) -> bool) -> Result<Option<Look>> {
        let mut pace = Pace::new();
        if self.seen.is_none() && !self.index.files.is_empty() {
            // What an earlier run has kept is shown before the folder has been looked through.
            let looked = self.assigned(study, &Listed::default(), &self.checkpoints(study), Step::default());
            if !each(looked) {
                return Ok(None);
            }
            pace.told();
        }
        let listed = list(&self.folder)?;
        let mut checkpoints = self.checkpoints(study);
        let same = self
            .seen
            .as_ref()
            .is_some_and(|(of, seen, before)| of == study && *seen == listed && *before == checkpoints);
        if same {
            return Ok(None);
        }
        let changed = self.changed(study, &listed);
        let total = changed.len();
        let mut done = 0;
        for portion in changed.chunks(PORTION) {
            self.read(portion);
            done += portion.len();
            if done < total && pace.is_time() {
                let step = Step { done, total };
                if !each(pace.timed(|| self.assigned(study, &listed, &checkpoints, step))) {
                    return Ok(Some(self.assigned(study, &listed, &checkpoints, step)));
                }
            }
        }
        if total > 0 && self.index.files.len() >= WORTH_KEEPING {
            // One that cannot be kept is made again.
            let _ = self.place.as_deref().map(|place| self.index.save(place));
        }
        let step = Step { done: total, total };
        let mut stopped = false;
        for (model, known) in study.models.iter().zip(0..) {
            let (Some(path), Some(Ok(None))) = (&model.checkpoint, &checkpoints[known]) else { continue };
            if pace.is_time() && !each(pace.timed(|| self.assigned(study, &listed, &checkpoints, step))) {
                stopped = true;
                break;
            }
            checkpoints[known] = Some(self.hashes.compute(path).map(Some).map_err(|e| e.to_string()));
        }
        self.hashes.save();
        let look = self.assigned(study, &listed, &checkpoints, step);
        self.seen = (!stopped).then(|| (study.clone(), listed, checkpoints));
        Ok(Some(look))
    }

    fn checkpoints(&self, study: &Study) -> Vec<Checkpoint> {
        let noted = |path: &PathBuf| self.hashes.noted(path).map_err(|error| error.to_string());
        study.models.iter().map(|model| model.checkpoint.as_ref().map(noted)).collect()
    }

    /// Files that are new or have changed, with whether they must be records, as a model lists them or they are where
    /// measures are written; forgets those that are gone.
    fn changed(&mut self, study: &Study, listed: &Listed) -> Vec<(PathBuf, Stamp, bool)> {
        let of_models = study.models.iter().flat_map(|model| &model.records);
        let places = Places::of(study);
        // Those that cannot be found are read as well, which says why.
        let of_models = of_models
            .map(|path| (path.clone(), Stamp::of(&self.folder.join(path)).unwrap_or_default(), true));
        let mut all: Vec<(PathBuf, Stamp, bool)> = of_models
            .chain(listed.texts.iter().map(|(path, stamp)| (path.clone(), *stamp, places.is(path))))
            .collect();
        // A file that is listed comes first.
        all.sort_by(|(a, _, first), (b, _, second)| a.as_os_str().cmp(b.as_os_str()).then(second.cmp(first)));
        all.dedup_by(|(a, ..), (b, ..)| a == b);
        let there: HashSet<&PathBuf> = all.iter().map(|(path, ..)| path).collect();
        self.index.files.retain(|path, _| there.contains(path));
        drop(there);
        all.retain(|(path, stamp, _)| {
            self.index.files.get(path).is_none_or(|(known, _)| known != stamp || *stamp == Stamp::default())
        });
        all
    }

    /// Reads files on all processors.
    fn read(&mut self, files: &[(PathBuf, Stamp, bool)]) {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let share = files.len().div_ceil(threads).max(1);
        let folder = &self.folder;
        let read =
            |(path, _, is_listed): &(PathBuf, Stamp, bool)| Content::of(&folder.join(path), *is_listed);
        let contents: Vec<Content> = std::thread::scope(|scope| {
            let shares: Vec<_> = files
                .chunks(share)
                .map(|files| scope.spawn(move || files.iter().map(read).collect::<Vec<_>>()))
                .collect();
            shares.into_iter().flat_map(|share| share.join().unwrap_or_default()).collect()
        });
        for ((path, stamp, _), content) in files.iter().zip(contents) {
            self.index.files.insert(path.clone(), (*stamp, content));
        }
    }

    /// The contents by model.
    fn assigned(&self, study: &Study, listed: &Listed, checkpoints: &[Checkpoint], step: Step) -> Look {
        let hash = |checkpoint: &Checkpoint| checkpoint.clone()?.ok()?;
        let hashes: Vec<Option<String>> = checkpoints.iter().map(hash).collect();
        let owners = Owners::new(&self.folder, study, &hashes);
        let mut entries = Entries::default();
        for (checkpoint, hash) in checkpoints.iter().zip(&hashes) {
            let problem = checkpoint.as_ref().and_then(|read| read.as_ref().err().cloned());
            entries.models.push(OfModel {
                hash: hash.clone(),
                problems: problem.into_iter().collect(),
                ..OfModel::default()
            });
        }
        let mut files: Vec<(&PathBuf, &Content)> =
            self.index.files.iter().map(|(path, (_, content))| (path, content)).collect();
        // As bytes: comparing 100,000 paths part by part takes longer than all the rest.
        files.sort_unstable_by_key(|(path, _)| path.as_os_str());
        for (path, content) in files {
            match content {
                Content::Record(digest) => match owners.by_name(path).or_else(|| owners.by_content(digest)) {
                    Some(owner) => entries.models[owner].records.push((path.clone(), digest.clone())),
                    None => entries.strangers.push(path.clone()),
                },
                Content::Broken(reason) => match owners.by_name(path) {
                    Some(owner) => {
                        let of = &mut entries.models[owner];
                        of.problems.push(reason.clone());
                        of.broken.push(path.clone());
                    }
                    None => entries.broken.push((path.clone(), reason.clone())),
                },
                Content::Other => {}
            }
        }
        let known = study.models.iter().flat_map(|model| model.checkpoint.iter().chain(&model.training));
        let known: HashSet<&PathBuf> = known.collect();
        let found = listed.checkpoints.iter().chain(&listed.trainings);
        entries.unlisted = found.filter(|path| !known.contains(path)).cloned().collect();
        Look { entries, step }
    }
}

impl Entries<Arc<Digest>> {
    /// Digests of every record in the folder of a study; files that have not changed are not read again.
    ///
    /// # Errors
    /// The folder cannot be read. Files that are damaged are problems of their model.
    pub fn digests(folder: &Path, study: &Study) -> Result<Self> {
        let looked = Reader::open(folder).look(study, &mut |_| true)?;
        Ok(looked.map(|look| look.entries).unwrap_or_default())
    }

    /// The records themselves; those that cannot be read any more become problems.
    pub fn load_records(self, folder: &Path) -> Entries {
        let whole = |of: OfModel<Arc<Digest>>| {
            let OfModel { records, hash, problems, broken } = of;
            let mut whole = OfModel { records: Vec::new(), hash, problems, broken };
            for (path, _) in records {
                match Record::load(&folder.join(&path)) {
                    Ok(record) => whole.records.push((path, record)),
                    Err(error) => {
                        whole.problems.push(error.to_string());
                        whole.broken.push(path);
                    }
                }
            }
            whole
        };
        let Self { models, strangers, broken, unlisted } = self;
        Entries { models: models.into_iter().map(whole).collect(), strangers, broken, unlisted }
    }
}

impl Entries<Record> {
    /// Reads every record in the folder of a study.
    ///
    /// # Errors
    /// The folder cannot be read. Files that are damaged are problems of their model.
    pub fn load(folder: &Path, study: &Study) -> Result<Self> {
        Ok(Entries::digests(folder, study)?.load_records(folder))
    }
}

/// Where the records of a study's measures are written.
struct Places {
    models: HashSet<String>,
    measures: HashSet<String>,
}

impl Places {
    fn of(study: &Study) -> Self {
        Self {
            models: study.models.iter().map(|model| file_name(&model.name)).collect(),
            measures: study
                .measures
                .iter()
                .map(|measure| format!("{}.json", file_name(&measure.name)))
                .collect(),
        }
    }

    fn is(&self, path: &Path) -> bool {
        let Ok(below) = path.strip_prefix(MEASURES) else { return false };
        let parts: Vec<&str> = below.iter().filter_map(|part| part.to_str()).collect();
        matches!(parts[..], [model, file] if self.models.contains(model) && self.measures.contains(file))
    }
}

/// When to tell what is known: seldom enough that telling costs a tenth of the time at most.
struct Pace {
    last: Instant,
    cost: Duration,
}

impl Pace {
    fn new() -> Self {
        Self { last: Instant::now(), cost: Duration::ZERO }
    }

    fn told(&mut self) {
        self.last = Instant::now();
    }

    fn is_time(&self) -> bool {
        self.last.elapsed() >= EVERY.max(10 * self.cost)
    }

    fn timed<T>(&mut self, tell: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let told = tell();
        self.cost = begun.elapsed();
        self.last = Instant::now();
        told
    }
}
