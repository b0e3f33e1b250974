//! Images with labels, wherever they come from.
//!
//! [`Dataset`] is what every loader gives: `N x C x H x W` images in `0..=1` and labels.

use serde::{Deserialize, Serialize};

/// Training or test images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// Training images.
    Train,
    /// Test images.
    Test,
}

/// Which examples of a data set: `test:0..1000`; `test:9999..9899` counts down (the paper's held-out
/// images). The end is exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Examples {
    /// Split.
    pub split: Split,
    /// First index.
    pub start: usize,
    /// One past the last index (one before it, when counting down).
    pub end: usize,
}

impl Examples {
    /// The indices in order.
    pub fn indices(&self) -> Vec<usize> {
        if self.start <= self.end { (self.start..self.end).collect() } else { (self.end + 1..=self.start).rev().collect() }
    }

    /// Number of examples.
    pub fn len(&self) -> usize {
        self.start.abs_diff(self.end)
    }

    /// Whether no example is selected.
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }
}

impl std::fmt::Display for Examples {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let split = match self.split {
            Split::Train => "train",
            Split::Test => "test",
        };
        write!(f, "{split}:{}..{}", self.start, self.end)
    }
}

impl std::str::FromStr for Examples {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} does not select examples; write e.g. test:0..1000 or train:0..500");
        let (split, range) = text.split_once(':').ok_or_else(wrong)?;
        let split = match split {
            "test" => Split::Test,
            "train" => Split::Train,
            _ => return Err(wrong()),
        };
        let (start, end) = range.split_once("..").ok_or_else(wrong)?;
        let parse = |s: &str| s.trim().parse::<usize>().map_err(|_| wrong());
        let examples = Self { split, start: parse(start)?, end: parse(end)? };
        if examples.is_empty() { Err(format!("{text:?} selects no example; write e.g. test:0..1000")) } else { Ok(examples) }
    }
}

impl Serialize for Examples {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Examples {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
