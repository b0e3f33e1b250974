//! Every open record with its numbers and where they come from.

use basin_core::record::{Headline, Outcome, Record};
use eframe::egui::{Frame, Grid, Label, Margin, RichText, ScrollArea, Ui};

use crate::headline;
use crate::plot::export::column;
use crate::plot::text::literal;
use crate::ui::Action;
use crate::ui::session::{Session, file_name, job_details, when};
use crate::ui::widgets::{duration_words, empty_ui, palette};
use basin_core::record::names;

/// Draws the view.
pub(crate) fn ui(ui: &mut Ui, session: &Session, actions: &mut Vec<Action>) {
    if session.records().is_empty() {
        let body = "Results appear here with the seed, the device and the data they come from. Run a job at the right, or open a record.";
        empty_ui(ui, "No records yet", body, |_| ());
        return;
    }
    let heads = [
        "Model",
        "What",
        "Clean loss",
        "Clean error",
        "Robust loss",
        "Robust error",
        "Flatness",
        "Network",
        "Settings",
        "Data",
        "Fingerprint",
        "Seed",
        "Device",
        "Search",
        "Started (UTC)",
        "Took",
        "File",
    ];
    ScrollArea::both().auto_shrink(false).show(ui, |ui| {
        Frame::new().inner_margin(Margin::symmetric(16, 10)).show(ui, |ui| {
            Grid::new("records").striped(true).num_columns(heads.len()).spacing([18.0, 5.0]).show(ui, |ui| {
                for head in heads {
                    ui.label(RichText::new(head).small().color(palette(ui).weak));
                }
                ui.end_row();
                let records: Vec<&Record> = session.records().iter().map(|stored| &*stored.record).collect();
                for (stored, model) in session.records().iter().zip(names::of_records(&records)) {
                    text_ui(ui, &model).on_hover_text(stored.record.job.subject().display().to_string());
                    let selected = session.is_shown(stored.id);
                    let title = stored.record.job.summary().title;
                    if ui.selectable_label(selected, &title).on_hover_text("Show this record").clicked() {
                        actions.push(Action::SelectRecord(stored.id));
                    }
                    record_ui(ui, &stored.record);
                    text_ui(ui, &file_name(&stored.path)).on_hover_text(stored.path.display().to_string());
                    ui.end_row();
                    entries_ui(ui, &stored.record, &model);
                }
            });
        });
    });
}

/// The table as CSV: a row for each record and for each entry of a benchmark, numbers in full precision.
pub(crate) fn csv(records: &[(&std::path::Path, &Record)]) -> String {
    let all: Vec<&Record> = records.iter().map(|(_, record)| *record).collect();
    let mut out =
        "model,what,clean_loss,clean_error,robust_loss,robust_error,flatness,network,settings,complete,data,\
                   fingerprint,seed,device,search,started_utc,seconds,file\n"
            .to_owned();
    for ((path, record), model) in records.iter().zip(names::of_records(&all)) {
        out.push_str(&csv_row(record, &model, path));
        if let Outcome::Benchmark(_) = &record.outcome {
            record.parts().iter().for_each(|part| out.push_str(&csv_row(part, &model, path)));
        }
    }
    out
}

fn csv_row(record: &Record, model: &str, path: &std::path::Path) -> String {
    let p = &record.provenance;
    let Headline { clean, robust, .. } = record.headline();
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:?}"));
    let flatness = headline::beyond_the_checkpoint(record);
    let cells = [
        model.to_owned(),
        record.job.summary().title,
        number(clean.map(|point| point.loss)),
        number(clean.map(|point| point.error)),
        number(robust.map(|point| point.loss)),
        number(robust.map(|point| point.error)),
        flatness,
        network_words(record),
        job_details(&record.job),
        p.complete.to_string(),
        names::images(record),
        p.data_fingerprint.clone(),
        p.seed.to_string(),
        p.device.clone(),
        p.search_precision.clone(),
        p.started.clone(),
        number(Some(p.duration_s)),
        path.display().to_string(),
    ];
    cells.map(|cell| column(&literal(&cell))).join(",") + "\n"
}

/// A row for each entry of a benchmark.
fn entries_ui(ui: &mut Ui, record: &Record, model: &str) {
    let Outcome::Benchmark(benchmark) = &record.outcome else { return };
    for (entry, part) in benchmark.entries.iter().zip(record.parts()) {
        text_ui(ui, model);
        let title = RichText::new(format!("    {}", part.job.summary().title)).color(palette(ui).weak);
        ui.add(Label::new(title).extend()).on_hover_text(&entry.name);
        record_ui(ui, &part);
        ui.end_row();
    }
}

fn text_ui(ui: &mut Ui, text: &str) -> eframe::egui::Response {
    ui.add(Label::new(text).extend())
}

/// The network in few words: `ResNet-18, 8 channels`; its file where that is unknown.
pub(crate) fn network_words(record: &Record) -> String {
    if record.provenance.model.is_empty() {
        file_name(record.job.subject())
    } else {
        record.provenance.model.clone()
    }
}

fn record_ui(ui: &mut Ui, record: &Record) {
    let p = &record.provenance;
    let Headline { clean, robust, .. } = record.headline();
    for point in [clean, robust] {
        text_ui(ui, &point.map_or_else(|| "–".into(), |point| format!("{:.4}", point.loss)));
        text_ui(ui, &point.map_or_else(|| "–".into(), |point| format!("{:.1} %", 100.0 * point.error)));
    }
    let flatness = headline::beyond_the_checkpoint(record);
    text_ui(ui, if flatness.is_empty() { "–" } else { &flatness });
    text_ui(ui, &network_words(record));
    let details = job_details(&record.job);
    text_ui(ui, &if p.complete { details } else { format!("{details}, partial") });
    text_ui(ui, &names::images(record));
    ui.label(RichText::new(&p.data_fingerprint).monospace());
    text_ui(ui, &p.seed.to_string());
    text_ui(ui, &p.device);
    text_ui(ui, &p.search_precision);
    text_ui(ui, &when(&p.started));
    text_ui(ui, &duration_words(p.duration_s));
}
