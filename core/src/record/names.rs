//! What checkpoints are called: by their file, by their folder where files are called alike, and never two by one name.
//!
//! A training keeps `final.safetensors`, `best.safetensors` and `snapshots/epoch-0009.safetensors`; such names say which
//! state of a network it is and not which network. Then the folder's name stands first: `at`, `at best`, `at epoch 10`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::record::{Outcome, Record};

/// Endings of checkpoints and records; there may be several, as in `at.pth.tar`.
const ENDINGS: [&str; 13] =
    ["safetensors", "pth", "pt", "tar", "ckpt", "pkl", "bin", "gz", "json", "h5", "hdf5", "npz", "csv"];
/// Words of file names that say nothing of the network.
const EMPTY: [&str; 15] = [
    "final",
    "last",
    "latest",
    "model",
    "classifier",
    "checkpoint",
    "ckpt",
    "weights",
    "network",
    "net",
    "snapshot",
    "state",
    "dict",
    "epoch",
    "step",
];
/// Words that say which state of the network it is, and not which network.
const STATES: [&str; 6] = ["best", "average", "averaged", "calibrated", "ema", "swa"];
/// Words before a number that say what is counted.
const COUNTED: [&str; 2] = ["epoch", "step"];
/// Folders that only hold the files of the one above.
const HOLDERS: [&str; 5] = ["snapshots", "checkpoints", "models", "weights", "ckpts"];
/// The folder in which a training of Basin keeps its snapshots, whose names count epochs from 0.
const SNAPSHOTS: &str = "snapshots";

/// A model's name in the paper's grammar without what nearly all of them share: they differ at their ends.
pub fn abbreviated(name: &str) -> String {
    name.replace("linf_gd_normalized_lr0007_mom0_", "…")
}

/// The name of one file or folder by itself.
pub fn of_file(path: &Path) -> String {
    Parts::of(path).name(0)
}

/// Names of different files, in their order: where two would be called alike, as many of their folders stand before the
/// name as tell them apart. The same path twice gets a number the second time.
pub fn of_files(paths: &[&Path]) -> Vec<String> {
    let parts: Vec<Parts> = paths.iter().map(|path| Parts::of(path)).collect();
    let mut alike: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (i, part) in parts.iter().enumerate() {
        alike.entry(part.name(0)).or_default().push(i);
    }
    let mut names = vec![String::new(); paths.len()];
    for of_name in alike.values() {
        let files: BTreeSet<&Path> = of_name.iter().map(|i| paths[*i]).collect();
        let deepest = of_name.iter().map(|i| parts[*i].folders.len()).max().unwrap_or_default() + 1;
        let tells_apart = |level: &usize| {
            of_name.iter().map(|i| parts[*i].name(*level)).collect::<BTreeSet<_>>().len() == files.len()
        };
        let level = (0..=deepest).find(tells_apart);
        for i in of_name {
            names[*i] = level.map_or_else(|| paths[*i].display().to_string(), |level| parts[*i].name(level));
        }
    }
    numbered(names)
}

/// The name of a record's checkpoint by itself; of a training, of its folder.
pub fn of_record(record: &Record) -> String {
    of_file(&path_of(record))
}

/// For each record the name of its checkpoint among theirs; for a training the name of its folder among trainings, which
/// may be that of its last network. Checkpoints are the same if their content is, whatever their path; without a hash
/// the path says which it is.
pub fn of_records(records: &[&Record]) -> Vec<String> {
    let mut names = vec![String::new(); records.len()];
    let is_training = |record: &Record| matches!(record.outcome, Outcome::Train(_));
    for trainings in [false, true] {
        let of_kind = (0..records.len()).filter(|i| is_training(records[*i]) == trainings);
        let mut known: Vec<(&str, PathBuf)> = Vec::new();
        let mut places: Vec<(usize, usize)> = Vec::new();
        for i in of_kind {
            let (hash, path) = (&*records[i].provenance.checkpoint_hash, path_of(records[i]));
            let same = |(other, at): &(&str, PathBuf)| match (*other, hash) {
                ("", "") => *at == path,
                (other, hash) => other == hash,
            };
            let place = known.iter().position(same).unwrap_or(known.len());
            if place == known.len() {
                known.push((hash, path));
            }
            places.push((i, place));
        }
        let paths: Vec<&Path> = known.iter().map(|(_, path)| &**path).collect();
        let of_paths = of_files(&paths);
        places.into_iter().for_each(|(i, place)| names[i].clone_from(&of_paths[place]));
    }
    names
}

/// The training that a checkpoint is a state of, if its file says no more than which state, such as
/// `at/snapshots/epoch-0009.safetensors`, `at/final.safetensors` or `at/classifier.pth.tar.10`: its folder.
pub fn training(path: &Path) -> Option<PathBuf> {
    let parts = Parts::of(path);
    let above = path.ancestors().skip(1);
    parts.file.as_ref()?;
    above
        .into_iter()
        .find(|folder| folder.file_name().is_some_and(|name| *name == *parts.network))
        .map(Path::to_owned)
}

/// The images of a record, e.g. `cifar10, test:0..1000`; empty if they are not known.
pub fn images(record: &Record) -> String {
    match record.provenance.imported {
        Some(_) => String::new(),
        None => format!("{}, {}", record.provenance.data, record.job.data().examples),
    }
}

/// The second and later of equal names get a number.
pub fn numbered(names: Vec<String>) -> Vec<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let number = |name: String| {
        let count = seen.entry(name.clone()).and_modify(|count| *count += 1).or_insert(1);
        if *count == 1 { name } else { format!("{name} ({count})") }
    };
    names.into_iter().map(number).collect()
}

/// The checkpoint of a record, or the folder of a training.
fn path_of(record: &Record) -> PathBuf {
    match &record.outcome {
        Outcome::Train(training) if !training.folder.as_os_str().is_empty() => training.folder.clone(),
        _ => record.job.subject().to_owned(),
    }
}

/// What a path has to be called by.
struct Parts {
    /// Names of the folders above, the nearest first; without the one that stands in `network`.
    folders: Vec<String>,
    /// Which network: the file, or the folder of files that are called alike.
    network: String,
    /// Which state of it, if the file says so.
    state: String,
    /// The file in words, if it does not say which network it is.
    file: Option<String>,
}

impl Parts {
    fn of(path: &Path) -> Self {
        let stem = stem(path);
        let mut folders: Vec<String> = path
            .parent()
            .map(|parent| parent.components().rev().filter_map(normal).collect())
            .unwrap_or_default();
        let is_snapshot = folders.first().is_some_and(|folder| folder == SNAPSHOTS);
        let Some((state, file)) = state(&stem, is_snapshot).filter(|_| !folders.is_empty()) else {
            return Self { folders, network: stem, state: String::new(), file: None };
        };
        let holder = folders.len() > 1 && HOLDERS.contains(&folders[0].to_lowercase().as_str());
        let network = folders.drain(..=usize::from(holder)).next_back().unwrap_or_default();
        Self { folders, network, state, file: Some(file) }
    }

    /// Level 0 is the shortest name; 1 has all that the file says, further ones a folder more each.
    fn name(&self, level: usize) -> String {
        let words = |state: &str| match state {
            "" => self.network.clone(),
            state => format!("{} {state}", self.network),
        };
        match (level, &self.file) {
            (0, _) => words(&self.state),
            (1, Some(file)) => words(file),
            (1, None) => self.network.clone(),
            _ => {
                let above = self.folders.iter().take(level - 1).rev().map(|folder| format!("{folder}/"));
                above.chain([words(&self.state)]).collect()
            }
        }
    }
}

fn normal(component: std::path::Component<'_>) -> Option<String> {
    match component {
        std::path::Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
        _ => None,
    }
}

/// The file's name without its endings; of `model.pth.tar.10`, `model 10`.
fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let bare = |name: &str| -> Option<String> {
        let (rest, ending) = name.rsplit_once('.')?;
        let known = ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known));
        (known && !rest.is_empty()).then(|| rest.to_owned())
    };
    let numbered = name.rsplit_once('.').filter(|(_, number)| number.parse::<u64>().is_ok());
    let (mut stem, number) = match numbered.and_then(|(rest, number)| Some((bare(rest)?, number))) {
        Some((rest, number)) => (rest, format!(" {number}")),
        None => (name.clone(), String::new()),
    };
    while let Some(shorter) = bare(&stem) {
        stem = shorter;
    }
    stem + &number
}

/// Of a file name that does not say which network it is: the state that it tells, and all its words.
fn state(stem: &str, is_snapshot: bool) -> Option<(String, String)> {
    let words: Vec<String> = stem
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let is_number = |word: &str| word.parse::<u64>().is_ok();
    let known = |word: &String| EMPTY.contains(&&**word) || STATES.contains(&&**word) || is_number(word);
    if words.is_empty() || !words.iter().all(known) {
        return None;
    }
    // Epochs of snapshots count from 0, as in the names of Basin's own files; people count from 1.
    let first = |word: &str| word.parse::<u64>().map_or(0, |number| number + u64::from(is_snapshot));
    let words: Vec<String> = words
        .iter()
        .map(|word| if is_number(word) { first(word).to_string() } else { word.clone() })
        .collect();
    let tells = |i: &usize| {
        let counts = COUNTED.contains(&&*words[*i]) && words.get(i + 1).is_some_and(|next| is_number(next));
        counts || is_number(&words[*i]) || STATES.contains(&&*words[*i])
    };
    let told: Vec<&str> = (0..words.len()).filter(tells).map(|i| &*words[i]).collect();
    Some((told.join(" "), words.join(" ")))
}
