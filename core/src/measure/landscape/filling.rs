//! The work of a landscape: its units, and the outcome of those that are finished.

use std::cell::OnceCell;
use std::collections::HashSet;
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::curving::{self, Ends};
use super::direction::{Direction, DirectionKind};
use super::filled::{Filled, average, barrier};
use super::outcome::{
    Barrier, Correction, Grid, Landmark, LandscapeDraw, LandscapeOutcome, ORIGIN, ReducedPrecision,
};
use super::plane::{Found, Planes};
use super::points::{Inputs, PointValues, attacked_from, coarse_to_fine, point};
use super::reduced;
use super::refine::{Refined, refine};
use super::settings::{Landscape, LandscapeLoss, RunningStatistics};
use super::warm::{self, Checked, walk};
use crate::device::cpu_has_bf16;
use crate::error::{Error, Result};
use crate::measure::context::{Context, Cost, Fellow};
use crate::measure::evaluation::{Batch, SearchAndMeasure, attack};
use crate::measure::rows::Point;
use crate::measure::search_cost;
use crate::measure::units::{Group, Plan, UnitRunner, Units, cancel_check, unit};
use crate::measure::work::{Assembled, Work};
use crate::model::Network;

/// A grid point: clean and, if asked for, robust.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct Cell {
    pub(super) clean: Point,
    pub(super) robust: Option<Point>,
}

impl From<PointValues> for Cell {
    fn from(PointValues { clean, robust }: PointValues) -> Self {
        Self { clean, robust }
    }
}

/// Place of a point in the grid.
type At = (usize, usize);

/// The work on one checkpoint.
pub struct Filling<'a> {
    job: &'a Landscape,
    context: &'a Context,
    planes: Planes<'a>,
    /// Steps, x first.
    axes: Vec<Vec<f64>>,
    /// Every grid point.
    order: Vec<At>,
    /// Of every plane the points that are attacked in full besides, where attacks are warm.
    checks: Vec<Vec<At>>,
    /// What an attack on the unperturbed network adds to every batch.
    fixed: OnceCell<Vec<Tensor>>,
}

/// Unit of the numbers of a plane's directions.
fn plane_name(plane: usize) -> String {
    format!("directions {plane}")
}

/// Unit of a grid point.
pub(super) fn point_name(plane: usize, (x, y): At) -> String {
    if plane == 0 { format!("point {x} {y}") } else { format!("plane {plane} point {x} {y}") }
}

/// Unit of a point that is attacked in full besides.
fn check_name(plane: usize, (x, y): At) -> String {
    format!("plane {plane} check {x} {y}")
}

/// Group of the points of a row that are walked one after the other.
fn row_name(plane: usize, row: usize) -> String {
    format!("plane {plane} row {row}")
}

/// Unit of a network that is measured by itself.
fn landmark_name(number: usize) -> String {
    format!("network {number}")
}

/// Unit of the eigenvalues at a grid point.
fn curvature_name(plane: usize, (x, y): At) -> String {
    format!("plane {plane} curvature {x} {y}")
}

/// What a group computes.
enum Task {
    Plane(usize),
    Point(usize, At),
    Row(usize, usize),
    Curvature(usize, At),
    Check(usize, At),
    Landmark(usize),
}

impl Task {
    fn of(group: &str) -> Option<Self> {
        let words: Vec<&str> = group.split(' ').collect();
        let number = |at: usize| words.get(at)?.parse().ok();
        match *words.first()? {
            "directions" => Some(Self::Plane(number(1)?)),
            "point" => Some(Self::Point(0, (number(1)?, number(2)?))),
            "network" => Some(Self::Landmark(number(1)?)),
            "plane" if words.get(2) == Some(&"row") => Some(Self::Row(number(1)?, number(3)?)),
            "plane" if words.get(2) == Some(&"curvature") => {
                Some(Self::Curvature(number(1)?, (number(3)?, number(4)?)))
            }
            "plane" if words.get(2) == Some(&"check") => {
                Some(Self::Check(number(1)?, (number(3)?, number(4)?)))
            }
            "plane" => Some(Self::Point(number(1)?, (number(3)?, number(4)?))),
            _ => None,
        }
    }
}

/// A network that is measured by itself.
enum Known<'a> {
    /// The unperturbed one, which is no grid point.
    Origin,
    /// Where direction `number` leads.
    End(usize, &'a Fellow),
    /// One of the trajectory.
    Step(&'a Fellow),
}

impl<'a> Filling<'a> {
    /// # Errors
    /// The job does not fit the network.
    pub fn new(job: &'a Landscape, context: &'a Context) -> Result<Self> {
        let axes = job.axes();
        let zero = |axis: &[f64]| axis.iter().position(|step| *step == 0.0);
        let mut order = coarse_to_fine(axes[0].len(), axes.get(1).map_or(1, Vec::len));
        // The origin first, if it is a grid point.
        let origin = zero(&axes[0]).zip(axes.get(1).map_or(Some(0), |axis| zero(axis)));
        if let Some(at) = origin.and_then(|origin| order.iter().position(|point| *point == origin)) {
            order[..=at].rotate_right(1);
        }
        let planes = Planes::new(job, context)?;
        let mut filling =
            Self { job, context, planes, axes, order, checks: Vec::new(), fixed: OnceCell::new() };
        if job.warm.is_some() || job.reduced {
            let warm: Vec<At> = filling.order.iter().copied().filter(|at| !filling.is_origin(*at)).collect();
            let seed = job.compute.seed;
            filling.checks = (0..job.draws).map(|plane| warm::checked(seed, plane, &warm)).collect();
        }
        if job.reduced {
            // The first point is always known exactly.
            let first = filling.order[0];
            for checks in filling.checks.iter_mut().filter(|checks| !checks.contains(&first)) {
                checks.push(first);
            }
        }
        Ok(filling)
    }

    fn rows(&self) -> usize {
        self.axes.get(1).map_or(1, Vec::len)
    }

    /// Steps of a point, x first.
    fn steps(&self, (x, y): At) -> Vec<f64> {
        self.axes.iter().zip([x, y]).map(|(axis, at)| axis[at]).collect()
    }

    fn is_origin(&self, at: At) -> bool {
        self.steps(at).iter().all(|step| *step == 0.0)
    }

    fn is_robust(&self) -> bool {
        self.job.loss != LandscapeLoss::Clean
    }

    /// Networks measured by themselves.
    fn known(&self) -> Vec<Known<'_>> {
        let there = |path: &std::path::Path| {
            self.context.fellows.iter().find(|(other, _)| other == path).map_or(&[][..], |(_, found)| found)
        };
        let mut known = Vec::new();
        if !self.order.iter().any(|at| self.is_origin(*at)) {
            known.push(Known::Origin);
        }
        for (number, kind) in self.job.kinds().enumerate() {
            known.extend(
                kind.other().and_then(|path| there(path).first()).map(|other| Known::End(number, other)),
            );
        }
        known.extend(self.job.trajectory.iter().flat_map(|path| there(path)).map(Known::Step));
        known
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

    /// The directions of a plane; they are a unit.
    fn directions(&self, plane: usize, runner: &mut dyn UnitRunner) -> Result<Rc<Vec<Direction>>> {
        if runner.units().has(&plane_name(plane))
            && let Some(directions) = self.planes.in_memory(plane)
        {
            return Ok(directions);
        }
        let known: Option<Found> = runner.units().get(&plane_name(plane));
        let asks = self.is_robust() && self.job.kinds().any(DirectionKind::asks_examples);
        let perturbations = if asks { Some(self.fixed(runner)?) } else { None };
        let (directions, found) = self.planes.directions(plane, known.as_ref(), perturbations, runner)?;
        unit(runner, &plane_name(plane), 1, |_| Ok(found))?;
        Ok(directions)
    }

    /// Loss and error of a network on some images; none without a finite loss.
    fn measured(
        &self,
        pair: &SearchAndMeasure,
        batches: &[Batch],
        runner: &mut dyn UnitRunner,
    ) -> Result<Option<Cell>> {
        let inputs = match self.job.loss {
            LandscapeLoss::Clean => Inputs::Clean,
            LandscapeLoss::Robust => {
                Inputs::Attacked { attack: &self.job.attack, seed: self.job.compute.seed }
            }
            LandscapeLoss::RobustFixed => Inputs::Fixed { perturbations: self.fixed(runner)? },
        };
        finite(point(pair, batches, &inputs, &mut cancel_check(runner)).map(Cell::from))
    }

    /// One grid point; none without a finite loss, far from the origin.
    fn cell(&self, plane: usize, at: At, reduced: bool, runner: &mut dyn UnitRunner) -> Result<Option<Cell>> {
        let directions = self.directions(plane, runner)?;
        let steps = self.steps(at);
        let network = self.planes.network(&steps, &directions);
        let pair = if reduced { self.context.pair_reduced(&network) } else { self.context.pair_of(&network) };
        let moved = self.planes.images(&steps, &directions);
        match self.measured(&pair, moved.as_ref().unwrap_or(&self.context.batches), runner)? {
            // Far from the origin a network may overflow; at the origin that is the user's first concern.
            None if self.is_origin(at) => Err(Error::NotFinite(OVERFLOWS.into())),
            cell => Ok(cell),
        }
    }

    /// Eigenvalues at a grid point; none without a finite loss.
    fn curvature(&self, plane: usize, at: At, runner: &mut dyn UnitRunner) -> Result<Option<Ends>> {
        let directions = self.directions(plane, runner)?;
        let steps = self.steps(at);
        let network = self.planes.network(&steps, &directions);
        let moved = self.planes.images(&steps, &directions);
        let batches = moved.as_ref().unwrap_or(&self.context.batches);
        let fixed = match self.job.loss {
            LandscapeLoss::RobustFixed => self.fixed(runner)?,
            _ => &[],
        };
        finite(curving::ends(self.job, self.context, (&network, self.planes.which()), batches, fixed, runner))
    }

    /// The points of a row from its middle outwards, and those of it that are checked.
    fn row(&self, plane: usize, row: usize, runner: &mut dyn UnitRunner) -> Result<()> {
        let directions = self.directions(plane, runner)?;
        let steps = self.job.warm.expect("rows are walked by warm attacks");
        let settings = &self.job.attack;
        let nearest = |axis: &[f64]| {
            (0..axis.len()).min_by(|a, b| axis[*a].abs().total_cmp(&axis[*b].abs())).unwrap_or_default()
        };
        let mut found: Vec<Option<Vec<Tensor>>> = (0..self.axes[0].len()).map(|_| None).collect();
        for (x, from) in walk(self.axes[0].len(), nearest(&self.axes[0])) {
            let at = (x, row);
            let pair = self.context.pair_of(&self.planes.network(&self.steps(at), &directions));
            let name = point_name(plane, at);
            let is_last = |x: usize| x == 0 || x + 1 == self.axes[0].len();
            if self.is_origin(at) {
                found[x] = Some(self.fixed(runner)?.iter().map(Tensor::shallow_clone).collect());
                unit(runner, &name, 1, |runner| self.cell(plane, at, false, runner))?;
                continue;
            }
            // An end from which nothing starts needs no adversarial examples again.
            if is_last(x) && runner.units().has(&name) {
                continue;
            }
            // Where the network before overflows, it is begun anew.
            let near = from.and_then(|from| found[from].as_deref());
            let (starts, steps) = match near {
                Some(starts) => (starts, steps),
                None => (self.fixed(runner)?, 2 * steps),
            };
            let attacked = attacked_from(
                &pair,
                &self.context.batches,
                settings,
                steps,
                starts,
                &mut cancel_check(runner),
            );
            let cell = match finite(attacked)? {
                Some((values, perturbations)) => {
                    found[x] = Some(perturbations);
                    Some(Cell::from(values))
                }
                None => None,
            };
            unit(runner, &name, 1, |_| Ok(cell))?;
        }
        for at in self.checked(plane).iter().copied().filter(|(_, y)| *y == row) {
            unit(runner, &check_name(plane, at), 1, |runner| self.cell(plane, at, false, runner))?;
        }
        Ok(())
    }

    /// Points of a plane that are attacked in full as well.
    fn checked(&self, plane: usize) -> &[At] {
        self.checks.get(plane).map_or(&[], Vec::as_slice)
    }

    /// A network measured by itself.
    fn landmark(&self, number: usize, runner: &mut dyn UnitRunner) -> Result<Landmark> {
        let known = self.known();
        let Some(known) = known.get(number) else {
            return Err(Error::invalid(format!("a landscape has no network {number}")));
        };
        let own = &self.context.checkpoint.network;
        let (name, network, at, outside): (&str, &Network, Vec<f64>, f64) = match known {
            Known::Origin => (ORIGIN, own, vec![0.0; self.axes.len()], 0.0),
            Known::End(direction, other) => {
                let mut at = vec![0.0; self.axes.len()];
                at[*direction] = 1.0;
                // A second direction that was made orthogonal does not lead there any more.
                let outside = if self.job.orthogonal && *direction == 1 { None } else { Some(0.0) };
                let network = &other.checkpoint.network;
                match outside {
                    Some(outside) => (&other.name, network, at, outside),
                    None => {
                        let (at, outside) = self.planes.place(network, &self.directions(0, runner)?)?;
                        (&other.name, network, at, outside)
                    }
                }
            }
            Known::Step(other) => {
                let network = &other.checkpoint.network;
                let (at, outside) = self.planes.place(network, &self.directions(0, runner)?)?;
                (&other.name, network, at, outside)
            }
        };
        let cell = self.measured(&self.context.pair_of(network), &self.context.batches, runner)?;
        Ok(Landmark {
            name: name.to_owned(),
            x: at[0],
            y: at.get(1).copied(),
            outside,
            path: matches!(known, Known::Step(_)),
            clean: cell.map(|cell| cell.clean),
            robust: cell.and_then(|cell| cell.robust),
        })
    }

    /// The points of a plane, as far as it is known which are to be computed.
    fn refined(&self, plane: usize, share: f64, units: &Units) -> Refined {
        let numbers = |x: usize, y: usize| {
            let cell: Option<Cell> = units.get(&point_name(plane, (x, y)))?;
            Some(cell.map(|cell| {
                let points = || std::iter::once(cell.clean).chain(cell.robust);
                points().map(|point| point.loss).chain(points().map(|point| point.error)).collect()
            }))
        };
        let judged = if self.is_robust() { 2 } else { 1 };
        refine((self.axes[0].len(), self.rows()), share, judged, &numbers)
    }

    /// The groups of the points of a plane, and about how many follow.
    fn points(&self, plane: usize, units: &Units) -> (Vec<Group>, u64) {
        if self.job.warm.is_some() {
            return (self.row_groups(plane, units), 0);
        }
        let single = |at: At| Group::single(point_name(plane, at), 1, units);
        match self.job.refine {
            None => (self.order.iter().map(|at| single(*at)).collect(), 0),
            Some(share) => {
                let refined = self.refined(plane, share, units);
                let wanted: HashSet<At> = refined.points.into_iter().collect();
                let groups = self.order.iter().filter(|at| wanted.contains(at)).map(|at| single(*at));
                (groups.collect(), refined.later as u64)
            }
        }
    }

    /// Groups of eigenvalues: at the points that are computed.
    fn curvatures(&self, plane: usize, units: &Units) -> Vec<Group> {
        if self.job.eigenvalues == 0 {
            return Vec::new();
        }
        let wanted: Option<HashSet<At>> =
            self.job.refine.map(|share| self.refined(plane, share, units).points.into_iter().collect());
        let computed =
            self.order.iter().filter(|at| wanted.as_ref().is_none_or(|wanted| wanted.contains(at)));
        computed
            .map(|at| Group::single(curvature_name(plane, *at), curving::usual_products(self.job), units))
            .collect()
    }

    fn row_groups(&self, plane: usize, units: &Units) -> Vec<Group> {
        let mut rows: Vec<usize> = Vec::new();
        for (_, y) in &self.order {
            if !rows.contains(y) {
                rows.push(*y);
            }
        }
        let checked = self.checked(plane);
        let group = |row: usize| {
            let points = (0..self.axes[0].len()).map(|x| (point_name(plane, (x, row)), 1));
            let checks = checked.iter().filter(|(_, y)| *y == row).map(|at| (check_name(plane, *at), 1));
            Group::of(row_name(plane, row), &points.chain(checks).collect::<Vec<_>>(), units)
        };
        rows.into_iter().map(group).collect()
    }

    /// Everything of a plane that is known: its grids, how many points are finished, which overflow, how many are
    /// interpolated.
    fn filled(&self, plane: usize, units: &Units) -> Filled {
        let empty = || Grid::empty(self.axes[0].len(), self.axes.get(1).map(Vec::len));
        let mut filled = Filled {
            clean: empty(),
            robust: self.is_robust().then(empty),
            finished: 0,
            overflowed: Vec::new(),
            interpolated: 0,
        };
        for at in &self.order {
            let Some(cell) = units.get::<Option<Cell>>(&point_name(plane, *at)) else { continue };
            filled.finished += 1;
            match cell {
                Some(cell) => filled.set(*at, cell.clean, cell.robust),
                None => filled.overflowed.push(*at),
            }
        }
        if let Some(share) = self.job.refine {
            let refined = self.refined(plane, share, units);
            filled.interpolate(refined.predicted);
        }
        filled
    }

    /// Corrects a plane that was evaluated in reduced precision.
    fn corrected(
        &self,
        plane: usize,
        filled: &mut Filled,
        units: &Units,
    ) -> Result<(Option<Correction>, Option<Correction>)> {
        let checked = self.checked(plane).iter().filter_map(|at| {
            let cell = units.get::<Option<Cell>>(&check_name(plane, *at))??;
            Some((*at, cell.clean, cell.robust))
        });
        let longest =
            |axis: &Vec<f64>| axis.iter().fold(f64::MIN_POSITIVE, |most, step| most.max(step.abs()));
        let longest: Vec<f64> = self.axes.iter().map(longest).collect();
        let place = |at: At| {
            let steps = self.steps(at);
            [0, 1].map(|axis| steps.get(axis).map_or(0.0, |step| step / longest[axis]))
        };
        reduced::correct(filled, &checked.collect::<Vec<_>>(), &place)
    }

    /// The steps of a point, for messages.
    fn words(&self, at: At) -> String {
        match *self.steps(at) {
            [x] => format!("step {x}"),
            [x, y, ..] => format!("steps ({x}, {y})"),
            [] => String::new(),
        }
    }
}

const OVERFLOWS: &str =
    "the loss of the network is not finite on these images; its weights are too large or damaged";

/// What is finite of a result.
fn finite<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Error::NotFinite(_)) => Ok(None),
        Err(other) => Err(other),
    }
}

impl Work for Filling<'_> {
    type Outcome = LandscapeOutcome;

    fn plan(&self, units: &Units) -> Result<Plan> {
        let mut plan = Plan::default();
        for plane in 0..self.job.draws {
            plan.groups.push(Group::single(plane_name(plane), 1, units).everywhere());
            let (points, later) = self.points(plane, units);
            if self.job.reduced {
                let is_wanted: HashSet<&str> = points.iter().map(|group| group.name.as_str()).collect();
                let checks = self.checked(plane).iter();
                let checks = checks.filter(|at| is_wanted.contains(point_name(plane, **at).as_str()));
                let checks: Vec<Group> =
                    checks.map(|at| Group::single(check_name(plane, *at), 1, units)).collect();
                plan.groups.extend(checks);
            }
            plan.groups.extend(points);
            plan.later += later;
            if later == 0 {
                plan.groups.extend(self.curvatures(plane, units));
            }
        }
        plan.groups
            .extend((0..self.known().len()).map(|number| Group::single(landmark_name(number), 1, units)));
        if self.is_robust() && self.context.searches_in_low_precision() {
            plan.groups.push(Group::single(search_cost::UNIT, 1, units));
        }
        Ok(plan)
    }

    fn compute(&self, group: &str, runner: &mut dyn UnitRunner) -> Result<()> {
        if group == search_cost::UNIT {
            let (settings, seed) = (&self.job.attack, self.job.compute.seed);
            return search_cost::of_checkpoint(self.context, settings, seed, runner).map(drop);
        }
        match Task::of(group) {
            Some(Task::Plane(plane)) => self.directions(plane, runner).map(drop),
            Some(Task::Point(plane, at)) => {
                unit(runner, group, 1, |runner| self.cell(plane, at, self.job.reduced, runner)).map(drop)
            }
            Some(Task::Check(plane, at)) => {
                unit(runner, group, 1, |runner| self.cell(plane, at, false, runner)).map(drop)
            }
            Some(Task::Curvature(plane, at)) => {
                let weight = curving::usual_products(self.job);
                unit(runner, group, weight, |runner| self.curvature(plane, at, runner)).map(drop)
            }
            Some(Task::Row(plane, row)) => self.row(plane, row, runner),
            Some(Task::Landmark(number)) => {
                unit(runner, group, 1, |runner| self.landmark(number, runner)).map(drop)
            }
            None => Err(Error::invalid(format!("a landscape has no unit {group:?}"))),
        }
    }

    fn assemble(&self, units: &Units) -> Result<Option<Assembled<LandscapeOutcome>>> {
        let mut planes: Vec<(Found, Filled)> = Vec::new();
        let mut reduced = None;
        for plane in 0..self.job.draws {
            let Some(found) = units.get(&plane_name(plane)) else { continue };
            let mut filled = self.filled(plane, units);
            if filled.finished == 0 {
                continue;
            }
            if self.job.reduced {
                let (clean, robust) = self.corrected(plane, &mut filled, units)?;
                let precision = if self.context.gpu { "tf32" } else { "bf16" }.to_owned();
                reduced.get_or_insert(ReducedPrecision { precision, clean, robust });
            }
            planes.push((found, filled));
        }
        let landmarks: Vec<Landmark> =
            (0..self.known().len()).filter_map(|number| units.get(&landmark_name(number))).collect();
        let Some((first, _)) = planes.first() else { return Ok(None) };
        let size = (self.axes[0].len(), self.axes.get(1).map(Vec::len));
        let clean: Vec<&Grid> = planes.iter().map(|(_, filled)| &filled.clean).collect();
        let robust: Vec<&Grid> = planes.iter().filter_map(|(_, filled)| filled.robust.as_ref()).collect();
        let mut outcome = LandscapeOutcome {
            x: self.axes[0].clone(),
            y: self.axes.get(1).cloned(),
            clean: Some(average(&clean, size)),
            robust: self.is_robust().then(|| average(&robust, size)),
            directions: first.directions.clone(),
            cosine: first.cosine,
            landmarks,
            interpolated: planes.iter().map(|(_, filled)| filled.interpolated).sum(),
            reduced,
            ..LandscapeOutcome::default()
        };
        let found = |plane: usize, at: At| units.get::<Option<Ends>>(&curvature_name(plane, at)).flatten();
        let (curvature, unsettled) = curving::grids(self.job, &self.order, size, &found);
        outcome.curvature = curvature;
        outcome.barrier = self.barrier(&outcome);
        let warm = if self.job.warm.is_some() { self.job.draws } else { 0 };
        let checks: Vec<Checked> = (0..warm)
            .flat_map(|plane| self.checked(plane).iter().map(move |at| (plane, *at)))
            .filter_map(|(plane, at)| {
                let full = units.get::<Option<Cell>>(&check_name(plane, at))??.robust?.loss;
                let warm = units.get::<Option<Cell>>(&point_name(plane, at))??.robust?.loss;
                Some(Checked { full, warm })
            })
            .collect();
        outcome.warm = warm::gap(&checks);
        let mut warnings = Vec::new();
        if unsettled > 0 {
            warnings.push(format!(
                "eigenvalues of {unsettled} points have not settled: their residuals are above {} of the eigenvalue",
                curving::TOLERANCE
            ));
        }
        let overflowed: Vec<At> =
            planes.iter().flat_map(|(_, filled)| filled.overflowed.iter().copied()).collect();
        if let Some(at) = overflowed.first() {
            let (place, count, total) =
                (self.words(*at), overflowed.len(), self.order.len() * self.job.draws);
            warnings.push(format!("{count} of {total} points have no finite loss, the first at {place}; a smaller range or radius avoids them"));
        }
        if self.job.draws > 1 {
            let draw = |(found, filled): (Found, Filled)| LandscapeDraw {
                clean: filled.clean,
                robust: filled.robust,
                directions: found.directions,
                cosine: found.cosine,
            };
            outcome.draws = planes.into_iter().map(draw).collect();
        }
        let search_cost = units.get::<Option<_>>(search_cost::UNIT).flatten();
        Ok(Some(Assembled { outcome, search_cost, warnings }))
    }

    fn notices(&self) -> Vec<String> {
        let slow = self.job.reduced && !self.context.gpu && !cpu_has_bf16();
        let words = "this processor has no instructions for bf16, so that reduced precision takes longer than float32";
        if slow { vec![format!("{words}; leave --reduced out")] } else { Vec::new() }
    }

    fn seconds(&self, cost: &Cost) -> Result<(u64, f64)> {
        let job = self.job;
        let examples = self.context.examples() as f64;
        let full = match job.loss {
            LandscapeLoss::Clean => 0.0,
            LandscapeLoss::Robust => cost.attack(&job.attack),
            LandscapeLoss::RobustFixed => cost.forward,
        };
        let compared = if self.is_robust() { job.attack.restarts * job.attack.steps } else { 0 };
        let statistics =
            if job.statistics == RunningStatistics::Estimated { 1.5 * cost.forward } else { 0.0 };
        let at_point = |robust: f64| examples * (cost.forward + statistics + robust) + cost.preparation;
        let grid = self.order.len() as f64;
        // About half of a grid bends.
        let computed = if job.refine.is_some() { (grid / 2.0).max(grid.min(25.0)) } else { grid };
        let of_plane = match job.warm {
            Some(steps) => {
                let warm = steps as f64 * cost.step + cost.search_forward + cost.forward;
                grid * at_point(warm) + self.checked(0).len() as f64 * at_point(full)
            }
            None => computed * at_point(full),
        };
        // A gradient by the weights costs about as much as one by the images and a half more.
        let gradient = 1.5 * examples * cost.step;
        let of_direction = |kind: &DirectionKind| match kind {
            DirectionKind::Gradient => gradient,
            DirectionKind::Worst(_) => job.search.epochs as f64 * gradient,
            DirectionKind::Joint(_) => 2.0 * job.search.epochs as f64 * gradient,
            DirectionKind::Hessian(_) => 40.0 * 2.5 * gradient,
            DirectionKind::WorstInput => examples * cost.attack(&job.attack),
            _ => 0.0,
        };
        let directions: f64 = job.kinds().map(of_direction).sum();
        let landmarks = self.known().len();
        let products = if job.eigenvalues > 0 { curving::usual_products(job) as f64 } else { 0.0 };
        let of_plane = of_plane + computed * products * 4.0 * examples * cost.step;
        let seconds = job.draws as f64 * (of_plane + directions) + landmarks as f64 * at_point(full);
        let units = job.draws as u64 * computed.round() as u64 + landmarks as u64;
        Ok((units, seconds + search_cost::seconds(self.context, cost, compared)))
    }
}

impl Filling<'_> {
    /// Of a curve toward another network.
    fn barrier(&self, outcome: &LandscapeOutcome) -> Option<Barrier> {
        if self.job.second.is_some() || !matches!(self.job.direction, DirectionKind::Toward(_)) {
            return None;
        }
        let rises = |grid: &Grid, of: fn(&Landmark) -> Option<Point>| {
            let on_grid =
                outcome.x.iter().enumerate().filter_map(|(at, step)| Some((*step, grid.loss.get(at, 0)?)));
            let ends = outcome.landmarks.iter().filter(|landmark| !landmark.path);
            let ends = ends.filter_map(|landmark| Some((landmark.x, of(landmark)?.loss)));
            barrier(&on_grid.chain(ends).collect::<Vec<_>>())
        };
        let clean = rises(outcome.clean.as_ref()?, |landmark| landmark.clean)?;
        let robust = outcome.robust.as_ref().and_then(|grid| rises(grid, |landmark| landmark.robust));
        Some(Barrier { clean, robust })
    }
}
