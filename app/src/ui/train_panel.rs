//! The right: the form of a training, its cost, where it goes, and Run.

use std::path::PathBuf;

use basin_core::job::{Job, Train};
use basin_core::settings::Setting;
use basin_core::train::preset::{groups, preset};
use eframe::egui::{
    Align2, Button, CollapsingHeader, Label, Panel, RichText, ScrollArea, TextEdit, TextStyle, Ui, vec2,
};

use crate::command::Command;
use crate::settings::{Problem, training, training_settings, training_text};
use crate::ui::estimates::Known;
use crate::ui::form_measures::data_set_ui;
use crate::ui::form_rows::{Advanced, Change, Row, beside_marks, setting_ui};
use crate::ui::standing::FolderStatus;
use crate::ui::train_form::{NAME, TrainForm};
use crate::ui::train_names::{Keys, completions_ui, preset_menu_ui, summary};
use crate::ui::widgets::{
    count_words, duration_words, heading_ui, lines_ui, mark_wrong, palette, primary_button, problems_words,
    row_ui, sentence,
};
use crate::ui::{Action, App, theme};

impl App {
    /// The training that the form describes with its folder, if it can be started now.
    pub(crate) fn train_job(&mut self, ctx: &eframe::egui::Context) -> Result<(Job, PathBuf), String> {
        let job = self
            .state
            .train
            .job()
            .map_err(|_| "the form has a setting that cannot be used; it is marked there")?;
        match self.standing(ctx, &job) {
            None => Err("the folder is being looked at; try again in a moment".into()),
            Some((folder, FolderStatus::Taken(why))) => Err(format!("{} {why}", folder.display())),
            Some((folder, _)) => Ok((job, folder)),
        }
    }

    /// Draws the form.
    pub(crate) fn train_ui(&mut self, ui: &mut Ui) {
        let job = self.state.train.job();
        let problems = job.as_ref().err().cloned().unwrap_or_default();
        let frame = theme::panel_frame(ui.visuals().dark_mode)
            .inner_margin(eframe::egui::Margin { top: 8, ..Default::default() });
        let standing = job.as_ref().ok().map(|job| self.standing(ui.ctx(), job));
        Panel::bottom("run training")
            .frame(frame)
            .show(ui, |ui| self.run_training_ui(ui, &job, standing, &problems));
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            let form = &mut self.state.train;
            let start = form.last_start();
            let (described, _) = training(&start, &form.given);
            let settings = training_settings(&described);
            let (job, settings) = (&described, settings.as_slice());
            let actions = &mut self.actions;
            Editor { form, start: &start, job, settings, problems: &problems, actions }.ui(ui);
            ui.add_space(theme::GAP);
        });
    }

    /// Cost, folder and Run, always in sight.
    fn run_training_ui(
        &mut self,
        ui: &mut Ui,
        job: &Result<Job, Vec<Problem>>,
        standing: Option<Option<(PathBuf, FolderStatus)>>,
        problems: &[Problem],
    ) {
        let p = palette(ui);
        let settings =
            training_settings(&training(&self.state.train.last_start(), &self.state.train.given).0);
        let label = |path: &str| match path {
            NAME => Some("Name"),
            path => settings.iter().find(|setting| setting.path == path).map(|setting| &*setting.label),
        };
        let named: Vec<(Option<&str>, &str)> = problems
            .iter()
            .map(|problem| (problem.path.as_deref().and_then(label), &*problem.text))
            .collect();
        let cost = job.as_ref().map(|job| self.training_cost(ui, job));
        let (words, color) = match &cost {
            Ok(Ok(words)) => (words.clone(), p.weak),
            Ok(Err(error)) => (error.clone(), p.error),
            Err(_) => (problems_words(&named), p.error),
        };
        lines_ui(ui, &[(&words, color)], TextStyle::Body, 2);
        let standing = standing.flatten();
        // What was found last stays while the disk is asked again.
        let (words, color) = match (&standing, self.standings.last()) {
            (Some((folder, _)), _) if self.jobs.training_in(folder).is_some() => {
                (format!("Being trained now, in {}", folder.display()), p.accent)
            }
            (Some((folder, standing)), _) => {
                let color = match standing {
                    FolderStatus::Free => p.weak,
                    FolderStatus::GoesOn(..) | FolderStatus::Finished => p.accent,
                    FolderStatus::Taken(_) => p.error,
                };
                (standing.words(folder), color)
            }
            (None, Some((folder, standing))) => (standing.words(folder), p.weak),
            (None, None) => (String::new(), p.weak),
        };
        lines_ui(ui, &[(&words, color)], TextStyle::Small, 2);
        let text = match &standing {
            _ if self.jobs.active() > 0 => "Train next",
            Some((_, FolderStatus::GoesOn(..))) => "Continue training",
            Some((_, FolderStatus::Finished)) => "Show results",
            _ => "Start training",
        };
        let is_free = |(folder, standing): &(PathBuf, FolderStatus)| {
            !matches!(standing, FolderStatus::Taken(_)) && self.jobs.training_in(folder).is_none()
        };
        let usable = standing.filter(is_free);
        // What has no estimate, as its images are missing, could not be trained either.
        let ready = job.as_ref().ok().cloned().zip(usable).filter(|_| matches!(cost, Ok(Ok(_))));
        let width = ui.available_width();
        let run = primary_button(ui, text, ready.is_some(), width).on_hover_text(Command::Run.tooltip());
        if let Some((job, (folder, _))) = ready.filter(|_| run.clicked()) {
            self.actions.push(Action::Train(Box::new(job), folder));
        }
    }

    /// Steps and time, or why it could not be trained.
    fn training_cost(&mut self, ui: &Ui, job: &Job) -> Result<String, String> {
        let steps = |steps: u64| format!("{} steps", count_words(steps as usize));
        let all = match job {
            Job::Train(job) => steps(job.epochs as u64 * job.steps_in_epoch()),
            _ => String::new(),
        };
        match self.estimate(ui.ctx(), job) {
            Known::Ready(estimate) => {
                Ok(format!("{}, about {}", steps(estimate.units), duration_words(estimate.seconds)))
            }
            Known::Failed(error) => Err(sentence(&error)),
            Known::Pending if self.jobs.active() > 0 => Ok(format!("{all}, time unknown while a job runs")),
            Known::Pending => Ok(format!("{all}, estimating the time…")),
        }
    }
}

/// Draws the form.
struct Editor<'a> {
    form: &'a mut TrainForm,
    /// What settings change.
    start: &'a Train,
    /// What will be trained, as far as settings are possible.
    job: &'a Train,
    settings: &'a [Setting],
    problems: &'a [Problem],
    actions: &'a mut Vec<Action>,
}

impl Editor<'_> {
    fn ui(&mut self, ui: &mut Ui) {
        self.model_ui(ui);
        self.group_ui(ui, "Model");
        heading_ui(ui, "Images");
        self.group_ui(ui, "Images");
        heading_ui(ui, "Evaluation");
        let words = RichText::new(format!("Tested with {}", self.job.test_attack())).small();
        ui.add(Label::new(words.color(palette(ui).weak)).wrap());
        self.group_ui(ui, "Evaluation");
        heading_ui(ui, "Computing");
        self.group_ui(ui, "Computing");
        self.folder_ui(ui);
        self.advanced_ui(ui);
        self.whole_ui(ui);
    }

    fn problem(&self, path: &str) -> Option<&str> {
        let found = self.problems.iter().find(|problem| problem.path.as_deref() == Some(path));
        found.map(|problem| &*problem.text)
    }

    /// The settings of a group that are often changed.
    fn group_ui(&mut self, ui: &mut Ui, group: &str) {
        for setting in self.settings.iter().filter(|setting| setting.group == group && !setting.advanced) {
            self.setting_ui(ui, setting);
        }
    }

    fn setting_ui(&mut self, ui: &mut Ui, setting: &Setting) {
        if setting.path == "data.name" {
            return self.data_ui(ui, setting);
        }
        let given = self.form.given.get(&setting.path).map(String::as_str);
        // What it is without what is given.
        let usual = match given {
            Some(_) => {
                let mut others = self.form.given.clone();
                others.remove(&setting.path);
                training_text(&training(self.start, &others).0, setting)
            }
            None => training_text(self.job, setting),
        };
        let problem = self.problem(&setting.path);
        if let Some(change) = setting_ui(ui, setting, Row { given, usual: &usual, problem }) {
            self.form.give(
                &setting.path,
                match change {
                    Change::To(text) => Some(text),
                    Change::Reset => None,
                },
            );
        }
    }

    fn data_ui(&mut self, ui: &mut Ui, setting: &Setting) {
        let mut data = self.form.given.get(&setting.path).cloned().unwrap_or_default();
        let (label, help) = (&setting.label, &setting.help);
        if beside_marks(ui, |ui| data_set_ui(ui, label, help, "as the model has it", &mut data)) {
            self.actions.push(Action::ChooseTrainingData);
        }
        self.form.give(&setting.path, (!data.is_empty()).then_some(data));
    }

    fn model_ui(&mut self, ui: &mut Ui) {
        heading_ui(ui, "Model");
        let groups = groups();
        row_ui(ui, "Preset", "The paper's models, grouped, and what the field uses since", |ui| {
            let menu = ui.menu_button("Choose…", |ui| preset_menu_ui(ui, &groups, self.form));
            (menu.response, ())
        });
        let (label, tooltip) = ("Name", "Name of the model in the paper's grammar: method, attack, variants");
        let named = ui.add(Label::new(RichText::new(label).color(palette(ui).weak)).selectable(false));
        let problem = self.problem(NAME).map(str::to_owned);
        let keys = Keys::take(ui, self.form);
        let edit = TextEdit::multiline(&mut self.form.name).desired_rows(2).desired_width(f32::INFINITY);
        let edit = ui.scope(|ui| {
            mark_wrong(ui, problem.is_some());
            ui.add(edit.hint_text("normal_training"))
        });
        let edit = edit.inner.labelled_by(named.id).on_hover_text(tooltip);
        if edit.changed() {
            self.form.name.retain(|c| !c.is_whitespace());
            (self.form.completing, self.form.marked) = (true, None);
        }
        completions_ui(&edit, &groups, self.form, keys);
        let (weak, warning, error) = (palette(ui).weak, palette(ui).warning, palette(ui).error);
        let (meaning, notes) = match self.form.start() {
            Ok((_, notes)) => ((summary(self.job), weak), notes),
            Err(text) => ((sentence(&text), error), Vec::new()),
        };
        let notes: Vec<String> = notes.iter().map(|note| format!("{}.", sentence(note))).collect();
        let words = [(&*meaning.0, meaning.1)].into_iter().chain(notes.iter().map(|note| (&**note, warning)));
        lines_ui(ui, &words.collect::<Vec<_>>(), TextStyle::Small, 3);
        if let Ok((start, _)) = self.form.start()
            && self.form.base.as_ref().is_some_and(|base| base.name == start.name)
        {
            small_ui(ui, "With the settings of another training or job file.", palette(ui).accent);
            let known = preset(&start.name).is_ok();
            if known && ui.small_button("Back to what the name stands for").clicked() {
                self.form.base = None;
            }
        }
    }

    fn folder_ui(&mut self, ui: &mut Ui) {
        let (label, tooltip) = (
            "Folder",
            "Where the job, the log and the networks go; a training that was stopped resumes from there",
        );
        row_ui(ui, label, tooltip, |ui| {
            let edit = TextEdit::singleline(&mut self.form.folder).hint_text("automatic");
            let edit = edit.align(Align2::LEFT_CENTER);
            let edit = ui.add(edit.desired_width((ui.available_width() - 48.0).max(40.0)));
            let choose = Button::new("…").min_size(vec2(40.0, 0.0));
            if ui.add(choose).on_hover_text("Choose the folder").clicked() {
                self.actions.push(Action::ChooseTrainingFolder);
            }
            (edit, ())
        });
    }

    /// Everything else, folded away.
    fn advanced_ui(&mut self, ui: &mut Ui) {
        let settings: Vec<&Setting> = self.settings.iter().filter(|setting| setting.advanced).collect();
        let advanced = Advanced {
            id: "training",
            title: "Training",
            changed: settings.iter().filter(|setting| self.form.given.contains_key(&setting.path)).count(),
            wrong: settings.iter().any(|setting| self.problem(&setting.path).is_some()),
        };
        let mut filter = std::mem::take(&mut self.form.filter);
        advanced.ui(ui, &mut filter, &settings, |ui, setting| self.setting_ui(ui, setting));
        self.form.filter = filter;
    }

    /// The job as it is written into a file.
    fn whole_ui(&self, ui: &mut Ui) {
        CollapsingHeader::new("Full configuration").id_salt("whole job").show_unindented(ui, |ui| {
            let text = Job::Train(Box::new(self.job.clone())).to_json();
            if ui.small_button("Copy").on_hover_text("As the text of a job file, for basin train").clicked() {
                ui.ctx().copy_text(text.clone());
            }
            ui.add(Label::new(RichText::new(text).monospace().size(10.5)).wrap());
        });
    }
}

fn small_ui(ui: &mut Ui, text: &str, color: eframe::egui::Color32) {
    ui.add(Label::new(RichText::new(text).small().color(color)).wrap());
}
