//! Running a flatness measure: first the network as it is, then one draw after the other.
//!
//! A unit of work is one draw of one radius on one batch; in the worst case, whose search looks at all examples, on
//! all of them. Draws come before radii, so that after a cancellation there is about equally much of every radius. A
//! multilevel estimate has its draws under the whole attack first, then those that only cheap levels have.

mod draws;
mod keep;
mod levels;
mod weaknesses;
mod worst;

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
    Draws, Losses, OnCheapLevels, Over, Reference, Restart, at_radius, clean, draw_seed, restart,
    worst_restart,
};
use crate::measure::levels::Numbers;
use crate::progress::{Event, Progress};
use crate::record::{AtRadius, FlatnessOutcome, KeptLosses, LayerFlatness, Outcome, SearchCost};
use draws::{Drawer, Level, Place};
use keep::Keeper;
use levels::Found;
use weaknesses::weaknesses;

/// A finished unit of a draw.
#[derive(Debug, Serialize, Deserialize)]
struct Unit {
    /// None: the network overflows under these weights.
    losses: Option<Losses>,
    /// On the cheaper levels, the most expensive first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    below: Vec<Losses>,
}

/// The work of a job.
struct Plan<'a> {
    job: &'a Flatness,
    /// Names of the tensors that take part.
    names: Vec<String>,
    batches: usize,
    /// Units of every draw.
    parts: usize,
    /// Draws on every level.
    numbers: Numbers,
    /// Tensors that are measured alone, too.
    alone: Vec<usize>,
    /// Whether a search in low precision is compared with one in float32.
    compares: bool,
}

impl<'a> Plan<'a> {
    /// For the tensors at `tensors`, of which those that `moves` accepts are measured alone, too.
    fn new(job: &'a Flatness, setup: &Setup, tensors: &[usize], moves: impl Fn(usize) -> bool) -> Self {
        let layout = setup.checkpoint.network.layout();
        let names: Vec<String> = tensors.iter().map(|i| layout.entries[*i].name.clone()).collect();
        let batches = setup.batches.len();
        let parts = if job.case == Case::Worst { 1 } else { batches };
        let alone = if job.per_layer { names.len() } else { 0 };
        let alone = (0..alone).filter(|layer| moves(*layer)).collect();
        let searches = job.loss == FlatnessLoss::Robust || job.case == Case::Worst;
        let compares = searches && setup.searches_in_low_precision();
        Self { job, names, batches, parts, numbers: job.numbers(), alone, compares }
    }

    /// The draws whose most expensive level this is.
    fn places(&self, level: Level) -> Vec<Place> {
        let Numbers { full, short, clean } = self.numbers;
        let (draws, alone) = match level {
            // One tensor at a time has no cheap levels.
            Level::Full => (0..full, self.alone.as_slice()),
            Level::Short => (full..short, &[][..]),
            Level::Clean => (short..clean, &[][..]),
        };
        let mut places = Vec::new();
        for draw in draws {
            for layer in std::iter::once(None).chain(alone.iter().copied().map(Some)) {
                places.extend((0..self.job.radii.len()).map(|radius| Place { layer, radius, draw }));
            }
        }
        places
    }

    /// Restarts of the attack on the unperturbed network.
    fn restarts(&self) -> usize {
        if self.job.loss == FlatnessLoss::Robust { self.job.restarts_of_reference() } else { 0 }
    }

    /// Names of all units, and how much work each is; without levels all count the same.
    fn units(&self) -> Vec<(String, u64)> {
        let attack = self.weight(Level::Full);
        let mut units = Vec::new();
        for batch in 0..self.batches {
            units.push((format!("clean {batch}"), 1));
            units.extend((0..self.restarts()).map(|r| (format!("reference {r} {batch}"), attack)));
        }
        for level in Level::ALL {
            for place in self.places(level) {
                let names = (0..self.parts).map(|part| level.unit(&place, part));
                units.extend(names.map(|name| (name, self.weight(level))));
            }
        }
        if self.compares {
            units.push((search_cost::UNIT.to_owned(), attack));
        }
        units
    }

    /// How much work a unit of a draw is.
    fn weight(&self, level: Level) -> u64 {
        let Some(levels) = &self.job.levels else { return 1 };
        let costs = self.job.costs(levels);
        match level {
            Level::Full => costs.full as u64,
            Level::Short => costs.short as u64,
            Level::Clean => costs.clean as u64,
        }
    }

    fn total(&self) -> u64 {
        self.units().iter().map(|(_, weight)| weight).sum()
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
    fn forget(&mut self, name: &str, weight: u64) {
        self.done -= if self.journal.forget(name) { weight } else { 0 };
    }

    /// A unit of an earlier run, or a fresh one.
    fn unit<T: Serialize + serde::de::DeserializeOwned>(
        &mut self,
        (name, weight): (String, u64),
        compute: impl FnOnce(crate::progress::Pulse) -> Result<T>,
    ) -> Result<T> {
        if let Some(unit) = self.journal.get(&name) {
            return Ok(unit);
        }
        let unit = compute(&mut || self.progress.report(Event::Alive))?;
        self.journal.put(&name, &unit)?;
        self.done += weight;
        self.progress.report(Event::Step { done: self.done, total: self.total })?;
        Ok(unit)
    }

    /// How far the plan is, which may have grown.
    fn count(&mut self, plan: &Plan) {
        let units = plan.units();
        let finished = units.iter().filter(|(name, _)| self.journal.has(name));
        self.done = finished.map(|(_, weight)| weight).sum();
        self.total = units.iter().map(|(_, weight)| weight).sum();
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
    let mut plan = Plan::new(job, setup, &tensors, |layer| drawer.moves(layer));
    let names = plan.names.clone();
    let keeper = Keeper::new(job, setup, &names, out);
    let keeper = keeper.as_ref();
    let mut desk = Desk { journal, progress, done: 0, total: 0 };
    desk.count(&plan);
    desk.progress.report(Event::Started { label: job.label().into(), done: desk.done, total: desk.total })?;
    if let Some(text) = keeper.and_then(|keeper| keeper.size(plan.places(Level::Full).len())) {
        desk.progress.report(Event::Warning(text))?;
    }
    let reference = reference(&plan, setup, &mut desk)?;
    let mut found = Found::default();
    let mut warnings = drawer.warnings();
    let work = Work { drawer: &drawer, reference: &reference, keeper };
    let ended = levels::rounds(&mut plan, &work, &mut desk, &mut found, &mut warnings)
        .and_then(|()| search_cost(&plan, setup, &drawer, &mut desk));
    let (complete, search_cost) = match ended {
        // What is finished is a record.
        Err(Error::Cancelled) if !found.is_empty() => (false, None),
        other => (true, other?),
    };
    let mut outcome = outcome(&plan, &reference, &found, &mut warnings)?;
    if let Some(keeper) = keeper {
        outcome.networks = found.places().filter(|place| keeper.has(place)).map(|at| keeper.of(at)).collect();
    }
    warnings.extend(weaknesses(job, &outcome));
    if job.case == Case::Worst && setup.precision == Precision::Bf16 {
        warnings.push("the weights were searched in bf16, where gradient ascent can find much less than in float32: worst-case flatness may be too low".into());
    }
    Ok(Measured {
        complete,
        search_cost,
        warnings,
        examples: None,
        losses: Some(losses(&plan, setup, &reference, &found, &outcome)),
        probabilities: None,
        outcome: Outcome::Flatness(outcome),
    })
}

/// The unperturbed network: clean, and for robust flatness at its worst restart.
fn reference(plan: &Plan, setup: &Setup, desk: &mut Desk) -> Result<Reference> {
    let (job, seed) = (plan.job, plan.job.compute.seed);
    let pair = setup.pair(&setup.checkpoint.network.weights);
    let mut reference = Reference::default();
    for (number, batch) in setup.batches.iter().enumerate() {
        let losses: Losses = desk.unit((format!("clean {number}"), 1), |_| clean(&pair, batch))?;
        reference.clean.append(&losses);
        let mut restarts: Vec<Restart> = Vec::new();
        for r in 0..plan.restarts() {
            let name = (format!("reference {r} {number}"), plan.weight(Level::Full));
            restarts.push(desk.unit(name, |pulse| restart(&pair, &job.attack, batch, seed, r, pulse))?);
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
    desk.unit((search_cost::UNIT.to_owned(), plan.weight(Level::Full)), |pulse| match plan.job.case {
        Case::Average => search_cost::of_attack(setup, &plan.job.attack, plan.job.compute.seed, pulse),
        Case::Worst => drawer.search_cost(pulse),
    })
}

/// What every draw needs.
struct Work<'a> {
    drawer: &'a Drawer<'a>,
    reference: &'a Reference,
    keeper: Option<&'a Keeper<'a>>,
}

/// One draw on a level and those below it; none where the network overflows.
fn draw(
    plan: &Plan,
    Work { drawer, reference, keeper }: &Work,
    desk: &mut Desk,
    (level, place): (Level, &Place),
) -> Result<Option<Draws>> {
    let mut perturbed = None;
    let mut losses = Some(Draws::default());
    let lacking = keeper.filter(|keeper| level == Level::Full && !keeper.has(place));
    if let (Some(keeper), Case::Average) = (lacking, plan.job.case) {
        let mut pulse = || desk.progress.report(Event::Alive);
        match drawer.weights(place, &mut pulse) {
            // The draw's own losses tell.
            Err(Error::NotFinite(_)) => {}
            weights => keeper.save(place, &weights?, None)?,
        }
    }
    for part in 0..plan.parts {
        let name = (level.unit(place, part), plan.weight(level));
        if lacking.is_some() && plan.job.case == Case::Worst {
            // What was found is to be kept, and is not there any more.
            desk.forget(&name.0, name.1);
        }
        let unit: Unit = desk.unit(name, |pulse| {
            let unit = match plan.job.case {
                Case::Worst => drawer.worst(place, &reference.losses, *keeper, pulse),
                Case::Average => {
                    let found = match perturbed.take() {
                        Some(found) => Ok(found),
                        None => drawer.random(place, level, pulse),
                    };
                    found.and_then(|found| {
                        let found = perturbed.insert(found);
                        drawer.average(found, level, part, reference, pulse)
                    })
                }
            };
            match unit {
                Err(Error::NotFinite(_)) => Ok(Unit { losses: None, below: Vec::new() }),
                other => other,
            }
        })?;
        losses = losses.zip(unit.losses).map(|(mut all, part)| {
            all.append(&part, &unit.below);
            all
        });
    }
    if let (Some(losses), Level::Full) = (&losses, level) {
        let layer = place.layer.map(|layer| plan.names[layer].clone());
        let point = losses.own.clone().or_wrong(&reference.clean).point();
        desk.progress.report(Event::Draw { layer, radius: place.radius, draw: place.draw, point })?;
    }
    Ok(losses)
}

/// What is known of a radius; a draw whose loss is not finite instead.
fn radius(
    plan: &Plan,
    reference: &Reference,
    found: &Found,
    layer: Option<usize>,
    index: usize,
) -> std::result::Result<Option<AtRadius>, usize> {
    let (job, seed) = (plan.job, plan.job.compute.seed);
    let over = if job.case == Case::Average { Over::Mean } else { Over::Worst };
    let full = found.rows(Level::Full, layer, index)?;
    if full.is_empty() {
        return Ok(None);
    }
    let cheap = match (&job.levels, layer) {
        (Some(levels), None) => Some(OnCheapLevels {
            steps: levels.steps,
            short: found.rows(Level::Short, layer, index)?,
            clean: found.rows(Level::Clean, layer, index)?,
        }),
        _ => None,
    };
    let seeds = (0..full.len()).map(|draw| draw_seed(seed, draw));
    let draws: Vec<(u64, &Losses)> = seeds.zip(full).collect();
    Ok(Some(at_radius(job.radii[index], over, reference, &draws, cheap.as_ref())))
}

/// The numbers of all finished draws. A radius with a draw that has no finite loss is left out, with a warning.
fn outcome(
    plan: &Plan,
    reference: &Reference,
    found: &Found,
    warnings: &mut Vec<String>,
) -> Result<FlatnessOutcome> {
    let job = plan.job;
    let mut radii_of = |layer: Option<usize>| -> Vec<AtRadius> {
        let mut radii = Vec::new();
        for (index, value) in job.radii.iter().enumerate() {
            match radius(plan, reference, found, layer, index) {
                Ok(at) => radii.extend(at),
                Err(draw) => warnings.push(format!(
                    "radius {value}{} is left out: the network overflows in draw {draw}; use a smaller radius",
                    layer.map(|layer| format!(" of {}", plan.names[layer])).unwrap_or_default()
                )),
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
        networks: Vec::new(),
        losses: None,
    })
}

/// Losses of every draw and example of an outcome.
fn losses(
    plan: &Plan,
    setup: &Setup,
    reference: &Reference,
    found: &Found,
    outcome: &FlatnessOutcome,
) -> KeptLosses {
    let mut kept = KeptLosses { index: setup.dataset.indices.clone(), ..KeptLosses::default() };
    let mut put = |name: String, rows: Vec<&Losses>| {
        kept.tables.insert(name, rows.into_iter().cloned().collect());
    };
    put("clean".into(), vec![&reference.clean]);
    put("reference".into(), vec![&reference.losses]);
    let mut radii = |prefix: &str, layer: Option<usize>, radii: &[AtRadius]| {
        for (number, at) in radii.iter().enumerate() {
            let index = plan.job.radii.iter().position(|radius| *radius == at.radius).unwrap_or(0);
            let rows = |level| found.rows(level, layer, index).unwrap_or_default();
            put(format!("{prefix}radii.{number}"), rows(Level::Full));
            if at.levels.is_some() {
                put(format!("{prefix}radii.{number}.short"), rows(Level::Short));
                put(format!("{prefix}radii.{number}.clean"), rows(Level::Clean));
            }
        }
    };
    radii("", None, &outcome.radii);
    for (number, layer) in outcome.layers.iter().enumerate() {
        let tensor = plan.names.iter().position(|name| *name == layer.name);
        radii(&format!("layers.{number}."), tensor, &layer.radii);
    }
    kept
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
    let draws = plan.places(Level::Full).len() as f64;
    let cheap = plan.job.levels.as_ref().map_or(0.0, |levels| {
        let measured = cost.preparation + examples * cost.forward;
        let short = levels.steps as f64 * cost.step + cost.search_forward + cost.forward;
        let early = job.attack.restarts as f64 * cost.forward;
        plan.places(Level::Short).len() as f64 * (measured + examples * job.attack.restarts as f64 * short)
            + plan.places(Level::Clean).len() as f64 * measured
            + draws * examples * (early + cost.forward)
    });
    Ok((plan.total(), reference + draws * draw + cheap + compared))
}
