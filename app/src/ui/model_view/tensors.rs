//! The table of tensors: search, copy a name, and the distribution of each tensor's values.

use basin_core::checkpoint::{Distribution, Role, Summary, TensorSummary};
use eframe::egui::{
    Align2, FontId, Label, Rect, Response, RichText, Role as WidgetRole, ScrollArea, Sense, TextEdit,
    TextStyle, Ui, WidgetInfo, pos2, vec2,
};

use super::sparkline;
use super::state::ModelState;
use crate::ui::Action;
use crate::ui::session::{Model, Reading};
use crate::ui::widgets::{count_words, palette};

/// Height of a row, and of one in two lines.
const ROW: f32 = 22.0;
const TWO_LINES: f32 = 42.0;
/// Space between columns.
const SPACE: f32 = 10.0;
/// Width of the distributions.
const VALUES: f32 = 62.0;
/// Heads of the columns with their tooltips.
const HEADS: [(&str, &str); 6] = [
    ("Name", "Click a name to copy it"),
    ("Shape", ""),
    ("Elements", "Number of elements"),
    ("L2 norm", ""),
    ("Values", "Histogram between the 0.1 % and the 99.9 % quantile; the upright line is at 0"),
    (
        "Role",
        "Perturbed or not: by random directions and attacks on weights, by default. Fixed: not trained. Statistics: running statistics and other state",
    ),
];

/// Draws the search and the rows that match.
pub(super) fn ui(
    ui: &mut Ui,
    model: &Model,
    summary: &Summary,
    state: &mut ModelState,
    actions: &mut Vec<Action>,
) {
    let words: Vec<String> = state.search.to_lowercase().split_whitespace().map(str::to_owned).collect();
    let matches = |tensor: &TensorSummary| {
        let name = tensor.name.to_lowercase();
        words.iter().all(|word| name.contains(word))
    };
    let rows: Vec<usize> =
        summary.tensors.iter().enumerate().filter(|(_, tensor)| matches(tensor)).map(|(at, _)| at).collect();
    ui.horizontal_wrapped(|ui| {
        let edit = TextEdit::singleline(&mut state.search)
            .hint_text("Search names")
            .align(Align2::LEFT_CENTER)
            .desired_width(200.0);
        let edit = ui.add(edit);
        edit.widget_info(|| WidgetInfo::labeled(WidgetRole::TextInput, true, "Search names"));
        let all = summary.tensors.len();
        let shown = if rows.len() == all {
            format!("{all} tensors")
        } else {
            format!("{} of {all} tensors", rows.len())
        };
        let hint = RichText::new(format!("{shown}. Click a name to copy it.")).color(palette(ui).weak);
        ui.add(Label::new(hint).extend());
    });
    if let Reading::Failed(error) = &model.distributions {
        let words = format!("The distributions of values are not available: {error}");
        ui.label(RichText::new(words).color(palette(ui).warning));
    }
    if rows.is_empty() {
        ui.label("No name matches.");
        return;
    }
    let table = Table::new(ui, summary);
    ScrollArea::horizontal().id_salt("tensors").show(ui, |ui| table.ui(ui, model, summary, &rows, actions));
}

struct Table {
    /// Left edges of the columns, from the table's, and its width.
    lefts: [f32; 6],
    width: f32,
    /// There is no room for columns: rows have two lines.
    is_narrow: bool,
    row: f32,
    mono: FontId,
    small: FontId,
    body: FontId,
}

impl Table {
    /// Columns as wide as their longest text.
    fn new(ui: &Ui, summary: &Summary) -> Self {
        let (small, body) = (TextStyle::Small.resolve(ui.style()), TextStyle::Body.resolve(ui.style()));
        let mono = FontId::monospace(small.size);
        let width = |text: &str, font: &FontId| {
            ui.painter().layout_no_wrap(text.to_owned(), font.clone(), palette(ui).text).size().x
        };
        // Digits are equally wide, and so are all letters of names.
        let longest = |words: &mut dyn Iterator<Item = String>| {
            words.max_by_key(|text| text.chars().count()).unwrap_or_default()
        };
        let tensors = || summary.tensors.iter();
        let cells = [
            width(&longest(&mut tensors().map(|tensor| tensor.name.clone())), &mono),
            width(&longest(&mut tensors().map(shape_words)), &body),
            width(&longest(&mut tensors().map(|tensor| count_words(elements(tensor)))), &body),
            width(&longest(&mut tensors().map(norm_words)), &body),
            VALUES,
            width("not perturbed", &body),
        ];
        let mut left = 4.0;
        let lefts = std::array::from_fn(|at| {
            let own = left;
            left += cells[at].max(width(HEADS[at].0, &small)) + SPACE;
            own
        });
        let wide = left - SPACE + 8.0;
        let is_narrow = ui.available_width() < wide;
        if !is_narrow {
            return Self { lefts, width: wide, is_narrow, row: ROW, mono, small, body };
        }
        let below = width(&longest(&mut tensors().map(below_words)), &small) + VALUES + SPACE;
        let (width, row) = (cells[0].max(below) + 12.0, TWO_LINES);
        Self { lefts: [4.0; 6], width: width.max(ui.available_width()), is_narrow, row, mono, small, body }
    }

    fn ui(&self, ui: &mut Ui, model: &Model, summary: &Summary, rows: &[usize], actions: &mut Vec<Action>) {
        ui.spacing_mut().item_spacing.y = 0.0;
        let width = self.width;
        if !self.is_narrow {
            self.heads_ui(ui);
        }
        let row = self.row;
        let (all, _) = ui.allocate_exact_size(vec2(width, row * rows.len() as f32), Sense::hover());
        let visible = all.intersect(ui.clip_rect());
        if !visible.is_positive() {
            return;
        }
        if matches!(model.distributions, Reading::Pending) && !model.is_computing() {
            actions.push(Action::ComputeDistributions(model.path.clone()));
        }
        let distributions = model.distributions.ready();
        // Only what is seen is laid out.
        let first = ((visible.top() - all.top()) / row).floor().max(0.0) as usize;
        let last = ((visible.bottom() - all.top()) / row).ceil().max(0.0) as usize;
        for (at, index) in rows.iter().enumerate().take(last).skip(first) {
            let min = all.min + vec2(0.0, row * at as f32);
            let rect = Rect::from_min_size(min, vec2(width, row));
            let tensor = &summary.tensors[*index];
            if at % 2 == 0 {
                ui.painter().rect_filled(rect, 2.0, ui.visuals().faint_bg_color);
            }
            if self.name_ui(ui, rect, tensor).clicked() {
                actions.push(Action::CopyText(tensor.name.clone()));
            }
            self.cells(ui, rect, tensor);
            let top = if self.is_narrow { ROW - 1.0 } else { 3.0 };
            let place = Rect::from_min_size(rect.min + vec2(self.lefts[4], top), vec2(VALUES, ROW - 6.0));
            let distribution: Option<&Distribution> = distributions
                .and_then(|all| all.get(*index))
                .filter(|distribution| distribution.name == tensor.name);
            sparkline::ui(ui, place, tensor, distribution, matches!(model.distributions, Reading::Pending));
        }
    }

    fn heads_ui(&self, ui: &mut Ui) {
        let (heads, _) = ui.allocate_exact_size(vec2(self.width, 18.0), Sense::hover());
        for (at, (head, tooltip)) in HEADS.into_iter().enumerate() {
            let from = pos2(heads.left() + self.lefts[at], heads.center().y);
            let weak = palette(ui).weak;
            let place = ui.painter().text(from, Align2::LEFT_CENTER, head, self.small.clone(), weak);
            let response = ui.interact(place, ui.scope_id().with(("head", at)), Sense::hover());
            if !tooltip.is_empty() {
                response.on_hover_text(tooltip);
            }
        }
    }

    /// The name, which a click copies.
    fn name_ui(&self, ui: &Ui, row: Rect, tensor: &TensorSummary) -> Response {
        let p = palette(ui);
        let right = if self.is_narrow { row.right() } else { row.left() + self.lefts[1] - 0.5 * SPACE };
        let place = Rect::from_min_max(row.min, pos2(right, row.top() + ROW));
        let response = ui.interact(place, ui.scope_id().with(&tensor.name), Sense::click());
        response.widget_info(|| WidgetInfo::labeled(WidgetRole::Button, true, spoken(tensor)));
        let color = if response.hovered() || response.has_focus() { p.accent } else { p.text };
        let at = pos2(row.left() + self.lefts[0], place.center().y);
        ui.painter().text(at, Align2::LEFT_CENTER, &tensor.name, self.mono.clone(), color);
        response.on_hover_text("Copy this name").on_hover_cursor(eframe::egui::CursorIcon::PointingHand)
    }

    fn cells(&self, ui: &Ui, row: Rect, tensor: &TensorSummary) {
        let p = palette(ui);
        if self.is_narrow {
            let at = pos2(row.left() + self.lefts[4] + VALUES + SPACE, row.top() + 1.4 * ROW);
            let font = self.small.clone();
            ui.painter().text(at, Align2::LEFT_CENTER, below_words(tensor), font, p.weak);
            return;
        }
        let cells = [
            (shape_words(tensor), p.text),
            (count_words(elements(tensor)), p.text),
            (norm_words(tensor), p.text),
            (role_words(tensor.role).to_owned(), p.weak),
        ];
        for ((text, color), column) in cells.into_iter().zip([1, 2, 3, 5]) {
            let at = pos2(row.left() + self.lefts[column], row.center().y);
            ui.painter().text(at, Align2::LEFT_CENTER, text, self.body.clone(), color);
        }
    }
}

fn elements(tensor: &TensorSummary) -> usize {
    tensor.shape.iter().product::<i64>().unsigned_abs() as usize
}

fn shape_words(tensor: &TensorSummary) -> String {
    let shape: Vec<String> = tensor.shape.iter().map(ToString::to_string).collect();
    if shape.is_empty() { "scalar".to_owned() } else { shape.join("×") }
}

/// Shape, norm and role in a row of two lines.
fn below_words(tensor: &TensorSummary) -> String {
    format!("{}  ·  {}  ·  {}", shape_words(tensor), norm_words(tensor), role_words(tensor.role))
}

fn norm_words(tensor: &TensorSummary) -> String {
    format!("{:.4}", tensor.l2_norm)
}

fn role_words(role: Role) -> &'static str {
    match role {
        Role::Weight => "perturbed",
        Role::Normalization => "not perturbed",
        Role::Frozen => "fixed",
        Role::Buffer => "statistics",
    }
}

/// What a screen reader says of a row.
fn spoken(tensor: &TensorSummary) -> String {
    format!(
        "{}, {}, {} elements, L2 norm {}, {}",
        tensor.name,
        shape_words(tensor),
        count_words(elements(tensor)),
        norm_words(tensor),
        role_words(tensor.role)
    )
}
