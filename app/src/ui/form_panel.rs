//! The right: the form that describes a job, its cost, and Run.

use basin_core::job::{InputNorm, Job, LandscapeLoss, Precision};
use eframe::egui::{CollapsingHeader, Label, Panel, RichText, ScrollArea, Ui};

use crate::command::Command;
use crate::state::Side;
use crate::ui::estimates::Known;
use crate::ui::form::{Field, Form, Problem, Scaling, fitting_data};
use crate::ui::study::{Reading, Study};
use crate::ui::widgets::{
    choice_ui, count_words, duration_words, field_ui, heading_ui, palette, primary_button, problem_ui,
    segmented_ui, sentence,
};
use crate::ui::{Action, App, theme};

impl App {
    /// The job that the form describes for the selected checkpoint; none if there is no usable one.
    pub(crate) fn form_job(&self) -> Option<Result<Job, Vec<Problem>>> {
        let model = self.study.selected_model()?;
        let side = if self.state.side == Side::Evaluate { Side::Evaluate } else { Side::Landscape };
        Some(self.state.form.job(side, &model.path, model.summary.ready()?))
    }

    /// Draws the form.
    pub(crate) fn form_ui(&mut self, ui: &mut Ui) {
        let job = self.form_job();
        let problems = match &job {
            Some(Err(problems)) => problems.clone(),
            _ => Vec::new(),
        };
        let frame = theme::panel_frame(ui.visuals().dark_mode)
            .inner_margin(eframe::egui::Margin { top: 8, ..Default::default() });
        Panel::bottom("run").frame(frame).show(ui, |ui| self.run_ui(ui, job, &problems));
        let resolution =
            self.study.selected_model().and_then(|model| model.summary.ready()).map(|s| s.resolution);
        let side = self.state.side;
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            let mut form =
                Editor { form: &mut self.state.form, problems: &problems, actions: &mut self.actions };
            if side == Side::Landscape {
                form.landscape_ui(ui);
            } else {
                form.evaluate_ui(ui);
            }
            form.data_ui(ui, resolution);
            form.compute_ui(ui);
            ui.add_space(theme::GAP);
        });
    }

    /// Cost and Run, always in sight.
    fn run_ui(&mut self, ui: &mut Ui, job: Option<Result<Job, Vec<Problem>>>, problems: &[Problem]) {
        let whole = problems.iter().find(|problem| problem.field == Field::Whole);
        if let Some(problem) = whole {
            ui.add(Label::new(RichText::new(sentence(&problem.text)).color(palette(ui).error)).wrap());
        }
        let (words, job) = match job {
            None => (why_not(&self.study).to_owned(), None),
            Some(Err(_)) => ("A setting above cannot be used.".to_owned(), None),
            Some(Ok(job)) => (self.cost_words(ui, &job), Some(job)),
        };
        ui.add(Label::new(RichText::new(words).color(palette(ui).weak)).wrap());
        let text = if self.jobs.active() > 0 { "Run next" } else { "Run" };
        let width = ui.available_width();
        let run = primary_button(ui, text, job.is_some(), width).on_hover_text(Command::Run.tooltip());
        if let Some(job) = job.filter(|_| run.clicked()) {
            self.actions.push(Action::Run(Box::new(job)));
        }
    }

    fn cost_words(&mut self, ui: &Ui, job: &Job) -> String {
        let size = match job {
            Job::Landscape(landscape) => format!("{} grid points", count_words(landscape.cells())),
            Job::Evaluate(evaluate) => format!("{} images", count_words(evaluate.data.examples.len())),
        };
        let time = match self.estimate(ui.ctx(), job) {
            Known::Ready(estimate) if estimate.seconds < 1.0 => "less than 1 s".into(),
            Known::Ready(estimate) => format!("about {}", duration_words(estimate.seconds)),
            Known::Failed(error) => return sentence(&error),
            Known::Pending if self.jobs.active() > 0 => "time unknown while a job runs".into(),
            Known::Pending => "estimating the time…".into(),
        };
        format!("{size}, {time}")
    }
}

fn why_not(study: &Study) -> &'static str {
    match study.selected_model().map(|model| &model.summary) {
        None => "Open a checkpoint first.",
        Some(Reading::Pending) => "Reading the checkpoint…",
        Some(Reading::Failed(_)) => "The selected file cannot be used.",
        Some(Reading::Ready(_)) => "",
    }
}

/// Draws the groups of a form.
struct Editor<'a> {
    form: &'a mut Form,
    problems: &'a [Problem],
    actions: &'a mut Vec<Action>,
}

impl Editor<'_> {
    fn problem(&self, field: Field) -> Option<&str> {
        self.problems.iter().find(|problem| problem.field == field).map(|problem| problem.text.as_str())
    }

    fn landscape_ui(&mut self, ui: &mut Ui) {
        heading_ui(ui, "Directions");
        let dimensions = [
            (false, "1-D", "Along one direction: a curve"),
            (true, "2-D", "Along two directions: a surface"),
        ];
        segmented_ui(ui, &mut self.form.two_dimensional, &dimensions);
        let problem = self.problem(Field::Draw).map(str::to_owned);
        let draw = if self.form.two_dimensional { "Random draw x" } else { "Random draw" };
        field_ui(
            ui,
            draw,
            "Number of the random direction; another number, another direction",
            &mut self.form.draw,
            problem.as_deref(),
        );
        if self.form.two_dimensional {
            let problem = self.problem(Field::SecondDraw).map(str::to_owned);
            field_ui(
                ui,
                "Random draw y",
                "Number of the random direction along y",
                &mut self.form.second_draw,
                problem.as_deref(),
            );
        }
        let scalings = [
            (Scaling::Layer, "per layer"),
            (Scaling::Filter, "per filter"),
            (Scaling::Global, "whole model"),
            (Scaling::Paper, "paper's token"),
        ];
        choice_ui(
            ui,
            "Relative to",
            "What step 1 is relative to: the weights of each layer, of each output filter, or of the whole model",
            &mut self.form.scaling,
            &scalings,
        );
        if self.form.scaling == Scaling::Paper {
            let problem = self.problem(Field::Token).map(str::to_owned);
            field_ui(
                ui,
                "Token",
                "A normalization of the paper's program, such as layer_l2_05, with the paper's meaning",
                &mut self.form.token,
                problem.as_deref(),
            );
        } else {
            let problem = self.problem(Field::Radius).map(str::to_owned);
            field_ui(
                ui,
                "Radius",
                "Relative L2 norm of the weight change at step 1",
                &mut self.form.radius,
                problem.as_deref(),
            );
        }
        let problem = self.problem(Field::Range).map(str::to_owned);
        field_ui(
            ui,
            "Range",
            "Steps run from minus this to plus this",
            &mut self.form.range,
            problem.as_deref(),
        );
        let problem = self.problem(Field::Steps).map(str::to_owned);
        field_ui(
            ui,
            "Steps",
            "Grid points per axis; odd, so that the checkpoint itself is one of them",
            self.form.steps(),
            problem.as_deref(),
        );
        heading_ui(ui, "Loss");
        let losses = [
            (LandscapeLoss::Clean, "Clean", "On the images as they are"),
            (LandscapeLoss::Robust, "Robust", "On adversarial examples computed anew at every grid point"),
            (
                LandscapeLoss::RobustFixed,
                "Fixed",
                "Robust, on adversarial examples of the checkpoint itself, kept at every grid point",
            ),
        ];
        segmented_ui(ui, &mut self.form.loss, &losses);
        if self.form.loss != LandscapeLoss::Clean {
            self.attack_ui(ui);
        }
    }

    fn evaluate_ui(&mut self, ui: &mut Ui) {
        heading_ui(ui, "Attack");
        let attacks = [
            (false, "Clean", "Loss and error on the images as they are"),
            (true, "PGD", "Clean, and under projected gradient descent"),
        ];
        segmented_ui(ui, &mut self.form.attacked, &attacks);
        if self.form.attacked {
            self.attack_ui(ui);
        }
    }

    fn attack_ui(&mut self, ui: &mut Ui) {
        let fields = [Field::Epsilon, Field::AttackSteps, Field::StepSize, Field::Restarts];
        let wrong = fields.iter().any(|field| self.problem(*field).is_some());
        let norm = if self.form.norm == InputNorm::Linf { "L-inf" } else { "L2" };
        let title = format!("PGD-{}, {norm} {}", self.form.attack_steps.trim(), self.form.epsilon.trim());
        CollapsingHeader::new(title).id_salt("attack").open(wrong.then_some(true)).show_unindented(
            ui,
            |ui| {
                let norms = [(InputNorm::Linf, "L-inf"), (InputNorm::L2, "L2")];
                choice_ui(
                    ui,
                    "Norm",
                    "Geometry of the allowed change of the image",
                    &mut self.form.norm,
                    &norms,
                );
                let problem = self.problem(Field::Epsilon).map(str::to_owned);
                field_ui(
                    ui,
                    "Epsilon",
                    "Largest change, in pixel values from 0 to 1; fractions such as 8/255 are accepted",
                    &mut self.form.epsilon,
                    problem.as_deref(),
                );
                let problem = self.problem(Field::AttackSteps).map(str::to_owned);
                field_ui(
                    ui,
                    "Iterations",
                    "Updates of the attack",
                    &mut self.form.attack_steps,
                    problem.as_deref(),
                );
                let problem = self.problem(Field::StepSize).map(str::to_owned);
                field_ui(
                    ui,
                    "Step size",
                    "Change per update; fractions are accepted",
                    &mut self.form.step_size,
                    problem.as_deref(),
                );
                let problem = self.problem(Field::Restarts).map(str::to_owned);
                field_ui(
                    ui,
                    "Restarts",
                    "Independent starts; the worst per image counts",
                    &mut self.form.restarts,
                    problem.as_deref(),
                );
            },
        );
    }

    fn data_ui(&mut self, ui: &mut Ui, resolution: Option<[usize; 3]>) {
        heading_ui(ui, "Images");
        let fitting =
            resolution.map_or_else(|| "automatic".into(), |r| format!("automatic ({})", fitting_data(r).1));
        let folder = self.form.data.clone();
        let mut options = vec![
            (String::new(), fitting.as_str()),
            ("bundled".to_owned(), "bundled CIFAR-10"),
            ("cifar10".to_owned(), "CIFAR-10"),
            ("mnist".to_owned(), "MNIST"),
            ("fashion-mnist".to_owned(), "Fashion-MNIST"),
        ];
        if !options.iter().any(|(name, _)| *name == folder) {
            options.push((folder.clone(), &folder));
        }
        let choose = "\u{0}choose";
        options.push((choose.to_owned(), "Folder…"));
        let mut chosen = folder.clone();
        choice_ui(ui, "Data set", "Where the images come from", &mut chosen, &options);
        if chosen == choose {
            self.actions.push(Action::ChooseData);
        } else {
            self.form.data = chosen;
        }
        problem_ui(ui, self.problem(Field::Data).map(str::to_owned).as_deref());
        let problem = self.problem(Field::Examples).map(str::to_owned);
        field_ui(
            ui,
            "Examples",
            "Split and index range, such as test:0..100; the end is not included",
            &mut self.form.examples,
            problem.as_deref(),
        );
    }

    fn compute_ui(&mut self, ui: &mut Ui) {
        heading_ui(ui, "Computing");
        let problem = self.problem(Field::Seed).map(str::to_owned);
        field_ui(ui, "Seed", "Of every random number of the job", &mut self.form.seed, problem.as_deref());
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
        choice_ui(
            ui,
            "Device",
            "Where to compute; automatic: the GPU if there is one",
            &mut self.form.device,
            &devices,
        );
        let precisions = [
            (Precision::Auto, "automatic"),
            (Precision::F32, "f32"),
            (Precision::Tf32, "tf32"),
            (Precision::Bf16, "bf16"),
            (Precision::F64, "f64"),
        ];
        choice_ui(
            ui,
            "Search precision",
            "Of the search for perturbations; every reported loss is float32",
            &mut self.form.precision,
            &precisions,
        );
        let problem = self.problem(Field::BatchSize).map(str::to_owned);
        field_ui(
            ui,
            "Batch size",
            "Images at a time; empty: chosen for the device",
            &mut self.form.batch_size,
            problem.as_deref(),
        );
    }
}
