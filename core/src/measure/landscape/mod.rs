//! Loss along one or two directions from the weights: a unit of work is one grid point, coarse grids first.

pub mod direction;
mod outcome;
mod points;
mod settings;

use std::cell::OnceCell;

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::context::{Context, Cost};
use super::evaluation::{SearchAndMeasure, attack};
use super::rows::Point;
use super::search_cost;
use super::summary::{Headline, Summary};
use super::units::{Group, Plan, UnitRunner, Units, cancel_check, unit};
use super::work::{Assembled, Measure, Work, target_fields};
use crate::attack::Pgd;
use crate::error::{Error, Result};
use crate::model::Weights;
use direction::{DirectionKind, Normalization, cosine, raw, scale, stretched, summarize};
pub use outcome::{DirectionSummary, Grid, LandscapeOutcome, LayerNorm, Values};
pub use points::{Inputs, PointValues, coarse_to_fine, point, step_to_error, steps};
pub use settings::{Landscape, LandscapeLoss};

/// A grid point: clean and, if asked for, robust.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Cell {
    clean: Point,
    robust: Option<Point>,
}

impl Measure for Landscape {
    const KIND: &'static str = "landscape";
    const TITLE: &'static str = "Landscape";
    type Outcome = LandscapeOutcome;
    type Work<'a> = Filling<'a>;

    fn usual() -> Self {
        let usual = serde_json::json!({ "checkpoint": "", "direction": "random", "loss": "robust" });
        serde_json::from_value(usual).expect("what has to be given is given")
    }

    fn input_attack(&self) -> Option<&Pgd> {
        Some(&self.attack)
    }

    target_fields!();

    fn check(&self) -> Result<()> {
        Self::check(self)
    }

    fn check_classes(&self, classes: usize) -> Result<()> {
        match self.loss {
            LandscapeLoss::Clean => Ok(()),
            _ => self.attack.objective.check_classes(classes),
        }
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
        Summary {
            title: format!("{dimensions}-D {loss}"),
            details: vec![grid, scaling],
            stem: format!("landscape-{dimensions}d-{stem}"),
        }
    }

    fn headline(&self, outcome: &LandscapeOutcome) -> Headline {
        let [clean, robust] = [&outcome.clean, &outcome.robust].map(|grid| {
            let (x, y) = (outcome.x.len() / 2, outcome.y.as_ref().map_or(0, |y| y.len() / 2));
            let grid = grid.as_ref()?;
            Some(Point { loss: grid.loss.get(x, y)?, error: grid.error.get(x, y)? })
        });
        Headline { numbers: Vec::new(), clean, robust }
    }

    fn begin<'a>(&'a self, context: &'a Context) -> Result<Filling<'a>> {
        let kinds = std::iter::once(&self.direction).chain(&self.second);
        let weights = &context.checkpoint.network.weights;
        let directions = kinds.map(|kind| {
            let raw = raw(kind, weights.layout(), self.compute.seed);
            scale(&raw, weights, &self.normalize, self.radius)
        });
        let x = self.axis();
        Ok(Filling {
            job: self,
            context,
            directions: directions.collect::<Result<_>>()?,
            order: coarse_to_fine(x.len(), if self.second.is_some() { x.len() } else { 1 }),
            x,
            stretched: OnceCell::new(),
            fixed: OnceCell::new(),
        })
    }
}

/// The work on one checkpoint.
pub struct Filling<'a> {
    job: &'a Landscape,
    context: &'a Context,
    /// One or two, perhaps still to be stretched.
    directions: Vec<Weights>,
    /// They, where they are stretched.
    stretched: OnceCell<Vec<Weights>>,
    x: Vec<f64>,
    /// Every grid point.
    order: Vec<(usize, usize)>,
    /// What an attack on the unperturbed network adds to every batch.
    fixed: OnceCell<Vec<Tensor>>,
}

/// Name of the unit of a grid point.
fn name(x: usize, y: usize) -> String {
    format!("point {x} {y}")
}

/// Name of the unit of how much a direction is stretched.
fn stretch_name(direction: usize) -> String {
    format!("stretch {direction}")
}

impl Filling<'_> {
    fn is_stretched(&self) -> bool {
        matches!(&self.job.normalize, Normalization::Paper(token) if token.is_scaled_to_error())
    }

    /// The directions, once it is known how much they are stretched.
    fn directions(&self, units: &Units) -> Option<&[Weights]> {
        if !self.is_stretched() {
            return Some(&self.directions);
        }
        if self.stretched.get().is_none() {
            let of = |(number, direction): (usize, &Weights)| {
                Some(stretched(direction, units.get(&stretch_name(number))?))
            };
            let all = self.directions.iter().enumerate().map(of).collect::<Option<Vec<_>>>()?;
            let _ = self.stretched.set(all);
        }
        self.stretched.get().map(Vec::as_slice)
    }

    /// By how much a direction is stretched so that step 1 raises the error as its normalization says.
    fn stretch(&self, number: usize, runner: &mut dyn UnitRunner) -> Result<f64> {
        let weights = &self.context.checkpoint.network.weights;
        step_to_error(|step| {
            let pair = self.context.pair(&weights.moved(&[(step, &self.directions[number])]));
            Ok(point(&pair, &self.context.batches, &Inputs::Clean, &mut cancel_check(runner))?.clean.error)
        })
    }

    /// Adversarial perturbations of the unperturbed network, one tensor per batch.
    fn fixed(&self, runner: &mut dyn UnitRunner) -> Result<&[Tensor]> {
        if self.fixed.get().is_none() {
            let pair = self.context.pair(&self.context.checkpoint.network.weights);
            let (settings, seed) = (&self.job.attack, self.job.compute.seed);
            let of = |batch| {
                attack(&pair, settings, batch, seed, &mut cancel_check(runner))
                    .map(|attacked| attacked.perturbation)
            };
            let all = self.context.batches.iter().map(of).collect::<Result<Vec<_>>>()?;
            let _ = self.fixed.set(all);
        }
        Ok(self.fixed.get().map_or(&[], Vec::as_slice))
    }

    /// One grid point; none without a finite loss, far from the origin.
    fn cell(&self, (i, j): (usize, usize), runner: &mut dyn UnitRunner) -> Result<Option<Cell>> {
        let directions = self.directions(runner.units()).expect("directions come before points");
        let inputs = match self.job.loss {
            LandscapeLoss::Clean => Inputs::Clean,
            LandscapeLoss::Robust => {
                Inputs::Attacked { attack: &self.job.attack, seed: self.job.compute.seed }
            }
            LandscapeLoss::RobustFixed => Inputs::Fixed { perturbations: self.fixed(runner)? },
        };
        let at = [self.x[i], self.x[j]];
        let moves: Vec<(f64, &Weights)> = at.into_iter().zip(directions).collect();
        let pair: SearchAndMeasure =
            self.context.pair(&self.context.checkpoint.network.weights.moved(&moves));
        match point(&pair, &self.context.batches, &inputs, &mut cancel_check(runner)) {
            Ok(PointValues { clean, robust }) => Ok(Some(Cell { clean, robust })),
            // Far from the origin a network may overflow; at the origin that is the user's first concern.
            Err(Error::NotFinite(_)) if (i, j) != self.order[0] => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// The steps of a point, for messages.
    fn place(&self, x: usize, y: usize) -> String {
        match self.directions.len() {
            1 => format!("step {}", self.x[x]),
            _ => format!("steps ({}, {})", self.x[x], self.x[y]),
        }
    }
}

impl Work for Filling<'_> {
    type Outcome = LandscapeOutcome;

    fn plan(&self, units: &Units) -> Result<Plan> {
        let stretches = if self.is_stretched() { self.directions.len() } else { 0 };
        let stretches =
            (0..stretches).map(|number| Group::single(stretch_name(number), 1, units).everywhere());
        let points = self.order.iter().map(|(x, y)| Group::single(name(*x, *y), 1, units));
        let compares = self.job.loss != LandscapeLoss::Clean && self.context.searches_in_low_precision();
        let compared = compares.then(|| Group::single(search_cost::UNIT, 1, units));
        Ok(Plan { groups: stretches.chain(points).chain(compared).collect(), later: 0 })
    }

    fn compute(&self, group: &str, runner: &mut dyn UnitRunner) -> Result<()> {
        if group == search_cost::UNIT {
            let (settings, seed) = (&self.job.attack, self.job.compute.seed);
            return search_cost::of_checkpoint(self.context, settings, seed, runner).map(drop);
        }
        if let Some(number) = (0..self.directions.len()).find(|number| stretch_name(*number) == group) {
            return unit(runner, group, 1, |runner| self.stretch(number, runner)).map(drop);
        }
        let numbers: Vec<usize> = group.split(' ').filter_map(|word| word.parse().ok()).collect();
        let &[x, y] = numbers.as_slice() else {
            return Err(Error::invalid(format!("a landscape has no unit {group:?}")));
        };
        unit(runner, group, 1, |runner| self.cell((x, y), runner)).map(drop)
    }

    fn assemble(&self, units: &Units) -> Result<Option<Assembled<LandscapeOutcome>>> {
        let Some(directions) = self.directions(units) else { return Ok(None) };
        let weights = &self.context.checkpoint.network.weights;
        let y = self.job.second.as_ref().map(|_| self.x.clone());
        let grid = || Grid::empty(self.x.len(), y.as_ref().map(Vec::len));
        let (mut clean, mut robust) = (grid(), (self.job.loss != LandscapeLoss::Clean).then(grid));
        let (mut finished, mut overflowed) = (0, Vec::new());
        for (x, y) in &self.order {
            let Some(cell) = units.get::<Option<Cell>>(&name(*x, *y)) else { continue };
            finished += 1;
            let Some(cell) = cell else {
                overflowed.push((*x, *y));
                continue;
            };
            clean.set(*x, *y, cell.clean);
            if let (Some(grid), Some(point)) = (&mut robust, cell.robust) {
                grid.set(*x, *y, point);
            }
        }
        if finished == 0 {
            return Ok(None);
        }
        let warning = overflowed.first().map(|(x, y)| {
            let (place, count, total) = (self.place(*x, *y), overflowed.len(), self.order.len());
            format!("{count} of {total} points have no finite loss, the first at {place}; a smaller range or radius avoids them")
        });
        let kinds: Vec<&DirectionKind> =
            std::iter::once(&self.job.direction).chain(&self.job.second).collect();
        let outcome = LandscapeOutcome {
            clean: Some(clean),
            robust,
            directions: (kinds.iter().zip(directions))
                .map(|(kind, direction)| summarize(kind.to_string(), direction, weights))
                .collect(),
            cosine: directions.get(1).map(|second| cosine(&directions[0], second)),
            x: self.x.clone(),
            y,
        };
        let search_cost = units.get::<Option<_>>(search_cost::UNIT).flatten();
        Ok(Some(Assembled { outcome, search_cost, warnings: warning.into_iter().collect() }))
    }

    fn seconds(&self, cost: &Cost) -> Result<(u64, f64)> {
        let job = self.job;
        let (robust, compared) = match job.loss {
            LandscapeLoss::Clean => (0.0, 0),
            LandscapeLoss::Robust => (cost.attack(&job.attack), job.attack.restarts * job.attack.steps),
            LandscapeLoss::RobustFixed => (cost.forward, job.attack.restarts * job.attack.steps),
        };
        let (points, examples) = (self.order.len() as u64, self.context.examples() as f64);
        let seconds = points as f64 * (examples * (cost.forward + robust) + cost.preparation);
        Ok((points, seconds + search_cost::seconds(self.context, cost, compared)))
    }
}
