//! What figures are drawn from: records with their names, or a study.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::Result;
use basin_core::record::{Record, names};
use basin_core::study::{Entries, Study};

use super::failure::{say, usage};
use crate::plot::figure::{Figure, Input, Named, Options, Takes};
use crate::plot::scatter::ModelOptions;
use crate::plot::text::literal;

/// A study with its folder.
pub struct OfStudy {
    pub folder: PathBuf,
    pub study: Study,
    pub entries: Entries,
}

impl OfStudy {
    /// Reads a study; what is wrong in it is told.
    ///
    /// # Errors
    /// The folder is no study, or cannot be read.
    pub fn load(folder: &Path) -> Result<Self> {
        let study = Study::load(folder)?;
        let entries = Entries::load(folder, &study)?;
        for (model, of) in study.models.iter().zip(&entries.models) {
            of.problems.iter().for_each(|problem| say(format!("note: {}: {problem}", model.name)));
        }
        Ok(Self { folder: folder.to_owned(), study, entries })
    }

    /// The records that a figure takes, by the names of their models.
    fn records(&self, figure: &Figure) -> Vec<(String, Record)> {
        if matches!(figure.takes, Takes::Trainings | Takes::Snapshots) {
            return self.trainings();
        }
        let models = self.study.models.iter().zip(&self.entries.models);
        let mut all: Vec<(String, &PathBuf, &Record)> = Vec::new();
        for (model, of) in models {
            let taken = of.records.iter().filter(|(_, record)| figure.takes(record));
            all.extend(taken.map(|(path, record)| (model.name.clone(), path, record)));
        }
        let called: Vec<String> = all.iter().map(|(name, ..)| name.clone()).collect();
        let is_single = |name: &String| called.iter().filter(|other| *other == name).count() == 1;
        let name = |(name, path, record): (String, &PathBuf, &Record)| {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            let name = if is_single(&name) { name } else { format!("{name}, {stem}") };
            (literal(&name), record.clone())
        };
        all.into_iter().map(name).collect()
    }

    /// The trainings of its models, each once, by the name of the first of them.
    fn trainings(&self) -> Vec<(String, Record)> {
        let mut known: BTreeSet<&Path> = BTreeSet::new();
        let mut all = Vec::new();
        for model in &self.study.models {
            let Some(training) = model.training.as_deref().filter(|folder| known.insert(*folder)) else {
                continue;
            };
            if let Ok(record) = Record::load(&self.folder.join(training)) {
                all.push((literal(&names::of_file(training)), record));
            }
        }
        all
    }
}

/// Records with their names, and the study that they are of, if they are of one.
pub struct Source {
    pub study: Option<Rc<OfStudy>>,
    pub records: Vec<Record>,
    pub names: Vec<String>,
}

impl Source {
    /// The records that a figure takes of a study.
    pub fn of_study(study: Rc<OfStudy>, figure: &Figure) -> Self {
        let (names, records) = if matches!(figure.takes, Takes::Models) {
            Default::default()
        } else {
            study.records(figure).into_iter().unzip()
        };
        Self { study: Some(study), records, names }
    }

    /// Records of files, called as is given, else by their checkpoints; of several records of one checkpoint, or of a
    /// single record, their files tell better what they are.
    ///
    /// # Errors
    /// A file is no record, or there are more names than records.
    pub fn of_files(paths: &[PathBuf], given: &[String]) -> Result<Self> {
        let records = paths.iter().map(|path| Ok(Record::load(path)?)).collect::<Result<Vec<_>>>()?;
        let of_checkpoints = names::of_records(&records.iter().collect::<Vec<_>>());
        let own = match of_checkpoints.iter().collect::<BTreeSet<_>>().len() {
            different if different > 1 && different == records.len() => of_checkpoints,
            _ => names::of_files(&paths.iter().map(PathBuf::as_path).collect::<Vec<_>>()),
        };
        let own = own.iter().map(|own| literal(own)).enumerate();
        let names = own.map(|(i, own)| given.get(i).cloned().unwrap_or(own)).collect();
        Ok(Self { study: None, records, names })
    }

    /// Refuses more names than there are records.
    ///
    /// # Errors
    /// There are more.
    pub fn refuse_more_names(&self, given: &[String]) -> Result<()> {
        let plural = |n: usize, what: &str| if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") };
        if given.len() <= self.records.len() {
            return Ok(());
        }
        let (names, records) = (plural(given.len(), "name"), plural(self.records.len(), "record"));
        Err(usage(format!("{names} for {records}; give at most one --name for each")))
    }

    /// The records with their names.
    pub fn named(&self) -> Vec<Named<'_>> {
        self.names.iter().zip(&self.records).map(|(name, record)| Named { name, record }).collect()
    }

    /// What a figure is drawn from.
    pub fn input<'a>(
        &'a self,
        named: &'a [Named<'a>],
        options: &'a Options,
        models: &'a ModelOptions,
    ) -> Input<'a> {
        let study = self.study.as_ref().map(|of| (&of.study, &of.entries));
        Input { named, study, options, models }
    }
}
