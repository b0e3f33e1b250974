//! What the selected checkpoint is: summary, topology, and every tensor.

use basin_core::checkpoint::{Assumptions, Role, Summary, assuming};
use basin_core::record::Evaluation;
use eframe::egui::{CollapsingHeader, Frame, Grid, Label, Margin, RichText, ScrollArea, Ui};

use crate::ui::study::{Model, Reading, Study};
use crate::ui::tabs::open_buttons_ui;
use crate::ui::widgets::{bytes_words, count_words, empty_ui, facts_ui, heading_ui, palette, sentence};
use crate::ui::{Action, form};

/// Draws the view.
pub(crate) fn ui(ui: &mut Ui, study: &Study, actions: &mut Vec<Action>) {
    let Some(model) = study.selected_model() else {
        empty_ui(
            ui,
            "No checkpoint is open",
            "Open a checkpoint of an adversarially trained network, or drop one anywhere on this window.",
            |ui| open_buttons_ui(ui, actions),
        );
        return;
    };
    match &model.summary {
        Reading::Pending => empty_ui(ui, "Reading…", &model.path.display().to_string(), |ui| {
            ui.spinner();
        }),
        Reading::Failed(error) => empty_ui(ui, "This file cannot be used", &sentence(error), |_| ()),
        Reading::Ready(summary) => {
            ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                Frame::new()
                    .inner_margin(Margin::symmetric(18, 12))
                    .show(ui, |ui| summary_ui(ui, model, summary, actions));
            });
        }
    }
}

/// Buttons that open the other networks of the file.
fn networks_ui(ui: &mut Ui, model: &Model, summary: &Summary, actions: &mut Vec<Action>) {
    let [used, others @ ..] = summary.networks.as_slice() else { return };
    ui.horizontal_wrapped(|ui| {
        ui.label(format!("Network {used}"));
        for other in others {
            let tooltip = "Opens this network of the same file as a checkpoint of its own";
            if ui.button(format!("Open {other}")).on_hover_text(tooltip).clicked() {
                let chosen = Assumptions { weights: Some(other.clone()), ..Assumptions::default() };
                actions.push(Action::Open(vec![assuming(&model.path, &chosen)]));
            }
        }
    });
}

fn summary_ui(ui: &mut Ui, model: &Model, summary: &Summary, actions: &mut Vec<Action>) {
    ui.label(RichText::new(&summary.model).heading());
    ui.add(Label::new(RichText::new(model.path.display().to_string()).color(palette(ui).weak)).truncate());
    for notice in &summary.notices {
        ui.add(Label::new(RichText::new(sentence(notice)).color(palette(ui).warning)).wrap());
    }
    networks_ui(ui, model, summary, actions);
    if let Some(probing) = &model.probing {
        ui.horizontal(|ui| {
            ui.spinner();
            ui.label(format!(
                "Trying what the file leaves open on labelled images, {:.0} %",
                100.0 * probing.share()
            ));
        });
        ui.ctx().request_repaint_after(std::time::Duration::from_millis(200));
    }
    ui.add_space(6.0);
    let [channels, height, width] = summary.resolution;
    let epoch = summary.epoch.map_or_else(|| "not stored".to_owned(), |epoch| epoch.to_string());
    let facts = [
        ("Clean error", sanity_words(&model.sanity, summary)),
        ("Parameters", count_words(summary.parameters)),
        ("Input", format!("{channels} × {height} × {width}, {} classes", summary.classes)),
        ("Preprocessing", summary.preprocessing.clone()),
        ("Normalization", normalization_words(&summary.normalization)),
        ("Activation", summary.activation.clone()),
        ("Epoch", epoch),
        ("Container", format!("{}, {}", summary.container, bytes_words(summary.bytes))),
        ("SHA-256", summary.hash.get(..16).unwrap_or(&summary.hash).to_owned()),
    ];
    let beside = (!summary.set_aside.is_empty()).then(|| ("Set aside", summary.set_aside.join(", ")));
    facts_ui(ui, "summary", &facts.into_iter().chain(beside).collect::<Vec<_>>());
    heading_ui(ui, "Topology");
    ui.scope(|ui| {
        ui.spacing_mut().interact_size.y = 18.0;
        ui.spacing_mut().item_spacing.y = 3.0;
        topology_ui(ui, &summary.topology);
    });
    heading_ui(ui, "Tensors");
    tensors_ui(ui, summary);
}

/// `12.5 % on the first 200 test images (CIFAR-10)`.
fn sanity_words(sanity: &Reading<Box<Evaluation>>, summary: &Summary) -> String {
    match sanity {
        Reading::Pending => "being measured…".into(),
        Reading::Failed(error) => format!("not measured: {error}"),
        Reading::Ready(evaluation) => format!(
            "{:.1} % on the first {} test images ({})",
            100.0 * evaluation.clean.error,
            evaluation.clean.per_example.index.len(),
            form::fitting_data(summary.resolution).1
        ),
    }
}

fn normalization_words(token: &str) -> String {
    match token {
        "bn" => "batch normalization (bn)".into(),
        "rebn" => "reparameterized batch normalization (rebn)".into(),
        "fixedbn" => "batch normalization without affine parameters (fixedbn)".into(),
        "gn" => "group normalization (gn)".into(),
        "fixedgn" => "group normalization without affine parameters (fixedgn)".into(),
        other => other.to_owned(),
    }
}

/// Indented lines as nested, collapsible nodes.
fn topology_ui(ui: &mut Ui, lines: &[String]) {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let children = lines[at + 1..].iter().take_while(|next| depth(next) > depth(line)).count();
        let text = RichText::new(line.trim_start()).monospace();
        if children == 0 {
            ui.horizontal(|ui| {
                ui.add_space(18.0);
                ui.label(text);
            });
        } else {
            CollapsingHeader::new(text)
                .id_salt((at, line))
                .show(ui, |ui| topology_ui(ui, &lines[at + 1..=at + children]));
        }
        at += 1 + children;
    }
}

fn tensors_ui(ui: &mut Ui, summary: &Summary) {
    let p = palette(ui);
    Grid::new("tensors").striped(true).num_columns(5).spacing([20.0, 3.0]).show(ui, |ui| {
        for head in ["Name", "Shape", "Numbers", "L2 norm", "Role"] {
            ui.label(RichText::new(head).small().color(p.weak));
        }
        ui.end_row();
        for tensor in &summary.tensors {
            let shape: Vec<String> = tensor.shape.iter().map(ToString::to_string).collect();
            let numbers = tensor.shape.iter().product::<i64>().unsigned_abs() as usize;
            let role = match tensor.role {
                Role::Weight => "weight, moved",
                Role::Normalization => "normalization, fixed",
                Role::Frozen => "frozen",
                Role::Buffer => "statistics",
            };
            ui.label(RichText::new(&tensor.name).monospace());
            ui.label(if shape.is_empty() { "scalar".to_owned() } else { shape.join(" × ") });
            ui.label(count_words(numbers));
            ui.label(format!("{:.4}", tensor.l2_norm));
            ui.label(RichText::new(role).color(p.weak));
            ui.end_row();
        }
    });
}
