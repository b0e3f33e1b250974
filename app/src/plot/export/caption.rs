//! A few lines of words where they cover nothing: in a corner of the axes, elsewhere inside, else below.

use super::fit::{Fitted, Steps, Type, fit_alike};
use super::layout::Layout;
use super::legend::emptiest_corner;
use super::scene::{Anchor, Rect, Scene};
use super::style::FigureStyle;
use super::transform::Transform;
use crate::plot::{Color, Item, Plot};

/// Distance of lines and space around them, relative to the font size.
const LINE: f64 = 1.25;
const PAD: f64 = 0.35;
const STEPS: Steps = &[(1.0, 1), (0.85, 1), (0.7, 1), (0.55, 1)];
/// Places tried inside of the axes, along each of them.
const PLACES: usize = 24;

/// The caption of a plot.
pub struct Caption {
    lines: Vec<Fitted>,
    /// What it covers of the axes; none if it stands below.
    pub inside: Option<Rect>,
    /// What it needs below the x label.
    pub room_below: f64,
}

impl Caption {
    /// Finds a place; none if there is no caption.
    pub fn new(plot: &Plot, style: &FigureStyle, layout: &Layout) -> Option<Self> {
        let lines = plot.items.iter().find_map(|item| match item {
            Item::Caption(caption) => Some(caption.lines.iter().map(|line| &**line).collect::<Vec<_>>()),
            _ => None,
        })?;
        let of = Type { family: style.family, bold: false, size: style.tick_pt, steps: STEPS };
        let lines = fit_alike(&lines, of, layout.width - 4.0);
        let size = lines.first()?.size;
        let widest = lines.iter().map(|line| line.width).fold(0.0, f64::max);
        let room = [widest + 2.0 * PAD * size, (LINE * lines.len() as f64 - LINE + 1.0 + 2.0 * PAD) * size];
        let inside = emptiest_corner(layout.axes, room, plot, style, 0.3 * size, &[])
            .or_else(|| elsewhere(plot, style, layout, room));
        let below = (0.6 + LINE * lines.len() as f64) * size;
        Some(Self { lines, inside, room_below: if inside.is_some() { 0.0 } else { below } })
    }

    /// Draws it: on a pale ground inside of the axes, or below, from `top` on.
    pub fn draw(&self, scene: &mut Scene, top: f64, style: &FigureStyle) {
        let axes = scene.frame;
        let (size, widest) =
            self.lines.iter().fold((style.tick_pt, 0.0_f64), |(_, w), line| (line.size, w.max(line.width)));
        let middle = axes.left + axes.width / 2.0;
        let (x, anchor, top) = match self.inside {
            None => {
                let middle = middle.min(scene.width - 2.0 - widest / 2.0).max(2.0 + widest / 2.0);
                (middle, Anchor::Middle, top + 0.6 * size)
            }
            Some(place) => {
                scene.path(vec![place.ring()], Some(Color::WHITE.with_alpha(0.85)), None, false);
                let top = place.top + PAD * size;
                if place.left + place.width / 2.0 > middle {
                    (place.right() - PAD * size, Anchor::End, top)
                } else {
                    (place.left + PAD * size, Anchor::Start, top)
                }
            }
        };
        for (i, line) in self.lines.iter().enumerate() {
            scene.words(line, [x, top + (0.8 + LINE * i as f64) * size], anchor);
        }
    }
}

/// A place that covers neither points nor error bars; if need be the regression line. Near the edges rather than in the
/// middle.
fn elsewhere(plot: &Plot, style: &FigureStyle, layout: &Layout, room: [f64; 2]) -> Option<Rect> {
    let (axes, margin) = (layout.axes, 0.3 * style.tick_pt);
    let ground = Transform::new(plot, axes).ground(style);
    let spare = [axes.width - room[0] - 2.0 * margin, axes.height - room[1] - 2.0 * margin];
    if ground.symbols.is_empty() || spare.iter().any(|spare| *spare < 0.0) {
        return None;
    }
    let share = |i: usize| i as f64 / PLACES as f64;
    let mut places: Vec<[f64; 2]> =
        (0..=PLACES).flat_map(|i| (0..=PLACES).map(move |j| [share(i), share(j)])).collect();
    let depth = |[x, y]: &[f64; 2]| x.min(1.0 - x).min(y.min(1.0 - y));
    places.sort_by(|a, b| depth(a).total_cmp(&depth(b)));
    let boxed = |[x, y]: &[f64; 2]| Rect {
        left: axes.left + margin + x * spare[0],
        top: axes.top + margin + y * spare[1],
        width: room[0],
        height: room[1],
    };
    [true, false].into_iter().find_map(|guides| {
        places.iter().map(boxed).find(|place| ground.is_free(place, 0.25 * margin, guides))
    })
}
