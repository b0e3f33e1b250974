//! The colour bar beside a map.

use eframe::egui::epaint::TextShape;
use eframe::egui::{
    Align2, Color32, FontId, Pos2, Rect, Sense, Shape, Stroke, StrokeKind, TextStyle, Ui, vec2,
};

use crate::plot::{Color, Field, text};

const WIDTH: f32 = 14.0;
const TICK: f32 = 4.0;
/// What the x axis takes below the axes; the bar ends where they end.
const BELOW: f32 = 36.0;

/// Draws the colour bar at the right end of the available space.
pub fn show(ui: &mut Ui, field: &Field) {
    let font = TextStyle::Body.resolve(ui.style());
    let small = FontId::new(font.size * 0.92, font.family.clone());
    let color = ui.visuals().text_color();
    let galleys: Vec<_> = field
        .ticks
        .iter()
        .map(|t| (t.value, ui.painter().layout_no_wrap(text::plain(&t.label), small.clone(), color)))
        .collect();
    let widest = galleys.iter().map(|(_, g)| g.size().x).fold(0.0, f32::max);
    let size = vec2(8.0 + WIDTH + TICK + 4.0 + widest + 6.0 + font.size + 4.0, ui.available_height());
    let (space, _) = ui.allocate_exact_size(size, Sense::hover());
    let bar = Rect::from_min_size(
        space.min + vec2(8.0, 6.0),
        vec2(WIDTH, (space.height() - BELOW - 6.0).max(20.0)),
    );
    let colors = &field.colors;
    let tip = if colors.over { 9.0 } else { 0.0 };
    let body = Rect::from_min_max(bar.min + vec2(0.0, tip), bar.max);
    let range = colors.range();
    let ends = [range.0, range.1].map(|v| colors.scale.map(v).unwrap_or(0.0));
    let height = |value: f64| {
        let t = (colors.scale.map(value).unwrap_or(0.0) - ends[0]) / (ends[1] - ends[0]);
        body.bottom() - t as f32 * body.height()
    };
    let painter = ui.painter();
    for (i, limits) in colors.levels.windows(2).enumerate() {
        let band = Rect::from_x_y_ranges(body.x_range(), height(limits[1])..=height(limits[0]));
        painter.rect_filled(band, 0.0, color32(colors.band_color(i)));
    }
    let outline = Stroke::new(1.0, ui.visuals().weak_text_color());
    painter.rect_stroke(body, 0.0, outline, StrokeKind::Outside);
    if colors.over {
        let corners = vec![body.left_top(), Pos2::new(bar.center().x, bar.top()), body.right_top()];
        painter.add(Shape::convex_polygon(corners, color32(colors.band_color(colors.bands() - 1)), outline));
    }
    for (value, galley) in galleys {
        let y = height(value);
        painter.hline(body.right()..=body.right() + TICK, y, outline);
        let at = Pos2::new(body.right() + TICK + 4.0, y - galley.size().y / 2.0);
        painter.galley(at, galley, color);
    }
    let title = painter.layout_no_wrap(text::plain(&field.name), font, color);
    let middle = Pos2::new(space.right() - title.size().y / 2.0 - 1.0, bar.center().y);
    let corner = middle - title.size() / 2.0;
    let shape = TextShape::new(corner, title, color);
    let shape = shape.with_angle_and_anchor(-std::f32::consts::FRAC_PI_2, Align2::CENTER_CENTER);
    painter.add(shape);
}

fn color32(color: Color) -> Color32 {
    Color32::from_rgba_unmultiplied(color.r, color.g, color.b, color.a)
}
