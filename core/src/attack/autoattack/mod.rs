//! AutoAttack (Croce and Hein, 2020): an ensemble of attacks without parameters to tune. Which attacks, in
//! which order, how long: here. Each attack: a file of its own, from an explicit start.
//!
//! Versions: `standard` as published by its authors; `paper` as the flatness paper's program ran it under the
//! name standard (FAB-T first, no Square); `plus`, `rand` and `es` as there. The order of attacks decides the
//! time and which adversarial example is kept, never the set of broken examples beyond chance.

pub mod apgd;
pub mod fab;
mod halfway;
pub mod projection;
mod select;
pub mod square;

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::InputNorm;
use crate::error::{Error, Result};
use crate::limits;
pub use halfway::{Forgetful, Halfway, Memory};
pub use select::{Judge, Subject};

/// One attack of the ensemble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attack {
    /// APGD on the cross-entropy.
    ApgdCe,
    /// APGD on the difference of logits ratio.
    ApgdDlr,
    /// APGD on the targeted ratio, one target class after the other.
    ApgdT,
    /// FAB towards the nearest class.
    Fab,
    /// FAB, one target class after the other.
    FabT,
    /// Square: random search without gradients.
    Square,
}

impl Attack {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::ApgdCe, Self::ApgdDlr, Self::ApgdT, Self::Fab, Self::FabT, Self::Square];

    /// Name in lists and records.
    pub fn name(self) -> &'static str {
        match self {
            Self::ApgdCe => "apgd-ce",
            Self::ApgdDlr => "apgd-dlr",
            Self::ApgdT => "apgd-t",
            Self::Fab => "fab",
            Self::FabT => "fab-t",
            Self::Square => "square",
        }
    }

    /// Whether it goes through target classes.
    pub fn is_targeted(self) -> bool {
        matches!(self, Self::ApgdT | Self::FabT)
    }

    /// Classes it needs.
    fn least_classes(self) -> usize {
        match self {
            Self::ApgdDlr => 3,
            Self::ApgdT => 4,
            _ => 2,
        }
    }
}

/// A version by name, or a list of attacks in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Version {
    /// APGD-CE, APGD-T, FAB-T, Square: what is published as AutoAttack.
    #[default]
    Standard,
    /// FAB-T, APGD-CE, APGD-T: what the flatness paper's program ran.
    Paper,
    /// All six, five restarts of the untargeted ones.
    Plus,
    /// APGD-CE and APGD-DLR, gradients averaged over 20 passes: for networks that answer randomly.
    Rand,
    /// APGD-CE and APGD-T with 50 steps, five restarts and five targets: the paper's for early stopping.
    Es,
    /// These, one restart each.
    List(Vec<Attack>),
}

const VERSIONS: [(&str, Version); 5] = [
    ("standard", Version::Standard),
    ("paper", Version::Paper),
    ("plus", Version::Plus),
    ("rand", Version::Rand),
    ("es", Version::Es),
];

impl Version {
    /// The attacks in their order.
    pub fn attacks(&self) -> Vec<Attack> {
        use Attack::{ApgdCe, ApgdDlr, ApgdT, Fab, FabT, Square};
        match self {
            Self::Standard => vec![ApgdCe, ApgdT, FabT, Square],
            Self::Paper => vec![FabT, ApgdCe, ApgdT],
            Self::Plus => vec![ApgdCe, ApgdDlr, Fab, Square, ApgdT, FabT],
            Self::Rand => vec![ApgdCe, ApgdDlr],
            Self::Es => vec![ApgdCe, ApgdT],
            Self::List(attacks) => attacks.clone(),
        }
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::List(attacks) => {
                f.write_str(&attacks.iter().map(|a| a.name()).collect::<Vec<_>>().join(","))
            }
            version => f.write_str(VERSIONS.iter().find(|(_, v)| v == version).expect("all are named").0),
        }
    }
}

impl FromStr for Version {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((_, version)) = VERSIONS.iter().find(|(name, _)| *name == text) {
            return Ok(version.clone());
        }
        let attacks: Result<Vec<Attack>, String> = text.split(',').map(|name| attack(name.trim())).collect();
        let attacks = attacks?;
        match attacks.iter().enumerate().find(|(at, attack)| attacks[..*at].contains(attack)) {
            Some((_, twice)) => Err(format!("{} is in the list twice; more restarts do more", twice.name())),
            None => Ok(Self::List(attacks)),
        }
    }
}

fn attack(name: &str) -> Result<Attack, String> {
    Attack::ALL.into_iter().find(|attack| attack.name() == name).ok_or_else(|| {
        format!(
            "unknown version or attack {name:?}; use standard, paper, plus, rand, es, or a list of apgd-ce, apgd-dlr, apgd-t, fab, fab-t and square"
        )
    })
}

impl Serialize for Version {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The ensemble and its settings. What is `None` is as the version says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AutoAttack {
    /// `standard`, `paper`, `plus`, `rand`, `es`, or a list such as `apgd-ce,square`.
    pub version: Version,
    /// Geometry of the ball: L-inf or L2.
    pub norm: InputNorm,
    /// Radius of the ball, in pixel values from 0 to 1.
    pub epsilon: f64,
    /// Updates of APGD and FAB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<usize>,
    /// Independent starts of every attack.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restarts: Option<usize>,
    /// Target classes of the targeted attacks, the most likely first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub targets: Option<usize>,
    /// Queries of Square.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queries: Option<usize>,
}

impl Default for AutoAttack {
    fn default() -> Self {
        Self {
            version: Version::Standard,
            norm: InputNorm::Linf,
            epsilon: 8.0 / 255.0,
            steps: None,
            restarts: None,
            targets: None,
            queries: None,
        }
    }
}

/// One attack with everything decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Which.
    pub attack: Attack,
    /// Updates of APGD and FAB; queries of Square.
    pub steps: usize,
    /// Independent starts.
    pub restarts: usize,
    /// Target classes; 1 for untargeted attacks.
    pub targets: usize,
    /// Passes a gradient is averaged over.
    pub passes: usize,
}

/// One run of an attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Number of the start, from 0.
    pub restart: usize,
    /// The class to reach is that with this many-th highest logit, from 2; none: untargeted.
    pub rank: Option<usize>,
}

impl Plan {
    /// The runs in their order: target classes first, restarts within.
    pub fn runs(&self) -> Vec<Run> {
        let ranks: Vec<Option<usize>> =
            if self.attack.is_targeted() { (2..2 + self.targets).map(Some).collect() } else { vec![None] };
        ranks
            .into_iter()
            .flat_map(|rank| (0..self.restarts).map(move |restart| Run { restart, rank }))
            .collect()
    }
}

impl AutoAttack {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the setting and what is allowed.
    pub fn check(&self) -> Result<()> {
        self.norm.check_epsilon(self.epsilon)?;
        if !matches!(self.norm, InputNorm::Linf | InputNorm::L2) {
            return Err(Error::invalid(format!(
                "AutoAttack knows the norms linf and l2, not {}; use pgd for that",
                self.norm
            )));
        }
        for (name, value) in [
            ("steps", self.steps),
            ("restarts", self.restarts),
            ("targets", self.targets),
            ("queries", self.queries),
        ] {
            if let Some(value) = value {
                limits::count(name, value)?;
            }
        }
        Ok(())
    }

    /// The attacks in their order for a network with this many classes.
    ///
    /// # Errors
    /// An attack needs more classes, or more target classes are asked for than there are wrong ones: equal work is
    /// asked for in one way.
    pub fn plans(&self, classes: usize) -> Result<Vec<Plan>> {
        let attacks = self.version.attacks();
        if let Some(attack) = attacks.iter().find(|attack| attack.least_classes() > classes) {
            let fitting: Vec<&str> =
                attacks.iter().filter(|a| a.least_classes() <= classes).map(|a| a.name()).collect();
            let fitting = if fitting.is_empty() { "apgd-ce,fab,square".into() } else { fitting.join(",") };
            return Err(Error::invalid(format!(
                "{} needs at least {} classes, this network has {classes}; use version {fitting}",
                attack.name(),
                attack.least_classes()
            )));
        }
        if let Some(targets) = self.targets
            && targets >= classes
        {
            let wrong = classes - 1;
            return Err(Error::invalid(format!(
                "targets {targets} is not possible: this network has {classes} classes, so {wrong} wrong ones per image; use 1 to {wrong}"
            )));
        }
        Ok(attacks.into_iter().map(|attack| self.plan(attack, classes)).collect())
    }

    fn plan(&self, attack: Attack, classes: usize) -> Plan {
        use Attack::{ApgdCe, ApgdDlr, ApgdT, Fab, FabT, Square};
        let (es, plus) = (self.version == Version::Es, self.version == Version::Plus);
        let usual_steps = match attack {
            Square => 5000,
            _ if es => 50,
            _ => 100,
        };
        let usual_restarts = match attack {
            ApgdCe | ApgdDlr | Fab if plus => 5,
            ApgdCe | ApgdT if es => 5,
            _ => 1,
        };
        let usual_targets = if es { 5 } else { 9 };
        let given_steps = if attack == Square { self.queries } else { self.steps };
        Plan {
            attack,
            steps: given_steps.unwrap_or(usual_steps),
            // Without random start, a further restart of FAB-T would be the same run.
            restarts: if attack == FabT && self.restarts.is_none() {
                1
            } else {
                self.restarts.unwrap_or(usual_restarts)
            },
            targets: if attack.is_targeted() {
                self.targets.unwrap_or(usual_targets.min(classes - 1))
            } else {
                1
            },
            passes: if self.version == Version::Rand { 20 } else { 1 },
        }
    }
}
