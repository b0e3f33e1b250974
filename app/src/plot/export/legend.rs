//! The legend: in the emptiest corner of the axes, else compact below them.

use super::fit::{Fitted, Steps, Type, fit_alike};
use super::layout::{CAP_HEIGHT, Layout};
use super::sample::sample;
use super::scene::{Anchor, Rect, Scene, Stroke};
use super::style::FigureStyle;
use super::table::Table;
use super::transform::Transform;
use crate::plot::{Color, Dash, Entry, Item, Plot};

/// A legend and where it stands.
pub struct Legend<'a> {
    /// Whose things are, and what they are; the second is often empty.
    parts: [Vec<(Entry<'a>, Fitted)>; 2],
    size: f64,
    handle: f64,
    inside: Option<Rect>,
    /// Places below the axes, per part.
    tables: [Table; 2],
    /// What it needs below the x label; zero if it stands inside of the axes.
    pub room_below: f64,
}

/// Space around the entries, length of the samples, distance of rows and of columns, relative to the font size.
const PAD: f64 = 0.45;
const HANDLE: f64 = 1.7;
const ROW: f64 = 1.3;
const GAP: f64 = 1.2;
/// Distance of the two parts.
const PART: f64 = 0.35;
/// Two whole dashes, in line widths.
const DASHES: f64 = 9.0;
/// Many entries are a table, which may be smaller.
const MANY: usize = 6;
const INSIDE: Steps = &[(1.0, 1)];
const BELOW: Steps = &[(1.0, 1), (0.85, 1), (0.85, 2), (0.7, 2), (0.7, 3)];

impl<'a> Legend<'a> {
    /// Finds a place: the emptiest corner of the axes, or below the figure if it would cover data, or what is
    /// `taken`, everywhere. None if there is nothing to explain.
    pub fn new(plot: &'a Plot, style: &FigureStyle, layout: &Layout, taken: &[Rect]) -> Option<Self> {
        let entries = plot.legend();
        let count = entries.iter().map(Vec::len).sum::<usize>();
        if count == 0 {
            return None;
        }
        let size = style.legend_pt;
        let mut legend = Self::sized(&entries, style, size, INSIDE, f64::INFINITY);
        let widest = legend.sizes().map(|[width, _]| width).fold(0.0, f64::max);
        let height = (2.0 * PAD + ROW * count as f64 - (ROW - 1.0)) * size + legend.between();
        let width = widest + 2.0 * PAD * size;
        if width < 0.95 * layout.axes.width && height < 0.8 * layout.axes.height {
            legend.inside = emptiest_corner(layout.axes, [width, height], plot, style, 0.5 * size, taken);
        }
        if legend.inside.is_none() { Self::below(plot, style, layout.width) } else { Some(legend) }
    }

    /// The legend below figures of this width; none if there is nothing to explain.
    pub fn below(plot: &'a Plot, style: &FigureStyle, width: f64) -> Option<Self> {
        let entries = plot.legend();
        let count = entries.iter().map(Vec::len).sum::<usize>();
        if count == 0 {
            return None;
        }
        let room = width - 4.0;
        let size = if count > MANY { 0.8 } else { 1.0 } * style.legend_pt;
        let mut legend = Self::sized(&entries, style, size, BELOW, room);
        let sizes = |part: &Vec<_>| part.iter().map(|entry| legend.size_of(entry)).collect::<Vec<_>>();
        let tables = [0, 1].map(|i| Table::new(&sizes(&legend.parts[i]), GAP * legend.size, room));
        legend.room_below =
            0.6 * legend.size + tables.iter().map(Table::height).sum::<f64>() + legend.between();
        legend.tables = tables;
        Some(legend)
    }

    /// What it covers of the axes; none if it stands below.
    pub fn inside(&self) -> Option<Rect> {
        self.inside
    }

    /// Entries of at most this size, and of at most this width with their samples.
    fn sized(entries: &[Vec<Entry<'a>>; 2], style: &FigureStyle, size: f64, steps: Steps, room: f64) -> Self {
        let dashed = |entry: &Entry<'_>| matches!(entry.sample, Item::Series(s) if s.dash == Dash::Dashed);
        let dashes = if entries.iter().flatten().any(dashed) { DASHES * style.line_pt } else { 0.0 };
        let handle = |size: f64| (HANDLE * size).max(dashes);
        let names: Vec<&str> = entries.iter().flatten().map(|entry| entry.name).collect();
        let of = Type { family: style.family, bold: false, size, steps };
        let mut words = fit_alike(&names, of, room - handle(size) - 0.5 * size).into_iter();
        let size = words.as_slice().first().map_or(size, |words| words.size);
        let mut fitted = |part: &Vec<Entry<'a>>| part.iter().cloned().zip(words.by_ref()).collect::<Vec<_>>();
        let parts = [fitted(&entries[0]), fitted(&entries[1])];
        let tables = [Table::default(), Table::default()];
        Self { parts, size, handle: handle(size), inside: None, tables, room_below: 0.0 }
    }

    /// Space between the two parts.
    fn between(&self) -> f64 {
        if self.parts.iter().any(Vec::is_empty) { 0.0 } else { PART * self.size }
    }

    /// Width and height of an entry.
    fn size_of(&self, (_, words): &(Entry<'_>, Fitted)) -> [f64; 2] {
        [self.handle + 0.5 * self.size + words.width, ROW * self.size + words.depth()]
    }

    fn sizes(&self) -> impl Iterator<Item = [f64; 2]> {
        self.parts.iter().flatten().map(|entry| self.size_of(entry))
    }

    /// Draws it: inside of the axes, or below, from `top` on.
    pub fn draw(&self, scene: &mut Scene, layout: &Layout, top: f64, style: &FigureStyle) {
        let size = self.size;
        if let Some(place) = self.inside {
            let stroke = Stroke::solid(Color::rgb(60, 60, 60), 0.75 * style.frame_pt);
            scene.path(vec![place.ring()], Some(Color::WHITE.with_alpha(0.85)), Some(stroke), false);
            let mut middle = place.top + (PAD + 0.5) * size;
            for part in &self.parts {
                for entry in part {
                    self.entry(scene, entry, [place.left + PAD * size, middle], style);
                    middle += ROW * size;
                }
                middle += self.between();
            }
            return;
        }
        let mut top = top + (0.6 + 0.5) * size;
        let centre = layout.axes.left + layout.axes.width / 2.0;
        for (part, table) in self.parts.iter().zip(&self.tables) {
            for (entry, at) in part.iter().zip(table.places(centre, top, layout.width)) {
                self.entry(scene, entry, at, style);
            }
            top += if part.is_empty() { 0.0 } else { table.height() + self.between() };
        }
    }

    fn entry(
        &self,
        scene: &mut Scene,
        (entry, words): &(Entry<'_>, Fitted),
        at: [f64; 2],
        style: &FigureStyle,
    ) {
        sample(scene, entry.sample, at, self.handle, style);
        let at = [at[0] + self.handle + 0.5 * self.size, at[1] + CAP_HEIGHT * self.size / 2.0];
        scene.words(words, at, Anchor::Start);
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
            Item::Arrow(arrow) => points.extend((0..=50).filter_map(|i| {
                let t = f64::from(i) / 50.0;
                let [x, y] = [0, 1].map(|k| arrow.from[k] + t * (arrow.to[k] - arrow.from[k]));
                to.point(x, y)
            })),
            Item::Field(_) | Item::Mark(_) | Item::Caption(_) => {}
        }
    }
    points
}
