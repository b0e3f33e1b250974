//! What the messages of the Study tab do, and how the other views follow it.

use std::path::PathBuf;
use std::sync::Arc;

use basin_core::record::Record;
use basin_core::study::{Digest, Kind, Planned};
use eframe::egui::{Context, Key, Modifiers};

use crate::jobs::Ended;
use crate::plot::color::SERIES_COLORS;
use crate::study::{Run, Seen};
use crate::ui::answers::Answer;
use crate::ui::session::{Reading, Target};
use crate::ui::study::cost::{Asked, Estimated};
use crate::ui::study::message::{Loaded, Message};
use crate::ui::study::view::StudyView;
use crate::ui::study::{columns, table};
use crate::ui::widgets::count;
use crate::ui::{App, Modal, Pane};

/// Records of a model that are loaded at most; the others are read when they are opened.
const LOADED: usize = 200;

impl App {
    /// Opens the study of a folder, in place of another one.
    pub(crate) fn open_study(&mut self, folder: PathBuf) {
        self.study.start(folder, self.wake.clone(), &self.state.study);
        self.tabs.set_visible(Pane::Study, true);
        self.tabs.show(Pane::Study);
    }

    /// Does what the tab asks for.
    pub(crate) fn study_message(&mut self, ctx: &Context, message: Message) {
        let message = match message {
            Message::Close => return self.close_study(),
            Message::CloseDialog => {
                self.modal = None;
                return;
            }
            Message::CopyText(text) => {
                self.note(format!("Copied: {text}"));
                return ctx.copy_text(text);
            }
            message => message,
        };
        let Some(seen) = self.study.seen().cloned() else { return };
        let Some(open) = self.study.open_mut() else { return };
        match message {
            Message::Close | Message::CloseDialog | Message::CopyText(_) => {}
            Message::Sort(by) => {
                open.choice.sort_by(by);
                self.state.study.sort.clone_from(&open.choice.sort);
            }
            Message::Filter(expression) => open.choice.filter = expression,
            Message::Select(name) => {
                open.choice.select(&name);
                open.scroll_to = open.choice.current_row(&seen);
            }
            Message::Toggle(name) => open.choice.toggle(&name),
            Message::SelectTo(name) => open.choice.select_to(&name, &seen),
            Message::SelectAll(names) => {
                open.choice.select_all(names);
                open.scroll_to = open.choice.current_row(&seen);
            }
            Message::Step(by, extend) => {
                open.choice.step(by, extend, &seen);
                open.scroll_to = open.choice.current_row(&seen);
            }
            Message::CopyRows => {
                let shown = columns::shown(&seen, &self.state.study);
                let rows = table::selected_rows(open, &seen, &shown);
                ctx.copy_text(rows);
                let number = open.choice.selected().len();
                self.note(format!("Copied: {} as tab-separated values", count(number, "row")));
            }
            Message::Compare(kind) => self.compare_models(&seen, kind),
            Message::AskToMeasure(selected) => {
                let is_asked = |planned: &&Planned| !selected || open.choice.is_selected(&planned.model);
                let planned: Vec<Planned> = seen.planned.iter().filter(is_asked).cloned().collect();
                if planned.is_empty() {
                    return self.note("Nothing is missing.");
                }
                let planned = Arc::new(planned);
                open.asked = Some(Asked { planned: planned.clone(), cost: Reading::Pending });
                self.modal = Some(Modal::MeasureStudy);
                let engine = self.engine.clone();
                self.background
                    .spawn("estimate", move || Answer::StudyEstimated(Estimated::compute(&*engine, planned)));
            }
            Message::Measure => {
                let Some(asked) = open.asked.take() else { return };
                let planned = asked.planned.to_vec();
                match open.run.as_mut().filter(|run| !run.is_over()) {
                    Some(run) => run.add(planned),
                    None => open.run = Some(Run::new(planned)),
                }
            }
            Message::Stop => {
                if let Some(run) = &mut open.run {
                    run.stop(&mut self.jobs);
                }
            }
        }
    }

    fn close_study(&mut self) {
        if let Some(run) = self.study.open_mut().and_then(|open| open.run.as_mut()) {
            run.stop(&mut self.jobs);
        }
        self.study = StudyView::default();
        self.session.replace_guests(None, Vec::new());
        self.tabs.set_visible(Pane::Study, false);
    }

    /// Once in a frame: takes news, feeds the queue, lets the other views follow the selection.
    pub(crate) fn update_study(&mut self, ctx: &Context) {
        let wants_filter = self.modal.is_none()
            && self.tabs.is_visible(Pane::Study)
            && ctx.input_mut(|input| input.consume_key(Modifiers::COMMAND, Key::F));
        let Some(open) = self.study.open_mut() else { return };
        open.focus_filter |= wants_filter;
        open.update();
        if let Some(run) = &mut open.run {
            run.feed(&mut self.jobs);
        }
        let (settled, seen) = (open.settled(ctx), open.seen.clone());
        if let (Some(name), Some(seen)) = (settled, seen)
            && let Some(model) = seen.model(&name)
        {
            self.show_model(&seen, model);
        }
    }

    /// Whether a job that has ended was one of the study's; its record is shown if the job was.
    pub(crate) fn study_job_ended(&mut self, ended: &Ended) -> bool {
        let Some(open) = self.study.open_mut() else { return false };
        let is_own = open.run.as_mut().is_some_and(|run| run.ended(ended.id, &mut self.jobs));
        if is_own {
            open.look();
            if self.session.target == Some(Target::Job(ended.id)) {
                self.session.target = None;
                if let Some((path, record)) = &ended.record {
                    let id = self.session.add_guest(path.clone(), record.clone());
                    self.session.target = Some(Target::Record(id));
                }
            }
        }
        is_own
    }

    /// Takes the cost of what is missing.
    pub(crate) fn study_estimated(&mut self, estimated: Estimated) {
        let asked = self.study.open_mut().and_then(|open| open.asked.as_mut());
        if let Some(asked) = asked.filter(|asked| Arc::ptr_eq(&asked.planned, &estimated.of)) {
            asked.cost = estimated.cost.into();
        }
    }

    /// Reads the records of a model for the other views.
    fn show_model(&self, seen: &Seen, model: usize) {
        let of = &seen.entries.models[model];
        let records: Vec<PathBuf> = of.records.iter().take(LOADED).map(|(path, _)| path.clone()).collect();
        let checkpoint = seen.study.models[model].checkpoint.as_ref().map(|path| seen.folder.join(path));
        self.load_for_study(seen, records, checkpoint, false);
    }

    /// Shows the records of a kind of the selected models in one chart; of one model, the record.
    fn compare_models(&mut self, seen: &Seen, kind: Kind) {
        let Some(open) = self.study.open() else { return };
        let names = open.choice.selected();
        let selected = seen.study.models.iter().zip(&seen.entries.models);
        let selected = selected.filter(|(model, _)| names.contains(&model.name));
        let of_kind = |records: &'_ [(PathBuf, Arc<Digest>)]| -> Vec<(PathBuf, Arc<Digest>)> {
            records.iter().filter(|(_, digest)| digest.kind == kind).cloned().collect()
        };
        let all: Vec<Vec<(PathBuf, Arc<Digest>)>> =
            selected.map(|(_, of)| of_kind(&of.records)).filter(|of| !of.is_empty()).collect();
        let mut paths: Vec<PathBuf> = alike(&all);
        if paths.len() > SERIES_COLORS {
            self.note_warning(format!(
                "The first {SERIES_COLORS} of {} models are shown: more cannot be told apart in one chart.",
                paths.len()
            ));
            paths.truncate(SERIES_COLORS);
        }
        self.load_for_study(seen, paths, None, true);
    }

    fn load_for_study(
        &self,
        seen: &Seen,
        records: Vec<PathBuf>,
        checkpoint: Option<PathBuf>,
        together: bool,
    ) {
        let folder = seen.folder.clone();
        self.background.spawn("records", move || {
            let mut loaded =
                Loaded { folder, checkpoint, records: Vec::new(), together, problems: Vec::new() };
            for path in records {
                let path = loaded.folder.join(path);
                match Record::load(&path) {
                    Ok(record) => loaded.records.push((path, record)),
                    Err(error) => loaded.problems.push(error.to_string()),
                }
            }
            Answer::StudyLoaded(Box::new(loaded))
        });
    }

    /// Takes records for the views; what they show is the counterpart of what they showed before.
    pub(crate) fn study_loaded(&mut self, loaded: Loaded) {
        if self.study.open().is_none_or(|open| open.folder() != loaded.folder) {
            return;
        }
        loaded.problems.into_iter().for_each(|problem| self.note_error(problem));
        let before = match self.session.target {
            Some(Target::Record(id)) => self.session.record(id).map(|stored| stored.record.clone()),
            Some(Target::Job(_)) | None => None,
        };
        let runs = matches!(self.session.target, Some(Target::Job(_)));
        let checkpoint = loaded.checkpoint.filter(|path| basin_core::checkpoint::is_there(path));
        let opened = checkpoint.clone();
        let ids = self.session.replace_guests(checkpoint, loaded.records);
        if let Some(path) = opened {
            self.inspect_guest(path);
        }
        if loaded.together {
            if let Some((first, others)) = ids.split_first() {
                self.session.select_record(*first);
                others.iter().for_each(|id| self.session.toggle_record(*id));
                self.show_target();
            }
        } else if !runs {
            let shown = self.session.counterpart(&ids, before.as_deref());
            self.session.target = shown.map(Target::Record);
            self.session.show_alone();
        }
    }
}

/// One record of each model: those of one and the same job as far as possible, so that they can be compared.
fn alike(all: &[Vec<(PathBuf, Arc<Digest>)>]) -> Vec<PathBuf> {
    let count = |job: u64| all.iter().filter(|of| of.iter().any(|(_, digest)| digest.job() == job)).count();
    let jobs = all.iter().flatten().map(|(_, digest)| digest.job());
    let most = jobs.max_by_key(|job| (count(*job), std::cmp::Reverse(*job)));
    let of_job = |of: &Vec<(PathBuf, Arc<Digest>)>| {
        let same = of.iter().find(|(_, digest)| Some(digest.job()) == most);
        same.or(of.last()).map(|(path, _)| path.clone())
    };
    all.iter().filter_map(of_job).collect()
}
