//! Running a flatness measure: first the network as it is, then one draw after the other.
//!
//! A unit of work is one draw of one radius on one batch; in the worst case, whose search looks at all examples, on
//! all of them. Draws come before radii, so that after a cancellation there is about equally much of every radius.

mod draws;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Measured;
use super::journal::Journal;
use super::setup::{Cost, Setup};
use crate::error::{Error, Result};
use crate::job::{Case, Flatness, FlatnessLoss};
use crate::measure::flatness::{
    Losses, Over, Reference, Restart, at_radius, clean, draw_seed, restart, worst_restart,
};
use crate::measure::statistics::mean;
use crate::progress::{Event, Progress};
use crate::record::{AtRadius, FlatnessOutcome, LayerFlatness, Outcome};
use draws::{Drawer, Place};

/// A finished unit of a draw.
#[derive(Debug, Serialize, Deserialize)]
struct Unit {
    /// None: the network overflows under these weights.
    losses: Option<Losses>,
    search_difference: Option<f64>,
}

/// The work of a job.
struct Plan<'a> {
    job: &'a Flatness,
    /// Names of the tensors that take part.
    names: Vec<String>,
    batches: usize,
    /// Units of every draw.
    parts: usize,
    places: Vec<Place>,
}

impl<'a> Plan<'a> {
    fn new(job: &'a Flatness, setup: &Setup, tensors: &[usize]) -> Self {
        let layout = setup.checkpoint.network.layout();
        let names: Vec<String> = tensors.iter().map(|i| layout.entries[*i].name.clone()).collect();
        let alone = if job.per_layer { names.len() } else { 0 };
        let layers: Vec<Option<usize>> = std::iter::once(None).chain((0..alone).map(Some)).collect();
        let mut places = Vec::new();
        for draw in 0..job.draws {
            for layer in &layers {
                places.extend((0..job.radii.len()).map(|radius| Place { layer: *layer, radius, draw }));
            }
        }
        let batches = setup.batches.len();
        Self { job, names, batches, parts: if job.case == Case::Worst { 1 } else { batches }, places }
    }

    /// Restarts of the attack on the unperturbed network.
    fn restarts(&self) -> usize {
        if self.job.loss == FlatnessLoss::Robust { self.job.reference_restarts } else { 0 }
    }

    fn units(&self) -> u64 {
        ((1 + self.restarts()) * self.batches + self.parts * self.places.len()) as u64
    }
}

/// Where units are kept and told about.
struct Desk<'a> {
    journal: &'a mut Journal,
    progress: &'a mut dyn Progress,
    done: u64,
    total: u64,
    differences: Vec<f64>,
}

impl Desk<'_> {
    /// A unit of an earlier run, or a fresh one.
    fn unit<T: Serialize + serde::de::DeserializeOwned>(
        &mut self,
        name: &str,
        compute: impl FnOnce(crate::progress::Pulse) -> Result<T>,
    ) -> Result<T> {
        if let Some(unit) = self.journal.get(name) {
            return Ok(unit);
        }
        let unit = compute(&mut || self.progress.report(Event::Alive))?;
        self.journal.put(name, &unit)?;
        self.done += 1;
        self.progress.report(Event::Step { done: self.done, total: self.total })?;
        Ok(unit)
    }
}

pub fn run(
    job: &Flatness,
    setup: &Setup,
    journal: &mut Journal,
    progress: &mut dyn Progress,
) -> Result<Measured> {
    let tensors = job.tensors.select(setup.checkpoint.network.layout())?;
    let plan = Plan::new(job, setup, &tensors);
    let drawer = Drawer::new(job, setup, tensors)?;
    let (done, total) = (journal.len() as u64, plan.units());
    progress.report(Event::Started { label: job.label().into(), done, total })?;
    let mut desk = Desk { journal, progress, done, total, differences: Vec::new() };
    let reference = reference(&plan, setup, &mut desk)?;
    let mut found = BTreeMap::new();
    match all_draws(&plan, setup, &drawer, &reference, &mut desk, &mut found) {
        // What is finished is a record.
        Err(Error::Cancelled) if !found.is_empty() => {}
        other => other?,
    }
    let mut warnings = drawer.warnings(&plan.names);
    let outcome = outcome(&plan, &reference, &found, &mut warnings)?;
    Ok(Measured {
        complete: found.len() == plan.places.len(),
        search_difference: (!desk.differences.is_empty()).then(|| mean(&desk.differences)),
        warnings,
        examples: None,
        outcome: Outcome::Flatness(outcome),
    })
}

/// The unperturbed network: clean, and for robust flatness at its worst restart.
fn reference(plan: &Plan, setup: &Setup, desk: &mut Desk) -> Result<Reference> {
    let (job, seed) = (plan.job, plan.job.compute.seed);
    let pair = setup.pair(&setup.checkpoint.network.weights);
    let mut reference = Reference::default();
    for (number, batch) in setup.batches.iter().enumerate() {
        let losses: Losses = desk.unit(&format!("clean {number}"), |_| clean(&pair, batch))?;
        reference.clean.append(&losses);
        let mut restarts: Vec<Restart> = Vec::new();
        for r in 0..plan.restarts() {
            let name = format!("reference {r} {number}");
            restarts.push(desk.unit(&name, |pulse| restart(&pair, &job.attack, batch, seed, r, pulse))?);
        }
        if pair.search.is_some() {
            desk.differences.extend(restarts.iter().map(|restart| restart.search_difference));
        }
        reference.losses.append(&match restarts.as_slice() {
            [] => losses,
            restarts => worst_restart(restarts).or_wrong(&losses),
        });
    }
    desk.progress.report(Event::Reference(reference.losses.point()))?;
    Ok(reference)
}

/// Every draw, in the order of the plan; `None` where the network overflows.
fn all_draws(
    plan: &Plan,
    setup: &Setup,
    drawer: &Drawer,
    reference: &Reference,
    desk: &mut Desk,
    found: &mut BTreeMap<Place, Option<Losses>>,
) -> Result<()> {
    for place in &plan.places {
        let mut perturbed = None;
        let mut losses = Some(Losses::default());
        for part in 0..plan.parts {
            let name = format!("draw {} part {part}", place.name());
            let unit: Unit = desk.unit(&name, |pulse| {
                let unit = match plan.job.case {
                    Case::Worst => drawer.worst(place, &reference.losses, pulse),
                    Case::Average => {
                        let found = match perturbed.take() {
                            Some(found) => Ok(found),
                            None => drawer.random(place, pulse),
                        };
                        found.and_then(|found| {
                            let found = perturbed.insert(found);
                            drawer.average(found, part, &setup.batches[part], &reference.losses, pulse)
                        })
                    }
                };
                match unit {
                    Err(Error::NotFinite(_)) => Ok(Unit { losses: None, search_difference: None }),
                    other => other,
                }
            })?;
            desk.differences.extend(unit.search_difference);
            losses = losses.zip(unit.losses).map(|(mut all, part)| {
                all.append(&part);
                all
            });
        }
        if let Some(losses) = &losses {
            let layer = place.layer.map(|layer| plan.names[layer].clone());
            let point = losses.clone().or_wrong(&reference.clean).point();
            found.insert(*place, Some(losses.clone()));
            desk.progress.report(Event::Draw { layer, radius: place.radius, draw: place.draw, point })?;
        } else {
            found.insert(*place, None);
        }
    }
    Ok(())
}

/// The numbers of all finished draws. A radius with a draw that has no finite loss is left out, with a warning.
fn outcome(
    plan: &Plan,
    reference: &Reference,
    found: &BTreeMap<Place, Option<Losses>>,
    warnings: &mut Vec<String>,
) -> Result<FlatnessOutcome> {
    let (job, seed) = (plan.job, plan.job.compute.seed);
    let over = if job.case == Case::Average { Over::Mean } else { Over::Worst };
    let mut radii_of = |layer: Option<usize>| -> Vec<AtRadius> {
        let mut radii = Vec::new();
        for (index, radius) in job.radii.iter().enumerate() {
            let mut draws = Vec::new();
            let mut overflows = None;
            for draw in 0..job.draws {
                match found.get(&Place { layer, radius: index, draw }) {
                    Some(Some(losses)) => draws.push((draw_seed(seed, draw), losses.clone())),
                    Some(None) => overflows = overflows.or(Some(draw)),
                    None => {}
                }
            }
            match overflows {
                Some(draw) => warnings.push(format!(
                    "radius {radius}{} is left out: the network overflows in draw {draw}; use a smaller radius",
                    layer.map(|layer| format!(" of {}", plan.names[layer])).unwrap_or_default()
                )),
                None if draws.is_empty() => {}
                None => radii.push(at_radius(*radius, over, reference, &draws)),
            }
        }
        radii
    };
    let radii = radii_of(None);
    let alone = if job.per_layer { plan.names.len() } else { 0 };
    let layers = (0..alone)
        .map(|layer| LayerFlatness { name: plan.names[layer].clone(), radii: radii_of(Some(layer)) })
        .filter(|layer| !layer.radii.is_empty())
        .collect();
    if radii.is_empty() {
        return Err(Error::NotFinite(format!("{}; nothing else is there", warnings.join("; "))));
    }
    let point = reference.losses.point();
    Ok(FlatnessOutcome {
        reference_loss: point.loss,
        reference_error: point.error,
        radii,
        layers,
        resamples: 0,
    })
}

/// Units, and seconds for all of them, given what a step costs.
pub fn cost(job: &Flatness, setup: &Setup, cost: &Cost) -> Result<(u64, f64)> {
    let tensors = job.tensors.select(setup.checkpoint.network.layout())?;
    let plan = Plan::new(job, setup, &tensors);
    let examples = setup.examples() as f64;
    let attack = |restarts: usize| {
        restarts as f64 * (job.attack.steps as f64 * cost.step + cost.search_forward + cost.forward)
    };
    let reference = examples * (cost.forward + attack(plan.restarts()));
    let searched = job.search_data.as_ref().map_or(examples, |data| data.examples.len() as f64);
    let updates = job.descent.epochs as f64 * (searched / job.descent.search_batch as f64).ceil();
    // Gradients of weights cost about as much as those of inputs.
    let weights_only = job.descent.epochs as f64 * searched * (cost.step + cost.search_forward);
    let choosing = match job.worst_of {
        1 => 0.0,
        several => several as f64 * (searched * cost.search_forward + cost.preparation),
    };
    let joint = job.descent.epochs as f64 * searched * 1.5 * cost.step;
    let draw = match (job.case, job.loss) {
        (Case::Average, FlatnessLoss::Clean) => choosing + examples * cost.forward + cost.preparation,
        (Case::Average, FlatnessLoss::Robust) => {
            choosing + examples * attack(job.attack.restarts) + cost.preparation
        }
        (Case::Worst, FlatnessLoss::Clean) => {
            weights_only + examples * cost.forward + updates * cost.preparation
        }
        (Case::Worst, FlatnessLoss::Robust) => joint + examples * cost.forward + updates * cost.preparation,
    };
    Ok((plan.units(), reference + plan.places.len() as f64 * draw))
}
