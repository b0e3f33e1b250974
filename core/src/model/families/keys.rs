//! Names and shapes of the tensors of a state dictionary: what families are recognized by.

use std::collections::BTreeMap;

/// The number that is there most often; of as many, the first.
pub fn most_common<N: Copy + Eq>(numbers: impl IntoIterator<Item = N>) -> Option<N> {
    let numbers: Vec<N> = numbers.into_iter().collect();
    let count = |number: N| numbers.iter().filter(|other| **other == number).count();
    let most = numbers.iter().map(|number| count(*number)).max()?;
    numbers.iter().copied().find(|number| count(*number) == most)
}

/// Names and shapes of the tensors of a state dictionary.
#[derive(Debug, Clone, Default)]
pub struct Keys(BTreeMap<String, Vec<i64>>);

impl Keys {
    /// Wraps names with shapes.
    pub fn new(shapes: BTreeMap<String, Vec<i64>>) -> Self {
        Self(shapes)
    }

    /// The shape of a tensor.
    pub fn shape(&self, name: &str) -> Option<&[i64]> {
        self.0.get(name).map(Vec::as_slice)
    }

    /// The size of a tensor along an axis.
    pub fn size(&self, name: &str, axis: usize) -> Option<i64> {
        self.shape(name)?.get(axis).copied()
    }

    /// The size that most of these tensors have, each along an axis and divided by what it is a multiple of; of as many
    /// votes, that of the first. One tensor of a wrong shape decides nothing.
    pub fn agreed(&self, sizes: &[(&str, usize, i64)]) -> Option<i64> {
        let sizes = sizes.iter().filter_map(|(name, axis, of)| Some(self.size(name, *axis)? / of));
        most_common(sizes)
    }

    /// Channels that the first convolution sees; 3 where its tensor is missing, so that it is said to be.
    pub fn image_channels(&self, stem: &str) -> i64 {
        self.size(stem, 1).unwrap_or(3)
    }

    /// Classes of the network whose last layer has this name; 10 where its tensor is missing, so that it is said to be.
    pub fn classes(&self, head: &str) -> i64 {
        self.size(&format!("{head}.weight"), 0).unwrap_or(10)
    }

    /// Whether there is a tensor of this name.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Whether the name of a tensor begins so.
    pub fn has_prefix(&self, prefix: &str) -> bool {
        self.0.range(prefix.to_owned()..).next().is_some_and(|(name, _)| name.starts_with(prefix))
    }

    /// The numbers that stand between `prefix` and a dot, or the end, in any name: how many from `from` up to the
    /// largest. A gap counts, so that a missing layer shows as missing.
    pub fn count(&self, prefix: &str, from: usize) -> usize {
        let numbers = self.0.range(prefix.to_owned()..).take_while(|(name, _)| name.starts_with(prefix));
        let largest = numbers.filter_map(|(name, _)| {
            let rest = &name[prefix.len()..];
            rest.split('.').next()?.parse::<usize>().ok().filter(|number| *number < 10_000)
        });
        largest.max().map_or(0, |largest| (largest + 1).saturating_sub(from))
    }

    /// Blocks in each stage, of stages whose number follows `prefix` and begins at `from`; blocks count from 0.
    pub fn stages(&self, prefix: &str, from: usize) -> Vec<usize> {
        let stages = from..from + self.count(prefix, from);
        stages.map(|stage| self.count(&format!("{prefix}{stage}."), 0)).collect()
    }

    /// All names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}
