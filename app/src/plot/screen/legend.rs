//! The legend on the screen, above the axes where it covers nothing: symbols and lines as they are drawn. A click hides
//! what it explains, and shows it again.

use std::collections::BTreeSet;

use eframe::egui::{
    Align2, Color32, Id, Pos2, Rect, Response, Role, Sense, Stroke, TextStyle, Ui, WidgetInfo, vec2,
};

use super::items::{line_style, mark_colors, themed};
use super::symbols;
use crate::plot::{Entry, Item, Plot, text};

/// Between sample and words, and between entries.
const GAP: f32 = 6.0;
/// Between what belongs to different parts.
const PART: f32 = 14.0;
/// Length of a sample.
const SAMPLE: f32 = 22.0;
/// More entries than these are written small.
const MANY: usize = 6;

/// Items of a plot that are hidden, by their numbers.
pub type Hidden = BTreeSet<usize>;

/// Names of entries that are hidden.
fn off(ui: &Ui, id: Id) -> BTreeSet<String> {
    ui.data(|data| data.get_temp(id)).unwrap_or_default()
}

/// What is hidden in a plot by the legend of this id, which may be that of several plots.
pub fn hidden(ui: &Ui, id: Id, plot: &Plot) -> Hidden {
    let off = off(ui, id);
    let entries = plot.legend().into_iter().flatten().filter(|entry| off.contains(entry.name));
    entries.flat_map(|entry| entry.items).collect()
}

/// Draws the entries of a plot from left to right, in as many lines as they need. Nothing, if there are none.
pub fn show(ui: &mut Ui, id: Id, plot: &Plot) {
    let parts = plot.legend();
    let count: usize = parts.iter().map(Vec::len).sum();
    if count == 0 {
        return;
    }
    let style = if count > MANY { TextStyle::Small } else { TextStyle::Body };
    let mut off = off(ui, id);
    let height = std::mem::take(&mut ui.spacing_mut().interact_size.y);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(GAP, 1.0);
        for (number, part) in parts.iter().enumerate() {
            if number > 0 && !part.is_empty() {
                ui.add_space(PART);
            }
            for entry in part {
                let shown = !off.contains(entry.name);
                if entry_ui(ui, entry, shown, style.clone()).clicked() && !off.insert(entry.name.to_owned()) {
                    off.remove(entry.name);
                }
            }
        }
    });
    ui.spacing_mut().interact_size.y = height;
    ui.data_mut(|data| data.insert_temp(id, off));
}

fn entry_ui(ui: &mut Ui, entry: &Entry<'_>, shown: bool, style: TextStyle) -> Response {
    let name = text::plain(entry.name);
    let font = style.resolve(ui.style());
    let words = ui.painter().layout_no_wrap(name.clone(), font.clone(), Color32::WHITE).size().x;
    let width = (SAMPLE + GAP + words + GAP).min(ui.max_rect().width());
    let (rect, response) = ui.allocate_exact_size(vec2(width, font.size + 6.0), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::CheckBox, true, shown, &name));
    if response.hovered() {
        ui.painter().rect_filled(
            rect.expand2(vec2(3.0, 0.0)),
            3.0,
            ui.visuals().widgets.hovered.weak_bg_fill,
        );
    }
    let strength = if shown { 1.0 } else { 0.25 };
    let sample = Rect::from_min_size(rect.min, vec2(SAMPLE, rect.height()));
    sample_ui(ui, entry.sample, sample, strength);
    let color = ui.visuals().text_color().gamma_multiply(if shown { 1.0 } else { 0.5 });
    let at = Pos2::new(sample.right() + GAP, rect.center().y);
    ui.painter().with_clip_rect(rect).text(at, Align2::LEFT_CENTER, &name, font, color);
    response.on_hover_text("Click to hide or to show")
}

/// A short piece of an item.
fn sample_ui(ui: &Ui, item: &Item, rect: Rect, strength: f32) {
    let dark = ui.visuals().dark_mode;
    let painter = ui.painter();
    let ends = [rect.left_center(), rect.right_center()];
    let color = |color| themed(color, dark).gamma_multiply(strength);
    match item {
        Item::Series(series) => {
            painter.extend(line_style(series.dash, &ends, Stroke::new(2.0, color(series.color))));
            if series.dots {
                painter.circle_filled(rect.center(), 2.8, color(series.color));
            }
        }
        Item::Guide(guide) => {
            painter.extend(line_style(guide.dash, &ends, Stroke::new(1.5, color(guide.color))));
        }
        Item::Histogram(histogram) => {
            let swatch = Rect::from_center_size(rect.center(), vec2(SAMPLE, rect.height() * 0.5));
            let (fill, edge) = (color(histogram.color).gamma_multiply(0.25), color(histogram.color));
            painter.rect(swatch, 0.0, fill, Stroke::new(1.5, edge), eframe::egui::StrokeKind::Inside);
        }
        Item::Scatter(scatter) => {
            let outline = ui.visuals().text_color().gamma_multiply(strength);
            let (at, radius) = (rect.center(), symbols::radius(scatter.size));
            painter.extend(symbols::shapes(scatter.shape, at, radius, color(scatter.color), outline));
        }
        Item::Mark(mark) => {
            let [fill, outline] = mark_colors(ui.ctx(), mark).map(|color| color.gamma_multiply(strength));
            painter.extend(symbols::shapes(mark.shape, rect.center(), symbols::MARK, fill, outline));
        }
        Item::Field(_) | Item::Caption(_) | Item::Arrow(_) => {}
    }
}
