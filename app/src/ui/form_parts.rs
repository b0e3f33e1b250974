//! The parts of the forms: what they say of PGD, AutoAttack and benchmarks, and names of the paper.

use basin_core::attack::names::GROUPS;
use basin_core::job::{Benchmark, InputNorm, Version};
use serde::{Deserialize, Serialize};

/// Choice of the AutoAttack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum VersionChoice {
    /// APGD-CE, APGD-T, FAB-T, Square.
    #[default]
    Standard,
    /// FAB-T, APGD-CE, APGD-T.
    Paper,
    /// All six.
    Plus,
    /// For networks that answer randomly.
    Rand,
    /// For early stopping.
    Es,
    /// A list of one's own.
    Own,
}

/// What a form says of PGD.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PgdText {
    /// Geometry of the attack.
    pub norm: InputNorm,
    /// Radius of the attack; fractions are accepted.
    pub epsilon: String,
    /// Updates of the attack.
    pub steps: String,
    /// Step size of the attack; fractions are accepted.
    pub step_size: String,
    /// Starts of the attack.
    pub restarts: String,
}

impl Default for PgdText {
    fn default() -> Self {
        Self {
            norm: InputNorm::Linf,
            epsilon: "8/255".into(),
            steps: "20".into(),
            step_size: "0.007".into(),
            restarts: "1".into(),
        }
    }
}

/// What the form for AutoAttack says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EnsembleText {
    /// Which version.
    pub version: VersionChoice,
    /// Its attacks, for [`VersionChoice::Own`].
    pub attacks: String,
    /// Geometry of the attacks.
    pub norm: InputNorm,
    /// Radius of the attacks; fractions are accepted.
    pub epsilon: String,
    /// Updates of APGD and FAB; empty: as the version says, as for the next three.
    pub steps: String,
    /// Starts of every attack.
    pub restarts: String,
    /// Target classes of APGD-T and FAB-T.
    pub targets: String,
    /// Queries of Square.
    pub queries: String,
    /// Every attack gets all correctly classified examples.
    pub individual: bool,
    /// Parameters inside of the attacks.
    pub tuning: TuningText,
}

/// What the form says of parameters inside of AutoAttack's attacks; empty: as published.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TuningText {
    /// Passes that APGD averages a gradient over.
    pub eot: String,
    /// APGD's share of rising steps.
    pub rho: String,
    /// APGD's first step size, divided by epsilon.
    pub alpha: String,
    /// APGD in L1 stays in one ball.
    pub single_radius: bool,
    /// FAB's relative length of a step.
    pub eta: String,
    /// Where FAB resumes after success.
    pub beta: String,
    /// FAB's largest weight of the step that starts at the image.
    pub alpha_max: String,
    /// Share of the image of Square's first squares.
    pub p_init: String,
    /// Square's schedule fits its number of queries.
    pub rescale_schedule: bool,
}

impl Default for EnsembleText {
    fn default() -> Self {
        Self {
            version: VersionChoice::default(),
            attacks: "apgd-ce, apgd-t".into(),
            norm: InputNorm::Linf,
            epsilon: "8/255".into(),
            steps: String::new(),
            restarts: String::new(),
            targets: String::new(),
            queries: String::new(),
            individual: false,
            tuning: TuningText::default(),
        }
    }
}

impl EnsembleText {
    /// The version, or the list of attacks.
    ///
    /// # Errors
    /// The list names something else.
    pub fn version(&self) -> Result<Version, String> {
        match self.version {
            VersionChoice::Standard => Ok(Version::Standard),
            VersionChoice::Paper => Ok(Version::Paper),
            VersionChoice::Plus => Ok(Version::Plus),
            VersionChoice::Rand => Ok(Version::Rand),
            VersionChoice::Es => Ok(Version::Es),
            VersionChoice::Own => self.attacks.replace(' ', "").parse(),
        }
    }
}

/// What the form for benchmarks says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BenchmarkText {
    /// Name of a group of the paper; empty: a list of one's own.
    pub group: String,
    /// That list.
    pub names: String,
    /// Images that stand for the paper's first thousand.
    pub examples: String,
}

impl Default for BenchmarkText {
    fn default() -> Self {
        Self { group: GROUPS[0].0.into(), names: String::new(), examples: Benchmark::USUAL.to_string() }
    }
}

/// A name of the paper in each form that takes one; empty: settings of one's own.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PaperNames {
    /// Of an evaluation.
    pub evaluate: String,
    /// Of a flatness measure.
    pub flatness: String,
    /// Of AutoAttack.
    pub attack: String,
}
