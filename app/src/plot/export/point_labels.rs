//! Words beside points: each at the nearest free place, with a thin line to its point where that is not beside it.
//! Words without a free place near their point are left out; data files have every name.

use super::draw::{Transform, guide_points};
use super::fonts;
use super::layout::CAP_HEIGHT;
use super::scene::{Anchor, Outline, Rect, Scene, Stroke};
use super::style::FigureStyle;
use crate::plot::{Color, Item, Plot, text};

/// Directions tried, clockwise from the right; the earlier the better.
const DIRECTIONS: [[f64; 2]; 16] = [
    [1.0, 0.0],
    [0.8, -0.6],
    [0.8, 0.6],
    [-1.0, 0.0],
    [0.0, -1.0],
    [0.0, 1.0],
    [-0.8, -0.6],
    [-0.8, 0.6],
    [0.92, -0.39],
    [0.92, 0.39],
    [0.39, -0.92],
    [0.39, 0.92],
    [-0.39, -0.92],
    [-0.39, 0.92],
    [-0.92, -0.39],
    [-0.92, 0.39],
];
/// Distances tried, in font sizes beyond the symbol.
const DISTANCES: [f64; 7] = [0.3, 0.8, 1.3, 1.9, 2.6, 3.4, 4.3];

/// Words that want a place.
struct Wanted {
    label: String,
    at: [f64; 2],
    radius: f64,
}

/// Draws the labels of every scatter of the plot; `taken` is not to be covered.
pub fn draw(scene: &mut Scene, plot: &Plot, to: &Transform<'_>, style: &FigureStyle, taken: &[Rect]) {
    let size = 0.8 * style.tick_pt;
    let mut symbols: Vec<([f64; 2], f64)> = Vec::new();
    let mut bars: Vec<[[f64; 2]; 2]> = Vec::new();
    let mut wanted = Vec::new();
    for item in &plot.items {
        if let Item::Guide(guide) = item {
            let points = guide_points(guide, to, plot);
            bars.extend(points.windows(2).map(|ends| [ends[0], ends[1]]));
        }
        let Item::Scatter(scatter) = item else { continue };
        let radius = style.symbol_pt * scatter.size / 2.0;
        for p in &scatter.points {
            let Some(at) = to.point(p.x, p.y).filter(|at| scene.frame.contains(*at, -0.01)) else { continue };
            symbols.push((at, radius));
            let x_bar = p.x_interval.and_then(|(a, b)| Some([to.point(a, p.y)?, to.point(b, p.y)?]));
            let y_bar = p.y_interval.and_then(|(a, b)| Some([to.point(p.x, a)?, to.point(p.x, b)?]));
            bars.extend([x_bar, y_bar].into_iter().flatten());
            wanted.extend(p.label.as_ref().map(|label| Wanted { label: text::literal(label), at, radius }));
        }
    }
    // Crowded points choose first.
    let crowd = |w: &Wanted| symbols.iter().filter(|(at, _)| distance(*at, w.at) < 4.0 * size).count();
    wanted.sort_by_key(|w| std::cmp::Reverse(crowd(w)));
    let mut boxes: Vec<Rect> = taken.to_vec();
    let mut leaders: Vec<[[f64; 2]; 2]> = Vec::new();
    for w in &wanted {
        let width = 1.03 * fonts::width(&w.label, style.family, false, size);
        let height = CAP_HEIGHT * size;
        let found = DISTANCES.iter().enumerate().find_map(|(ring, far)| {
            DIRECTIONS.iter().find_map(|[dx, dy]| {
                let reach = w.radius + far * size;
                // The box touches the circle of this reach with the side or corner that faces the point.
                let middle = [
                    w.at[0] + dx * reach + dx.signum() * (dx.abs() * width / 2.0).min(width / 2.0),
                    w.at[1] + dy * (reach + height / 2.0),
                ];
                let place =
                    Rect { left: middle[0] - width / 2.0, top: middle[1] - height / 2.0, width, height };
                let leader = (ring > 0).then(|| [w.at, nearest(&place, w.at)]);
                let inside = scene.frame.contains([place.left, place.top], 2.0)
                    && scene.frame.contains([place.right(), place.bottom()], 2.0);
                let margin = 0.12 * size;
                let free = inside
                    && boxes.iter().all(|other| !overlap(&place, other, 2.0 * margin))
                    && symbols
                        .iter()
                        .all(|(at, radius)| distance(nearest(&place, *at), *at) > radius + margin)
                    && bars.iter().chain(&leaders).all(|line| !crosses(&place, line, margin))
                    && leader.is_none_or(|line| {
                        boxes.iter().all(|other| !crosses(other, &line, margin))
                            && leaders.iter().all(|other| !intersect(other, &line))
                            && symbols
                                .iter()
                                .filter(|(at, _)| *at != w.at)
                                .all(|(at, radius)| from_line(*at, &line) > *radius)
                    });
                free.then_some((place, leader))
            })
        });
        let Some((place, leader)) = found else { continue };
        boxes.push(place);
        if let Some([from, to]) = leader {
            leaders.push([from, to]);
            let length = distance(from, to).max(1e-9);
            let edge = [0, 1].map(|i| from[i] + (to[i] - from[i]) * (w.radius / length).min(1.0));
            let stroke = Stroke::solid(Color::rgb(110, 110, 110), 0.6 * style.frame_pt);
            scene.path(vec![Outline { points: vec![edge, to], closed: false }], None, Some(stroke), true);
        }
        scene.text([place.left, place.bottom()], Anchor::Start, &w.label, size);
    }
}

fn distance(a: [f64; 2], b: [f64; 2]) -> f64 {
    (b[0] - a[0]).hypot(b[1] - a[1])
}

/// The point of a box nearest to a place.
fn nearest(place: &Rect, [x, y]: [f64; 2]) -> [f64; 2] {
    [x.clamp(place.left, place.right()), y.clamp(place.top, place.bottom())]
}

fn overlap(a: &Rect, b: &Rect, margin: f64) -> bool {
    a.left < b.right() + margin
        && b.left < a.right() + margin
        && a.top < b.bottom() + margin
        && b.top < a.bottom() + margin
}

/// Distance of a place from a line between two places.
fn from_line(at: [f64; 2], [a, b]: &[[f64; 2]; 2]) -> f64 {
    let along = [b[0] - a[0], b[1] - a[1]];
    let square = (along[0] * along[0] + along[1] * along[1]).max(1e-12);
    let t = (((at[0] - a[0]) * along[0] + (at[1] - a[1]) * along[1]) / square).clamp(0.0, 1.0);
    distance(at, [a[0] + t * along[0], a[1] + t * along[1]])
}

/// Whether a line between two places comes nearer to a box than `margin`.
fn crosses(place: &Rect, line: &[[f64; 2]; 2], margin: f64) -> bool {
    let steps = (distance(line[0], line[1]) / 1.5).ceil().max(1.0) as usize;
    (0..=steps).any(|i| {
        let t = i as f64 / steps as f64;
        let at = [0, 1].map(|k| line[0][k] + t * (line[1][k] - line[0][k]));
        place.contains(at, -margin)
    })
}

/// Whether two lines between places cross.
fn intersect([a, b]: &[[f64; 2]; 2], [c, d]: &[[f64; 2]; 2]) -> bool {
    let side = |p: &[f64; 2], q: &[f64; 2], r: &[f64; 2]| {
        (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])
    };
    side(a, b, c) * side(a, b, d) < 0.0 && side(c, d, a) * side(c, d, b) < 0.0
}
