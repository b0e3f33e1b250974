//! The open study and what lives with its tab.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::egui::Context;

use crate::jobs::Wake;
use crate::study::{Choice, Run, Seen, Sort, Watcher};
use crate::ui::study::cost::Asked;
use crate::ui::study::pictures::Pictures;
use crate::ui::study::settings::StudySettings;

/// While a selection moves, the views follow after this time.
const SETTLED: Duration = Duration::from_millis(120);

/// The open study and what lives with its tab.
#[derive(Default)]
pub(crate) struct StudyView {
    open: Option<Open>,
}

/// A study that is open.
pub(crate) struct Open {
    pub folder: PathBuf,
    watcher: Watcher,
    pub seen: Option<Arc<Seen>>,
    pub choice: Choice,
    /// What the choice was applied to.
    applied: Option<(Option<Sort>, String)>,
    pub run: Option<Run>,
    pub asked: Option<Asked>,
    pub pictures: Pictures,
    /// The model whose records the other views show, and since when the current one is another.
    followed: Option<String>,
    moved: Option<Instant>,
    /// The row that is to be brought into view.
    pub scroll_to: Option<usize>,
    pub focus_filter: bool,
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
            pictures: Pictures::default(),
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
    pub fn settled(&mut self, ctx: &Context) -> Option<String> {
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
