//! Levels of a multilevel estimate: which draws are measured how well, and how many it takes.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::draws::{Level, Place};
use super::{Desk, Plan, Work, draw, radius};
use crate::error::Result;
use crate::job::Levels;
use crate::measure::flatness::{Draws, Losses, Reference};
use crate::measure::levels::{Costs, Numbers, numbers_for};
use crate::progress::Event;

/// Losses of finished draws, by the most expensive level that they are measured on; `None` where the network overflows.
#[derive(Default)]
pub struct Found([BTreeMap<Place, Option<Draws>>; 3]);

impl Found {
    /// Whether no draw is finished that a number can be made of.
    pub fn is_empty(&self) -> bool {
        self.0[0].is_empty()
    }

    /// The finished draws that a number is made of.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        self.0[0].keys()
    }

    /// Whether a draw is measured on a level or a more expensive one.
    fn has(&self, level: Level, place: &Place) -> bool {
        self.0[..=level as usize].iter().any(|of_level| of_level.contains_key(place))
    }

    /// Losses on a level of draws 0, 1, …, as far as they are finished.
    ///
    /// # Errors
    /// The network overflows in that draw.
    pub fn rows(
        &self,
        level: Level,
        layer: Option<usize>,
        radius: usize,
    ) -> std::result::Result<Vec<&Losses>, usize> {
        let mut rows = Vec::new();
        for draw in 0.. {
            let place = Place { layer, radius, draw };
            let at = |of: Level| self.0[of as usize].get(&place).map(|draws| (of, draws));
            let best = Level::ALL[..=level as usize].iter().find_map(|of| at(*of));
            match best {
                None => break,
                Some((_, None)) => return Err(draw),
                Some((of, Some(draws))) => match (level as usize).checked_sub(of as usize + 1) {
                    None => rows.push(&draws.own),
                    Some(below) => rows.extend(draws.below.get(below)),
                },
            }
        }
        Ok(rows)
    }
}

/// Seconds that draws took on each level.
#[derive(Default)]
pub struct Watch([(f64, usize); 3]);

impl Watch {
    /// Seconds of a draw on each level; where none was timed, in proportion to passes through the network.
    fn costs(&self, passes: Costs) -> Costs {
        let (alone, whole) = (passes.alone, passes.full);
        let passes = [passes.full, passes.short, passes.clean];
        let timed = |level: usize| {
            let (seconds, draws) = self.0[level];
            (draws > 0).then(|| seconds / draws as f64)
        };
        let per_pass = (0..3).find_map(|level| Some(timed(level)? / passes[level])).unwrap_or(1.0);
        let [full, short, clean] =
            std::array::from_fn(|level| timed(level).unwrap_or(per_pass * passes[level]));
        Costs { alone: full * alone / whole, full, short, clean }
    }
}

/// Every draw of the plan, which grows until the standard error is reached, if one is asked for.
pub fn rounds(
    plan: &mut Plan,
    work: &Work,
    desk: &mut Desk,
    found: &mut Found,
    warnings: &mut Vec<String>,
) -> Result<()> {
    let mut watch = Watch::default();
    for round in 0.. {
        all(plan, work, desk, found, &mut watch)?;
        let Some(error) = plan.job.until else { break };
        // What was decided on other timings before a cancellation stands.
        let name = format!("numbers {round}");
        let next: Option<Numbers> = match desk.journal.get(&name) {
            Some(numbers) => numbers,
            None => {
                let next = next(plan, work.reference, found, &watch, error);
                desk.journal.put(&name, &next)?;
                next
            }
        };
        let Some(numbers) = next else { break };
        plan.numbers = numbers;
        desk.count(plan);
    }
    if let Some(error) = plan.job.until {
        for at in radii(plan, work.reference, found) {
            if let Some(reached) = at.standard_error.filter(|reached| *reached > error) {
                warnings.push(format!(
                    "the standard error at radius {} is {reached:.2e} and not {error}: {} draws under the whole attack were the most; allow more with --draws",
                    at.radius, plan.job.draws
                ));
            }
        }
    }
    Ok(())
}

fn radii<'a>(
    plan: &'a Plan,
    reference: &'a Reference,
    found: &'a Found,
) -> impl Iterator<Item = crate::record::AtRadius> + 'a {
    (0..plan.job.radii.len()).filter_map(|index| radius(plan, reference, found, None, index).ok().flatten())
}

/// Every draw of the plan that is not there.
fn all(plan: &Plan, work: &Work, desk: &mut Desk, found: &mut Found, watch: &mut Watch) -> Result<()> {
    const SELDOM: Duration = Duration::from_millis(500);
    let mut told = Instant::now();
    for level in Level::ALL {
        for place in plan.places(level) {
            if found.has(level, &place) {
                continue;
            }
            let (begun, done) = (Instant::now(), desk.done);
            let losses = draw(plan, work, desk, (level, &place))?;
            // Units of an earlier run took no time.
            if desk.done == done + plan.weight(level) * plan.parts as u64 && place.layer.is_none() {
                let (seconds, draws) = &mut watch.0[level as usize];
                *seconds += begun.elapsed().as_secs_f64();
                *draws += 1;
            }
            found.0[level as usize].insert(place, losses);
            let last = place.layer.is_none() && place.draw + 1 == plan.numbers.clean;
            if place.layer.is_none() && (level == Level::Full || told.elapsed() > SELDOM || last) {
                told = Instant::now();
                if let Ok(Some(at)) = radius(plan, work.reference, found, None, place.radius) {
                    desk.progress.report(Event::Radius(Box::new(at)))?;
                }
            }
        }
    }
    Ok(())
}

/// The numbers of draws that reach a standard error; none if it is reached, or the most are there.
fn next(plan: &Plan, reference: &Reference, found: &Found, watch: &Watch, error: f64) -> Option<Numbers> {
    let job = plan.job;
    let there = plan.numbers;
    let missed =
        radii(plan, reference, found).any(|at| at.standard_error.is_none_or(|reached| reached > error));
    if !missed {
        return None;
    }
    let mut wanted = there;
    for index in 0..job.radii.len() {
        let rises = |level: Level, base: &Losses| -> Vec<Vec<f64>> {
            let rows = found.rows(level, None, index).unwrap_or_default();
            rows.iter().map(|row| row.above(base)).collect()
        };
        let full = rises(Level::Full, &reference.losses);
        let needed = match &job.levels {
            Some(levels) => {
                let (short, clean) =
                    (rises(Level::Short, &reference.losses), rises(Level::Clean, &reference.clean));
                numbers_for(error, &full, &short, &clean, watch.costs(passes(plan, levels)))
            }
            None => {
                let deviation = crate::measure::statistics::standard_error(&means(&full)).unwrap_or(0.0);
                Numbers::plain((full.len() as f64 * (deviation / error).powi(2)).ceil().min(1e9) as usize)
            }
        };
        wanted = wanted.or_more(needed);
    }
    // A pilot may mislead: at least a quarter more, so that it ends, and at most three times as many at once.
    let grown = |there: usize, wanted: usize, most: usize| {
        wanted.clamp(there + there.div_ceil(4), 3 * there).min(most).max(there)
    };
    let full_most = job.draws;
    let full = if wanted.full > there.full { grown(there.full, wanted.full, full_most) } else { there.full };
    let (short, clean) = match &job.levels {
        None => (full, full),
        // At the most draws of the whole attack the others may still become twice as many as usual.
        Some(levels) => {
            let usual = passes(plan, levels).numbers(full_most);
            let more = |there: usize, wanted: usize, most: usize| {
                if wanted > there { grown(there, wanted, most) } else { there }
            };
            let short = more(there.short, wanted.short, 2 * usual.short).max(full);
            (short, more(there.clean, wanted.clean, 2 * usual.clean).max(short))
        }
    };
    let mut numbers = Numbers { full, short, clean };
    if numbers == there {
        numbers.full = grown(there.full, 0, full_most);
        numbers.short = numbers.short.max(numbers.full);
        numbers.clean = numbers.clean.max(numbers.short);
    }
    (numbers != there).then_some(numbers)
}

fn passes(plan: &Plan, levels: &Levels) -> Costs {
    plan.job.costs(levels)
}

fn means(rows: &[Vec<f64>]) -> Vec<f64> {
    rows.iter().map(|row| crate::measure::statistics::mean(row)).collect()
}
