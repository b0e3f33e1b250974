//! A few lines of words in the emptiest corner of the axes.

use super::draw::Transform;
use super::fonts;
use super::layout::Layout;
use super::legend::emptiest_corner;
use super::scene::{Anchor, Rect, Scene};
use super::style::FigureStyle;
use crate::plot::{Caption, Color, Item, Plot};

/// Distance of lines and space around them, relative to the font size.
const LINE: f64 = 1.25;
const PAD: f64 = 0.35;

/// Where the caption of a plot stands; none without one.
pub fn place<'a>(plot: &'a Plot, style: &FigureStyle, layout: &Layout) -> Option<(&'a Caption, Rect)> {
    let caption = plot.items.iter().find_map(|item| match item {
        Item::Caption(caption) => Some(caption),
        _ => None,
    })?;
    let size = style.tick_pt;
    let widest = caption.lines.iter().map(|l| fonts::width(l, style.family, false, size)).fold(0.0, f64::max);
    let box_size = [
        1.03 * widest + 2.0 * PAD * size,
        (LINE * caption.lines.len() as f64 - LINE + 1.0 + 2.0 * PAD) * size,
    ];
    let to = Transform::new(plot, layout.axes);
    let corner = emptiest_corner(layout.axes, box_size, plot, &to, 0.3 * size, &[]);
    // Everywhere is something: at least the upper left stays free in a rising plot.
    let place = corner.unwrap_or(Rect {
        left: layout.axes.left + 0.3 * size,
        top: layout.axes.top + 0.3 * size,
        width: box_size[0],
        height: box_size[1],
    });
    Some((caption, place))
}

/// Draws it on a pale ground.
pub fn draw(scene: &mut Scene, caption: &Caption, place: Rect, style: &FigureStyle) {
    let size = style.tick_pt;
    scene.path(vec![place.ring()], Some(Color::WHITE.with_alpha(0.85)), None, false);
    let (on_the_right, middle) = (place.left + place.width / 2.0, scene.frame.left + scene.frame.width / 2.0);
    for (i, line) in caption.lines.iter().enumerate() {
        let baseline = place.top + (PAD + 0.8 + LINE * i as f64) * size;
        if on_the_right > middle {
            scene.text([place.right() - PAD * size, baseline], Anchor::End, line, size);
        } else {
            scene.text([place.left + PAD * size, baseline], Anchor::Start, line, size);
        }
    }
}
