//! Versions of AutoAttack: which attacks in which order.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Attack;

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

crate::settings::written_as_text!(
    Version, "Version",
    "standard" => "APGD-CE, APGD-T, FAB-T, Square: what is published as AutoAttack.",
    "paper" => "FAB-T, APGD-CE, APGD-T: what the flatness paper's program ran.",
    "plus" => "All six attacks, five restarts of the untargeted ones.",
    "rand" => "APGD-CE and APGD-DLR, gradients averaged over 20 passes: for randomized networks.",
    "es" => "APGD-CE and APGD-T with 50 steps, five restarts and five targets: the paper's for early stopping.",
);

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
