//! The tab: the bar, the table, and below it what is selected.

use eframe::egui::{Frame, Margin, Panel, ScrollArea, Ui};

use crate::ui::study::message::{Message, Place};
use crate::ui::study::view::StudyView;
use crate::ui::study::{bar, details, table};
use crate::ui::widgets::{empty_ui, palette};

/// Draws the tab.
pub(crate) fn ui(ui: &mut Ui, view: &mut StudyView, place: &mut Place<'_>) {
    let Some(open) = view.open_mut() else {
        let text = "Open a folder that `basin study init` has made a study: its models with their numbers appear here.";
        return empty_ui(ui, "No study is open", text, |_| ());
    };
    let Some(seen) = open.seen.clone() else {
        return empty_ui(ui, "Reading the study", &open.folder.display().to_string(), |ui| {
            ui.spinner();
        });
    };
    if seen.study.format == 0 {
        let why = seen.problem.clone().unwrap_or_default();
        return empty_ui(ui, "This study cannot be read", &why, |ui| {
            if ui.button("Close").clicked() {
                place.send(Message::Close);
            }
        });
    }
    let margin = Margin { left: 12, right: 12, top: 6, bottom: 6 };
    let frame = Frame::new().inner_margin(margin);
    Panel::top("study bar").frame(frame).show_separator_line(false).show(ui, |ui| {
        bar::ui(ui, open, &seen, place);
    });
    if let Some(height) = details::height(open, &seen) {
        let height = height.min((0.45 * ui.available_height()).max(60.0));
        let frame = frame.fill(palette(ui).side);
        Panel::bottom("study details").frame(frame).exact_size(height).resizable(false).show(ui, |ui| {
            ScrollArea::vertical().show(ui, |ui| details::ui(ui, open, &seen, place));
        });
    }
    table::ui(ui, open, &seen, place);
}
