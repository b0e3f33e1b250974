//! The legend in the emptiest corner, the colour bar, and the symbols both share with the plot.

use super::draw::Transform;
use super::fonts;
use super::layout::{CAP_HEIGHT, Layout};
use super::scene::{Anchor, Outline, Rect, Scene, Shape, Stroke};
use super::style::FigureStyle;
use crate::plot::{Color, Field, Item, Plot, Shape as Symbol};

/// A legend and where it stands.
pub struct Legend<'a> {
    entries: Vec<(&'a str, &'a Item)>,
    size: f64,
    entry_width: f64,
    inside: Option<Rect>,
    columns: usize,
    /// What it needs below the x label; zero if it stands inside of the axes.
    pub room_below: f64,
}

/// Space around the entries, length of the samples, and distance of rows, relative to the font size.
const PAD: f64 = 0.45;
const HANDLE: f64 = 1.7;
const ROW: f64 = 1.3;

impl<'a> Legend<'a> {
    /// Finds a place: the emptiest corner of the axes, or below the figure if it would cover data, or what is
    /// `taken`, everywhere. None if there is nothing to explain.
    pub fn new(plot: &'a Plot, style: &FigureStyle, layout: &Layout, taken: &[Rect]) -> Option<Self> {
        let entries = plot.legend();
        if entries.is_empty() {
            return None;
        }
        let size = style.legend_pt;
        let widest =
            entries.iter().map(|(name, _)| fonts::width(name, style.family, false, size)).fold(0.0, f64::max);
        // A little more than measured: TeX has wider letters for small sizes.
        let entry_width = (HANDLE + 0.5) * size + 1.03 * widest;
        let width = entry_width + 2.0 * PAD * size;
        let height = (2.0 * PAD + ROW * entries.len() as f64 - (ROW - 1.0)) * size;
        let fits = width < 0.95 * layout.axes.width && height < 0.8 * layout.axes.height;
        let inside = fits
            .then(|| emptiest_corner(layout.axes, [width, height], plot, style, 0.5 * size, taken))
            .flatten();
        let mut legend = Self { entries, size, entry_width, inside, columns: 1, room_below: 0.0 };
        if inside.is_none() {
            let room = layout.width - 4.0;
            // Many entries are a table, which may be smaller.
            let table = if legend.entries.len() > 6 { 0.8 } else { 1.0 };
            let shrink = (room / entry_width).min(table);
            (legend.size, legend.entry_width) = (shrink * size, shrink * entry_width);
            let gap = 1.2 * legend.size;
            let columns = ((room + gap) / (legend.entry_width + gap)).floor().max(1.0) as usize;
            let rows = legend.entries.len().div_ceil(columns);
            // As few columns as give these rows: three entries stand 2 + 1 only if they must.
            legend.columns = legend.entries.len().div_ceil(rows);
            legend.room_below = (0.6 + ROW * rows as f64) * legend.size;
        }
        Some(legend)
    }

    /// What it covers of the axes; none if it stands below.
    pub fn inside(&self) -> Option<Rect> {
        self.inside
    }

    /// Draws it: inside of the axes, or below, from `top` on.
    pub fn draw(&self, scene: &mut Scene, layout: &Layout, top: f64, style: &FigureStyle) {
        let size = self.size;
        if let Some(place) = self.inside {
            let stroke = Stroke::solid(Color::rgb(60, 60, 60), 0.75 * style.frame_pt);
            scene.path(vec![place.ring()], Some(Color::WHITE.with_alpha(0.85)), Some(stroke), false);
            for (i, entry) in self.entries.iter().enumerate() {
                let middle = place.top + (PAD + ROW * i as f64 + 0.5) * size;
                self.entry(scene, entry, [place.left + PAD * size, middle], style);
            }
            return;
        }
        let advance = self.entry_width + 1.2 * size;
        let width = advance * self.columns as f64 - 1.2 * size;
        let centre = layout.axes.left + layout.axes.width / 2.0;
        let left = (centre - width / 2.0).clamp(2.0, (layout.width - width - 2.0).max(2.0));
        let rows = self.entries.len().div_ceil(self.columns);
        for (i, entry) in self.entries.iter().enumerate() {
            let (column, row) = (i / rows, i % rows);
            let middle = top + (0.6 + ROW * row as f64 + 0.5) * size;
            self.entry(scene, entry, [left + advance * column as f64, middle], style);
        }
    }

    fn entry(&self, scene: &mut Scene, (name, item): &(&str, &Item), at: [f64; 2], style: &FigureStyle) {
        sample(scene, item, at, HANDLE * self.size, style);
        let at = [at[0] + (HANDLE + 0.5) * self.size, at[1] + CAP_HEIGHT * self.size / 2.0];
        scene.text(at, Anchor::Start, name, self.size);
    }
}

/// A short piece of an item, `length` to the right of `at`.
fn sample(scene: &mut Scene, item: &Item, at: [f64; 2], length: f64, style: &FigureStyle) {
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
        Item::Field(_) | Item::Mark(_) | Item::Label(_) | Item::Caption(_) => {}
    }
}

/// The corner (or the middle of the upper or lower edge) in which a box covers neither data nor what is `taken`;
/// none if there is none.
pub fn emptiest_corner(
    axes: Rect,
    size: [f64; 2],
    plot: &Plot,
    style: &FigureStyle,
    margin: f64,
    taken: &[Rect],
) -> Option<Rect> {
    let (l, r) = (axes.left + margin, axes.right() - margin - size[0]);
    let (t, b) = (axes.top + margin, axes.bottom() - margin - size[1]);
    let centre = axes.left + (axes.width - size[0]) / 2.0;
    let places = [[r, t], [l, t], [r, b], [l, b], [centre, t], [centre, b]];
    let to = Transform::new(plot, axes);
    let points = covered_points(plot, &to);
    let mut ground = to.ground(style);
    ground.boxes = taken.to_vec();
    let free = |place: &Rect| {
        ground.is_free(place, 0.25 * margin, true)
            && !points.iter().any(|p| place.contains(*p, -0.5 * margin))
    };
    let boxed = |[left, top]: [f64; 2]| Rect { left, top, width: size[0], height: size[1] };
    places.into_iter().map(boxed).find(free)
}

/// Points all along the data, dense enough that a box cannot slip between them.
fn covered_points(plot: &Plot, to: &Transform<'_>) -> Vec<[f64; 2]> {
    let mut points = Vec::new();
    for item in &plot.items {
        match item {
            Item::Series(series) => {
                for piece in to.pieces(series) {
                    points.extend(piece.points.windows(2).flat_map(|ends| {
                        let [a, b] = [ends[0], ends[1]];
                        let steps = ((b[0] - a[0]).hypot(b[1] - a[1]) / 3.0).ceil().clamp(1.0, 1000.0);
                        (0..=steps as usize).map(move |i| {
                            let t = i as f64 / steps;
                            [a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])]
                        })
                    }));
                }
            }
            // Their exact shape is known to the ground.
            Item::Scatter(_) => {}
            Item::Histogram(histogram) => {
                for (i, value) in histogram.values.iter().enumerate() {
                    for step in 0..=10 {
                        let x = (histogram.edges[i] + histogram.edges[i + 1]) / 2.0;
                        points.extend(to.point(x, value * f64::from(step) / 10.0));
                    }
                }
            }
            Item::Guide(guide) => {
                let line: Vec<_> =
                    guide.points(plot).into_iter().filter_map(|[x, y]| to.point(x, y)).collect();
                points.extend(line.windows(2).flat_map(|ends| {
                    let [a, b] = [ends[0], ends[1]];
                    (0..=100).map(move |i| [0, 1].map(|k| a[k] + f64::from(i) / 100.0 * (b[k] - a[k])))
                }));
            }
            Item::Field(_) | Item::Mark(_) | Item::Label(_) | Item::Caption(_) => {}
        }
    }
    points
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
    for tick in &field.ticks {
        let y = at(tick.value);
        let length = if tick.label.is_empty() { 0.55 } else { 1.0 } * layout.tick;
        scene.line([body.right(), y], [body.right() + length, y], stroke);
        let place = [body.right() + layout.tick + layout.gap, y + CAP_HEIGHT * style.tick_pt / 2.0];
        scene.text(place, Anchor::Start, &tick.label, style.tick_pt);
    }
    scene.path(vec![outline], None, Some(stroke), false);
    let middle = bar.top + bar.height / 2.0;
    scene.text([layout.bar_label, middle], Anchor::Middle, &field.name, style.label_pt).angle = 90.0;
}
