//! What a file leaves open of its network, with the values that can be assumed.

use serde::{Deserialize, Serialize};

use crate::model::{Activation, Architecture, Choices, InputNormalization, Pooling, Shortcut};

/// Values that can be assumed for what a file does not say; an empty list: the file says it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OpenChoices {
    /// Names of input normalizations; other means and standard deviations can be given, too.
    pub normalization: Vec<String>,
    /// What a convolution in a shortcut sees.
    pub shortcut: Vec<Shortcut>,
    /// Activations: names and shapes of tensors never tell.
    pub activation: Vec<Activation>,
    /// What follows the first convolution.
    pub pooling: Vec<Pooling>,
}

impl OpenChoices {
    /// What is open between the architectures that a file's tensors can be of.
    pub(super) fn between(architectures: &[Architecture], names_activation: bool) -> Self {
        let all: Vec<Choices> = architectures.iter().map(Architecture::choices).collect();
        Self {
            normalization: Vec::new(),
            shortcut: distinct(all.iter().filter_map(|choices| choices.shortcut)),
            activation: match names_activation {
                true => Vec::new(),
                false => Activation::ALL.into_iter().map(|(_, activation)| activation).collect(),
            },
            pooling: distinct(all.iter().filter_map(|choices| choices.pooling)),
        }
    }

    /// The same with the normalizations for images of so many channels.
    pub(super) fn with_normalizations(self, channels: i64) -> Self {
        let names = InputNormalization::names(channels).into_iter().map(str::to_owned);
        Self { normalization: names.collect(), ..self }
    }

    /// Whether the file says everything.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Every value once; none where there is a single one, and so no choice.
fn distinct<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut found = Vec::new();
    for value in values {
        if !found.contains(&value) {
            found.push(value);
        }
    }
    if found.len() > 1 { found } else { Vec::new() }
}
