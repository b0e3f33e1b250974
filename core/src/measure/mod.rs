//! What is measured. A measure takes a network and data, gives back plain numbers, and leaves no trace.

pub mod attempts;
pub mod autoattack;
pub mod direction;
pub mod evaluation;
pub mod flatness;
pub mod landscape;
pub mod levels;
pub mod metrics;
pub mod statistics;
pub mod summary;
