//! Which state of its training a checkpoint is, as its file says.

use std::path::Path;

/// A state of a training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Stage {
    /// After so many epochs.
    Epoch(u64),
    /// The last one.
    Final,
    /// The one that early stopping has chosen.
    Best,
    /// The file does not say.
    #[default]
    Unknown,
}

/// Words of the files of last states.
const LAST: [&str; 6] = ["final", "last", "latest", "model", "classifier", "checkpoint"];
/// The folder in which a training of Basin keeps its snapshots, whose names count epochs from 0.
const SNAPSHOTS: &str = "snapshots";

impl Stage {
    /// What a path says: `final.safetensors`, `best.safetensors`, `snapshots/epoch-0009.safetensors`,
    /// `classifier.pth.tar.60`.
    pub fn of(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        if let Some(Ok(epoch)) = name.rsplit_once('.').map(|(_, end)| end.parse()) {
            return Self::Epoch(epoch);
        }
        let stem = name.split('.').next().unwrap_or_default();
        let words: Vec<&str> = stem.split(|c: char| !c.is_alphanumeric()).collect();
        if words.contains(&"best") {
            return Self::Best;
        }
        let after = words.iter().position(|word| *word == "epoch").and_then(|at| words.get(at + 1));
        if let Some(Ok(epoch)) = after.map(|word| word.parse::<u64>()) {
            let counts_from_0 = path.parent().is_some_and(|folder| folder.ends_with(SNAPSHOTS));
            return Self::Epoch(epoch + u64::from(counts_from_0));
        }
        // Of robust_overfitting and AT-AWP, which count from 0.
        if let ["model", number] = *words
            && let (Ok(epoch), true) = (number.parse::<u64>(), name.ends_with(".pth"))
        {
            return Self::Epoch(epoch + 1);
        }
        if LAST.contains(&stem) { Self::Final } else { Self::Unknown }
    }
}

#[cfg(test)]
mod tests {
    use super::Stage::{self, Best, Epoch, Final, Unknown};

    #[test]
    fn files_say_which_state_they_are() {
        for (path, stage) in [
            ("at/final.safetensors", Final),
            ("at/best.safetensors", Best),
            ("at/snapshots/epoch-0009.safetensors", Epoch(10)),
            ("other/epoch_9.pt", Epoch(9)),
            ("at/classifier.pth.tar", Final),
            ("at/classifier.pth.tar.60", Epoch(60)),
            ("awp/model_59.pth", Epoch(60)),
            ("awp/model_best.pth", Best),
            ("at/resnet18.pth", Unknown),
        ] {
            assert_eq!(Stage::of(path.as_ref()), stage, "{path}");
        }
    }
}
