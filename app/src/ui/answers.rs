//! What worker threads find out, and what the window makes of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use basin_core::checkpoint::{Distribution, Summary};
use basin_core::job::{DataSelection, Evaluate, Examples, Job, Split, Train};
use basin_core::measure::statistics::{Point, Relation};
use basin_core::progress::Silent;
use basin_core::record::{Evaluation, Outcome, Record};
use basin_core::run::{Estimate, RunOptions};
use eframe::egui::ColorImage;

use crate::places;
use crate::plot::color::SERIES_COLORS;
use crate::shape::{Fact, ShapeOf};
use crate::ui::example_set::ExampleSet;
use crate::ui::follow::Stamp;
use crate::ui::probing::Probing;
use crate::ui::session::{Reading, RecordId, Target};
use crate::ui::standing::{FolderStatus, Place};
use crate::ui::study::{Estimated, Loaded};
use crate::ui::{Action, App, form};

/// Number of test images of the sanity check.
const SANITY_IMAGES: isize = 200;

/// Why a file dialog is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Checkpoints to open.
    OpenCheckpoints,
    /// Records to open.
    OpenRecords,
    /// A folder to open.
    OpenFolder,
    /// The folder of a data set.
    Data,
    /// The file to export to.
    Export,
    /// The folder of a training's data set.
    TrainingData,
    /// The folder of a training.
    TrainingFolder,
}

/// What a worker thread found out.
#[derive(Debug)]
pub enum Answer {
    /// A file dialog was closed; no paths: dismissed.
    Chosen {
        /// Why it was open.
        purpose: Purpose,
        /// What was chosen.
        paths: Vec<PathBuf>,
    },
    /// The desktop has no file dialog.
    NoDialog(Purpose),
    /// What is in folders, or in the records that were opened.
    Listed {
        /// The folders, if they were some.
        folders: Vec<PathBuf>,
        /// Checkpoint files: in the folders, or named in the records.
        checkpoints: Vec<PathBuf>,
        /// Records.
        records: Vec<(PathBuf, Record)>,
        /// A training that is asked for in a job file: for its form.
        training: Option<Box<Train>>,
        /// What cannot be used, in words.
        problems: Vec<String>,
    },
    /// What a checkpoint is.
    Inspected {
        /// The file.
        path: PathBuf,
        /// What it is, or why that cannot be said.
        result: Result<Box<Summary>, String>,
    },
    /// Clean error of a checkpoint on a few images.
    Sanity {
        /// The checkpoint.
        path: PathBuf,
        /// The evaluation, or why there is none.
        result: Result<Box<Evaluation>, String>,
    },
    /// Records that belong to a checkpoint.
    Found(Vec<(PathBuf, Record)>),
    /// How long a job will take.
    Estimated {
        /// The job.
        job: Box<Job>,
        /// The time, or why it cannot be said.
        result: Result<Estimate, String>,
    },
    /// What is in the folder of the form's training.
    FolderStatus {
        /// The training and where it is to go.
        place: Box<Place>,
        /// The folder.
        folder: PathBuf,
        /// What is in it.
        standing: FolderStatus,
    },
    /// How unfinished trainings go.
    Followed {
        /// Those whose folders have changed.
        changed: Vec<(PathBuf, Stamp, Record)>,
        /// Folders in which another process trains.
        elsewhere: Vec<PathBuf>,
    },
    /// Files that were open when the window was last closed and are still there.
    Remembered(Vec<PathBuf>),
    /// A small picture of what would be exported.
    Previewed(Result<Option<ColorImage>, String>),
    /// A figure was written.
    Exported {
        /// The file.
        path: PathBuf,
        /// What must be told about it, or what went wrong.
        result: Result<Vec<String>, String>,
    },
    /// The examples that a record kept.
    Examples {
        /// What was shown when they were asked for.
        of: u64,
        /// The examples, or why they cannot be shown.
        result: Result<Arc<ExampleSet>, String>,
    },
    /// Two records are compared.
    Compared {
        /// Their files.
        of: [PathBuf; 2],
        /// The comparison in words, or why there is none.
        result: Result<String, String>,
    },
    /// The shape of the landscape that is shown.
    Shape {
        /// What it was computed of.
        of: ShapeOf,
        /// What it is the shape of.
        title: String,
        /// In numbers.
        facts: Vec<Fact>,
    },
    /// How the two numbers of the scatter's points go together.
    Related {
        /// The points.
        of: Vec<Point>,
        /// Their relation; none: too few points.
        relation: Option<Box<Relation>>,
    },
    /// What a checkpoint's file leaves open has been tried.
    Probed {
        /// The checkpoint.
        path: PathBuf,
        /// What it is, or what went wrong.
        result: Result<Box<Summary>, String>,
    },
    /// The distributions of a checkpoint's tensors.
    Distributions {
        /// The checkpoint.
        path: PathBuf,
        /// The distributions, or why there are none.
        result: Result<Arc<Vec<Distribution>>, String>,
    },
    /// What it takes to measure what a study lacks.
    StudyEstimated(Estimated),
    /// Records of models that are selected in a study.
    StudyLoaded(Box<Loaded>),
    /// A thread went wrong.
    Failed(String),
}

impl App {
    /// Takes an answer of a worker thread.
    pub fn handle(&mut self, answer: Answer) {
        match answer {
            Answer::Chosen { purpose, paths } => self.chosen(purpose, paths),
            Answer::NoDialog(Purpose::OpenCheckpoints | Purpose::OpenRecords | Purpose::OpenFolder) => {
                self.ask_for_path();
            }
            Answer::NoDialog(_) => {
                self.note_error("This desktop offers no file dialog: type or paste the path into the field.");
            }
            Answer::Listed { folders, checkpoints, records, training, problems } => {
                self.actions.extend(training.map(Action::TakeTraining));
                self.listed(&folders, checkpoints, records, problems);
            }
            Answer::Inspected { path, result } => self.inspected(&path, result),
            Answer::Probed { path, result } => self.probed(&path, result),
            Answer::Distributions { path, result } => {
                if let Some(model) = self.session.model_mut(&path) {
                    model.distributing = None;
                    model.distributions = result.into();
                }
            }
            Answer::Sanity { path, result } => {
                if let Some(model) = self.session.model_mut(&path) {
                    model.sanity = result.into();
                }
            }
            Answer::Found(records) => {
                self.add_records(records);
                self.show_folder_of_ended_training();
            }
            Answer::Estimated { job, result } => self.estimates.answered(*job, result),
            Answer::FolderStatus { place, folder, standing } => {
                self.standings.answered(*place, folder, standing)
            }
            Answer::Followed { changed, elsewhere } => self.followed(changed, elsewhere),
            Answer::Exported { path, result } => match result {
                Ok(notes) => {
                    self.note(format!("Written: {}", path.display()));
                    notes.into_iter().for_each(|note| self.note(note));
                }
                Err(error) => self.note_error(error),
            },
            Answer::Remembered(paths) => self.open_paths(paths),
            Answer::Previewed(result) => self.export.previewed(result),
            Answer::Examples { of, result } => self.examples.answered(of, result),
            Answer::Compared { of, result } => self.comparison.answered(&of, result),
            Answer::Shape { of, title, facts } => self.shape.answered(of, title, facts),
            Answer::Related { of, relation } => self.scatter.related(&of, relation),
            Answer::StudyEstimated(estimated) => self.study_estimated(estimated),
            Answer::StudyLoaded(loaded) => self.study_loaded(*loaded),
            Answer::Failed(words) => self.note_error(words),
        }
    }

    /// A training that has ended, well or not, is its folder.
    fn show_folder_of_ended_training(&mut self) {
        let Some(Target::Job(id)) = self.session.target else { return };
        let ended = self.jobs.get(id).filter(|entry| !entry.is_active());
        let folder = ended.and_then(|entry| entry.out.as_deref());
        if let Some(record) = folder.and_then(|folder| self.session.record_at(folder)) {
            self.session.target = Some(Target::Record(record));
        }
    }

    pub(crate) fn chosen(&mut self, purpose: Purpose, paths: Vec<PathBuf>) {
        let Some(first) = paths.first().cloned() else { return };
        self.state.folder =
            if first.is_dir() { Some(first.clone()) } else { first.parent().map(Path::to_owned) };
        match purpose {
            Purpose::OpenCheckpoints | Purpose::OpenRecords | Purpose::OpenFolder => self.open_paths(paths),
            Purpose::Data => {
                let folder = first.display().to_string();
                self.state.form.give(self.state.measure, "data.name", Some(folder));
            }
            Purpose::TrainingData => self.state.train.give("data.name", Some(first.display().to_string())),
            Purpose::TrainingFolder => self.state.train.folder = first.display().to_string(),
            Purpose::Export => self.export.path = first.display().to_string(),
        }
    }

    fn listed(
        &mut self,
        folders: &[PathBuf],
        checkpoints: Vec<PathBuf>,
        records: Vec<(PathBuf, Record)>,
        problems: Vec<String>,
    ) {
        if let [folder, ..] = folders
            && checkpoints.is_empty()
            && records.is_empty()
            && problems.is_empty()
        {
            let what = "no checkpoints, records or trainings in this folder";
            self.note_error(format!("{}: {what}", folder.display()));
        }
        problems.into_iter().for_each(|problem| self.note_error(problem));
        self.open_paths(checkpoints);
        let trainings = records.iter().filter(|(_, record)| matches!(record.outcome, Outcome::Train(_)));
        let trainings: Vec<PathBuf> = trainings.map(|(path, _)| path.clone()).collect();
        let Some(best) = self.add_records(records) else { return };
        // Several trainings are there to be compared.
        let mut ids: Vec<RecordId> =
            trainings.iter().filter_map(|path| self.session.record_at(path)).collect();
        if ids.len() > SERIES_COLORS {
            self.note_warning(format!(
                "{SERIES_COLORS} of {} trainings are shown: so many can be told apart. A click at the left with Ctrl (Command on a Mac) shows another beside them, or takes one away.",
                ids.len()
            ));
            ids.truncate(SERIES_COLORS);
        }
        match ids.split_first() {
            Some((first, others)) => {
                self.actions.push(Action::SelectRecord(*first));
                self.actions.extend(others.iter().map(|id| Action::ToggleRecord(*id)));
            }
            None => self.actions.push(Action::SelectRecord(best)),
        }
    }

    /// Adds records; gives the one most worth looking at: the last surface, else the last.
    fn add_records(&mut self, records: Vec<(PathBuf, Record)>) -> Option<RecordId> {
        let mut best = None;
        for (path, record) in records {
            let is_surface =
                matches!(&record.outcome, Outcome::Landscape(landscape) if landscape.y.is_some());
            let id = self.session.add_record(path, record);
            if is_surface || !best.is_some_and(|(_, surface)| surface) {
                best = Some((id, is_surface));
            }
        }
        let best = best.map(|(id, _)| id);
        if self.session.target.is_none() {
            self.session.target = best.map(Target::Record);
        }
        best
    }

    fn inspected(&mut self, path: &Path, result: Result<Box<Summary>, String>) {
        if let Err(error) = &result {
            self.note_error(error.clone());
        }
        let Some(model) = self.session.model_mut(path) else { return };
        let resolution = result.as_ref().ok().map(|summary| summary.resolution);
        model.summary = result.into();
        let Some(resolution) = resolution else { return };
        // Of models that are looked at one after the other only what the file says is read.
        if !self.session.model_stays(path) {
            return;
        }
        let Some(model) = self.session.model(path) else { return };
        let ambiguous =
            model.summary.ready().is_some_and(|summary| summary.ambiguous && summary.probe.is_none());
        if ambiguous {
            return self.start_probe(path);
        }
        self.opened(path, resolution);
    }

    /// Tries on labelled images what a file leaves open; its summary is shown meanwhile.
    fn start_probe(&mut self, path: &Path) {
        let Some(model) = self.session.model_mut(path) else { return };
        let probing = Arc::new(Probing::default());
        let mut follower = probing.follower();
        model.probing = Some(probing);
        let (engine, path) = (self.engine.clone(), path.to_owned());
        self.background.spawn("probe", move || {
            let result = engine.probe(&path, &mut follower).map(Box::new).map_err(|error| error.to_string());
            Answer::Probed { path, result }
        });
    }

    /// Computes the distributions of a checkpoint's tensors, once.
    pub(crate) fn compute_distributions(&mut self, path: &Path) {
        let Some(model) = self.session.model_mut(path).filter(|model| !model.is_computing()) else { return };
        let computing = Arc::new(Probing::default());
        let mut follower = computing.follower();
        model.distributing = Some(computing);
        let (engine, path) = (self.engine.clone(), path.to_owned());
        self.background.spawn("distributions", move || {
            let result = engine.distributions(&path, &mut follower);
            Answer::Distributions { path, result: result.map(Arc::new).map_err(|error| error.to_string()) }
        });
    }

    fn probed(&mut self, path: &Path, result: Result<Box<Summary>, String>) {
        let Some(model) = self.session.model_mut(path) else { return };
        model.probing = None;
        match result {
            Ok(summary) => {
                let resolution = summary.resolution;
                model.summary = Reading::Ready(summary);
                self.opened(path, resolution);
            }
            Err(error) => self.note_error(error),
        }
    }

    /// What follows once it is known what a checkpoint is.
    fn opened(&mut self, path: &Path, resolution: [usize; 3]) {
        if let Some(other) = self.session.close_duplicate(path) {
            return self.note(format!("{} is open already, as {}.", path.display(), other.display()));
        }
        let (engine, checkpoint) = (self.engine.clone(), path.to_owned());
        self.background.spawn("sanity", move || {
            let examples = Examples { split: Split::Test, start: 0, end: SANITY_IMAGES };
            let data = DataSelection { name: form::fitting_data(resolution).0.into(), examples };
            let job = Job::Evaluate(Evaluate {
                checkpoint: checkpoint.clone(),
                data,
                attack: None,
                ..Evaluate::default()
            });
            let result = match engine.run(&job, &RunOptions::default(), &mut Silent) {
                Ok(Record { outcome: Outcome::Evaluate(evaluation), .. }) => Ok(Box::new(evaluation)),
                Ok(_) => Err("the evaluation gave no evaluation".to_owned()),
                Err(error) => Err(error.to_string()),
            };
            Answer::Sanity { path: checkpoint, result }
        });
        let checkpoint = path.to_owned();
        self.background.spawn("records", move || {
            let files = places::records_of(&checkpoint);
            Answer::Found(
                files
                    .into_iter()
                    .filter_map(|file| Some((file.clone(), Record::load(&file).ok()?)))
                    .collect(),
            )
        });
    }
}
