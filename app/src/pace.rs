//! How fast a running job is, and how long it still takes, from the units of work it finishes.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The newest units that count, at least, and the time that they must have taken, at least: a machine that becomes
/// busy or idle shows soon, a single slow unit does not.
const UNITS: usize = 12;
const SPAN: Duration = Duration::from_secs(20);

/// When the newest units of work were finished.
#[derive(Debug, Clone, Default)]
pub struct Pace {
    marks: VecDeque<(Instant, u64)>,
    total: u64,
}

impl Pace {
    /// Work begins: `done` of `total` units are there from an earlier run.
    pub fn begin(&mut self, now: Instant, done: u64, total: u64) {
        self.total = total;
        self.marks.clear();
        self.marks.push_back((now, done));
    }

    /// `done` of `total` units are finished.
    pub fn step(&mut self, now: Instant, done: u64, total: u64) {
        self.total = total;
        self.marks.push_back((now, done));
        let enough = |marks: &VecDeque<(Instant, u64)>| {
            marks.len() > UNITS && marks.get(1).is_some_and(|(at, _)| now.duration_since(*at) >= SPAN)
        };
        while enough(&self.marks) {
            self.marks.pop_front();
        }
    }

    /// Seconds per unit; none before the first is finished.
    fn seconds_per_unit(&self) -> Option<f64> {
        let ((first, from), (last, to)) = (self.marks.front()?, self.marks.back()?);
        // Where there is more to go by, what came before the first unit does not count: preparations take time, too.
        let (first, from) = match self.marks.get(1) {
            Some(second) if self.marks.len() > 3 => (&second.0, &second.1),
            _ => (first, from),
        };
        (to > from).then(|| last.duration_since(*first).as_secs_f64() / (to - from) as f64)
    }

    /// Units per second, once one is finished.
    pub fn rate(&self) -> Option<f64> {
        self.seconds_per_unit().filter(|seconds| *seconds > 0.0).map(|seconds| 1.0 / seconds)
    }

    /// Seconds to go, once a unit is finished.
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
        assert_eq!(pace.remaining_s(at(11.0)), Some(99.0 * 11.0));
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
}
