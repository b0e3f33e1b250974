//! Above the table: what the study is, the filter, the columns, and measuring what is missing.

use eframe::egui::{
    Align, Button, Key, Label, Layout, Modifiers, ProgressBar, RichText, Role, TextEdit, Ui, Widget as _,
    WidgetInfo,
};

use crate::study::Seen;
use crate::ui::study::columns;
use crate::ui::study::message::{Message, Place};
use crate::ui::study::view::Open;
use crate::ui::widgets::{count, duration_words, mark_wrong, palette, sentence};

/// Width of the filter.
const FILTER: f32 = 300.0;

/// Draws it.
pub fn ui(ui: &mut Ui, open: &mut Open, seen: &Seen, place: &mut Place<'_>) {
    title_ui(ui, seen, place);
    ui.add_space(4.0);
    ui.horizontal(|ui| {
        filter_ui(ui, open);
        let shown = open.choice.models().count();
        if !open.choice.filter.trim().is_empty() && open.choice.error.is_none() {
            let words = format!("{shown} of {}", seen.study.models.len());
            ui.label(RichText::new(words).color(palette(ui).weak));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            measure_ui(ui, open, seen, place);
            ui.menu_button("Columns", |ui| columns::menu_ui(ui, seen, place.settings))
                .response
                .on_hover_text("Choose which numbers have a column");
        });
    });
    if let Some(error) = &open.choice.error {
        let part = open.choice.filter.get(error.at.clone()).filter(|part| !part.is_empty());
        let place = part.map_or_else(String::new, |part| format!("At “{part}”: "));
        let words = format!("{place}{}. All models are shown.", sentence(&error.reason));
        ui.add(Label::new(RichText::new(words).small().color(palette(ui).error)).wrap());
    }
    if let Some(problem) = &seen.problem {
        let words = format!("{}. The table shows what was read before.", sentence(problem));
        ui.add(Label::new(RichText::new(words).small().color(palette(ui).error)).wrap());
    }
}

/// Name of the study, and how much is in it.
fn title_ui(ui: &mut Ui, seen: &Seen, place: &mut Place<'_>) {
    let p = palette(ui);
    ui.horizontal(|ui| {
        let folder = &seen.folder;
        let name = folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned();
        ui.label(RichText::new(name).strong().size(16.0)).on_hover_text(folder.display().to_string());
        let facts = format!(
            "{} · {}",
            count(seen.study.models.len(), "model"),
            count(seen.entries.records(), "record")
        );
        ui.label(RichText::new(facts).color(p.weak));
        let broken = seen.broken();
        if broken > 0 {
            let words = RichText::new(count(broken, "problem")).color(p.error);
            let all = seen.entries.models.iter().flat_map(|of| &of.problems);
            let all = all.chain(seen.entries.broken.iter().map(|(_, why)| why));
            let lines: Vec<&str> = all.take(8).map(String::as_str).collect();
            let tip = format!("{}\n\nClick to show these models and files alone.", lines.join("\n"));
            if ui.add(Button::new(words).small()).on_hover_text(tip).clicked() {
                place.send(Message::Filter("broken".into()));
            }
        }
        others_ui(ui, seen, place);
        if !seen.whole {
            ui.spinner();
            let words = match seen.step.total {
                0 => "looking for changes…".to_owned(),
                total => format!("reading {} of {total} files…", seen.step.done),
            };
            ui.label(RichText::new(words).color(p.weak));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let close =
                ui.add(Button::new("×").frame(false)).on_hover_text("Close this study; its files stay");
            close.widget_info(|| WidgetInfo::labeled(Role::Button, true, "Close this study"));
            if close.clicked() {
                place.send(Message::Close);
            }
        });
    });
}

/// Files in the folder that are part of no model.
fn others_ui(ui: &mut Ui, seen: &Seen, place: &mut Place<'_>) {
    let (unlisted, strangers) = (&seen.entries.unlisted, &seen.entries.strangers);
    if unlisted.is_empty() && strangers.is_empty() {
        return;
    }
    let p = palette(ui);
    let mut words = Vec::new();
    if !unlisted.is_empty() {
        words.push(format!("{} not in the study", unlisted.len()));
    }
    if !strangers.is_empty() {
        words.push(format!("{} of no model", count(strangers.len(), "record")));
    }
    let command = format!("basin study init {}", seen.folder.display());
    let label =
        Label::new(RichText::new(words.join(" · ")).color(p.weak)).sense(eframe::egui::Sense::click());
    let shown = unlisted.iter().chain(strangers).take(8).map(|path| path.display().to_string());
    let tip = format!(
        "{}\n\n`{command}` adds checkpoints and trainings. Click to copy this command.",
        shown.collect::<Vec<_>>().join("\n")
    );
    if label.ui(ui).on_hover_text(tip).clicked() {
        place.copy(command);
    }
}

fn filter_ui(ui: &mut Ui, open: &mut Open) {
    let wrong = open.choice.error.is_some();
    mark_wrong(ui, wrong);
    let edit = TextEdit::singleline(&mut open.choice.filter)
        .id_salt("study filter")
        .hint_text("Filter, e.g. group = AT and robust error < 60 %")
        .desired_width(FILTER.min(0.5 * ui.available_width()));
    let response = ui.add(edit).on_hover_text(
        "Words are looked for in names and groups.\nColumns are compared with =, !=, <, <=, >, >= and ~ (contains); also name, group, records, missing.\nhas COLUMN, no COLUMN and broken ask what is there.\nJoin them with and, or, not and parentheses.",
    );
    response.widget_info(|| {
        let mut info = WidgetInfo::text_edit(true, "", "", "");
        info.label = Some("Filter models".into());
        info
    });
    if std::mem::take(&mut open.focus_filter) {
        response.request_focus();
    }
    // Down leads into the table, Escape out of the field.
    if response.has_focus() && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::ArrowDown)) {
        response.surrender_focus();
    }
    if !open.choice.filter.is_empty()
        && ui.add(Button::new("×").small()).on_hover_text("Show all models").clicked()
    {
        open.choice.filter.clear();
    }
}

/// What is missing, or how far measuring is.
fn measure_ui(ui: &mut Ui, open: &Open, seen: &Seen, place: &mut Place<'_>) {
    let p = palette(ui);
    if let Some(run) = open.run.as_ref().filter(|run| !run.is_over()) {
        if ui.button("Stop").on_hover_text("Stop measuring; what is finished is kept").clicked() {
            place.send(Message::Stop);
        }
        let [done, total] = run.progress();
        let left = run.remaining().map_or_else(String::new, |s| format!(", {} left", duration_words(s)));
        ui.label(RichText::new(format!("{done} of {total} measured{left}")).color(p.weak));
        ui.add(
            ProgressBar::new(done as f32 / total.max(1) as f32)
                .fill(p.accent)
                .desired_width(110.0)
                .desired_height(8.0),
        );
        return;
    }
    let missing = seen.planned.len();
    let words = match missing {
        0 if seen.study.measures.is_empty() => return,
        0 => "All measured".to_owned(),
        missing => format!("Measure all ({missing})…"),
    };
    let tip = format!("Compute what is missing: {}. The cost is shown first.", count(missing, "record"));
    let button = ui.add_enabled(missing > 0 && seen.whole, Button::new(words)).on_hover_text(tip);
    if button.clicked() {
        place.send(Message::AskToMeasure(false));
    }
}
