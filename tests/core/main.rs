//! Tests of basin_core from outside, in one program, so that libtorch is linked once.

mod augmentation;
mod autoattack;
mod bad_families;
mod checkpoints;
mod convert;
mod data;
mod data_sets;
mod exchange;
mod families;
mod flatness;
mod hessian;
mod jobs;
mod landscape;
mod metrics;
mod models;
mod names;
mod outline;
mod pgd;
mod records;
mod reference;
mod relative_flatness;
mod rescale;
mod settings;
mod shape;
mod study;
mod study_import;
mod training;
mod training_runs;
mod weights;

#[path = "../support"]
mod support {
    pub mod arrays;
    pub mod crafted;
    pub mod datasets;
    pub mod golden;
    pub mod oracle;
    pub mod process;
    pub mod sample_records;
    pub mod server;

    pub use arrays::{Npz, max_abs_difference, relative_difference};
    pub use oracle::{count, images, json, number, reference};
}
