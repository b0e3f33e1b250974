//! Symbols, and the short pieces of items that a legend shows.

use super::scene::{Outline, Rect, Scene, Shape, Stroke};
use super::style::FigureStyle;
use crate::plot::{Color, Item, Shape as Symbol};

/// Diameter of a mark relative to a symbol of a scatter.
pub const MARK: f64 = 0.84;

/// A short piece of an item, `length` to the right of `at`.
pub fn sample(scene: &mut Scene, item: &Item, at: [f64; 2], length: f64, style: &FigureStyle) {
    let [x, y] = at;
    let middle = [x + length / 2.0, y];
    let mut line = |color, width, dash| {
        let points = vec![at, [x + length, y]];
        scene.path(vec![Outline { points, closed: false }], None, Some(Stroke { color, width, dash }), false);
    };
    match item {
        Item::Series(series) => {
            line(series.color, style.line_pt, series.dash);
            if series.dots {
                let radius = 0.85 * style.line_pt;
                scene.shapes.push(Shape::Discs {
                    centres: vec![middle],
                    radius,
                    fill: series.color,
                    stroke: None,
                });
            }
        }
        Item::Guide(guide) => line(guide.color, 0.8 * style.line_pt, guide.dash),
        Item::Histogram(histogram) => {
            let half = 0.3 * style.legend_pt;
            let swatch = Rect { left: x, top: y - half, width: length, height: 2.0 * half };
            let stroke = Stroke::solid(histogram.color, 0.7 * style.line_pt);
            scene.path(vec![swatch.ring()], Some(histogram.color.with_alpha(0.25)), Some(stroke), false);
        }
        Item::Scatter(scatter) => {
            symbol(scene, middle, scatter.shape, style.symbol_pt * scatter.size / 2.0, scatter.color, style);
        }
        Item::Mark(mark) => {
            symbol(scene, middle, mark.shape, 0.5 * MARK * style.symbol_pt, mark.color, style)
        }
        Item::Field(_) | Item::Caption(_) | Item::Arrow(_) => {}
    }
}

/// A symbol with a dark outline; a cross is a light cross with a dark edge, visible on every colour.
pub fn symbol(scene: &mut Scene, at: [f64; 2], shape: Symbol, radius: f64, fill: Color, style: &FigureStyle) {
    let [x, y] = at;
    let outline = Stroke::solid(Color::BLACK, 0.6 * style.frame_pt);
    let outlines = match shape {
        Symbol::Circle => {
            let stroke = Some(outline);
            scene.shapes.push(Shape::Discs { centres: vec![at], radius, fill, stroke });
            return;
        }
        Symbol::Cross => {
            let arm =
                |dx: f64| Outline { points: vec![[x - dx, y - radius], [x + dx, y + radius]], closed: false };
            let arms = vec![arm(radius), arm(-radius)];
            scene.path(arms.clone(), None, Some(Stroke::solid(Color::BLACK, 0.55 * radius + 1.0)), false);
            scene.path(arms, None, Some(Stroke::solid(fill, 0.55 * radius)), false);
            return;
        }
        _ => {
            let corners = shape.corners().into_iter();
            let points = corners.map(|[dx, dy]| [x + radius * dx, y + radius * dy]).collect();
            vec![Outline { points, closed: true }]
        }
    };
    scene.path(outlines, Some(fill), Some(outline), false);
}
