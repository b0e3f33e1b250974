//! How fast a running job is, and how long it still takes, from the units of work it finishes.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The newest units that count, at least, and the time that they must have taken, at least: a machine that becomes
/// busy or idle shows soon, a single slow unit does not.
const UNITS: usize = 12;
const SPAN: Duration = Duration::from_secs(20);
/// What must have been worked, in time and units, before anything is said of the rest: the first units are quicker or
/// slower than the others, and a wrong guess is worse than none. A single unit counts once it took a whole span.
const SETTLED: (Duration, usize) = (Duration::from_secs(3), 2);

/// When the newest units of work were finished.
#[derive(Debug, Clone, Default)]
pub struct Pace {
    marks: VecDeque<(Instant, u64)>,
    total: u64,
    begun: Option<Instant>,
    /// Units, or groups of units, that were finished since.
    steps: usize,
}

impl Pace {
    /// Work begins: `done` of `total` units are there from an earlier run.
    pub fn begin(&mut self, now: Instant, done: u64, total: u64) {
        self.total = total;
        (self.begun, self.steps) = (Some(now), 0);
        self.marks.clear();
        self.marks.push_back((now, done));
    }

    /// `done` of `total` units are finished.
    pub fn step(&mut self, now: Instant, done: u64, total: u64) {
        self.total = total;
        self.steps += usize::from(self.marks.back().is_some_and(|(_, before)| done > *before));
        self.marks.push_back((now, done));
        let enough = |marks: &VecDeque<(Instant, u64)>| {
            marks.len() > UNITS && marks.get(1).is_some_and(|(at, _)| now.duration_since(*at) >= SPAN)
        };
        while enough(&self.marks) {
            self.marks.pop_front();
        }
    }

    /// Whether enough is finished to go by.
    fn is_settled(&self) -> bool {
        let (Some(begun), Some((last, _))) = (self.begun, self.marks.back()) else { return false };
        let worked = last.duration_since(begun);
        (worked >= SETTLED.0 && self.steps >= SETTLED.1) || (worked >= SPAN && self.steps > 0)
    }

    /// Seconds per unit; none before enough are finished.
    fn seconds_per_unit(&self) -> Option<f64> {
        if !self.is_settled() {
            return None;
        }
        let ((first, from), (last, to)) = (self.marks.front()?, self.marks.back()?);
        // Where there is more to go by, what came before the first unit does not count: preparations take time, too.
        let (first, from) = match self.marks.get(1) {
            Some(second) if self.marks.len() > 3 => (&second.0, &second.1),
            _ => (first, from),
        };
        (to > from).then(|| last.duration_since(*first).as_secs_f64() / (to - from) as f64)
    }

    /// Units per second, once enough are finished.
    pub fn rate(&self) -> Option<f64> {
        self.seconds_per_unit().filter(|seconds| *seconds > 0.0).map(|seconds| 1.0 / seconds)
    }

    /// Seconds to go, once enough units are finished.
    pub fn remaining_s(&self, now: Instant) -> Option<f64> {
        let (last, done) = self.marks.back()?;
        let unit = self.seconds_per_unit()?;
        // Of the unit in hand some is done already, but never more than it will have taken.
        let begun = now.duration_since(*last).as_secs_f64().min(unit);
        Some((self.total.saturating_sub(*done) as f64 * unit - begun).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_units_count() {
        let start = Instant::now();
        let at = |seconds: f64| start + Duration::from_secs_f64(seconds);
        let mut pace = Pace::default();
        assert_eq!(pace.remaining_s(start), None);
        pace.begin(at(0.0), 10, 110);
        assert_eq!(pace.remaining_s(at(5.0)), None, "nothing is finished yet");
        // Ten seconds of preparation, then a unit every second.
        pace.step(at(11.0), 11, 110);
        assert_eq!(pace.remaining_s(at(11.0)), None, "one unit says little");
        for unit in 1..=3 {
            pace.step(at(11.0 + f64::from(unit)), 11 + unit as u64, 110);
        }
        assert_eq!(pace.remaining_s(at(14.0)), Some(96.0), "preparations are forgotten");
        assert_eq!(pace.remaining_s(at(14.5)), Some(95.5));
        assert_eq!(pace.remaining_s(at(99.0)), Some(95.0), "a unit that takes long is still one unit");
        // The machine becomes four times slower: after some units nothing else counts.
        for unit in 1..=14 {
            pace.step(at(14.0 + 4.0 * f64::from(unit)), 14 + unit as u64, 110);
        }
        let left = pace.remaining_s(at(70.0)).expect("units are finished");
        assert!((left - 82.0 * 4.0).abs() < 1e-6, "{left}");
        assert_eq!(pace.rate(), Some(0.25));
    }

    #[test]
    fn nothing_is_said_before_there_is_something_to_go_by() {
        let start = Instant::now();
        let at = |seconds: f64| start + Duration::from_secs_f64(seconds);
        let mut pace = Pace::default();
        pace.begin(at(0.0), 0, 1000);
        for step in 1..=20 {
            pace.step(at(0.1 * f64::from(step)), step as u64, 1000);
            assert_eq!(pace.rate(), None, "{step} units in two seconds");
        }
        pace.step(at(4.0), 30, 1000);
        assert!(pace.remaining_s(at(4.0)).is_some());
        // The same count again is no unit, and a job that begins anew is not settled.
        pace.begin(at(10.0), 0, 4);
        pace.step(at(14.0), 0, 4);
        pace.step(at(15.0), 1, 4);
        assert_eq!(pace.remaining_s(at(15.0)), None);
        // A single unit that took long says enough.
        pace.begin(at(20.0), 0, 4);
        pace.step(at(60.0), 1, 4);
        assert_eq!(pace.remaining_s(at(60.0)), Some(120.0));
    }
}
