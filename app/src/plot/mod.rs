//! Records to plots, and plots to the screen or to files.

pub mod color;
pub mod colormap;
