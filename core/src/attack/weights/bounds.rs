//! Bounds for the weights themselves, as options and jobs write them.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::pieces::Scope;
use super::projection::Projection;
use crate::error::{Error, Result};

/// A box that perturbed weights are kept in, before they are kept in their ball.
///
/// As text: `-0.1..0.1` (either number may be left out); several of these with commas between them, one per perturbed
/// tensor; or `reference-layer`, `reference-filter`, `reference-global`: the range of the unperturbed weights.
#[derive(Debug, Clone, PartialEq)]
pub enum WeightBox {
    /// Lower and upper bounds: one pair for all weights, or one per perturbed tensor.
    Bounds(Vec<(Option<f64>, Option<f64>)>),
    /// Between the smallest and the largest unperturbed weight of the same tensor, filter or model.
    Reference(Scope),
}

impl WeightBox {
    /// Checks that it fits `tensors` perturbed tensors.
    ///
    /// # Errors
    /// There are several bounds, but not one per tensor.
    pub fn check(&self, tensors: usize) -> Result<()> {
        match self {
            Self::Bounds(bounds) if bounds.len() > 1 && bounds.len() != tensors => {
                Err(Error::invalid(format!(
                    "there are {} boxes of weights for {tensors} perturbed tensors; give one for all, or one for each",
                    bounds.len()
                )))
            }
            _ => Ok(()),
        }
    }

    /// What it does to all perturbed tensors, or to the one at `only` of them.
    pub fn projection(&self, only: Option<usize>) -> Projection {
        match self {
            Self::Reference(scope) => Projection::ReferenceBox(*scope),
            Self::Bounds(bounds) => match (bounds.as_slice(), only) {
                ([(min, max)], _) => Projection::Box { min: *min, max: *max },
                (bounds, Some(at)) => Projection::Box { min: bounds[at].0, max: bounds[at].1 },
                (bounds, None) => Projection::LayerBox(
                    bounds
                        .iter()
                        .map(|(min, max)| (min.unwrap_or(f64::NEG_INFINITY), max.unwrap_or(f64::INFINITY)))
                        .collect(),
                ),
            },
        }
    }
}

const REFERENCES: [(&str, Scope); 3] = [
    ("reference-layer", Scope::Layer),
    ("reference-filter", Scope::Filter),
    ("reference-global", Scope::Global),
];

impl Display for WeightBox {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reference(scope) => {
                f.write_str(REFERENCES.iter().find(|(_, s)| s == scope).expect("all are named").0)
            }
            Self::Bounds(bounds) => {
                let number = |bound: &Option<f64>| bound.map(|b| b.to_string()).unwrap_or_default();
                let text = bounds.iter().map(|(min, max)| format!("{}..{}", number(min), number(max)));
                f.write_str(&text.collect::<Vec<_>>().join(","))
            }
        }
    }
}

impl FromStr for WeightBox {
    type Err = String;
    fn from_str(text: &str) -> std::result::Result<Self, String> {
        if let Some((_, scope)) = REFERENCES.iter().find(|(name, _)| *name == text) {
            return Ok(Self::Reference(*scope));
        }
        text.split(',').map(|pair| bounds(pair.trim())).collect::<Option<_>>().map(Self::Bounds).ok_or_else(|| {
            format!(
                "{text:?} is no box of weights; use MIN..MAX such as -0.1..0.1, one per tensor with commas, or reference-layer, reference-filter or reference-global"
            )
        })
    }
}

/// Two numbers in order, at least one of them given.
fn bounds(text: &str) -> Option<(Option<f64>, Option<f64>)> {
    let (min, max) = text.split_once("..")?;
    let number = |text: &str| match text {
        "" => Some(None),
        text => text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Some),
    };
    match (number(min)?, number(max)?) {
        (None, None) => None,
        (Some(min), Some(max)) if min > max => None,
        pair => Some(pair),
    }
}

crate::settings::written_as_text!(
    WeightBox, "WeightBox",
    "reference-layer" => "The range of the unperturbed weights of the same tensor.",
    "reference-filter" => "The range of the unperturbed weights of the same filter.",
    "reference-global" => "The range of all unperturbed weights.",
);

impl Serialize for WeightBox {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for WeightBox {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
