//! Loss along one or two directions from the weights: a unit of work is one grid point, coarse grids first.
//!
//! Directions are a unit of their own, which every process computes before its points; its numbers are in the journal,
//! the directions themselves in memory.

mod axes;
mod curving;
pub mod direction;
mod filled;
mod filling;
mod outcome;
mod plane;
mod points;
mod reduced;
mod refine;
mod reuse;
mod settings;
mod warm;

use super::context::Context;
use super::summary::{Headline, Number, Summary};
use super::work::{Fellows, Measure, target_fields};
use crate::attack::Pgd;
use crate::checkpoint::Checkpoint;
use crate::data::DataSelection;
use crate::error::Result;
pub use axes::Range;
use direction::{DirectionKind, Normalization, check_fellow};
pub use filling::Filling;
pub use outcome::{
    Barrier, Correction, CurvatureGrid, DirectionSummary, Grid, Landmark, LandscapeDraw, LandscapeOutcome,
    LayerNorm, ORIGIN, ReducedPrecision, Values, WarmGap,
};
pub use points::{Inputs, PointValues, coarse_to_fine, point, step_to_error};
pub use reduced::{Both, Smooth};
pub use refine::{Refined, refine};
pub use reuse::reused;
pub use settings::{Landscape, LandscapeLoss, RunningStatistics};

impl Measure for Landscape {
    const KIND: &'static str = "landscape";
    const TITLE: &'static str = "Landscape";
    type Outcome = LandscapeOutcome;
    type Work<'a> = Filling<'a>;

    fn usual() -> Self {
        Self::default()
    }

    fn input_attack(&self) -> Option<&Pgd> {
        Some(&self.attack)
    }

    target_fields!();

    fn check(&self) -> Result<()> {
        Self::check(self)
    }

    fn check_classes(&self, classes: usize) -> Result<()> {
        if self.attacks() { self.attack.objective.check_classes(classes) } else { Ok(()) }
    }

    fn check_fellow(&self, checkpoint: &Checkpoint, other: &Checkpoint) -> Result<()> {
        check_fellow(checkpoint, other)
    }

    fn searches_weights(&self) -> bool {
        self.eigenvalues > 0 || self.kinds().any(DirectionKind::asks_loss)
    }

    fn search_data(&self) -> Option<&DataSelection> {
        self.statistics_data.as_ref()
    }

    fn fellows(&self) -> Vec<Fellows<'_>> {
        let ends = self.kinds().filter_map(DirectionKind::file).map(Fellows::One);
        ends.chain(self.trajectory.as_deref().map(Fellows::Kept)).collect()
    }

    fn label(&self) -> String {
        match self.loss {
            LandscapeLoss::Clean => "clean landscape",
            LandscapeLoss::Robust => "robust landscape",
            LandscapeLoss::RobustFixed => "landscape on fixed adversarial examples",
        }
        .into()
    }

    fn summary(&self) -> Summary {
        let (loss, stem) = match self.loss {
            LandscapeLoss::Clean => ("clean loss", "clean"),
            LandscapeLoss::Robust => ("robust loss", "robust"),
            LandscapeLoss::RobustFixed => ("robust loss, fixed", "robust-fixed"),
        };
        let scaling = match &self.normalize {
            Normalization::Paper(_) => self.normalize.to_string(),
            scaling => format!("{scaling} {}", self.radius),
        };
        let (dimensions, grid) = match self.second {
            Some(_) => (2, format!("{0} × {0}", self.steps)),
            None => (1, format!("{} points", self.steps)),
        };
        let mut details = vec![grid];
        let is_random = |kind: &DirectionKind| matches!(kind, DirectionKind::Random(_));
        if !self.kinds().all(is_random) {
            let titles: Vec<String> = self.kinds().map(DirectionKind::title).collect();
            details.push(titles.join(", "));
        }
        if !self.kinds().all(DirectionKind::has_length) {
            details.push(scaling);
        }
        if self.draws > 1 {
            details.push(format!("{} draws", self.draws));
        }
        if self.eigenvalues > 0 {
            details.push(format!("{} eigenvalues at each end", self.eigenvalues));
        }
        if self.reduced {
            details.push("reduced precision".into());
        }
        details.extend(self.warm.map(|steps| format!("{steps} warm steps")));
        let source = match &self.direction {
            DirectionKind::Random(_) => "",
            DirectionKind::Gradient => "-gradient",
            DirectionKind::Worst(_) => "-worst",
            DirectionKind::Hessian(_) => "-hessian",
            DirectionKind::Toward(_) => "-toward",
            DirectionKind::Component(_) => "-trajectory",
            DirectionKind::Joint(_) => "-joint",
            DirectionKind::Along(_) => "-along",
            DirectionKind::RandomInput(_) | DirectionKind::WorstInput => "-input",
        };
        Summary {
            title: format!("{dimensions}-D {loss}"),
            details,
            stem: format!("landscape-{dimensions}d-{stem}{source}"),
        }
    }

    fn headline(&self, outcome: &LandscapeOutcome) -> Headline {
        let mut numbers = Vec::new();
        if let Some(barrier) = outcome.barrier {
            numbers.push(Number::loss("clean barrier", barrier.clean));
            numbers.extend(barrier.robust.map(|robust| Number::loss("robust barrier", robust)));
        }
        Headline { numbers, clean: outcome.origin(false), robust: outcome.origin(true) }
    }

    fn begin<'a>(&'a self, context: &'a Context) -> Result<Filling<'a>> {
        Filling::new(self, context)
    }
}
