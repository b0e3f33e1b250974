//! How much of AutoAttack is done, in forward passes of one example.

use crate::attack::autoattack::{Attack, Plan};
use crate::progress::Event;

/// Work done, and still to do if nobody else is broken.
pub struct Work {
    done: u64,
    /// Runs to come in the group at work, this one included: number of the attack, passes per example.
    ahead: Vec<(usize, u64)>,
    /// All runs.
    runs: Vec<(usize, u64)>,
    /// Examples of the groups to come.
    waiting: usize,
    /// Of the group at work.
    group: usize,
    /// Every attack gets all of the group.
    individual: bool,
}

impl Work {
    /// Work on `examples` that are attacked in turn.
    pub fn new(plans: &[Plan], classes: usize, examples: usize, individual: bool) -> Self {
        let runs = plans.iter().enumerate();
        let runs = runs.flat_map(|(at, plan)| vec![(at, passes(plan, classes)); plan.runs().len()]).collect();
        Self { done: 0, ahead: Vec::new(), runs, waiting: examples, group: 0, individual }
    }

    /// All of it, before anything is done.
    pub fn total(&self) -> u64 {
        self.runs.iter().map(|(_, passes)| passes).sum::<u64>() * self.waiting as u64
    }

    /// A group of examples begins.
    pub fn begin(&mut self, group: usize) {
        self.ahead.clone_from(&self.runs);
        self.waiting -= group;
        self.group = group;
    }

    /// A run is finished for the group at work.
    pub fn finish_run(&mut self) {
        self.ahead.remove(0);
    }

    /// Whether this is the last run of the group at work.
    pub fn is_last_run(&self) -> bool {
        self.ahead.len() == 1
    }

    /// A block is finished.
    pub fn add(&mut self, passes: u64) {
        self.done += passes;
    }

    /// `within` passes of the block at work are done; `left` examples are left of the run, `alive` of the group.
    pub fn event(&self, within: u64, alive: usize, left: usize) -> Event {
        let ahead = self.ahead.split_first().map_or(0, |((attack, passes), later)| {
            let of = |(at, passes): &(usize, u64)| {
                let given = if self.individual && at != attack { self.group } else { alive };
                passes * given as u64
            };
            passes * left as u64 + later.iter().map(of).sum::<u64>()
        });
        let total = self.done + ahead + self.total();
        Event::Step { done: (self.done + within).min(total), total }
    }
}

/// About how many forward passes a run costs per example; a backward pass counts as one.
pub fn passes(plan: &Plan, classes: usize) -> u64 {
    let per_step = match plan.attack {
        Attack::ApgdCe | Attack::ApgdDlr | Attack::ApgdT => 2 * plan.passes,
        Attack::FabT => 3,
        Attack::Fab => classes + 2,
        Attack::Square => 1,
    };
    (per_step * plan.steps) as u64
}
