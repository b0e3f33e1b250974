//! The dialog before a study is measured: what is missing, and what it costs.

use std::collections::BTreeMap;

use basin_core::study;
use eframe::egui::{Grid, Label, RichText, Ui};

use crate::ui::session::Reading;
use crate::ui::study::message::{Message, Place};
use crate::ui::study::view::StudyView;
use crate::ui::theme;
use crate::ui::widgets::{count, dialog_ui, duration_words, palette, primary_button, sentence};

/// Draws the dialog.
pub fn dialog(ui: &mut Ui, view: &StudyView, place: &mut Place<'_>) {
    let Some((open, asked)) = view.open().and_then(|open| Some((open, open.asked.as_ref()?))) else {
        place.send(Message::CloseDialog);
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
                place.copy(cluster.as_str());
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
        place.send(Message::CloseDialog);
    }
}
