//! What of trainings is shown, and how.

use serde::{Deserialize, Serialize};

use crate::plot::figure::{self, Which};

/// What is shown over epochs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Quantity {
    /// Mean cross-entropy.
    #[default]
    Loss,
    /// Share of wrong examples.
    Error,
    /// Learning rate of the last step of each epoch.
    LearningRate,
    /// Euclidean norms of weights and gradient at the end of each epoch, where they are logged.
    Norms,
}

/// What of trainings is shown, and how.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Options {
    /// Loss, error or learning rate.
    pub quantity: Quantity,
    /// Clean, robust or both; automatic: both of one training, robust of several.
    pub which: Which,
    /// Logarithmic values.
    pub log: bool,
    /// Largest value shown: the first epochs are often far above all others.
    pub clip: Option<f64>,
    /// For the window: points where a network was kept, short legends, no words that stand elsewhere.
    pub screen: bool,
    /// Title above the axes.
    pub title: Option<String>,
}

impl Options {
    /// Those of every figure, of this quantity.
    pub fn of(options: &figure::Options, quantity: Quantity) -> Self {
        let figure::Options { which, log, clip, .. } = *options;
        Self { quantity, which, log, clip, screen: false, title: options.title.clone() }
    }
}
