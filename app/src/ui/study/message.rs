//! What the Study tab asks for, and what worker threads read for it.

use std::path::PathBuf;

use basin_core::record::Record;
use basin_core::study::Kind;

use crate::study::SortBy;
use crate::ui::study::settings::StudySettings;

/// What the tab asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// Close the study; its files stay.
    Close,
    /// Copy a text, such as a number.
    CopyText(String),
    /// Close the dialog.
    CloseDialog,
    /// Sort the table.
    Sort(SortBy),
    /// Filter by an expression.
    Filter(String),
    /// Select a model alone.
    Select(String),
    /// Add a model to the selection, or take it away.
    Toggle(String),
    /// Select the rows from where the selection began to a model.
    SelectTo(String),
    /// Select these models.
    SelectAll(Vec<String>),
    /// Select as many rows below, or above.
    Step(isize, bool),
    /// Copy the selected rows with the columns that are shown, for spreadsheets.
    CopyRows,
    /// Show the records of a kind of the selected models together.
    Compare(Kind),
    /// Ask before what is missing is measured: of all models, or of those selected.
    AskToMeasure(bool),
    /// Measure what was asked for.
    Measure,
    /// Stop measuring; what is finished is kept.
    Stop,
}

/// Records that a worker thread has read for the views.
#[derive(Debug)]
pub struct Loaded {
    /// The study.
    pub folder: PathBuf,
    /// The checkpoint of the model that is shown, if it is one.
    pub checkpoint: Option<PathBuf>,
    /// Records with their files.
    pub records: Vec<(PathBuf, Record)>,
    /// Show all of them together.
    pub together: bool,
    /// What could not be read, a sentence each.
    pub problems: Vec<String>,
}

/// What the tab has of the window: its settings, and where its messages go.
pub(crate) struct Place<'a> {
    pub settings: &'a mut StudySettings,
    pub messages: Vec<Message>,
}

impl<'a> Place<'a> {
    /// Nothing has been asked for yet.
    pub fn new(settings: &'a mut StudySettings) -> Self {
        Self { settings, messages: Vec::new() }
    }

    /// Asks for something.
    pub fn send(&mut self, message: Message) {
        self.messages.push(message);
    }

    /// Has a text copied.
    pub fn copy(&mut self, text: impl Into<String>) {
        self.send(Message::CopyText(text.into()));
    }
}
