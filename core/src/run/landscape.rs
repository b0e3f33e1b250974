//! Running a landscape: a unit of work is one grid point, coarse grids first.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::Measured;
use super::journal::Journal;
use super::setup::Setup;
use crate::error::{Error, Result};
use crate::job::{DirectionKind, Landscape, LandscapeLoss, Normalization};
use crate::measure::direction::{cosine, raw, scale, stretched, summarize};
use crate::measure::evaluation::attack;
use crate::measure::landscape::{Inputs, coarse_to_fine, point, step_to_error, steps};
use crate::model::Weights;
use crate::progress::{Event, Progress};
use crate::record::{Grid, LandscapeOutcome, Outcome, Point};

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Unit {
    clean: Point,
    robust: Option<Point>,
    search_difference: Option<f64>,
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
    let name = |x: usize, y: usize| format!("point {x} {y}");
    let mut outcome = LandscapeOutcome {
        clean: Some(Grid::empty(x.len(), y.as_ref().map(Vec::len))),
        robust: (job.loss != LandscapeLoss::Clean).then(|| Grid::empty(x.len(), y.as_ref().map(Vec::len))),
        directions: std::iter::once((&job.direction, &first))
            .chain(job.second.as_ref().zip(second.as_ref()))
            .map(|(kind, d)| summarize(kind.to_string(), d, weights))
            .collect(),
        cosine: second.as_ref().map(|second| cosine(&first, second)),
        x,
        y,
    };
    let total = order.len() as u64;
    let mut done = 0;
    let mut differences = Vec::new();
    let mut keep = |outcome: &mut LandscapeOutcome, x: usize, y: usize, unit: Unit| {
        if let Some(grid) = &mut outcome.clean {
            grid.set(x, y, unit.clean);
        }
        if let (Some(grid), Some(robust)) = (&mut outcome.robust, unit.robust) {
            grid.set(x, y, robust);
        }
        differences.extend(unit.search_difference);
        Event::Cell { x, y, clean: Some(unit.clean), robust: unit.robust }
    };
    let mut missing = Vec::new();
    let mut known = Vec::new();
    for (x, y) in order {
        match journal.get::<Unit>(&name(x, y)) {
            Some(unit) => known.push(keep(&mut outcome, x, y, unit)),
            None => missing.push((x, y)),
        }
    }
    done += known.len() as u64;
    progress.report(Event::Started { label: label(job.loss).into(), done, total })?;
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
    for (x, y) in missing {
        if cancelled {
            break;
        }
        let mut moves: Vec<(f64, &Weights)> = vec![(outcome.x[x], &first)];
        if let (Some(steps), Some(second)) = (&outcome.y, &second) {
            moves.push((steps[y], second));
        }
        let pair = setup.pair(&weights.moved(&moves));
        let values = match point(&pair, &setup.batches, &inputs, &mut || progress.report(Event::Alive)) {
            Err(Error::Cancelled) => break,
            other => other.map_err(|e| located(e, outcome.x[x], outcome.y.as_ref().map(|steps| steps[y])))?,
        };
        let unit =
            Unit { clean: values.clean, robust: values.robust, search_difference: values.search_difference };
        journal.put(&name(x, y), &unit)?;
        let cell = keep(&mut outcome, x, y, unit);
        done += 1;
        cancelled = progress.report(cell).is_err() || progress.report(Event::Step { done, total }).is_err();
    }
    if done == 0 {
        return Err(Error::Cancelled);
    }
    let mean = differences.iter().sum::<f64>() / differences.len() as f64;
    Ok(Measured {
        outcome: Outcome::Landscape(outcome),
        complete: done == total,
        search_difference: (!differences.is_empty()).then_some(mean),
    })
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

/// Says at which step a number stopped being one.
fn located(error: Error, x: f64, y: Option<f64>) -> Error {
    match (error, y) {
        (Error::NotFinite(reason), None) => Error::NotFinite(format!("at step {x}: {reason}")),
        (Error::NotFinite(reason), Some(y)) => Error::NotFinite(format!("at steps ({x}, {y}): {reason}")),
        (other, _) => other,
    }
}
