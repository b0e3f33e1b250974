//! Making a study of a folder, and adding what has appeared in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::find::{find, networks};
use super::{FILE, FORMAT, Model, PlannedMeasure, Study, file_name};
use crate::data::{DataSelection, Examples, Split};
use crate::error::{Error, Result};
use crate::job::{Case, Evaluate, Flatness, FlatnessLoss, Job, Pgd};
use crate::record::names;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Added {
    /// Models that are new.
    pub models: usize,
    /// Trainings in the folder.
    pub trainings: usize,
    /// Records in the folder.
    pub records: usize,
}

/// The study of a folder: as it is written there, or a new one, with the models that it does not have yet.
///
/// Of a training its last network is a model, or, with `snapshots`, every one that it kept. Weights are not opened, and
/// nothing is written.
///
/// # Errors
/// The folder cannot be read, its study is damaged, or it has nothing for a study.
pub fn init(folder: &Path, snapshots: bool, usual: Vec<PlannedMeasure>) -> Result<(Study, Added)> {
    let found = find(folder)?;
    let mut study = match Study::is_at(folder) {
        true => Study::load(folder)?,
        false => Study { format: FORMAT, measures: usual, ..Study::default() },
    };
    let of_trainings = found.trainings.iter().flat_map(|training| {
        networks(folder, training, snapshots).into_iter().map(|network| (network, Some(training.clone())))
    });
    let mut all: Vec<(PathBuf, Option<PathBuf>)> =
        of_trainings.chain(found.checkpoints.iter().map(|path| (path.clone(), None))).collect();
    all.retain(|(path, _)| study.models.iter().all(|model| model.checkpoint.as_ref() != Some(path)));
    if all.is_empty() && study.models.is_empty() {
        let what = "has no checkpoints and no trainings, so there is nothing to study";
        return Err(Error::file(
            folder,
            format!("{what}; put them there, or import a table with `basin study import`"),
        ));
    }
    let paths: Vec<&Path> = all.iter().map(|(path, _)| &**path).collect();
    let called = unique(&study, names::of_files(&paths));
    let groups = groups(&all, &called);
    for (((path, training), name), group) in all.iter().zip(called).zip(groups) {
        let training = training
            .clone()
            .or_else(|| names::training(path))
            .filter(|folder| !folder.as_os_str().is_empty());
        study.models.push(Model {
            name,
            group,
            checkpoint: Some(path.clone()),
            training,
            ..Model::default()
        });
    }
    let added = Added { models: all.len(), trainings: found.trainings.len(), records: found.records.len() };
    Ok((study, added))
}

/// Evaluation under attack on test and training images and flatness of the robust loss, average and worst case: the
/// paper's figure. `data` are the test images.
pub fn usual_measures(data: &DataSelection) -> Vec<PlannedMeasure> {
    let train = Examples { split: Split::Train, ..data.examples };
    let evaluate = |examples| {
        let data = DataSelection { examples, ..data.clone() };
        Job::Evaluate(Evaluate { data, attack: Some(Pgd::default()), ..Evaluate::default() })
    };
    let flatness = |case| {
        Job::Flatness(Flatness {
            data: data.clone(),
            ..Flatness::new(PathBuf::new(), FlatnessLoss::Robust, case)
        })
    };
    let named = |(name, job): (&str, Job)| PlannedMeasure { name: name.to_owned(), job };
    [
        ("test", evaluate(data.examples)),
        ("train", evaluate(train)),
        ("average-flatness", flatness(Case::Average)),
        ("worst-flatness", flatness(Case::Worst)),
    ]
    .map(named)
    .into()
}

/// Names of which none is that of a model of the study, not even as a file.
fn unique(study: &Study, names: Vec<String>) -> Vec<String> {
    let mut taken: Vec<String> = study.models.iter().map(|model| file_name(&model.name)).collect();
    let mut free = |name: String| {
        let candidates =
            std::iter::once(name.clone()).chain((2..).map(|number| format!("{name} ({number})")));
        let name = candidates.into_iter().find(|name| !taken.contains(&file_name(name))).unwrap_or_default();
        taken.push(file_name(&name));
        name
    };
    names.into_iter().map(&mut free).collect()
}

/// Groups by the folder that holds several networks, else by names that differ in a number only; none if neither groups
/// anything.
fn groups(all: &[(PathBuf, Option<PathBuf>)], names: &[String]) -> Vec<Option<String>> {
    let above = |(path, training): &(PathBuf, Option<PathBuf>)| {
        let network = training.clone().or_else(|| self::names::training(path));
        let whole = network.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| path.clone());
        let folder = whole.parent()?.file_name()?.to_string_lossy().into_owned();
        (folder != FILE).then_some(folder)
    };
    let folders: Vec<Option<String>> = all.iter().map(above).collect();
    if folders.iter().any(Option::is_some) {
        return folders;
    }
    let stems: Vec<String> = names.iter().map(|name| stem(name)).collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    stems.iter().for_each(|stem| *counts.entry(stem).or_default() += 1);
    let grouped = counts.values().any(|count| *count > 1) && counts.len() > 1;
    stems.iter().map(|stem| grouped.then(|| stem.clone())).collect()
}

/// A name without the numbers at its end: `label-noise-0.3` is `label-noise`, `at epoch 10` is `at`.
fn stem(name: &str) -> String {
    let mut rest = name;
    loop {
        let shorter =
            rest.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '_' | ' ' | '='));
        let shorter = shorter.strip_suffix(" epoch").unwrap_or(shorter);
        if shorter == rest || shorter.is_empty() {
            return if shorter.is_empty() { name.to_owned() } else { shorter.to_owned() };
        }
        rest = shorter;
    }
}
