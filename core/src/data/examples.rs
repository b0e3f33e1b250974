//! Which examples of a data set: the split and a range of indices, written `test:0..1000`.

use std::ops::Range;

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

impl std::fmt::Display for Split {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Train => "train",
            Self::Test => "test",
        })
    }
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
        if self.descending() { self.range().rev().collect() } else { self.range().collect() }
    }

    /// The same indices as an ascending range; [`Self::descending`] tells the order.
    pub fn range(&self) -> Range<usize> {
        if self.start <= self.end { self.start..self.end } else { self.end + 1..self.start.saturating_add(1) }
    }

    /// Whether the examples are taken from the last to the first.
    pub fn descending(&self) -> bool {
        self.start > self.end
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
        write!(f, "{}:{}..{}", self.split, self.start, self.end)
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
        if examples.is_empty() {
            Err(format!("{text:?} selects no example; write e.g. test:0..1000"))
        } else {
            Ok(examples)
        }
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
