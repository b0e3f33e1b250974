//! Which examples of a data set: the split and a range of indices, written `test:0..1000`.

use std::ops::Range;

use schemars::JsonSchema;
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

/// Which examples of a data set: `test:0..1000` is 0, 1, …, 999. `test:9999..9899` counts down, 9999, 9998, …,
/// 9900 (the paper's held-out images). As in Rust the end is exclusive; `..=` includes it: `test:99..=0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Examples {
    /// Split.
    pub split: Split,
    /// First index.
    pub start: usize,
    /// One past the last index (one before it, when counting down: -1 after index 0).
    pub end: isize,
}

impl Examples {
    /// The indices in order.
    pub fn indices(&self) -> Vec<usize> {
        if self.descending() { self.range().rev().collect() } else { self.range().collect() }
    }

    /// The same indices as an ascending range; [`Self::descending`] tells the order.
    pub fn range(&self) -> Range<usize> {
        if self.descending() {
            (self.end + 1) as usize..self.start.saturating_add(1)
        } else {
            self.start..self.end as usize
        }
    }

    /// Whether the examples are taken from the last to the first.
    pub fn descending(&self) -> bool {
        self.first() > self.end
    }

    /// The selection in words, for those who may not expect that a range counts down: `test:999..499 (counting down from
    /// 999 to 500)`.
    pub fn in_words(&self) -> String {
        let Range { start: low, end } = self.range();
        match self.descending() {
            true => format!("{self} (counting down from {} to {low})", end - 1),
            false => self.to_string(),
        }
    }

    fn first(&self) -> isize {
        isize::try_from(self.start).unwrap_or(isize::MAX)
    }

    /// The first `count` of them, in their order; all, if there are no more.
    pub fn first_of(&self, count: usize) -> Self {
        let count = count.min(self.len()) as isize;
        let end = if self.descending() { self.first() - count } else { self.first() + count };
        Self { end, ..*self }
    }

    /// Number of examples.
    pub fn len(&self) -> usize {
        self.first().abs_diff(self.end)
    }

    /// Whether no example is selected.
    pub fn is_empty(&self) -> bool {
        self.first() == self.end
    }
}

impl std::fmt::Display for Examples {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { split, start, end } = self;
        if *end < 0 { write!(f, "{split}:{start}..=0") } else { write!(f, "{split}:{start}..{end}") }
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
        let index = |s: &str| match s.trim().parse::<isize>() {
            Ok(index) if (0..isize::MAX).contains(&index) => Ok(index),
            _ => Err(wrong()),
        };
        let start = index(start)?;
        let end = match end.strip_prefix('=') {
            None => index(end)?,
            Some(last) => {
                let last = index(last)?;
                if start <= last { last + 1 } else { last - 1 }
            }
        };
        let examples = Self { split, start: start as usize, end };
        if examples.is_empty() {
            Err(format!("{text:?} selects no example; write e.g. test:0..1000"))
        } else {
            Ok(examples)
        }
    }
}

crate::settings::written_as_text!(Examples, "Examples");

impl Serialize for Examples {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Examples {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl serde::de::Visitor<'_> for Text {
            type Value = Examples;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a selection of examples such as test:0..1000")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Examples, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}
/// Which images of which data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DataSelection {
    /// Data set: `bundled`, `cifar10`, `mnist`, `fashion-mnist`, or a folder.
    #[schemars(extend("x-label" = "Data set", "x-flag" = "data"))]
    pub name: String,
    /// Split and range of indices, e.g. `test:0..1000` (0 to 999) or `train:0..500`; `test:9999..9899` counts down (to
    /// 9900), and `..=` includes the end (`test:99..=0`).
    #[schemars(extend("x-flag" = "examples", "x-hint" = "test:0..1000"))]
    pub examples: Examples,
}

impl Default for DataSelection {
    fn default() -> Self {
        Self { name: "bundled".into(), examples: Examples { split: Split::Test, start: 0, end: 100 } }
    }
}
