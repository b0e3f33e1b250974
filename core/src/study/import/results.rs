//! Which files of an experiment are results of which network.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// A network of an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Network {
    /// After the last epoch.
    Final,
    /// A snapshot of an epoch.
    Epoch(u64),
    /// The running average, after the last epoch.
    Average,
    /// The same with statistics of batches measured anew.
    CalibratedAverage,
    /// The running average at an epoch.
    AverageAt(u64),
}

const CLASSIFIER: &str = "classifier.pth.tar";

impl Network {
    /// The network of a checkpoint's file name.
    fn of(name: &str) -> Option<Self> {
        let number = |text: &str| text.strip_prefix('.')?.parse().ok();
        let rest = name.strip_prefix(CLASSIFIER)?;
        match rest {
            "" => Some(Self::Final),
            "average" => Some(Self::Average),
            "average.calibrated" => Some(Self::CalibratedAverage),
            rest => match rest.strip_prefix("average") {
                Some(rest) => number(rest).map(Self::AverageAt),
                None => number(rest).map(Self::Epoch),
            },
        }
    }

    /// Behind the name of the experiment.
    pub fn words(self) -> String {
        match self {
            Self::Final => String::new(),
            Self::Epoch(epoch) => format!(" epoch {epoch}"),
            Self::Average => " average".into(),
            Self::CalibratedAverage => " average calibrated".into(),
            Self::AverageAt(epoch) => format!(" average epoch {epoch}"),
        }
    }

    /// What stands behind the names of its result files.
    pub fn suffix(self) -> String {
        match self {
            Self::Epoch(epoch) => format!(".{epoch}"),
            _ => String::new(),
        }
    }
}

/// The folder of an experiment.
#[derive(Debug, Clone, PartialEq)]
pub struct Experiment {
    /// The folder.
    pub folder: PathBuf,
    /// Its checkpoints.
    pub networks: BTreeMap<Network, PathBuf>,
    /// Epochs with results, whose checkpoints may be gone.
    epochs: BTreeSet<u64>,
    /// Folders of attacks, by name.
    pub attacks: Vec<String>,
    /// Folders of visualizations that hold landscapes: relative paths.
    pub visualizations: Vec<PathBuf>,
}

impl Experiment {
    /// Name of its folder.
    pub fn name(&self) -> String {
        self.folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// The networks that results are about: those with a checkpoint or with results, and the final one.
    pub fn all_networks(&self) -> Vec<Network> {
        let with_results =
            std::iter::once(Network::Final).chain(self.epochs.iter().map(|epoch| Network::Epoch(*epoch)));
        let all: BTreeSet<Network> = self.networks.keys().copied().chain(with_results).collect();
        all.into_iter().collect()
    }
}

/// Every experiment in a folder and the folders in it, sorted.
///
/// # Errors
/// The folder cannot be read.
pub fn find(folder: &Path) -> Result<Vec<Experiment>> {
    let mut found = Vec::new();
    collect(folder, 8, &mut found)?;
    found.sort_by(|a: &Experiment, b| a.folder.cmp(&b.folder));
    Ok(found)
}

fn collect(folder: &Path, depth: usize, found: &mut Vec<Experiment>) -> Result<()> {
    let entries = std::fs::read_dir(folder).map_err(|e| Error::io("cannot read", folder, e))?;
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() { folders.push(name) } else { files.push(name) }
    }
    folders.sort();
    let is_result = |name: &String| name.starts_with(CLASSIFIER) || name == "probabilities.h5";
    if files.iter().any(is_result) {
        let networks =
            files.iter().filter_map(|name| Some((Network::of(name)?, folder.join(name)))).collect();
        let is_visual = |name: &String| name.contains("_visualization");
        let (visual, attacks): (Vec<String>, Vec<String>) = folders.into_iter().partition(is_visual);
        let mut visualizations = Vec::new();
        visual.iter().for_each(|name| landscapes(folder, Path::new(name), 2, &mut visualizations));
        let epoch = |name: &String| name.strip_prefix("probabilities.h5.")?.parse().ok();
        let epochs = files.iter().filter_map(epoch).collect();
        found.push(Experiment { folder: folder.to_owned(), networks, epochs, attacks, visualizations });
        return Ok(());
    }
    if depth > 0 {
        folders.iter().try_for_each(|name| collect(&folder.join(name), depth - 1, found))?;
    }
    Ok(())
}

/// Folders with a file of a visualization.
fn landscapes(root: &Path, below: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    let here = root.join(below);
    if here.join("visualization.h5").is_file() {
        found.push(below.to_owned());
    }
    let entries = std::fs::read_dir(&here).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> =
        entries.filter(|entry| entry.path().is_dir()).map(|entry| below.join(entry.file_name())).collect();
    folders.sort();
    if depth > 0 {
        folders.iter().for_each(|folder| landscapes(root, folder, depth - 1, found));
    }
}

/// Files `probabilities0.h5`, `probabilities1.h5`, … of a network in a folder, as long as there are any.
pub fn attempts(folder: &Path, stem: &str, network: Network) -> Vec<PathBuf> {
    let file = |number: usize| folder.join(format!("{stem}{number}.h5{}", network.suffix()));
    (0..).map(file).take_while(|path| path.is_file()).collect()
}
