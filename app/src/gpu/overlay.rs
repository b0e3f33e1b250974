//! Text, colour bar and legend of an exported picture, as SVG over the rendered surface.

use glam::Vec2;
use image::RgbaImage;
use resvg::{render, tiny_skia, usvg};
use std::fmt::Write as _;

use super::axes::Label;
use super::frame::Frame;
use super::view::SurfaceView;
use crate::plot::Color;
use crate::plot::export::{Anchor, FontFamily, Text, families, svg_options, width, write_text};

/// Everything of the picture that is not the surface, as a document of the picture's size in pixels.
pub(super) fn svg(view: &SurfaceView, frame: &Frame, surfaces: usize, family: FontFamily) -> String {
    let [width, height] = view.size;
    let [r, g, b] = view.style.theme.ink().map(|v| (v * 255.0).round() as u8);
    let ink = Color::rgb(r, g, b);
    let text = |out: &mut String, label: &Label| write_label(out, label, family, ink);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\"><g font-family=\"{}\">",
        families(family)
    );
    for label in view.labels(frame) {
        text(&mut out, &label);
    }
    if let Some(bar) = view.color_bar(frame) {
        gradient(&mut out, "bar", &bar.colors, true);
        let stroke = 0.75 * view.scale;
        rectangle(&mut out, bar.min, bar.max, "url(#bar)", 1.0);
        for y in &bar.contours {
            horizontal(&mut out, bar.min.x, bar.max.x, *y, stroke, "#000", 0.35);
        }
        for y in &bar.ticks {
            horizontal(&mut out, bar.max.x, bar.max.x + bar.tick_length, *y, stroke, &ink.to_hex(), 0.75);
        }
        bar.labels.iter().for_each(|label| text(&mut out, label));
    }
    let legend = view.legend(surfaces);
    if let Some(legend) = &legend {
        let [r, g, b] = view.style.theme.background().map(|v| (v * 255.0).round() as u8);
        rectangle(&mut out, legend.min, legend.max, &Color::rgb(r, g, b).to_hex(), 0.8);
    }
    for (i, entry) in legend.iter().flat_map(|legend| &legend.entries).enumerate() {
        let name = format!("layer{i}");
        gradient(&mut out, &name, &entry.colors, false);
        rectangle(&mut out, entry.min, entry.max, &format!("url(#{name})"), entry.opacity);
        text(&mut out, &entry.label);
    }
    out.push_str("</g></svg>");
    out
}

/// Draws it over the picture.
pub(super) fn composite(
    image: &mut RgbaImage,
    view: &SurfaceView,
    frame: &Frame,
    surfaces: usize,
    family: FontFamily,
) -> Result<(), usvg::Error> {
    let titles = view.style.titles.iter();
    let names = view.style.layers.iter().map(|layer| &layer.name);
    let texts = titles.chain(names).chain([&view.style.title]);
    let options = svg_options(texts.map(String::as_str), family);
    let tree = usvg::Tree::from_str(&svg(view, frame, surfaces, family), &options)?;
    let (width, height) = image.dimensions();
    let Some(mut layer) = tiny_skia::Pixmap::new(width, height) else { return Ok(()) };
    render(&tree, tiny_skia::Transform::identity(), &mut layer.as_mut());
    for (below, above) in image.pixels_mut().zip(layer.pixels()) {
        let rest = 255 - u32::from(above.alpha());
        if rest == 255 {
            continue;
        }
        // Both premultiplied while they are combined.
        let alpha = u32::from(below[3]);
        let over = [above.red(), above.green(), above.blue()];
        let sum_alpha = u32::from(above.alpha()) + (alpha * rest + 127) / 255;
        for c in 0..3 {
            let under = u32::from(below[c]) * alpha / 255;
            let sum = u32::from(over[c]) + (under * rest + 127) / 255;
            below[c] = (sum * 255 / sum_alpha.max(1)).min(255) as u8;
        }
        below[3] = sum_alpha.min(255) as u8;
    }
    Ok(())
}

/// The label's box is put with its anchor on its place; SVG knows the baseline only.
fn write_label(out: &mut String, label: &Label, family: FontFamily, ink: Color) {
    let size = f64::from(label.size);
    let wide = width(&label.text, family, false, size) as f32;
    let away = Vec2::splat(0.5) - label.anchor.0;
    let middle = Vec2::new(away.x * wide, away.y * label.size + 0.35 * label.size);
    let at = label.position + Vec2::from_angle(label.angle).rotate(middle);
    let text = Text {
        at: at.to_array().map(f64::from),
        anchor: Anchor::Middle,
        angle: -f64::from(label.angle.to_degrees()),
        label: label.text.clone(),
        size,
        bold: false,
        color: ink,
        family: None,
    };
    write_text(out, &text, family);
}

fn gradient(out: &mut String, name: &str, colors: &[[u8; 3]], upward: bool) {
    let direction = if upward { "x1=\"0\" y1=\"1\" x2=\"0\" y2=\"0\"" } else { "" };
    let _ = write!(out, "<linearGradient id=\"{name}\" {direction}>");
    let last = colors.len().saturating_sub(1).max(1);
    for (i, color) in colors.iter().enumerate() {
        let offset = i as f32 / last as f32;
        let _ = write!(
            out,
            "<stop offset=\"{offset:.4}\" stop-color=\"{}\"/>",
            Color::rgb(color[0], color[1], color[2]).to_hex()
        );
    }
    out.push_str("</linearGradient>");
}

fn rectangle(out: &mut String, min: Vec2, max: Vec2, fill: &str, opacity: f32) {
    let size = max - min;
    let _ = write!(
        out,
        "<rect x=\"{:.2}\" y=\"{:.2}\" width=\"{:.2}\" height=\"{:.2}\" fill=\"{fill}\" \
         fill-opacity=\"{opacity:.3}\"/>",
        min.x, min.y, size.x, size.y
    );
}

fn horizontal(out: &mut String, from: f32, to: f32, y: f32, width: f32, color: &str, opacity: f32) {
    let _ = write!(
        out,
        "<path d=\"M{from:.2} {y:.2}H{to:.2}\" stroke=\"{color}\" stroke-width=\"{width:.2}\" \
         stroke-opacity=\"{opacity}\"/>"
    );
}
