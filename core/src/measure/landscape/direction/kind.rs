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
    /// The same with adversarial examples that are searched together with the weights, as in worst-case robust flatness.
    Joint(u64),
    /// An eigenvector of the Hessian: 1 is that of the largest eigenvalue, 2 of the second largest; -1 of the smallest.
    Hessian(i64),
    /// From the weights to those of another checkpoint of the same architecture, which is at step 1.
    Toward(PathBuf),
    /// The numbers of a file with the tensors of the network, such as an eigenvector that `basin hessian` kept.
    Along(PathBuf),
    /// A principal component of the networks of a training, from 1; the network that is farthest along it is at step 1
    /// or -1.
    Component(usize),
    /// In every image Gaussian numbers as large as the attack allows: the images move, not the weights.
    RandomInput(u64),
    /// In every image what the attack adds to it: the images move, not the weights.
    WorstInput,
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

    /// The file that it is read from, if it is.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Toward(path) | Self::Along(path) => Some(path),
            _ => None,
        }
    }

    /// Whether its length means something, so that it is not scaled: step 1 is a network, or images within the ball of
    /// the attack.
    pub fn has_length(&self) -> bool {
        matches!(self, Self::Toward(_) | Self::Component(_)) || self.moves_images()
    }

    /// Whether it moves the images and leaves the weights.
    pub fn moves_images(&self) -> bool {
        matches!(self, Self::RandomInput(_) | Self::WorstInput)
    }

    /// Whether there are other draws of it.
    pub fn is_drawn(&self) -> bool {
        matches!(self, Self::Random(_) | Self::Worst(_) | Self::Joint(_) | Self::RandomInput(_))
    }

    /// Whether it is found by gradient ascent on the weights.
    pub fn is_searched(&self) -> bool {
        matches!(self, Self::Worst(_) | Self::Joint(_))
    }

    /// Whether it follows from the gradient of the loss by the weights.
    pub fn asks_loss(&self) -> bool {
        matches!(self, Self::Gradient | Self::Hessian(_)) || self.is_searched()
    }

    /// Whether it asks for adversarial examples of the unperturbed network, given that the loss is robust.
    pub fn asks_examples(&self) -> bool {
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
            Self::Joint(_) => "joint worst-case direction".into(),
            Self::RandomInput(_) => "random direction of the images".into(),
            Self::WorstInput => "adversarial direction of the images".into(),
            Self::Hessian(-1) => "eigenvector of the smallest eigenvalue".into(),
            Self::Hessian(number @ ..0) => format!("eigenvector {} from below", -number),
            Self::Hessian(number) => format!("Hessian eigenvector {number}"),
            Self::Toward(path) => format!("toward {}", name_of(path)),
            Self::Along(path) => format!("direction of {}", name_of(path)),
            Self::Component(number) => format!("principal component {number}"),
        }
    }
}

fn name_of(path: &Path) -> std::borrow::Cow<'_, str> {
    path.file_name().map_or(path.to_string_lossy(), |name| name.to_string_lossy())
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
            Self::Joint(0) => f.write_str("joint"),
            Self::Joint(draw) => write!(f, "joint:{draw}"),
            Self::RandomInput(0) => f.write_str("random-input"),
            Self::RandomInput(draw) => write!(f, "random-input:{draw}"),
            Self::WorstInput => f.write_str("worst-input"),
            Self::Toward(path) => write!(f, "toward:{}", path.display()),
            Self::Along(path) => write!(f, "along:{}", path.display()),
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
                "unknown direction {text:?}; use random, random:N (another draw), gradient, worst, worst:N, joint, \
                 hessian:K (the K-th largest eigenvalue; -1: the smallest), toward:CHECKPOINT, component:K (of a \
                 trajectory), along:FILE, random-input or worst-input"
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
            ("joint", _) => number(0).map(Self::Joint),
            ("random-input", _) => number(0).map(Self::RandomInput),
            ("worst-input", None) => Ok(Self::WorstInput),
            ("gradient", None) => Ok(Self::Gradient),
            ("hessian", None) => Ok(Self::Hessian(1)),
            ("hessian", Some(text)) => match text.parse::<i64>() {
                Ok(number) if number != 0 && number.unsigned_abs() <= MOST => Ok(Self::Hessian(number)),
                _ => Err(unknown()),
            },
            ("toward", Some(path)) if !path.is_empty() => Ok(Self::Toward(path.into())),
            ("along", Some(path)) if !path.is_empty() => Ok(Self::Along(path.into())),
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
    "joint" => "As worst, with adversarial examples that are searched together with the weights, as in worst-case robust flatness; joint:N has another start.",
    "hessian:1" => "The eigenvector of the largest eigenvalue of the Hessian; hessian:2 of the second, hessian:-1 of the smallest.",
    "toward:FILE" => "Toward the weights of another checkpoint of the same architecture, which is at step 1.",
    "component:1" => "The first principal component of the networks of a trajectory.",
    "along:FILE" => "The numbers of a file with the tensors of the network, such as an eigenvector that basin hessian --keep-eigenvectors wrote.",
    "random-input" => "Moves the images, not the weights: random numbers as large as the attack allows; random-input:N is another draw.",
    "worst-input" => "Moves the images, not the weights: what the attack adds to each of them.",
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
