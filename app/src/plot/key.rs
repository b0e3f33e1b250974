//! What the legend of a plot explains, and by which samples.

use super::{Item, Plot};

/// Items that are explained together.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// A named item that is not itself part of the plot: its looks are the sample.
    pub sample: Item,
    /// The items that it explains, by their numbers.
    pub items: Vec<usize>,
}

/// A legend in two parts: the colour of an item says whose it is, its line or symbol what it is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Key {
    /// Whose.
    pub whose: Vec<Group>,
    /// What.
    pub what: Vec<Group>,
}

/// An entry of a legend.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry<'a> {
    /// Its words.
    pub name: &'a str,
    /// What looks like the sample.
    pub sample: &'a Item,
    /// What it explains, by number.
    pub items: Vec<usize>,
}

impl Plot {
    /// Legend entries: whose items are and what they are, or every named item by itself and nothing else.
    pub fn legend(&self) -> [Vec<Entry<'_>>; 2] {
        fn entry(group: &Group) -> Option<Entry<'_>> {
            Some(Entry { name: group.sample.name()?, sample: &group.sample, items: group.items.clone() })
        }
        match &self.key {
            Some(key) => [&key.whose, &key.what].map(|groups| groups.iter().filter_map(entry).collect()),
            None => {
                let marks = |item: &Item| matches!(item, Item::Mark(_) | Item::Arrow(_));
                let named = self.items.iter().enumerate().filter(|(_, item)| !marks(item));
                let own = named.filter_map(|(number, item)| {
                    Some(Entry { name: item.name()?, sample: item, items: vec![number] })
                });
                [own.collect(), Vec::new()]
            }
        }
    }
}

impl Item {
    /// What it is called in a legend.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Series(series) => series.name.as_deref(),
            Self::Scatter(scatter) => scatter.name.as_deref(),
            Self::Histogram(histogram) => histogram.name.as_deref(),
            Self::Guide(guide) => guide.name.as_deref(),
            Self::Mark(mark) => Some(&mark.name),
            Self::Arrow(arrow) => Some(&arrow.name),
            Self::Field(_) | Self::Caption(_) => None,
        }
    }
}
