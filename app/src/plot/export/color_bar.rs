//! The colour bar of a map.

use super::layout::{CAP_HEIGHT, Layout};
use super::scene::{Anchor, Outline, Rect, Scene, Stroke};
use super::style::FigureStyle;
use crate::plot::{Color, Field};

/// The colour bar: bands with their limits, ticks on the right, a tip if there are values beyond.
pub fn color_bar(scene: &mut Scene, field: &Field, bar: Rect, layout: &Layout, style: &FigureStyle) {
    let colors = &field.colors;
    let tip = if colors.over { 0.7 * bar.width } else { 0.0 };
    let body = Rect { top: bar.top + tip, height: bar.height - tip, ..bar };
    let range = colors.range();
    let ends = [range.0, range.1].map(|v| colors.scale.map(v).unwrap_or(0.0));
    let at = |value: f64| {
        let t = (colors.scale.map(value).unwrap_or(0.0) - ends[0]) / (ends[1] - ends[0]);
        body.bottom() - t * body.height
    };
    let mut outline = body.ring();
    if colors.over {
        let points =
            vec![[body.left, body.top], [body.left + body.width / 2.0, bar.top], [body.right(), body.top]];
        let fill = colors.band_color(colors.bands() - 1);
        scene.path(vec![Outline { points: points.clone(), closed: true }], Some(fill), None, false);
        outline.points = vec![[body.left, body.bottom()], [body.left, body.top]];
        outline.points.extend([points[1], [body.right(), body.top], [body.right(), body.bottom()]]);
    }
    // From below, each band up to the top: no seams.
    for (i, limit) in colors.levels.iter().take(colors.levels.len() - 1).enumerate() {
        let bottom = at(*limit);
        let band = Rect { top: body.top, height: bottom - body.top, ..body };
        scene.path(vec![band.ring()], Some(colors.band_color(i)), None, false);
    }
    let stroke = Stroke::solid(Color::BLACK, style.frame_pt);
    for tick in &layout.bar_ticks {
        let y = at(tick.value);
        let length = if tick.label.is_empty() { 0.55 } else { 1.0 } * layout.tick;
        scene.line([body.right(), y], [body.right() + length, y], stroke);
        let place = [body.right() + layout.tick + layout.gap, y + CAP_HEIGHT * style.tick_pt / 2.0];
        scene.text(place, Anchor::Start, &tick.label, style.tick_pt);
    }
    scene.path(vec![outline], None, Some(stroke), false);
    scene.upright(&layout.bar_label.0, layout.bar_label.1);
}
