//! What jobs and outcomes are, in a few words and numbers: for lists, tables, file names and progress.

use super::rows::Point;

/// A job in words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// What it is: `2-D robust loss`.
    pub title: String,
    /// Settings that tell jobs of one kind apart, without images: `25 × 25`, `layer 0.5`.
    pub details: Vec<String>,
    /// Beginning of the name of its record's file: `landscape-2d-robust`.
    pub stem: String,
}

/// How a number is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// A loss, or a difference of losses.
    Loss,
    /// A share of the examples, 0 to 1.
    Share,
}

/// A number that stands first among those of an outcome.
#[derive(Debug, Clone, PartialEq)]
pub struct Number {
    /// What it is: `flatness`, `robust error`.
    pub name: &'static str,
    /// Where it was measured, if it was in several places: `radius 0.5`.
    pub at: Option<String>,
    /// Its value.
    pub value: f64,
    /// How it is read.
    pub quantity: Quantity,
    /// Whether it is loss or error of the network as it is, which stands in the headline's points, too.
    pub of_checkpoint: bool,
    /// Its 95 % interval, where that is known.
    pub interval: Option<[f64; 2]>,
}

impl Number {
    /// A loss without an interval.
    pub fn loss(name: &'static str, value: f64) -> Self {
        Self { name, at: None, value, quantity: Quantity::Loss, of_checkpoint: false, interval: None }
    }

    /// A share without an interval.
    pub fn share(name: &'static str, value: f64) -> Self {
        Self { quantity: Quantity::Share, ..Self::loss(name, value) }
    }

    /// The same, of the network as it is.
    pub fn of_checkpoint(self) -> Self {
        Self { of_checkpoint: true, ..self }
    }
}

/// The numbers of an outcome that stand first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Headline {
    /// What was measured; empty: nothing that is a few numbers.
    pub numbers: Vec<Number>,
    /// Clean loss and error of the network as it is, where they are known.
    pub clean: Option<Point>,
    /// The same under attack.
    pub robust: Option<Point>,
}
