//! What the forms of measures say: settings as text, and names of the paper.

use std::collections::BTreeMap;
use std::path::Path;

use basin_core::checkpoint::Summary;
use basin_core::job::Job;
use serde::{Deserialize, Serialize};

use crate::settings::Settings as _;
use crate::settings::{Given, Measure, Origin, Problem, Sheet, Surface, named_job};

/// Everything the forms say. Images and computing are the same for all, but of the images of a benchmark.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Form {
    /// Settings of images and computing.
    shared: Given,
    /// Other settings, by measure.
    own: BTreeMap<Measure, Given>,
    /// A name of the paper, by measure; empty: settings of one's own.
    names: BTreeMap<Measure, String>,
    /// What is looked for among the advanced settings.
    #[serde(skip)]
    pub filter: String,
}

/// The data set that fits a model's input: its name and what to call it.
pub fn fitting_data(resolution: [usize; 3]) -> (&'static str, &'static str) {
    match resolution {
        [1, ..] => ("mnist", "MNIST"),
        _ => ("bundled", "CIFAR-10"),
    }
}

impl Form {
    fn place(&mut self, measure: Measure, path: &str) -> &mut Given {
        let is_shared = path.starts_with("data.") || path.starts_with("compute.");
        if is_shared && (measure, path) != (Measure::Benchmark, "data.examples") {
            &mut self.shared
        } else {
            self.own.entry(measure).or_default()
        }
    }

    /// Gives a setting, or leaves it as usual.
    pub fn give(&mut self, measure: Measure, path: &str, text: Option<String>) {
        let place = self.place(measure, path);
        match text {
            Some(text) => drop(place.insert(path.to_owned(), text)),
            None => drop(place.remove(path)),
        }
    }

    /// What is given for a measure.
    pub fn given(&self, measure: Measure) -> Given {
        let mut given = self.shared.clone();
        if measure == Measure::Benchmark {
            given.remove("data.examples");
        }
        given.extend(self.own.get(&measure).cloned().unwrap_or_default());
        given
    }

    /// The paper's name in the form for a measure.
    pub fn name(&self, measure: Measure) -> &str {
        self.names.get(&measure).map_or("", |name| name.trim())
    }

    /// Gives a name of the paper, whose settings the form then shows and keeps when the name is emptied.
    pub fn set_name(&mut self, measure: Measure, name: String) {
        self.names.insert(measure, name);
        let Ok(job) = named_job(measure, self.name(measure)) else { return };
        let mut origin = Origin::terminal(measure, Path::new(""));
        origin.surface = Surface::Window;
        let mut given = Sheet::given(&job, &origin);
        let is_own = |path: &str| {
            let group = measure.setting(path).map_or("", |setting| &*setting.group);
            !["Images", "Computing", "Output"].contains(&group)
        };
        let own = self.own.entry(measure).or_default();
        own.retain(|path, _| !is_own(path));
        let examples = job.data().examples.to_string();
        given.retain(|path, _| is_own(path));
        self.own.entry(measure).or_default().extend(given);
        self.give(measure, "data.examples", Some(examples));
    }

    /// What the settings of the form are for.
    pub fn origin(&self, measure: Measure, checkpoint: &Path, resolution: [usize; 3]) -> Origin {
        let name = self.name(measure);
        Origin {
            measure,
            surface: Surface::Window,
            checkpoint: checkpoint.to_owned(),
            data: fitting_data(resolution).0.to_owned(),
            named: named_job(measure, name).ok().filter(|_| !name.is_empty()),
        }
    }

    /// The settings of the form for a model.
    pub fn sheet(&self, measure: Measure, checkpoint: &Path, resolution: [usize; 3]) -> Sheet {
        let mut sheet = Sheet::new(&self.given(measure), &self.origin(measure, checkpoint, resolution));
        let name = self.name(measure);
        if let (false, Err(text)) = (name.is_empty(), named_job(measure, name)) {
            sheet.problems.insert(0, Problem { path: Some(NAME.to_owned()), text });
        }
        sheet
    }

    /// The job that the form for `measure` describes for a model.
    ///
    /// # Errors
    /// Every setting that is wrong, with the remedy.
    pub fn job(&self, measure: Measure, checkpoint: &Path, model: &Summary) -> Result<Job, Vec<Problem>> {
        let sheet = self.sheet(measure, checkpoint, model.resolution);
        if sheet.problems.is_empty() { Ok(sheet.job) } else { Err(sheet.problems) }
    }
}

/// The place of a name of the paper among settings.
pub const NAME: &str = "name of the paper";
/// What it is called.
pub const NAME_LABEL: &str = "Paper identifier";
