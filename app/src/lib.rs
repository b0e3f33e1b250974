//! The window and the command line of Basin: two ways to make a job and two ways to watch it.

pub mod background;
pub mod cli;
pub mod command;
pub mod environment;
pub mod gpu;
pub mod headline;
pub mod jobs;
pub mod landscape_file;
pub mod mesh;
pub mod pace;
pub mod places;
pub mod plot;
pub mod report;
pub mod settings;
pub mod shape;
pub mod state;
pub mod study;
pub mod surface;
pub mod surface_picture;
pub mod ui;
