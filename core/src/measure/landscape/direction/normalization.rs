//! How a direction is scaled relative to the weights.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::attack::weights::{Scope, WeightBlocks, WeightNorm, quotient};
use crate::error::{Error, Result};
use crate::model::Weights;

/// How a direction is scaled relative to the weights. `radius` comes from the job.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Normalization {
    /// Relative L2 norm `radius` in every tensor: the ball of the flatness measures.
    #[default]
    Layer,
    /// Relative L2 norm `radius` in every output filter or row (Li et al.); vectors as a whole.
    Filter,
    /// Relative L2 norm `radius` over all moved tensors together.
    Global,
    /// Every entry `radius` times as large as its weight, with the sign of the direction (Li et al.'s weight
    /// normalization).
    Weight,
    /// As it is, times `radius`: random numbers with standard deviation 1, the gradient, a unit eigenvector, what an
    /// attack adds.
    None,
    /// A token of the paper's program, e.g. `layer_l2_05`, with the paper's meaning.
    Paper(PaperToken),
}

impl std::fmt::Display for Normalization {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Layer => f.write_str("layer"),
            Self::Filter => f.write_str("filter"),
            Self::Global => f.write_str("global"),
            Self::Weight => f.write_str("weight"),
            Self::None => f.write_str("none"),
            Self::Paper(token) => f.write_str(&token.0),
        }
    }
}

impl std::str::FromStr for Normalization {
    type Err = String;
    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text {
            "layer" => Ok(Self::Layer),
            "filter" => Ok(Self::Filter),
            "global" => Ok(Self::Global),
            "weight" => Ok(Self::Weight),
            "none" => Ok(Self::None),
            _ => PaperToken::try_from(text.to_owned()).map(Self::Paper),
        }
    }
}

crate::settings::written_as_text!(
    Normalization, "Normalization",
    "layer" => "Relative L2 norm in every tensor: the ball of the flatness measures.",
    "filter" => "Relative L2 norm in every output filter or row.",
    "global" => "Relative L2 norm over all moved tensors together.",
    "weight" => "Every entry in proportion to its weight.",
    "none" => "As it is, times the radius.",
    "layer_l2_05" => "A normalization of the paper's program, by its token.",
);

impl TryFrom<String> for Normalization {
    type Error = String;
    fn try_from(text: String) -> std::result::Result<Self, String> {
        text.parse()
    }
}

impl From<Normalization> for String {
    fn from(normalization: Normalization) -> Self {
        normalization.to_string()
    }
}

/// A direction normalization of the paper's program, by its token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PaperToken(String);

/// Family and factor of each token.
const TOKENS: [(&str, Rule, f64); 21] = [
    ("linf", Rule::AsIs, 1.0),
    ("l2", Rule::AsIs, 1.0),
    ("filter_linf", Rule::FilterL2, 1.0),
    ("filter_l2_05", Rule::FilterSignedMaximum, 0.5),
    ("filter_l2_005", Rule::FilterSignedMaximum, 0.05),
    ("filter_l2_0025", Rule::FilterSignedMaximum, 0.025),
    ("filter_l2", Rule::FilterSignedMaximum, 1.0),
    ("layer_linf", Rule::LayerMaximum, 1.0),
    ("layer_l2_05", Rule::LayerMaximum, 0.5),
    ("layer_l2_005", Rule::LayerMaximum, 0.05),
    ("layer_l2_0025", Rule::LayerMaximum, 0.025),
    ("layer_l2_001", Rule::LayerMaximum, 0.01),
    ("layer_l2", Rule::LayerMaximum, 1.0),
    ("relative_linf", Rule::GlobalMaximum, 1.0),
    ("relative_l2_05", Rule::GlobalL2, 0.5),
    ("relative_l2_005", Rule::GlobalL2, 0.05),
    // The paper's program multiplies by 0.05 here, against its own name; no published figure uses it.
    ("relative_l2_0025", Rule::GlobalL2, 0.025),
    ("relative_l2", Rule::GlobalL2, 1.0),
    ("direction_linf", Rule::UnitMaximum, 1.0),
    ("direction_l2", Rule::UnitL2, 1.0),
    ("direction", Rule::UnitL2, 1.0),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    AsIs,
    FilterL2,
    FilterSignedMaximum,
    LayerMaximum,
    GlobalMaximum,
    GlobalL2,
    UnitMaximum,
    UnitL2,
}

/// Added to denominators of layer and filter rules, as in the paper's program.
const TINY: f64 = 1e-10;

/// Ends tokens whose step 1 is where the clean error has risen by ten points.
const RISING: &str = "_rte";

impl PaperToken {
    fn rule(&self) -> (Rule, f64) {
        let name = self.0.strip_suffix(RISING).unwrap_or(&self.0);
        let (_, rule, factor) = TOKENS.iter().find(|(n, ..)| *n == name).expect("checked when it was made");
        (*rule, *factor)
    }

    /// Every token, without the ending `_rte` that each can have.
    pub fn names() -> impl Iterator<Item = &'static str> {
        TOKENS.iter().map(|(name, ..)| *name)
    }

    /// Whether the direction is rescaled so that at step 1 the clean error has risen by ten points.
    pub fn is_scaled_to_error(&self) -> bool {
        self.0.ends_with(RISING)
    }
}

impl TryFrom<String> for PaperToken {
    type Error = String;
    fn try_from(text: String) -> std::result::Result<Self, String> {
        let plain = text.strip_suffix(RISING).unwrap_or(&text);
        if TOKENS.iter().any(|(name, ..)| *name == plain) {
            return Ok(Self(text));
        }
        let known: Vec<&str> = Self::names().collect();
        Err(format!(
            "unknown normalization {text:?}; use layer, filter, global, weight, none, or one of the paper's, with or without _rte: {}",
            known.join(", ")
        ))
    }
}

impl From<PaperToken> for String {
    fn from(token: PaperToken) -> Self {
        token.0
    }
}

impl Normalization {
    /// The pieces of the weights that are scaled by themselves.
    pub fn scope(&self) -> Scope {
        match self {
            Self::Layer => Scope::Layer,
            Self::Filter | Self::Weight => Scope::Filter,
            Self::Global | Self::None => Scope::Global,
            Self::Paper(token) => token.rule().0.scope(),
        }
    }
}

impl Rule {
    fn scope(self) -> Scope {
        match self {
            Self::FilterL2 | Self::FilterSignedMaximum => Scope::Filter,
            Self::LayerMaximum => Scope::Layer,
            Self::AsIs | Self::GlobalMaximum | Self::GlobalL2 | Self::UnitMaximum | Self::UnitL2 => {
                Scope::Global
            }
        }
    }
}

/// Scales a direction over the tensors at `which`. Tensors whose weights are all zero are not moved, but by the rules that
/// do not look at the weights.
///
/// # Errors
/// Nothing is left to move.
pub fn scale(
    direction: &Weights,
    weights: &Weights,
    which: &[usize],
    rule: &Normalization,
    radius: f64,
) -> Result<Weights> {
    let (d, w, layout) = (direction.flat(), weights.flat(), weights.layout());
    let relative = |scope| {
        let pieces = WeightBlocks::new(layout, which, scope, w.device());
        let sizes = pieces.sizes(w, WeightNorm::L2) * radius;
        pieces.scaled(d, &quotient(&sizes, &pieces.sizes(d, WeightNorm::L2)))
    };
    let scaled = match rule {
        Normalization::Layer | Normalization::Filter | Normalization::Global => relative(rule.scope()),
        Normalization::Weight => d.sign() * w.abs() * radius,
        Normalization::None => d * radius,
        Normalization::Paper(token) => paper(direction, weights, which, token),
    };
    let scaled = Weights::from_flat(layout.clone(), scaled);
    if scaled.norm() == 0.0 {
        return Err(Error::invalid("the direction is zero: all weights that it could move are zero"));
    }
    Ok(scaled)
}

fn paper(direction: &Weights, weights: &Weights, which: &[usize], token: &PaperToken) -> Tensor {
    let (rule, factor) = token.rule();
    let (d, w) = (direction.flat(), weights.flat());
    let filters = |norm: fn(&Tensor) -> Tensor| {
        let scaled = direction.copy();
        for index in which {
            let mut view = scaled.view(*index);
            let of = |t: &Tensor| rows(t, norm);
            let value = &view * (of(&weights.view(*index)) * factor / (of(&view) + TINY));
            view.copy_(&value);
        }
        scaled.flat().shallow_clone()
    };
    match rule {
        Rule::AsIs => d.copy(),
        Rule::FilterL2 => filters(|rows| rows.norm_scalaropt_dim(2, [1i64].as_slice(), true)),
        Rule::FilterSignedMaximum => filters(|rows| rows.amax([1i64].as_slice(), true).abs()),
        Rule::LayerMaximum => {
            let pieces = WeightBlocks::new(weights.layout(), which, Scope::Layer, w.device());
            let sizes = |flat| pieces.sizes(flat, WeightNorm::Linf);
            pieces.scaled(d, &(sizes(w) * factor / (sizes(d) + TINY)))
        }
        Rule::GlobalMaximum => d * ratio(maximum(w), maximum(d), factor),
        Rule::GlobalL2 => d * ratio(weights.norm(), direction.norm(), factor),
        Rule::UnitMaximum => d * ratio(1.0, maximum(d), factor),
        Rule::UnitL2 => d * ratio(1.0, direction.norm(), factor),
    }
}

fn maximum(t: &Tensor) -> f64 {
    t.abs().max().double_value(&[])
}

/// `factor * size / length`, 0 where there is no length.
pub(super) fn ratio(size: f64, length: f64, factor: f64) -> f64 {
    if length > 0.0 { factor * size / length } else { 0.0 }
}

/// One value per slice along the first axis, of a vector per entry (as the paper's program has it), shaped to combine
/// with `t`.
fn rows(t: &Tensor, f: impl Fn(&Tensor) -> Tensor) -> Tensor {
    let mut shape = vec![1; t.dim()];
    shape[0] = -1;
    f(&t.reshape([t.size()[0], -1])).view(shape.as_slice())
}
