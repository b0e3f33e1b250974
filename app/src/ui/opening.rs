//! Opening files and folders, however they came: dialog, drop, command line, or the last session.

use std::path::{Path, PathBuf};

use basin_core::checkpoint::{is_bundled, is_there};
use basin_core::exchange;
use basin_core::job::Job;
use basin_core::record::Record;
use basin_core::record::training::is_training;
use basin_core::run::read_job;
use basin_core::study::Study;
use eframe::egui::Context;

use crate::ui::answers::Answer;
use crate::ui::session::file_name;
use crate::ui::{App, Pane};

impl App {
    /// Opens those of the files that are still there.
    pub(crate) fn open_again(&self, paths: Vec<PathBuf>) {
        if !paths.is_empty() {
            let still = move || paths.into_iter().filter(|path| path.exists() || is_there(path)).collect();
            self.background.spawn("remember", move || Answer::Remembered(still()));
        }
    }

    /// Opens files and folders; what each is, is found out on threads.
    pub fn open_paths(&mut self, paths: Vec<PathBuf>) {
        let (mut records, mut folders) = (Vec::new(), Vec::new());
        for path in paths {
            if is_bundled(&path) {
                self.open_checkpoint(path);
                continue;
            }
            let path = std::path::absolute(&path).unwrap_or(path);
            let is_study_file = path.file_name().is_some_and(|name| name == basin_core::study::FILE);
            if let (true, Some(folder)) = (is_study_file, path.parent()) {
                self.open_study(folder.to_owned());
            } else if Study::is_at(&path) {
                self.open_study(path);
            } else if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "json") || exchange::is_named_so(&path) {
                records.push(path);
            } else {
                self.open_checkpoint(path);
            }
        }
        if !folders.is_empty() {
            self.background.spawn("folder", move || list_folders(folders));
        }
        if !records.is_empty() {
            self.background.spawn("records", move || load_records(records));
        }
    }

    fn open_checkpoint(&mut self, path: PathBuf) {
        if self.session.add_model(path.clone()) {
            self.tabs.show(Pane::Model);
            self.inspect(path);
        }
    }

    /// Finds out what a checkpoint is that is open because its model is selected in a study.
    pub(crate) fn inspect_guest(&self, path: PathBuf) {
        if self.session.is_unread_guest(&path) {
            self.inspect(path);
        }
    }

    fn inspect(&self, path: PathBuf) {
        let engine = self.engine.clone();
        self.background.spawn("inspect", move || {
            let result = engine.inspect(&path).map(Box::new).map_err(|error| error.to_string());
            Answer::Inspected { path, result }
        });
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
    if name.ends_with(".examples.safetensors") || name.ends_with(".losses.safetensors") {
        // What a record kept.
        return false;
    }
    [".pth.tar", ".pth", ".pt", ".ckpt", ".safetensors"].iter().any(|end| name.ends_with(end))
}

/// Trainings, checkpoints and records in folders and the folders in them, two levels deep. The networks of a training
/// are opened from its history, those with records of their own at once.
fn list_folders(folders: Vec<PathBuf>) -> Answer {
    let (mut files, mut trainings) = (Vec::new(), Vec::new());
    folders.iter().for_each(|folder| collect(folder, 2, &mut files, &mut trainings));
    files.sort();
    trainings.sort();
    let mut problems = Vec::new();
    let mut records: Vec<(PathBuf, Record)> = files
        .iter()
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .filter_map(|path| Some((path.clone(), Record::load(path).ok()?)))
        .collect();
    let mut checkpoints: Vec<PathBuf> = files.into_iter().filter(|path| is_checkpoint(path)).collect();
    checkpoints.retain(|path| !trainings.iter().any(|training| path.starts_with(training)));
    for checkpoint in checkpoints_of(&records) {
        if !checkpoints.contains(&checkpoint) {
            checkpoints.push(checkpoint);
        }
    }
    for training in trainings {
        match Record::load(&training) {
            Ok(record) => records.push((training, record)),
            Err(error) => problems.push(error.to_string()),
        }
    }
    Answer::Listed { folders, checkpoints, records, training: None, problems }
}

/// Records that were asked for one by one, with the checkpoints they are about; the job file of a training, too.
fn load_records(paths: Vec<PathBuf>) -> Answer {
    let (mut records, mut problems, mut training) = (Vec::new(), Vec::new(), None);
    for path in paths {
        match (Record::load(&path), read_job(&path)) {
            (Ok(record), _) => records.push((path, record)),
            (Err(_), Ok(Job::Train(job))) => training = Some(job),
            (Err(error), _) => problems.push(error.to_string()),
        }
    }
    let checkpoints = checkpoints_of(&records);
    Answer::Listed { folders: Vec::new(), checkpoints, records, training, problems }
}

/// The checkpoint files that records are about, as far as they are still there.
fn checkpoints_of(records: &[(PathBuf, Record)]) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    for (_, record) in records {
        let Some(checkpoint) = record.job.checkpoint() else { continue };
        if is_there(checkpoint) && !found.iter().any(|path| path == checkpoint) {
            found.push(checkpoint.to_owned());
        }
    }
    found
}

fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>, trainings: &mut Vec<PathBuf>) {
    if is_training(folder) {
        trainings.push(folder.to_owned());
    }
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        if path.is_file() {
            files.push(path);
        } else if depth > 0 {
            collect(&path, depth - 1, files, trainings);
        }
    }
}
