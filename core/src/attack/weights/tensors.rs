//! Which tensors take part in a weight attack.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::model::{Entry, Layout, Role};

/// The tensors that a weight attack moves. Each parameter tensor counts as one layer: weight and bias of a
/// convolution are two, each with a radius of its own. Fixed tensors (whitening) never move.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub enum Tensors {
    /// All that belong to no normalization layer: the paper's choice.
    #[default]
    NoNormalization,
    /// All that are trained.
    All,
    /// All that belong to no normalization layer and are no biases.
    NoBias,
    /// All that are trained and have more than one axis: kernels and matrices, no biases and no normalization.
    Weights,
    /// Those whose names match one of these; `*` stands for any characters, e.g. `block0.*.weight`.
    Named(Vec<String>),
}

impl Tensors {
    /// Their indices in the layout, ascending; without tensors that have no element.
    ///
    /// # Errors
    /// There are none, or a name matches none.
    pub fn select(&self, layout: &Layout) -> Result<Vec<usize>> {
        let chosen = |of: &Self| -> Vec<usize> {
            let entries = layout.entries.iter().enumerate();
            let taken = |entry: &Entry| entry.len > 0 && of.takes(&entry.name, entry.role, entry.shape.len());
            entries.filter(|(_, entry)| taken(entry)).map(|(index, _)| index).collect()
        };
        if let Self::Named(patterns) = self {
            for pattern in patterns {
                if chosen(&Self::Named(vec![pattern.clone()])).is_empty() {
                    return Err(Error::invalid(format!(
                        "no trained tensor is called {pattern:?}; `basin inspect` lists their names"
                    )));
                }
            }
        }
        let selected = chosen(self);
        if selected.is_empty() {
            return Err(Error::invalid(format!("tensors {self}: the network has none of these to perturb")));
        }
        Ok(selected)
    }

    /// Whether a tensor of this name and role, with so many axes, takes part.
    pub fn takes(&self, name: &str, role: Role, axes: usize) -> bool {
        let trained = matches!(role, Role::Weight | Role::Normalization);
        trained
            && match self {
                Self::NoNormalization => role == Role::Weight,
                Self::All => true,
                Self::Weights => role == Role::Weight && axes > 1,
                Self::NoBias => role == Role::Weight && !name.contains("bias"),
                Self::Named(patterns) => patterns.iter().any(|pattern| matches(pattern, name)),
            }
    }
}

/// Whether `name` matches `pattern`, in which `*` stands for any characters.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|name| {
            (0..=name.len()).any(|at| name.is_char_boundary(at) && matches(rest, &name[at..]))
        }),
    }
}

impl std::fmt::Display for Tensors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoNormalization => f.write_str("no-normalization"),
            Self::All => f.write_str("all"),
            Self::NoBias => f.write_str("no-bias"),
            Self::Weights => f.write_str("weights"),
            Self::Named(patterns) => f.write_str(&patterns.join(",")),
        }
    }
}

impl From<&str> for Tensors {
    /// `no-normalization`, `all`, `no-bias`, `weights`, or names separated by commas.
    fn from(text: &str) -> Self {
        match text.trim() {
            "no-normalization" => Self::NoNormalization,
            "all" => Self::All,
            "no-bias" => Self::NoBias,
            "weights" => Self::Weights,
            names => Self::Named(names.split(',').map(|name| name.trim().to_owned()).collect()),
        }
    }
}

crate::settings::written_as_text!(
    Tensors, "Tensors" or "array",
    "no-normalization" => "All that belong to no normalization layer: the paper's choice.",
    "all" => "All that are trained.",
    "no-bias" => "All that belong to no normalization layer and are no biases.",
    "weights" => "All with more than one axis: kernels and matrices.",
);

/// As it stands in JSON.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    One(String),
    Many(Vec<String>),
}

impl From<Written> for Tensors {
    fn from(written: Written) -> Self {
        match written {
            Written::One(text) => Self::from(text.as_str()),
            Written::Many(names) => Self::Named(names),
        }
    }
}

impl From<Tensors> for Written {
    fn from(tensors: Tensors) -> Self {
        match tensors {
            Tensors::Named(names) => Self::Many(names),
            other => Self::One(other.to_string()),
        }
    }
}
