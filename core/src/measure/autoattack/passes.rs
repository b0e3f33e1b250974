//! How much work AutoAttack is, in forward passes of one example.

use crate::attack::autoattack::{Attack, Plan};

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
