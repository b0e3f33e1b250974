//! AutoAttack (Croce and Hein, 2020; for L1: 2021, "Mind the box"): an ensemble of attacks without parameters to
//! tune. Which attacks, in which order, how long: here. Each attack: a file of its own, from an explicit start.
//!
//! Versions: `standard` as published by its authors; `paper` as the flatness paper's program ran it under the
//! name standard (FAB-T first, no Square); `plus`, `rand` and `es` as there. The order of attacks decides the
//! time and which adversarial example is kept, never the set of broken examples beyond chance.

pub mod apgd;
pub mod fab;
mod halfway;
pub mod projection;
mod select;
mod settings;
mod sparse;
pub mod square;
mod tuning;
mod version;

pub use halfway::{Forgetful, Halfway, Memory};
pub use select::{Judge, Subject};
pub use settings::AutoAttack;
pub use tuning::Tuning;
pub use version::Version;

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

    /// Whether it is a kind of APGD.
    pub fn is_apgd(self) -> bool {
        matches!(self, Self::ApgdCe | Self::ApgdDlr | Self::ApgdT)
    }

    /// Whether it is a kind of FAB.
    pub fn is_fab(self) -> bool {
        matches!(self, Self::Fab | Self::FabT)
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
