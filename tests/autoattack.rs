//! Input attacks and AutoAttack: against the paper's program, golden numbers, formulas and mathematics.

#[path = "autoattack/ensemble.rs"]
mod ensemble;
#[path = "autoattack/golden.rs"]
mod golden;
#[path = "autoattack/l1.rs"]
mod l1;
#[path = "autoattack/pieces.rs"]
mod pieces;
#[path = "autoattack/single.rs"]
mod single;
mod support;
