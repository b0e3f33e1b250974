//! All computation of Basin: networks as data, attacks, measures, landscapes, records.
//!
//! Which module may use which (each only what stands left of it):
//!
//! ```text
//! error, bits, limits, progress, files, pickle, seed, settings < device < data < model < checkpoint < loss < attack < measure < train < job < record < run
//! ```
//!
//! (`progress` and `error` mention plain types of `record`, nothing else does.)
//! Nothing here knows about windows, terminals or plots.

pub mod attack;
mod bits;
pub mod checkpoint;
pub mod data;
pub mod device;
pub mod error;
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
pub mod train;

pub use error::{Error, Result};
