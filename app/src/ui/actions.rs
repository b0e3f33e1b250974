//! What panels ask for, and the one place where it is carried out, once per frame.

use std::path::PathBuf;

use basin_core::checkpoint::BUNDLED;
use basin_core::job::{Job, Train};
use basin_core::record::Record;
use basin_core::record::training::is_training;
use eframe::egui::{Context, ThemePreference, ViewportCommand};

use crate::command::Command;
use crate::jobs::{Ended, JobId};
use crate::state::{Measure, Side};
use crate::ui::answers::{Answer, Purpose};
use crate::ui::session::{RecordId, Target};
use crate::ui::study::Message;
use crate::ui::tabs::{Pane, Tabs};
use crate::ui::{App, Modal, command_line, dialogs};

/// Something a panel asks for.
#[derive(Debug, Clone)]
pub enum Action {
    /// A command of the menu.
    Command(Command),
    /// Open checkpoints, records or folders.
    Open(Vec<PathBuf>),
    /// Select a checkpoint and show what it is.
    SelectModel(PathBuf),
    /// Show a record.
    SelectRecord(RecordId),
    /// Show a record beside what is shown, or no longer.
    ToggleRecord(RecordId),
    /// Show a job.
    SelectJob(JobId),
    /// Close a checkpoint.
    RemoveModel(PathBuf),
    /// Close a record.
    RemoveRecord(RecordId),
    /// Copy a job's command line.
    CopyCommandLine(Box<Job>),
    /// Copy a text, such as the name of a tensor.
    CopyText(String),
    /// Compute the distributions of a checkpoint's tensors.
    ComputeDistributions(PathBuf),
    /// Run a job.
    Run(Box<Job>),
    /// Train in a folder, or go on there.
    Train(Box<Job>, PathBuf),
    /// Take a training's settings over into its form.
    TakeTraining(Box<Train>),
    /// Open a network of a training; with a measure, show its form.
    UseNetwork(PathBuf, Option<Measure>),
    /// Choose the folder of a training's data set.
    ChooseTrainingData,
    /// Choose the folder of a training.
    ChooseTrainingFolder,
    /// Stop a job.
    Cancel(JobId),
    /// Run a cancelled job again; it goes on where it stopped.
    Continue(JobId),
    /// Compute a job once more, even if its finished record is there.
    Anew(JobId),
    /// Take an ended job off the list.
    Dismiss(JobId),
    /// Take a message off the list.
    DismissNote(usize),
    /// Choose the folder of a data set.
    ChooseData,
    /// Choose the file to export to.
    ChooseExport,
    /// What the Study tab asks for.
    Study(Message),
    /// Close the dialog inside the window.
    CloseModal,
    /// Stop all jobs, keep what they have finished, then leave.
    StopAndLeave,
}

impl App {
    /// Carries out what a panel, a menu or a key asked for.
    pub(crate) fn carry_out(&mut self, ctx: &Context, action: Action) {
        match action {
            Action::Command(command) => self.carry_out_command(ctx, command),
            Action::Open(paths) => self.open_paths(paths),
            Action::SelectModel(path) => self.select_model(&path),
            Action::SelectRecord(id) => {
                self.session.select_record(id);
                self.show_target();
            }
            Action::ToggleRecord(id) => {
                self.session.toggle_record(id);
                self.show_target();
            }
            Action::SelectJob(id) => self.select_job(id),
            Action::RemoveModel(path) => self.session.remove_model(&path),
            Action::RemoveRecord(id) => self.session.remove_record(id),
            Action::CopyCommandLine(job) => {
                ctx.copy_text(command_line(&job));
                self.note("The command line is on the clipboard.");
            }
            Action::CopyText(text) => {
                self.note(format!("Copied: {text}"));
                ctx.copy_text(text);
            }
            Action::ComputeDistributions(path) => self.compute_distributions(&path),
            Action::Run(job) => {
                let id = self.jobs.add(*job, None);
                self.select_job(id);
            }
            Action::Train(job, folder) => {
                self.standings.forget();
                let id = self.jobs.add(*job, Some(folder));
                self.select_job(id);
            }
            Action::TakeTraining(job) => {
                self.state.train.take(*job);
                self.state.side = Side::Train;
            }
            Action::UseNetwork(path, measure) => self.use_network(path, measure),
            Action::ChooseTrainingData => self.ask_for(Purpose::TrainingData),
            Action::ChooseTrainingFolder => self.ask_for(Purpose::TrainingFolder),
            Action::Cancel(id) => self.jobs.cancel(id),
            Action::Continue(id) => {
                self.jobs.again(id, false);
                self.select_job(id);
            }
            Action::Anew(id) => {
                self.jobs.again(id, true);
                self.select_job(id);
            }
            Action::Dismiss(id) => self.jobs.dismiss(id),
            Action::DismissNote(at) => self.notes.dismiss(at),
            Action::ChooseData => self.ask_for(Purpose::Data),
            Action::ChooseExport => self.ask_for(Purpose::Export),
            Action::Study(message) => self.study_message(ctx, message),
            Action::CloseModal => self.modal = None,
            Action::StopAndLeave => self.stop_and_leave(),
        }
    }

    fn carry_out_command(&mut self, ctx: &Context, command: Command) {
        match command {
            Command::OpenCheckpoint => self.ask_for(Purpose::OpenCheckpoints),
            Command::OpenRecord => self.ask_for(Purpose::OpenRecords),
            Command::OpenFolder => self.ask_for(Purpose::OpenFolder),
            Command::OpenExample => self.open_paths(vec![BUNDLED.into()]),
            Command::Export => {
                if self.exports_table() || self.shown.record().is_some() {
                    self.open_export_dialog();
                } else {
                    self.note_error(
                        "There is nothing to export yet: run a landscape or open a record first.",
                    );
                }
            }
            Command::Quit => ctx.send_viewport_cmd(ViewportCommand::Close),
            Command::ThemeLight => self.set_theme(ctx, ThemePreference::Light),
            Command::ThemeDark => self.set_theme(ctx, ThemePreference::Dark),
            Command::ThemeSystem => self.set_theme(ctx, ThemePreference::System),
            Command::ResetLayout => {
                self.tabs = Tabs::default();
                self.tabs.set_visible(Pane::Study, self.study.open().is_some());
                // All but the options, where the styles live.
                ctx.memory_mut(|memory| {
                    let options = std::mem::take(&mut memory.options);
                    *memory = eframe::egui::Memory::default();
                    memory.options = options;
                });
            }
            Command::Camera(preset) => {
                self.surface.set_camera(preset);
                self.tabs.show(Pane::Surface);
            }
            Command::CopyCommandLine => match self.job_to_copy() {
                Some(job) => self.carry_out(ctx, Action::CopyCommandLine(Box::new(job))),
                None => self.note_error("There is no command line to copy yet: open a checkpoint first."),
            },
            Command::Shortcuts => self.modal = Some(Modal::Shortcuts),
            Command::About => self.modal = Some(Modal::About),
            Command::Run if self.state.side == Side::Train => match self.train_job(ctx) {
                Ok((job, folder)) => self.carry_out(ctx, Action::Train(Box::new(job), folder)),
                Err(why) => self.note_error(why),
            },
            Command::Run => match self.form_job() {
                Some(Ok(job)) => self.carry_out(ctx, Action::Run(Box::new(job))),
                Some(Err(_)) => {
                    self.note_error("The form has a setting that cannot be used; it is marked there.")
                }
                None => self.note_error("Open a checkpoint first."),
            },
        }
    }

    /// The job of what is shown, else of the form.
    fn job_to_copy(&self) -> Option<Job> {
        let shown = self.shown.record().map(|record| record.job.clone());
        shown.or_else(|| self.form_job()?.ok())
    }

    /// Opens a network of a training; what the views show stays.
    fn use_network(&mut self, path: PathBuf, measure: Option<Measure>) {
        let (target, pane) = (self.session.target, Pane::History);
        self.open_paths(vec![path.clone()]);
        self.session.select_model(&path);
        self.session.target = target;
        if let Some(measure) = measure {
            (self.state.side, self.state.measure) = (Side::Measure, measure);
            self.tabs.show(pane);
        }
    }

    fn set_theme(&mut self, ctx: &Context, theme: ThemePreference) {
        self.state.theme = theme;
        ctx.set_theme(theme);
    }

    fn select_model(&mut self, path: &std::path::Path) {
        let keep = match self.session.target {
            Some(Target::Job(id)) => self.jobs.get(id).is_some_and(|entry| {
                let trained = entry.out.as_deref().is_some_and(|folder| path.starts_with(folder));
                trained || entry.job.checkpoint() == Some(path)
            }),
            _ => false,
        };
        let target = self.session.target;
        self.session.select_model(path);
        if keep {
            self.session.target = target;
        }
    }

    fn select_job(&mut self, id: JobId) {
        let Some(entry) = self.jobs.get(id) else { return };
        match entry.job.checkpoint() {
            Some(checkpoint) => self.session.select_model(checkpoint),
            None => self.session.show_alone(),
        }
        self.session.target = Some(Target::Job(id));
        self.show_target();
    }

    /// Brings the tab to the front that suits what is selected.
    pub(crate) fn show_target(&mut self) {
        self.shown.update(&self.session, &self.jobs);
        let job = match self.session.target {
            Some(Target::Job(id)) => self.jobs.get(id).map(|entry| &entry.job),
            Some(Target::Record(id)) => self.session.record(id).map(|stored| &stored.record.job),
            None => None,
        };
        match job {
            Some(Job::Landscape(job)) if job.second.is_some() => {
                self.tabs.show_one_of(&[Pane::Surface, Pane::Contours]);
            }
            Some(Job::Landscape(_)) => self.tabs.show(Pane::Curves),
            Some(Job::Import(_)) => match self.shown.landscape() {
                Some(landscape) if landscape.y.is_some() => {
                    self.tabs.show_one_of(&[Pane::Surface, Pane::Contours]);
                }
                _ => self.tabs.show(Pane::Curves),
            },
            Some(Job::Flatness(_)) => self.tabs.show(Pane::Curves),
            Some(Job::Hessian(_)) => self.tabs.show(Pane::Spectrum),
            Some(job) if job.keeps_examples() => self.tabs.show(Pane::Examples),
            Some(Job::Train(_)) => self.tabs.show(Pane::History),
            Some(_) => self.tabs.show(Pane::Table),
            None => {}
        }
    }

    /// A job came to its end: its record takes its place.
    pub(crate) fn ended(&mut self, ended: Ended) {
        let Some((path, record)) = ended.record else { return self.ended_without_record(ended.id) };
        let what = record.job.summary().title;
        for warning in &record.provenance.warnings {
            self.note_warning(format!("{what}: {warning}"));
        }
        let id = self.session.add_record(path, record);
        if self.session.target == Some(Target::Job(ended.id)) {
            self.session.target = Some(Target::Record(id));
        }
    }

    /// A training that failed is still in its folder, as far as it has come.
    fn ended_without_record(&mut self, id: JobId) {
        let Some(folder) = self.jobs.get(id).and_then(|entry| entry.out.clone()) else { return };
        self.background.spawn("records", move || {
            let record = is_training(&folder).then(|| Record::load(&folder).ok()).flatten();
            Answer::Found(record.map(|record| (folder, record)).into_iter().collect())
        });
    }

    /// Opens a native dialog on a thread; the answer comes to [`App::handle`].
    fn ask_for(&mut self, purpose: Purpose) {
        let request = dialogs::Request {
            purpose,
            folder: self.state.folder.clone(),
            suggestion: (purpose == Purpose::Export).then(|| self.export_suggestion()),
        };
        self.background.spawn("dialog", move || match dialogs::ask(&request) {
            Some(paths) => Answer::Chosen { purpose, paths },
            None => Answer::NoDialog(purpose),
        });
    }
}
