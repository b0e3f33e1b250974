//! The Study tab: the models of a folder with `study.json`, their numbers, and what is done with those selected.

mod bar;
mod columns;
mod cost;
mod details;
mod handle;
mod measure;
mod message;
mod pictures;
mod settings;
mod tab;
mod table;
mod view;

pub(crate) use columns::title;
pub use cost::Estimated;
pub(crate) use details::{hover_ui, selection_ui};
pub(crate) use measure::dialog;
pub(crate) use message::Place;
pub use message::{Loaded, Message};
pub use settings::StudySettings;
pub(crate) use tab::ui;
pub(crate) use view::StudyView;
