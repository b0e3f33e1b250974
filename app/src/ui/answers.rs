//! What worker threads find out, and what the window makes of it.

use std::path::{Path, PathBuf};

use basin_core::checkpoint::Summary;
use basin_core::job::{DataSelection, Evaluate, Examples, Job, Split};
use basin_core::progress::Silent;
use basin_core::record::{Evaluation, Outcome, Record};
use basin_core::run::{Estimate, RunOptions};
use eframe::egui::{ColorImage, Context};

use crate::places;
use crate::ui::study::{Target, file_name};
use crate::ui::{App, form};

/// Number of test images of the sanity check.
const SANITY_IMAGES: usize = 200;

/// Why a file dialog is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Checkpoints to open.
    OpenCheckpoints,
    /// Records to open.
    OpenRecords,
    /// A folder to open.
    OpenFolder,
    /// The bundled checkpoint; not asked for in a dialog.
    OpenExample,
    /// The folder of a data set.
    Data,
    /// The file to export to.
    Export,
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
    /// The checkpoints in a folder.
    Listed {
        /// The folder.
        folder: PathBuf,
        /// Checkpoint files in it.
        checkpoints: Vec<PathBuf>,
        /// Records in it.
        records: Vec<(PathBuf, Record)>,
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
    /// A record was read.
    Loaded {
        /// The file.
        path: PathBuf,
        /// The record, or why it cannot be used.
        result: Result<Box<Record>, String>,
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
    /// Files that were open when the window was last closed and are still there.
    Remembered(Vec<PathBuf>),
    /// A small picture of what would be exported.
    Previewed(Result<Option<ColorImage>, String>),
    /// A figure was written.
    Exported {
        /// The file.
        path: PathBuf,
        /// Nothing, or what went wrong.
        result: Result<(), String>,
    },
    /// A thread went wrong.
    Failed(String),
}

impl App {
    /// Takes an answer of a worker thread.
    pub fn handle(&mut self, answer: Answer) {
        match answer {
            Answer::Chosen { purpose, paths } => self.chosen(purpose, paths),
            Answer::Listed { folder, checkpoints, records } => {
                if checkpoints.is_empty() && records.is_empty() {
                    self.note_error(format!(
                        "{}: no checkpoints or records in this folder",
                        folder.display()
                    ));
                }
                self.add_records(records, false);
                self.open_paths(checkpoints);
            }
            Answer::Inspected { path, result } => self.inspected(&path, result),
            Answer::Sanity { path, result } => {
                if let Some(model) = self.study.model_mut(&path) {
                    model.sanity = result.into();
                }
            }
            Answer::Loaded { path, result } => match result {
                Ok(record) => self.add_records(vec![(path, *record)], true),
                Err(error) => self.note_error(error),
            },
            Answer::Found(records) => self.add_records(records, false),
            Answer::Estimated { job, result } => self.estimates.answered(*job, result),
            Answer::Exported { path, result } => match result {
                Ok(()) => self.note(format!("Written: {}", path.display())),
                Err(error) => self.note_error(error),
            },
            Answer::Remembered(paths) => self.open_paths(paths),
            Answer::Previewed(result) => self.export.previewed(result),
            Answer::Failed(words) => self.note_error(words),
        }
    }

    fn chosen(&mut self, purpose: Purpose, paths: Vec<PathBuf>) {
        let Some(first) = paths.first().cloned() else { return };
        self.state.folder =
            if first.is_dir() { Some(first.clone()) } else { first.parent().map(Path::to_owned) };
        match purpose {
            Purpose::OpenCheckpoints | Purpose::OpenRecords | Purpose::OpenFolder | Purpose::OpenExample => {
                self.open_paths(paths);
            }
            Purpose::Data => self.state.form.data = first.display().to_string(),
            Purpose::Export => self.export.path = first.display().to_string(),
        }
    }

    fn add_records(&mut self, records: Vec<(PathBuf, Record)>, select: bool) {
        for (path, record) in records {
            let landscape = matches!(record.outcome, Outcome::Landscape(_));
            let id = self.study.add_record(path, record);
            if select || (self.study.target.is_none() && landscape) {
                if select {
                    self.actions.push(crate::ui::Action::SelectRecord(id));
                } else {
                    self.study.target = Some(Target::Record(id));
                }
            }
        }
    }

    fn inspected(&mut self, path: &Path, result: Result<Box<Summary>, String>) {
        if let Err(error) = &result {
            self.note_error(error.clone());
        }
        let Some(model) = self.study.model_mut(path) else { return };
        let resolution = result.as_ref().ok().map(|summary| summary.resolution);
        model.summary = result.into();
        let Some(resolution) = resolution else { return };
        let (engine, checkpoint) = (self.engine.clone(), path.to_owned());
        self.background.spawn("sanity", move || {
            let examples = Examples { split: Split::Test, start: 0, end: SANITY_IMAGES };
            let data = DataSelection { name: form::fitting_data(resolution).0.into(), examples };
            let job = Job::Evaluate(Evaluate {
                checkpoint: checkpoint.clone(),
                data,
                attack: None,
                compute: basin_core::job::Compute::default(),
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

    /// Opens those of the files that are still there.
    pub(crate) fn open_again(&self, paths: Vec<PathBuf>) {
        if !paths.is_empty() {
            let still = move || paths.into_iter().filter(|path| path.exists()).collect();
            self.background.spawn("remember", move || Answer::Remembered(still()));
        }
    }

    /// Opens files and folders; what each is, is found out on threads.
    pub fn open_paths(&mut self, paths: Vec<PathBuf>) {
        for path in paths {
            let path = std::path::absolute(&path).unwrap_or(path);
            if path.is_dir() {
                self.background.spawn("folder", move || list_folder(path));
            } else if path.extension().is_some_and(|e| e == "json") {
                self.background.spawn("record", move || {
                    let result = Record::load(&path).map(Box::new).map_err(|error| error.to_string());
                    Answer::Loaded { path, result }
                });
            } else if self.study.add_model(path.clone()) {
                self.tabs.show(crate::ui::Pane::Model);
                let engine = self.engine.clone();
                self.background.spawn("inspect", move || {
                    let result = engine.inspect(&path).map(Box::new).map_err(|error| error.to_string());
                    Answer::Inspected { path, result }
                });
            }
        }
    }

    /// Files dropped on the window open like chosen ones.
    pub(crate) fn take_dropped_files(&mut self, ctx: &Context) {
        let dropped = ctx.input(|i| i.raw.dropped_files.clone());
        let paths: Vec<PathBuf> = dropped.iter().map(|file| file.path().to_owned()).collect();
        if !paths.is_empty() {
            self.open_paths(paths);
        }
    }
}

/// Whether a file's name is that of a checkpoint.
fn is_checkpoint(path: &Path) -> bool {
    let name = file_name(path).to_lowercase();
    [".pth.tar", ".pth", ".pt", ".ckpt", ".safetensors"].iter().any(|end| name.ends_with(end))
}

/// Checkpoints and records in a folder and the folders in it, two levels deep.
fn list_folder(folder: PathBuf) -> Answer {
    let mut files = Vec::new();
    collect(&folder, 2, &mut files);
    files.sort();
    let records = files
        .iter()
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .filter_map(|path| Some((path.clone(), Record::load(path).ok()?)))
        .collect();
    let checkpoints = files.into_iter().filter(|path| is_checkpoint(path)).collect();
    Answer::Listed { folder, checkpoints, records }
}

fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        if path.is_file() {
            files.push(path);
        } else if depth > 0 {
            collect(&path, depth - 1, files);
        }
    }
}
