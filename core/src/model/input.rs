//! What is done to images in 0 to 1 before the first layer, by numbers that belong to no tensor.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::topology::Layer;

/// What is done to images before the first layer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InputNormalization {
    /// Nothing.
    #[default]
    None,
    /// Every image by its own mean and standard deviation.
    PerImage,
    /// `(x - mean) / std` for each channel.
    Standardize {
        /// Mean of each channel.
        mean: Vec<f64>,
        /// Standard std of each channel.
        std: Vec<f64>,
    },
}

/// Names with mean and standard deviation; one number stands for all channels. `half` is `2x - 1`, and so is `signed`.
const NAMED: [(&str, &[f64], &[f64]); 7] = [
    ("cifar10", &[0.4914, 0.4822, 0.4465], &[0.2471, 0.2435, 0.2616]),
    ("cifar10-2023", &[0.4914, 0.4822, 0.4465], &[0.2023, 0.1994, 0.2010]),
    ("cifar100", &[0.5071, 0.4865, 0.4409], &[0.2673, 0.2564, 0.2762]),
    ("imagenet", &[0.485, 0.456, 0.406], &[0.229, 0.224, 0.225]),
    ("half", &[0.5], &[0.5]),
    ("signed", &[0.5], &[0.5]),
    ("mnist", &[0.1307], &[0.3081]),
];

impl InputNormalization {
    /// The one of a name, for images with so many channels; none: the name is not known or has other channels.
    pub fn named(name: &str, channels: i64) -> Option<Self> {
        match name {
            "none" => return Some(Self::None),
            "per-image" => return Some(Self::PerImage),
            _ => {}
        }
        let (_, mean, std) = NAMED.iter().find(|(known, ..)| *known == name)?;
        let channels = usize::try_from(channels).ok()?;
        let spread = |values: &[f64]| match values {
            [value] => Some(vec![*value; channels]),
            _ => (values.len() == channels).then(|| values.to_vec()),
        };
        Some(Self::Standardize { mean: spread(mean)?, std: spread(std)? })
    }

    /// Names for images with so many channels, each normalization once.
    pub fn names(channels: i64) -> Vec<&'static str> {
        let named = NAMED.iter().map(|(name, ..)| *name).filter(|name| *name != "signed");
        let fitting =
            named.filter(|name| Self::named(name, channels).is_some() && (channels == 1 || *name != "mnist"));
        std::iter::once("none").chain(fitting).chain(["per-image"]).collect()
    }

    /// Reads a name, or `MEAN,MEAN,MEAN/STD,STD,STD`. Whether it has as many channels as images is not checked.
    ///
    /// # Errors
    /// It is neither; the end of a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        for channels in [1, 3] {
            if let Some(found) = Self::named(text, channels) {
                return Ok(found);
            }
        }
        let wrong = || {
            let names: Vec<&str> = NAMED.iter().map(|(name, ..)| *name).collect();
            format!(
                "normalization {text:?} is not known; use none, {}, per-image, or MEAN,MEAN,MEAN/STD,STD,STD",
                names.join(", ")
            )
        };
        let numbers = |part: &str| -> Option<Vec<f64>> {
            part.split(',').map(|number| number.trim().parse().ok().filter(|n: &f64| n.is_finite())).collect()
        };
        let (mean, std) = text.split_once('/').ok_or_else(wrong)?;
        let (mean, std) = (numbers(mean).ok_or_else(wrong)?, numbers(std).ok_or_else(wrong)?);
        if mean.len() != std.len() {
            return Err(format!(
                "normalization {text:?} has {} means but {} standard deviations; give as many of both",
                mean.len(),
                std.len()
            ));
        }
        if std.iter().any(|value| *value <= 0.0) {
            return Err(format!("normalization {text:?} divides by numbers that are not positive"));
        }
        Ok(Self::Standardize { mean, std })
    }

    /// The same for images with so many channels: one number stands for all of them.
    ///
    /// # Errors
    /// It has another number of channels; the end of a sentence.
    pub fn for_channels(&self, channels: i64) -> Result<Self, String> {
        let Self::Standardize { mean, std } = self else { return Ok(self.clone()) };
        let wanted = usize::try_from(channels).unwrap_or(0);
        match (mean.as_slice(), std.as_slice()) {
            _ if mean.len() == wanted => Ok(self.clone()),
            (&[mean], &[std]) => Ok(Self::Standardize { mean: vec![mean; wanted], std: vec![std; wanted] }),
            _ => Err(format!(
                "cannot be normalized by {self}, which has {} channels: its images have {channels}",
                mean.len()
            )),
        }
    }

    /// What is tried where a file does not say, the usual one first.
    pub fn candidates(usual: &Self, channels: i64, classes: i64) -> Vec<Self> {
        let names: &[&str] = match (channels, classes) {
            (1, _) => &["none", "mnist", "half", "per-image"],
            (3, 100) => &["none", "cifar100", "cifar10", "cifar10-2023", "half", "imagenet", "per-image"],
            (3, _) => &["none", "cifar10", "cifar10-2023", "half", "imagenet", "per-image"],
            _ => &["none", "half", "per-image"],
        };
        let others = names.iter().filter_map(|name| Self::named(name, channels));
        std::iter::once(usual.clone()).chain(others.filter(|other| !other.is_same(usual))).collect()
    }

    /// The same with numbers of float32, as tensors hold them.
    #[must_use]
    pub fn in_single(&self) -> Self {
        let Self::Standardize { mean, std } = self else { return self.clone() };
        let single = |values: &[f64]| values.iter().map(|value| f64::from(*value as f32)).collect();
        Self::Standardize { mean: single(mean), std: single(std) }
    }

    /// Whether both do the same, as far as float32 can tell.
    pub fn is_same(&self, other: &Self) -> bool {
        self.in_single() == other.in_single()
    }

    /// Whether nothing is done.
    pub fn is_none(&self) -> bool {
        *self == Self::None
    }

    /// The layer that does it, if it does anything.
    pub fn layer(&self) -> Option<Layer> {
        match self {
            Self::None => None,
            Self::PerImage => Some(Layer::StandardizeEach),
            Self::Standardize { mean, std } => {
                Some(Layer::StandardizeBy { mean: mean.clone(), std: std.clone() })
            }
        }
    }

    /// What a layer does, if it is one of these.
    pub fn of(layer: &Layer) -> Option<Self> {
        match layer {
            Layer::StandardizeEach => Some(Self::PerImage),
            Layer::StandardizeBy { mean, std } => {
                Some(Self::Standardize { mean: mean.clone(), std: std.clone() })
            }
            _ => None,
        }
    }
}

impl fmt::Display for InputNormalization {
    /// As [`InputNormalization::parse`] reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Numbers of a tensor are shown as it holds them.
        let number = |value: &f64| {
            let single = *value as f32;
            if f64::from(single).to_bits() == value.to_bits() {
                single.to_string()
            } else {
                value.to_string()
            }
        };
        let list = |values: &[f64]| values.iter().map(number).collect::<Vec<_>>().join(",");
        match self {
            Self::None => f.write_str("none"),
            Self::PerImage => f.write_str("per-image"),
            Self::Standardize { mean, std } => {
                let is_this = |name: &str| {
                    Self::named(name, mean.len() as i64).is_some_and(|known| known.is_same(self))
                };
                match NAMED.iter().find(|(name, ..)| is_this(name)) {
                    Some((name, ..)) => f.write_str(name),
                    None => write!(f, "{}/{}", list(mean), list(std)),
                }
            }
        }
    }
}
