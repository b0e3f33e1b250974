//! What the form of a training says, as typed, and the job it describes.

use basin_core::Error;
use basin_core::job::{Examples, Job, Train};
use basin_core::settings::number;
use basin_core::train::preset::preset;
use serde::{Deserialize, Serialize};

/// A place in the form that can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrainField {
    /// Name of the model in the paper's grammar.
    Name,
    /// Data set.
    Data,
    /// Images to learn from.
    Images,
    /// Images tested on after each epoch.
    Test,
    /// Radius of the evaluation's attack.
    TestEpsilon,
    /// Steps of the evaluation's attack.
    TestSteps,
    /// Training images that are tested like the test images.
    TestedTraining,
    /// Width of the network.
    Channels,
    /// Passes over the images.
    Epochs,
    /// Images per step.
    BatchSize,
    /// Seed.
    Seed,
    /// Further settings.
    Settings,
    /// The folder of the training.
    Folder,
}

impl TrainField {
    /// Its label, and what it is in a sentence.
    pub fn label_and_tooltip(self) -> (&'static str, &'static str) {
        match self {
            Self::Name => ("Name", "Name of the model in the paper's grammar: method, attack, variants"),
            Self::Data => ("Data set", "Where the images come from"),
            Self::Images => ("Training images", "Split and index range, such as train:0..50000"),
            Self::Test => {
                ("Test images", "Tested on after each epoch, clean and under the attack of the evaluation")
            }
            Self::TestEpsilon => (
                "Test epsilon",
                "Radius of the threat model, in pixel values from 0 to 1, such as 8/255; empty: that of the training's attack",
            ),
            Self::TestSteps => {
                ("Test steps", "Steps of PGD on the cross-entropy, whatever the training's attack is")
            }
            Self::TestedTraining => (
                "Training subset",
                "So many training images are tested like the test images after each epoch, for the robust generalization gap; 0: none",
            ),
            Self::Channels => ("Channels", "Width of the network's first stage; 64 in the paper"),
            Self::Epochs => ("Epochs", "Passes over the images; milestones of the learning rate move along"),
            Self::BatchSize => ("Batch size", "Images per step"),
            Self::Seed => ("Seed", "Of every random number of the training"),
            Self::Settings => (
                "Other settings",
                "One per line, by its place in the job below, such as attack.steps=3, optimizer.learning_rate=0.01, initialization.scale=0.5 or tensor_statistics=true",
            ),
            Self::Folder => (
                "Folder",
                "Where the job, the log and the networks go; a training that was stopped goes on from there",
            ),
        }
    }
}

/// What is wrong, and where; none: the settings together.
pub type TrainProblem = (Option<TrainField>, String);

/// Everything the form says. What is empty is as the name has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TrainForm {
    /// Name of the model in the paper's grammar.
    pub name: String,
    /// A job from a file or another training, in place of what the name stands for.
    pub base: Option<Box<Train>>,
    /// Data set.
    pub data: String,
    /// Images to learn from.
    pub images: String,
    /// Images tested on.
    pub test: String,
    /// Radius of the evaluation's attack.
    pub test_epsilon: String,
    /// Its steps.
    pub test_steps: String,
    /// Number of training images that are tested.
    pub tested_training: String,
    /// Width of the network.
    pub channels: String,
    /// Passes over the images.
    pub epochs: String,
    /// Images per step.
    pub batch_size: String,
    /// Device.
    pub device: String,
    /// Seed.
    pub seed: String,
    /// Further settings, one per line.
    pub settings: String,
    /// The folder; empty: one of the model's name.
    pub folder: String,
    /// The name is being typed, so that names to complete it are shown.
    #[serde(skip)]
    pub completing: bool,
    /// The name of these that the arrow keys have marked.
    #[serde(skip)]
    pub marked: Option<usize>,
    /// What the name stood for when it last was one.
    #[serde(skip)]
    last_start: Option<Box<Train>>,
    /// The job when the form last described one.
    #[serde(skip)]
    pub last_job: Option<Job>,
}

impl Default for TrainForm {
    /// A training that a computer without a GPU finishes in some minutes.
    fn default() -> Self {
        let text = |t: &str| t.to_owned();
        Self {
            name: text("at_linf_gd_normalized_lr0007_mom0_i7_e00314_f100"),
            base: None,
            data: text("bundled"),
            images: String::new(),
            test: String::new(),
            test_epsilon: String::new(),
            test_steps: String::new(),
            tested_training: String::new(),
            channels: text("8"),
            epochs: text("10"),
            batch_size: String::new(),
            device: text("auto"),
            seed: text("0"),
            settings: String::new(),
            folder: String::new(),
            completing: false,
            marked: None,
            last_start: None,
            last_job: None,
        }
    }
}

impl TrainForm {
    /// What is typed in a field.
    pub fn text_mut(&mut self, field: TrainField) -> &mut String {
        match field {
            TrainField::Name => &mut self.name,
            TrainField::Data => &mut self.data,
            TrainField::Images => &mut self.images,
            TrainField::Test => &mut self.test,
            TrainField::TestEpsilon => &mut self.test_epsilon,
            TrainField::TestSteps => &mut self.test_steps,
            TrainField::TestedTraining => &mut self.tested_training,
            TrainField::Channels => &mut self.channels,
            TrainField::Epochs => &mut self.epochs,
            TrainField::BatchSize => &mut self.batch_size,
            TrainField::Seed => &mut self.seed,
            TrainField::Settings => &mut self.settings,
            TrainField::Folder => &mut self.folder,
        }
    }

    /// Takes over a job, to be changed from there. `folder` is where it goes on, if it is to.
    pub fn take(&mut self, job: Train) {
        *self = Self {
            name: job.name.clone(),
            seed: job.seed.to_string(),
            device: job.device.clone(),
            base: Some(Box::new(job)),
            data: String::new(),
            channels: String::new(),
            epochs: String::new(),
            ..Self::default()
        };
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

    /// What empty fields stand for: as the name has it, or, while that is being typed, as the last one had it.
    pub fn usual(&mut self) -> Option<Train> {
        if let Ok((start, _)) = self.start() {
            self.last_start = Some(Box::new(start));
        }
        let mut usual = self.last_start.as_deref()?.clone();
        if !self.data.trim().is_empty() {
            usual.use_data(self.data.trim());
        }
        Some(usual)
    }

    /// The field with something in it that a line of the other settings changes once more.
    fn given_twice(&self, line: &str) -> Option<TrainField> {
        let place = line.split_once('=')?.0.trim();
        let fields = [
            ("data.name", TrainField::Data, &self.data),
            ("data.train", TrainField::Images, &self.images),
            ("data.test", TrainField::Test, &self.test),
            ("evaluation.epsilon", TrainField::TestEpsilon, &self.test_epsilon),
            ("evaluation.steps", TrainField::TestSteps, &self.test_steps),
            ("evaluation.train_images", TrainField::TestedTraining, &self.tested_training),
            ("architecture.family.ResNet.channels", TrainField::Channels, &self.channels),
            ("architecture.family.LeNet.channels", TrainField::Channels, &self.channels),
            ("epochs", TrainField::Epochs, &self.epochs),
            ("batch_size", TrainField::BatchSize, &self.batch_size),
            ("seed", TrainField::Seed, &self.seed),
        ];
        let twice = fields.into_iter().find(|(other, _, text)| *other == place && !text.trim().is_empty());
        twice.map(|(_, field, _)| field)
    }

    /// The job that the form describes.
    ///
    /// # Errors
    /// Everything that is wrong, with the remedy.
    pub fn job(&self) -> Result<Job, Vec<TrainProblem>> {
        let mut problems = Vec::new();
        let mut wrong = |field, text: String| problems.push((Some(field), text));
        let mut job = match self.start() {
            Ok((job, _)) => job,
            Err(error) => return Err(vec![(Some(TrainField::Name), error)]),
        };
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        if let Some(data) = given(&self.data) {
            job.use_data(&data);
        }
        for (field, text, place) in [
            (TrainField::Images, &self.images, &mut job.data.train),
            (TrainField::Test, &self.test, &mut job.data.test),
        ] {
            match given(text).map(|text| text.parse::<Examples>()).transpose() {
                Ok(examples) => *place = examples.unwrap_or(*place),
                Err(error) => wrong(field, error),
            }
        }
        let whole = |text: &str| given(text).map(|text| text.parse::<usize>().ok().filter(|n| *n > 0));
        let allowed = || "use a whole number of at least 1".to_owned();
        match whole(&self.channels) {
            None => {}
            Some(None) => wrong(TrainField::Channels, allowed()),
            Some(Some(channels)) => {
                if let Err(error) = job.architecture.family.set_channels(channels as i64) {
                    wrong(TrainField::Channels, error.to_string());
                }
            }
        }
        match whole(&self.epochs) {
            None => {}
            Some(None) => wrong(TrainField::Epochs, allowed()),
            Some(Some(epochs)) => job.use_epochs(epochs),
        }
        match whole(&self.batch_size) {
            None => {}
            Some(None) => wrong(TrainField::BatchSize, allowed()),
            Some(Some(size)) => job.batch_size = size,
        }
        match given(&self.test_epsilon).map(|text| number(&text)).transpose() {
            Ok(epsilon) => job.evaluation.epsilon = epsilon.or(job.evaluation.epsilon),
            Err(error) => wrong(TrainField::TestEpsilon, error),
        }
        for (field, text, place) in [
            (TrainField::TestSteps, &self.test_steps, &mut job.evaluation.steps),
            (TrainField::TestedTraining, &self.tested_training, &mut job.evaluation.train_images),
        ] {
            match given(text).map(|text| text.parse()).transpose() {
                Ok(count) => *place = count.unwrap_or(*place),
                Err(_) => wrong(field, "use a whole number of at least 0".into()),
            }
        }
        if !self.device.is_empty() {
            job.device.clone_from(&self.device);
        }
        match given(&self.seed).map(|seed| seed.parse()).transpose() {
            Ok(seed) => job.seed = seed.unwrap_or(job.seed),
            Err(_) => wrong(TrainField::Seed, "use a whole number of at least 0".into()),
        }
        for line in self.settings.lines().filter(|line| !line.trim().is_empty()) {
            match (self.given_twice(line), job.with(line.trim())) {
                (Some(field), _) => {
                    let (label, _) = field.label_and_tooltip();
                    wrong(
                        TrainField::Settings,
                        format!("{} is also in the field {label:?}; leave one out", line.trim()),
                    );
                }
                (None, Ok(changed)) => job = changed,
                (None, Err(error)) => wrong(TrainField::Settings, error),
            }
        }
        let job = Job::Train(Box::new(job));
        if problems.is_empty()
            && let Err(error) = job.check()
        {
            problems.push((None, error.to_string()));
        }
        if problems.is_empty() { Ok(job) } else { Err(problems) }
    }
}
