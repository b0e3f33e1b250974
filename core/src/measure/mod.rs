//! What is measured of a checkpoint. One folder a measure: its settings, its units of work, its outcome.
//!
//! A measure plans its work as groups of units that do not depend on each other, computes a group at a time, and
//! assembles the outcome from the units there are, be they all or a few, computed here or elsewhere. So one driver runs
//! all measures, live results are the record so far, and machines can share a job. A measure knows nothing of files,
//! windows and terminals: it asks a [`UnitRunner`] for what is finished, and lays there what it has computed.

pub mod autoattack;
mod context;
pub mod evaluate;
pub mod evaluation;
pub mod flatness;
pub mod hessian;
mod kept;
pub mod landscape;
pub mod metrics;
pub mod relative_flatness;
mod rows;
pub mod search_cost;
pub mod statistics;
mod summary;
mod units;
mod work;

pub use context::{Context, Cost, Fellow, NetworkStore, cut};
pub use kept::{Kept, KeptExamples, KeptLosses, Probabilities};
pub use rows::{PerExample, Point};
pub use search_cost::SearchCost;
pub use summary::{Headline, Number, Quantity, Summary};
pub use units::{Group, Plan, UnitRunner, Units, cancel_check, unit};
pub use work::{Assembled, Fellows, Keeps, Measure, Target, Work};

/// The registry of measures: a line for each, in the order in which people look for them.
macro_rules! all_measures {
    ($callback:ident) => {
        $callback! {
            /// Clean and robust loss and error of one checkpoint.
            Evaluate(evaluate::Evaluate) gives evaluate::Evaluation;
            /// Loss along one or two directions in weight space.
            Landscape(landscape::Landscape) gives landscape::LandscapeOutcome;
            /// How much the loss rises when weights are perturbed.
            Flatness(flatness::Flatness) gives flatness::FlatnessOutcome;
            /// Every example's verdict under an ensemble of attacks.
            Attack(autoattack::Attack) gives autoattack::AttackOutcome;
            /// Eigenvalues, trace and spectral density of the loss's Hessian.
            Hessian(hessian::Hessian) gives hessian::HessianOutcome;
            /// Relative flatness of the last linear layer, on clean and on adversarial examples.
            RelativeFlatness(relative_flatness::RelativeFlatness) gives relative_flatness::RelativeFlatnessOutcome;
        }
    };
}
pub(crate) use all_measures;
