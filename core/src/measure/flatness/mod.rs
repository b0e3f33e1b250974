//! Flatness: first the network as it is, then one draw after the other.
//!
//! A unit of work is one draw of one radius on one batch; in the worst case, whose search looks at all examples, on
//! all of them. Draws come before radii, so that after a cancellation there is about equally much of every radius. A
//! multilevel estimate has its draws under the whole attack first, then those that only cheap levels have.

mod draws;
mod keep;
mod levels;
mod losses;
pub mod multilevel;
mod outcome;
mod settings;
mod weaknesses;
mod worst;

use std::cell::{OnceCell, RefCell};

use super::context::{Context, Cost};
use super::evaluation::SearchAndMeasure;
use super::kept::{Kept, KeptLosses};
use super::rows::Point;
use super::search_cost::{self, SearchCost};
use super::summary::{Headline, Number, Summary};
use super::units::{Group, Plan, UnitRunner, Units, cancel_check, unit};
use super::work::{Assembled, Keeps, Measure, Work, target_fields};
use crate::attack::Pgd;
use crate::data::DataSelection;
use crate::device::Precision;
use crate::error::{Error, Result};
use crate::model::Topology;
use crate::seed::draw_seed;
use draws::{Level, PerturbationSampler, Place, of_unit};
use keep::Keeper;
use levels::{Found, next};
use losses::Unit;
pub use losses::{
    Draws, Losses, OnCheapLevels, Over, Reference, Restart, at_radius, clean, restart, worst_restart,
};
use multilevel::Numbers;
pub use outcome::{
    AtRadius, Draw, FlatnessOutcome, KeptNetwork, LayerFlatness, LevelsOutcome, OnLevels, PlainMean,
};
pub use settings::{Case, Flatness, FlatnessLoss, JointSearch, Levels, Logits};
use weaknesses::weaknesses;

impl Measure for Flatness {
    const KIND: &'static str = "flatness";
    const TITLE: &'static str = "Flatness";
    type Outcome = FlatnessOutcome;
    type Work<'a> = Perturbing<'a>;

    fn usual() -> Self {
        Self::new(std::path::PathBuf::new(), FlatnessLoss::Robust, Case::Average)
    }

    fn input_attack(&self) -> Option<&Pgd> {
        Some(&self.attack)
    }

    target_fields!();

    fn check(&self) -> Result<()> {
        Self::check(self)
    }

    fn check_classes(&self, classes: usize) -> Result<()> {
        if self.logits == Logits::Normalized && classes < 3 {
            let error = "normalized logits of 2 classes are 1 and -1 for every network; use --logits raw";
            return Err(Error::invalid(error).about("logits"));
        }
        match self.loss {
            FlatnessLoss::Clean => Ok(()),
            FlatnessLoss::Robust => self.attack.objective.check_classes(classes),
        }
    }

    fn measured(&self, checkpoint: Topology) -> Topology {
        Self::measured(self, checkpoint)
    }

    fn searches_weights(&self) -> bool {
        self.case == Case::Worst
    }

    fn search_data(&self) -> Option<&DataSelection> {
        self.search_data.as_ref()
    }

    fn keeps(&self) -> Option<Keeps> {
        self.keep_networks.then_some(Keeps::Networks)
    }

    fn label(&self) -> String {
        Self::label(self).into()
    }

    fn summary(&self) -> Summary {
        let case = if self.case == Case::Average { "Average" } else { "Worst" };
        let loss = if self.loss == FlatnessLoss::Clean { "clean" } else { "robust" };
        let of = if self.logits == Logits::Normalized { " of normalized logits" } else { "" };
        let radii: Vec<String> = self.radii.iter().map(f64::to_string).collect();
        let draws = if self.draws == 1 { "1 draw".to_owned() } else { format!("{} draws", self.draws) };
        Summary {
            title: format!("{case} {loss} flatness{of}"),
            details: vec![format!("radius {}", radii.join(", ")), draws],
            stem: Self::label(self).replace(' ', "-"),
        }
    }

    fn headline(&self, outcome: &FlatnessOutcome) -> Headline {
        let number = |at: &AtRadius| Number {
            at: Some(format!("radius {}", at.radius)),
            interval: at.interval,
            ..Number::loss("flatness", at.flatness)
        };
        let reference = Some(Point { loss: outcome.reference_loss, error: outcome.reference_error });
        let (clean, robust) = match (self.logits, self.loss) {
            (Logits::Normalized, _) => (None, None),
            (Logits::Raw, FlatnessLoss::Clean) => (reference, None),
            (Logits::Raw, FlatnessLoss::Robust) => (None, reference),
        };
        Headline { numbers: outcome.radii.iter().map(number).collect(), clean, robust }
    }

    fn begin<'a>(&'a self, context: &'a Context) -> Result<Perturbing<'a>> {
        let layout = context.checkpoint.network.layout();
        let tensors = self.tensors.select(layout)?;
        let names: Vec<String> = tensors.iter().map(|at| layout.entries[*at].name.clone()).collect();
        let drawer = PerturbationSampler::new(self, context, tensors)?;
        let alone = if self.per_layer { names.len() } else { 0 };
        let searches = self.loss == FlatnessLoss::Robust || self.case == Case::Worst;
        Ok(Perturbing {
            job: self,
            context,
            alone: (0..alone).filter(|layer| drawer.moves(*layer)).collect(),
            parts: if self.case == Case::Worst { 1 } else { context.batches.len() },
            compares: searches && context.searches_in_low_precision(),
            keeper: Keeper::new(self, context, names.clone()),
            names,
            drawer,
            pair: OnceCell::new(),
            drawn: RefCell::new(None),
        })
    }
}

/// The work on one checkpoint.
pub struct Perturbing<'a> {
    job: &'a Flatness,
    context: &'a Context,
    drawer: PerturbationSampler<'a>,
    keeper: Option<Keeper<'a>>,
    /// Names of the tensors that take part.
    names: Vec<String>,
    /// Tensors that are measured alone, too.
    alone: Vec<usize>,
    /// Units of every draw.
    parts: usize,
    /// Whether a search in low precision is compared with one in float32.
    compares: bool,
    /// The network as it is.
    pair: OnceCell<SearchAndMeasure>,
    /// The last random draw and its networks, which all batches share.
    drawn: RefCell<Option<(Level, Place, Option<SearchAndMeasure>)>>,
}

impl Perturbing<'_> {
    /// The draws whose most expensive level this is.
    fn places(&self, level: Level, numbers: Numbers) -> Vec<Place> {
        let Numbers { full, short, clean } = numbers;
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

    /// How much work a unit of a draw is; without levels all count the same.
    fn weight(&self, level: Level) -> u64 {
        let Some(levels) = &self.job.levels else { return 1 };
        let costs = self.job.costs(levels);
        match level {
            Level::Full => costs.full as u64,
            Level::Short => costs.short as u64,
            Level::Clean => costs.clean as u64,
        }
    }

    /// All units, each a group, for so many draws.
    fn groups(&self, numbers: Numbers, units: &Units) -> Vec<Group> {
        let attack = self.weight(Level::Full);
        let mut groups = Vec::new();
        for batch in 0..self.context.batches.len() {
            groups.push(Group::single(format!("clean {batch}"), 1, units));
            let restarts = 0..self.restarts();
            groups.extend(restarts.map(|r| Group::single(format!("reference {r} {batch}"), attack, units)));
        }
        for level in Level::ALL {
            let weight = self.weight(level);
            for place in self.places(level, numbers) {
                for part in 0..self.parts {
                    let mut group = Group::single(level.unit(&place, part), weight, units);
                    if part == 0 && self.lacks(level, &place, units) {
                        (group.done, group.left) = (0, weight);
                    }
                    groups.push(group);
                }
            }
        }
        if self.compares {
            groups.push(Group::single(search_cost::UNIT, attack, units));
        }
        groups
    }

    /// Whether the network of a draw is to be kept, exists and is not there.
    fn lacks(&self, level: Level, place: &Place, units: &Units) -> bool {
        let Some(keeper) = self.keeper.as_ref().filter(|_| level == Level::Full) else { return false };
        let overflows = || {
            units.get::<Unit>(&level.unit(place, 0)).is_some_and(|unit| unit.losses.is_none() && !unit.same)
        };
        !keeper.has(place) && !overflows()
    }

    /// How many draws it takes, as far as that follows from the finished ones.
    fn numbers(&self, units: &Units) -> Result<Numbers> {
        let mut numbers = self.job.numbers();
        let Some(error) = self.job.until else { return Ok(numbers) };
        for round in 0.. {
            let draws = Level::ALL
                .into_iter()
                .flat_map(|level| self.places(level, numbers).into_iter().map(move |place| (level, place)));
            let there = |(level, place): (Level, Place)| {
                (0..self.parts).all(|part| units.has(&level.unit(&place, part)))
            };
            let (true, Some(reference)) = (draws.into_iter().all(there), self.reference(units)) else {
                break;
            };
            // Earlier versions noted what they decided by the clock.
            let more = match units.get::<Option<Numbers>>(&format!("numbers {round}")) {
                Some(noted) => noted,
                None => {
                    let found = self.found(&reference, units);
                    let reached = |at: AtRadius| at.standard_error.is_some_and(|reached| reached <= error);
                    let all = self.at_radii(&reference, &found);
                    let missed = all.into_iter().any(|at| !reached(at));
                    missed.then(|| next(self.job, numbers, &reference, &found, error)).flatten()
                }
            };
            let Some(more) = more else { break };
            numbers = more;
        }
        Ok(numbers)
    }

    /// What perturbed networks are compared with, once all of it is there: clean, and for robust flatness at its worst
    /// restart.
    fn reference(&self, units: &Units) -> Option<Reference> {
        let mut reference = Reference::default();
        for number in 0..self.context.batches.len() {
            let losses: Losses = units.get(&format!("clean {number}"))?;
            reference.clean.append(&losses);
            let restarts = 0..self.restarts();
            let restarts: Option<Vec<Restart>> =
                restarts.map(|r| units.get(&format!("reference {r} {number}"))).collect();
            reference.losses.append(&match restarts?.as_slice() {
                [] => losses,
                restarts => worst_restart(restarts).or_wrong(&losses),
            });
        }
        Some(reference)
    }

    /// The finished draws.
    fn found(&self, reference: &Reference, units: &Units) -> Found {
        let mut found = Found::default();
        for layer in std::iter::once(None).chain(self.alone.iter().copied().map(Some)) {
            for radius in 0..self.job.radii.len() {
                for draw in 0.. {
                    let place = Place { layer, radius, draw };
                    let there = |level: &Level| units.has(&level.unit(&place, 0));
                    let Some(level) = Level::ALL.into_iter().find(there) else { break };
                    let Some(losses) = self.draw(level, &place, reference, units) else { break };
                    found.add(level, place, losses);
                }
            }
        }
        found
    }

    /// Losses of a draw on a level and those below it, none where the network overflows; none at all unless all
    /// batches are there.
    fn draw(
        &self,
        level: Level,
        place: &Place,
        reference: &Reference,
        units: &Units,
    ) -> Option<Option<Draws>> {
        let mut draws = Some(Draws::default());
        let mut from = 0;
        for part in 0..self.parts {
            let unit: Unit = units.get(&level.unit(place, part))?;
            let examples =
                if self.parts == 1 { self.context.examples() } else { self.context.batches[part].len() };
            let found = if unit.same {
                let part_of = |losses: &Losses| losses.part(from..from + examples);
                let (attacked, clean) = (part_of(&reference.losses), part_of(&reference.clean));
                Some(match (level, &self.job.levels) {
                    (_, None) => (attacked, Vec::new()),
                    (Level::Full, _) => (attacked.clone(), vec![attacked, clean]),
                    (Level::Short, _) => (attacked, vec![clean]),
                    (Level::Clean, _) => (clean, Vec::new()),
                })
            } else {
                unit.losses.map(|losses| (losses, unit.below))
            };
            draws = draws.zip(found).map(|(mut all, (own, below))| {
                all.append(&own, &below);
                all
            });
            from += examples;
        }
        Some(draws)
    }

    /// Computes one draw on one batch, or in the worst case on all.
    fn compute_draw(
        &self,
        level: Level,
        place: &Place,
        part: usize,
        runner: &mut dyn UnitRunner,
    ) -> Result<()> {
        let (name, weight) = (level.unit(place, part), self.weight(level));
        let keeper = self.keeper.as_ref().filter(|_| part == 0 && self.lacks(level, place, runner.units()));
        match (keeper, self.job.case) {
            (Some(keeper), Case::Average) => match self.drawer.weights(place, &mut cancel_check(runner)) {
                // The draw's own losses tell.
                Err(Error::NotFinite(_)) => {}
                weights => keeper.save(place, &weights?, None)?,
            },
            // What was found is to be kept, and is not there any more.
            (Some(_), Case::Worst) => runner.forget(&name),
            (None, _) => {}
        }
        unit(runner, &name, weight, |runner| {
            let unit = match self.job.case {
                Case::Worst => self.drawer.worst(place, self.keeper.as_ref(), &mut cancel_check(runner)),
                Case::Average => self.average(level, place, part, runner),
            };
            match unit {
                Err(Error::NotFinite(_)) => Ok(Unit::overflowed()),
                other => other,
            }
        })
        .map(drop)
    }

    fn average(&self, level: Level, place: &Place, part: usize, runner: &mut dyn UnitRunner) -> Result<Unit> {
        let mut drawn = self.drawn.borrow_mut();
        if drawn.as_ref().is_none_or(|(of_level, of, _)| (*of_level, of) != (level, place)) {
            // The last networks go before the next ones come.
            *drawn = None;
            *drawn = Some((level, *place, self.drawer.random(place, level, &mut cancel_check(runner))?));
        }
        let pair = drawn.as_ref().map_or(&None, |(.., pair)| pair);
        self.drawer.average(pair, level, part, &mut cancel_check(runner))
    }

    /// What is known of every radius of all tensors together.
    fn at_radii(&self, reference: &Reference, found: &Found) -> Vec<AtRadius> {
        let radii = 0..self.job.radii.len();
        radii.filter_map(|index| self.radius(reference, found, None, index).ok().flatten()).collect()
    }

    /// What is known of a radius; a draw whose loss is not finite instead.
    fn radius(
        &self,
        reference: &Reference,
        found: &Found,
        layer: Option<usize>,
        index: usize,
    ) -> std::result::Result<Option<AtRadius>, usize> {
        let (job, seed) = (self.job, self.job.compute.seed);
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
        &self,
        reference: &Reference,
        found: &Found,
        warnings: &mut Vec<String>,
    ) -> Result<FlatnessOutcome> {
        let job = self.job;
        let mut radii_of = |layer: Option<usize>| -> Vec<AtRadius> {
            let mut radii = Vec::new();
            for (index, value) in job.radii.iter().enumerate() {
                match self.radius(reference, found, layer, index) {
                    Ok(at) => radii.extend(at),
                    Err(draw) => warnings.push(format!(
                        "radius {value}{} is left out: the network overflows in draw {draw}; use a smaller radius",
                        layer.map(|layer| format!(" of {}", self.names[layer])).unwrap_or_default()
                    )),
                }
            }
            radii
        };
        let radii = radii_of(None);
        let alone = if job.per_layer { self.names.len() } else { 0 };
        let layers = (0..alone)
            .map(|layer| LayerFlatness { name: self.names[layer].clone(), radii: radii_of(Some(layer)) })
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
    fn losses(&self, reference: &Reference, found: &Found, outcome: &FlatnessOutcome) -> KeptLosses {
        let mut kept = KeptLosses { index: self.context.dataset.indices.clone(), ..KeptLosses::default() };
        let mut put = |name: String, rows: Vec<&Losses>| {
            kept.tables.insert(name, rows.into_iter().cloned().collect());
        };
        put("clean".into(), vec![&reference.clean]);
        put("reference".into(), vec![&reference.losses]);
        let mut radii = |prefix: &str, layer: Option<usize>, radii: &[AtRadius]| {
            for (number, at) in radii.iter().enumerate() {
                let index = self.job.radii.iter().position(|radius| *radius == at.radius).unwrap_or(0);
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
            let tensor = self.names.iter().position(|name| *name == layer.name);
            radii(&format!("layers.{number}."), tensor, &layer.radii);
        }
        kept
    }
}

impl Work for Perturbing<'_> {
    type Outcome = FlatnessOutcome;

    fn plan(&self, units: &Units) -> Result<Plan> {
        Ok(Plan { groups: self.groups(self.numbers(units)?, units), later: 0 })
    }

    fn compute(&self, group: &str, runner: &mut dyn UnitRunner) -> Result<()> {
        let (job, seed) = (self.job, self.job.compute.seed);
        if let Some((level, place, part)) = of_unit(group) {
            return self.compute_draw(level, &place, part, runner);
        }
        if group == search_cost::UNIT {
            let cost = |runner: &mut dyn UnitRunner| match job.case {
                Case::Average => {
                    search_cost::of_attack(self.context, &job.attack, seed, &mut cancel_check(runner))
                }
                Case::Worst => self.drawer.search_cost(&mut cancel_check(runner)),
            };
            return unit::<Option<SearchCost>>(runner, group, self.weight(Level::Full), cost).map(drop);
        }
        let pair = self.pair.get_or_init(|| self.context.pair(&self.context.checkpoint.network.weights));
        let numbers: Vec<usize> = group.split(' ').filter_map(|word| word.parse().ok()).collect();
        match numbers.as_slice() {
            [batch] => unit(runner, group, 1, |_| clean(pair, &self.context.batches[*batch])).map(drop),
            [number, batch] => unit(runner, group, self.weight(Level::Full), |runner| {
                restart(
                    pair,
                    &job.attack,
                    &self.context.batches[*batch],
                    seed,
                    *number,
                    &mut cancel_check(runner),
                )
            })
            .map(drop),
            _ => Err(Error::invalid(format!("flatness has no unit {group:?}"))),
        }
    }

    fn assemble(&self, units: &Units) -> Result<Option<Assembled<FlatnessOutcome>>> {
        let Some(reference) = self.reference(units) else { return Ok(None) };
        let found = self.found(&reference, units);
        if found.is_empty() {
            return Ok(None);
        }
        let mut warnings = self.drawer.warnings();
        if let Some(error) = self.job.until
            && self.plan(units)?.is_finished()
        {
            for at in self.at_radii(&reference, &found) {
                if let Some(reached) = at.standard_error.filter(|reached| *reached > error) {
                    warnings.push(format!(
                        "the standard error at radius {} is {reached:.2e} and not {error}: {} draws under the whole attack were the most; allow more with --draws",
                        at.radius, self.job.draws
                    ));
                }
            }
        }
        let mut outcome = self.outcome(&reference, &found, &mut warnings)?;
        if let Some(keeper) = &self.keeper {
            let kept = found.places().filter(|place| keeper.has(place));
            outcome.networks = kept.map(|place| keeper.of(place)).collect();
        }
        warnings.extend(weaknesses(self.job, &outcome));
        if self.job.case == Case::Worst && self.context.precision == Precision::Bf16 {
            warnings.push("the weights were searched in bf16, where gradient ascent can find much less than in float32: worst-case flatness may be too low".into());
        }
        let search_cost = units.get::<Option<_>>(search_cost::UNIT).flatten();
        Ok(Some(Assembled { outcome, search_cost, warnings }))
    }

    fn kept(&self, units: &Units) -> Result<Kept> {
        let Some(reference) = self.reference(units) else { return Ok(Kept::default()) };
        let found = self.found(&reference, units);
        let outcome = self.outcome(&reference, &found, &mut Vec::new())?;
        Ok(Kept { losses: Some(self.losses(&reference, &found, &outcome)), ..Kept::default() })
    }

    fn notices(&self) -> Vec<String> {
        let networks = self.places(Level::Full, self.job.numbers()).len();
        self.keeper.as_ref().and_then(|keeper| keeper.size(networks)).into_iter().collect()
    }

    fn seconds(&self, cost: &Cost) -> Result<(u64, f64)> {
        let (job, numbers) = (self.job, self.job.numbers());
        let examples = self.context.examples() as f64;
        let attack = |restarts: usize| cost.attack(&Pgd { restarts, ..job.attack.clone() });
        let reference = examples * (cost.forward + attack(self.restarts()));
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
            _ if !self.compares => 0,
            Case::Average => job.attack.restarts * job.attack.steps,
            Case::Worst => job.descent.epochs + job.attack.restarts * job.attack.steps,
        };
        let compared = search_cost::seconds(self.context, cost, compared);
        let draws = self.places(Level::Full, numbers).len() as f64;
        let cheap = job.levels.as_ref().map_or(0.0, |levels| {
            let measured = cost.preparation + examples * cost.forward;
            let short = levels.steps as f64 * cost.step + cost.search_forward + cost.forward;
            let early = job.attack.restarts as f64 * cost.forward;
            self.places(Level::Short, numbers).len() as f64
                * (measured + examples * job.attack.restarts as f64 * short)
                + self.places(Level::Clean, numbers).len() as f64 * measured
                + draws * examples * (early + cost.forward)
        });
        let units = self.groups(numbers, &Units::default()).iter().map(|group| group.weight).sum();
        Ok((units, reference + draws * draw + cheap + compared))
    }
}
