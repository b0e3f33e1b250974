//! Text, colour bar and legend of an exported picture, as SVG over the rendered surface.

use std::fmt::Write as _;
use std::sync::Arc;

use glam::Vec2;
use image::RgbaImage;
use resvg::usvg::{self, fontdb};
use resvg::{render, tiny_skia};

use super::axes::{Label, estimated_width};
use super::frame::Frame;
use super::view::SurfaceView;

/// The type that labels are set in.
#[derive(Debug, Clone)]
pub struct Typeface {
    /// Name of the font family.
    pub family: String,
    /// Where to find it.
    pub fonts: Arc<fontdb::Database>,
}

impl Typeface {
    /// A sans serif type of the system, or whatever there is.
    pub fn system() -> Self {
        let mut fonts = fontdb::Database::new();
        fonts.load_system_fonts();
        let known = ["Inter", "Helvetica Neue", "Arial", "Liberation Sans", "Noto Sans", "DejaVu Sans"];
        let installed = |name: &&str| fonts.faces().any(|face| face.families.iter().any(|f| f.0 == **name));
        let found = known.iter().find(|name| installed(name)).map(|name| (*name).to_owned());
        let any = || fonts.faces().next().map(|face| face.families[0].0.clone());
        let family = found.or_else(any).unwrap_or_default();
        Self { family, fonts: Arc::new(fonts) }
    }
}

/// Everything of the picture that is not the surface, as a document of the picture's size in pixels.
pub(super) fn svg(view: &SurfaceView, frame: &Frame, surfaces: usize, family: &str) -> String {
    let [width, height] = view.size;
    let ink = hex(view.style.theme.ink().map(|v| (v * 255.0).round() as u8));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\"><g font-family=\"{}\" fill=\"{ink}\">",
        escape(family)
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
            horizontal(&mut out, bar.max.x, bar.max.x + bar.tick_length, *y, stroke, &ink, 0.75);
        }
        bar.labels.iter().for_each(|label| text(&mut out, label));
    }
    for (i, entry) in view.legend(surfaces).iter().flat_map(|l| &l.entries).enumerate() {
        let name = format!("layer{i}");
        gradient(&mut out, &name, &entry.colors, false);
        rectangle(&mut out, entry.min, entry.max, &format!("url(#{name})"), entry.opacity);
        text(&mut out, &entry.label);
    }
    out.push_str("</g></svg>");
    out
}

/// Draws an SVG document over a picture of the same size.
pub(super) fn composite(image: &mut RgbaImage, svg: &str, typeface: &Typeface) -> Result<(), usvg::Error> {
    let options = usvg::Options { fontdb: typeface.fonts.clone(), ..usvg::Options::default() };
    let tree = usvg::Tree::from_str(svg, &options)?;
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

/// SVG anchors only in thirds: placed by the middle, moved by an estimate of the text's size.
fn text(out: &mut String, label: &Label) {
    let size = label.size;
    let away = Vec2::splat(0.5) - label.anchor.0;
    let shift = Vec2::new(away.x * estimated_width(&label.text, size), away.y * size);
    let (x, y) = (shift.x, shift.y + 0.35 * size);
    let anchor = if label.anchor.0.x == 0.0 { "start" } else { "middle" };
    let x = if label.anchor.0.x == 0.0 { 0.0 } else { x };
    let _ = write!(
        out,
        "<text transform=\"translate({:.2} {:.2}) rotate({:.2})\" x=\"{x:.2}\" y=\"{y:.2}\" \
         font-size=\"{size:.2}\" text-anchor=\"{anchor}\">{}</text>",
        label.position.x,
        label.position.y,
        label.angle.to_degrees(),
        escape(&label.text)
    );
}

fn gradient(out: &mut String, name: &str, colors: &[[u8; 3]], upward: bool) {
    let direction = if upward { "x1=\"0\" y1=\"1\" x2=\"0\" y2=\"0\"" } else { "" };
    let _ = write!(out, "<linearGradient id=\"{name}\" {direction}>");
    let last = colors.len().saturating_sub(1).max(1);
    for (i, color) in colors.iter().enumerate() {
        let offset = i as f32 / last as f32;
        let _ = write!(out, "<stop offset=\"{offset:.4}\" stop-color=\"{}\"/>", hex(*color));
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

fn hex([r, g, b]: [u8; 3]) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
