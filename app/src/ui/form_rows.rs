//! Rows of forms: the control of a setting with its label and tooltip, marked where it differs from what is usual.

use basin_core::settings::{Choice, Kind, Setting};
use eframe::egui::{
    Align, Align2, Button, Checkbox, CollapsingHeader, ComboBox, Label, Layout, Popup, Rect, Response,
    RichText, Role, Sense, TextEdit, Ui, UiBuilder, WidgetInfo, vec2,
};

use crate::ui::theme::{LABEL_WIDTH, ROW_HEIGHT};
use crate::ui::widgets::{mark_wrong, marked_field_ui, palette, segmented_ui, sentence};

/// Room at the right of a row for the mark of a setting that differs.
const MARK_WIDTH: f32 = 10.0;

/// Draws a row without a mark, as wide as those that have one.
pub fn beside_marks<R>(ui: &mut Ui, row: impl FnOnce(&mut Ui) -> R) -> R {
    ui.scope(|ui| {
        ui.set_max_width(ui.available_width() - MARK_WIDTH - 2.0);
        row(ui)
    })
    .inner
}

/// What a row shows of a setting.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// Its text, where it is given.
    pub given: Option<&'a str>,
    /// Its text, where it is not.
    pub usual: &'a str,
    /// What is wrong with it.
    pub problem: Option<&'a str>,
}

/// Settings that are rarely changed, folded away, with a field to find them. `row` draws one.
pub struct Advanced<'a> {
    /// Tells forms apart.
    pub id: &'a str,
    /// Heading of settings without a group.
    pub title: &'a str,
    /// How many differ from what is usual.
    pub changed: usize,
    /// Something is wrong with one of them.
    pub wrong: bool,
}

impl Advanced<'_> {
    /// Draws them.
    pub fn ui(
        &self,
        ui: &mut Ui,
        filter: &mut String,
        settings: &[&Setting],
        mut row: impl FnMut(&mut Ui, &Setting),
    ) {
        if settings.is_empty() {
            return;
        }
        let title = match self.changed {
            0 => "Advanced".to_owned(),
            changed => format!("Advanced ({changed} changed)"),
        };
        ui.add_space(4.0);
        let header = CollapsingHeader::new(title).id_salt(("advanced", self.id));
        header.open(self.wrong.then_some(true)).show_unindented(ui, |ui| {
            let tip = "Show the settings whose name, option or help has these letters";
            beside_marks(ui, |ui| marked_field_ui(ui, "Filter", tip, "any setting", filter, None));
            let wanted = filter.trim().to_lowercase();
            let fits = |setting: &&&Setting| {
                let flag = setting.flag.as_deref().unwrap_or_default();
                let texts = [&*setting.label, &*setting.path, flag, &*setting.help];
                texts.iter().any(|text| text.to_lowercase().contains(&wanted))
            };
            let mut found: Vec<&&Setting> = settings.iter().filter(fits).collect();
            let first = |group: &str| settings.iter().position(|setting| setting.group == group);
            found.sort_by_key(|setting| first(&setting.group));
            let mut last = None;
            for setting in found {
                let group = if setting.group.is_empty() { self.title } else { &*setting.group };
                if last != Some(group) {
                    ui.add_space(2.0);
                    ui.label(RichText::new(group).small().color(palette(ui).weak));
                    last = Some(group);
                }
                row(ui, setting);
            }
            if last.is_none() {
                ui.label(RichText::new("No such setting.").color(palette(ui).weak));
            }
        });
    }
}

/// What the user wants of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// This text.
    To(String),
    /// As usual.
    Reset,
}

/// Draws a setting; what is to be changed.
pub fn setting_ui(ui: &mut Ui, setting: &Setting, row: Row<'_>) -> Option<Change> {
    let shown = row.given.unwrap_or(row.usual);
    match &setting.kind {
        Kind::Switch | Kind::Group => {
            let (yes, no) = if setting.kind == Kind::Group { ("on", "none") } else { ("true", "false") };
            let mut on = shown == yes;
            let check = |ui: &mut Ui| {
                let response = ui.add(Checkbox::new(&mut on, &setting.label));
                let changed = response.changed();
                (response, changed.then(|| if on { yes } else { no }.to_owned()))
            };
            bare_row_ui(ui, setting, row, check)
        }
        Kind::Choice(choices) if setting.segmented => {
            let options: Vec<(&str, &str, &str)> =
                choices.iter().map(|c| (&*c.name, &*c.label, &*c.help)).collect();
            let mut chosen = shown;
            segmented_ui(ui, &mut chosen, &options);
            (chosen != shown).then(|| settled(chosen.to_owned(), row.usual))
        }
        Kind::Choice(choices) => {
            let nothing =
                Choice { name: String::new(), label: setting.nothing().into(), help: String::new() };
            let nothing = setting.optional.then_some(&nothing);
            labelled_row_ui(ui, setting, row, |ui| {
                combo_ui(ui, &setting.path, shown, nothing.into_iter().chain(choices))
            })
        }
        Kind::Text(choices) => labelled_row_ui(ui, setting, row, |ui| text_ui(ui, setting, shown, choices)),
        _ => labelled_row_ui(ui, setting, row, |ui| text_ui(ui, setting, shown, &[])),
    }
}

/// A drop-down list of choices.
fn combo_ui<'a>(
    ui: &mut Ui,
    id: &str,
    shown: &str,
    choices: impl Iterator<Item = &'a Choice>,
) -> (Response, Option<String>) {
    let choices: Vec<&Choice> = choices.collect();
    let shown =
        if shown == "none" && choices.iter().all(|choice| choice.name != "none") { "" } else { shown };
    let label = choices.iter().find(|choice| choice.name == shown).map_or(shown, |choice| &*choice.label);
    let mut chosen = None;
    let combo = ComboBox::from_id_salt(id).selected_text(label).width(ui.available_width()).truncate();
    let inner = combo.show_ui(ui, |ui| {
        for choice in choices {
            let mut button = ui.add(Button::selectable(choice.name == shown, &*choice.label));
            if !choice.help.is_empty() {
                button = button.on_hover_text(&*choice.help);
            }
            if button.clicked() {
                chosen = Some(if choice.name.is_empty() { "none".to_owned() } else { choice.name.clone() });
            }
        }
    });
    (inner.response, chosen)
}

/// A text field; with names that are often meant, a list of these beside it.
fn text_ui(ui: &mut Ui, setting: &Setting, shown: &str, choices: &[Choice]) -> (Response, Option<String>) {
    let mut text = if setting.optional && shown == "none" { String::new() } else { shown.to_owned() };
    let hint = setting.hint.clone().unwrap_or_default();
    let mut chosen = None;
    let inner = ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        if !choices.is_empty() {
            let button = ui.add(Button::new("▾").min_size(vec2(18.0, 0.0)));
            let button = button.on_hover_text(format!("Values of {}", setting.label));
            Popup::menu(&button).show(|ui| {
                for choice in choices {
                    let item = ui.add(Button::selectable(choice.name == shown, &*choice.label));
                    if item.on_hover_text(&*choice.help).clicked() {
                        chosen = Some(choice.name.clone());
                    }
                }
            });
        }
        let edit = TextEdit::singleline(&mut text).hint_text(hint).desired_width(f32::INFINITY);
        ui.add(edit.align(Align2::LEFT_CENTER))
    });
    let response = inner.inner;
    let mut changed = chosen.or_else(|| response.changed().then_some(text));
    // An emptied field is as usual once it is left; while it is typed in, nothing comes back into it.
    if response.lost_focus() && !setting.optional && changed.is_none() && shown.trim().is_empty() {
        changed = Some(String::new());
    }
    (response, changed)
}

/// A label, a control, and the mark.
fn labelled_row_ui(
    ui: &mut Ui,
    setting: &Setting,
    row: Row<'_>,
    control: impl FnOnce(&mut Ui) -> (Response, Option<String>),
) -> Option<Change> {
    let label = &setting.label;
    bare_row_ui(ui, setting, row, |ui| {
        let named = label_ui(ui, label);
        mark_wrong(ui, row.problem.is_some());
        let (response, changed) = control(ui);
        (response.labelled_by(named.id), changed)
    })
}

/// The label of a row.
pub fn label_ui(ui: &mut Ui, label: &str) -> Response {
    let size = vec2(LABEL_WIDTH, ROW_HEIGHT);
    ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
        ui.set_min_width(LABEL_WIDTH);
        ui.add(Label::new(RichText::new(label).color(palette(ui).weak)).truncate().selectable(false))
    })
    .inner
}

/// A control and the mark, in a place that neither can make larger.
fn bare_row_ui(
    ui: &mut Ui,
    setting: &Setting,
    row: Row<'_>,
    control: impl FnOnce(&mut Ui) -> (Response, Option<String>),
) -> Option<Change> {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), ROW_HEIGHT), Sense::hover());
    let (left, mark) = rect.split_left_right_at_x(rect.right() - MARK_WIDTH);
    let left = left.with_max_x(left.right() - 2.0);
    let inside = UiBuilder::new().max_rect(left).layout(Layout::left_to_right(Align::Center));
    let (response, changed) = control(&mut ui.new_child(inside.id_salt(&setting.path)));
    let focused = response.has_focus();
    response.on_hover_text(row.problem.map_or_else(|| tooltip(setting), sentence));
    let reset = mark_ui(ui, setting, row, mark);
    match changed {
        Some(text) if !focused && text.trim().is_empty() && !setting.optional => Some(Change::Reset),
        Some(text) => Some(settled(text, row.usual)),
        None => reset,
    }
}

/// The mark of a setting that differs; a click takes it back.
fn mark_ui(ui: &mut Ui, setting: &Setting, row: Row<'_>, place: Rect) -> Option<Change> {
    row.given?;
    let response = ui.interact(place, ui.scope_id().with(("reset", &setting.path)), Sense::click());
    let radius = if response.hovered() { 4.5 } else { 3.0 };
    ui.painter().circle_filled(place.center(), radius, palette(ui).accent);
    let usual = if row.usual.is_empty() { setting.nothing() } else { row.usual };
    let (enabled, name) = (ui.is_enabled(), format!("Reset {}", setting.label));
    response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, &name));
    response
        .on_hover_text(format!("Changed from {usual}. Click to reset."))
        .clicked()
        .then_some(Change::Reset)
}

/// A text that is as usual is none.
fn settled(text: String, usual: &str) -> Change {
    let is_usual = if usual.is_empty() { text == "none" } else { text == usual };
    if is_usual { Change::Reset } else { Change::To(text) }
}

/// What a setting is, with its option.
fn tooltip(setting: &Setting) -> String {
    let text = &setting.help;
    match &setting.flag {
        Some(flag) => format!("{text}\n--{flag}"),
        None => format!("{text}\n{}", setting.path),
    }
}
