//! The dialog before a study is measured: what is missing, and what it costs.

use std::collections::BTreeMap;
use std::sync::Arc;

use basin_core::study::{self, Planned};
use eframe::egui::{Grid, Label, RichText, Ui};

use crate::jobs::Engine;
use crate::ui::session::Reading;
use crate::ui::study::{Message, Place, StudyView};
use crate::ui::widgets::{count, dialog_ui, duration_words, palette, primary_button, sentence};
use crate::ui::{Action, theme};

/// What is to be measured if the user says so.
pub(crate) struct Asked {
    pub planned: Arc<Vec<Planned>>,
    /// Seconds that it takes on this machine.
    pub cost: Reading<f64>,
}

/// The cost of what is missing, from a worker thread.
#[derive(Debug, Clone)]
pub struct Estimated {
    /// What it was computed for.
    pub of: Arc<Vec<Planned>>,
    /// Seconds, or why they are not known.
    pub cost: Result<f64, String>,
}

impl Estimated {
    /// Estimates by trials; costs seconds itself.
    pub fn compute(engine: &dyn Engine, of: Arc<Vec<Planned>>) -> Self {
        let mut first = None;
        let trial = |job: &basin_core::job::Job| match engine.estimate(job) {
            Ok(estimate) => Some(estimate.seconds),
            Err(error) => {
                first.get_or_insert(error.to_string());
                None
            }
        };
        let seconds = study::seconds(&of, trial);
        let cost = match first {
            // Not even one could be tried.
            Some(error) if seconds == 0.0 => Err(error),
            _ => Ok(seconds),
        };
        Self { of, cost }
    }
}

/// Draws the dialog.
pub fn dialog(ui: &mut Ui, view: &StudyView, place: &mut Place<'_>) {
    let Some((open, asked)) = view.open().and_then(|open| Some((open, open.asked.as_ref()?))) else {
        place.actions.push(Action::CloseModal);
        return;
    };
    let (dismissed, (start, cancel)) = dialog_ui(ui, "Measure what is missing", 460.0, |ui| {
        let p = palette(ui);
        let mut of: BTreeMap<&str, usize> = BTreeMap::new();
        asked.planned.iter().for_each(|planned| *of.entry(&planned.measure).or_default() += 1);
        let mut models: Vec<&str> = asked.planned.iter().map(|planned| &*planned.model).collect();
        models.dedup();
        ui.label(format!(
            "{} of {} {} to be computed, one after the other.",
            count(asked.planned.len(), "record"),
            count(models.len(), "model"),
            if asked.planned.len() == 1 { "is" } else { "are" }
        ));
        ui.add_space(theme::GAP * 0.5);
        Grid::new("missing").num_columns(2).spacing([20.0, 2.0]).show(ui, |ui| {
            for (measure, number) in of {
                ui.label(RichText::new(measure).color(p.weak));
                ui.label(count(number, "record"));
                ui.end_row();
            }
            ui.label(RichText::new("Time on this machine").color(p.weak));
            match &asked.cost {
                Reading::Pending => {
                    ui.horizontal(|ui| {
                        ui.spinner();
                        ui.label("trying each measure for a moment…");
                    });
                }
                Reading::Ready(seconds) => {
                    ui.label(RichText::new(duration_words(*seconds)).strong());
                }
                Reading::Failed(why) => {
                    ui.add(
                        Label::new(RichText::new(format!("not known: {}", sentence(why))).color(p.error))
                            .wrap(),
                    );
                }
            }
            ui.end_row();
        });
        ui.add_space(theme::GAP * 0.5);
        let replaced = asked.planned.iter().filter(|planned| planned.replaces).count();
        if replaced > 0 {
            let words = format!(
                "{} replaced: unfinished, or of a checkpoint that has changed since.",
                if replaced == 1 { "1 record is".to_owned() } else { format!("{replaced} records are") }
            );
            ui.add(Label::new(RichText::new(words).small().color(p.weak)).wrap());
        }
        let cluster = format!(
            "basin study measure {} --jobs jobs && basin submit jobs/*.json --out {}",
            open.folder().display(),
            open.folder().join(study::MEASURES).display()
        );
        ui.horizontal(|ui| {
            ui.label(RichText::new("On a cluster with Slurm:").small().color(p.weak));
            if ui.small_button("Copy command").on_hover_text(&cluster).clicked() {
                place.actions.push(Action::CopyText(cluster.clone()));
            }
        });
        ui.add_space(theme::GAP);
        ui.horizontal(|ui| {
            let start = primary_button(ui, "Add to queue", true, 150.0).clicked();
            (start, ui.add_sized([100.0, 30.0], eframe::egui::Button::new("Cancel")).clicked())
        })
        .inner
    });
    if start {
        place.send(Message::Measure);
    }
    if dismissed || start || cancel {
        place.actions.push(Action::CloseModal);
    }
}
