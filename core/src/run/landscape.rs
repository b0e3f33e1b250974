//! Running a landscape: a unit of work is one grid point, coarse grids first.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::Measured;
use super::journal::Journal;
use super::search_cost;
use super::setup::Setup;
use crate::error::{Error, Result};
use crate::job::{DirectionKind, Landscape, LandscapeLoss, Normalization};
use crate::measure::direction::{cosine, raw, scale, stretched, summarize};
use crate::measure::evaluation::attack;
use crate::measure::landscape::{Inputs, Values, coarse_to_fine, point, step_to_error, steps};
use crate::model::Weights;
use crate::progress::{Event, Progress};
use crate::record::{Grid, LandscapeOutcome, Outcome, Point, SearchCost};

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Unit {
    clean: Point,
    robust: Option<Point>,
}

/// A landscape while it fills in.
struct Filling {
    outcome: LandscapeOutcome,
    done: u64,
    overflowed: Vec<(usize, usize)>,
}

impl Filling {
    /// Stores one finished point; `None` is a point without a finite loss, which stays `null`.
    fn keep(&mut self, x: usize, y: usize, unit: Option<Unit>) -> Event {
        self.done += 1;
        let Some(unit) = unit else {
            self.overflowed.push((x, y));
            return Event::Alive;
        };
        if let Some(grid) = &mut self.outcome.clean {
            grid.set(x, y, unit.clean);
        }
        if let (Some(grid), Some(robust)) = (&mut self.outcome.robust, unit.robust) {
            grid.set(x, y, robust);
        }
        Event::Cell { x, y, clean: Some(unit.clean), robust: unit.robust }
    }

    /// The steps of a point, for messages.
    fn place(&self, x: usize, y: usize) -> String {
        match &self.outcome.y {
            None => format!("step {}", self.outcome.x[x]),
            Some(steps) => format!("steps ({}, {})", self.outcome.x[x], steps[y]),
        }
    }

    fn finish(self, total: u64, search_cost: Option<SearchCost>) -> Measured {
        let warning = self.overflowed.first().map(|(x, y)| {
            let (place, count) = (self.place(*x, *y), self.overflowed.len());
            format!("{count} of {total} points have no finite loss, the first at {place}; a smaller range or radius avoids them")
        });
        Measured {
            search_cost,
            complete: self.done == total,
            warnings: warning.into_iter().collect(),
            examples: None,
            losses: None,
            probabilities: None,
            outcome: Outcome::Landscape(self.outcome),
        }
    }
}

pub fn run(
    job: &Landscape,
    setup: &Setup,
    journal: &mut Journal,
    progress: &mut dyn Progress,
) -> Result<Measured> {
    let weights = &setup.checkpoint.network.weights;
    let first = direction(job, setup, &job.direction, progress)?;
    let second = job.second.as_ref().map(|kind| direction(job, setup, kind, progress)).transpose()?;
    let x = steps(job.steps, job.range);
    let y = second.as_ref().map(|_| x.clone());
    let order = coarse_to_fine(x.len(), y.as_ref().map_or(1, Vec::len));
    let (origin, total) = (order[0], order.len() as u64);
    let grid = || Grid::empty(x.len(), y.as_ref().map(Vec::len));
    let outcome = LandscapeOutcome {
        clean: Some(grid()),
        robust: (job.loss != LandscapeLoss::Clean).then(grid),
        directions: std::iter::once((&job.direction, &first))
            .chain(job.second.as_ref().zip(second.as_ref()))
            .map(|(kind, d)| summarize(kind.to_string(), d, weights))
            .collect(),
        cosine: second.as_ref().map(|second| cosine(&first, second)),
        x: x.clone(),
        y: y.clone(),
    };
    let mut filling = Filling { outcome, done: 0, overflowed: Vec::new() };
    let name = |x: usize, y: usize| format!("point {x} {y}");
    let (mut missing, mut known) = (Vec::new(), Vec::new());
    for (x, y) in order {
        match journal.get::<Option<Unit>>(&name(x, y)) {
            Some(unit) => known.push(filling.keep(x, y, unit)),
            None => missing.push((x, y)),
        }
    }
    progress.report(Event::Started { label: label(job.loss).into(), done: filling.done, total })?;
    let mut cancelled = known.into_iter().any(|cell| progress.report(cell).is_err());
    let fixed = match job.loss {
        LandscapeLoss::RobustFixed if !missing.is_empty() => fixed_perturbations(job, setup, progress)?,
        _ => Vec::new(),
    };
    let inputs = match job.loss {
        LandscapeLoss::Clean => Inputs::Clean,
        LandscapeLoss::Robust => Inputs::Attacked { attack: &job.attack, seed: job.compute.seed },
        LandscapeLoss::RobustFixed => Inputs::Fixed { perturbations: &fixed },
    };
    for (i, j) in missing {
        if cancelled {
            break;
        }
        let mut moves: Vec<(f64, &Weights)> = vec![(x[i], &first)];
        if let (Some(steps), Some(second)) = (&y, &second) {
            moves.push((steps[j], second));
        }
        let pair = setup.pair(&weights.moved(&moves));
        let unit = match point(&pair, &setup.batches, &inputs, &mut || progress.report(Event::Alive)) {
            Ok(values) => {
                let Values { clean, robust } = values;
                Some(Unit { clean, robust })
            }
            // Far from the origin a network may overflow; at the origin that is the user's first concern.
            Err(Error::NotFinite(_)) if (i, j) != origin => None,
            Err(Error::Cancelled) => break,
            Err(other) => return Err(other),
        };
        journal.put(&name(i, j), &unit)?;
        let cell = filling.keep(i, j, unit);
        let step = Event::Step { done: filling.done, total };
        cancelled = progress.report(cell).is_err() || progress.report(step).is_err();
    }
    if filling.done == 0 {
        return Err(Error::Cancelled);
    }
    let search_cost = if cancelled || filling.done < total || job.loss == LandscapeLoss::Clean {
        None
    } else {
        let mut pulse = || progress.report(Event::Alive);
        search_cost::of_checkpoint(setup, &job.attack, job.compute.seed, journal, &mut pulse)?
    };
    Ok(filling.finish(total, search_cost))
}

/// A direction of the job, scaled.
fn direction(
    job: &Landscape,
    setup: &Setup,
    kind: &DirectionKind,
    progress: &mut dyn Progress,
) -> Result<Weights> {
    let weights = &setup.checkpoint.network.weights;
    let scaled = scale(&raw(kind, weights.layout(), job.compute.seed), weights, &job.normalize, job.radius)?;
    let Normalization::Paper(token) = &job.normalize else { return Ok(scaled) };
    if !token.is_scaled_to_error() {
        return Ok(scaled);
    }
    let step = step_to_error(|step| {
        let pair = setup.pair(&weights.moved(&[(step, &scaled)]));
        let mut pulse = || progress.report(Event::Alive);
        Ok(point(&pair, &setup.batches, &Inputs::Clean, &mut pulse)?.clean.error)
    })?;
    Ok(stretched(&scaled, step))
}

fn label(loss: LandscapeLoss) -> &'static str {
    match loss {
        LandscapeLoss::Clean => "clean landscape",
        LandscapeLoss::Robust => "robust landscape",
        LandscapeLoss::RobustFixed => "landscape on fixed adversarial examples",
    }
}

/// Adversarial perturbations of the unperturbed model, one tensor per batch.
fn fixed_perturbations(job: &Landscape, setup: &Setup, progress: &mut dyn Progress) -> Result<Vec<Tensor>> {
    let mut pulse = || progress.report(Event::Alive);
    let pair = setup.pair(&setup.checkpoint.network.weights);
    setup
        .batches
        .iter()
        .map(|batch| {
            attack(&pair, &job.attack, batch, job.compute.seed, &mut pulse)
                .map(|attacked| attacked.perturbation)
        })
        .collect()
}
