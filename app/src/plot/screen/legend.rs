//! The legend on the screen: symbols and lines as they are drawn. A click hides what it explains, and shows it again.

use std::collections::BTreeSet;

use eframe::egui::{
    Align, Align2, Color32, Frame, Id, Layout, Pos2, Rect, Role, Sense, Stroke, TextStyle, Ui, UiBuilder,
    WidgetInfo, vec2,
};

use super::items::{line_style, themed};
use super::symbols;
use crate::plot::{Item, Plot, text};

/// Distance from the frame of the axes, and between sample and words.
const GAP: f32 = 6.0;
/// Length of a sample.
const SAMPLE: f32 = 22.0;

/// Items of a plot that are hidden, by their numbers.
pub type Hidden = BTreeSet<usize>;

/// What is hidden in the plot of this id.
pub fn hidden(ui: &Ui, id: Id) -> Hidden {
    ui.data(|data| data.get_temp(id.with("hidden"))).unwrap_or_default()
}

/// Draws the legend into a corner of `axes`; clicks are kept for the next frame. What it covers; none without entries.
pub fn show(ui: &mut Ui, id: Id, plot: &Plot, axes: Rect, corner: Align2) -> Option<Rect> {
    let mut hidden = hidden(ui, id);
    let entries: Vec<(usize, String, &Item)> = (plot.items.iter().enumerate())
        .filter_map(|(index, item)| Some((index, text::plain(item.name()?), item)))
        .collect();
    if entries.is_empty() {
        return None;
    }
    let font = TextStyle::Body.resolve(ui.style());
    let row = font.size + 5.0;
    let widest = entries
        .iter()
        .map(|(_, name, _)| ui.painter().layout_no_wrap(name.clone(), font.clone(), Color32::WHITE).size().x);
    let width = (SAMPLE + GAP + widest.fold(0.0, f32::max)).min(axes.width() * 0.6);
    let frame = Frame::new()
        .inner_margin(vec2(8.0, 5.0))
        .corner_radius(4)
        .fill(ui.visuals().extreme_bg_color.gamma_multiply(0.85))
        .stroke(ui.visuals().window_stroke());
    let size = vec2(width, row * entries.len() as f32) + frame.total_margin().sum();
    let place = corner.align_size_within_rect(size, axes.shrink(GAP));
    let mut child =
        ui.new_child(UiBuilder::new().max_rect(place).id_salt("legend").layout(Layout::top_down(Align::Min)));
    child.shrink_clip_rect(axes);
    frame.show(&mut child, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for (index, name, item) in entries {
            let shown = !hidden.contains(&index);
            let (rect, response) = ui.allocate_exact_size(vec2(width, row), Sense::click());
            response.widget_info(|| WidgetInfo::selected(Role::CheckBox, true, shown, &name));
            if response.hovered() {
                ui.painter().rect_filled(rect, 3.0, ui.visuals().widgets.hovered.weak_bg_fill);
            }
            let strength = if shown { 1.0 } else { 0.25 };
            let sample = Rect::from_min_size(rect.min, vec2(SAMPLE, row));
            sample_ui(ui, item, sample, strength);
            let color = ui.visuals().text_color().gamma_multiply(if shown { 1.0 } else { 0.5 });
            let at = Pos2::new(sample.right() + GAP, rect.center().y);
            ui.painter().with_clip_rect(rect).text(at, Align2::LEFT_CENTER, &name, font.clone(), color);
            if response.on_hover_text("Click to hide or to show").clicked() && !hidden.insert(index) {
                hidden.remove(&index);
            }
        }
    });
    ui.data_mut(|data| data.insert_temp(id.with("hidden"), hidden));
    Some(place)
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
            let radius = symbols::radius(scatter.size);
            painter.extend(symbols::shapes(
                scatter.shape,
                rect.center(),
                radius,
                color(scatter.color),
                outline,
            ));
        }
        Item::Field(_) | Item::Mark(_) | Item::Label(_) | Item::Caption(_) => {}
    }
}
