//! The legend: in the emptiest corner of the axes, else compact below them.

use super::draw::Transform;
use super::fonts;
use super::layout::{CAP_HEIGHT, Layout};
use super::sample::sample;
use super::scene::{Anchor, Rect, Scene, Stroke};
use super::style::FigureStyle;
use crate::plot::{Color, Dash, Entry, Item, Plot};

/// A legend and where it stands.
pub struct Legend<'a> {
    /// Whose things are, and what they are; the second is often empty.
    parts: [Vec<Entry<'a>>; 2],
    size: f64,
    handle: f64,
    family: super::FontFamily,
    inside: Option<Rect>,
    /// Widths of the columns below the axes, per part.
    columns: [Vec<f64>; 2],
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

impl<'a> Legend<'a> {
    /// Finds a place: the emptiest corner of the axes, or below the figure if it would cover data, or what is
    /// `taken`, everywhere. None if there is nothing to explain.
    pub fn new(plot: &'a Plot, style: &FigureStyle, layout: &Layout, taken: &[Rect]) -> Option<Self> {
        let parts = plot.legend();
        let count = parts.iter().map(Vec::len).sum::<usize>();
        if count == 0 {
            return None;
        }
        let columns = [Vec::new(), Vec::new()];
        let (size, family) = (style.legend_pt, style.family);
        let mut legend = Self { parts, size, handle: 0.0, family, inside: None, columns, room_below: 0.0 };
        legend.set_size(size, style);
        let all = legend.parts.iter().flatten();
        let widest = all.map(|entry| legend.width_of(entry)).fold(0.0, f64::max);
        let height = (2.0 * PAD + ROW * count as f64 - (ROW - 1.0)) * size + legend.between();
        let width = widest + 2.0 * PAD * size;
        if width < 0.95 * layout.axes.width && height < 0.8 * layout.axes.height {
            legend.inside = emptiest_corner(layout.axes, [width, height], plot, style, 0.5 * size, taken);
        }
        if legend.inside.is_none() {
            // Many entries are a table, which may be smaller.
            let table = if count > 6 { 0.8 } else { 1.0 };
            legend.set_size(table * size, style);
            let room = layout.width - 4.0;
            let all = legend.parts.iter().flatten();
            let widest = all.map(|entry| legend.width_of(entry)).fold(0.0, f64::max);
            legend.set_size((room / widest).min(1.0) * legend.size, style);
            legend.columns = [0, 1].map(|part| legend.columns_within(part, room));
            let rows: usize = [0, 1].map(|part| legend.rows(part)).iter().sum();
            legend.room_below = (0.6 + ROW * rows as f64) * legend.size + legend.between();
        }
        Some(legend)
    }

    /// What it covers of the axes; none if it stands below.
    pub fn inside(&self) -> Option<Rect> {
        self.inside
    }

    fn set_size(&mut self, size: f64, style: &FigureStyle) {
        let dashed = |entry: &Entry<'_>| matches!(entry.sample, Item::Series(s) if s.dash == Dash::Dashed);
        let dashes = self.parts.iter().flatten().any(dashed);
        self.size = size;
        self.handle = if dashes { (HANDLE * size).max(DASHES * style.line_pt) } else { HANDLE * size };
    }

    /// Space between the two parts.
    fn between(&self) -> f64 {
        if self.parts.iter().any(Vec::is_empty) { 0.0 } else { PART * self.size }
    }

    /// Width of an entry. A little more than measured: TeX has wider letters for small sizes.
    fn width_of(&self, entry: &Entry<'_>) -> f64 {
        let words = fonts::width(entry.name, self.family, false, self.size);
        self.handle + 0.5 * self.size + 1.03 * words
    }

    /// As many columns as have room, each as wide as it must be, filled from above.
    fn columns_within(&self, part: usize, room: f64) -> Vec<f64> {
        let widths: Vec<f64> = self.parts[part].iter().map(|entry| self.width_of(entry)).collect();
        let columns = |rows: usize| -> Vec<f64> {
            widths.chunks(rows).map(|column| column.iter().copied().fold(0.0, f64::max)).collect()
        };
        let fits = |columns: &Vec<f64>| {
            columns.iter().sum::<f64>() + GAP * self.size * (columns.len().max(1) - 1) as f64 <= room
        };
        (1..=widths.len()).map(columns).find(fits).unwrap_or_else(|| columns(widths.len().max(1)))
    }

    fn rows(&self, part: usize) -> usize {
        self.parts[part].len().div_ceil(self.columns[part].len().max(1))
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
        for (part, columns) in self.parts.iter().zip(&self.columns) {
            let width = columns.iter().sum::<f64>() + GAP * size * (columns.len().max(1) - 1) as f64;
            let centre = layout.axes.left + layout.axes.width / 2.0;
            let mut left = (centre - width / 2.0).min(layout.width - width - 2.0).max(2.0);
            let rows = part.len().div_ceil(columns.len().max(1)).max(1);
            for (entries, width) in part.chunks(rows).zip(columns) {
                for (row, entry) in entries.iter().enumerate() {
                    self.entry(scene, entry, [left, top + ROW * row as f64 * size], style);
                }
                left += width + GAP * size;
            }
            top += if part.is_empty() { 0.0 } else { ROW * rows as f64 * size + self.between() };
        }
    }

    fn entry(&self, scene: &mut Scene, entry: &Entry<'_>, at: [f64; 2], style: &FigureStyle) {
        sample(scene, entry.sample, at, self.handle, style);
        let at = [at[0] + self.handle + 0.5 * self.size, at[1] + CAP_HEIGHT * self.size / 2.0];
        scene.text(at, Anchor::Start, entry.name, self.size);
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
