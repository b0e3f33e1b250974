//! The Model tab: what the selected checkpoint is, its architecture, and every tensor.

mod architecture;
mod assume;
mod block;
mod facts;
mod kinds;
mod readings;
mod sparkline;
mod state;
mod tensors;

use basin_core::checkpoint::{Assumptions, Summary, assuming};
use eframe::egui::{Frame, Label, Margin, RichText, ScrollArea, Ui};

pub(crate) use state::ModelState;

use crate::ui::Action;
use crate::ui::open_buttons::open_buttons_ui;
use crate::ui::session::{Model, Reading, Session};
use crate::ui::widgets::{empty_ui, heading_ui, palette, sentence};

/// Draws the view.
pub(crate) fn ui(ui: &mut Ui, session: &Session, state: &mut ModelState, actions: &mut Vec<Action>) {
    let Some(model) = session.selected_model() else {
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
            state.follow(model, summary);
            ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                Frame::new()
                    .inner_margin(Margin::symmetric(18, 12))
                    .show(ui, |ui| summary_ui(ui, model, summary, state, actions));
            });
        }
    }
}

fn summary_ui(
    ui: &mut Ui,
    model: &Model,
    summary: &Summary,
    state: &mut ModelState,
    actions: &mut Vec<Action>,
) {
    ui.label(RichText::new(&summary.model).heading());
    ui.add(Label::new(RichText::new(model.path.display().to_string()).color(palette(ui).weak)).truncate());
    // What a probe tells stands with its readings.
    let told = summary.probe.as_ref().map(|probe| probe.notice(&summary.assumed));
    for notice in summary.notices.iter().filter(|notice| Some(*notice) != told.as_ref()) {
        let is_warning = notice.starts_with("warning: ");
        let color = if is_warning { palette(ui).warning } else { palette(ui).weak };
        ui.add(Label::new(RichText::new(sentence(notice)).color(color)).wrap());
    }
    networks_ui(ui, model, summary, actions);
    ui.add_space(6.0);
    facts::ui(ui, model, summary);
    readings::ui(ui, model, summary, actions);
    assume::ui(ui, model, summary, &mut state.form, actions);
    facts::stored_ui(ui, summary);
    if !summary.outline.is_empty() {
        heading_ui(ui, "Architecture");
        architecture::ui(ui, &summary.outline, state);
    }
    heading_ui(ui, "Tensors");
    tensors::ui(ui, model, summary, state, actions);
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
