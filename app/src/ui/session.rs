//! The session: open checkpoints, and records below each. Data only; the panel draws it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use basin_core::checkpoint::{Distribution, Summary};
use basin_core::job::Job;
use basin_core::record::{Evaluation, Outcome, Record, names};

use crate::jobs::JobId;
use crate::ui::probing::Probing;

/// Something that a worker thread finds out.
#[derive(Debug, Clone, Default)]
pub enum Reading<T> {
    /// Not yet.
    #[default]
    Pending,
    /// There it is.
    Ready(T),
    /// It went wrong, in words.
    Failed(String),
}

impl<T> Reading<T> {
    /// The value, if it is there.
    pub fn ready(&self) -> Option<&T> {
        match self {
            Self::Ready(value) => Some(value),
            _ => None,
        }
    }
}

impl<T> From<Result<T, String>> for Reading<T> {
    fn from(result: Result<T, String>) -> Self {
        result.map_or_else(Self::Failed, Self::Ready)
    }
}

/// An open checkpoint.
#[derive(Debug, Clone)]
pub struct Model {
    /// The file.
    pub path: PathBuf,
    /// What it is.
    pub summary: Reading<Box<Summary>>,
    /// Clean error on a few test images, to see that it was read rightly.
    pub sanity: Reading<Box<Evaluation>>,
    /// What the file leaves open is being tried.
    pub probing: Option<Arc<Probing>>,
    /// Distributions of its tensors' values, in the order of the summary; computed when they are first seen.
    pub distributions: Reading<Arc<Vec<Distribution>>>,
    /// The distributions are being computed.
    pub distributing: Option<Arc<Probing>>,
}

impl Model {
    /// Whether a worker thread reads or tries the file for the Model tab.
    pub fn is_computing(&self) -> bool {
        self.probing.is_some() || self.distributing.is_some()
    }

    /// File name.
    pub fn file_name(&self) -> String {
        file_name(&self.path)
    }
}

/// Tells the records of one session apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RecordId(u64);

/// An open record.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its name in this session.
    pub id: RecordId,
    /// The file.
    pub path: PathBuf,
    /// What is in it.
    pub record: Arc<Record>,
}

/// What the views show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A record.
    Record(RecordId),
    /// A job, while it runs.
    Job(JobId),
}

/// Open checkpoints and records, and what of them is selected.
#[derive(Debug, Clone, Default)]
pub struct Session {
    models: Vec<Model>,
    records: Vec<Stored>,
    next: u64,
    /// Records that are open only as long as their model of a study is selected.
    guests: Vec<RecordId>,
    /// A checkpoint that is open only as long.
    guest: Option<PathBuf>,
    /// The checkpoint that the forms are about.
    pub selected: Option<PathBuf>,
    /// What the views show.
    pub target: Option<Target>,
    beside: Vec<RecordId>,
}

impl Session {
    /// Open checkpoints in the order of opening.
    pub fn models(&self) -> &[Model] {
        &self.models
    }

    /// Open records in the order of opening.
    pub fn records(&self) -> &[Stored] {
        &self.records
    }

    /// Nothing is open.
    pub fn is_empty(&self) -> bool {
        self.models.is_empty() && self.records.is_empty()
    }

    /// One checkpoint.
    pub fn model(&self, path: &Path) -> Option<&Model> {
        self.models.iter().find(|model| model.path == path)
    }

    /// One checkpoint, to change it.
    pub fn model_mut(&mut self, path: &Path) -> Option<&mut Model> {
        self.models.iter_mut().find(|model| model.path == path)
    }

    /// One record.
    pub fn record(&self, id: RecordId) -> Option<&Stored> {
        self.records.iter().find(|stored| stored.id == id)
    }

    /// The record of a file, or of a training's folder.
    pub fn record_at(&self, path: &Path) -> Option<RecordId> {
        self.records.iter().find(|stored| stored.path == path).map(|stored| stored.id)
    }

    /// The selected checkpoint.
    pub fn selected_model(&self) -> Option<&Model> {
        self.model(self.selected.as_deref()?)
    }

    /// Whether the record that is shown is of another network than the one that is selected.
    pub fn shows_another(&self) -> bool {
        let (Some(Target::Record(id)), Some(model)) = (self.target, self.selected_model()) else {
            return false;
        };
        self.record(id).is_some_and(|stored| !belongs(stored, model) && !is_of(stored, model))
    }

    /// What the selected checkpoint is called among the open ones.
    pub fn selected_name(&self) -> Option<String> {
        let paths: Vec<&Path> = self.models.iter().map(|model| &*model.path).collect();
        let at = self.models.iter().position(|model| Some(&*model.path) == self.selected.as_deref())?;
        names::of_files(&paths).into_iter().nth(at)
    }

    /// Opens a checkpoint and selects it; whether it is new.
    pub fn add_model(&mut self, path: PathBuf) -> bool {
        self.guest.take_if(|guest| *guest == path);
        let new = self.model(&path).is_none();
        if new {
            self.models.push(Model {
                path: path.clone(),
                summary: Reading::Pending,
                sanity: Reading::Pending,
                probing: None,
                distributions: Reading::Pending,
                distributing: None,
            });
        }
        self.select_model(&path);
        new
    }

    /// The records that are shown beside the target, in the order of choosing.
    pub fn beside(&self) -> impl Iterator<Item = &Stored> {
        let is_target = |id: RecordId| self.target == Some(Target::Record(id));
        self.beside.iter().filter(move |id| !is_target(**id)).filter_map(|id| self.record(*id))
    }

    /// Whether a record is shown.
    pub fn is_shown(&self, id: RecordId) -> bool {
        self.target == Some(Target::Record(id)) || self.beside.contains(&id)
    }

    /// Shows a record beside others of its kind, or no longer; one that shares no chart is shown by itself.
    pub fn toggle_record(&mut self, id: RecordId) {
        let record = |id| self.record(id).map(|stored| &*stored.record);
        let fits = match self.target {
            Some(Target::Record(target)) => {
                record(target).zip(record(id)).is_some_and(|(one, other)| share_a_chart(one, other))
            }
            Some(Target::Job(_)) => record(id).is_some_and(|record| share_a_chart(record, record)),
            None => false,
        };
        if !fits {
            return self.select_record(id);
        }
        let rest: Vec<RecordId> =
            self.beside().map(|stored| stored.id).filter(|other| *other != id).collect();
        if self.target == Some(Target::Record(id)) {
            if let Some((first, others)) = rest.split_first() {
                (self.target, self.beside) = (Some(Target::Record(*first)), others.to_vec());
            }
        } else {
            let add = !self.beside.contains(&id);
            self.beside = rest;
            self.beside.extend(add.then_some(id));
        }
    }

    /// Adds a record, in place of an older one from the same file; it stays open.
    pub fn add_record(&mut self, path: PathBuf, record: Record) -> RecordId {
        let id = self.put(path, record);
        self.guests.retain(|guest| *guest != id);
        id
    }

    /// Adds a record that is open only as long as its model is selected, unless it is open already.
    pub fn add_guest(&mut self, path: PathBuf, record: Record) -> RecordId {
        let is_new = self.record_at(&path).is_none();
        let id = self.put(path, record);
        self.guests.extend(is_new.then_some(id));
        id
    }

    /// Closes what was open for the selection before, and opens this instead; the records, old or new.
    pub fn replace_guests(
        &mut self,
        checkpoint: Option<PathBuf>,
        records: Vec<(PathBuf, Record)>,
    ) -> Vec<RecordId> {
        let before = std::mem::take(&mut self.guests);
        // Those that are wanted again keep their id, and the views what they show.
        let kept = |id: &RecordId| {
            self.record(*id).is_some_and(|of| records.iter().any(|(path, _)| *path == of.path))
        };
        let (kept, gone): (Vec<_>, Vec<_>) = before.into_iter().partition(kept);
        self.records.retain(|stored| !gone.contains(&stored.id));
        self.guests = kept;
        if let Some(path) = self.guest.take_if(|guest| checkpoint.as_ref() != Some(guest)) {
            self.models.retain(|model| model.path != path);
            if self.selected.as_ref() == Some(&path) {
                self.selected = None;
            }
        }
        if let Some(path) = checkpoint {
            let target = self.target;
            if self.add_model(path.clone()) {
                self.guest = Some(path);
            }
            self.target = target;
        }
        let ids = records.into_iter().map(|(path, record)| self.add_guest(path, record)).collect();
        self.forget_lost_target();
        ids
    }

    /// Whether a checkpoint is open only as long as its model is selected, and nothing is known of it yet.
    pub fn is_unread_guest(&self, path: &Path) -> bool {
        self.guest.as_deref() == Some(path)
            && self.model(path).is_some_and(|model| matches!(model.summary, Reading::Pending))
    }

    /// Whether a record stays open whatever is selected.
    pub fn stays(&self, id: RecordId) -> bool {
        !self.guests.contains(&id)
    }

    /// Whether a checkpoint stays open whatever is selected.
    pub fn model_stays(&self, path: &Path) -> bool {
        self.guest.as_deref() != Some(path)
    }

    /// Of these records the one most like another: of the same job, else of its kind, else a landscape, else a flatness.
    pub fn counterpart(&self, ids: &[RecordId], of: Option<&Record>) -> Option<RecordId> {
        let likeness = |record: &Record| {
            let of_kind = of.filter(|of| of.job.kind() == record.job.kind());
            let same_chart = of.is_some_and(|of| share_a_chart(of, record));
            let same = of_kind.is_some_and(|of| of.job.summary() == record.job.summary());
            let landscape = matches!(record.outcome, Outcome::Landscape(_));
            let flatness = matches!(record.outcome, Outcome::Flatness(_));
            (same, same_chart, of_kind.is_some(), landscape, flatness)
        };
        let all = ids.iter().filter_map(|id| self.record(*id));
        all.max_by_key(|stored| likeness(&stored.record)).map(|stored| stored.id)
    }

    fn put(&mut self, path: PathBuf, record: Record) -> RecordId {
        let record = Arc::new(record);
        if let Some(known) = self.records.iter_mut().find(|stored| stored.path == path) {
            known.record = record;
            return known.id;
        }
        let id = RecordId(self.next);
        self.next += 1;
        self.records.push(Stored { id, path, record });
        id
    }

    /// Selects a checkpoint; the views keep what they show only if it is of this checkpoint.
    pub fn select_model(&mut self, path: &Path) {
        self.selected = Some(path.to_owned());
        self.beside.clear();
        let Some(model) = self.model(path) else { return };
        let keeps = match self.target {
            Some(Target::Record(id)) => {
                self.record(id).is_some_and(|stored| belongs(stored, model) || is_of(stored, model))
            }
            Some(Target::Job(_)) | None => false,
        };
        if !keeps {
            let landscape = |stored: &&Stored| matches!(stored.record.outcome, Outcome::Landscape(_));
            let latest = self.records_of(model).rfind(|stored| landscape(stored));
            self.target = latest.map(|stored| Target::Record(stored.id));
        }
    }

    /// Nothing is shown beside the target any more.
    pub fn show_alone(&mut self) {
        self.beside.clear();
    }

    /// Selects a record, and its checkpoint if that is open.
    pub fn select_record(&mut self, id: RecordId) {
        self.target = Some(Target::Record(id));
        self.beside.clear();
        let Some(stored) = self.record(id) else { return };
        if let Some(model) = self.models.iter().find(|model| belongs(stored, model)) {
            self.selected = Some(model.path.clone());
        }
    }

    /// Closes a checkpoint and its records. The files stay.
    pub fn remove_model(&mut self, path: &Path) {
        let Some(at) = self.models.iter().position(|model| model.path == path) else { return };
        let model = self.models.remove(at);
        self.records.retain(|stored| !belongs(stored, &model));
        if self.selected.as_deref() == Some(path) {
            self.selected = self.models.first().map(|model| model.path.clone());
        }
        self.forget_lost_target();
    }

    /// Closes a checkpoint if another open one has the same content, and selects that one; its path.
    pub fn close_duplicate(&mut self, path: &Path) -> Option<PathBuf> {
        let hash = |model: &Model| model.summary.ready().map(|summary| summary.hash.clone());
        let wanted = self.model(path).and_then(hash)?;
        let same = |model: &&Model| model.path != path && hash(model).as_ref() == Some(&wanted);
        let other = self.models.iter().find(same)?.path.clone();
        self.models.retain(|model| model.path != path);
        if self.selected.as_deref() == Some(path) {
            self.selected = Some(other.clone());
        }
        Some(other)
    }

    /// Closes a record; of a training its networks, too. The file stays.
    pub fn remove_record(&mut self, id: RecordId) {
        let networks: Vec<PathBuf> = match self.record(id) {
            Some(stored) => self.networks_of(stored).map(|model| model.path.clone()).collect(),
            None => Vec::new(),
        };
        networks.iter().for_each(|path| self.remove_model(path));
        self.records.retain(|stored| stored.id != id);
        self.forget_lost_target();
    }

    fn forget_lost_target(&mut self) {
        let records = &self.records;
        self.beside.retain(|id| records.iter().any(|stored| stored.id == *id));
        if let Some(Target::Record(id)) = self.target
            && self.record(id).is_none()
        {
            self.target = None;
        }
    }

    /// Records of a checkpoint.
    pub fn records_of<'a>(&'a self, model: &'a Model) -> impl DoubleEndedIterator<Item = &'a Stored> {
        self.records.iter().filter(|stored| belongs(stored, model))
    }

    /// Trainings.
    pub fn trainings(&self) -> impl Iterator<Item = &Stored> {
        self.records.iter().filter(|stored| is_training(stored))
    }

    /// The open training that a checkpoint is of.
    pub fn training_of(&self, model: &Model) -> Option<&Stored> {
        self.trainings().find(|stored| is_of(stored, model))
    }

    /// Open checkpoints of a training.
    pub fn networks_of<'a>(&'a self, training: &'a Stored) -> impl Iterator<Item = &'a Model> {
        self.models.iter().filter(|model| is_of(training, model))
    }

    /// Records whose checkpoint is not open.
    pub fn other_records(&self) -> impl Iterator<Item = &Stored> {
        let measures = self.records.iter().filter(|stored| !is_training(stored));
        measures.filter(|stored| !self.models.iter().any(|model| belongs(stored, model)))
    }
}

/// By content where that is known (a checkpoint may have been moved), else by path.
fn belongs(stored: &Stored, model: &Model) -> bool {
    let hash = &stored.record.provenance.checkpoint_hash;
    match model.summary.ready() {
        Some(summary) if !hash.is_empty() => *hash == summary.hash,
        _ => stored.record.job.checkpoint() == Some(&*model.path),
    }
}

fn is_training(stored: &Stored) -> bool {
    matches!(stored.record.outcome, Outcome::Train(_))
}

/// Whether a checkpoint lies in the folder of a training.
fn is_of(training: &Stored, model: &Model) -> bool {
    is_training(training) && model.path.starts_with(&training.path)
}

/// Whether two records can share a chart: 1-D landscapes, flatness, attacks, trainings, each with their kind.
pub fn share_a_chart(one: &Record, other: &Record) -> bool {
    match (&one.outcome, &other.outcome) {
        (Outcome::Landscape(one), Outcome::Landscape(other)) => one.y.is_some() == other.y.is_some(),
        (Outcome::Flatness(_), Outcome::Flatness(_))
        | (Outcome::Attack(_), Outcome::Attack(_))
        | (Outcome::Hessian(_), Outcome::Hessian(_))
        | (Outcome::Train(_), Outcome::Train(_)) => true,
        _ => false,
    }
}

/// Last part of a path.
pub fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// The settings that tell jobs of one kind apart: `25 × 25, layer 0.5, 100 images`.
pub fn job_details(job: &Job) -> String {
    job.summary().details.join(", ")
}

/// `2026-11-22 17:33` from RFC 3339.
pub fn when(started: &str) -> String {
    let (Some(day), Some(time)) = (started.get(..10), started.get(11..16)) else { return started.to_owned() };
    format!("{day} {time}")
}
