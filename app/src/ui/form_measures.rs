//! The groups of the form that flatness and AutoAttack have for themselves.

use basin_core::job::{Case, FlatnessLoss, InputNorm, Sampling, Scope};
use eframe::egui::{Checkbox, CollapsingHeader, Ui};

use crate::ui::form::{Field, TensorChoice, VersionChoice};
use crate::ui::form_editor::Editor;
use crate::ui::widgets::{choice_ui, heading_ui, segmented_ui};

impl Editor<'_> {
    pub fn flatness_ui(&mut self, ui: &mut Ui) {
        heading_ui(ui, "Flatness");
        let losses = [
            (FlatnessLoss::Clean, "Clean loss", "On the images as they are"),
            (FlatnessLoss::Robust, "Robust loss", "On adversarial examples, anew for every perturbation"),
        ];
        segmented_ui(ui, &mut self.form.flatness_loss, &losses);
        let cases = [
            (Case::Average, "Average", "Random perturbations of the weights: the mean counts"),
            (Case::Worst, "Worst", "Perturbations found by gradient descent: the largest loss counts"),
        ];
        segmented_ui(ui, &mut self.form.case, &cases);
        self.field_ui(ui, Field::Radii);
        self.field_ui(ui, Field::Draws);
        let tip = "Perturb one tensor at a time, too: which layers are sharp";
        ui.add(Checkbox::new(&mut self.form.per_layer, "Each layer by itself, too")).on_hover_text(tip);
        self.perturbation_ui(ui);
        if self.form.flatness_loss == FlatnessLoss::Robust {
            self.attack_ui(ui);
        }
    }

    fn perturbation_ui(&mut self, ui: &mut Ui) {
        let mut fields = vec![Field::Tensors];
        if self.form.case == Case::Worst {
            fields.extend([Field::Epochs, Field::WeightStep]);
        }
        if self.form.flatness_loss == FlatnessLoss::Robust {
            fields.push(Field::ReferenceRestarts);
        }
        let wrong = fields.iter().any(|field| self.problem(*field).is_some());
        let scopes =
            [(Scope::Layer, "per layer"), (Scope::Filter, "per filter"), (Scope::Global, "whole model")];
        let scope = scopes.iter().find(|(scope, _)| *scope == self.form.scope).map_or("", |(_, name)| name);
        CollapsingHeader::new(format!("Perturbation, {scope}"))
            .id_salt("perturbation")
            .open(wrong.then_some(true))
            .show_unindented(ui, |ui| {
                let tip = "What a radius is relative to: the weights of each layer, of each output filter, or of the whole model";
                choice_ui(ui, "Relative to", tip, &mut self.form.scope, &scopes);
                if self.form.case == Case::Average {
                    let samplings = [
                        (Sampling::Sphere, "on the sphere"),
                        (Sampling::Ball, "in the ball"),
                        (Sampling::UniformNorm, "uniform norm"),
                    ];
                    let tip = "Where random perturbations lie; the paper draws them on the sphere";
                    choice_ui(ui, "Sampling", tip, &mut self.form.sampling, &samplings);
                }
                let tensors = [
                    (TensorChoice::NoNormalization, "all but norms"),
                    (TensorChoice::All, "all trained"),
                    (TensorChoice::NoBias, "no norms, no biases"),
                    (TensorChoice::Named, "by name"),
                ];
                let tip = "Which tensors are perturbed; the paper leaves out normalization layers";
                choice_ui(ui, "Tensors", tip, &mut self.form.tensors, &tensors);
                if self.form.tensors == TensorChoice::Named {
                    self.field_ui(ui, Field::Tensors);
                }
                for field in fields.iter().filter(|field| **field != Field::Tensors) {
                    self.field_ui(ui, *field);
                }
            });
    }

    pub fn autoattack_ui(&mut self, ui: &mut Ui) {
        heading_ui(ui, "AutoAttack");
        let versions = [
            (VersionChoice::Standard, "standard"),
            (VersionChoice::Paper, "paper's (no Square)"),
            (VersionChoice::Plus, "plus"),
            (VersionChoice::Rand, "rand"),
            (VersionChoice::Es, "early stopping"),
            (VersionChoice::Own, "own list"),
        ];
        let tip = "standard: APGD-CE, APGD-T, FAB-T, Square; the paper's: FAB-T, APGD-CE, APGD-T; plus: all six with restarts; rand: for networks that answer randomly";
        choice_ui(ui, "Version", tip, &mut self.form.version, &versions);
        if self.form.version == VersionChoice::Own {
            self.field_ui(ui, Field::Attacks);
        }
        let norms = [(InputNorm::Linf, "L-inf"), (InputNorm::L2, "L2")];
        choice_ui(ui, "Norm", "Geometry of the allowed change of the image", &mut self.form.norm, &norms);
        self.field_ui(ui, Field::Epsilon);
        self.keep_ui(ui);
    }

    /// Whether adversarial examples are kept.
    pub fn keep_ui(&mut self, ui: &mut Ui) {
        let tip = "In a file beside the record; the Examples tab shows them";
        ui.add(Checkbox::new(&mut self.form.keep_examples, "Keep adversarial examples")).on_hover_text(tip);
    }
}
