//! All computation of Basin: networks as data, attacks, measures, landscapes, records.
//!
//! A module may import only modules to its left:
//!
//! ```text
//! progress, error, bits, limits, files, pickle, seed, settings, shape < data < model < device < checkpoint < loss < attack < measure < exchange < train < job < record < run < study
//! ```
//!
//! Nothing here knows about windows, terminals or plots.

pub mod attack;
mod bits;
pub mod checkpoint;
pub mod data;
pub mod device;
pub mod error;
pub mod exchange;
pub mod files;
pub mod job;
mod limits;
pub mod loss;
pub mod measure;
pub mod model;
mod pickle;
pub mod progress;
pub mod record;
pub mod run;
pub mod seed;
pub mod settings;
pub mod shape;
pub mod study;
pub mod train;

pub use error::{Error, Result};
