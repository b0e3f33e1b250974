//! The table of models: only the rows and columns in view are laid out.

use std::collections::HashSet;
use std::sync::Arc;

use basin_core::study::State;
use eframe::egui::{
    Align, Align2, Button, Color32, CursorIcon, Id, Key, Label, Layout, Modifiers, Rect, Response, RichText,
    Sense, Shape, TextStyle, Ui, UiBuilder, Vec2, pos2, vec2,
};
use egui_table::{CellInfo, Column, HeaderCellInfo, HeaderRow, Table, TableDelegate, TableState};

use crate::plot::screen::symbol_shapes;
use crate::study::{RowOf, Seen, Sort, SortBy};
use crate::ui::study::columns::{number_words, shown, title, with_interval};
use crate::ui::study::message::{Message, Place};
use crate::ui::study::view::Open;
use crate::ui::widgets::palette;

/// Height of a row without thumbnails, and with them.
const ROW: [f32; 2] = [24.0, 44.0];
/// Height of the titles.
const HEADER: f32 = 28.0;
/// Space at both sides of a cell.
const MARGIN: f32 = 7.0;

/// What a column holds.
#[derive(Debug, Clone, PartialEq)]
enum Cell {
    Name,
    Group,
    Landscape,
    Number(usize),
    Measured,
    Records,
}

/// Draws the table.
pub fn ui(ui: &mut Ui, open: &mut Open, seen: &Arc<Seen>, place: &mut Place<'_>) {
    let pictured = (0..seen.study.models.len()).any(|model| seen.thumbnail(model).is_some());
    let grouped = seen.study.models.iter().any(|model| model.group.is_some());
    let mut cells = vec![Cell::Name];
    cells.extend(grouped.then_some(Cell::Group));
    cells.extend(pictured.then_some(Cell::Landscape));
    cells.extend(shown(seen, place.settings).into_iter().map(Cell::Number));
    cells.extend((!seen.study.measures.is_empty()).then_some(Cell::Measured));
    cells.push(Cell::Records);
    if open.choice.rows().is_empty() {
        let p = palette(ui);
        let words = if seen.study.models.is_empty() {
            format!(
                "This study has no models yet. Put checkpoints or trainings into {} and run `basin study init {}`.",
                open.folder.display(),
                open.folder.display()
            )
        } else {
            "No model matches the filter.".to_owned()
        };
        ui.vertical_centered(|ui| {
            ui.add_space(0.3 * ui.available_height());
            ui.add(Label::new(RichText::new(words).color(p.weak)).wrap());
        });
        return;
    }
    keyboard(ui, open, place);
    let columns: Vec<Column> = cells.iter().map(|cell| column(ui, cell, seen)).collect();
    let rows = open.choice.rows().len() as u64;
    let mut table = Table::new()
        .id_salt(("study", pictured))
        .num_rows(rows)
        .columns(columns)
        .num_sticky_cols(1)
        .headers([HeaderRow::new(HEADER)]);
    if let Some(row) = open.scroll_to.take() {
        table = table.scroll_to_row(row as u64, None);
    }
    // Widths are known beforehand: a table that measures itself would begin with the narrowest.
    let id = table.get_id(ui);
    if TableState::load(ui.ctx(), id).is_none() {
        TableState::default().store(ui.ctx(), id);
    }
    let mut drawing =
        Drawing { open, seen, place, cells, height: ROW[usize::from(pictured)], drawn: HashSet::new() };
    table.show(ui, &mut drawing);
}

/// A column with the width that its title and its widest words need.
fn column(ui: &Ui, cell: &Cell, seen: &Seen) -> Column {
    let font = TextStyle::Body.resolve(ui.style());
    let small = TextStyle::Small.resolve(ui.style());
    let width = |text: &str, font: &eframe::egui::FontId| {
        ui.painter().layout_no_wrap(text.to_owned(), font.clone(), Color32::WHITE).size().x
    };
    // The longest name is the widest, near enough; measuring thousands of them in each frame is not.
    let longest = |names: &mut dyn Iterator<Item = &str>| {
        names.max_by_key(|name| name.len()).map_or(0.0, |name| width(name, &font))
    };
    let models = &seen.study.models;
    let (id, words) = match cell {
        Cell::Name => {
            let widest = longest(&mut models.iter().map(|model| &*model.name));
            ("name".to_owned(), (widest + 40.0).clamp(90.0, 260.0))
        }
        Cell::Group => {
            let widest = longest(&mut models.iter().filter_map(|model| model.group.as_deref()));
            ("group".to_owned(), widest.clamp(48.0, 180.0))
        }
        Cell::Landscape => ("landscape".to_owned(), 68.0),
        Cell::Number(number) => {
            let column = &seen.table.columns[*number];
            let title = width(&title(&column.key), &small) + 16.0;
            (column.key.clone(), title.max(60.0))
        }
        Cell::Measured => ("measured".to_owned(), 74.0),
        Cell::Records => ("records".to_owned(), 60.0),
    };
    Column::new((words + 2.0 * MARGIN).round()).range(40.0..=600.0).id(Id::unique(("study column", id)))
}

/// Keys that move the selection and copy it, while no field is being written in.
fn keyboard(ui: &Ui, open: &Open, place: &mut Place<'_>) {
    if ui.ctx().egui_wants_keyboard_input() || !ui.is_enabled() {
        return;
    }
    let page = 10;
    let steps = [
        (Key::ArrowDown, 1),
        (Key::ArrowUp, -1),
        (Key::PageDown, page),
        (Key::PageUp, -page),
        (Key::Home, isize::MIN / 2),
        (Key::End, isize::MAX / 2),
    ];
    for (key, by) in steps {
        // Without Shift a key would count with it as well.
        for extend in [true, false] {
            let modifiers = if extend { Modifiers::SHIFT } else { Modifiers::NONE };
            let count = ui.input_mut(|input| input.count_and_consume_key(modifiers, key));
            (0..count).for_each(|_| place.send(Message::Step(by, extend)));
        }
    }
    let copies = ui.input(|input| input.events.contains(&eframe::egui::Event::Copy));
    if copies && !open.choice.selected().is_empty() {
        place.send(Message::CopyRows);
    }
}

struct Drawing<'a, 'b> {
    open: &'a mut Open,
    seen: &'a Arc<Seen>,
    place: &'a mut Place<'b>,
    cells: Vec<Cell>,
    height: f32,
    /// Rows of which a part is drawn.
    drawn: HashSet<u64>,
}

impl TableDelegate for Drawing<'_, '_> {
    fn default_row_height(&self) -> f32 {
        self.height
    }

    fn header_cell_ui(&mut self, ui: &mut Ui, cell: &HeaderCellInfo) {
        let Some(of) = self.cells.get(cell.col_range.start).cloned() else { return };
        let p = palette(ui);
        ui.painter().rect_filled(ui.max_rect(), 0.0, p.canvas);
        let bottom = ui.max_rect().bottom() - 0.5;
        ui.painter().hline(ui.max_rect().x_range(), bottom, (1.0, p.line));
        let (words, by, tip) = match &of {
            Cell::Name => ("Model".to_owned(), Some(SortBy::Name), "Sort by name".to_owned()),
            Cell::Group => ("Group".to_owned(), Some(SortBy::Group), "Sort by group".to_owned()),
            Cell::Landscape => (
                "Landscape".to_owned(),
                None,
                "The robust loss around the model, each on its own scale".to_owned(),
            ),
            Cell::Number(number) => {
                let key = &self.seen.table.columns[*number].key;
                let with = |row: &&basin_core::study::ModelRow| row.values[*number].is_some();
                let count = self.seen.table.rows.iter().filter(with).count();
                let tip = format!(
                    "{key}: {count} of {} models have it. Click to sort.",
                    self.seen.table.rows.len()
                );
                (title(key), Some(SortBy::Column(key.clone())), tip)
            }
            Cell::Measured => {
                let measures: Vec<&str> = self.seen.study.measures.iter().map(|m| &*m.name).collect();
                (
                    "Measured".to_owned(),
                    Some(SortBy::Measured),
                    format!("Measures of the study: {}", measures.join(", ")),
                )
            }
            Cell::Records => ("Records".to_owned(), Some(SortBy::Records), "Number of records".to_owned()),
        };
        let sorted = self.open.choice.sort.clone().filter(|sort| Some(&sort.by) == by.as_ref());
        let is_right = matches!(of, Cell::Number(_) | Cell::Records);
        let response = header_ui(ui, &words, sorted.as_ref(), is_right).on_hover_text(tip);
        if let Some(by) = by
            && response.on_hover_cursor(CursorIcon::PointingHand).clicked()
        {
            self.place.send(Message::Sort(by));
        }
    }

    fn row_ui(&mut self, ui: &mut Ui, row: u64) {
        let Some(of) = self.open.choice.rows().get(row as usize).copied() else { return };
        let p = palette(ui);
        let rect = ui.max_rect();
        let selected = match of {
            RowOf::Model(model) => self.open.choice.is_selected(&self.seen.study.models[model].name),
            RowOf::Broken(_) => false,
        };
        let response = ui.interact(rect, ui.scope_id().with("row"), Sense::click());
        if selected {
            ui.painter().rect_filled(rect, 0.0, p.selected);
        } else if response.hovered() {
            ui.painter().rect_filled(rect, 0.0, p.button.gamma_multiply(0.45));
        } else if row % 2 == 1 {
            ui.painter().rect_filled(rect, 0.0, p.side.gamma_multiply(0.6));
        }
        // The part that scrolls is drawn first, then that of the names.
        let is_first = self.drawn.insert(row);
        match of {
            RowOf::Model(model) => self.row_response(&response, model),
            RowOf::Broken(file) if is_first => self.sentence_ui(ui, &response, file),
            RowOf::Broken(_) => {}
        }
    }

    fn cell_ui(&mut self, ui: &mut Ui, cell: &CellInfo) {
        let (Some(of), Some(row)) = (
            self.cells.get(cell.col_nr).cloned(),
            self.open.choice.rows().get(cell.row_nr as usize).copied(),
        ) else {
            return;
        };
        match row {
            RowOf::Model(model) => self.model_ui(ui, model, &of),
            RowOf::Broken(file) => self.broken_ui(ui, file, cell.col_nr),
        }
    }
}

impl Drawing<'_, '_> {
    /// Clicks on a row.
    fn row_response(&mut self, response: &Response, model: usize) {
        let name = &self.seen.study.models[model].name;
        if response.clicked() {
            let modifiers = response.ctx.input(|input| input.modifiers);
            let message = match (modifiers.command, modifiers.shift) {
                (true, _) => Message::Toggle(name.clone()),
                (_, true) => Message::SelectTo(name.clone()),
                _ => Message::Select(name.clone()),
            };
            self.place.send(message);
            response.ctx.memory_mut(|memory| memory.stop_text_input());
        }
        if response.secondary_clicked() && !self.open.choice.is_selected(name) {
            self.place.send(Message::Select(name.clone()));
        }
        let (seen, place, cells) = (self.seen, &mut *self.place, &self.cells);
        response.context_menu(|ui| {
            for cell in cells {
                let Cell::Number(number) = cell else { continue };
                let Some(value) = seen.table.rows[model].values[*number] else { continue };
                let column = &seen.table.columns[*number];
                let words = format!("Copy {}: {}", title(&column.key), number_words(value.value, column));
                if ui.button(words).clicked() {
                    place.copy(value.value.to_string());
                    ui.close();
                }
            }
            ui.separator();
            if ui.button("Copy name").clicked() {
                place.copy(name.clone());
                ui.close();
            }
            if ui.button("Copy selected rows").clicked() {
                place.send(Message::CopyRows);
                ui.close();
            }
            ui.separator();
            if ui.button("Measure what is missing of the selected…").clicked() {
                place.send(Message::AskToMeasure(true));
                ui.close();
            }
        });
    }

    fn model_ui(&mut self, ui: &mut Ui, model: usize, of: &Cell) {
        let p = palette(ui);
        let seen = self.seen;
        let weak = |words: &str| RichText::new(words).color(p.weak);
        match of {
            Cell::Name => {
                let name = &seen.study.models[model].name;
                left_ui(ui, |ui| {
                    swatch_ui(ui, seen, model);
                    let problems = &seen.entries.models[model].problems;
                    if !problems.is_empty() {
                        let sign = RichText::new("!").strong().color(p.error);
                        ui.add(Label::new(sign).selectable(false)).on_hover_text(problems.join("\n"));
                    }
                    text_ui(ui, RichText::new(name)).on_hover_text(name);
                });
            }
            Cell::Group => left_ui(ui, |ui| {
                let group = seen.study.models[model].group.as_deref().unwrap_or_default();
                text_ui(ui, weak(group));
            }),
            Cell::Landscape => self.landscape_ui(ui, model),
            Cell::Number(number) => right_ui(ui, |ui| {
                let column = &seen.table.columns[*number];
                match seen.table.rows[model].values[*number] {
                    Some(value) => {
                        let words = RichText::new(number_words(value.value, column));
                        text_ui(ui, words).on_hover_text(with_interval(value, column));
                    }
                    None => {
                        text_ui(ui, weak("–"));
                    }
                }
            }),
            Cell::Measured => left_ui(ui, |ui| self.measured_ui(ui, model)),
            Cell::Records => right_ui(ui, |ui| {
                text_ui(ui, weak(&seen.rows[model].records.to_string()));
            }),
        }
    }

    fn landscape_ui(&mut self, ui: &mut Ui, model: usize) {
        let Some((path, thumbnail)) = self.seen.thumbnail(model) else { return };
        let height = self.height - 6.0;
        let width = if thumbnail.height == 1 { 68.0 } else { height };
        let left = ui.max_rect().left_center() + vec2(MARGIN, 0.0);
        let rect = Rect::from_min_size(left - vec2(0.0, height / 2.0), Vec2::new(width, height));
        self.open.pictures.paint(ui, rect, &path.to_string_lossy(), thumbnail, thumbnail.range);
        let [low, high] = thumbnail.range;
        ui.interact(rect, ui.scope_id().with("picture"), Sense::hover())
            .on_hover_text(format!("{}\nloss {low:.3} to {high:.3}", path.display()));
    }

    /// How many measures of the study there are, or what is being done about the others.
    fn measured_ui(&self, ui: &mut Ui, model: usize) {
        let p = palette(ui);
        let name = &self.seen.study.models[model].name;
        let [measured, all] = self.seen.measured(model);
        let states = self.seen.study.measures.iter().zip(&self.seen.rows[model].measures);
        let lines: Vec<String> =
            states.map(|(measure, state)| format!("{}: {}", measure.name, state_words(state))).collect();
        let run = self.open.run.as_ref();
        let at_work = run.and_then(|run| run.current()).is_some_and(|current| current.model == *name);
        let queued = run.map_or(0, |run| run.queued(name));
        let failed = run.is_some_and(|run| run.failed().iter().any(|(planned, _)| planned.model == *name));
        let (words, color) = match () {
            () if at_work => ("measuring…".to_owned(), p.accent),
            () if queued > 0 => ("queued".to_owned(), p.weak),
            () if failed => ("failed".to_owned(), p.error),
            () if all == 0 => ("–".to_owned(), p.weak),
            () if measured == all => (format!("{measured} of {all}"), p.good),
            () => (format!("{measured} of {all}"), p.weak),
        };
        text_ui(ui, RichText::new(words).color(color)).on_hover_text(lines.join("\n"));
    }

    /// What is wrong with a file, over all columns but that of its name.
    fn sentence_ui(&self, ui: &Ui, row: &Response, file: usize) {
        let Some((_, why)) = self.seen.entries.broken.get(file) else { return };
        let words = why.rsplit_once(".json: ").map_or(&**why, |(_, why)| why);
        let at = pos2(ui.clip_rect().left() + MARGIN, row.rect.center().y);
        let font = TextStyle::Body.resolve(ui.style());
        ui.painter().text(at, Align2::LEFT_CENTER, words, font, palette(ui).weak);
        row.clone().on_hover_text(why);
    }

    /// The name of a file that cannot be used.
    fn broken_ui(&self, ui: &mut Ui, file: usize, column: usize) {
        let Some((path, _)) = self.seen.entries.broken.get(file).filter(|_| column == 0) else { return };
        let p = palette(ui);
        left_ui(ui, |ui| {
            ui.add(Label::new(RichText::new("!").strong().color(p.error)).selectable(false));
            let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
            text_ui(ui, RichText::new(name).color(p.error)).on_hover_text(path.display().to_string());
        });
    }
}

/// The title of a column with the direction in which it is sorted.
fn header_ui(ui: &mut Ui, words: &str, sorted: Option<&Sort>, is_right: bool) -> Response {
    let p = palette(ui);
    let rect = ui.max_rect();
    let response = ui.interact(rect, ui.scope_id().with("title"), Sense::click());
    let color = if sorted.is_some() || response.hovered() { p.text } else { p.weak };
    let font = TextStyle::Small.resolve(ui.style());
    let inner = rect.shrink2(vec2(MARGIN, 0.0));
    let arrow = match sorted {
        Some(sort) if sort.descending => " ▼",
        Some(_) => " ▲",
        None => "",
    };
    let text = format!("{words}{arrow}");
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    let (at, align) = if is_right {
        (inner.right_center(), Align2::RIGHT_CENTER)
    } else {
        (inner.left_center(), Align2::LEFT_CENTER)
    };
    painter.text(at, align, &text, font, color);
    let label = words.to_owned();
    response.widget_info(|| eframe::egui::WidgetInfo::labeled(eframe::egui::Role::Button, true, &label));
    response
}

/// The symbol of a model's group, as in the scatter.
fn swatch_ui(ui: &mut Ui, seen: &Seen, model: usize) {
    let Some((color, shape)) = seen.look(model) else { return };
    let (rect, _) = ui.allocate_exact_size(Vec2::splat(12.0), Sense::hover());
    let shapes: Vec<Shape> = symbol_shapes(ui, shape, rect.center(), color);
    ui.painter().extend(shapes);
}

fn text_ui(ui: &mut Ui, text: RichText) -> Response {
    let label = Label::new(text).selectable(false);
    // While a column is measured, all of its words count.
    ui.add(if ui.is_sizing_pass() { label.extend() } else { label.truncate() })
}

fn left_ui(ui: &mut Ui, content: impl FnOnce(&mut Ui)) {
    cell_ui(ui, Layout::left_to_right(Align::Center), content);
}

fn right_ui(ui: &mut Ui, content: impl FnOnce(&mut Ui)) {
    cell_ui(ui, Layout::right_to_left(Align::Center), content);
}

fn cell_ui(ui: &mut Ui, layout: Layout, content: impl FnOnce(&mut Ui)) {
    let rect = ui.max_rect().shrink2(vec2(MARGIN, 0.0));
    ui.scope_builder(UiBuilder::new().max_rect(rect).layout(layout), |ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        content(ui);
    });
}

/// A state of a measure for people.
pub fn state_words(state: &State) -> &'static str {
    match state {
        State::Measured { .. } => "measured",
        State::Changed { .. } => "the checkpoint has changed since",
        State::Unfinished { .. } => "unfinished",
        State::OtherSettings { .. } => "measured with other settings",
        State::Broken { .. } => "the file is no record",
        State::Missing => "missing",
        State::NoCheckpoint => "no checkpoint",
    }
}

/// The rows of the selected models with the columns that are shown, as tab-separated values.
pub fn selected_rows(open: &Open, seen: &Seen, columns: &[usize]) -> String {
    let header = ["model", "group"].map(str::to_owned).into_iter();
    let keys = columns.iter().map(|column| seen.table.columns[*column].key.clone());
    let mut lines = vec![header.chain(keys).collect::<Vec<_>>().join("\t")];
    for model in open.choice.models().filter(|model| open.choice.is_selected(&seen.study.models[*model].name))
    {
        let row = &seen.table.rows[model];
        let values = columns
            .iter()
            .map(|column| row.values[*column].map_or_else(String::new, |value| value.value.to_string()));
        let first = [row.name.clone(), row.group.clone().unwrap_or_default()].into_iter();
        lines.push(
            first.chain(values).map(|cell| cell.replace(['\t', '\n'], " ")).collect::<Vec<_>>().join("\t"),
        );
    }
    lines.join("\n")
}

/// A small button of this tab.
pub fn button(words: &str) -> Button<'_> {
    Button::new(words).small()
}
