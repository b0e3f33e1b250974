//! Running a flatness measure: first the network as it is, then one draw after the other.
//!
//! A unit of work is one draw of one radius on one batch; in the worst case, whose search looks at all examples, on
//! all of them. Draws come before radii, so that after a cancellation there is about equally much of every radius.

mod draws;
mod keep;
mod weaknesses;
mod worst;

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Measured;
use super::journal::Journal;
use super::search_cost;
use super::setup::{Cost, Setup};
use crate::device::Precision;
use crate::error::{Error, Result};
use crate::job::{Case, Flatness, FlatnessLoss};
use crate::measure::flatness::{
    Losses, Reference, Restart, at_radius, clean, draw_seed, restart, worst_restart,
};
use crate::measure::statistics::{Over, RESAMPLES};
use crate::progress::{Event, Progress};
use crate::record::{AtRadius, FlatnessOutcome, LayerFlatness, Outcome, SearchCost};
use draws::{Drawer, Place};
use keep::Keeper;
use weaknesses::weaknesses;

/// A finished unit of a draw.
#[derive(Debug, Serialize, Deserialize)]
struct Unit {
    /// None: the network overflows under these weights.
    losses: Option<Losses>,
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
    /// Whether a search in low precision is compared with one in float32.
    compares: bool,
}

impl<'a> Plan<'a> {
    /// For the tensors at `tensors`, of which those that `moves` accepts are measured alone, too.
    fn new(job: &'a Flatness, setup: &Setup, tensors: &[usize], moves: impl Fn(usize) -> bool) -> Self {
        let layout = setup.checkpoint.network.layout();
        let names: Vec<String> = tensors.iter().map(|i| layout.entries[*i].name.clone()).collect();
        let alone = if job.per_layer { names.len() } else { 0 };
        let alone = (0..alone).filter(|layer| moves(*layer)).map(Some);
        let layers: Vec<Option<usize>> = std::iter::once(None).chain(alone).collect();
        let mut places = Vec::new();
        for draw in 0..job.draws {
            for layer in &layers {
                places.extend((0..job.radii.len()).map(|radius| Place { layer: *layer, radius, draw }));
            }
        }
        let batches = setup.batches.len();
        let searches = job.loss == FlatnessLoss::Robust || job.case == Case::Worst;
        let compares = searches && setup.searches_in_low_precision();
        Self {
            job,
            names,
            batches,
            compares,
            parts: if job.case == Case::Worst { 1 } else { batches },
            places,
        }
    }

    /// Restarts of the attack on the unperturbed network.
    fn restarts(&self) -> usize {
        if self.job.loss == FlatnessLoss::Robust { self.job.restarts_of_reference() } else { 0 }
    }

    fn units(&self) -> u64 {
        let references = (1 + self.restarts()) * self.batches;
        (references + self.parts * self.places.len() + usize::from(self.compares)) as u64
    }
}

/// Where units are kept and told about.
struct Desk<'a> {
    journal: &'a mut Journal,
    progress: &'a mut dyn Progress,
    done: u64,
    total: u64,
}

impl Desk<'_> {
    /// Computes a unit anew that an earlier run has finished.
    fn forget(&mut self, name: &str) {
        self.done -= u64::from(self.journal.forget(name));
    }

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
    out: Option<&Path>,
    progress: &mut dyn Progress,
) -> Result<Measured> {
    let tensors = job.tensors.select(setup.checkpoint.network.layout())?;
    let drawer = Drawer::new(job, setup, tensors.clone())?;
    let plan = Plan::new(job, setup, &tensors, |layer| drawer.moves(layer));
    let (done, total) = (journal.len() as u64, plan.units());
    progress.report(Event::Started { label: job.label().into(), done, total })?;
    let keeper = Keeper::new(job, setup, &plan.names, out);
    if let Some(text) = keeper.as_ref().and_then(|keeper| keeper.size(plan.places.len())) {
        progress.report(Event::Warning(text))?;
    }
    let keeper = keeper.as_ref();
    let mut desk = Desk { journal, progress, done, total };
    let reference = reference(&plan, setup, &mut desk)?;
    let mut found = BTreeMap::new();
    let worked = all_draws(&plan, setup, &drawer, &reference, keeper, &mut desk, &mut found)
        .and_then(|()| search_cost(&plan, setup, &drawer, &mut desk));
    let search_cost = match worked {
        // What is finished is a record.
        Err(Error::Cancelled) if !found.is_empty() => None,
        other => other?,
    };
    let mut warnings = drawer.warnings();
    let mut outcome = outcome(&plan, &reference, &found, &mut warnings)?;
    if let Some(keeper) = keeper {
        outcome.networks = found.keys().filter(|place| keeper.has(place)).map(|at| keeper.of(at)).collect();
    }
    warnings.extend(weaknesses(job, &outcome));
    if job.case == Case::Worst && setup.precision == Precision::Bf16 {
        warnings.push("the weights were searched in bf16, where gradient ascent finds much less than in float32: worst-case flatness is too low".into());
    }
    Ok(Measured {
        complete: found.len() == plan.places.len() && search_cost.is_some() == plan.compares,
        search_cost,
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
        reference.losses.append(&match restarts.as_slice() {
            [] => losses,
            restarts => worst_restart(restarts).or_wrong(&losses),
        });
    }
    desk.progress.report(Event::Reference(reference.losses.point()))?;
    Ok(reference)
}

/// What the search in low precision misses, where there is one.
fn search_cost(plan: &Plan, setup: &Setup, drawer: &Drawer, desk: &mut Desk) -> Result<Option<SearchCost>> {
    if !plan.compares {
        return Ok(None);
    }
    desk.unit(search_cost::UNIT, |pulse| match plan.job.case {
        Case::Average => search_cost::of_attack(setup, &plan.job.attack, plan.job.compute.seed, pulse),
        Case::Worst => drawer.search_cost(pulse),
    })
}

/// Every draw, in the order of the plan; `None` where the network overflows.
fn all_draws(
    plan: &Plan,
    setup: &Setup,
    drawer: &Drawer,
    reference: &Reference,
    keeper: Option<&Keeper>,
    desk: &mut Desk,
    found: &mut BTreeMap<Place, Option<Losses>>,
) -> Result<()> {
    for place in &plan.places {
        let mut perturbed = None;
        let mut losses = Some(Losses::default());
        let lacking = keeper.filter(|keeper| !keeper.has(place));
        if let (Some(keeper), Case::Average) = (lacking, plan.job.case) {
            let mut pulse = || desk.progress.report(Event::Alive);
            match drawer.weights(place, &mut pulse) {
                // The draw's own losses tell.
                Err(Error::NotFinite(_)) => {}
                weights => keeper.save(place, &weights?, None)?,
            }
        }
        for part in 0..plan.parts {
            let name = format!("draw {} part {part}", place.name());
            if lacking.is_some() && plan.job.case == Case::Worst {
                // What was found is to be kept, and is not there any more.
                desk.forget(&name);
            }
            let unit: Unit = desk.unit(&name, |pulse| {
                let unit = match plan.job.case {
                    Case::Worst => drawer.worst(place, &reference.losses, keeper, pulse),
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
                    Err(Error::NotFinite(_)) => Ok(Unit { losses: None }),
                    other => other,
                }
            })?;
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
                None => radii.push(at_radius(*radius, over, reference, &draws, seed)),
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
        resamples: RESAMPLES,
        networks: Vec::new(),
    })
}

/// Units, and seconds for all of them, given what a step costs.
pub fn cost(job: &Flatness, setup: &Setup, cost: &Cost) -> Result<(u64, f64)> {
    let tensors = job.tensors.select(setup.checkpoint.network.layout())?;
    let plan = Plan::new(job, setup, &tensors, |_| true);
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
    let losses = if job.reports_joint_inputs() { cost.forward } else { attack(job.attack.restarts) };
    let draw = match (job.case, job.loss) {
        (Case::Average, FlatnessLoss::Clean) => choosing + examples * cost.forward + cost.preparation,
        (Case::Average, FlatnessLoss::Robust) => {
            choosing + examples * attack(job.attack.restarts) + cost.preparation
        }
        (Case::Worst, FlatnessLoss::Clean) => {
            weights_only + examples * cost.forward + updates * cost.preparation
        }
        (Case::Worst, FlatnessLoss::Robust) => {
            let search = if job.is_simultaneous() { joint } else { weights_only };
            search + examples * losses + updates * cost.preparation
        }
    };
    let compared = match job.case {
        _ if !plan.compares => 0,
        Case::Average => job.attack.restarts * job.attack.steps,
        Case::Worst => job.descent.epochs + job.attack.restarts * job.attack.steps,
    };
    let compared = search_cost::seconds(setup, cost, compared);
    Ok((plan.units(), reference + plan.places.len() as f64 * draw + compared))
}
