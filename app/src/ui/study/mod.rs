//! The Study tab: the models of a folder with `study.json`, their numbers, and what is done with those selected.

mod bar;
mod columns;
mod details;
mod handle;
mod measure;
mod pictures;
mod table;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use basin_core::study::Kind;
use eframe::egui::{Context, Frame, Margin, Panel, ScrollArea, Ui};
use serde::{Deserialize, Serialize};

use crate::jobs::Wake;
use crate::study::{Choice, Run, Seen, Sort, SortBy, Watcher};
use crate::ui::Action;
use crate::ui::widgets::{empty_ui, palette};
pub use handle::Loaded;
pub use measure::Estimated;
pub(crate) use measure::dialog;

/// While a selection moves, the views follow after this time.
const SETTLED: Duration = Duration::from_millis(120);

/// What of the table is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct StudySettings {
    /// Columns that are shown although they usually are not.
    pub shown: Vec<String>,
    /// Columns that are not shown although they usually are.
    pub hidden: Vec<String>,
    /// Order of the rows.
    pub sort: Option<Sort>,
}

/// What the tab asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// Close the study; its files stay.
    Close,
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

/// The open study and what lives with its tab.
#[derive(Default)]
pub(crate) struct StudyView {
    open: Option<Open>,
}

/// A study that is open.
pub(crate) struct Open {
    folder: PathBuf,
    watcher: Watcher,
    seen: Option<Arc<Seen>>,
    pub choice: Choice,
    /// What the choice was applied to.
    applied: Option<(Option<Sort>, String)>,
    pub run: Option<Run>,
    asked: Option<measure::Asked>,
    pictures: pictures::Pictures,
    /// The model whose records the other views show, and since when the current one is another.
    followed: Option<String>,
    moved: Option<Instant>,
    /// The row that is to be brought into view.
    scroll_to: Option<usize>,
    focus_filter: bool,
}

impl StudyView {
    /// The open study.
    pub fn open(&self) -> Option<&Open> {
        self.open.as_ref()
    }

    /// The open study, to change it.
    pub fn open_mut(&mut self) -> Option<&mut Open> {
        self.open.as_mut()
    }

    /// What is known of the open study.
    pub fn seen(&self) -> Option<&Arc<Seen>> {
        self.open.as_ref()?.seen.as_ref()
    }

    /// Opens a study in place of another one.
    pub fn start(&mut self, folder: PathBuf, wake: Wake, settings: &StudySettings) {
        if self.open.as_ref().is_some_and(|open| open.folder == folder) {
            return;
        }
        let mut choice = Choice::default();
        choice.sort.clone_from(&settings.sort);
        self.open = Some(Open {
            watcher: Watcher::start(folder.clone(), wake),
            folder,
            seen: None,
            choice,
            applied: None,
            run: None,
            asked: None,
            pictures: pictures::Pictures::default(),
            followed: None,
            moved: None,
            scroll_to: None,
            focus_filter: false,
        });
    }

    /// Whether the folder is being read, or something is measured.
    pub fn is_busy(&self) -> bool {
        self.open.as_ref().is_some_and(|open| {
            open.watcher.is_looking()
                || open.moved.is_some()
                || open.run.as_ref().is_some_and(|run| !run.is_over())
        })
    }
}

impl Open {
    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Has the folder looked at now.
    pub fn look(&self) {
        self.watcher.look();
    }

    /// Takes what the watcher has seen, and applies filter and order where they or the rows have changed.
    pub fn update(&mut self) {
        let mut changed = false;
        if let Some(news) = self.watcher.news() {
            changed = true;
            let seen = match (&self.seen, news.problem.is_some() && news.folder.as_os_str().is_empty()) {
                (Some(known), true) => Seen { problem: news.problem, ..(**known).clone() },
                _ => news,
            };
            self.seen = Some(Arc::new(seen));
        }
        let Some(seen) = &self.seen else { return };
        let by = (self.choice.sort.clone(), self.choice.filter.clone());
        if changed || self.applied.as_ref() != Some(&by) {
            self.choice.apply(seen);
            self.applied = Some(by);
        }
    }

    /// The model that the other views are to show, once the selection rests.
    fn settled(&mut self, ctx: &Context) -> Option<String> {
        let current = self.choice.current().map(ToOwned::to_owned);
        if current == self.followed {
            self.moved = None;
            return None;
        }
        let moved = *self.moved.get_or_insert_with(Instant::now);
        if moved.elapsed() < SETTLED {
            ctx.request_repaint_after(SETTLED);
            return None;
        }
        (self.moved, self.followed) = (None, current.clone());
        current
    }
}

/// What the tab needs of the window.
pub(crate) struct Place<'a> {
    pub settings: &'a mut StudySettings,
    pub actions: &'a mut Vec<Action>,
}

impl Place<'_> {
    fn send(&mut self, message: Message) {
        self.actions.push(Action::Study(message));
    }
}

/// Draws the tab.
pub(crate) fn ui(ui: &mut Ui, view: &mut StudyView, place: &mut Place<'_>) {
    let Some(open) = view.open.as_mut() else {
        let text = "Open a folder that `basin study init` has made a study: its models with their numbers appear here.";
        return empty_ui(ui, "No study is open", text, |_| ());
    };
    let Some(seen) = open.seen.clone() else {
        return empty_ui(ui, "Reading the study", &open.folder.display().to_string(), |ui| {
            ui.spinner();
        });
    };
    if seen.study.format == 0 {
        let why = seen.problem.clone().unwrap_or_default();
        return empty_ui(ui, "This study cannot be read", &why, |ui| {
            if ui.button("Close").clicked() {
                place.send(Message::Close);
            }
        });
    }
    let margin = Margin { left: 12, right: 12, top: 6, bottom: 6 };
    let frame = Frame::new().inner_margin(margin);
    Panel::top("study bar").frame(frame).show_separator_line(false).show(ui, |ui| {
        bar::ui(ui, open, &seen, place);
    });
    if let Some(height) = details::height(open, &seen) {
        let height = height.min((0.45 * ui.available_height()).max(60.0));
        let frame = frame.fill(palette(ui).side);
        Panel::bottom("study details").frame(frame).exact_size(height).resizable(false).show(ui, |ui| {
            ScrollArea::vertical().show(ui, |ui| details::ui(ui, open, &seen, place));
        });
    }
    table::ui(ui, open, &seen, place);
}
