//! What the form of a training says: where it starts, and the settings that are changed.

use basin_core::Error;
use basin_core::job::{Job, Train};
use basin_core::train::preset::preset;
use serde::{Deserialize, Serialize};

use crate::settings::{Given, Problem, training};

/// The place of the model's name among settings.
pub const NAME: &str = "name";

/// Everything the form says. What is not given is as the name has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TrainForm {
    /// Name of the model in the paper's grammar.
    pub name: String,
    /// A job from a file or another training, in place of what the name stands for.
    pub base: Option<Box<Train>>,
    /// Settings that are changed.
    pub given: Given,
    /// The folder; empty: one of the model's name.
    pub folder: String,
    /// What is looked for among the advanced settings.
    #[serde(skip)]
    pub filter: String,
    /// The name is being typed, so that names to complete it are shown.
    #[serde(skip)]
    pub completing: bool,
    /// The name of these that the arrow keys have marked.
    #[serde(skip)]
    pub marked: Option<usize>,
    /// What the name stood for when it last was one.
    #[serde(skip)]
    last_start: Option<Box<Train>>,
}

impl Default for TrainForm {
    /// A training that a computer without a GPU finishes in some minutes.
    fn default() -> Self {
        let quick =
            [("data.name", "bundled"), ("epochs", "10"), ("architecture.family.ResNet.channels", "8")];
        Self {
            name: "at_linf_gd_normalized_lr0007_mom0_i7_e00314_f100".to_owned(),
            base: None,
            given: quick.map(|(path, text)| (path.to_owned(), text.to_owned())).into(),
            folder: String::new(),
            filter: String::new(),
            completing: false,
            marked: None,
            last_start: None,
        }
    }
}

impl TrainForm {
    /// Takes over a job, to be changed from there.
    pub fn take(&mut self, job: Train) {
        *self = Self {
            name: job.name.clone(),
            base: Some(Box::new(job)),
            given: Given::new(),
            ..Self::default()
        };
    }

    /// Gives a setting, or leaves it as usual.
    pub fn give(&mut self, path: &str, text: Option<String>) {
        match text {
            Some(text) => drop(self.given.insert(path.to_owned(), text)),
            None => drop(self.given.remove(path)),
        }
    }

    /// What the name, or the job that was taken over, stands for, with what should be known about it.
    ///
    /// # Errors
    /// The name is not one of the grammar.
    pub fn start(&self) -> Result<(Train, Vec<String>), String> {
        if let Some(base) = self.base.as_deref().filter(|base| base.name == self.name.trim()) {
            return Ok((base.clone(), Vec::new()));
        }
        let name: String = self.name.split_whitespace().collect();
        let in_window = |error: Error| {
            // What a terminal advises is above the field here.
            error.to_string().replace("`basin train --list` shows them", "Choose… shows them")
        };
        preset(&name).map(|preset| (preset.train, preset.notes)).map_err(in_window)
    }

    /// What settings change: what the name stands for, or, while that is being typed, what the last one did.
    pub fn last_start(&mut self) -> Train {
        if let Ok((start, _)) = self.start() {
            self.last_start = Some(Box::new(start));
        }
        self.last_start.as_deref().cloned().unwrap_or_default()
    }

    /// The job that the form describes.
    ///
    /// # Errors
    /// Everything that is wrong, with the remedy.
    pub fn job(&self) -> Result<Job, Vec<Problem>> {
        let (start, _) = self.start().map_err(|text| vec![Problem { path: Some(NAME.to_owned()), text }])?;
        let (job, problems) = training(&start, &self.given);
        if problems.is_empty() { Ok(Job::Train(Box::new(job))) } else { Err(problems) }
    }
}
