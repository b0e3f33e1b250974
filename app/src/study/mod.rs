//! An open study: what a thread sees of its folder, and which of its models are shown and selected. No drawing.

mod choice;
mod run;
mod seen;
mod watcher;

pub use choice::{Choice, RowOf, Sort, SortBy};
pub use run::Run;
pub use seen::{Look, Seen};
pub use watcher::Watcher;
