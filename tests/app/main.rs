//! Tests of the program and its window from outside, in one program, so that libtorch and egui are linked once.

mod attack;
mod bad_input;
mod benchmark;
mod change_cli;
mod cli;
mod cli_flatness;
mod convert_cli;
mod data_cli;
mod field_files;
mod landscape_files;
mod manual;
mod plots;
mod presets;
mod report;
mod scatter;
mod schema;
mod shaders;
mod shape;
#[cfg(unix)]
mod shards;
#[cfg(target_os = "linux")]
mod slurm;
mod study;
mod surface;
mod train_cli;
mod training_window;
mod window;

#[path = "../support"]
mod support {
    pub mod bowl;
    pub mod crafted;
    pub mod oracle;
    pub mod program;
    pub mod sample_records;
    pub mod sample_study;
    pub mod sample_training;
    pub mod server;
    #[cfg(target_os = "linux")]
    pub mod slurm;
    pub mod window;
}
