//! Objectives and starts as text: in jobs, options and forms alike. `smooth:0.1`, `target:3`, `uniform:-0.1..0.1`.

use std::str::FromStr;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::objective::TargetClass;
use super::{Objective, Start};
use crate::settings::{number, written_as_text};

const OBJECTIVES: [(&str, Objective); 4] = [
    ("cross-entropy", Objective::CrossEntropy),
    ("kl", Objective::Kl),
    ("batch-kl", Objective::BatchKl),
    ("dlr", Objective::Dlr),
];

const STARTS: [(&str, Start); 5] = [
    ("zero", Start::Zero),
    ("uniform-norm", Start::UniformNorm),
    ("uniform-sphere", Start::UniformSphere),
    ("uniform-ball", Start::UniformBall),
    ("uniform", Start::Uniform),
];

written_as_text!(
    Objective, "Objective" or "object",
    "cross-entropy" => "Cross-entropy of the true class (also written ce).",
    "kl" => "Kullback-Leibler divergence from the clean prediction (TRADES), per example.",
    "batch-kl" => "The same summed over the batch, so that one number chooses the best iterate of all: as the paper's program.",
    "dlr" => "Difference of logits ratio, indifferent to the scale of the logits. At least 3 classes.",
    "smooth:0.1" => "Cross-entropy against smoothed labels.",
    "target:3" => "Minus the cross-entropy of this class.",
    "target:least-likely" => "Minus the cross-entropy of the wrong class of lowest logit on the clean image.",
    "target:rank-1" => "Minus the cross-entropy of the most likely wrong class, or of the n-th.",
);

written_as_text!(
    Start, "Start" or "object",
    "zero" => "At the image itself.",
    "uniform-norm" => "Gaussian direction, norm uniform up to epsilon: the paper's choice.",
    "uniform-sphere" => "Gaussian direction on the sphere of radius epsilon.",
    "uniform-ball" => "Gaussian direction, for L2 uniform in the ball.",
    "uniform" => "Every pixel uniform within epsilon (L-inf only).",
    "uniform:-0.1..0.1" => "Every pixel's change uniform between two numbers.",
);

impl Objective {
    /// As options and jobs write it: `cross-entropy`, `smooth:0.1`, `target:3`.
    pub fn spelling(&self) -> String {
        match self {
            Self::SmoothedCrossEntropy(amount) => format!("smooth:{amount}"),
            Self::Targeted(TargetClass::Class(class)) => format!("target:{class}"),
            Self::Targeted(TargetClass::LeastLikely) => "target:least-likely".into(),
            Self::Targeted(TargetClass::Rank(rank)) => format!("target:rank-{rank}"),
            named => OBJECTIVES.iter().find(|(_, one)| one == named).map_or("", |(name, _)| name).into(),
        }
    }
}

impl Start {
    /// As options and jobs write it: `uniform-norm`, `uniform:-0.1..0.1`.
    pub fn spelling(&self) -> String {
        match self {
            Self::UniformIn(min, max) => format!("uniform:{min}..{max}"),
            named => STARTS.iter().find(|(_, one)| one == named).map_or("", |(name, _)| name).into(),
        }
    }
}

impl FromStr for Objective {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let other = || match text.split_once(':')? {
            ("smooth", amount) => amount.parse().ok().map(Self::SmoothedCrossEntropy),
            ("target", "least-likely") => Some(Self::Targeted(TargetClass::LeastLikely)),
            ("target", class) => match class.strip_prefix("rank-") {
                Some(rank) => rank.parse().ok().map(TargetClass::Rank).map(Self::Targeted),
                None => class.parse().ok().map(TargetClass::Class).map(Self::Targeted),
            },
            _ => None,
        };
        let named = OBJECTIVES.iter().find(|(name, _)| *name == text).map(|(_, objective)| *objective);
        match named.or((text == "ce").then_some(Self::CrossEntropy)).or_else(other) {
            Some(objective) => Ok(objective),
            None => Err(format!(
                "unknown objective {text:?}; use ce, kl, batch-kl, dlr, smooth:0.1, target:3, target:least-likely or target:rank-1"
            )),
        }
    }
}

impl FromStr for Start {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let between = || {
            let (min, max) = text.strip_prefix("uniform:")?.split_once("..")?;
            Some(Self::UniformIn(number(min).ok()?, number(max).ok()?))
        };
        let named = STARTS.iter().find(|(name, _)| *name == text).map(|(_, start)| *start);
        named.or_else(between).ok_or_else(|| {
            format!(
                "unknown start {text:?}; use zero, uniform-norm, uniform-sphere, uniform-ball, uniform, or uniform:-0.1..0.1"
            )
        })
    }
}

impl Serialize for Objective {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.spelling())
    }
}

impl Serialize for Start {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.spelling())
    }
}

/// Objectives with a value as earlier versions wrote them: `{"smoothed-cross-entropy": 0.1}`.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum TaggedObjective {
    SmoothedCrossEntropy(f64),
    Targeted(TargetClass),
}

/// Starts with values as earlier versions wrote them: `{"uniform-in": [-0.1, 0.1]}`.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum TaggedStart {
    UniformIn(f64, f64),
}

impl From<TaggedObjective> for Objective {
    fn from(tagged: TaggedObjective) -> Self {
        match tagged {
            TaggedObjective::SmoothedCrossEntropy(amount) => Self::SmoothedCrossEntropy(amount),
            TaggedObjective::Targeted(target) => Self::Targeted(target),
        }
    }
}

impl From<TaggedStart> for Start {
    fn from(TaggedStart::UniformIn(min, max): TaggedStart) -> Self {
        Self::UniformIn(min, max)
    }
}

/// Reads a text, or what earlier versions wrote in its place.
struct Reader<T, Tagged>(&'static str, std::marker::PhantomData<(T, Tagged)>);

impl<'de, T, Tagged> Visitor<'de> for Reader<T, Tagged>
where
    T: FromStr<Err = String> + From<Tagged>,
    Tagged: Deserialize<'de>,
{
    type Value = T;
    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        Tagged::deserialize(MapAccessDeserializer::new(map)).map(T::from)
    }
}

impl<'de> Deserialize<'de> for Objective {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let what = "an objective such as ce or smooth:0.1";
        deserializer.deserialize_any(Reader::<_, TaggedObjective>(what, std::marker::PhantomData))
    }
}

impl<'de> Deserialize<'de> for Start {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let what = "a start such as uniform-norm or uniform:-0.1..0.1";
        deserializer.deserialize_any(Reader::<_, TaggedStart>(what, std::marker::PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn what_is_written_is_read_as_text_and_as_earlier_versions_wrote_it() {
        for text in ["cross-entropy", "kl", "batch-kl", "dlr", "smooth:0.1", "target:3", "target:rank-2"] {
            let objective: Objective = text.parse().unwrap();
            assert_eq!(objective.spelling(), text);
            assert_eq!(from_value::<Objective>(json!(objective)).unwrap(), objective);
        }
        for text in ["zero", "uniform-norm", "uniform-sphere", "uniform-ball", "uniform", "uniform:-0.1..0.1"]
        {
            let start: Start = text.parse().unwrap();
            assert_eq!(start.spelling(), text);
            assert_eq!(from_value::<Start>(json!(start)).unwrap(), start);
        }
        let objective = |value| from_value::<Objective>(value).unwrap();
        assert_eq!(objective(json!({ "smoothed-cross-entropy": 0.1 })), Objective::SmoothedCrossEntropy(0.1));
        assert_eq!(
            objective(json!({ "targeted": "least-likely" })),
            Objective::Targeted(TargetClass::LeastLikely)
        );
        assert_eq!(
            objective(json!({ "targeted": { "rank": 2 } })),
            Objective::Targeted(TargetClass::Rank(2))
        );
        assert_eq!(from_value::<Start>(json!({ "uniform-in": [0, 1] })).unwrap(), Start::UniformIn(0.0, 1.0));
        assert!(
            from_value::<Objective>(json!("dance")).unwrap_err().to_string().contains("unknown objective")
        );
    }
}
