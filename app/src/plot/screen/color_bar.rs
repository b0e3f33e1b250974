//! The colour bar beside a map.

use std::sync::Arc;

use eframe::egui::epaint::TextShape;
use eframe::egui::{
    Align2, FontId, Galley, Pos2, Rect, Sense, Shape, Stroke, StrokeKind, TextStyle, Ui, vec2,
};

use super::field_item::color32;
use crate::plot::{Field, text};

const GAP: f32 = 12.0;
const WIDTH: f32 = 14.0;
const TICK: f32 = 4.0;
const TIP: f32 = 9.0;

/// A colour bar with its texts laid out.
pub struct ColorBar<'a> {
    field: &'a Field,
    ticks: Vec<(f64, Arc<Galley>)>,
    title: Arc<Galley>,
}

impl<'a> ColorBar<'a> {
    /// Lays out the texts.
    pub fn new(ui: &Ui, field: &'a Field) -> Self {
        let font = TextStyle::Body.resolve(ui.style());
        let small = FontId::new(font.size * 0.92, font.family.clone());
        let color = ui.visuals().text_color();
        let layout = |words: &str, font| ui.painter().layout_no_wrap(text::plain(words), font, color);
        let labelled = field.ticks.iter().filter(|t| !t.label.is_empty());
        Self {
            field,
            ticks: labelled.map(|t| (t.value, layout(&t.label, small.clone()))).collect(),
            title: layout(&field.name, font),
        }
    }

    /// What it takes beside the axes.
    pub fn width(&self) -> f32 {
        let widest = self.ticks.iter().map(|(_, g)| g.size().x).fold(0.0, f32::max);
        GAP + WIDTH + TICK + 4.0 + widest + 6.0 + self.title.size().y
    }

    /// Draws it to the right of the axes, as high as they are.
    pub fn show(self, ui: &mut Ui, axes: Rect) {
        let (space, _) = ui.allocate_exact_size(vec2(self.width(), axes.height()), Sense::hover());
        let bar = Rect::from_min_size(Pos2::new(space.left() + GAP, axes.top()), vec2(WIDTH, axes.height()));
        let color = ui.visuals().text_color();
        let outline = Stroke::new(1.0, ui.visuals().weak_text_color());
        let colors = &self.field.colors;
        let tip = if colors.over { TIP } else { 0.0 };
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
        painter.rect_stroke(body, 0.0, outline, StrokeKind::Outside);
        if colors.over {
            let corners = vec![body.left_top(), Pos2::new(bar.center().x, bar.top()), body.right_top()];
            let fill = color32(colors.band_color(colors.bands() - 1));
            painter.add(Shape::convex_polygon(corners, fill, outline));
        }
        for (value, galley) in self.ticks {
            let y = height(value);
            painter.hline(body.right()..=body.right() + TICK, y, outline);
            let at = Pos2::new(body.right() + TICK + 4.0, y - galley.size().y / 2.0);
            painter.galley(at, galley, color);
        }
        let middle = Pos2::new(space.right() - self.title.size().y / 2.0, bar.center().y);
        let corner = middle - self.title.size() / 2.0;
        let title = TextShape::new(corner, self.title, color);
        painter.add(title.with_angle_and_anchor(-std::f32::consts::FRAC_PI_2, Align2::CENTER_CENTER));
    }
}
