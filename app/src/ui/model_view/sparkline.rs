//! The distribution of a tensor's values as a small histogram.

use basin_core::checkpoint::{Distribution, TensorSummary};
use eframe::egui::{
    Align2, Grid, Rect, RichText, Role as WidgetRole, Sense, Stroke, TextStyle, Ui, WidgetInfo, pos2,
};

use crate::ui::widgets::palette;

/// Draws the histogram; the pointer shows its numbers.
pub(super) fn ui(
    ui: &Ui,
    place: Rect,
    tensor: &TensorSummary,
    distribution: Option<&Distribution>,
    is_pending: bool,
) {
    let p = palette(ui);
    let Some(distribution) = distribution else {
        let text = if is_pending { "…" } else { "–" };
        let font = TextStyle::Body.resolve(ui.style());
        ui.painter().text(place.left_center(), Align2::LEFT_CENTER, text, font, p.weak);
        return;
    };
    if distribution.counts.is_empty() {
        let font = TextStyle::Small.resolve(ui.style());
        let text = format!("all {}", number(distribution.mean));
        ui.painter().text(place.left_center(), Align2::LEFT_CENTER, text, font, p.weak);
    } else {
        bars(ui, place, distribution);
    }
    let response = ui.interact(place, ui.scope_id().with(("values", &tensor.name)), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(WidgetRole::Image, true, spoken(distribution)));
    response.on_hover_ui(|ui| numbers_ui(ui, distribution));
}

fn bars(ui: &Ui, place: Rect, distribution: &Distribution) {
    let (p, painter) = (palette(ui), ui.painter());
    let most = distribution.counts.iter().copied().max().unwrap_or(0).max(1) as f32;
    let width = place.width() / distribution.counts.len() as f32;
    for (bin, count) in distribution.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let height = (place.height() * *count as f32 / most).max(1.0);
        let left = place.left() + width * bin as f32;
        let bar =
            Rect::from_min_max(pos2(left, place.bottom() - height), pos2(left + width - 0.6, place.bottom()));
        painter.rect_filled(bar, 0.0, p.accent);
    }
    painter.line_segment([place.left_bottom(), place.right_bottom()], Stroke::new(1.0, p.line));
    let (low, high) = (distribution.low, distribution.high);
    if low < 0.0 && high > 0.0 {
        let x = place.left() + place.width() * (-low / (high - low)) as f32;
        painter.line_segment([pos2(x, place.top()), pos2(x, place.bottom())], Stroke::new(1.0, p.warning));
    }
}

/// Four significant digits.
fn number(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        "0".into()
    } else if !(1e-3..1e5).contains(&size) {
        format!("{value:.3e}")
    } else {
        let digits = (3 - size.log10().floor() as i32).clamp(0, 6) as usize;
        format!("{value:.digits$}")
    }
}

fn rows(distribution: &Distribution) -> [(&'static str, f64); 6] {
    [
        ("Minimum", distribution.min),
        ("0.1 % quantile", distribution.low),
        ("Mean", distribution.mean),
        ("Standard deviation", distribution.std),
        ("99.9 % quantile", distribution.high),
        ("Maximum", distribution.max),
    ]
}

fn spoken(distribution: &Distribution) -> String {
    let rows = rows(distribution).map(|(name, value)| format!("{name} {}", number(value)));
    format!("Values of {}: {}", distribution.name, rows.join(", "))
}

fn numbers_ui(ui: &mut Ui, distribution: &Distribution) {
    ui.label(RichText::new(&distribution.name).monospace());
    Grid::new("distribution").num_columns(2).min_row_height(18.0).spacing([16.0, 1.0]).show(ui, |ui| {
        for (name, value) in rows(distribution) {
            ui.label(RichText::new(name).color(palette(ui).weak));
            ui.label(number(value));
            ui.end_row();
        }
    });
}
