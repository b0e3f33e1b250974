//! Input attacks and AutoAttack: against the paper's program, golden numbers, formulas and mathematics.

mod ensemble;
mod golden;
mod l1;
mod pieces;
mod single;
