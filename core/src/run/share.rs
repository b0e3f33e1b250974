//! Shares of a job: which groups of units a process computes of several that compute a job together.

use std::str::FromStr;

use crate::measure::Plan;

/// Share `number` of `of`, from 1; written `3/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Its number, from 1 to `of`.
    pub number: usize,
    /// How many shares there are.
    pub of: usize,
    /// By how much shares are turned: small parts of a job go to different ones.
    turn: usize,
}

impl Share {
    /// Share `number` of `of`; none unless it is from 1 to `of`.
    pub fn new(number: usize, of: usize) -> Option<Self> {
        (1..=of).contains(&number).then_some(Self { number, of, turn: 0 })
    }

    /// That of part `part` of a job of several parts.
    pub fn of_part(self, part: usize) -> Self {
        Self { turn: part, ..self }
    }

    /// Positions of its groups in a plan: about an equal part of the work, in one stretch, and what everyone computes.
    pub fn of(&self, plan: &Plan) -> Vec<usize> {
        let mine = (self.number - 1 + self.turn) % self.of;
        let shared = || plan.groups.iter().filter(|group| !group.everywhere);
        let total: u128 = shared().map(|group| u128::from(group.weight)).sum();
        let mut before = 0u128;
        let mut is_mine = |weight: u64, everywhere: bool| {
            if everywhere {
                return true;
            }
            // The middle of a group decides, so that no group is in two shares.
            let middle = 2 * before + u128::from(weight);
            before += u128::from(weight);
            let at = if total == 0 { 0 } else { (middle * self.of as u128 / (2 * total)) as usize };
            at.min(self.of - 1) == mine
        };
        let groups = plan.groups.iter().enumerate();
        groups.filter(|(_, group)| is_mine(group.weight, group.everywhere)).map(|(at, _)| at).collect()
    }

    /// About its part of some work.
    pub fn part(&self, work: u64) -> u64 {
        work / self.of as u64
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&format!("{}/{}", self.number, self.of))
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a shard; write K/N with K from 1 to N, e.g. 3/16");
        let (number, of) = text.split_once('/').ok_or_else(wrong)?;
        let (number, of) = (number.parse().map_err(|_| wrong())?, of.parse().map_err(|_| wrong())?);
        Self::new(number, of).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{Group, Units};

    #[test]
    fn every_group_is_in_one_share_and_what_is_cheap_in_all() {
        let weights = [5, 1, 1, 9, 2, 2, 2, 30, 1, 1];
        let mut plan = Plan::default();
        plan.groups.push(Group::single("first", 1, &Units::default()).everywhere());
        plan.groups.extend(
            weights
                .iter()
                .enumerate()
                .map(|(at, weight)| Group::single(format!("{at}"), *weight, &Units::default())),
        );
        for of in [1, 2, 3, 7, 40] {
            for part in [0, 1, 5] {
                let mut times = vec![0; plan.groups.len()];
                for number in 1..=of {
                    for at in Share::new(number, of).unwrap().of_part(part).of(&plan) {
                        times[at] += 1;
                    }
                }
                assert_eq!((times[0], &times[1..]), (of, vec![1; weights.len()].as_slice()), "{of} shares");
            }
        }
        let shares: Vec<usize> =
            (1..=4).map(|number| Share::new(number, 4).unwrap().of(&equal()).len()).collect();
        assert_eq!(shares, [5, 5, 5, 5]);
        for wrong in ["0/3", "4/3", "3", "a/b", "1/0", ""] {
            assert!(wrong.parse::<Share>().is_err(), "{wrong}");
        }
        assert_eq!("3/16".parse::<Share>().unwrap().to_string(), "3/16");
    }

    fn equal() -> Plan {
        let groups = (0..20).map(|at| Group::single(format!("{at}"), 3, &Units::default())).collect();
        Plan { groups, later: 0 }
    }
}
