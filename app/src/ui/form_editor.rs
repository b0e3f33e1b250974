//! The groups of the form: directions, loss, attack, images, computing.

use basin_core::attack::fraction;
use basin_core::job::{InputNorm, LandscapeLoss, Pgd, Precision};
use eframe::egui::{Checkbox, CollapsingHeader, Ui};

use crate::state::Measure;
use crate::ui::Action;
use crate::ui::form::{Field, Form, Inputs, Problem, Scaling, fitting_data};
use crate::ui::widgets::{choice_ui, heading_ui, marked_field_ui, segmented_ui};

/// Draws the groups of a form.
pub(crate) struct Editor<'a> {
    pub form: &'a mut Form,
    pub measure: Measure,
    pub problems: &'a [Problem],
    pub actions: &'a mut Vec<Action>,
}

impl Editor<'_> {
    pub fn problem(&self, field: Field) -> Option<&str> {
        self.problems.iter().find(|problem| problem.field == Some(field)).map(|problem| problem.text.as_str())
    }

    /// A field; whether it was changed.
    pub fn field_ui(&mut self, ui: &mut Ui, field: Field) -> bool {
        let (label, tooltip) = field.label_and_tooltip();
        let problem = self.problems.iter().find(|problem| problem.field == Some(field));
        let problem = problem.map(|problem| problem.text.as_str());
        let text = self.form.text_mut(self.measure, field);
        marked_field_ui(ui, label, tooltip, field.hint(), text, problem)
    }

    /// A field that is the user's own unless a name stands for it.
    fn own_field_ui(&mut self, ui: &mut Ui, field: Field) {
        self.own_ui(ui, |form, ui| {
            form.field_ui(ui, field);
        });
    }

    pub fn landscape_ui(&mut self, ui: &mut Ui) {
        heading_ui(ui, "Directions");
        let dimensions = [
            (false, "1-D", "Along one direction: a curve"),
            (true, "2-D", "Along two directions: a surface"),
        ];
        segmented_ui(ui, &mut self.form.two_dimensional, &dimensions);
        self.field_ui(ui, Field::Draw);
        if self.form.two_dimensional {
            self.field_ui(ui, Field::SecondDraw);
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
            self.field_ui(ui, Field::Token);
        } else {
            self.field_ui(ui, Field::Radius);
        }
        self.field_ui(ui, Field::Range);
        self.field_ui(ui, Field::Steps);
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

    pub fn evaluate_ui(&mut self, ui: &mut Ui) {
        heading_ui(ui, "Attack");
        self.name_ui(ui);
        let inputs = [
            (Inputs::Clean, "Clean", "Loss and error on the images as they are"),
            (Inputs::Pgd, "PGD", "Clean, and under projected gradient descent"),
            (Inputs::Stored, "Stored", "Clean, and on adversarial examples that an earlier record kept"),
        ];
        self.own_ui(ui, |form, ui| segmented_ui(ui, &mut form.form.inputs, &inputs));
        match self.form.inputs {
            Inputs::Clean => {}
            Inputs::Pgd => {
                self.attack_ui(ui);
                self.own_field_ui(ui, Field::MoreAttacks);
                let tip = "Mean loss and error at every iteration, in the record; the Curves tab draws them";
                ui.add(Checkbox::new(&mut self.form.log_steps, "Log every iteration")).on_hover_text(tip);
            }
            Inputs::Stored => self.own_field_ui(ui, Field::Stored),
        }
        if self.form.inputs != Inputs::Clean {
            self.keep_ui(ui);
        }
        if self.form.inputs == Inputs::Pgd && self.form.keep_examples {
            let tip = "Not only the worst restart per image: what a transfer to other networks needs";
            ui.add(Checkbox::new(&mut self.form.keep_attempts, "… of every restart")).on_hover_text(tip);
        }
        let tip = "Of all classes, clean and of every restart, in a file beside the record";
        ui.add(Checkbox::new(&mut self.form.keep_probabilities, "Keep probabilities")).on_hover_text(tip);
    }

    pub fn attack_ui(&mut self, ui: &mut Ui) {
        let fields = [Field::Epsilon, Field::AttackSteps, Field::StepSize, Field::Restarts];
        let wrong = fields.iter().any(|field| self.problem(*field).is_some());
        let attack = self.form.pgd_mut(self.measure);
        let title = format!("PGD-{}, {} {}", attack.steps.trim(), attack.norm, attack.epsilon.trim());
        CollapsingHeader::new(title)
            .id_salt(("attack", self.measure))
            .open(wrong.then_some(true))
            .show_unindented(ui, |ui| {
                self.own_ui(ui, |form, ui| {
                    let attack = form.form.pgd_mut(form.measure);
                    if norm_ui(ui, &mut attack.norm) {
                        let (epsilon, steps) = (attack.norm.usual_epsilon(), attack.steps.trim().parse());
                        let step_size = Pgd::usual_step_size(attack.norm, epsilon, steps.unwrap_or(20));
                        (attack.epsilon, attack.step_size) = (fraction(epsilon), step_size.to_string());
                    }
                    for field in fields {
                        form.field_ui(ui, field);
                    }
                })
            });
    }

    pub fn data_ui(&mut self, ui: &mut Ui, resolution: Option<[usize; 3]>) {
        heading_ui(ui, "Images");
        let fitting =
            resolution.map_or_else(|| "automatic".into(), |r| format!("automatic ({})", fitting_data(r).1));
        if data_set_ui(ui, "Data set", "Where the images come from", &fitting, &mut self.form.data) {
            self.actions.push(Action::ChooseData);
        }
        self.field_ui(ui, Field::Examples);
    }

    pub fn compute_ui(&mut self, ui: &mut Ui) {
        heading_ui(ui, "Computing");
        self.field_ui(ui, Field::Seed);
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
        self.field_ui(ui, Field::BatchSize);
    }
}

/// Chooses the geometry of an attack; whether it was changed, and with it what sizes are usual.
pub(crate) fn norm_ui(ui: &mut Ui, norm: &mut InputNorm) -> bool {
    let norms = [(InputNorm::Linf, "L-inf"), (InputNorm::L2, "L2"), (InputNorm::L1, "L1")];
    choice_ui(ui, "Norm", "Geometry of the allowed change of the image", norm, &norms)
}

/// Choice of a data set, whose first option is none in particular; whether a folder is to be chosen instead.
pub(super) fn data_set_ui(ui: &mut Ui, label: &str, tooltip: &str, none: &str, data: &mut String) -> bool {
    let folder = data.clone();
    let mut options = vec![
        (String::new(), none),
        ("bundled".to_owned(), "CIFAR-10, bundled"),
        ("cifar10".to_owned(), "CIFAR-10, whole"),
        ("mnist".to_owned(), "MNIST"),
        ("fashion-mnist".to_owned(), "Fashion-MNIST"),
    ];
    if !options.iter().any(|(name, _)| *name == folder) {
        options.push((folder.clone(), &folder));
    }
    let choose = "\u{0}choose";
    options.push((choose.to_owned(), "Folder…"));
    let mut chosen = folder.clone();
    choice_ui(ui, label, tooltip, &mut chosen, &options);
    let wants_folder = chosen == choose;
    if !wants_folder {
        *data = chosen;
    }
    wants_folder
}
