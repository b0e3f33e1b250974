//! Where a direction comes from.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Where a direction comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum DirectionKind {
    /// Gaussian numbers in every moved tensor; the number tells draws of one job apart.
    Random(u64),
    /// The gradient of the loss at the weights: where it rises fastest.
    Gradient,
    /// A worst-case perturbation of the weights, found by gradient ascent; the number tells random starts apart.
    Worst(u64),
    /// An eigenvector of the Hessian: 1 is that of the largest eigenvalue, 2 of the second largest; -1 of the smallest.
    Hessian(i64),
    /// From the weights to those of another checkpoint of the same architecture, which is at step 1.
    Toward(PathBuf),
    /// A principal component of the networks of a training, from 1; the network that is farthest along it is at step 1
    /// or -1.
    Component(usize),
}

/// Most eigenvectors, and most principal components, that one may ask for by number.
const MOST: u64 = 100;

impl DirectionKind {
    /// The other checkpoint, if it leads to one.
    pub fn other(&self) -> Option<&Path> {
        match self {
            Self::Toward(path) => Some(path),
            _ => None,
        }
    }

    /// Whether its length means something, so that it is not scaled: step 1 is a network.
    pub fn has_length(&self) -> bool {
        matches!(self, Self::Toward(_) | Self::Component(_))
    }

    /// Whether there are other draws of it.
    pub fn is_drawn(&self) -> bool {
        matches!(self, Self::Random(_) | Self::Worst(_))
    }

    /// Whether it follows from the loss on the images.
    pub fn asks_loss(&self) -> bool {
        matches!(self, Self::Gradient | Self::Worst(_) | Self::Hessian(_))
    }

    /// Steps that show what it is made for.
    pub fn usual_range(&self) -> (f64, f64) {
        match self {
            Self::Toward(_) => (-0.5, 1.5),
            Self::Component(_) => (-1.25, 1.25),
            _ => (-1.0, 1.0),
        }
    }

    /// What it is called in axis labels and tables: `random direction`, `eigenvector 1`.
    pub fn title(&self) -> String {
        match self {
            Self::Random(_) => "random direction".into(),
            Self::Gradient => "gradient".into(),
            Self::Worst(_) => "worst-case direction".into(),
            Self::Hessian(-1) => "eigenvector of the smallest eigenvalue".into(),
            Self::Hessian(number @ ..0) => format!("eigenvector {} from below", -number),
            Self::Hessian(number) => format!("Hessian eigenvector {number}"),
            Self::Toward(path) => {
                let name = path.file_name().map_or(path.to_string_lossy(), |name| name.to_string_lossy());
                format!("toward {name}")
            }
            Self::Component(number) => format!("principal component {number}"),
        }
    }
}

impl std::fmt::Display for DirectionKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Random(0) => f.write_str("random"),
            Self::Random(draw) => write!(f, "random:{draw}"),
            Self::Gradient => f.write_str("gradient"),
            Self::Worst(0) => f.write_str("worst"),
            Self::Worst(draw) => write!(f, "worst:{draw}"),
            Self::Hessian(1) => f.write_str("hessian"),
            Self::Hessian(number) => write!(f, "hessian:{number}"),
            Self::Toward(path) => write!(f, "toward:{}", path.display()),
            Self::Component(1) => f.write_str("component"),
            Self::Component(number) => write!(f, "component:{number}"),
        }
    }
}

impl std::str::FromStr for DirectionKind {
    type Err = String;
    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let unknown = || {
            format!(
                "unknown direction {text:?}; use random, random:N (another draw), gradient, worst, worst:N, hessian:K \
                 (the K-th largest eigenvalue; -1: the smallest), toward:CHECKPOINT, or component:K (of a trajectory)"
            )
        };
        let (name, argument) = match text.split_once(':') {
            Some((name, argument)) => (name, Some(argument)),
            None => (text, None),
        };
        // A number that may be left out.
        let number = |usual: u64| argument.map_or(Ok(usual), |text| text.parse().map_err(|_| unknown()));
        match (name, argument) {
            ("random", _) => number(0).map(Self::Random),
            ("worst", _) => number(0).map(Self::Worst),
            ("gradient", None) => Ok(Self::Gradient),
            ("hessian", None) => Ok(Self::Hessian(1)),
            ("hessian", Some(text)) => match text.parse::<i64>() {
                Ok(number) if number != 0 && number.unsigned_abs() <= MOST => Ok(Self::Hessian(number)),
                _ => Err(unknown()),
            },
            ("toward", Some(path)) if !path.is_empty() => Ok(Self::Toward(path.into())),
            ("component", _) => match number(1)? {
                number @ 1..=MOST => Ok(Self::Component(number as usize)),
                _ => Err(unknown()),
            },
            _ => Err(unknown()),
        }
    }
}

crate::settings::written_as_text!(
    DirectionKind, "DirectionKind",
    "random" => "Gaussian numbers; random:N is another draw.",
    "gradient" => "The gradient of the loss: where it rises fastest.",
    "worst" => "A worst-case perturbation of the weights, found by gradient ascent; worst:N has another start.",
    "hessian:1" => "The eigenvector of the largest eigenvalue of the Hessian; hessian:2 of the second, hessian:-1 of the smallest.",
    "toward:FILE" => "Toward the weights of another checkpoint of the same architecture, which is at step 1.",
    "component:1" => "The first principal component of the networks of a trajectory.",
);

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
