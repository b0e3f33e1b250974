//! The groups of the form that flatness, AutoAttack and benchmarks have for themselves.

use basin_core::attack::fraction;
use basin_core::attack::names::{GROUPS, group};
use basin_core::job::{Case, FlatnessLoss, InputNorm, JointSearch, Sampling, Scope, WeightNorm};
use eframe::egui::{Checkbox, CollapsingHeader, Label, RichText, Ui};

use crate::ui::form::{Field, TensorChoice, VersionChoice};
use crate::ui::form_editor::{Editor, norm_ui};
use crate::ui::form_fill::{meaning, named_job};
use crate::ui::form_reader::takes;
use crate::ui::widgets::{choice_ui, count, heading_ui, palette, segmented_ui, sentence};

impl Editor<'_> {
    pub fn flatness_ui(&mut self, ui: &mut Ui) {
        heading_ui(ui, "Flatness");
        self.name_ui(ui);
        self.own_ui(ui, |form, ui| {
            let losses = [
                (FlatnessLoss::Clean, "Clean loss", "On the images as they are"),
                (FlatnessLoss::Robust, "Robust loss", "On adversarial examples, anew for every perturbation"),
            ];
            segmented_ui(ui, &mut form.form.flatness_loss, &losses);
            let cases = [
                (Case::Average, "Average", "Random perturbations of the weights: the mean counts"),
                (Case::Worst, "Worst", "Perturbations found by gradient descent: the largest loss counts"),
            ];
            segmented_ui(ui, &mut form.form.case, &cases);
            form.field_ui(ui, Field::Radii);
            form.field_ui(ui, Field::Draws);
            if form.form.case == Case::Average {
                form.field_ui(ui, Field::Until);
                if form.form.flatness_loss == FlatnessLoss::Robust {
                    let tip = "Further draws on clean images and under the first steps of the attack make the mean over draws more certain, in at most a third more time";
                    ui.add(Checkbox::new(&mut form.form.levels, "Multilevel estimate")).on_hover_text(tip);
                }
            }
        });
        let tip = "Perturb one tensor at a time, too: which layers are sharp";
        ui.add(Checkbox::new(&mut self.form.per_layer, "Each layer by itself, too")).on_hover_text(tip);
        let tip = "As checkpoints in a folder beside the record, every draw; in the worst case of the robust loss with its adversarial examples";
        ui.add(Checkbox::new(&mut self.form.keep_networks, "Keep perturbed networks")).on_hover_text(tip);
        self.perturbation_ui(ui);
        if self.form.flatness_loss == FlatnessLoss::Robust {
            self.attack_ui(ui);
        }
    }

    fn perturbation_ui(&mut self, ui: &mut Ui) {
        let mut fields = vec![Field::Tensors];
        match self.form.case {
            Case::Average => fields.push(Field::WorstOf),
            Case::Worst => fields.extend([Field::Epochs, Field::WeightStep]),
        }
        if self.form.flatness_loss == FlatnessLoss::Robust {
            fields.push(Field::ReferenceRestarts);
        }
        // Last: what it asks for in addition follows it.
        if self.form.searches_weights_alone() {
            fields.push(Field::LossBound);
        }
        let wrong = fields.iter().any(|field| self.problem(*field).is_some());
        let scopes =
            [(Scope::Layer, "per layer"), (Scope::Filter, "per filter"), (Scope::Global, "whole model")];
        let scope = scopes.iter().find(|(scope, _)| *scope == self.form.scope).map_or("", |(_, name)| name);
        let norm = if self.form.weight_norm == WeightNorm::Linf { ", L-inf" } else { "" };
        CollapsingHeader::new(format!("Perturbation, {scope}{norm}"))
            .id_salt("perturbation")
            .open(wrong.then_some(true))
            .show_unindented(ui, |ui| self.own_ui(ui, |form, ui| {
                let tip = "What a radius is relative to: the weights of each layer, of each output filter, or of the whole model";
                choice_ui(ui, "Relative to", tip, &mut form.form.scope, &scopes);
                let norms = [(WeightNorm::L2, "L2"), (WeightNorm::Linf, "L-inf (largest entry)")];
                let tip = "How perturbations, and the weights they are relative to, are measured; the paper's is L2";
                choice_ui(ui, "Weight norm", tip, &mut form.form.weight_norm, &norms);
                if form.form.case == Case::Average {
                    let samplings = [
                        (Sampling::Sphere, "on the sphere"),
                        (Sampling::Ball, "in the ball"),
                        (Sampling::UniformNorm, "uniform norm"),
                    ];
                    let tip = "Where random perturbations lie; the paper draws them on the sphere";
                    choice_ui(ui, "Sampling", tip, &mut form.form.sampling, &samplings);
                }
                let tensors = [
                    (TensorChoice::NoNormalization, "all but norms"),
                    (TensorChoice::All, "all trained"),
                    (TensorChoice::NoBias, "no norms, no biases"),
                    (TensorChoice::Named, "by name"),
                ];
                let tip = "Which tensors are perturbed; the paper leaves out normalization layers";
                choice_ui(ui, "Tensors", tip, &mut form.form.tensors, &tensors);
                if form.form.tensors == TensorChoice::Named {
                    form.field_ui(ui, Field::Tensors);
                }
                form.search_ui(ui);
                for field in fields.iter().filter(|field| **field != Field::Tensors) {
                    form.field_ui(ui, *field);
                }
                if fields.contains(&Field::LossBound) && !form.form.loss_bound.trim().is_empty() {
                    let tip = "Refuse steps that would take the loss of a batch beyond the bound, and not only those that begin there";
                    ui.add(Checkbox::new(&mut form.form.early_stopping, "Stop before the bound")).on_hover_text(tip);
                }
            }));
    }

    /// How the worst weights are searched.
    fn search_ui(&mut self, ui: &mut Ui) {
        if self.form.case == Case::Average {
            return;
        }
        if self.form.flatness_loss == FlatnessLoss::Robust {
            let searches = [
                (JointSearch::Simultaneous, "weights with inputs"),
                (JointSearch::Sequential, "weights, then inputs"),
            ];
            let tip = "Move weights and inputs by the same steps, as the paper does, or first the weights on the clean loss and then the inputs";
            choice_ui(ui, "Search", tip, &mut self.form.joint, &searches);
        }
        let starts = [
            (Some(Sampling::UniformNorm), "uniform norm"),
            (Some(Sampling::Sphere), "on the sphere"),
            (Some(Sampling::Ball), "in the ball"),
            (None, "unperturbed"),
        ];
        let tip = "Where the search starts: at random weights (the paper's have uniform norm) or at the unperturbed ones";
        choice_ui(ui, "Start", tip, &mut self.form.weight_start, &starts);
    }

    pub fn autoattack_ui(&mut self, ui: &mut Ui) {
        heading_ui(ui, "AutoAttack");
        self.name_ui(ui);
        self.own_ui(ui, Self::ensemble_ui);
        self.advanced_ui(ui);
        self.keep_ui(ui);
    }

    fn ensemble_ui(&mut self, ui: &mut Ui) {
        let versions = [
            (VersionChoice::Standard, "standard"),
            (VersionChoice::Paper, "paper's (no Square)"),
            (VersionChoice::Plus, "plus"),
            (VersionChoice::Rand, "rand"),
            (VersionChoice::Es, "early stopping"),
            (VersionChoice::Own, "own list"),
        ];
        let tip = "standard: APGD-CE, APGD-T, FAB-T, Square; the paper's: FAB-T, APGD-CE, APGD-T; plus: all six with restarts; rand: for networks that answer randomly";
        choice_ui(ui, "Version", tip, &mut self.form.ensemble.version, &versions);
        if self.form.ensemble.version == VersionChoice::Own {
            self.field_ui(ui, Field::Attacks);
        }
        if norm_ui(ui, &mut self.form.ensemble.norm) {
            self.form.ensemble.epsilon = fraction(self.form.ensemble.norm.usual_epsilon());
        }
        self.field_ui(ui, Field::Epsilon);
    }

    fn advanced_ui(&mut self, ui: &mut Ui) {
        let version = self.form.ensemble.version().unwrap_or_default();
        let mut fields = vec![Field::EnsembleSteps, Field::EnsembleRestarts, Field::Targets, Field::Queries];
        fields.extend([Field::Eot, Field::Rho, Field::Alpha, Field::Eta, Field::Beta, Field::AlphaMax]);
        fields.push(Field::PInit);
        fields.retain(|field| takes(&version, *field));
        let l1 = self.form.ensemble.norm == InputNorm::L1;
        fields.retain(|field| !l1 || *field != Field::Rho);
        let wrong = fields.iter().any(|field| self.problem(*field).is_some());
        CollapsingHeader::new("Advanced").id_salt("ensemble").open(wrong.then_some(true)).show_unindented(
            ui,
            |ui| {
                self.own_ui(ui, |form, ui| {
                    for field in fields {
                        form.field_ui(ui, field);
                    }
                    let text = &mut form.form.ensemble;
                    let check = |ui: &mut Ui, on: &mut bool, label: &str, tip: &str| {
                        ui.add(Checkbox::new(on, label)).on_hover_text(tip);
                    };
                    let tip = "Every attack gets all correctly classified images, not only those that the attacks before it left";
                    check(ui, &mut text.individual, "Each attack alone", tip);
                    if l1 && takes(&version, Field::Alpha) {
                        let tip = "APGD takes all steps in the ball of radius epsilon, not first in balls of 3 and 2 epsilon";
                        check(ui, &mut text.tuning.single_radius, "APGD: single radius", tip);
                    }
                    if takes(&version, Field::PInit) {
                        let tip = "The schedule of Square's sizes, made for 10,000 queries, fits the number of queries";
                        check(ui, &mut text.tuning.rescale_schedule, "Square: rescale schedule", tip);
                    }
                });
            },
        );
    }

    pub fn benchmark_ui(&mut self, ui: &mut Ui) {
        heading_ui(ui, "Benchmark");
        let mut groups: Vec<(String, &str)> =
            GROUPS.iter().map(|(name, _)| ((*name).to_owned(), *name)).collect();
        groups.push((String::new(), "own list"));
        let tip = "Attacks that the paper runs together, as one job with one record";
        let chosen = &mut self.form.benchmark.group;
        choice_ui(ui, "Group", tip, chosen, &groups);
        let weak = palette(ui).weak;
        let Some((name, what)) = GROUPS.iter().find(|(name, _)| name == chosen) else {
            self.field_ui(ui, Field::Names);
            return;
        };
        ui.add(
            Label::new(
                RichText::new(sentence(what.split(':').next().unwrap_or(what)) + ".").small().color(weak),
            )
            .wrap(),
        );
        let names = group(name).unwrap_or_default();
        CollapsingHeader::new(count(names.len(), "attack")).id_salt("members").show_unindented(ui, |ui| {
            for name in names {
                ui.add(Label::new(RichText::new(&name).small().color(weak)).truncate()).on_hover_text(name);
            }
        });
    }

    /// Whether a name of the paper says what is measured.
    pub fn is_named(&self) -> bool {
        self.form.paper_name(self.measure).is_some()
    }

    /// Settings that are the user's own unless a name stands for them.
    pub fn own_ui(&mut self, ui: &mut Ui, settings: impl FnOnce(&mut Self, &mut Ui)) {
        ui.add_enabled_ui(!self.is_named(), |ui| settings(self, ui));
    }

    /// A name of the paper in place of settings; they show what it stands for.
    pub fn name_ui(&mut self, ui: &mut Ui) {
        let changed = self.field_ui(ui, Field::Name);
        let Some(name) = self.form.paper_name(self.measure) else { return };
        let Ok(job) = named_job(self.measure, name) else { return };
        if changed {
            self.form.fill(&job);
        }
        let words = sentence(&meaning(&job)) + ". Empty the name to change its settings.";
        ui.add(Label::new(RichText::new(words).small().color(palette(ui).weak)).wrap());
    }

    /// Whether adversarial examples are kept.
    pub fn keep_ui(&mut self, ui: &mut Ui) {
        let tip = "In a file beside the record; the Examples tab shows them";
        ui.add(Checkbox::new(&mut self.form.keep_examples, "Keep adversarial examples")).on_hover_text(tip);
    }
}
