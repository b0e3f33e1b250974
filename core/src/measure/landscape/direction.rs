//! Directions in weight space and how they are scaled relative to the weights.
//!
//! A direction moves the tensors of [`Layout::movable`] and is zero elsewhere. Its scale is what makes
//! steps comparable between models: by default step 1 has relative L2 norm `radius` in every tensor, the
//! ball of the flatness measures (`||d|| = radius ||w||`).

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::outcome::{DirectionSummary, LayerNorm};
use crate::error::{Error, Result};
use crate::model::{Layout, Weights};
use crate::seed::{generator, normal};

/// Where a direction comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum DirectionKind {
    /// Gaussian numbers in every moved tensor; the number tells draws of one job apart.
    Random(u64),
}

impl std::fmt::Display for DirectionKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Random(0) => f.write_str("random"),
            Self::Random(draw) => write!(f, "random:{draw}"),
        }
    }
}

impl std::str::FromStr for DirectionKind {
    type Err = String;
    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let unknown = || format!("unknown direction {text:?}; use random, or random:N for another draw");
        match text.split_once(':') {
            None if text == "random" => Ok(Self::Random(0)),
            Some(("random", draw)) => draw.parse().map(Self::Random).map_err(|_| unknown()),
            _ => Err(unknown()),
        }
    }
}

crate::settings::written_as_text!(DirectionKind, "DirectionKind");

impl TryFrom<String> for DirectionKind {
    type Error = String;
    fn try_from(text: String) -> std::result::Result<Self, String> {
        text.parse()
    }
}

impl From<DirectionKind> for String {
    fn from(kind: DirectionKind) -> Self {
        kind.to_string()
    }
}

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
    /// A token of the paper's program, e.g. `layer_l2_05`, with the paper's meaning.
    Paper(PaperToken),
}

impl std::fmt::Display for Normalization {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Layer => f.write_str("layer"),
            Self::Filter => f.write_str("filter"),
            Self::Global => f.write_str("global"),
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
            _ => PaperToken::try_from(text.to_owned()).map(Self::Paper),
        }
    }
}

crate::settings::written_as_text!(
    Normalization, "Normalization",
    "layer" => "Relative L2 norm in every tensor: the ball of the flatness measures.",
    "filter" => "Relative L2 norm in every output filter or row.",
    "global" => "Relative L2 norm over all moved tensors together.",
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
            "unknown normalization {text:?}; use layer, filter, global, or one of the paper's, with or without _rte: {}",
            known.join(", ")
        ))
    }
}

impl From<PaperToken> for String {
    fn from(token: PaperToken) -> Self {
        token.0
    }
}

/// The direction of a job, before scaling.
pub fn raw(kind: &DirectionKind, layout: &Arc<Layout>, seed: u64) -> Weights {
    let direction = Weights::zeros(layout.clone());
    match kind {
        DirectionKind::Random(draw) => {
            for index in layout.movable() {
                let mut rng = generator(seed, "direction", &[*draw, index as u64]);
                let mut view = direction.view(index);
                let values = normal(&mut rng, layout.entries[index].len as usize);
                view.copy_(&Tensor::from_slice(&values).view_as(&view));
            }
        }
    }
    direction
}

/// Scales a direction. Tensors whose weights are all zero are not moved.
///
/// # Errors
/// Nothing is left to move.
pub fn scale(direction: &Weights, weights: &Weights, rule: &Normalization, radius: f64) -> Result<Weights> {
    let scaled = direction.copy();
    let layout = weights.layout().clone();
    match rule {
        Normalization::Layer => each(&scaled, weights, |d, w| d * ratio(l2(w), l2(d), radius)),
        Normalization::Filter => each(&scaled, weights, |d, w| {
            if d.dim() < 2 {
                d * ratio(l2(w), l2(d), radius)
            } else {
                d * (rows(w, row_l2) * radius / nonzero(&rows(d, row_l2)))
            }
        }),
        Normalization::Global => {
            let moved: Vec<Tensor> =
                layout.movable().iter().map(|i| weights.view(*i).flatten(0, -1)).collect();
            let factor = ratio(l2(&Tensor::cat(&moved, 0)), direction.norm(), radius);
            let _ = scaled.flat().shallow_clone().g_mul_scalar_(factor);
        }
        Normalization::Paper(token) => paper(&scaled, weights, token),
    }
    if scaled.norm() == 0.0 {
        return Err(Error::invalid("the direction is zero: all weights that it could move are zero"));
    }
    Ok(scaled)
}

fn paper(direction: &Weights, weights: &Weights, token: &PaperToken) {
    let (rule, factor) = token.rule();
    let whole = |f: f64| {
        let _ = direction.flat().shallow_clone().g_mul_scalar_(f);
    };
    match rule {
        Rule::AsIs => {}
        Rule::FilterL2 => {
            each(direction, weights, |d, w| d * (rows(w, row_l2) * factor / (rows(d, row_l2) + TINY)))
        }
        Rule::FilterSignedMaximum => each(direction, weights, |d, w| {
            let maximum = |t: &Tensor| rows(t, |r| r.amax([1i64].as_slice(), true)).abs();
            d * (maximum(w) * factor / (maximum(d) + TINY))
        }),
        Rule::LayerMaximum => {
            each(direction, weights, |d, w| d * (maximum(w) * factor / (maximum(d) + TINY)))
        }
        Rule::GlobalMaximum => whole(ratio(maximum(weights.flat()), maximum(direction.flat()), factor)),
        Rule::GlobalL2 => whole(ratio(weights.norm(), direction.norm(), factor)),
        Rule::UnitMaximum => whole(ratio(1.0, maximum(direction.flat()), factor)),
        Rule::UnitL2 => whole(ratio(1.0, direction.norm(), factor)),
    }
}

/// Replaces every moved tensor of `direction` by `f(direction, weights)`.
fn each(direction: &Weights, weights: &Weights, f: impl Fn(&Tensor, &Tensor) -> Tensor) {
    for index in weights.layout().movable() {
        let mut view = direction.view(index);
        let value = f(&view, &weights.view(index));
        view.copy_(&value);
    }
}

fn l2(t: &Tensor) -> f64 {
    t.to_kind(Kind::Double).norm().double_value(&[])
}

fn maximum(t: &Tensor) -> f64 {
    t.abs().max().double_value(&[])
}

/// `factor * size / length`, 0 where there is no length.
fn ratio(size: f64, length: f64, factor: f64) -> f64 {
    if length > 0.0 { factor * size / length } else { 0.0 }
}

/// One value per filter (slice along the first axis), shaped to combine with `t`.
fn rows(t: &Tensor, f: impl Fn(&Tensor) -> Tensor) -> Tensor {
    let mut shape = vec![1; t.dim()];
    shape[0] = -1;
    f(&t.reshape([t.size()[0], -1])).view(shape.as_slice())
}

fn row_l2(rows: &Tensor) -> Tensor {
    rows.norm_scalaropt_dim(2, [1i64].as_slice(), true)
}

/// Zeros replaced by infinity, so that a division gives 0.
fn nonzero(t: &Tensor) -> Tensor {
    t.masked_fill(&t.eq(0.0), f64::INFINITY)
}

/// The direction times `factor`.
pub fn stretched(direction: &Weights, factor: f64) -> Weights {
    Weights::from_flat(direction.layout().clone(), direction.flat() * factor)
}

/// A direction in numbers.
pub fn summarize(name: String, direction: &Weights, weights: &Weights) -> DirectionSummary {
    let layout = weights.layout();
    let mut moved = 0.0;
    let mut layers = Vec::new();
    for index in layout.movable() {
        let size = l2(&weights.view(index));
        moved += size * size;
        let relative_l2 = ratio(l2(&direction.view(index)), size, 1.0);
        layers.push(LayerNorm { name: layout.entries[index].name.clone(), relative_l2 });
    }
    let norm = direction.norm();
    DirectionSummary { name, norm, relative_norm: ratio(norm, moved.sqrt(), 1.0), layers }
}

/// Cosine of the angle between two directions.
pub fn cosine(a: &Weights, b: &Weights) -> f64 {
    a.dot(b) / (a.norm() * b.norm())
}
