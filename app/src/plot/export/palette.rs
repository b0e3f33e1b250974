//! Another palette for a finished drawing.

use super::scene::{Scene, Shape};
use super::style::Palette;
use crate::plot::Color;
use crate::plot::color::{SERIES_COLORS, series_color};

/// Okabe and Ito's colours in the order of the series, then some of Paul Tol's *muted*, and black.
const SAFE: [Color; SERIES_COLORS] = [
    Color::hex(0x0072b2),
    Color::hex(0xd55e00),
    Color::hex(0x009e73),
    Color::hex(0xe69f00),
    Color::hex(0xcc79a7),
    Color::hex(0x56b4e9),
    Color::hex(0xf0e442),
    Color::hex(0x332288),
    Color::hex(0x882255),
    Color::hex(0x999933),
    Color::hex(0x44aa99),
    Color::hex(0x000000),
];

/// How figures change the colour of a series: pale curves, dark error bars.
const CHANGES: [fn(Color) -> Color; 3] =
    [|color| color, |color| color.mix(Color::WHITE, 0.45), |color| color.mix(Color::BLACK, 0.25)];

/// Gives the series of a drawing the colours of a palette.
pub fn recolor(scene: &mut Scene, palette: Palette) {
    if palette != Palette::Safe {
        return;
    }
    let changed = |color: &mut Color| {
        let opaque = color.with_alpha(1.0);
        let pairs =
            (0..SERIES_COLORS).flat_map(|i| CHANGES.map(|change| (change(series_color(i)), change(SAFE[i]))));
        if let Some((_, new)) = { pairs }.find(|(old, _)| *old == opaque) {
            *color = new.with_alpha(color.alpha());
        }
    };
    for shape in &mut scene.shapes {
        match shape {
            Shape::Path { fill, stroke, .. } => {
                fill.iter_mut().for_each(changed);
                stroke.iter_mut().for_each(|stroke| changed(&mut stroke.color));
            }
            Shape::Discs { fill, stroke, .. } => {
                changed(fill);
                stroke.iter_mut().for_each(|stroke| changed(&mut stroke.color));
            }
            Shape::Text(text) => changed(&mut text.color),
        }
    }
}
