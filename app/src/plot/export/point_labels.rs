//! Words beside points: each at the nearest free place, with a thin line to its point where that is not beside it.
//! Words without a free place near their point are numbered there, and stand in a key below the figure.

use super::fit::{Fitted, SAFE, Steps, Type, fit_alike};
use super::fonts;
use super::layout::{CAP_HEIGHT, DESCENT, Layout};
use super::scene::{Anchor, Outline, Rect, Scene, Stroke};
use super::style::FigureStyle;
use super::table::Table;
use super::transform::Transform;
use crate::plot::place::{Placed, Wanted};
use crate::plot::{Color, Item, Plot};

/// Distance of the rows of the key, relative to the font size.
const ROW: f64 = 1.35;
const KEY: Steps = &[(1.0, 1), (1.0, 2), (0.85, 3)];

/// If more than one in so many finds no place for its words, all are numbered.
const MANY: usize = 3;

/// Words or a number near a point.
struct Label {
    text: String,
    placed: Placed,
    /// It stands over lines, on a pale ground.
    ground: bool,
}

/// The labels of every scatter of a plot.
pub struct PointLabels {
    labels: Vec<Label>,
    key: Vec<Fitted>,
    table: Table,
    /// What the key needs below the x label.
    pub room_below: f64,
    /// Whether a number has no place of its own.
    pub crowded: bool,
}

impl PointLabels {
    /// Finds a place for every label; `taken` is not to be covered.
    pub fn new(plot: &Plot, style: &FigureStyle, layout: &Layout, taken: &[Rect]) -> Self {
        let size = size(style);
        let to = Transform::new(plot, layout.axes);
        let mut ground = to.ground(style);
        ground.boxes = taken.to_vec();
        let (names, wanted) = wanted(plot, style, layout, &to);
        let bare = ground.clone();
        let mut places = ground.label(&wanted, layout.axes, size, false);
        // Where many would be numbered, all are.
        if MANY * places.iter().filter(|place| place.is_none()).count() > names.len() {
            (ground, places) = (bare, vec![None; names.len()]);
        }
        let named = names.iter().zip(&places);
        let mut labels: Vec<Label> = named
            .filter_map(|(name, place)| Some(Label { text: name.clone(), placed: (*place)?, ground: false }))
            .collect();
        // From left to right, so that a number is found easily.
        let mut left: Vec<usize> = (0..names.len()).filter(|i| places[*i].is_none()).collect();
        left.sort_by(|a, b| wanted[*a].at[0].total_cmp(&wanted[*b].at[0]));
        let number = |i: usize| format!("({})", i + 1);
        let numbered: Vec<Wanted> = (left.iter().enumerate())
            .map(|(i, at)| Wanted { size: room(&number(i), style), ..wanted[*at] })
            .collect();
        let free = ground.label(&numbered, layout.axes, size, false);
        let mut crowded = false;
        for (i, (wanted, free)) in numbered.iter().zip(free).enumerate() {
            let placed = free.or_else(|| ground.label(&[*wanted], layout.axes, size, true)[0]);
            crowded |= placed.is_none();
            labels.push(Label {
                text: number(i),
                ground: free.is_none(),
                placed: placed.unwrap_or_else(|| upon(wanted)),
            });
        }
        let key: Vec<String> =
            left.iter().enumerate().map(|(i, at)| format!("{}  {}", number(i), names[*at])).collect();
        let key: Vec<&str> = key.iter().map(|entry| &**entry).collect();
        let of = Type { family: style.family, bold: false, size, steps: KEY };
        let key = fit_alike(&key, of, layout.width - 4.0);
        let sizes: Vec<[f64; 2]> =
            key.iter().map(|words| [words.width, ROW * size + words.depth()]).collect();
        let table = Table::new(&sizes, 1.5 * size, layout.width - 4.0);
        let room_below = if key.is_empty() { 0.0 } else { 0.6 * size + table.height() };
        Self { labels, key, table, room_below, crowded }
    }

    /// Draws the labels with their leaders.
    pub fn draw(&self, scene: &mut Scene, style: &FigureStyle) {
        for Label { text, placed: Placed { place, leader }, ground } in &self.labels {
            if let Some([from, to]) = leader {
                let stroke = Stroke::solid(Color::rgb(110, 110, 110), 0.6 * style.frame_pt);
                scene.path(
                    vec![Outline { points: vec![*from, *to], closed: false }],
                    None,
                    Some(stroke),
                    true,
                );
            }
            if *ground {
                scene.path(vec![place.ring()], Some(Color::WHITE.with_alpha(0.8)), None, false);
            }
            let baseline = place.bottom() - DESCENT * size(style);
            scene.text([place.left, baseline], Anchor::Start, text, size(style));
        }
    }

    /// Draws the key of the numbers, from `top` on.
    pub fn draw_key(&self, scene: &mut Scene, top: f64, style: &FigureStyle) {
        let size = size(style);
        let centre = scene.frame.left + scene.frame.width / 2.0;
        for (words, [left, top]) in self.key.iter().zip(self.table.places(centre, top, scene.width)) {
            scene.words(words, [left, top + (0.6 + 0.8) * size], Anchor::Start);
        }
    }
}

fn size(style: &FigureStyle) -> f64 {
    0.8 * style.tick_pt
}

/// Width and height of a label.
fn room(label: &str, style: &FigureStyle) -> [f64; 2] {
    [SAFE * fonts::width(label, style.family, false, size(style)), (CAP_HEIGHT + DESCENT) * size(style)]
}

/// Labels and what they need.
fn wanted(
    plot: &Plot,
    style: &FigureStyle,
    layout: &Layout,
    to: &Transform<'_>,
) -> (Vec<String>, Vec<Wanted>) {
    let scatters = plot.items.iter().filter_map(|item| match item {
        Item::Scatter(scatter) => Some(scatter),
        _ => None,
    });
    let labelled = scatters.flat_map(|s| s.points.iter().map(move |p| (s.size, p)));
    labelled
        .filter_map(|(relative, p)| {
            let label = p.label.clone()?;
            let at = to.point(p.x, p.y).filter(|at| layout.axes.contains(*at, -0.01))?;
            let wanted = Wanted { size: room(&label, style), at, radius: style.symbol_pt * relative / 2.0 };
            Some((label, wanted))
        })
        .unzip()
}

/// The last resort of a number: on its own symbol.
fn upon(wanted: &Wanted) -> Placed {
    let [width, height] = wanted.size;
    let place = Rect { left: wanted.at[0] - width / 2.0, top: wanted.at[1] - height / 2.0, width, height };
    Placed { place, leader: None }
}
