//! How much of AutoAttack is done, in forward passes of one example.

use crate::attack::autoattack::{Attack, Plan};
use crate::progress::Event;

/// Work done, and still to do if nobody else is broken.
pub struct Work {
    done: u64,
    /// Passes per example of the runs to come in the group at work, this one included.
    ahead: Vec<u64>,
    /// Passes per example of all runs.
    runs: Vec<u64>,
    /// Examples of the groups to come.
    waiting: usize,
}

impl Work {
    /// Work on `examples` that are attacked in turn.
    pub fn new(plans: &[Plan], classes: usize, examples: usize) -> Self {
        let runs = plans.iter().flat_map(|plan| vec![passes(plan, classes); plan.runs().len()]).collect();
        Self { done: 0, ahead: Vec::new(), runs, waiting: examples }
    }

    /// All of it, before anything is done.
    pub fn total(&self) -> u64 {
        self.runs.iter().sum::<u64>() * self.waiting as u64
    }

    /// A group of examples begins.
    pub fn begin(&mut self, group: usize) {
        self.ahead.clone_from(&self.runs);
        self.waiting -= group;
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
        let (this, later) = self.ahead.split_first().map_or((0, 0), |(a, b)| (*a, b.iter().sum::<u64>()));
        let total = self.done + this * left as u64 + later * alive as u64 + self.total();
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
