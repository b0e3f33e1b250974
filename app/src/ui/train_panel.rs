//! The right: the form of a training, its cost, where it goes, and Run.

use std::path::PathBuf;

use basin_core::attack::fraction;
use basin_core::job::{Job, Train};
use basin_core::train::preset::{groups, preset};
use eframe::egui::{
    Align2, Button, CollapsingHeader, Label, Panel, RichText, ScrollArea, TextEdit, TextStyle, Ui, vec2,
};

use crate::command::Command;
use crate::ui::estimates::Known;
use crate::ui::form_measures::data_set_ui;
use crate::ui::standing::Standing;
use crate::ui::train_form::{TrainField, TrainForm, TrainProblem};
use crate::ui::train_names::{Keys, channels, completions_ui, preset_menu_ui, summary};
use crate::ui::widgets::{
    choice_ui, count_words, duration_words, heading_ui, lines_ui, mark_wrong, marked_field_ui, palette,
    primary_button, problem_ui, problems_words, row_ui, sentence,
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
            Some((folder, Standing::Taken(why))) => Err(format!("{} {why}", folder.display())),
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
            // Empty fields say what is trained; while something is wrong, what the name stands for.
            let usual = self.state.train.usual();
            let usual = match &job {
                Ok(Job::Train(job)) => Some((**job).clone()),
                _ => usual,
            };
            let form = &mut self.state.train;
            let mut editor = Editor { form, usual, problems: &problems, actions: &mut self.actions };
            editor.model_ui(ui, job.as_ref().ok());
            editor.images_ui(ui);
            editor.evaluation_ui(ui);
            editor.compute_ui(ui);
            editor.settings_ui(ui, job.as_ref().ok());
            ui.add_space(theme::GAP);
        });
    }

    /// Cost, folder and Run, always in sight.
    fn run_training_ui(
        &mut self,
        ui: &mut Ui,
        job: &Result<Job, Vec<TrainProblem>>,
        standing: Option<Option<(PathBuf, Standing)>>,
        problems: &[TrainProblem],
    ) {
        let p = palette(ui);
        let named: Vec<(Option<&str>, &str)> = (problems.iter())
            .map(|(field, text)| (field.map(|field| field.label_and_tooltip().0), &**text))
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
                    Standing::Free => p.weak,
                    Standing::GoesOn(..) | Standing::Finished => p.accent,
                    Standing::Taken(_) => p.error,
                };
                (standing.words(folder), color)
            }
            (None, Some((folder, standing))) => (standing.words(folder), p.weak),
            (None, None) => (String::new(), p.weak),
        };
        lines_ui(ui, &[(&words, color)], TextStyle::Small, 2);
        let text = match &standing {
            _ if self.jobs.active() > 0 => "Train next",
            Some((_, Standing::GoesOn(..))) => "Continue training",
            Some((_, Standing::Finished)) => "Show results",
            _ => "Start training",
        };
        let is_free = |(folder, standing): &(PathBuf, Standing)| {
            !matches!(standing, Standing::Taken(_)) && self.jobs.training_in(folder).is_none()
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

/// Draws the groups of the form.
struct Editor<'a> {
    form: &'a mut TrainForm,
    /// What empty fields stand for.
    usual: Option<Train>,
    problems: &'a [TrainProblem],
    actions: &'a mut Vec<Action>,
}

impl Editor<'_> {
    fn problem(&self, field: TrainField) -> Option<String> {
        let found = self.problems.iter().find(|(at, _)| *at == Some(field));
        found.map(|(_, text)| text.clone())
    }

    /// A field; what it says while it is empty is what the name stands for.
    fn field_ui(&mut self, ui: &mut Ui, field: TrainField, usual: Option<String>) {
        let (label, tooltip) = field.label_and_tooltip();
        let problem = self.problem(field);
        marked_field_ui(
            ui,
            label,
            tooltip,
            &usual.unwrap_or_default(),
            self.form.text_mut(field),
            problem.as_deref(),
        );
    }

    fn model_ui(&mut self, ui: &mut Ui, job: Option<&Job>) {
        heading_ui(ui, "Model");
        let groups = groups();
        row_ui(ui, "Preset", "The paper's models, grouped, and what the field uses since", |ui| {
            let menu = ui.menu_button("Choose…", |ui| preset_menu_ui(ui, &groups, self.form));
            (menu.response, ())
        });
        let (label, tooltip) = TrainField::Name.label_and_tooltip();
        let named = ui.add(Label::new(RichText::new(label).color(palette(ui).weak)).selectable(false));
        let problem = self.problem(TrainField::Name);
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
        let (meaning, notes) = match (self.form.start(), job) {
            (Ok((start, notes)), job) => {
                let summary = match job {
                    Some(Job::Train(job)) => summary(job),
                    _ => summary(&start),
                };
                ((summary, weak), notes)
            }
            (Err(_), _) => ((problem.map_or_else(String::new, |text| sentence(&text)), error), Vec::new()),
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
        let start = self.usual.clone();
        let start = start.as_ref();
        let channels = start.and_then(channels).map(|n| n.to_string());
        self.field_ui(ui, TrainField::Channels, channels);
        self.field_ui(ui, TrainField::Epochs, start.map(|job| job.epochs.to_string()));
        self.field_ui(ui, TrainField::BatchSize, start.map(|job| job.batch_size.to_string()));
    }

    fn images_ui(&mut self, ui: &mut Ui) {
        heading_ui(ui, "Images");
        let (label, tooltip) = TrainField::Data.label_and_tooltip();
        if data_set_ui(ui, label, tooltip, "as the model has it", &mut self.form.data) {
            self.actions.push(Action::ChooseTrainingData);
        }
        let data = self.usual.as_ref().map(|job| job.data.clone());
        self.field_ui(ui, TrainField::Images, data.as_ref().map(|data| data.train.to_string()));
        self.field_ui(ui, TrainField::Test, data.as_ref().map(|data| data.test.to_string()));
    }

    /// How the networks are tested after each epoch.
    fn evaluation_ui(&mut self, ui: &mut Ui) {
        let usual = self.usual.clone();
        let of = |words: fn(&Train) -> String| usual.as_ref().map(words);
        let fields = [
            (TrainField::TestEpsilon, of(|job| fraction(job.test_attack().epsilon))),
            (TrainField::TestSteps, of(|job| job.evaluation.steps.to_string())),
            (TrainField::TestedTraining, of(|job| job.evaluation.train_images.to_string())),
        ];
        let is_wrong = fields.iter().any(|(field, _)| self.problem(*field).is_some());
        let attack = of(|job| format!("Tested with {}", job.test_attack()));
        CollapsingHeader::new(attack.unwrap_or_else(|| "Tests".to_owned()))
            .id_salt("evaluation")
            .open(is_wrong.then_some(true))
            .show_unindented(ui, |ui| {
                for (field, usual) in fields {
                    self.field_ui(ui, field, usual);
                }
            });
    }

    fn compute_ui(&mut self, ui: &mut Ui) {
        heading_ui(ui, "Computing");
        self.field_ui(ui, TrainField::Seed, Some("0".into()));
        let mut devices = vec![
            ("auto".to_owned(), "automatic"),
            ("cpu".to_owned(), "CPU"),
            ("cuda:0".to_owned(), "GPU 0 (cuda:0)"),
            ("cuda:1".to_owned(), "GPU 1 (cuda:1)"),
        ];
        let device = self.form.device.clone();
        if !devices.iter().any(|(name, _)| *name == device) {
            devices.push((device.clone(), &device));
        }
        let tip = "Where to compute; automatic: the GPU if there is one";
        choice_ui(ui, "Device", tip, &mut self.form.device, &devices);
        let (label, tooltip) = TrainField::Folder.label_and_tooltip();
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
        problem_ui(ui, self.problem(TrainField::Folder).as_deref());
    }

    fn settings_ui(&mut self, ui: &mut Ui, job: Option<&Job>) {
        let (label, tooltip) = TrainField::Settings.label_and_tooltip();
        let heading = heading_ui(ui, label);
        let wrong = self.problem(TrainField::Settings);
        let edit = TextEdit::multiline(&mut self.form.settings)
            .desired_rows(2)
            .desired_width(f32::INFINITY)
            .font(eframe::egui::TextStyle::Monospace)
            .hint_text("attack.steps=3");
        let tooltip = wrong.as_deref().map_or_else(|| tooltip.to_owned(), sentence);
        ui.scope(|ui| {
            mark_wrong(ui, wrong.is_some());
            ui.add(edit).labelled_by(heading.id).on_hover_text(tooltip);
        });
        // The last job that the form described stays in sight while a setting is typed.
        if let Some(job) = job {
            self.form.last_job = Some(job.clone());
        }
        let Some(job) = self.form.last_job.clone() else { return };
        CollapsingHeader::new("The whole job").id_salt("whole job").show_unindented(ui, |ui| {
            let text = job.to_json();
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
