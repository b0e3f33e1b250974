//! Small shared pieces: form rows, segmented choices, empty states, and numbers in words.

use eframe::egui::{
    Align, Align2, Button, Color32, ComboBox, Frame, Grid, Id, Label, Layout, Modal, Response, RichText,
    Sense, Stroke, TextEdit, TextFormat, TextStyle, Ui, UiBuilder, Widget as _, text::LayoutJob, vec2,
};

use crate::ui::theme::{self, LABEL_WIDTH, ROW_HEIGHT};

/// So many words have room in two lines of a form.
const SHOWN_WORDS: usize = 9;

/// Colours of the theme in use.
pub fn palette(ui: &Ui) -> &'static theme::Palette {
    theme::palette(ui.visuals().dark_mode)
}

/// A label column and a control that fills the rest of the row.
pub fn row_ui<R>(
    ui: &mut Ui,
    label: &str,
    tooltip: &str,
    control: impl FnOnce(&mut Ui) -> (Response, R),
) -> R {
    ui.horizontal(|ui| {
        let named = ui
            .allocate_ui_with_layout(
                vec2(LABEL_WIDTH, ROW_HEIGHT),
                Layout::left_to_right(Align::Center),
                |ui| {
                    ui.set_min_width(LABEL_WIDTH);
                    ui.add(
                        Label::new(RichText::new(label).color(palette(ui).weak)).truncate().selectable(false),
                    )
                },
            )
            .inner;
        let (response, value) = control(ui);
        response.labelled_by(named.id).on_hover_text(tooltip);
        value
    })
    .inner
}

/// A text field with its label; what is wrong with it stands below it.
pub fn field_ui(ui: &mut Ui, label: &str, tooltip: &str, text: &mut String, problem: Option<&str>) {
    optional_field_ui(ui, label, tooltip, "", text, problem);
}

/// A text field that says `hint` while it is empty, with what is wrong below it; whether it was changed.
pub fn optional_field_ui(
    ui: &mut Ui,
    label: &str,
    tooltip: &str,
    hint: &str,
    text: &mut String,
    problem: Option<&str>,
) -> bool {
    let changed = marked_field_ui(ui, label, tooltip, hint, text, problem);
    problem_ui(ui, problem);
    changed
}

/// A text field that is marked if something is wrong with it; the words come with the pointer, so that nothing moves.
pub fn marked_field_ui(
    ui: &mut Ui,
    label: &str,
    tooltip: &str,
    hint: &str,
    text: &mut String,
    problem: Option<&str>,
) -> bool {
    let tooltip = problem.map_or_else(|| tooltip.to_owned(), sentence);
    row_ui(ui, label, &tooltip, |ui| {
        mark_wrong(ui, problem.is_some());
        let edit = TextEdit::singleline(text)
            .hint_text(hint.to_owned())
            .desired_width(f32::INFINITY)
            .align(Align2::LEFT_CENTER);
        let response = ui.add(edit);
        let changed = response.changed();
        (response, changed)
    })
}

/// Marks what is drawn next in this place, if it is wrong.
pub fn mark_wrong(ui: &mut Ui, wrong: bool) {
    if wrong {
        let stroke = Stroke::new(1.0, palette(ui).error);
        ui.visuals_mut().widgets.inactive.bg_stroke = stroke;
        ui.visuals_mut().widgets.hovered.bg_stroke = stroke;
    }
}

/// Words in a place of so many lines, however many they fill: nothing around them ever moves. The pointer shows what
/// has no room.
pub fn lines_ui(ui: &mut Ui, words: &[(&str, Color32)], style: TextStyle, lines: usize) {
    let font = style.resolve(ui.style());
    let mut job = LayoutJob::default();
    for (at, (text, color)) in words.iter().enumerate() {
        let text = if at == 0 { (*text).to_owned() } else { format!(" {text}") };
        job.append(&text, 0.0, TextFormat::simple(font.clone(), *color));
    }
    job.wrap.max_rows = lines;
    // Paths and names have no spaces to break at; further on they may lose their end.
    job.wrap.break_anywhere = job.text.split_whitespace().take(SHOWN_WORDS).any(|word| word.len() > 28);
    let line = ui.fonts_mut(|fonts| fonts.row_height(&font));
    let size = vec2(ui.available_width(), (lines as f32 * line).ceil());
    let (place, _) = ui.allocate_exact_size(size, Sense::hover());
    let inside = UiBuilder::new().max_rect(place).layout(Layout::top_down(Align::Min));
    ui.new_child(inside).add(Label::new(job).wrap());
}

/// What is wrong in a form, in one line of thought: the first problem with its field, and how many there are besides.
pub fn problems_words(problems: &[(Option<&str>, &str)]) -> String {
    let Some((field, text)) = problems.first() else { return String::new() };
    let first = match field {
        Some(field) => format!("{field}: {text}"),
        None => sentence(text),
    };
    match problems.len() {
        1 => first,
        2 => format!("{first} (One more setting is marked.)"),
        more => format!("{first} ({} more settings are marked.)", more - 1),
    }
}

/// What is wrong with the field above.
pub fn problem_ui(ui: &mut Ui, problem: Option<&str>) {
    if let Some(problem) = problem {
        ui.horizontal(|ui| {
            ui.add_space(LABEL_WIDTH + ui.spacing().item_spacing.x);
            Label::new(RichText::new(sentence(problem)).small().color(palette(ui).error)).wrap().ui(ui);
        });
    }
}

/// A drop-down list with its label.
pub fn choice_ui<T: PartialEq + Clone>(
    ui: &mut Ui,
    label: &str,
    tooltip: &str,
    value: &mut T,
    options: &[(T, &str)],
) -> bool {
    let before = value.clone();
    let shown = options.iter().find(|(option, _)| option == value).map_or("", |(_, text)| text);
    row_ui(ui, label, tooltip, |ui| {
        let combo = ComboBox::from_id_salt(label).selected_text(shown).width(ui.available_width()).truncate();
        let inner = combo.show_ui(ui, |ui| {
            for (option, text) in options {
                ui.selectable_value(value, option.clone(), *text);
            }
        });
        (inner.response, ())
    });
    *value != before
}

/// Space between buttons of which one is chosen.
const SEGMENT_GAP: f32 = 4.0;

/// Width of a button of which one is chosen.
fn segment_width(ui: &Ui, text: &str) -> f32 {
    let font = TextStyle::Button.resolve(ui.style());
    let text = ui.painter().layout_no_wrap(text.to_owned(), font, Color32::PLACEHOLDER);
    text.size().x + 2.0 * ui.spacing().button_padding.x + 4.0
}

/// Buttons of which one is chosen, in as few rows as hold their texts.
pub fn segmented_rows_ui<T: PartialEq + Copy>(ui: &mut Ui, value: &mut T, options: &[(T, &str, &str)]) {
    let mut left = options;
    while !left.is_empty() {
        let (mut count, mut width) = (0, -SEGMENT_GAP);
        for (_, text, _) in left {
            width += segment_width(ui, text) + SEGMENT_GAP;
            if count > 0 && width > ui.available_width() {
                break;
            }
            count += 1;
        }
        let (row, rest) = left.split_at(count);
        segmented_ui(ui, value, row);
        left = rest;
    }
}

/// Buttons of which one is chosen: equally wide, or as wide as their texts need where one would be cut.
pub fn segmented_ui<T: PartialEq + Copy>(ui: &mut Ui, value: &mut T, options: &[(T, &str, &str)]) {
    let count = options.len() as f32;
    let all = ui.available_width() - SEGMENT_GAP * (count - 1.0);
    let mut widths: Vec<f32> = options.iter().map(|(_, text, _)| segment_width(ui, text)).collect();
    let is_cut = widths.iter().any(|width| *width > all / count);
    let more = (all - widths.iter().sum::<f32>()) / count;
    // Whole numbers: what is rounded up would widen the panel.
    widths.iter_mut().for_each(|width| *width = if is_cut { *width + more } else { all / count }.floor());
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = SEGMENT_GAP;
        for ((option, text, tooltip), width) in options.iter().zip(widths) {
            let selected = value == option;
            let text = if selected { RichText::new(*text).strong() } else { RichText::new(*text) };
            let button = Button::selectable(selected, text).frame_when_inactive(true).truncate();
            if ui.add_sized([width, ROW_HEIGHT], button).on_hover_text(*tooltip).clicked() {
                *value = *option;
            }
        }
    });
}

/// A dialog inside the window; whether it was closed by a click outside or by Escape, and what it gave.
pub fn dialog_ui<R>(ui: &Ui, title: &str, width: f32, content: impl FnOnce(&mut Ui) -> R) -> (bool, R) {
    let frame = Frame::window(ui.style()).inner_margin(18);
    let modal = Modal::new(Id::unique(("dialog", title))).frame(frame).show(ui.ctx(), |ui| {
        ui.set_width(width);
        ui.label(RichText::new(title).heading());
        ui.add_space(theme::GAP * 0.5);
        content(ui)
    });
    (modal.should_close(), modal.inner)
}

/// The one button that matters most.
pub fn primary_button(ui: &mut Ui, text: &str, enabled: bool, width: f32) -> Response {
    let p = palette(ui);
    let button = Button::new(RichText::new(text).color(if enabled { p.on_accent } else { p.weak }).strong())
        .fill(if enabled { p.accent } else { p.button });
    ui.add_enabled_ui(enabled, |ui| ui.add_sized([width, 30.0], button)).inner
}

/// A heading of a group.
pub fn heading_ui(ui: &mut Ui, text: &str) -> Response {
    ui.add_space(theme::GAP * 0.5);
    ui.label(RichText::new(text).strong())
}

/// What a place says while there is nothing in it.
pub fn empty_ui<R>(ui: &mut Ui, title: &str, body: &str, more: impl FnOnce(&mut Ui) -> R) -> R {
    let height = ui.available_height();
    ui.vertical_centered(|ui| {
        ui.add_space((height * 0.36).max(8.0));
        ui.label(RichText::new(title).heading());
        ui.add_space(2.0);
        ui.scope(|ui| {
            ui.set_max_width(420.0_f32.min(ui.available_width()));
            ui.add(Label::new(RichText::new(body).color(palette(ui).weak)).wrap());
        });
        ui.add_space(8.0);
        more(ui)
    })
    .inner
}

/// Names and values in two columns.
pub fn facts_ui(ui: &mut Ui, id: &str, facts: &[(&str, String)]) {
    Grid::new(id).num_columns(2).min_row_height(20.0).spacing([20.0, 2.0]).show(ui, |ui| {
        for (name, value) in facts {
            ui.label(RichText::new(*name).color(palette(ui).weak));
            // While the grid finds out how wide it is, nothing is broken into lines: rows would be as high for a moment.
            let value = Label::new(value);
            ui.add(if ui.is_sizing_pass() { value.extend() } else { value.wrap() });
            ui.end_row();
        }
    });
}

/// `about 40 s`, `about 3 min`, `about 1 h 20 min`.
pub fn duration_words(seconds: f64) -> String {
    match seconds {
        s if s < 1.0 => "less than 1 s".into(),
        s if s < 10.0 => format!("{s:.0} s"),
        s if s < 90.0 => format!("{:.0} s", (s / 5.0).round() * 5.0),
        s if s < 600.0 => {
            format!("{:.0} min {:02.0} s", (s / 60.0).floor(), ((s % 60.0) / 10.0).floor() * 10.0)
        }
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s if s < 48.0 * 3600.0 => {
            format!("{:.0} h {:02.0} min", (s / 3600.0).floor(), (s % 3600.0 / 60.0).floor())
        }
        s => format!("{:.1} days", s / 86400.0),
    }
}

/// `1 image`, `1,000 images`.
pub fn count(n: usize, what: &str) -> String {
    format!("{} {what}{}", count_words(n), if n == 1 { "" } else { "s" })
}

/// `1 234 567` with thin separators.
pub fn count_words(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `146 MB`.
pub fn bytes_words(bytes: u64) -> String {
    match bytes as f64 {
        b if b < 1e3 => format!("{b:.0} B"),
        b if b < 1e6 => format!("{:.0} kB", b / 1e3),
        b if b < 1e9 => format!("{:.1} MB", b / 1e6),
        b => format!("{:.2} GB", b / 1e9),
    }
}

/// A message as a sentence: large first letter, unless it begins with a path or a name.
pub fn sentence(text: &str) -> String {
    let first_word = text.split_whitespace().next().unwrap_or_default();
    if first_word.contains(['/', '\\', '.', '_']) {
        return text.to_owned();
    }
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
