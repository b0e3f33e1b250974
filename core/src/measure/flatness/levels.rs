//! Levels of a multilevel estimate: which draws are measured how well, and how many it takes.

use std::collections::BTreeMap;

use super::draws::{Level, Place};
use super::losses::{Draws, Losses, Reference};
use super::multilevel::{Numbers, numbers_for};
use super::settings::Flatness;
use crate::measure::statistics::{mean, standard_error};

/// Losses of finished draws, by the most expensive level that they are measured on; `None` where the network overflows.
#[derive(Default)]
pub struct Found([BTreeMap<Place, Option<Draws>>; 3]);

impl Found {
    /// Whether no draw is finished that a number can be made of.
    pub fn is_empty(&self) -> bool {
        self.0[0].is_empty()
    }

    /// Adds a draw.
    pub fn add(&mut self, level: Level, place: Place, losses: Option<Draws>) {
        self.0[level as usize].insert(place, losses);
    }

    /// The finished draws that a number is made of.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        self.0[0].keys()
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

/// The numbers of draws that reach a standard error; none if it is reached, or the most are there.
///
/// They follow from the losses alone, never from how fast a machine is.
pub fn next(
    job: &Flatness,
    there: Numbers,
    reference: &Reference,
    found: &Found,
    error: f64,
) -> Option<Numbers> {
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
                numbers_for(error, &full, &short, &clean, job.costs(levels))
            }
            None => {
                let deviation = standard_error(&means(&full)).unwrap_or(0.0);
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
            let usual = job.costs(levels).numbers(full_most);
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

fn means(rows: &[Vec<f64>]) -> Vec<f64> {
    rows.iter().map(|row| mean(row)).collect()
}
